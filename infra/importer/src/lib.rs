//! Moves from `django-meta-whatsapp` to this gateway, out of what Django's `manage.py dumpdata` writes.
//!
//! The file is read row by row, several times: the survey tells of each row that can't be taken before anything is written, and
//! learns what belongs together. Then everything is written under ids that are the same each time: an import that is repeated
//! doubles nothing, and leaves what has happened here since as it is.
//!
//! Standard output holds what became of the rows; each that can't be taken is named by its model, its pk and its field, and never
//! by its values. All else that a person is told goes to standard error.

#[cfg(test)]
mod any_row;
mod campaign;
mod dump;
mod known;
mod message;
mod people;
mod report;
mod row;
mod settings;
mod survey;
mod write;

use domain::{Accounts, Clock};
use keys::{Missing, Problem, Tables};

use crate::report::Report;

pub use report::Outcome;
pub use settings::Settings;

/// Does what the command line asks for.
pub async fn run(settings: Settings) -> Result<Outcome, Problem> {
    let accounts = accounts(&settings).await?;
    let mut report = Report::default();
    let known = survey::survey(&settings, &accounts, Clock::system().now(), &mut report)?;
    report.tell_notes()?;
    if !settings.dry_run {
        let tables = Tables::open(&settings.place, Missing::Make).await?;
        let written = write::write(&settings, &tables.database, known, &mut report).await;
        written.map_err(|problem| Problem::new(format!("{problem}; the import stopped, and may be repeated")))?;
        report.tell_notes()?;
    }
    report.tell_counts(settings.dry_run)
}

async fn accounts(settings: &Settings) -> Result<Accounts, Problem> {
    let read = match &settings.whatsapp_accounts {
        Some(setting) => storage::accounts::parse(setting),
        None => storage::accounts::from_env().await,
    };
    read.map_err(|error| Problem::new(format!("{error}; --help tells how the gateway's accounts are named")))
}
