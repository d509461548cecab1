//! One operation of the document: what an endpoint takes, answers and refuses.

use std::collections::BTreeMap;

use api::Endpoint;
use domain::Scope;
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement,
};

use crate::failures::{Failure, api_error, description, field};
use crate::shape::Shape;

/// An operation that is being described.
pub(crate) struct Operation {
    builder: OperationBuilder,
    body: Option<RequestBodyBuilder>,
    answers: BTreeMap<u16, ResponseBuilder>,
    failures: Vec<Failure>,
    schemas: Vec<(String, Value)>,
    name: &'static str,
    path: &'static str,
    method: HttpMethod,
}

/// An operation as it stands in the document.
pub(crate) struct Described {
    pub(crate) path: &'static str,
    pub(crate) method: HttpMethod,
    pub(crate) operation: utoipa::openapi::path::Operation,
    pub(crate) schemas: Vec<(String, Value)>,
}

impl Operation {
    /// The operation of an endpoint, for keys with `scope`.
    pub(crate) fn of<E: Endpoint>(scope: Scope, tag: &str, summary: &str, text: &str) -> Self {
        let keys = [scope.as_str()];
        let builder = OperationBuilder::new()
            .operation_id(Some(E::ROUTE.name))
            .tag(tag)
            .summary(Some(summary))
            .description(Some(format!("{text}\n\nThe key needs the scope `{}`.", scope.as_str())))
            .security(SecurityRequirement::new("header", keys))
            .security(SecurityRequirement::new("query", keys));
        let method = match E::ROUTE.methods {
            ["GET"] => HttpMethod::Get,
            ["DELETE"] => HttpMethod::Delete,
            _ => HttpMethod::Post,
        };
        let (name, path, failures) = (E::ROUTE.name, E::ROUTE.path, crate::failures::of_every_request(&E::ROUTE));
        Self { builder, body: None, answers: BTreeMap::new(), failures, schemas: Vec::new(), name, path, method }
    }

    /// With a parameter in the path.
    pub(crate) fn in_path(mut self, name: &str, text: &str, schema: ObjectBuilder, example: Value) -> Self {
        let parameter = parameter(ParameterIn::Path, name, text, schema).required(Required::True);
        self.builder = self.builder.parameter(parameter.example(Some(example)));
        self
    }

    /// With a parameter that may stand in the query.
    pub(crate) fn in_query(mut self, name: &str, text: &str, schema: ObjectBuilder) -> Self {
        self.builder = self.builder.parameter(parameter(ParameterIn::Query, name, text, schema));
        self
    }

    /// With a header that a request may have.
    pub(crate) fn in_header(mut self, name: &str, text: &str, schema: ObjectBuilder) -> Self {
        self.builder = self.builder.parameter(parameter(ParameterIn::Header, name, text, schema));
        self
    }

    /// For one account: the named or the first one.
    pub(crate) fn of_an_account(self) -> Self {
        let text = "Whose; the first account's if left out.";
        self.in_query("account_id", text, integer(i64::MIN, i64::MAX)).fails(crate::failures::of_an_account())
    }

    /// A list that comes page by page.
    pub(crate) fn by_pages(self) -> Self {
        let name = self.name;
        self.leads_to(200, &[name], "cursor", "$response.body#/next_cursor")
            .fails([field("limit", "limit must be a whole number from 1 to 100")])
            .in_query("limit", "How many at most; 50 if left out.", integer(1, 100))
            .in_query(
                "cursor",
                "The `next_cursor` of the page before.",
                text(1, 2000).pattern(Some("^[A-Za-z0-9_-]+$")),
            )
    }

    /// May be asked without doing it.
    pub(crate) fn with_dry_run(self) -> Self {
        let text = "`true`: nothing is done or stored; the answer tells what would become of it.";
        self.in_query("dry_run", text, boolean())
    }

    /// Done once under an `Idempotency-Key`.
    pub(crate) fn once(self) -> Self {
        let words = "For 24 hours the same request under the same key gets the same answer, and is done once only.";
        let schema = text(1, 255).pattern(Some("^[!-~]{1,255}$"));
        self.in_header("Idempotency-Key", words, schema).fails(crate::failures::of_an_idempotency_key())
    }

    /// With a JSON body.
    pub(crate) fn takes(mut self, required: bool, shape: Shape, examples: &[(&str, Value)]) -> Self {
        let content = content(&shape, examples);
        self.schemas.extend(shape.schemas);
        let body = self.body.unwrap_or_default().content("application/json", content);
        self.body = Some(body.required(Some(if required { Required::True } else { Required::False })));
        self
    }

