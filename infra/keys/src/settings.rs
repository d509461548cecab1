//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::Scope;
use uuid::Uuid;

/// The longest name, in characters: as wide as the reference's database column.
const LONGEST_NAME: usize = 255;

/// For people who keep AWS credentials in a profile.
const DEPLOYED: &str = "\
A deployed stack is named with --stack and reached with AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if
there is one, AWS_SESSION_TOKEN from the environment. With AWS profiles or single sign-on, set them so:

  export AWS_REGION=eu-central-1
  eval \"$(aws configure export-credentials --profile NAME --format env)\"

Every change is written into the audit trail as made by `command line (USER)`.";

/// Administers the API keys of WhatsApp Gateway: of the local stack, whether it runs or not, or of a deployed one.
#[derive(Debug, Parser)]
#[command(name = "cargo run -p keys --", bin_name = "cargo run -p keys --", version, after_help = DEPLOYED)]
pub struct Settings {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where the tables are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub struct Place {
    /// The folder with the local stack's data [default: .local]
    #[arg(long, global = true, env = "LOCAL_DATA_DIR", value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,

    /// The name of a deployed stack, in place of the local one
    #[arg(long, global = true, env = "TABLE_PREFIX", value_name = "NAME")]
    pub(crate) stack: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key and print it, once
    #[command(after_help = "Only the key goes to standard output: KEY=$(cargo run -qp keys -- create --name Shop)")]
    Create(Create),

    /// Show all keys, newest first; times are in UTC
    List(List),

    /// Switch a key off: the very next request with it is refused
    Disable {
        /// The key's id, as `list` shows it
        id: Uuid,
    },

    /// Switch a key on again
    Enable {
        /// The key's id, as `list` shows it
        id: Uuid,
    },

    /// Make a key that takes the place of another, and print it, once
    #[command(after_help = "Only the new key goes to standard output.")]
    Rotate(Rotate),

    /// Delete a key that is disabled, for good; its rows in the audit trail stay
    Delete {
        /// The key's id, as `list` shows it
        id: Uuid,

        /// The key's name, to be sure that it is the right one
        #[arg(long)]
        name: String,
    },

    /// Take in the keys of django-meta-whatsapp: they go on working as they are
    #[command(after_help = "\
`manage.py dumpdata django_meta_whatsapp.whatsappapikey > keys.json` writes such a FILE; all that is not a key is passed
over in a larger dump. CSV needs a first line that names the columns: `key` and `name`; `is_active`, without which all
keys are active, and `created_at`, in UTC unless it says otherwise, are read too, and any others passed over.

A file with anything wrong in it imports nothing. A key that is there already stays as it is, so an import may be
repeated. Every imported key holds all scopes for all accounts. The exit code is 1 if a key was refused.")]
    Import(Import),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What people call it
    #[arg(long, value_parser = name)]
    pub(crate) name: String,

    /// What it may do; may be repeated [default: everything]
    #[arg(long, value_parser = scope(), conflicts_with = "preset")]
    pub(crate) scope: Vec<Scope>,

    /// What it may do, in a word
    #[arg(long)]
    pub(crate) preset: Option<Preset>,

    /// An account that it may use, by its number; may be repeated [default: every account]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Vec<i64>,

    /// Refuse it after so many days [default: never]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) expires_in_days: Option<u32>,

    /// Refuse what is more than so many requests a minute [default: any number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests_per_minute: Option<u32>,
}

/// Scopes that belong together.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Preset {
    /// Everything
    All,
    /// Send messages
    Send,
    /// Read chats and campaigns
    Read,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those with TEXT in their names, in whatever case
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) search: String,

    /// One JSON array, with all that is known of each key
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The old key's id, as `list` shows it
    pub(crate) id: Uuid,

    /// How long the old key is accepted beside the new one
    #[arg(long, default_value = "24h")]
    pub(crate) overlap: Overlap,

    /// Refuse the old key of a rotation under way from now on, in place of making a new one
    #[arg(long, conflicts_with_all = ["overlap", "undo"])]
    pub(crate) end: bool,

    /// Keep the old key of a rotation under way, and disable the new one
    #[arg(long, conflicts_with = "overlap")]
    pub(crate) undo: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Overlap {
    #[value(name = "0")]
    None,
    #[value(name = "1h")]
    Hour,
    #[value(name = "24h")]
    Day,
    #[value(name = "7d")]
    Week,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The JSON of `manage.py dumpdata`, or CSV; - reads standard input
    pub(crate) file: PathBuf,

    /// Take in keys that can be guessed too: they are refused after 30 days
    #[arg(long)]
    pub(crate) allow_weak: bool,

    /// Check the file and tell what would be imported; looks into no table
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A key's name: 1 to 255 characters, which people can see.
pub(crate) fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().count() > LONGEST_NAME {
        return Err(format!("must have 1 to {LONGEST_NAME} characters, and not only spaces"));
    }
    Ok(text.to_owned())
}

fn scope() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::as_str)).try_map(|text| text.parse::<Scope>())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Settings::command().debug_assert();
    }

    #[test]
    fn help_tells_where_keys_are_and_how_to_reach_a_deployed_stack() {
        let help = Settings::command().render_long_help().to_string();
        for told in ["[env: LOCAL_DATA_DIR", "[env: TABLE_PREFIX", "AWS_REGION", "export-credentials"] {
            assert!(help.contains(told), "{told} is not in:\n{help}");
        }
    }

    #[test]
    fn a_name_has_1_to_255_characters() {
        assert!(name("é").is_ok() && name(&"é".repeat(255)).is_ok());
        assert!(name("").is_err() && name("  ").is_err() && name(&"x".repeat(256)).is_err());
    }
}
