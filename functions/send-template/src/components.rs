//! From the request's short forms to Meta's template components (Meta: "Template messages").

use api::{Fields, whole_number};
use domain::{Error, Result, template_value};
use serde_json::{Map, Value, json};

/// Buttons of a template.
const MOST_BUTTONS: usize = 10;

/// Reads the components of a template message. None are made where there is nothing to fill in.
pub(crate) fn read(fields: &Fields) -> Result<Vec<Value>> {
    if let Some(ready_made) = fields.value("components") {
        return ready_made_components(fields, ready_made);
    }
    let mut components = Vec::new();
    for (field, component) in [("header_params", "header"), ("body_params", "body")] {
        if let Some(given) = fields.value(field) {
            let parameters = parameters(field, given)?;
            if !parameters.is_empty() {
                components.push(json!({"type": component, "parameters": parameters}));
            }
        }
    }
    if let Some(given) = fields.value("buttons") {
        components.extend(buttons(given)?);
    }
    Ok(components)
}

fn ready_made_components(fields: &Fields, given: &Value) -> Result<Vec<Value>> {
    for short_form in ["header_params", "body_params", "buttons"] {
        if fields.value(short_form).is_some() {
            let message = format!("components stands in place of {short_form}: give one of them");
            return Err(Error::invalid_field("components", message));
        }
    }
    let list = given.as_array().ok_or_else(|| must("components", "be a list of Meta's component objects"))?;
    for (index, component) in list.iter().enumerate() {
        if !component.get("type").is_some_and(Value::is_string) {
            return Err(must(&format!("components[{index}]"), "be an object with a type"));
        }
    }
    Ok(list.clone())
}

/// The parameters of the header or the body: a list for variables by number, an object for variables by name.
fn parameters(field: &str, given: &Value) -> Result<Vec<Value>> {
    match given {
        Value::Array(list) => {
            let read = |(index, value): (usize, &Value)| parameter(field, &format!("{field}[{index}]"), value);
            list.iter().enumerate().map(read).collect()
        }
        Value::Object(named) => {
            let read = |(name, value): (&String, &Value)| {
                let text = text(&format!("{field}.{name}"), value)?;
                Ok(json!({"type": "text", "parameter_name": name, "text": text}))
            };
            named.iter().map(read).collect()
        }
        _ => Err(must(field, "be a list of values, or an object of values by their names")),
    }
}

fn parameter(field: &str, path: &str, value: &Value) -> Result<Value> {
    match value {
        Value::Object(media) if field == "header_params" => header_object(path, media),
        value => Ok(json!({"type": "text", "text": text(path, value)?})),
    }
}

/// A header that is no text, as Meta writes it: `{"type": "image", "image": {"link": "https://…"}}`.
fn header_object(path: &str, given: &Map<String, Value>) -> Result<Value> {
    let kind = given.get("type").and_then(Value::as_str).unwrap_or_default();
    let content = given.get(kind).and_then(Value::as_object);
    match (kind, content) {
        ("image" | "video" | "document", Some(media)) => {
            let filled = |name: &str| media.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            if filled("id") == filled("link") {
                return Err(must(&format!("{path}.{kind}"), "have either an id or a link, as a text"));
            }
        }
        ("location", Some(_)) => {}
        ("image" | "video" | "document" | "location", None) => {
            return Err(must(&format!("{path}.{kind}"), "be an object"));
        }
        _ => return Err(must(&format!("{path}.type"), "be image, video, document or location")),
    }
    Ok(Value::Object(given.clone()))
}

/// A value as Meta takes it: a text.
fn text(path: &str, value: &Value) -> Result<String> {
    template_value(value).map_err(|error| Error::invalid_field(path, format!("{path} {error}")))
}

fn buttons(given: &Value) -> Result<Vec<Value>> {
    let list = given.as_array().ok_or_else(|| must("buttons", "be a list"))?;
    if list.len() > MOST_BUTTONS {
        return Err(must("buttons", &format!("be at most {MOST_BUTTONS}")));
    }
    list.iter().enumerate().map(|(position, button)| self::button(&format!("buttons[{position}]"), button)).collect()
}

