//! Starts the whole system on this machine and runs it until Ctrl-C.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use local::{Settings, Stack};

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    local::log_to_terminal();
    let stack = match Stack::start(settings).await {
        Ok(stack) => stack,
        Err(error) => {
            say(std::io::stderr(), &format!("error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    say(std::io::stdout(), &stack.welcome());
    local::interrupted().await;
    say(std::io::stdout(), "Stopping: what is under way is finished first. Ctrl-C again ends it at once.");
    tokio::select! {
        () = stack.stop() => ExitCode::SUCCESS,
        () = local::interrupted() => ExitCode::FAILURE,
    }
}

/// Nobody reading, as in `cargo run | head`, is no reason to stop.
fn say(mut to: impl Write, text: &str) {
    let _ = writeln!(to, "{text}");
}
