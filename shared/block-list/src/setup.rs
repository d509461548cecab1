//! What every function of the block list is built from.

use std::sync::Arc;

use auth::Keys;
use domain::Clock;
use futures::FutureExt;
use futures::future::BoxFuture;
use storage::{Database, SetupError};
use whatsapp::WhatsApp;

use crate::BlockList;

const GRAPH_API_URL: &str = "GRAPH_API_URL";

/// Builds what such a function needs from the environment that template.yaml gives it, and opens its connections, so that
/// the first event finds them open.
pub fn from_env() -> BoxFuture<'static, Result<(Keys, BlockList), SetupError>> {
    // On the heap: what connects to AWS is some kilobytes of state, needed once.
    connect().boxed()
}

/// The same for what lists: it seldom asks Meta, and connects when it does.
pub fn listing_from_env() -> BoxFuture<'static, Result<(Keys, BlockList), SetupError>> {
    async {
        let (whatsapp, database) = (whatsapp()?, Database::from_env()?);
        let keys = Keys::new(&database, Clock::system());
        let (accounts, ()) = futures::join!(storage::accounts::from_env(), database.warm());
        Ok((keys, BlockList::new(&database, whatsapp, Arc::new(accounts?), Clock::system())))
    }
    .boxed()
}

/// The same for a function that no client waits for: its connections are opened by the first event.
pub async fn without_keys_from_env() -> Result<BlockList, SetupError> {
    let (whatsapp, database) = (whatsapp()?, Database::from_env()?);
    let accounts = storage::accounts::from_env().await?;
    Ok(BlockList::new(&database, whatsapp, Arc::new(accounts), Clock::system()))
}

fn whatsapp() -> Result<WhatsApp, SetupError> {
    let graph_api_url = std::env::var(GRAPH_API_URL).map_err(|_| SetupError::new(GRAPH_API_URL, "is not set"))?;
    WhatsApp::new(&graph_api_url).map_err(|error| SetupError::new(GRAPH_API_URL, error.to_string()))
}

async fn connect() -> Result<(Keys, BlockList), SetupError> {
    let (whatsapp, database) = (whatsapp()?, Database::from_env()?);
    let keys = Keys::new(&database, Clock::system());
    let (accounts, (), ()) = futures::join!(storage::accounts::from_env(), database.warm(), whatsapp.warm());
    let block_list = BlockList::new(&database, whatsapp, Arc::new(accounts?), Clock::system());
    Ok((keys, block_list))
}
