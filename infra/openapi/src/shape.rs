//! What bodies look like: derived from the types that are written, or put down as JSON Schema where the code reads fields
//! one by one.

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// A named schema, and those that it refers to.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) schemas: Vec<(String, Value)>,
}

impl Shape {
    /// That of a type.
    pub(crate) fn of<T: ToSchema>() -> Self {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        let as_json =
            |(name, schema): (String, RefOr<Schema>)| (name, serde_json::to_value(schema).unwrap_or_default());
        Self { name: T::name().into_owned(), schemas: schemas.into_iter().map(as_json).collect() }
    }

    /// One that is written down.
    pub(crate) fn written(name: &str, schema: Value) -> Self {
        Self { name: name.to_owned(), schemas: vec![(name.to_owned(), schema)] }
    }

    /// One or the other.
    pub(crate) fn either(name: &str, description: &str, shapes: [Self; 2]) -> Self {
        Self::of_several(name, description, "oneOf", shapes)
    }

    /// All members of both.
    pub(crate) fn both(name: &str, description: &str, shapes: [Self; 2]) -> Self {
        Self::of_several(name, description, "allOf", shapes)
    }

    fn of_several(name: &str, description: &str, how: &str, shapes: [Self; 2]) -> Self {
        let several: Vec<_> = shapes.iter().map(|shape| reference(&shape.name)).collect();
        let own = (name.to_owned(), json!({"description": description, how: several}));
        let others = shapes.into_iter().flat_map(|shape| shape.schemas);
        Self { name: name.to_owned(), schemas: others.chain([own]).collect() }
    }
}

/// A reference to a schema.
pub(crate) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A phone number: 7 to 15 digits, and separators.
pub(crate) fn phone() -> Value {
    json!({
        "type": "string",
        "pattern": r"^[ ().-]*\+?([ ().-]*[0-9]){7,15}[ ().-]*$",
        "description": "The recipient: 7 to 15 digits, whatever stands between them. A number with `+` is complete; one of \
            exactly 10 digits without it gets the gateway's country code before it.",
    })
}

/// A member that may be left out, which `null` does, too.
pub(crate) fn optional(mut schema: Value, description: &str) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        if let Some(kind) = schema.get_mut("type") {
            *kind = json!([kind.take(), "null"]);
        } else if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.push(json!({"type": "null"}));
        }
        schema.insert("description".to_owned(), description.into());
    }
    schema
}

/// The account that a request may name.
pub(crate) fn account_id() -> Value {
    optional(
        json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX}),
        "The account; the first one if left out.",
    )
}

/// The message that a message may quote.
pub(crate) fn reply_to() -> Value {
    optional(json!({"type": "string", "minLength": 1, "maxLength": 255}), "The wamid of the message to quote.")
}

/// `true` or `false`, which may be left out.
pub(crate) fn flag(description: &str) -> Value {
    optional(json!({"type": "boolean"}), description)
}

/// A template's name.
pub(crate) fn template_name() -> Value {
    json!({"type": "string", "pattern": "^[a-z0-9_]{1,512}$", "description": "The template's name."})
}

/// A template's language, which may be left out.
pub(crate) fn language() -> Value {
    let code = json!({"type": "string", "pattern": "^[a-z]{2,3}(_[A-Za-z]{2,4})?$"});
    optional(code, "The template's language; `en` if left out.")
}
