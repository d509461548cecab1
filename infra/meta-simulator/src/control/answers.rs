//! What a customer sends, as the control API writes it.

use serde_json::Value;

use super::fields::{Fields, Refusal};
use crate::customers::CustomerMessage;

const MAX_TEXT: usize = 4096;

/// Reads `{"text":"Hi"}`, or `{"type":…}` with what that type needs; `reply_to` may name a message that is quoted.
pub(super) fn read(mut fields: Fields) -> Result<CustomerMessage, Refusal> {
    let reply_to = fields.optional_text("reply_to")?;
    let message = match fields.optional_text("type")?.as_deref() {
        None | Some("text") => CustomerMessage::text(&fields.short_text("text", MAX_TEXT)?),
        Some("image") => CustomerMessage::image(fields.optional_text("caption")?.as_deref()),
        Some("video") => CustomerMessage::video(fields.optional_text("caption")?.as_deref()),
        Some("audio") => CustomerMessage::voice(),
        Some("document") => {
            let filename = fields.optional_text("filename")?;
            let filename = filename.as_deref().filter(|name| !name.is_empty()).unwrap_or("document.pdf");
            CustomerMessage::document(filename, fields.optional_text("caption")?.as_deref())
        }
        Some("sticker") => CustomerMessage::sticker(),
        Some("location") => location(&mut fields)?,
        Some("contacts") => CustomerMessage::contact(&fields.text("name")?, &fields.text("phone")?),
        Some("reaction") => {
            let emoji = fields.optional_text("emoji")?.filter(|emoji| !emoji.is_empty());
            CustomerMessage::reaction(&fields.text("message_id")?, emoji.as_deref())
        }
        Some("button") => {
            let text = fields.text("text")?;
            let payload = fields.optional_text("payload")?;
            CustomerMessage::button(&text, payload.as_deref().unwrap_or(&text))
        }
        Some("button_reply") => CustomerMessage::button_reply(&fields.text("id")?, &fields.text("title")?),
        Some("list_reply") => {
            let description = fields.optional_text("description")?;
            CustomerMessage::list_reply(&fields.text("id")?, &fields.text("title")?, description.as_deref())
        }
        Some("nfm_reply") => CustomerMessage::flow_reply(&fields.any("response")?),
        Some("order") => CustomerMessage::order(&fields.text("catalog_id")?, fields.any("product_items")?),
        Some("system") => CustomerMessage::number_changed(&fields.text("wa_id")?),
        Some("unsupported") => CustomerMessage::unsupported(),
        Some("edit") => CustomerMessage::edit(&fields.text("message_id")?, &fields.short_text("text", MAX_TEXT)?),
        Some("revoke") => CustomerMessage::revoke(&fields.text("message_id")?),
        Some("raw") => raw(fields.any("message")?)?,
        Some(other) => return Err(Refusal::bad(format!("type {other} is not known; see the README."))),
    };
    fields.end()?;
    Ok(match reply_to.filter(|id| !id.is_empty()) {
        Some(id) => message.quoting(&id),
        None => message,
    })
}

fn location(fields: &mut Fields) -> Result<CustomerMessage, Refusal> {
    let mut degrees = |name: &str, limit: f64| {
        let degrees = fields.number(name)?;
        if degrees.abs() <= limit {
            Ok(degrees)
        } else {
            Err(Refusal::bad(format!("{name} must be between -{limit} and {limit}.")))
        }
    };
    let (latitude, longitude) = (degrees("latitude", 90.0)?, degrees("longitude", 180.0)?);
    let (name, address) = (fields.optional_text("name")?, fields.optional_text("address")?);
    Ok(CustomerMessage::location(latitude, longitude, name.as_deref(), address.as_deref()))
}

/// Whatever JSON: an object with a `type`, as it will stand under `messages`.
fn raw(message: Value) -> Result<CustomerMessage, Refusal> {
    let Value::Object(members) = message else { return Err(Refusal::bad("message must be an object.")) };
    let kind = members.get("type").and_then(Value::as_str);
    let kind = kind.ok_or_else(|| Refusal::bad("message needs a type that is a string."))?.to_owned();
    let message = CustomerMessage::raw(&kind, Value::Null);
    Ok(members.into_iter().fold(message, |message, (name, value)| message.with(&name, value)))
}