/// One button: its `type` (`sub_type` in the reference's helper), its `index` among the template's buttons, and the value
/// that its type takes, by the name that Meta gives it.
fn button(path: &str, given: &Value) -> Result<Value> {
    let given = given.as_object().ok_or_else(|| must(path, "be an object"))?;
    let value = |name: &str| given.get(name).filter(|value| !value.is_null());
    let required = |name: &str| {
        let path = format!("{path}.{name}");
        value(name)
            .ok_or_else(|| Error::invalid_field(path.as_str(), format!("{path} is required")))
            .and_then(|value| text(&path, value))
    };
    let sub_type = value("type").or_else(|| value("sub_type")).and_then(Value::as_str).unwrap_or_default();
    let parameter = match sub_type {
        // The reference's helper calls the address's end payload as well.
        "url" if value("text").is_none() && value("payload").is_some() => {
            json!({"type": "text", "text": required("payload")?})
        }
        "url" => json!({"type": "text", "text": required("text")?}),
        "quick_reply" => json!({"type": "payload", "payload": required("payload")?}),
        "copy_code" => json!({"type": "coupon_code", "coupon_code": required("coupon_code")?}),
        "flow" => {
            let mut action = json!({"flow_token": required("flow_token")?});
            if let (Some(data), Some(members)) = (value("flow_action_data"), action.as_object_mut()) {
                if !data.is_object() {
                    return Err(must(&format!("{path}.flow_action_data"), "be an object"));
                }
                members.insert("flow_action_data".to_owned(), data.clone());
            }
            json!({"type": "action", "action": action})
        }
        _ => return Err(must(&format!("{path}.type"), "be url, quick_reply, copy_code or flow")),
    };
    let index = button_index(path, value("index"))?;
    Ok(json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}))
}

