//! What a message must look like, by type, and which error tells that it does not.

use serde_json::{Map, Value};

use super::errors::GraphError;
use super::{interactive, numbers, text_of};

const MAX_TEXT: usize = 4096;
const MAX_CAPTION: usize = 1024;
const MAX_CALLBACK_DATA: usize = 512;
const MAX_CONTACTS: usize = 5;

type Object = Map<String, Value>;

/// A message that Meta would take, as far as its own content says.
pub(crate) struct Message<'a> {
    /// The recipient as the caller wrote it.
    pub(crate) to: String,
    pub(crate) digits: String,
    pub(crate) wa_id: String,
    pub(crate) kind: &'a str,
    pub(crate) content: &'a Value,
    /// Its text, for a person to read.
    pub(crate) text: String,
    pub(crate) reply_to: Option<&'a str>,
    pub(crate) callback_data: Option<&'a str>,
}

pub(crate) fn messaging_product(body: &Object) -> Result<(), GraphError> {
    match body.get("messaging_product") {
        None => Err(GraphError::missing("messaging_product")),
        Some(Value::String(product)) if product == "whatsapp" => Ok(()),
        Some(_) => Err(GraphError::of(100).details("messaging_product must be whatsapp.")),
    }
}

pub(crate) fn message(body: &Object) -> Result<Message<'_>, GraphError> {
    match body.get("recipient_type") {
        None => {}
        Some(Value::String(kind)) if kind == "individual" => {}
        Some(_) => return Err(GraphError::invalid("recipient_type must be individual: there are no groups here.")),
    }
    let to = body.get("to").ok_or_else(|| GraphError::missing("to"))?;
    let to = text_of(to).ok_or_else(|| GraphError::invalid("to must be a phone number."))?;
    if to.is_empty() {
        return Err(GraphError::missing("to"));
    }
    let digits = numbers::digits(&to).ok_or_else(|| GraphError::invalid("to is not a valid phone number."))?;
    let kind = match body.get("type") {
        None => "text",
        Some(Value::String(kind)) => kind.as_str(),
        Some(_) => return Err(GraphError::invalid("type must be a string.")),
    };
    let callback_data = optional_text(body, "biz_opaque_callback_data", MAX_CALLBACK_DATA)?;
    let reply_to = match body.get("context") {
        None | Some(Value::Null) => None,
        Some(context) => Some(required_text(object(context, "context")?, "context", "message_id", 1024)?),
    };
    let content = || body.get(kind).ok_or_else(|| GraphError::missing(kind));
    let text = match kind {
        "text" => text(object(content()?, kind)?)?,
        "image" | "video" | "audio" | "document" | "sticker" => media(object(content()?, kind)?, kind)?,
        "location" => location(object(content()?, kind)?, "location")?,
        "contacts" => contacts(content()?)?,
        "reaction" => reaction(object(content()?, kind)?)?,
        "interactive" => interactive::check(object(content()?, kind)?)?,
        "template" => template(object(content()?, kind)?)?,
        other => return Err(GraphError::of(131_051).details(format!("Message type {other} is not supported."))),
    };
    let wa_id = numbers::wa_id(&digits);
    Ok(Message { to, digits, wa_id, kind, content: content()?, text, reply_to, callback_data })
}

/// The id in a mark that a message was read, with or without a typing indicator.
pub(crate) fn read_mark(body: &Object) -> Result<&str, GraphError> {
    if body.get("status").and_then(Value::as_str) != Some("read") {
        return Err(GraphError::invalid("status must be read."));
    }
    if body.get("typing_indicator").is_some_and(|typing| typing["type"] != "text") {
        return Err(GraphError::invalid("typing_indicator['type'] must be text."));
    }
    required_text(body, "", "message_id", 1024)
}

fn text(text: &Object) -> Result<String, GraphError> {
    let body = required_text(text, "text", "body", MAX_TEXT)?;
    if text.get("preview_url").is_some_and(|preview| !preview.is_boolean()) {
        return Err(GraphError::invalid("text['preview_url'] must be true or false."));
    }
    Ok(body.to_owned())
}

