//! What the functions of campaigns are built from: of all that the environment names, each gets what it needs.

use std::sync::Arc;

use auth::Keys;
use domain::{Accounts, Clock};
use futures::FutureExt;
use futures::future::BoxFuture;
use outbox::{Outbox, country_from_env, whatsapp_from_env};
use storage::{Database, SetupError, WorkQueue};

use crate::{Brakes, Caretaker, Controls, Planner, Reports, Starter, Uploader, Worker};

/// Builds what tells of campaigns from the environment that template.yaml gives, and opens its connections, so that the first
/// event finds them open.
pub fn reports_from_env() -> BoxFuture<'static, Result<(Keys, Reports), SetupError>> {
    // On the heap, here and below: what connects to AWS is some kilobytes of state, needed once.
    async {
        let (database, keys, accounts) = connect().await?;
        Ok((keys, Reports::new(&database, accounts, Clock::system())))
    }
    .boxed()
}

/// The same for what makes campaigns.
pub fn planner_from_env() -> BoxFuture<'static, Result<(Keys, Planner), SetupError>> {
    async {
        let (whatsapp, country) = (whatsapp_from_env()?, country_from_env()?);
        let (connected, ()) = futures::join!(connect(), whatsapp.warm());
        let (database, keys, accounts) = connected?;
        let uploader = Uploader::new(&database, accounts, country, Clock::system());
        Ok((keys, Planner::new(uploader, &database, whatsapp)))
    }
    .boxed()
}

/// The same for what adds recipients.
pub fn uploader_from_env() -> BoxFuture<'static, Result<(Keys, Uploader), SetupError>> {
    async {
        let country = country_from_env()?;
        let (database, keys, accounts) = connect().await?;
        Ok((keys, Uploader::new(&database, accounts, country, Clock::system())))
    }
    .boxed()
}

/// The same for what starts campaigns.
pub fn starter_from_env() -> BoxFuture<'static, Result<(Keys, Starter), SetupError>> {
    async {
        let (whatsapp, queue) = (whatsapp_from_env()?, WorkQueue::from_env()?);
        let (connected, ()) = futures::join!(connect(), whatsapp.warm());
        let (database, keys, accounts) = connected?;
        let controls = Controls::new(&database, queue, accounts, Clock::system());
        Ok((keys, Starter::new(controls, &database, whatsapp)))
    }
    .boxed()
}

/// The same for what sets campaigns going again.
pub fn controls_from_env() -> BoxFuture<'static, Result<(Keys, Controls), SetupError>> {
    async {
        let queue = WorkQueue::from_env()?;
        let (database, keys, accounts) = connect().await?;
        Ok((keys, Controls::new(&database, queue, accounts, Clock::system())))
    }
    .boxed()
}

/// The same for what holds and ends campaigns.
pub fn brakes_from_env() -> BoxFuture<'static, Result<(Keys, Brakes), SetupError>> {
    async {
        let (database, keys, accounts) = connect().await?;
        Ok((keys, Brakes::new(&database, accounts, Clock::system())))
    }
    .boxed()
}

/// The same for what sends campaigns. No client waits for it: its connections are opened by the first event.
pub fn worker_from_env() -> BoxFuture<'static, Result<Worker, SetupError>> {
    async {
        let (whatsapp, country, queue) = (whatsapp_from_env()?, country_from_env()?, WorkQueue::from_env()?);
        let database = Database::from_env()?;
        let accounts = Arc::new(storage::accounts::from_env().await?);
        let outbox = Outbox::new(&database, whatsapp, Arc::clone(&accounts), country, Clock::system());
        Ok(Worker::new(&database, queue, outbox, accounts, Clock::system()))
    }
    .boxed()
}

/// The same for what takes care of campaigns every minute, for which nobody waits either.
pub fn caretaker_from_env() -> BoxFuture<'static, Result<Caretaker, SetupError>> {
    async {
        let (database, queue) = (Database::from_env()?, WorkQueue::from_env()?);
        let accounts = Arc::new(storage::accounts::from_env().await?);
        Ok(Caretaker::new(&database, queue, accounts, Clock::system()))
    }
    .boxed()
}

async fn connect() -> Result<(Database, Keys, Arc<Accounts>), SetupError> {
    let database = Database::from_env()?;
    let keys = Keys::new(&database, Clock::system());
    let (accounts, ()) = futures::join!(storage::accounts::from_env(), database.warm());
    Ok((database, keys, Arc::new(accounts?)))
}
