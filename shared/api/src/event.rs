//! API Gateway's events, in both formats, read without trusting any of it.
//!
//! `lambda_http` builds an `http::Request` out of an event and panics where that can't be done (a quote in the query, a
//! broken Host header, bad base64). Here nothing is built: the few members that count are read as the texts they are.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What counts of an event of a REST API (AWS: "Input format of a Lambda function for proxy integration") or of an
/// HTTP API ("payload format version 2.0").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    // A REST API's
    http_method: Option<String>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Option<Vec<String>>>>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    multi_value_query_string_parameters: Option<BTreeMap<String, Option<Vec<String>>>>,
    // An HTTP API's
    raw_query_string: Option<String>,
    // both's
    #[serde(default)]
    headers: Option<BTreeMap<String, Option<String>>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
    #[serde(default)]
    request_context: Option<RequestContext>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    request_id: Option<String>,
    http: Option<Http>,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: Option<String>,
}

/// The body as it stands in the event: not decoded before somebody with a valid key asks for it.
#[derive(Debug, Default)]
pub(crate) struct RawBody {
    pub(crate) text: String,
    pub(crate) is_base64: bool,
}

impl Event {
    /// The method, in capitals as every client sends it.
    pub(crate) fn method(&self) -> &str {
        let http = self.request_context.as_ref().and_then(|context| context.http.as_ref()?.method.as_deref());
        self.http_method.as_deref().or(http).unwrap_or_default()
    }

    /// API Gateway's id of the request.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_context.as_ref()?.request_id.as_deref()
    }

    /// The last value of a header, whatever the case of its name. Of two spellings of one name the same one counts every
    /// time: the first by their letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let single = self.headers.iter().flatten().filter_map(|(given, value)| Some((given, value.as_deref()?)));
        let multi = self.multi_value_headers.iter().flatten();
        let multi = multi.filter_map(|(given, values)| Some((given, values.as_ref()?.last()?.as_str())));
        multi.chain(single).find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The last value of a query parameter: of `a=1&a=2` it is `2`, as in the reference.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        if let Some(raw) = &self.raw_query_string {
            let pairs = form_urlencoded::parse(raw.as_bytes());
            return pairs.filter(|(given, _)| given == name).last().map(|(_, value)| value.into_owned());
        }
        let multi = self.multi_value_query_string_parameters.as_ref();
        let multi = multi.and_then(|parameters| parameters.get(name)?.as_ref()?.last().cloned());
        multi.or_else(|| self.query_string_parameters.as_ref()?.get(name)?.clone())
    }

    /// Takes the body out of the event.
    pub(crate) fn take_body(&mut self) -> RawBody {
        RawBody { text: self.body.take().unwrap_or_default(), is_base64: self.is_base64_encoded.unwrap_or_default() }
    }
}