/// Also for the media in a template's or an interactive message's header.
pub(crate) fn media(media: &Object, kind: &str) -> Result<String, GraphError> {
    match (media.get("id"), media.get("link")) {
        (None, None) => return Err(GraphError::missing(&format!("{kind}['id'] or {kind}['link']"))),
        (Some(_), Some(_)) => {
            return Err(GraphError::invalid(format!("{kind}: id and link exclude each other.")));
        }
        (Some(id), None) => {
            let is_id = text_of(id).is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
            if !is_id {
                return Err(GraphError::of(100).details(format!("{kind}['id'] is not a valid media id.")));
            }
        }
        (None, Some(link)) => web_address(link, &format!("{kind}['link']"))?,
    }
    let caption = optional_text(media, "caption", MAX_CAPTION)?;
    if caption.is_some() && matches!(kind, "audio" | "sticker") {
        return Err(GraphError::of(100).details(format!("{kind} takes no caption.")));
    }
    let name = optional_text(media, "filename", 240)?;
    Ok(caption.or(name).unwrap_or_default().to_owned())
}

pub(crate) fn web_address(value: &Value, field: &str) -> Result<(), GraphError> {
    let address = value.as_str().and_then(|link| url::Url::parse(link).ok());
    match address {
        Some(address) if matches!(address.scheme(), "http" | "https") => Ok(()),
        _ => Err(GraphError::of(100).details(format!("{field} is not a valid URI."))),
    }
}

/// Also for a location in a template's header.
pub(crate) fn location(location: &Object, parent: &str) -> Result<String, GraphError> {
    let coordinate = |name: &str, limit: f64| {
        let value = location.get(name).ok_or_else(|| GraphError::missing(&format!("{parent}['{name}']")))?;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if number.is_finite() && number.abs() <= limit => Ok(number),
            _ => Err(GraphError::invalid(format!("{parent}['{name}'] must be between -{limit} and {limit}."))),
        }
    };
    let (latitude, longitude) = (coordinate("latitude", 90.0)?, coordinate("longitude", 180.0)?);
    let name = optional_text(location, "name", 1000)?.filter(|name| !name.is_empty());
    let address = optional_text(location, "address", 1000)?.filter(|address| !address.is_empty());
    let place: Vec<&str> = name.into_iter().chain(address).collect();
    Ok(if place.is_empty() { format!("{latitude}, {longitude}") } else { place.join(", ") })
}

fn contacts(contacts: &Value) -> Result<String, GraphError> {
    let contacts = contacts.as_array().ok_or_else(|| GraphError::invalid("contacts must be a list."))?;
    if contacts.is_empty() || contacts.len() > MAX_CONTACTS {
        return Err(GraphError::invalid(format!("contacts must hold 1 to {MAX_CONTACTS} contacts.")));
    }
    let mut names = Vec::new();
    for contact in contacts {
        let contact = object(contact, "contact")?;
        let name = contact.get("name").ok_or_else(|| GraphError::missing("contacts['name']"))?;
        let name = object(name, "contacts['name']")?;
        names.push(required_text(name, "contacts['name']", "formatted_name", 1024)?);
        let parts = ["first_name", "last_name", "middle_name", "prefix", "suffix"];
        if !parts.iter().any(|part| name.contains_key(*part)) {
            return Err(GraphError::missing("contacts['name']['first_name']"));
        }
        for (list, field) in [("phones", "phone"), ("emails", "email"), ("urls", "url")] {
            let entries = match contact.get(list) {
                None => continue,
                Some(entries) => {
                    entries.as_array().ok_or_else(|| GraphError::invalid(format!("{list} must be a list.")))?
                }
            };
            for entry in entries {
                required_text(object(entry, list)?, list, field, 1024)?;
            }
        }
    }
    Ok(names.join(", "))
}

fn reaction(reaction: &Object) -> Result<String, GraphError> {
    required_text(reaction, "reaction", "message_id", 1024)?;
    match reaction.get("emoji") {
        None => Err(GraphError::missing("reaction['emoji']")),
        Some(Value::String(emoji)) if emoji.chars().count() <= 16 => Ok(emoji.clone()),
        Some(_) => Err(GraphError::invalid("reaction['emoji'] must be one emoji or empty.")),
    }
}

