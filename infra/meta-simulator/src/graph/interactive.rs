//! What an interactive message must look like, by its own type.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::checks::{media, object, required_text, web_address};
use super::errors::GraphError;

type Object = Map<String, Value>;

/// Checks the message and gives back what a person reads first: its body.
pub(crate) fn check(interactive: &Object) -> Result<String, GraphError> {
    let kind = required_text(interactive, "interactive", "type", 64)?;
    if let Some(value) = interactive.get("header") {
        header(object(value, "interactive['header']")?)?;
    }
    let body_limit = if kind == "list" { 4096 } else { 1024 };
    let body = match interactive.get("body") {
        Some(body) => required_text(object(body, "interactive['body']")?, "interactive['body']", "text", body_limit)?,
        // A single product and a request for a call may stand alone.
        None if matches!(kind, "product" | "call_permission_request") => "",
        None => return Err(GraphError::missing("interactive['body']")),
    };
    if let Some(footer) = interactive.get("footer") {
        required_text(object(footer, "interactive['footer']")?, "interactive['footer']", "text", 60)?;
    }
    let action = interactive.get("action").ok_or_else(|| GraphError::missing("interactive['action']"))?;
    let action = object(action, "interactive['action']")?;
    match kind {
        "button" => buttons(action)?,
        "list" => list(action)?,
        "cta_url" => {
            let parameters = parameters(action)?;
            required_text(parameters, "action['parameters']", "display_text", 20)?;
            let url = parameters.get("url").ok_or_else(|| GraphError::missing("action['parameters']['url']"))?;
            web_address(url, "action['parameters']['url']")?;
        }
        "flow" => flow(parameters(action)?)?,
        "product" => {
            required_text(action, "action", "catalog_id", 256)?;
            required_text(action, "action", "product_retailer_id", 256)?;
        }
        "product_list" => {
            if !interactive.contains_key("header") {
                return Err(GraphError::missing("interactive['header']"));
            }
            required_text(action, "action", "catalog_id", 256)?;
            let products = |section: &Object| Ok(items(section, "product_items")?.len());
            sections(action, products, 30)?;
        }
        "location_request_message" => {
            if required_text(action, "action", "name", 64)? != "send_location" {
                return Err(GraphError::invalid("action['name'] must be send_location."));
            }
        }
        "catalog_message" | "call_permission_request" | "voice_call" | "request_contact_info" | "carousel" => {}
        other => return Err(GraphError::invalid(format!("interactive['type'] {other} is not known."))),
    }
    Ok(body.to_owned())
}

fn header(header: &Object) -> Result<(), GraphError> {
    let parent = "interactive['header']";
    match required_text(header, parent, "type", 64)? {
        "text" => required_text(header, parent, "text", 60).map(drop),
        kind @ ("image" | "video" | "document") => {
            let value = header.get(kind).ok_or_else(|| GraphError::missing(&format!("{parent}['{kind}']")))?;
            media(object(value, kind)?, kind).map(drop)
        }
        other => Err(GraphError::invalid(format!("{parent}['type'] {other} is not known."))),
    }
}

fn buttons(action: &Object) -> Result<(), GraphError> {
    let buttons = items(action, "buttons")?;
    if buttons.len() > 3 {
        return Err(GraphError::invalid("action['buttons'] may hold 3 buttons at most."));
    }
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in buttons {
        let button = object(button, "button")?;
        if required_text(button, "button", "type", 64)? != "reply" {
            return Err(GraphError::invalid("button['type'] must be reply."));
        }
        let reply = object(button.get("reply").ok_or_else(|| GraphError::missing("button['reply']"))?, "reply")?;
        let new_id = ids.insert(required_text(reply, "reply", "id", 256)?);
        let new_title = titles.insert(required_text(reply, "reply", "title", 20)?);
        if !new_id || !new_title {
            return Err(GraphError::invalid("Each button needs an id and a title of its own."));
        }
    }
    Ok(())
}

fn list(action: &Object) -> Result<(), GraphError> {
    required_text(action, "action", "button", 20)?;
    let mut ids = HashSet::new();
    let rows = |section: &Object| {
        let rows = items(section, "rows")?;
        for row in rows {
            let row = object(row, "row")?;
            required_text(row, "row", "title", 24)?;
            if row.contains_key("description") {
                required_text(row, "row", "description", 72)?;
            }
            if !ids.insert(required_text(row, "row", "id", 200)?.to_owned()) {
                return Err(GraphError::invalid("Each row needs an id of its own."));
            }
        }
        Ok(rows.len())
    };
    sections(action, rows, 10)
}

/// Up to 10 sections, titled when there are several, whose entries together stay within `limit`.
fn sections(
    action: &Object,
    mut count: impl FnMut(&Object) -> Result<usize, GraphError>,
    limit: usize,
) -> Result<(), GraphError> {
    let sections = items(action, "sections")?;
    if sections.len() > 10 {
        return Err(GraphError::invalid("action['sections'] may hold 10 sections at most."));
    }
    let mut total = 0;
    for section in sections {
        let section = object(section, "section")?;
        if sections.len() > 1 || section.contains_key("title") {
            required_text(section, "section", "title", 24)?;
        }
        total += count(section)?;
    }
    if total > limit {
        return Err(GraphError::invalid(format!("The sections may hold {limit} entries in total at most.")));
    }
    Ok(())
}

fn flow(parameters: &Object) -> Result<(), GraphError> {
    let parent = "action['parameters']";
    if required_text(parameters, parent, "flow_message_version", 8)? != "3" {
        return Err(GraphError::invalid("flow_message_version must be 3."));
    }
    required_text(parameters, parent, "flow_cta", 30)?;
    if parameters.contains_key("flow_id") == parameters.contains_key("flow_name") {
        return Err(GraphError::invalid("Exactly one of flow_id and flow_name is needed."));
    }
    Ok(())
}

fn parameters(action: &Object) -> Result<&Object, GraphError> {
    let parameters = action.get("parameters").ok_or_else(|| GraphError::missing("action['parameters']"))?;
    object(parameters, "action['parameters']")
}

/// A list that must be there and not be empty.
fn items<'a>(parent: &'a Object, name: &str) -> Result<&'a Vec<Value>, GraphError> {
    match parent.get(name) {
        None => Err(GraphError::missing(name)),
        Some(Value::Array(items)) if !items.is_empty() => Ok(items),
        Some(_) => Err(GraphError::invalid(format!("{name} must be a list with at least one entry."))),
    }
}
