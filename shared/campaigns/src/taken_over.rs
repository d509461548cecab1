//! Campaigns of another program: how it filled in their templates.

use domain::Result;
use serde_json::{Map, Value};

use crate::form::Form;

/// How a template is filled in, as `django-meta-whatsapp` says it: which field of a recipient goes where.
#[derive(Clone, Debug, Default)]
pub struct Filling(Form);

impl Filling {
    /// Reads its `parameter_mappings`.
    pub fn new(mappings: &Map<String, Value>) -> Result<Self> {
        Form::new(Some(mappings), None).map(Self)
    }

    /// As a campaign's row holds it.
    pub fn to_json(&self) -> Result<String> {
        self.0.to_json()
    }

    /// The values of a recipient whose fields `field` knows by their names. What is missing was sent as an empty text.
    pub fn values(&self, field: impl Fn(&str) -> Option<String>) -> Vec<String> {
        self.0.fields().map(|name| field(name).unwrap_or_default()).collect()
    }

    /// Meta's components of the message with these values.
    pub fn components(&self, values: &[String]) -> Vec<Value> {
        self.0.components(values)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_filled_in_as_the_reference_filled_it_in() {
        let mappings = json!({"1": "name", "2": "day"});
        let filling = Filling::new(mappings.as_object().unwrap()).unwrap();
        let values = filling.values(|name| (name == "name").then(|| "Ann".to_owned()));
        assert_eq!(values, ["Ann", ""]);
        let body =
            json!([{"type": "body", "parameters": [{"type": "text", "text": "Ann"}, {"type": "text", "text": ""}]}]);
        assert_eq!(json!(filling.components(&values)), body);
        let read = Form::from_json(&filling.to_json().unwrap()).unwrap();
        assert_eq!(Value::from(read.mappings()), mappings);
    }

    #[test]
    fn odd_mappings_are_told_and_never_a_panic() {
        for odd in [json!({"1": 5}), json!({"1": ""}), json!({"2": "name"}), json!({"": "name"}), json!({"1": null})] {
            assert!(Filling::new(odd.as_object().unwrap()).is_err(), "{odd}");
        }
        assert!(Filling::new(&Map::new()).unwrap().values(|_| None).is_empty());
    }
}