/// The shape of a template message. Whether it fits the template itself is checked where the templates are.
fn template(template: &Object) -> Result<String, GraphError> {
    let name = required_text(template, "template", "name", 512)?;
    if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
        return Err(GraphError::invalid("template['name'] may hold only a-z, 0-9 and _."));
    }
    let language = template.get("language").ok_or_else(|| GraphError::missing("template['language']"))?;
    let language = object(language, "template['language']")?;
    let code = required_text(language, "template['language']", "code", 32)?;
    let (base, region) = code.split_once('_').unwrap_or((code, ""));
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !(2..=3).contains(&base.len()) || !letters(base) || !letters(region) {
        return Err(GraphError::invalid("template['language']['code'] is not a language code."));
    }
    if language.get("policy").is_some_and(|policy| policy != "deterministic") {
        return Err(GraphError::invalid("template['language']['policy'] must be deterministic."));
    }
    let components = match template.get("components") {
        None | Some(Value::Null) => return Ok(String::new()),
        Some(Value::Array(components)) => components,
        Some(_) => return Err(GraphError::invalid("template['components'] must be a list.")),
    };
    for component in components {
        template_component(object(component, "template['components']")?)?;
    }
    Ok(String::new())
}

fn template_component(component: &Object) -> Result<(), GraphError> {
    let kind = required_text(component, "template['components']", "type", 64)?.to_ascii_lowercase();
    let parameters = match component.get("parameters") {
        None => &Vec::new(),
        Some(Value::Array(parameters)) => parameters,
        Some(_) => return Err(GraphError::invalid(format!("{kind}['parameters'] must be a list."))),
    };
    match kind.as_str() {
        "header" if parameters.len() > 1 => return Err(GraphError::of(132_000).details("A header has one parameter.")),
        "header" | "body" => {}
        "button" => {
            required_text(component, "button", "sub_type", 64)?;
            let index = component.get("index").ok_or_else(|| GraphError::missing("button['index']"))?;
            let index = text_of(index).and_then(|index| index.parse::<u8>().ok());
            if index.is_none_or(|index| index > 9) {
                return Err(GraphError::invalid("button['index'] must be 0 to 9."));
            }
        }
        // Rarer kinds are taken as they are.
        "footer" | "carousel" | "limited_time_offer" | "order_status" | "tap_target_configuration" => return Ok(()),
        other => return Err(GraphError::invalid(format!("A component of type {other} is not known."))),
    }
    parameters.iter().try_for_each(|parameter| template_parameter(object(parameter, "parameter")?))
}

fn template_parameter(parameter: &Object) -> Result<(), GraphError> {
    let kind = required_text(parameter, "parameter", "type", 64)?;
    let nested = |kind: &str| {
        let value = parameter.get(kind).ok_or_else(|| GraphError::missing(&format!("parameter['{kind}']")))?;
        object(value, kind)
    };
    match kind {
        "text" => {
            let text = required_text(parameter, "parameter", "text", 32_768)?;
            if text.contains(['\n', '\t']) || text.contains("     ") {
                let details =
                    "A parameter's text cannot have new-line/tab characters or more than 4 consecutive spaces.";
                return Err(GraphError::of(132_018).details(details));
            }
        }
        "payload" => {
            required_text(parameter, "parameter", "payload", 1024)?;
        }
        "coupon_code" => {
            required_text(parameter, "parameter", "coupon_code", 20)?;
        }
        "image" | "video" | "document" => {
            media(nested(kind)?, kind)?;
        }
        "location" => {
            location(nested(kind)?, kind)?;
        }
        "currency" | "date_time" => {
            required_text(nested(kind)?, kind, "fallback_value", 1024)?;
        }
        "action" | "product" | "order_status" | "limited_time_offer" | "tap_target_configuration" => {
            nested(kind)?;
        }
        other => return Err(GraphError::invalid(format!("A parameter of type {other} is not known."))),
    }
    Ok(())
}

pub(crate) fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Object, GraphError> {
    value.as_object().ok_or_else(|| GraphError::invalid(format!("{name} must be an object.")))
}

/// A text that must be there and not be empty.
pub(crate) fn required_text<'a>(
    object: &'a Object,
    parent: &str,
    name: &str,
    limit: usize,
) -> Result<&'a str, GraphError> {
    let field = if parent.is_empty() { name.to_owned() } else { format!("{parent}['{name}']") };
    match object.get(name) {
        None | Some(Value::Null) => Err(GraphError::missing(&field)),
        Some(Value::String(text)) if text.is_empty() => Err(GraphError::missing(&field)),
        Some(Value::String(text)) if text.chars().count() > limit => Err(GraphError::too_long(&field, limit)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(GraphError::invalid(format!("{field} must be a string."))),
    }
}

pub(crate) fn optional_text<'a>(object: &'a Object, name: &str, limit: usize) -> Result<Option<&'a str>, GraphError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() > limit => Err(GraphError::too_long(name, limit)),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(GraphError::invalid(format!("{name} must be a string."))),
    }
}
