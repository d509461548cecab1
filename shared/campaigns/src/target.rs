//! The places of a template that a value goes into, and how clients name them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Buttons of a template (Meta: "Template components").
const MOST_BUTTONS: u8 = 10;
/// More variables than any template has room for.
const MOST_VARIABLES: u16 = 999;

/// A place of a template that a value goes into. As a text: `1` or `first_name` in the body, `header.1`, `header.city` or
/// `header.image` in the header, `button.0` for the end of a button's address, `button.1.payload` for a quick reply and
/// `button.2.coupon_code` for a code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Target {
    /// A variable of the header, if it is a text.
    Header(Variable),
    /// The header's file: a link, or the id of an uploaded file.
    HeaderMedia(Media),
    /// A variable of the body.
    Body(Variable),
    /// What a button needs; counted from 0 over all buttons.
    Button(u8, ButtonValue),
}

/// A variable by its number, from 1, or by its name. Numbers sort as numbers: 2 comes before 10.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Variable {
    Number(u16),
    Name(String),
}

/// What kind of file stands in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Media {
    Image,
    Video,
    Document,
}

/// What kind of value a button needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ButtonValue {
    /// The end of its address.
    Url,
    /// What comes back when it is tapped.
    Payload,
    /// The code that it copies.
    CouponCode,
}

/// A text that names no place of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "names no place of a template: write 1, 2, … or a name for the body's variables, header.1, header.NAME, header.image, \
     header.video or header.document for the header, and button.0, button.0.payload or button.0.coupon_code for buttons"
)]
pub(crate) struct NoTarget;

impl Media {
    const ALL: [Self; 3] = [Self::Image, Self::Video, Self::Document];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Document => "document",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| media.as_str() == word)
    }
}

impl Variable {
    fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text.parse().ok().filter(|number| (1..=MOST_VARIABLES).contains(number))?;
            return (!text.starts_with('0')).then_some(Self::Number(number));
        }
        let is_name = text.len() <= 128 && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        (is_name && !text.is_empty()).then(|| Self::Name(text.to_owned()))
    }

    /// The parameter that Meta takes (Meta: "Template messages").
    fn parameter(&self, value: &str) -> Value {
        match self {
            Self::Number(_) => json!({"type": "text", "text": value}),
            Self::Name(name) => json!({"type": "text", "parameter_name": name, "text": value}),
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl Target {
    /// Puts values into Meta's components, in the order in which Meta wants them.
    pub(crate) fn components<'a>(values: impl IntoIterator<Item = (&'a Self, &'a str)>) -> Vec<Value> {
        let mut sorted: Vec<_> = values.into_iter().collect();
        // By number, however they were written.
        sorted.sort_by_key(|(target, _)| (*target).clone());
        let (mut header, mut body, mut buttons) = (Vec::new(), Vec::new(), Vec::new());
        for (target, value) in sorted {
            match target {
                Self::Header(variable) => header.push(variable.parameter(value)),
                Self::HeaderMedia(media) => {
                    let is_id = value.bytes().all(|byte| byte.is_ascii_digit());
                    let source = if is_id { "id" } else { "link" };
                    let kind = media.as_str();
                    header.push(json!({"type": kind, kind: {source: value}}));
                }
                Self::Body(variable) => body.push(variable.parameter(value)),
                Self::Button(index, button) => {
                    let (sub_type, parameter) = match button {
                        ButtonValue::Url => ("url", json!({"type": "text", "text": value})),
                        ButtonValue::Payload => ("quick_reply", json!({"type": "payload", "payload": value})),
                        ButtonValue::CouponCode => ("copy_code", json!({"type": "coupon_code", "coupon_code": value})),
                    };
                    let index = index.to_string();
                    buttons.push(
                        json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}),
                    );
                }
            }
        }
        let part = |kind: &str, parameters: Vec<Value>| {
            (!parameters.is_empty()).then(|| json!({"type": kind, "parameters": parameters}))
        };
        part("header", header).into_iter().chain(part("body", body)).chain(buttons).collect()
    }

    /// Whether a text names a place of a template, and is not just a name, such as many things have.
    pub(crate) fn is_no_mere_name(text: &str) -> bool {
        matches!(text.parse(), Ok(target) if !matches!(target, Self::Body(Variable::Name(_))))
    }

    /// How people call the place.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Header(variable) => format!("the header's variable {variable}"),
            Self::HeaderMedia(media) => format!("the header's {}", media.as_str()),
            Self::Body(variable) => format!("the body's variable {variable}"),
            Self::Button(index, ButtonValue::Url) => format!("the address of button {index}"),
            Self::Button(index, ButtonValue::Payload) => format!("the payload of button {index}"),
            Self::Button(index, ButtonValue::CouponCode) => format!("the code of button {index}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(variable) => write!(f, "header.{variable}"),
            Self::HeaderMedia(media) => write!(f, "header.{}", media.as_str()),
            Self::Body(variable) => variable.fmt(f),
            Self::Button(index, ButtonValue::Url) => write!(f, "button.{index}"),
            Self::Button(index, ButtonValue::Payload) => write!(f, "button.{index}.payload"),
            Self::Button(index, ButtonValue::CouponCode) => write!(f, "button.{index}.coupon_code"),
        }
    }
}

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split('.').collect();
        let target = match *parts.as_slice() {
            [variable] => Variable::parse(variable).map(Self::Body),
            ["header", part] => match Media::parse(part) {
                Some(media) => Some(Self::HeaderMedia(media)),
                None => Variable::parse(part).map(Self::Header),
            },
            ["button", index] => button(index, ButtonValue::Url),
            ["button", index, "payload"] => button(index, ButtonValue::Payload),
            ["button", index, "coupon_code"] => button(index, ButtonValue::CouponCode),
            _ => None,
        };
        target.ok_or(NoTarget)
    }
}

