//! The person in front of it.

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs to standard error, in lines for people.
pub fn log_to_terminal() {
    let lines = tracing_subscriber::fmt::layer().compact().with_target(false).with_ansi(false);
    // A second start, in a test, changes nothing.
    let _ = tracing_subscriber::registry().with(api::log_filter()).with(lines.with_writer(std::io::stderr)).try_init();
}

/// Waits for Ctrl-C or, where there is such a thing, SIGTERM.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
