//! Which tables: those of the local stack, or of a deployed one.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use embedded_dynamodb::{Data, Engine};
use storage::Database;

use crate::problem::Problem;
use crate::settings::Place;

/// The folder, the file and the prefix that `cargo run` uses.
const USUAL_FOLDER: &str = ".local";
const FILE: &str = "dynamodb.sqlite";
const TABLE_PREFIX: &str = "local";

/// What to do about a folder without data.
#[derive(Clone, Copy, PartialEq)]
pub enum Missing {
    /// Make the tables.
    Make,
    /// Say so: there is no key that the command could be about.
    Tell,
}

/// The tables of a deployment. Those in a folder are closed when this is dropped.
pub struct Tables {
    /// The connection to them.
    pub database: Database,
    /// What serves those in a folder.
    pub engine: Option<Engine>,
}

impl Tables {
    /// Opens the tables that the command line or the environment names.
    pub async fn open(place: &Place, if_missing: Missing) -> Result<Self, Problem> {
        // A variable that is set to nothing is one that is not set.
        let stack = place.stack.as_deref().filter(|stack| !stack.is_empty());
        let folder = place.data_dir.as_deref().filter(|folder| !folder.as_os_str().is_empty());
        match (stack, folder) {
            // Which of the two somebody meant is nothing to guess: one is in use by customers.
            (Some(_), Some(_)) => Err(Problem::new(
                "both a stack (--stack or TABLE_PREFIX) and a folder (--data-dir or LOCAL_DATA_DIR) are named: name one",
            )),
            (Some(stack), None) => {
                let database = Database::of_stack(stack)
                    .map_err(|error| Problem::new(format!("{error}; --help tells how a deployed stack is reached")))?;
                Ok(Self { database, engine: None })
            }
            (None, folder) => open_folder(folder.unwrap_or(Path::new(USUAL_FOLDER)), if_missing).await,
        }
    }
}

/// Opens the file, beside a local stack that may be running: the database keeps the two apart, and each sees at once what
/// the other wrote.
async fn open_folder(folder: &Path, if_missing: Missing) -> Result<Tables, Problem> {
    let (file, shown) = (folder.join(FILE), folder.display());
    if folder == Path::new(":memory:") {
        return Err(Problem::new("a local stack with :memory: keeps its keys to itself: start it with a folder"));
    }
    if if_missing == Missing::Tell && !file.exists() {
        return Err(Problem::new(format!("there is no data in {shown}: `cargo run` makes it, and so does `create`")));
    }
    std::fs::create_dir_all(folder).map_err(|error| Problem::new(format!("{shown} can't be made: {error}")))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let engine = Engine::start(&Data::File(file), address, TABLE_PREFIX).await;
    let engine = engine.map_err(|error| Problem::new(error.to_string()))?;
    Ok(Tables { database: Database::local(engine.url(), TABLE_PREFIX), engine: Some(engine) })
}
