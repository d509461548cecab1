//! Campaigns: made, steered and watched by clients, and sent to each person once, whoever dies on the way.
//!
//! - [`Planner`] makes campaigns, [`Uploader`] adds recipients, [`Starter`] starts them, [`Controls`] and [`Brakes`] hold and
//!   end them and let them go on, [`Reports`] tells how far they have come.
//! - A running campaign's recipients are worked on in chunks of a hundred. A [`Worker`] takes a chunk that was handed out,
//!   sends at the number's rate and notes what became of everybody; then it hands out the next ones.
//! - The [`Caretaker`] comes every minute: it starts what is due, hands out again what has stopped, and counts.
//!
//! The crate's test `model` checks all ways that this can go, with a model checker.

mod caretaker;
mod controls;
mod dispatch;
mod dry_run;
mod form;
mod found;
mod planner;
mod reports;
mod rows;
mod setup;
mod shape;
mod starter;
mod taken_over;
mod target;
mod templates;
mod uploader;
mod view;
mod worker;

pub use caretaker::Caretaker;
pub use controls::{Again, Brakes, Controls, Retried};
pub use dry_run::DryRun;
pub use found::id;
pub use planner::{Draft, Made, Planner};
pub use reports::{CampaignPage, RecipientPage, RecipientPlace, Reports};
pub use rows::{MOST_ROWS, Uploaded};
pub use setup::{
    brakes_from_env, caretaker_from_env, controls_from_env, planner_from_env, reports_from_env, starter_from_env,
    uploader_from_env, worker_from_env,
};
pub use starter::Starter;
pub use storage::{ChunkJob, Place, Standing};
pub use taken_over::Filling;
pub use uploader::{AddedRecipients, Uploader};
pub use view::{Details, RowProblem, Summary, Uploads};
pub use worker::Worker;
