//! What a template asks for, as Meta describes it (Meta: "Template components").

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use whatsapp::ListedTemplate;

use crate::target::{ButtonValue, Media, Target, Variable};

/// A template as Meta knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// Meta's word for its state: only an `APPROVED` one can be sent.
    pub(crate) status: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub(crate) category: String,
    /// The places that must be filled.
    pub(crate) required: BTreeSet<Target>,
    /// The places that may be.
    pub(crate) optional: BTreeSet<Target>,
}

impl Shape {
    /// Reads a template. What it holds that is not known here asks for nothing.
    pub(crate) fn of(template: &ListedTemplate) -> Self {
        let (mut required, mut optional) = (BTreeSet::new(), BTreeSet::new());
        for component in &template.components {
            let word = |name: &str| component.get(name).and_then(Value::as_str).unwrap_or_default();
            match word("type").to_ascii_uppercase().as_str() {
                "BODY" => required.extend(variables(word("text")).map(Target::Body)),
                "HEADER" => match Media::parse(&word("format").to_ascii_lowercase()) {
                    Some(media) => {
                        required.insert(Target::HeaderMedia(media));
                    }
                    None => required.extend(variables(word("text")).map(Target::Header)),
                },
                "BUTTONS" => {
                    let buttons = component.get("buttons").and_then(Value::as_array);
                    for (index, button) in (0_u8..).zip(buttons.into_iter().flatten()) {
                        let word = |name: &str| button.get(name).and_then(Value::as_str).unwrap_or_default();
                        match word("type").to_ascii_uppercase().as_str() {
                            "URL" if variables(word("url")).next().is_some() => {
                                required.insert(Target::Button(index, ButtonValue::Url));
                            }
                            "COPY_CODE" => {
                                required.insert(Target::Button(index, ButtonValue::CouponCode));
                            }
                            "QUICK_REPLY" => {
                                optional.insert(Target::Button(index, ButtonValue::Payload));
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Self { status: template.status.clone(), category: template.category.clone(), required, optional }
    }

    pub(crate) fn is_approved(&self) -> bool {
        self.status == "APPROVED"
    }
}

/// The variables in a text: `{{1}}`, `{{first_name}}`.
fn variables(text: &str) -> impl Iterator<Item = Variable> {
    text.split("{{").skip(1).filter_map(|rest| {
        let name = rest.split_once("}}")?.0.trim();
        match name.parse::<Target>().ok()? {
            Target::Body(variable) => Some(variable),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(components: &Value) -> Shape {
        let template = json!({"id": "1", "name": "t", "language": "en", "status": "APPROVED", "category": "UTILITY",
            "components": components});
        Shape::of(&serde_json::from_value(template).unwrap())
    }

    fn texts(targets: &BTreeSet<Target>) -> Vec<String> {
        targets.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_template_asks_for_each_of_its_variables_once_and_for_its_header_and_buttons() {
        let shape = shape(&json!([
            {"type": "HEADER", "format": "TEXT", "text": "News for {{1}}"},
            {"type": "BODY", "text": "{{2}} and {{1}}, {{ 10 }} and {{2}} again; {{broken, {{}} {{A B}}"},
            {"type": "FOOTER", "text": "{{1}}"},
            {"type": "BUTTONS", "buttons": [
                {"type": "URL", "url": "https://example.com/{{1}}"},
                {"type": "URL", "url": "https://example.com/"},
                {"type": "QUICK_REPLY", "text": "No"},
                {"type": "COPY_CODE"},
                {"type": "PHONE_NUMBER"},
            ]},
        ]));
        assert_eq!(texts(&shape.required), ["header.1", "1", "2", "10", "button.0", "button.3.coupon_code"]);
        assert_eq!(texts(&shape.optional), ["button.2.payload"]);
    }

    #[test]
    fn named_variables_and_files_are_asked_for_by_their_names() {
        let shape = shape(&json!([
            {"type": "header", "format": "image", "example": {}},
            {"type": "body", "text": "Dear {{first_name}}, on {{date}}."},
        ]));
        assert_eq!(texts(&shape.required), ["header.image", "date", "first_name"]);
    }

    #[test]
    fn whatever_meta_adds_asks_for_nothing() {
        let shape = shape(&json!([{"type": "CAROUSEL"}, {"type": 7}, "text", null, {"type": "BODY"},
            {"type": "BUTTONS", "buttons": "none"}, {"type": "HEADER", "format": "HOLOGRAM"}]));
        assert!(shape.required.is_empty() && shape.optional.is_empty());
    }
}
