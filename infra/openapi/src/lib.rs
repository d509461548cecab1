//! The API's OpenAPI 3.1 document, out of the code: routes and scopes from the endpoints, answers from the types that they
//! write, statuses from the table of crate `api`. And the same as a plain page.
//!
//! Both are committed where the functions that serve them stand; a test fails when they are no longer what comes out here.

use std::collections::BTreeMap;

mod blocking;
mod failures;
mod operation;
mod page;
mod reading;
mod sending;
mod shape;
mod steering;

use operation::Described;
use serde_json::{Map, Value};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder, PathItem, PathsBuilder, ServerBuilder,
};

pub use page::{PageError, page};

const DESCRIPTION: &str = "\
Connect a WhatsApp number once, and let all your apps use it, each with its own API key.

Every request carries the API key in the header `X-API-Key`, or as `?api_key=`, which a deployment can switch off. Paths work \
with and without their last slash. Unknown fields are ignored, and `null` is the same as leaving a field out. Every error has \
a JSON body with an `error` for people, and mostly a `code` for programs.";

/// The document, as JSON.
pub fn document() -> Result<Value, PageError> {
    let mut paths = PathsBuilder::new();
    let mut schemas = BTreeMap::new();
    for Described { path, method, operation, schemas: of_operation } in operations_of_all_groups() {
        paths = paths.path(path, PathItem::new(method, operation));
        schemas.extend(of_operation);
    }
    let components = ComponentsBuilder::new()
        .security_scheme("header", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))))
        .security_scheme("query", SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("api_key"))));
    let info = InfoBuilder::new()
        .title("WhatsApp Gateway")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()));
    let tags = [
        ("Sending", "Texts, locations and templates to one contact."),
        ("Blocking", "Meta's list of blocked contacts, and who blocked them when and why."),
        ("Reading", "Conversations, messages, what became of them, and events."),
        ("Campaigns", "One template to many people, each with their own values."),
    ];
    let tags = tags.map(|(name, words)| TagBuilder::new().name(name).description(Some(words)).build());
    let document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").description(Some("This gateway")).build()]))
        .tags(Some(tags))
        .paths(paths)
        .components(Some(components.build()))
        .build();
    let mut document = serde_json::to_value(document)?;
    // utoipa has no place for all that JSON Schema can say.
    if let Some(Value::Object(components)) = document.get_mut("components") {
        components.insert("schemas".to_owned(), Value::Object(schemas.into_iter().collect::<Map<_, _>>()));
    }
    Ok(document)
}

fn operations_of_all_groups() -> Vec<Described> {
    let groups = [sending::operations(), blocking::operations(), reading::operations(), steering::operations()];
    groups.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
