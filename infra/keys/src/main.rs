//! `cargo run -p keys`.

use std::process::ExitCode;

use clap::Parser;
use keys::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    match keys::run(Settings::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            keys::note(&format!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}
