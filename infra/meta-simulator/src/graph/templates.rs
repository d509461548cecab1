//! `/{waba_id}/message_templates`, and whether a template message fits its template.

use std::collections::HashMap;
use std::sync::Arc;

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::errors::GraphError;
use super::{Call, checks, choices, ok, paging, text_of};
use crate::phones::Choice;
use crate::settings::Account;
use crate::webhooks;
use crate::world::World;

const MAX_TEMPLATES: usize = 6_000;

type Object = Map<String, Value>;

#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) waba_id: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) approved: bool,
    named: bool,
    components: Value,
}

impl Template {
    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "parameter_format": if self.named { "NAMED" } else { "POSITIONAL" },
            "components": self.components,
            "language": self.language,
            "status": self.status(),
            "category": self.category,
            "id": self.id,
        })
    }

    const fn status(&self) -> &'static str {
        if self.approved { "APPROVED" } else { "PENDING" }
    }

    fn component(&self, kind: &str) -> Option<&Value> {
        self.components.as_array()?.iter().find(|component| component["type"] == kind)
    }

    fn buttons(&self) -> &[Value] {
        let buttons = self.component("BUTTONS").and_then(|component| component["buttons"].as_array());
        buttons.map_or(&[][..], Vec::as_slice)
    }

    fn text(&self, kind: &str) -> &str {
        self.component(kind).and_then(|component| component["text"].as_str()).unwrap_or_default()
    }
}

/// The templates that every account has at the start.
pub(crate) fn built_in(accounts: &[Account]) -> Vec<Template> {
    let body = |text: &str| json!({ "type": "BODY", "text": text });
    let hello = json!([
        { "type": "HEADER", "format": "TEXT", "text": "Hello World" },
        body("Welcome! This message was sent from the simulated WhatsApp Cloud API."),
        { "type": "FOOTER", "text": "Meta simulator" },
    ]);
    let order = json!([
        { "type": "HEADER", "format": "TEXT", "text": "News for {{1}}" },
        body("Your order {{1}} will arrive on {{2}}."),
    ]);
    let appointment = json!([body("Dear {{first_name}}, we expect you on {{date}}.")]);
    let offer = json!([
        body("Our spring offer: {{1}} off everything."),
        { "type": "BUTTONS", "buttons": [
            { "type": "URL", "text": "Visit the shop", "url": "https://shop.example.com/{{1}}" },
            { "type": "QUICK_REPLY", "text": "No more offers" },
            { "type": "COPY_CODE", "text": "Copy the code", "example": "SPRING20" },
            { "type": "FLOW", "text": "Ask us", "flow_id": "1234567890" },
        ] },
    ]);
    let ticket = json!([{ "type": "HEADER", "format": "IMAGE" }, body("Your ticket, {{1}}.")]);
    let known = [
        ("hello_world", "en_US", "UTILITY", false, hello),
        ("order_update", "en", "UTILITY", false, order),
        ("appointment", "en", "UTILITY", true, appointment),
        ("spring_offer", "en", "MARKETING", false, offer),
        ("ticket", "en", "UTILITY", false, ticket),
    ];
    let mut templates: Vec<Template> = Vec::new();
    for (account, (name, language, category, named, components)) in
        accounts.iter().flat_map(|account| known.iter().map(move |template| (account, template)))
    {
        // Two numbers may share one WhatsApp Business Account.
        if templates.iter().any(|other| other.waba_id == account.waba_id && other.name == *name) {
            continue;
        }
        templates.push(Template {
            id: (900_000_000_000_000 + templates.len() * 7_919).to_string(),
            waba_id: account.waba_id.clone(),
            name: (*name).to_owned(),
            language: (*language).to_owned(),
            category: (*category).to_owned(),
            approved: true,
            named: *named,
            components: components.clone(),
        });
    }
    templates
}

pub(crate) fn list(world: &World, account: &Account, call: &Call) -> Result<Response, GraphError> {
    let state = world.lock();
    // Each filter is a comma list, as in `status=APPROVED,PENDING`.
    let filters: Vec<(&str, String)> =
        ["name", "status", "category", "language"].into_iter().filter_map(|f| Some((f, call.parameter(f)?))).collect();
    let wanted = |template: &Value| {
        filters.iter().all(|(field, values)| {
            let value = template[*field].as_str().unwrap_or_default();
            values
                .trim_matches(['[', ']'])
                .split(',')
                .any(|one| one.trim_matches([' ', '"']).eq_ignore_ascii_case(value))
        })
    };
    let owned = state.templates.iter().filter(|template| template.waba_id == account.waba_id);
    let templates: Vec<Value> = owned.map(Template::to_json).filter(wanted).collect();
    Ok(ok(&paging::page(call, &format!("http://{}", world.address), &templates, 0)?))
}

