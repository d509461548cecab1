//! `cargo run -p openapi`: writes the document and its page anew, where the functions that serve them stand.

use std::path::Path;

fn main() -> Result<(), openapi::PageError> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let document = openapi::document()?;
    let json = serde_json::to_string_pretty(&document)? + "\n";
    std::fs::write(functions.join("get-openapi/openapi.json"), json)?;
    std::fs::write(functions.join("read-docs/docs.html"), openapi::page(&document)?)?;
    Ok(())
}
