//! The campaign that a request wants, out of a JSON body or out of a query beside a CSV file.

use api::{Fields, Request};
use campaigns::Draft;
use domain::{Error, Result};
use serde_json::{Map, Value};

const LONGEST_NAME: usize = 255;

/// Reads all but the recipients.
pub(crate) fn read(fields: &Fields) -> Result<Draft> {
    let name = fields.text("name", 1..=LONGEST_NAME)?.to_owned();
    let (template_name, language) = fields.template()?;
    Ok(Draft {
        account_id: fields.account_id()?,
        name,
        template_name: template_name.to_owned(),
        language: language.to_owned(),
        parameter_mappings: fields.optional_object("parameter_mappings")?.cloned(),
        despite_opt_out: fields.optional_boolean("despite_opt_out")?.unwrap_or_default(),
        scheduled_at: fields.optional_moment("scheduled_at")?,
    })
}

/// The query's parameters, by the types that the body's fields have.
pub(crate) fn fields_of_query(request: &Request) -> Result<Fields> {
    let parameters = request.parameters();
    let mut fields = Map::new();
    let texts = ["name", "template_name", "language", "scheduled_at"];
    fields.extend(texts.into_iter().filter_map(|name| Some((name.to_owned(), parameters.text(name)?.into()))));
    fields.extend(parameters.account_id()?.map(|id| ("account_id".to_owned(), id.0.into())));
    let despite_opt_out = parameters.boolean("despite_opt_out")?;
    fields.extend(despite_opt_out.map(|is_so| ("despite_opt_out".to_owned(), is_so.into())));
    if let Some(json) = parameters.text("parameter_mappings") {
        let mappings: Value = serde_json::from_str(&json).map_err(|_| {
            let message = "parameter_mappings must be JSON, for example {\"1\":\"name\"}";
            Error::invalid_field("parameter_mappings", message)
        })?;
        fields.insert("parameter_mappings".to_owned(), mappings);
    }
    Ok(Fields::from(fields))
}
