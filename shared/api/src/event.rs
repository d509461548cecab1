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
    path: Option<String>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Option<Vec<String>>>>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    multi_value_query_string_parameters: Option<BTreeMap<String, Option<Vec<String>>>>,
    // An HTTP API's
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    // both's
    #[serde(default)]
    headers: Option<BTreeMap<String, Option<String>>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
    #[serde(default)]
    request_context: Option<RequestContext>,
    #[serde(default)]
    stage_variables: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    request_id: Option<String>,
    /// A REST API's: with the stage, or the base path of a custom domain, before it.
    path: Option<String>,
    identity: Option<Source>,
    http: Option<Http>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    source_ip: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: Option<String>,
    source_ip: Option<String>,
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

    /// Whether it is an HTTP API's, which takes cookies otherwise than a REST API.
    pub(crate) fn is_from_http_api(&self) -> bool {
        self.request_context.as_ref().is_some_and(|context| context.http.is_some())
    }

    /// The path as the client wrote it: with the stage, or the base path of a custom domain, before it.
    pub(crate) fn path(&self) -> &str {
        let whole = self.request_context.as_ref().and_then(|context| context.path.as_deref());
        whole.or(self.raw_path.as_deref()).or(self.path.as_deref()).unwrap_or_default()
    }

    /// The network address that API Gateway saw the client at. No header is asked: anybody can write one.
    pub(crate) fn source_ip(&self) -> Option<&str> {
        let context = self.request_context.as_ref()?;
        let rest = context.identity.as_ref().and_then(|identity| identity.source_ip.as_deref());
        rest.or_else(|| context.http.as_ref()?.source_ip.as_deref())
    }

    /// All that the client sent as cookies, as `Cookie` headers have it: from where an HTTP API puts them, or else from
    /// every header of that name. In both places stands the same.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        if let Some(cookies) = &self.cookies {
            return cookies.iter().map(String::as_str).collect();
        }
        let is_cookie = |name: &str| name.eq_ignore_ascii_case("cookie");
        let multi = self.multi_value_headers.iter().flatten().filter(|(name, _)| is_cookie(name));
        let multi: Vec<_> = multi.flat_map(|(_, values)| values.iter().flatten()).map(String::as_str).collect();
        if multi.is_empty() { self.header("cookie").into_iter().collect() } else { multi }
    }

    /// API Gateway's id of the request.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_context.as_ref()?.request_id.as_deref()
    }

    /// A variable of the API's stage, as template.yaml sets it.
    pub(crate) fn stage_variable(&self, name: &str) -> Option<&str> {
        self.stage_variables.as_ref()?.get(name)?.as_deref()
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn cookies_come_from_every_header_and_once_where_they_stand_in_two_places() {
        for (members, expected) in [
            (json!({"headers": {"Cookie": "a=1; b=2"}}), vec!["a=1; b=2"]),
            (
                json!({"headers": {"cookie": "b=2"}, "multiValueHeaders": {"Cookie": ["a=1", "b=2"]}}),
                vec!["a=1", "b=2"],
            ),
            // A function URL has them in both places, an HTTP API in the first alone.
            (json!({"cookies": ["a=1", "b=2"], "headers": {"cookie": "a=1; b=2"}}), vec!["a=1", "b=2"]),
            (json!({"cookies": [], "headers": {"cookie": "a=1"}}), vec![]),
            (json!({"headers": {"cookies": "a=1"}}), vec![]),
            (json!({"multiValueHeaders": {"cookie": null, "Cookie": []}}), vec![]),
        ] {
            let event: Event = serde_json::from_value(members).unwrap();
            assert_eq!(event.cookies(), expected);
        }
    }

    #[test]
    fn a_stage_variable_is_the_stages_own_and_no_header_or_parameter() {
        for variables in [json!({"Client": "a1"}), json!({"Client": null}), json!(null)] {
            let event = json!({"stageVariables": variables, "headers": {"Client": "x"},
                "queryStringParameters": {"Client": "x"}});
            let event: Event = serde_json::from_value(event).unwrap();
            assert_eq!(event.stage_variable("Client"), variables["Client"].as_str());
        }
    }

    #[test]
    fn the_path_is_the_one_that_the_client_wrote_and_the_address_the_one_that_api_gateway_saw() {
        let read = |event: Value| {
            let event: Event = serde_json::from_value(event).unwrap();
            (event.path().to_owned(), event.source_ip().map(str::to_owned))
        };
        let rest = json!({"path": "/x", "headers": {"X-Forwarded-For": "192.0.2.1"},
            "requestContext": {"path": "/prod/x", "identity": {"sourceIp": "203.0.113.9"}}});
        assert_eq!(read(rest), ("/prod/x".to_owned(), Some("203.0.113.9".to_owned())));
        let http = json!({"rawPath": "/prod/x", "requestContext": {"http": {"sourceIp": "2001:db8::9"}}});
        assert_eq!(read(http), ("/prod/x".to_owned(), Some("2001:db8::9".to_owned())));
        assert_eq!(read(json!({"path": "/x", "requestContext": {}})), ("/x".to_owned(), None));
    }
}
