//! The command line for API keys: what an administrator does with them, for scripts.
//!
//! Standard output holds only what a script may want: a new key, a list, what became of an import. All else that a person
//! is told goes to standard error.
//!
//! It is a library, too: whatever else an administrator runs finds the tables, tells people and reads keys in the same way.

mod create;
mod import;
mod keyring;
mod list;
mod output;
mod problem;
mod rotate;
mod settings;
mod tables;

use uuid::Uuid;

use crate::import::Batch;
use crate::keyring::Keyring;
use crate::settings::Command;

pub use import::found::Found;
pub use keyring::administrator;
pub use output::{note, report, visible};
pub use problem::Problem;
pub use settings::{Place, Settings};
pub use tables::{Missing, Tables};

/// Does what the command line asks for.
pub async fn run(Settings { command, place }: Settings) -> Result<(), Problem> {
    let keyring = async |if_missing| Keyring::open(&place, if_missing).await;
    match command {
        Command::Create(wanted) => create::create(wanted, &keyring(Missing::Make).await?).await,
        Command::List(wanted) => list::list(&wanted, &keyring(Missing::Tell).await?).await,
        Command::Disable { id } => switch(id, false, &keyring(Missing::Tell).await?).await,
        Command::Enable { id } => switch(id, true, &keyring(Missing::Tell).await?).await,
        Command::Rotate(wanted) => rotate::rotate(&wanted, &keyring(Missing::Tell).await?).await,
        Command::Delete { id, name } => delete(id, &name, &keyring(Missing::Tell).await?).await,
        Command::Import(wanted) => {
            // Before anything is opened: a file that is wrong changes nothing.
            let batch = Batch::read(&wanted)?;
            if wanted.dry_run { batch.preview() } else { batch.import(&keyring(Missing::Make).await?).await }
        }
    }
}

async fn switch(id: Uuid, is_active: bool, keyring: &Keyring) -> Result<(), Problem> {
    let key = keyring.registry.set_active(&id.to_string(), is_active, &keyring.by).await?;
    note(&format!("{} ({id}) is {}.", visible(&key.name), keyring.state(&key)));
    Ok(())
}

async fn delete(id: Uuid, name: &str, keyring: &Keyring) -> Result<(), Problem> {
    let key = keyring.registry.delete(&id.to_string(), name, &keyring.by).await?;
    note(&format!("{} ({id}) is deleted.", visible(&key.name)));
    Ok(())
}
