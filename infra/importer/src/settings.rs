//! What can be asked for on the command line.

#![expect(clippy::doc_markdown, reason = "the comments on the fields are what --help prints")]

use std::path::PathBuf;

use clap::Parser;
use domain::{AccountId, CountryCode};
use keys::Place;
use secrecy::SecretString;

/// For people who look for what they need.
const MORE: &str = "\
FILE is what `python manage.py dumpdata` writes of the app, as a JSON array or with one object a line (--format jsonl):

  python manage.py dumpdata django_meta_whatsapp --exclude django_meta_whatsapp.whatsappwebhooklog -o dump.json

It holds access tokens and API keys in clear text: keep it to yourself, and delete it afterwards.

The gateway must have each WhatsApp account of the file, by its phone_number_id: in WHATSAPP_ACCOUNTS, or in the secret of
Secrets Manager whose ARN is WHATSAPP_ACCOUNTS_SECRET. A deployed stack is named with --stack and reached with AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if there is one, AWS_SESSION_TOKEN from the environment.

An import may be repeated, after it was interrupted or to catch up: nothing is doubled, and what has happened at the gateway
since stays. The exit code is 0 if everything was taken, 3 if some rows can't be (each is told by its model and pk), and 1 if
something went wrong.";

/// Moves what django-meta-whatsapp knows to WhatsApp Gateway: API keys, contacts, conversations, messages, blocked contacts and
/// campaigns.
#[derive(Debug, Parser)]
#[command(name = "cargo run -p importer --", bin_name = "cargo run -p importer --", version, after_help = MORE)]
pub struct Settings {
    /// What `manage.py dumpdata` wrote
    pub(crate) file: PathBuf,

    /// Read all of it and tell what would come over and what would not; looks into no table
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// The gateway's account to which rows without an account belong [default: the only one, if there is one only]
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account_of_the_rest: Option<AccountId>,

    /// Leave out an account of the file with all that is its own, by its phone_number_id; may be repeated
    #[arg(long, value_name = "PHONE_NUMBER_ID")]
    pub(crate) leave_out: Vec<String>,

    /// Take in API keys that can be guessed, too: they are refused after 30 days
    #[arg(long)]
    pub(crate) allow_weak: bool,

    /// So many writes go side by side
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) at_once: u16,

    /// The gateway's accounts as a JSON array, or @FILE
    #[arg(long, env = "WHATSAPP_ACCOUNTS", value_name = "JSON", hide_env_values = true)]
    pub(crate) whatsapp_accounts: Option<SecretString>,

    /// As the gateway's: put before a phone number of exactly 10 digits that is written without +
    #[arg(long, env = "DEFAULT_COUNTRY_CODE", default_value = "91", value_name = "DIGITS", value_parser = country)]
    pub(crate) default_country_code: CountryCode,

    #[command(flatten)]
    pub(crate) place: Place,
}

fn account(text: &str) -> Result<AccountId, String> {
    text.parse().map(AccountId).map_err(|_| "must be a whole number".to_owned())
}

fn country(text: &str) -> Result<CountryCode, String> {
    CountryCode::parse(text).map_err(|error| error.to_string())
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
    fn help_tells_how_the_file_is_made_and_where_accounts_and_tables_are() {
        let help = Settings::command().render_long_help().to_string();
        for told in
            ["dumpdata", "[env: WHATSAPP_ACCOUNTS", "WHATSAPP_ACCOUNTS_SECRET", "AWS_REGION", "[env: TABLE_PREFIX"]
        {
            assert!(help.contains(told), "{told} is not in:\n{help}");
        }
    }
}