pub(crate) fn get(world: &World, id: &str) -> Option<Response> {
    let state = world.lock();
    let template = state.templates.iter().find(|template| template.id == id)?;
    Some(ok(&template.to_json()))
}

pub(crate) fn create(world: &Arc<World>, account: &Account, call: &Call) -> Result<Response, GraphError> {
    let body = match call.object() {
        Ok(body) => body,
        // Unlike the other endpoints, this one has no messaging_product to miss.
        Err(_) if call.body.is_empty() => return Err(GraphError::missing("name")),
        Err(error) => return Err(error),
    };
    let name = checks::required_text(body, "", "name", 512)?;
    if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
        return Err(GraphError::of(100).details("name may hold only a-z, 0-9 and _."));
    }
    let language = checks::required_text(body, "", "language", 32)?;
    let category = checks::required_text(body, "", "category", 32)?.to_ascii_uppercase();
    if !["AUTHENTICATION", "MARKETING", "UTILITY"].contains(&category.as_str()) {
        return Err(GraphError::of(100).details("category must be AUTHENTICATION, MARKETING or UTILITY."));
    }
    let components = body.get("components").ok_or_else(|| GraphError::missing("components"))?;
    let components = check_definition(components)?;
    let format = checks::optional_text(body, "parameter_format", 32)?.unwrap_or("POSITIONAL");
    let template = Template {
        id: world.numeric_id(),
        waba_id: account.waba_id.clone(),
        name: name.to_owned(),
        language: language.to_owned(),
        category,
        approved: false,
        named: format.eq_ignore_ascii_case("named"),
        components,
    };
    let mut state = world.lock();
    let same = |other: &Template| {
        (&other.waba_id, &other.name, &other.language) == (&template.waba_id, &template.name, &template.language)
    };
    if state.templates.iter().any(same) {
        return Err(GraphError::of(100).details("There is already content in this language for this template."));
    }
    if state.templates.len() >= MAX_TEMPLATES {
        return Err(GraphError::of(100).details("The account holds as many templates as it may."));
    }
    state.templates.push(template.clone());
    drop(state);
    let answer = ok(&json!({ "id": template.id, "status": template.status(), "category": template.category }));
    webhooks::approve_template(world, account, template.id);
    Ok(answer)
}

/// Checks a new template's components and gives them back with Meta's spelling of the types.
fn check_definition(components: &Value) -> Result<Value, GraphError> {
    let components = components.as_array().ok_or_else(|| GraphError::of(100).details("components must be a list."))?;
    let mut normal = Vec::new();
    for component in components {
        let mut component = checks::object(component, "components")?.clone();
        let kind = checks::required_text(&component, "components", "type", 64)?.to_ascii_uppercase();
        match kind.as_str() {
            "BODY" => {
                checks::required_text(&component, "components", "text", 1024)?;
            }
            "FOOTER" => {
                checks::required_text(&component, "components", "text", 60)?;
            }
            "HEADER" => {
                let format = checks::required_text(&component, "components", "format", 32)?.to_ascii_uppercase();
                if format == "TEXT" {
                    checks::required_text(&component, "components", "text", 60)?;
                }
                component.insert("format".to_owned(), json!(format));
            }
            "BUTTONS" => {
                let buttons = component.get("buttons").and_then(Value::as_array);
                if buttons.is_none_or(|buttons| buttons.is_empty() || buttons.len() > 10) {
                    return Err(GraphError::of(100).details("BUTTONS must hold 1 to 10 buttons."));
                }
            }
            _ => {}
        }
        component.insert("type".to_owned(), json!(kind));
        normal.push(Value::Object(component));
    }
    if normal.iter().any(|component| component["type"] == "BODY") {
        Ok(Value::Array(normal))
    } else {
        Err(GraphError::missing("components BODY"))
    }
}