/// Meta's own examples write it as a text, and take a number as well.
fn button_index(path: &str, given: Option<&Value>) -> Result<String> {
    let index = match given {
        Some(number @ Value::Number(_)) => whole_number(number).and_then(|number| u64::try_from(number).ok()),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    match index {
        Some(index) if index < MOST_BUTTONS as u64 => Ok(index.to_string()),
        _ => Err(must(&format!("{path}.index"), "be a whole number from 0 to 9: the button's place in the template")),
    }
}

fn must(path: &str, how: &str) -> Error {
    Error::invalid_field(path, format!("{path} must {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "so that a test can write the value in place")]
    fn components(body: Value) -> Result<Vec<Value>> {
        read(&Fields::from(body.as_object().unwrap().clone()))
    }

    fn problem(body: Value) -> String {
        let error = components(body).unwrap_err();
        let (field, message) = (error.public().field.clone().unwrap(), error.public().message.clone());
        assert!(message.starts_with(&field), "{message} does not begin with {field}");
        message
    }

    #[test]
    fn nothing_to_fill_in_makes_no_components() {
        for body in
            [json!({}), json!({"body_params": null}), json!({"body_params": [], "header_params": [], "buttons": []})]
        {
            assert!(components(body).unwrap().is_empty());
        }
    }

    #[test]
    fn values_become_texts_in_the_order_of_the_reference() {
        let made = components(json!({"body_params": ["Rahul", 3, 1.5, true], "header_params": ["Hi"]})).unwrap();
        let text = |text: &str| json!({"type": "text", "text": text});
        let expected = [
            json!({"type": "header", "parameters": [text("Hi")]}),
            json!({"type": "body", "parameters": [text("Rahul"), text("3"), text("1.5"), text("True")]}),
        ];
        assert_eq!(made, expected);
    }

    #[test]
    fn an_object_gives_named_parameters() {
        let made = components(json!({"body_params": {"first_name": "Ann", "total": 12}})).unwrap();
        let expected = json!([
            {"type": "text", "parameter_name": "first_name", "text": "Ann"},
            {"type": "text", "parameter_name": "total", "text": "12"},
        ]);
        assert_eq!(made[0]["parameters"], expected);
    }

    #[test]
    fn a_media_header_goes_through_as_meta_writes_it() {
        let image = json!({"type": "image", "image": {"link": "https://example.com/a.png"}});
        let made = components(json!({"header_params": [image]})).unwrap();
        assert_eq!(made, [json!({"type": "header", "parameters": [image]})]);
    }

    #[test]
    fn each_button_carries_its_value_as_meta_names_it() {
        let made = components(json!({"buttons": [
            {"type": "url", "index": 0, "text": "order/123"},
            {"type": "quick_reply", "index": "1", "payload": "STOP"},
            {"type": "copy_code", "index": 2, "coupon_code": "SAVE20"},
            {"type": "flow", "index": 3, "flow_token": "t", "flow_action_data": {"a": 1}},
            {"sub_type": "url", "index": 4, "payload": "as/the/reference"},
        ]}));
        let button = |sub_type: &str, index: &str, parameter: Value| json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]});
        let expected = [
            button("url", "0", json!({"type": "text", "text": "order/123"})),
            button("quick_reply", "1", json!({"type": "payload", "payload": "STOP"})),
            button("copy_code", "2", json!({"type": "coupon_code", "coupon_code": "SAVE20"})),
            button("flow", "3", json!({"type": "action", "action": {"flow_token": "t", "flow_action_data": {"a": 1}}})),
            button("url", "4", json!({"type": "text", "text": "as/the/reference"})),
        ];
        assert_eq!(made.unwrap(), expected);
    }

    #[test]
    fn ready_made_components_go_through_unchanged_and_alone() {
        let ready = json!([{"type": "body", "parameters": [{"type": "currency", "currency": {}}]}]);
        assert_eq!(Value::from(components(json!({"components": ready})).unwrap()), ready);
        let both = problem(json!({"components": ready, "body_params": ["a"]}));
        assert!(both.contains("in place of body_params"), "{both}");
    }

    #[test]
    fn every_odd_value_is_refused_by_its_path() {
        for (body, path) in [
            (json!({"body_params": "Rahul"}), "body_params must be a list"),
            (json!({"body_params": ["a", null]}), "body_params[1] must be a text or a number"),
            (json!({"body_params": [["a"]]}), "body_params[0] must be a text or a number"),
            (json!({"body_params": [{"type": "image"}]}), "body_params[0] must be a text or a number"),
            (json!({"body_params": [""]}), "body_params[0] must not be empty"),
            (json!({"body_params": [123_456_789_012_345_678_901_234.0]}), "body_params[0] must be written as a text"),
            (json!({"body_params": {"a": {}}}), "body_params.a must be a text or a number"),
            (json!({"header_params": [{"type": "sticker"}]}), "header_params[0].type must be image"),
            (json!({"header_params": [{"type": "image"}]}), "header_params[0].image must be an object"),
            (json!({"header_params": [{"type": "image", "image": {}}]}), "header_params[0].image must have either"),
            (
                json!({"header_params": [{"type": "image", "image": {"id": "1", "link": "x"}}]}),
                "header_params[0].image must have either",
            ),
            (json!({"buttons": {}}), "buttons must be a list"),
            (json!({"buttons": [1]}), "buttons[0] must be an object"),
            (json!({"buttons": [{"type": "phone", "index": 0}]}), "buttons[0].type must be url"),
            (json!({"buttons": [{"type": "url", "index": 0}]}), "buttons[0].text is required"),
            (json!({"buttons": [{"type": "url", "text": "a"}]}), "buttons[0].index must be a whole number"),
            (
                json!({"buttons": [{"type": "url", "text": "a", "index": 10}]}),
                "buttons[0].index must be a whole number",
            ),
            (
                json!({"buttons": [{"type": "flow", "index": 0, "flow_token": "t", "flow_action_data": 1}]}),
                "buttons[0].flow_action_data must",
            ),
            (json!({"buttons": vec![json!({}); 11]}), "buttons must be at most 10"),
            (json!({"components": {}}), "components must be a list"),
            (json!({"components": [{}]}), "components[0] must be an object with a type"),
        ] {
            let problem = problem(body);
            assert!(problem.starts_with(path), "{problem} instead of {path}");
        }
    }
}
