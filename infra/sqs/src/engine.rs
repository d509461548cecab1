//! A running engine: what starts it, what a test tells it and what it asks of it.

use std::net::SocketAddr;
use std::sync::Arc;

use template::Template;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::mischief::Mischief;
use crate::queues::Queues;
use crate::server;
use crate::settings::Settings;

/// The region that the queues are in, by their ARNs.
pub const REGION: &str = "local";

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The port is taken, or may not be used.
    #[error("the address {0} can't be used: {1}")]
    Address(SocketAddr, std::io::Error),
    /// A queue that AWS would not make, with its name.
    #[error("the queue {0} can't be made: {1}")]
    Queue(String, String),
    /// template.yaml can't be read.
    #[error(transparent)]
    Template(#[from] template::TemplateError),
}

/// A running engine. Dropping it stops it.
#[derive(Debug)]
pub struct Engine {
    url: String,
    prefix: String,
    queues: Arc<Queues>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Engine {
    /// Starts an engine on `address` with the queues of template.yaml, their names behind `prefix` and a hyphen.
    pub async fn start(address: SocketAddr, prefix: &str) -> Result<Self, EngineError> {
        Self::with_queues(address, &Template::ours()?.queues, prefix).await
    }

    /// Starts an engine with the queues of template.yaml on a free port.
    pub async fn in_memory() -> Result<Self, EngineError> {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)), "test").await
    }

    /// Starts an engine on `address` with these queues, their names behind `prefix` and a hyphen.
    pub async fn with_queues(
        address: SocketAddr,
        queues: &[template::Queue],
        prefix: &str,
    ) -> Result<Self, EngineError> {
        let listener = TcpListener::bind(address).await.map_err(|error| EngineError::Address(address, error))?;
        let address = listener.local_addr().map_err(|error| EngineError::Address(address, error))?;
        let url = format!("http://{address}");
        let made = Arc::new(Queues::new(&url));
        // Those for dead letters come first: a queue can't name one that is not there.
        let (with_dead_letters, others): (Vec<_>, _) = queues.iter().partition(|queue| queue.dead_letters.is_some());
        for queue in others.into_iter().chain(with_dead_letters) {
            let name = format!("{prefix}-{}", queue.name);
            let created = Settings::of(queue, prefix).and_then(|settings| made.create(&name, settings));
            created.map_err(|refusal| EngineError::Queue(name, refusal.to_string()))?;
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let router = server::router(Arc::clone(&made));
        let server = tokio::spawn(async move {
            let stopped = async move {
                // An error is a dropped sender: the engine was dropped.
                let _ = stopped.await;
            };
            // It ends with an error only when accepting does; whoever asks then finds nobody listening.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { url, prefix: prefix.to_owned(), queues: made, stop: Some(stop), server })
    }

    /// The address that any AWS SDK or command line takes as its endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of a queue, by its name in the template. The name is not looked up.
    pub fn queue_url(&self, queue: &str) -> String {
        self.queues.url(&self.full_name(queue))
    }

    /// The ARN of a queue, by its name in the template. The name is not looked up.
    pub fn queue_arn(&self, queue: &str) -> String {
        crate::settings::arn(&self.full_name(queue))
    }

    /// For tests: the bodies of all messages of a queue that were not deleted, waiting or in flight, oldest first. None if
    /// there is no such queue.
    pub fn messages(&self, queue: &str) -> Vec<String> {
        self.queues.bodies(&self.full_name(queue))
    }

    /// For tests: whether a queue has nothing that can be received, and nothing in flight. What is delayed does not count;
    /// nor does a queue that is not there.
    pub fn is_idle(&self, queue: &str) -> bool {
        self.queues.is_idle(&self.full_name(queue))
    }

    /// For tests: what befalls the messages that are sent and received from now on.
    pub fn set_mischief(&self, mischief: Mischief) {
        self.queues.set_mischief(mischief);
    }

    /// Stops the engine, once what is under way is answered. Whoever waits for a message is told that there is none.
    pub async fn stop(mut self) {
        self.end();
        let _ = (&mut self.server).await;
    }

    fn full_name(&self, queue: &str) -> String {
        format!("{}-{queue}", self.prefix)
    }

    fn end(&mut self) {
        self.queues.end_polls();
        if let Some(stop) = self.stop.take() {
            // An error is a server that ended already.
            let _ = stop.send(());
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
    }
}
