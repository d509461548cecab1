//! Starts the whole system on this machine and runs it until Ctrl-C.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use local::{Interrupts, Settings, Stack};

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    local::log_to_terminal();
    match run(settings).await {
        Ok(code) => code,
        Err(error) => {
            say(std::io::stderr(), &format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut interrupts = Interrupts::listen()?;
    let stack = Stack::start(settings).await?;
    say(std::io::stdout(), &stack.welcome());
    interrupts.next().await;
    say(std::io::stdout(), "Stopping: what is under way is finished first. Ctrl-C again ends it at once.");
    Ok(tokio::select! {
        () = stack.stop() => ExitCode::SUCCESS,
        () = interrupts.next() => ExitCode::FAILURE,
    })
}

/// Nobody reading, as in `cargo run | head`, is no reason to stop.
fn say(mut to: impl Write, text: &str) {
    let _ = writeln!(to, "{text}");
}
