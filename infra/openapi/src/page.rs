//! The document as a plain page: no script, nothing from elsewhere.

use askama::Template;
use serde_json::{Map, Value};

/// The page could not be made out of the document.
pub type PageError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Template)]
#[template(path = "docs.html")]
struct Page {
    title: String,
    version: String,
    about: Vec<Vec<Piece>>,
    groups: Vec<Group>,
}

struct Group {
    name: String,
    about: Vec<Piece>,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: Vec<Vec<Piece>>,
    parameters: Vec<Field>,
    bodies: Vec<Body>,
    answers: Vec<Answer>,
}

/// A parameter, or a field of a body.
struct Field {
    name: String,
    place: String,
    is_required: bool,
    about: Vec<Piece>,
}

struct Body {
    media_type: String,
    fields: Vec<Field>,
    examples: Vec<Example>,
}

struct Answer {
    status: String,
    about: Vec<Piece>,
    examples: Vec<Example>,
}

struct Example {
    name: String,
    text: String,
}

/// Some words, perhaps to be shown as code.
struct Piece {
    is_code: bool,
    text: String,
}

/// The page of a document.
pub fn page(document: &Value) -> Result<String, PageError> {
    let operations: Vec<_> = members(document, "/paths")
        .flat_map(|(path, item)| members(item, "").map(move |(method, operation)| (path, method, operation)))
        .collect();
    let groups = list(document, "/tags").map(|tag| {
        let name = text(tag, "/name");
        let of_group = operations.iter().filter(|(_, _, operation)| text(operation, "/tags/0") == name);
        let operations = of_group.map(|(path, method, it)| operation(document, path, method, it)).collect();
        Group { about: pieces(&text(tag, "/description")), name: name.clone(), operations }
    });
    let page = Page {
        title: text(document, "/info/title"),
        version: text(document, "/info/version"),
        about: paragraphs(&text(document, "/info/description")),
        groups: groups.collect(),
    };
    Ok(page.render()?)
}

fn operation(document: &Value, path: &str, method: &str, it: &Value) -> Operation {
    let parameters = list(it, "/parameters").map(|parameter| Field {
        name: text(parameter, "/name"),
        place: text(parameter, "/in"),
        is_required: parameter.get("required") == Some(&Value::Bool(true)),
        about: pieces(&text(parameter, "/description")),
    });
    let bodies = members(it, "/requestBody/content").map(|(media_type, content)| Body {
        media_type: media_type.clone(),
        fields: fields(document, content.get("schema").unwrap_or(&Value::Null)),
        examples: examples(content),
    });
    let answers = members(it, "/responses").map(|(status, response)| Answer {
        status: status.clone(),
        about: pieces(&text(response, "/description")),
        examples: members(response, "/content").flat_map(|(_, content)| examples(content)).collect(),
    });
    Operation {
        id: text(it, "/operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(it, "/summary"),
        about: paragraphs(&text(it, "/description")),
        parameters: parameters.collect(),
        bodies: bodies.collect(),
        answers: answers.collect(),
    }
}

/// The fields of a schema, also of all that it is put together from.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    if let Some(schema) = schema.get("$ref").and_then(Value::as_str).and_then(|to| document.pointer(to.get(1..)?)) {
        return fields(document, schema);
    }
    let parts = list(schema, "/allOf").chain(list(schema, "/oneOf")).flat_map(|part| fields(document, part));
    let required: Vec<_> = list(schema, "/required").filter_map(Value::as_str).collect();
    let own = members(schema, "/properties").map(|(name, property)| Field {
        name: name.clone(),
        place: "body".to_owned(),
        is_required: required.contains(&name.as_str()),
        about: pieces(&text(property, "/description")),
    });
    parts.chain(own).collect()
}

fn examples(content: &Value) -> Vec<Example> {
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    let alone = content.get("example").map(|value| Example { name: "example".to_owned(), text: shown(value) });
    let named = members(content, "/examples")
        .filter_map(|(name, example)| Some(Example { name: name.clone(), text: shown(example.get("value")?) }));
    alone.into_iter().chain(named).collect()
}

fn paragraphs(text: &str) -> Vec<Vec<Piece>> {
    text.split("\n\n").map(pieces).collect()
}

/// What stands between backticks is code.
fn pieces(text: &str) -> Vec<Piece> {
    let pieces = text.split('`').enumerate();
    pieces.map(|(index, text)| Piece { is_code: index % 2 == 1, text: text.to_owned() }).collect()
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
