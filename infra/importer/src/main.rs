//! `cargo run -p importer`.

use std::process::ExitCode;

use clap::Parser;
use importer::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    match importer::run(Settings::parse()).await {
        Ok(outcome) => outcome.exit_code(),
        Err(problem) => {
            keys::note(&format!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}
