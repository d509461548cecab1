//! What a customer can tap on in a message from the business.

use serde_json::{Value, json};

use super::text_of;
use crate::phones::Choice;

/// The buttons, rows or the one action of an interactive message.
pub(crate) fn of_interactive(interactive: &Value) -> Vec<Choice> {
    let action = &interactive["action"];
    let button = |button: &Value| {
        let (id, title) = (at(button, "/reply/id"), at(button, "/reply/title"));
        choice(title, Some(json!({ "type": "button_reply", "id": id, "title": title })))
    };
    let row = |row: &Value| {
        let mut answer = json!({ "type": "list_reply", "id": row["id"], "title": row["title"] });
        if let Some(description) = row.get("description") {
            crate::json::set(&mut answer, "description", description.clone());
        }
        choice(&row["title"], Some(answer))
    };
    let parameters = &action["parameters"];
    match interactive["type"].as_str() {
        Some("button") => items(&action["buttons"]).map(button).collect(),
        Some("list") => items(&action["sections"]).flat_map(|section| items(&section["rows"])).map(row).collect(),
        Some("flow") => vec![choice(&parameters["flow_cta"], Some(flow_reply(&parameters["flow_token"])))],
        Some("cta_url") => vec![choice(&parameters["display_text"], None)],
        _ => Vec::new(),
    }
}

/// The buttons of a known template, with what the message says of them.
pub(crate) fn of_template(buttons: &[Value], message: &Value) -> Vec<Choice> {
    let button = |(index, button): (usize, &Value)| {
        let label = &button["text"];
        let parameter = sent_buttons(message)
            .find(|sent| text_of(&sent["index"]).as_deref() == Some(index.to_string().as_str()))
            .map_or(&Value::Null, |sent| at(sent, "/parameters/0"));
        let answer = match button["type"].as_str() {
            Some("QUICK_REPLY") => {
                // Without a payload of its own a button gives its text.
                let payload = parameter.get("payload").unwrap_or(label);
                Some(json!({ "type": "button", "text": label, "payload": payload }))
            }
            Some("FLOW") => Some(flow_reply(at(parameter, "/action/flow_token"))),
            _ => None,
        };
        choice(label, answer)
    };
    buttons.iter().enumerate().map(button).collect()
}

/// The quick replies of a template that is not known here: their texts are not known either, so the payloads stand.
pub(crate) fn of_unknown_template(message: &Value) -> Vec<Choice> {
    let payloads = sent_buttons(message).filter_map(|button| button.pointer("/parameters/0/payload"));
    payloads
        .map(|payload| choice(payload, Some(json!({ "type": "button", "text": payload, "payload": payload }))))
        .collect()
}

fn sent_buttons(message: &Value) -> impl Iterator<Item = &Value> {
    let is_button = |one: &&Value| one["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("button"));
    items(&message["components"]).filter(is_button)
}

fn flow_reply(token: &Value) -> Value {
    // Meta's own word for a flow that was sent without a token.
    let token = token.as_str().unwrap_or("unused");
    json!({ "type": "nfm_reply", "response": { "flow_token": token } })
}

fn choice(label: &Value, answer: Option<Value>) -> Choice {
    Choice { label: label.as_str().unwrap_or_default().to_owned(), answer }
}

fn at<'a>(value: &'a Value, place: &str) -> &'a Value {
    value.pointer(place).unwrap_or(&Value::Null)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
