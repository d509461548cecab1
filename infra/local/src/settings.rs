//! What the local stack can be told at its start, by flags or by environment variables.

#![expect(clippy::doc_markdown, rustdoc::bare_urls, reason = "the comments on the fields are what --help prints")]

use std::path::PathBuf;

use clap::Parser;
use secrecy::SecretString;

/// Runs WhatsApp Gateway on this machine: every endpoint, DynamoDB and a simulated Meta.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo run --", version)]
pub struct Settings {
    /// The API's port; 0 takes any free one
    #[arg(long, env = "PORT", default_value_t = 9000)]
    pub port: u16,

    /// The folder that keeps the data; :memory: keeps nothing
    #[arg(long, env = "LOCAL_DATA_DIR", default_value = ".local", value_name = "FOLDER")]
    pub local_data_dir: PathBuf,

    /// DynamoDB's own port, for any AWS SDK or command line [default: 8000 if it is free, else another]
    #[arg(long, env = "DYNAMODB_PORT")]
    pub dynamodb_port: Option<u16>,

    /// The port of the simulated Meta and its phones [default: 9001 if it is free, else another]
    #[arg(long, env = "SIMULATOR_PORT")]
    pub simulator_port: Option<u16>,

    /// Meta's base URL with its version, for example https://graph.facebook.com/v25.0 [default: the simulated Meta]
    #[arg(long, env = "GRAPH_API_URL", value_name = "URL")]
    pub graph_api_url: Option<String>,

    /// The connected accounts as a JSON array, or @FILE [default: one made for the simulated Meta]
    #[arg(long, env = "WHATSAPP_ACCOUNTS", value_name = "JSON", hide_env_values = true)]
    pub whatsapp_accounts: Option<SecretString>,

    /// Put before a phone number of exactly 10 digits that is written without +; empty puts nothing
    #[arg(long, env = "DEFAULT_COUNTRY_CODE", default_value = "91", value_name = "DIGITS")]
    pub default_country_code: String,

    /// A contact who sends one of these and nothing else wants no more messages
    #[arg(long, env = "STOP_WORDS", default_value = inbox::STOP_WORDS, value_name = "WORDS")]
    pub stop_words: String,

    /// A contact who sends one of these and nothing else wants messages again
    #[arg(long, env = "START_WORDS", default_value = inbox::START_WORDS, value_name = "WORDS")]
    pub start_words: String,

    /// The time between a message and each of sent, delivered and read on the simulated phones, in milliseconds
    #[arg(long, env = "STATUS_DELAY_MS", default_value_t = 700, value_name = "MS")]
    pub status_delay_ms: u64,

    /// Whether an API key may also come as ?api_key=
    #[arg(long, env = "ALLOW_QUERY_API_KEY", default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub allow_query_api_key: bool,

    /// Runs each function as a process of its own, as Lambda does. The folder has the programs as NAME or NAME/bootstrap
    /// [default: the folder of this program; `cargo build --workspace` puts them there]
    #[arg(long, env = "LAMBDA", value_name = "FOLDER", num_args = 0..=1, default_missing_value = "")]
    pub lambda: Option<PathBuf>,

    /// With --lambda: hands the events to the processes by way of cargo-lambda's emulator, cargo lambda watch, which has to be
    /// installed
    #[arg(long, env = "LAMBDA_WATCH", requires = "lambda")]
    pub lambda_watch: bool,

    /// A file to which the calls to AWS are added that each function of --lambda makes: the function, the action and what it is
    /// done to
    #[arg(long, env = "RECORD_CALLS", value_name = "FILE", requires = "lambda")]
    pub record_calls: Option<PathBuf>,

    /// An API key to have at the start: any 1 to 64 characters, as an import would bring it [default: a new one]
    #[arg(long, env = "LOCAL_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub local_api_key: Option<SecretString>,

    /// The admin's password for the key page [default: a new one at each start, which is printed]
    #[arg(long, env = "LOCAL_ADMIN_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub local_admin_password: Option<SecretString>,

    /// The OpenID provider that admins sign in by, in place of the password: its issuer URL, to the letter. It sends them
    /// back to the key page's address with sign-in/return/ behind it
    #[arg(long, env = "OIDC_ISSUER", value_name = "URL", requires_all = ["oidc_client_id", "admins"])]
    pub oidc_issuer: Option<String>,

    /// The name of the gateway at the OpenID provider
    #[arg(long, env = "OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,

    /// What the gateway shares with the OpenID provider [default: nothing, which a public client with PKCE does with]
    #[arg(long, env = "OIDC_CLIENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub oidc_client_secret: Option<SecretString>,

    /// Who may administer, of all whom the OpenID provider knows: verified email addresses, or subjects as sub:ID, with
    /// commas between them
    #[arg(long, env = "ADMINS", value_name = "LIST")]
    pub admins: Option<String>,
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
    fn help_names_every_setting_and_shows_no_secret() {
        let help = Settings::command().render_long_help().to_string();
        for name in [
            "PORT",
            "LOCAL_DATA_DIR",
            "DYNAMODB_PORT",
            "SIMULATOR_PORT",
            "GRAPH_API_URL",
            "WHATSAPP_ACCOUNTS",
            "DEFAULT_COUNTRY_CODE",
            "STOP_WORDS",
            "START_WORDS",
            "STATUS_DELAY_MS",
            "ALLOW_QUERY_API_KEY",
            "LAMBDA",
            "LAMBDA_WATCH",
            "RECORD_CALLS",
            "LOCAL_API_KEY",
            "LOCAL_ADMIN_PASSWORD",
            "OIDC_ISSUER",
            "OIDC_CLIENT_ID",
            "OIDC_CLIENT_SECRET",
            "ADMINS",
        ] {
            assert!(help.contains(&format!("[env: {name}")), "{name} is not in:\n{help}");
        }
    }
}