pub(crate) fn delete(world: &World, account: &Account, call: &Call) -> Result<Response, GraphError> {
    let name = call.parameter("name").ok_or_else(|| GraphError::of(100).details("The parameter name is required."))?;
    let id = call.parameter("hsm_id");
    let mut state = world.lock();
    let before = state.templates.len();
    state.templates.retain(|template| {
        let named = template.waba_id == account.waba_id && template.name == name;
        !(named && id.as_ref().is_none_or(|id| *id == template.id))
    });
    if state.templates.len() == before {
        return Err(GraphError::of(100).details("There is no such template to delete."));
    }
    Ok(ok(&json!({ "success": true })))
}

/// What a template becomes with a message's parameters.
pub(crate) struct Fitted {
    pub(crate) text: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) is_marketing: bool,
}

/// Whether a message fits its template, and what comes of both. `None` when the template is not known and need not be.
pub(crate) fn check(
    templates: &[Template],
    account: &Account,
    message: &Value,
    any_template: bool,
) -> Result<Option<Fitted>, GraphError> {
    let (name, language) = (message["name"].as_str(), message.pointer("/language/code").and_then(Value::as_str));
    let same = |template: &&Template| {
        template.waba_id == account.waba_id
            && Some(template.name.as_str()) == name
            && Some(template.language.as_str()) == language
    };
    let template = match templates.iter().find(same) {
        Some(template) if template.approved => template,
        None if any_template => return Ok(None),
        _ => {
            let (name, language) = (name.unwrap_or_default(), language.unwrap_or_default());
            let details = format!("template name ({name}) does not exist in {language}");
            return Err(GraphError::of(132_001).details(details));
        }
    };
    let sent = message["components"].as_array().map_or(&[][..], Vec::as_slice);
    check_parts(sent)?;
    let header = check_header(template, sent)?;
    let body = fill(template, "body", template.text("BODY"), parameters(sent, "body"))?;
    if body.chars().count() > 1024 {
        return Err(GraphError::of(132_005));
    }
    check_buttons(template, sent)?;
    let parts = [header.as_str(), body.as_str(), template.text("FOOTER")];
    Ok(Some(Fitted {
        text: parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n"),
        choices: choices::of_template(template.buttons(), message),
        is_marketing: template.category == "MARKETING",
    }))
}

