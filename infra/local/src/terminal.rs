//! The person in front of it.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs to standard error, in lines for people.
pub fn log_to_terminal() {
    // The engine warns of every condition that does not hold, which here is everyday business.
    let ours = Targets::new().with_default(LevelFilter::INFO).with_target("dynoxide", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().compact().with_target(false).with_ansi(false);
    // A second start, in a test, changes nothing.
    let _ = tracing_subscriber::registry().with(ours).with(lines.with_writer(io::stderr)).try_init();
}

/// Ctrl-C and, where there is such a thing, SIGTERM. From the moment this exists they end nothing by themselves.
#[derive(Debug)]
pub struct Interrupts {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

#[cfg(unix)]
impl Interrupts {
    /// Starts to listen.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Interrupts {
    /// Starts to listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        // An error is a machine without Ctrl-C: then it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