    /// With a CSV file as its body.
    pub(crate) fn takes_csv(mut self, example: &str) -> Self {
        let schema: Schema = text(1, usize::MAX).into();
        let content = ContentBuilder::new().schema(Some(schema)).example(Some(example.into()));
        self.body = Some(self.body.unwrap_or_default().content("text/csv", content.build()));
        self
    }

    /// With an answer.
    pub(crate) fn answers(mut self, status: u16, words: &str, shape: Shape, examples: &[(&str, Value)]) -> Self {
        let response = self.answers.remove(&status).unwrap_or_default().description(words);
        self.answers.insert(status, response.content("application/json", content(&shape, examples)));
        self.schemas.extend(shape.schemas);
        self
    }

    /// With an answer in plain text.
    pub(crate) fn answers_text(mut self, status: u16, example: &str) -> Self {
        let schema: Schema = ObjectBuilder::new().schema_type(Type::String).into();
        let content = ContentBuilder::new().schema(Some(schema)).example(Some(example.into()));
        let response = self.answers.remove(&status).unwrap_or_default();
        self.answers.insert(status, response.content("text/plain; charset=utf-8", content.build()));
        self
    }

    /// With a header of its answers.
    pub(crate) fn tells(mut self, status: u16, name: &str, words: &str) -> Self {
        let response = self.answers.remove(&status).unwrap_or_default();
        self.answers.insert(status, response.header(name, header(words)));
        self
    }

    /// With what an answer leads to: other operations, and where they find a parameter's value.
    pub(crate) fn leads_to(mut self, status: u16, operations: &[&str], parameter: &str, value: &str) -> Self {
        let mut response = self.answers.remove(&status).unwrap_or_default();
        for operation in operations {
            let link = LinkBuilder::new().operation_id(*operation).parameter(parameter, value);
            response = response.link(*operation, link.build());
        }
        self.answers.insert(status, response);
        self
    }

    /// With errors.
    pub(crate) fn fails(mut self, failures: impl IntoIterator<Item = Failure>) -> Self {
        self.failures.extend(failures);
        self
    }

    /// As it stands in the document.
    pub(crate) fn describe(mut self) -> Described {
        let mut by_status = BTreeMap::<u16, Vec<Failure>>::new();
        for failure in std::mem::take(&mut self.failures) {
            let of_status = by_status.entry(failure.status).or_default();
            if of_status.iter().all(|known| known.name != failure.name) {
                of_status.push(failure);
            }
        }
        let error = api_error();
        for (status, failures) in by_status {
            let examples: Vec<_> = failures.into_iter().map(|failure| (failure.name, failure.body)).collect();
            let response = ResponseBuilder::new().description(description(status));
            let mut response = response.content("application/json", content(&error, &examples));
            if matches!(status, 429 | 503) || examples.iter().any(|(name, _)| name == "in_flight") {
                response = response.header("Retry-After", header("How long to wait, in whole seconds."));
            }
            if status == 405 {
                response = response.header("Allow", header("The methods that there are."));
            }
            self.answers.insert(status, response);
        }
        self.schemas.extend(error.schemas);
        for (status, response) in self.answers {
            self.builder = self.builder.response(status.to_string(), response);
        }
        let operation = self.builder.request_body(self.body.map(RequestBodyBuilder::build)).build();
        Described { path: self.path, method: self.method, operation, schemas: self.schemas }
    }
}

/// A whole number.
pub(crate) fn integer(least: i64, most: i64) -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(least)).maximum(Some(most))
}

/// A text of so many characters.
pub(crate) fn text(least: usize, most: usize) -> ObjectBuilder {
    let most = Some(most).filter(|most| *most < usize::MAX);
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(least)).max_length(most)
}

/// `true` or `false`.
pub(crate) fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

fn parameter(place: ParameterIn, name: &str, text: &str, schema: ObjectBuilder) -> ParameterBuilder {
    let schema: Schema = schema.into();
    let parameter = ParameterBuilder::new().name(name).parameter_in(place).description(Some(text));
    parameter.required(Required::False).schema(Some(schema))
}

fn header(words: &str) -> utoipa::openapi::Header {
    let schema: Schema = ObjectBuilder::new().schema_type(Type::String).into();
    HeaderBuilder::new().description(Some(words)).schema(Some(schema)).build()
}

fn content(shape: &Shape, examples: &[(impl AsRef<str>, Value)]) -> utoipa::openapi::Content {
    let examples = examples.iter().map(|(name, value)| {
        (name.as_ref().to_owned(), RefOr::T(ExampleBuilder::new().value(Some(value.clone())).build()))
    });
    let schema: RefOr<Schema> = Ref::from_schema_name(&shape.name).into();
    ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build()
}
