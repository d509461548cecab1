//! What the functions that read are built from: of all that the environment names, each gets what it needs.

use std::sync::Arc;

use auth::Keys;
use domain::{Accounts, Clock, CountryCode};
use futures::FutureExt;
use futures::future::BoxFuture;
use storage::{Database, SetupError};
use whatsapp::WhatsApp;

use crate::{Chats, Events, ReadReceipts};

const GRAPH_API_URL: &str = "GRAPH_API_URL";
const DEFAULT_COUNTRY_CODE: &str = "DEFAULT_COUNTRY_CODE";

/// Builds what reads conversations and messages from the environment that template.yaml gives, and opens its connections, so
/// that the first event finds them open.
pub fn from_env() -> BoxFuture<'static, Result<(Keys, Chats), SetupError>> {
    // On the heap, here and below: what connects to AWS is some kilobytes of state, needed once.
    async {
        let country = country()?;
        let (database, keys, accounts) = connect().await?;
        Ok((keys, Chats::new(&database, accounts, country, Clock::system())))
    }
    .boxed()
}

/// The same for what tells Meta what was read.
pub fn receipts_from_env() -> BoxFuture<'static, Result<(Keys, ReadReceipts), SetupError>> {
    async {
        let graph_api_url = std::env::var(GRAPH_API_URL).map_err(|_| SetupError::new(GRAPH_API_URL, "is not set"))?;
        let whatsapp = WhatsApp::new(&graph_api_url);
        let whatsapp = whatsapp.map_err(|error| SetupError::new(GRAPH_API_URL, error.to_string()))?;
        let (chats, ()) = futures::join!(from_env(), whatsapp.warm());
        let (keys, chats) = chats?;
        Ok((keys, ReadReceipts::new(chats, whatsapp)))
    }
    .boxed()
}

/// The same for what reads events.
pub fn events_from_env() -> BoxFuture<'static, Result<(Keys, Events), SetupError>> {
    async {
        let (database, keys, accounts) = connect().await?;
        Ok((keys, Events::new(&database, accounts)))
    }
    .boxed()
}

async fn connect() -> Result<(Database, Keys, Arc<Accounts>), SetupError> {
    let database = Database::from_env()?;
    let keys = Keys::new(&database, Clock::system());
    let (accounts, ()) = futures::join!(storage::accounts::from_env(), database.warm());
    Ok((database, keys, Arc::new(accounts?)))
}

fn country() -> Result<CountryCode, SetupError> {
    match std::env::var(DEFAULT_COUNTRY_CODE) {
        Ok(text) => CountryCode::parse(&text).map_err(|error| SetupError::new(DEFAULT_COUNTRY_CODE, error.to_string())),
        Err(_) => Ok(CountryCode::default()),
    }
}