/// Each part is given once.
fn check_parts(sent: &[Value]) -> Result<(), GraphError> {
    for part in ["header", "body"] {
        let given = sent.iter().filter(|c| c["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(part)));
        if given.count() > 1 {
            return Err(GraphError::invalid(format!("template['components'] holds more than one {part}.")));
        }
    }
    Ok(())
}

fn parameters<'a>(sent: &'a [Value], kind: &str) -> &'a [Value] {
    let component = sent.iter().find(|c| c["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(kind)));
    component.and_then(|component| component["parameters"].as_array()).map_or(&[][..], Vec::as_slice)
}

fn check_header(template: &Template, sent: &[Value]) -> Result<String, GraphError> {
    let given = parameters(sent, "header");
    let format = template.component("HEADER").and_then(|header| header["format"].as_str()).unwrap_or("TEXT");
    if format == "TEXT" {
        return fill(template, "header", template.text("HEADER"), given);
    }
    match given {
        [one] if one["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(format)) => Ok(String::new()),
        [_] => Err(mismatch(format!("header: Format mismatch, expected {format}"))),
        _ => Err(wrong_count("header", given.len(), 1)),
    }
}

/// Puts the parameters into a text; their number, order or names must be the text's own.
fn fill(template: &Template, part: &str, text: &str, given: &[Value]) -> Result<String, GraphError> {
    let wanted = placeholders(text);
    if given.len() != wanted.len() {
        return Err(wrong_count(part, given.len(), wanted.len()));
    }
    let mut values: HashMap<String, String> = HashMap::new();
    for (position, parameter) in given.iter().enumerate() {
        let name = match (template.named, parameter["parameter_name"].as_str()) {
            (true, Some(name)) => name.to_owned(),
            (false, None) => (position + 1).to_string(),
            (true, None) => return Err(mismatch(format!("{part}: Parameter name is missing or empty"))),
            (false, Some(_)) => return Err(mismatch(format!("{part}: This template has no named parameters"))),
        };
        let fallback = |kind: &str| parameter.get(kind)?.get("fallback_value")?.as_str();
        let value = parameter["text"].as_str().or_else(|| fallback("currency")).or_else(|| fallback("date_time"));
        let value = value.ok_or_else(|| mismatch(format!("{part}: Format mismatch, expected TEXT")))?;
        values.insert(name, value.to_owned());
    }
    for name in &wanted {
        if !values.contains_key(name) {
            return Err(mismatch(format!("{part}: Parameter {name} is missing")));
        }
    }
    Ok(filled(text, &values))
}

/// The text with its placeholders replaced. In one pass: a value that looks like a placeholder stays as it is.
fn filled(text: &str, values: &HashMap<String, String>) -> String {
    let mut pieces = text.split("{{");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once("}}").and_then(|(name, rest)| Some((values.get(name)?, rest))) {
            Some((value, rest)) => filled.extend([value.as_str(), rest]),
            None => filled.extend(["{{", piece]),
        }
    }
    filled
}

/// The names between `{{` and `}}`, each once.
fn placeholders(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in text.split("{{").skip(1) {
        if let Some((name, _)) = part.split_once("}}")
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// Buttons with a variable part need their parameter; the others need none.
fn check_buttons(template: &Template, sent: &[Value]) -> Result<(), GraphError> {
    let buttons = template.buttons();
    let mut given: HashMap<usize, &Object> = HashMap::new();
    for component in sent.iter().filter_map(Value::as_object) {
        if component.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("button")) {
            let index =
                component.get("index").and_then(text_of).and_then(|index| index.parse().ok()).unwrap_or_default();
            if given.insert(index, component).is_some() {
                return Err(GraphError::invalid(format!("The button at index {index} is given twice.")));
            }
        }
    }
    if let Some(index) = given.keys().find(|index| **index >= buttons.len()) {
        return Err(GraphError::of(132_000).details(format!("buttons: There is no button at index {index}")));
    }
    buttons.iter().enumerate().try_for_each(|(index, button)| check_button(index, button, given.get(&index).copied()))
}

/// The parameter that a button takes, and whether it can do without.
fn button_parameter(button: &Value) -> Option<(&'static str, bool)> {
    match button["type"].as_str().unwrap_or_default() {
        "URL" if button["url"].as_str().is_some_and(|url| url.contains("{{")) => Some(("text", false)),
        "URL" | "PHONE_NUMBER" => None,
        "COPY_CODE" => Some(("coupon_code", false)),
        "QUICK_REPLY" => Some(("payload", true)),
        // A code is given as to a link with a variable part.
        "OTP" => Some(("text", false)),
        _ => Some(("action", true)),
    }
}

fn check_button(index: usize, button: &Value, given: Option<&Object>) -> Result<(), GraphError> {
    let kind = button["type"].as_str().unwrap_or_default();
    let parameter = button_parameter(button);
    let Some(given) = given else {
        return match parameter {
            Some((_, false)) => Err(GraphError::of(132_000)
                .details(format!("buttons: Button at index {index} of type {kind} requires a parameter"))),
            _ => Ok(()),
        };
    };
    let sub_type = given.get("sub_type").and_then(Value::as_str).unwrap_or_default();
    let is_code = kind == "OTP" && sub_type.eq_ignore_ascii_case("url");
    if !sub_type.eq_ignore_ascii_case(kind) && !is_code {
        return Err(mismatch(format!("buttons: Button at index {index} is of type {kind}")));
    }
    let values = given.get("parameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match (parameter, values) {
        (None | Some((_, true)), []) => Ok(()),
        (None, _) => Err(GraphError::of(132_000)
            .details(format!("buttons: Button at index {index} of type {kind} does not take a parameter"))),
        (Some((wanted, _)), [one]) if one["type"] == wanted => Ok(()),
        (Some(_), [_]) => Err(mismatch(format!("buttons: Button at index {index} needs another parameter"))),
        (Some(_), _) => Err(wrong_count(&format!("buttons: Button at index {index}"), values.len(), 1)),
    }
}

fn wrong_count(part: &str, given: usize, wanted: usize) -> GraphError {
    let details = format!(
        "{part}: number of localizable_params ({given}) does not match the expected number of params ({wanted})"
    );
    GraphError::of(132_000).details(details)
}

fn mismatch(details: String) -> GraphError {
    GraphError::of(132_012).details(details)
}