fn button(index: &str, value: ButtonValue) -> Option<Target> {
    let index = index.parse().ok().filter(|number: &u8| *number < MOST_BUTTONS && index.len() == 1)?;
    Some(Target::Button(index, value))
}

impl TryFrom<String> for Target {
    type Error = NoTarget;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_reads_back_as_it_is_written() {
        for text in [
            "1",
            "12",
            "first_name",
            "header.1",
            "header.city",
            "header.image",
            "header.video",
            "header.document",
            "button.0",
            "button.9",
            "button.1.payload",
            "button.2.coupon_code",
        ] {
            assert_eq!(target(text).to_string(), text);
            assert_eq!(serde_json::from_value::<Target>(json!(text)).unwrap(), target(text));
        }
        for odd in [
            "",
            "0",
            "01",
            "1000",
            "-1",
            "1.2",
            "Name",
            "ä",
            "a b",
            "header.",
            "header.0",
            "header.Image",
            "button.",
            "button.10",
            "button.00",
            "button.a",
            "button.1.url",
            "body.1",
            "header.image.1",
            ".",
        ] {
            assert_eq!(odd.parse::<Target>(), Err(NoTarget), "{odd}");
        }
    }

    #[test]
    fn values_go_into_the_order_of_their_numbers_however_many_there_are() {
        let numbers: Vec<_> =
            [10, 2, 1, 11, 9, 3].map(|number: i32| (target(&number.to_string()), number.to_string())).into();
        let components = Target::components(numbers.iter().map(|(target, value)| (target, value.as_str())));
        let texts: Vec<_> =
            components[0]["parameters"].as_array().unwrap().iter().map(|one| one["text"].clone()).collect();
        assert_eq!(texts, ["1", "2", "3", "9", "10", "11"]);
    }

    #[test]
    fn every_place_becomes_what_meta_takes() {
        let places = [
            ("button.3.coupon_code", "SAVE20"),
            ("1", "Ann"),
            ("header.image", "https://example.com/a.png"),
            ("button.1.payload", "STOP"),
            ("2", "Monday"),
            ("button.0", "order/7"),
        ]
        .map(|(place, value)| (target(place), value));
        let components = Target::components(places.iter().map(|(target, value)| (target, *value)));
        let button = |sub_type: &str, index: &str, parameter: Value| json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]});
        let text = |text: &str| json!({"type": "text", "text": text});
        let image = json!({"type": "image", "image": {"link": "https://example.com/a.png"}});
        let expected = [
            json!({"type": "header", "parameters": [image]}),
            json!({"type": "body", "parameters": [text("Ann"), text("Monday")]}),
            button("url", "0", text("order/7")),
            button("quick_reply", "1", json!({"type": "payload", "payload": "STOP"})),
            button("copy_code", "3", json!({"type": "coupon_code", "coupon_code": "SAVE20"})),
        ];
        assert_eq!(components, expected);
        let by_name =
            [(target("first_name"), "Ann"), (target("header.city"), "Pune"), (target("header.document"), "123")];
        let components = Target::components(by_name.iter().map(|(target, value)| (target, *value)));
        assert_eq!(
            components[1]["parameters"],
            json!([{"type": "text", "parameter_name": "first_name", "text": "Ann"}])
        );
        let city = json!({"type": "text", "parameter_name": "city", "text": "Pune"});
        assert_eq!(components[0]["parameters"], json!([city, {"type": "document", "document": {"id": "123"}}]));
        assert!(Target::components([]).is_empty());
    }
}
