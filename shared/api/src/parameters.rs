//! The parameters of a query, each read by its type and range.
//!
//! Every error names its parameter and says what to write. Parameters that nobody asks for are ignored.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AccountId, Error, Result};

use crate::request::Request;

/// The parameters of a request's query.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a>(&'a Request);

impl<'a> Parameters<'a> {
    pub(crate) fn of(request: &'a Request) -> Self {
        Self(request)
    }

    /// A parameter as it stands, if it is there.
    pub fn text(self, name: &str) -> Option<String> {
        self.0.query(name)
    }

    /// A whole number within `range`, if it is there.
    pub fn integer(self, name: &str, range: RangeInclusive<i32>) -> Result<Option<i32>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let problem = || must(name, &format!("be a whole number from {} to {}", range.start(), range.end()));
        number.map(Some).ok_or_else(problem)
    }

    /// `true` or `false`, if it is there.
    pub fn boolean(self, name: &str) -> Result<Option<bool>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| must(name, "be true or false"))
    }

    /// The place behind which a page begins, if it is there: what [`cursor`] made, read by `parse`.
    pub fn cursor<T>(self, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>> {
        let Some(text) = self.text("cursor") else { return Ok(None) };
        let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let place = decoded.as_deref().and_then(parse);
        place.map(Some).ok_or_else(|| must("cursor", "be a next_cursor of this list, unchanged"))
    }

    /// The account that the request names, if it names one.
    pub fn account_id(self) -> Result<Option<AccountId>> {
        let Some(text) = self.text("account_id") else { return Ok(None) };
        text.parse().map(|id| Some(AccountId(id))).map_err(|_| must("account_id", "be a whole number"))
    }
}

/// A place in a list as clients get it: opaque, so that they are told nothing of how the list is kept.
pub fn cursor(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// The parameter `name` must be otherwise than it is.
fn must(name: &str, how: &str) -> Error {
    Error::invalid_field(name, format!("{name} must {how}"))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::*;
    use crate::endpoint::Route;

    fn request(query: &str) -> Request {
        let event = json!({"rawQueryString": query, "requestContext": {"http": {"method": "GET"}}});
        Request::new(serde_json::from_value(event).unwrap(), Route::get("test", "/test/"), Instant::now(), true)
    }

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.public().field.as_deref(), error.public().message.split(' ').next());
        error.public().message.clone()
    }

    #[test]
    fn a_parameter_is_read_by_its_type_and_its_last_value_counts() {
        let request = request("limit=1&limit=100&refresh=true&account_id=-7&text=a+%C3%A9");
        let parameters = request.parameters();
        assert_eq!(parameters.integer("limit", 1..=100).unwrap(), Some(100));
        assert_eq!(parameters.boolean("refresh").unwrap(), Some(true));
        assert_eq!(parameters.account_id().unwrap(), Some(AccountId(-7)));
        assert_eq!(parameters.text("text").as_deref(), Some("a é"));
        assert_eq!(parameters.integer("absent", 1..=100).unwrap(), None);
        assert_eq!(parameters.boolean("absent").unwrap(), None);
    }

    #[test]
    fn a_parameter_that_is_none_of_its_type_is_refused_by_name() {
        for odd in ["", "0", "101", "1.0", "x", "1 ", "99999999999"] {
            let request = request(&format!("limit={odd}&refresh={odd}"));
            let limit = message(request.parameters().integer("limit", 1..=100));
            assert_eq!(limit, "limit must be a whole number from 1 to 100", "{odd}");
            assert_eq!(message(request.parameters().boolean("refresh")), "refresh must be true or false", "{odd}");
        }
        for odd in ["", "x", "1.5", "9999999999999999999"] {
            let request = request(&format!("account_id={odd}"));
            assert_eq!(message(request.parameters().account_id()), "account_id must be a whole number", "{odd}");
        }
    }
}
