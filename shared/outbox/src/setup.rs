//! What every sending function is built from.

use std::sync::Arc;

use auth::Keys;
use domain::{Clock, CountryCode};
use futures::FutureExt;
use futures::future::BoxFuture;
use storage::{Database, SetupError};
use whatsapp::WhatsApp;

use crate::outbox::Outbox;

const GRAPH_API_URL: &str = "GRAPH_API_URL";
const DEFAULT_COUNTRY_CODE: &str = "DEFAULT_COUNTRY_CODE";

/// Builds what a sending function needs from the environment that template.yaml gives it, and opens its connections, so
/// that the first event finds them open.
pub fn from_env() -> BoxFuture<'static, Result<(Keys, Outbox), SetupError>> {
    // On the heap: what connects to AWS is some kilobytes of state, needed once.
    connect().boxed()
}

/// Meta's API at the address that the environment names.
pub fn whatsapp_from_env() -> Result<WhatsApp, SetupError> {
    let graph_api_url = std::env::var(GRAPH_API_URL).map_err(|_| SetupError::new(GRAPH_API_URL, "is not set"))?;
    WhatsApp::new(&graph_api_url).map_err(|error| SetupError::new(GRAPH_API_URL, error.to_string()))
}

/// The country code that the environment names, to be put before a bare 10-digit number.
pub fn country_from_env() -> Result<CountryCode, SetupError> {
    match std::env::var(DEFAULT_COUNTRY_CODE) {
        Ok(text) => CountryCode::parse(&text).map_err(|error| SetupError::new(DEFAULT_COUNTRY_CODE, error.to_string())),
        Err(_) => Ok(CountryCode::default()),
    }
}

async fn connect() -> Result<(Keys, Outbox), SetupError> {
    let (whatsapp, country) = (whatsapp_from_env()?, country_from_env()?);
    let database = Database::from_env()?;
    let keys = Keys::new(&database, Clock::system());
    let (accounts, (), ()) = futures::join!(storage::accounts::from_env(), database.warm(), whatsapp.warm());
    let outbox = Outbox::new(&database, whatsapp, Arc::new(accounts?), country, Clock::system());
    Ok((keys, outbox))
}
