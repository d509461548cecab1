//! The WhatsApp numbers that the business connected.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The number by which clients name an account: `account_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct AccountId(pub i64);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A connected WhatsApp number, with what Meta gave for it.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// The number by which clients name it.
    pub id: AccountId,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Meta's id of the business phone number.
    pub phone_number_id: String,
    /// Meta's id of the WhatsApp Business Account that owns the number.
    pub waba_id: String,
    /// The token for calls to Meta.
    pub access_token: SecretString,
    /// The app's secret: what Meta signs webhooks with.
    #[serde(default)]
    pub app_secret: Option<SecretString>,
    /// The app's secret before it was changed: Meta may sign with either for a while.
    #[serde(default)]
    pub previous_app_secret: Option<SecretString>,
    /// What Meta presents when it verifies the webhook's address.
    #[serde(default)]
    pub verify_token: Option<SecretString>,
    /// How many messages a second campaigns send from the number at most.
    #[serde(default)]
    pub messages_per_second: SendRate,
}

/// Messages a second: 1 to 1000, which is the most that Meta takes from any number (Meta: "Throughput").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct SendRate(u32);

/// A number that is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("messages_per_second must be 1 to 1000")]
pub struct SendRateError;

impl SendRate {
    /// The number of messages a second.
    pub const fn per_second(self) -> u32 {
        self.0
    }
}

impl Default for SendRate {
    /// A little less than the 80 that Meta takes from an ordinary number: the rest is for whoever does not ask.
    fn default() -> Self {
        Self(75)
    }
}

impl TryFrom<u32> for SendRate {
    type Error = SendRateError;

    fn try_from(per_second: u32) -> Result<Self, SendRateError> {
        if (1..=1000).contains(&per_second) { Ok(Self(per_second)) } else { Err(SendRateError) }
    }
}

/// The connected accounts: at least one. The first is the default.
#[derive(Clone, Debug)]
pub struct Accounts {
    default: Account,
    others: Vec<Account>,
}

/// Why a text holds no accounts. Never repeats any of the text, which is full of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// Not the JSON that it should be.
    #[error(
        "must be a JSON array of accounts, each with id (a whole number), phone_number_id, waba_id and access_token \
         (texts); it stops being so at line {line}, column {column}"
    )]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// An array with nothing in it.
    #[error("must hold at least one account")]
    Empty,
    /// Two accounts with one id.
    #[error("holds two accounts with the id {0}")]
    SameId(AccountId),
    /// A field that Meta's calls can't do without is empty.
    #[error("has an empty {field} in the account with the id {id}")]
    EmptyField {
        /// Which field.
        field: &'static str,
        /// Of which account.
        id: AccountId,
    },
}

impl Accounts {
    /// The account named by a request, or the default when it names none. `None`: there is no such account.
    pub fn find(&self, id: Option<AccountId>) -> Option<&Account> {
        match id {
            None => Some(&self.default),
            Some(id) => self.iter().find(|account| account.id == id),
        }
    }

    /// All accounts, the default first.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        std::iter::once(&self.default).chain(&self.others)
    }
}

impl FromStr for Accounts {
    type Err = AccountsError;

    /// Reads the JSON array of accounts.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The error's own text may quote the value that it stumbled over: only the place is kept.
        let mut accounts: Vec<Account> = serde_json::from_str(text)
            .map_err(|error| AccountsError::Json { line: error.line(), column: error.column() })?;
        for (index, account) in accounts.iter().enumerate() {
            let id = account.id;
            if accounts.iter().skip(index + 1).any(|other| other.id == id) {
                return Err(AccountsError::SameId(id));
            }
            let required = [
                ("phone_number_id", account.phone_number_id.as_str()),
                ("waba_id", account.waba_id.as_str()),
                ("access_token", account.access_token.expose_secret()),
            ];
            if let Some((field, _)) = required.into_iter().find(|(_, value)| value.trim().is_empty()) {
                return Err(AccountsError::EmptyField { field, id });
            }
        }
        if accounts.is_empty() {
            return Err(AccountsError::Empty);
        }
        let default = accounts.remove(0);
        Ok(Self { default, others: accounts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"[
        {"id": 7, "name": "Shop", "phone_number_id": "1", "waba_id": "2", "access_token": "EAAsecret"},
        {"id": 3, "phone_number_id": "4", "waba_id": "5", "access_token": "EAAother", "app_secret": "s"}]"#;

    #[test]
    fn the_first_account_is_the_default_and_an_unknown_id_is_none() {
        let accounts: Accounts = TWO.parse().unwrap();
        assert_eq!(accounts.find(None).unwrap().id, AccountId(7));
        assert_eq!(accounts.find(Some(AccountId(3))).unwrap().phone_number_id, "4");
        assert!(accounts.find(Some(AccountId(0))).is_none());
    }

    #[test]
    fn no_secret_is_in_the_debug_form() {
        let shown = format!("{:?}", TWO.parse::<Accounts>().unwrap());
        assert!(!shown.contains("EAA"), "{shown}");
    }

    #[test]
    fn an_error_tells_the_place_and_never_the_text() {
        let swapped = r#"[{"id": "EAAsecret", "phone_number_id": "1", "waba_id": "2", "access_token": "3"}]"#;
        let error = swapped.parse::<Accounts>().unwrap_err().to_string();
        assert!(error.contains("line 1, column") && !error.contains("EAA"), "{error}");
    }

    #[test]
    fn a_campaign_sends_75_messages_a_second_unless_the_account_says_otherwise() {
        let rate = |member: &str| {
            let account = format!(r#"[{{"id":1,"phone_number_id":"1","waba_id":"1","access_token":"t"{member}}}]"#);
            account.parse::<Accounts>().map(|accounts| accounts.default.messages_per_second.per_second())
        };
        assert_eq!(rate("").unwrap(), 75);
        for (member, expected) in [("1", Some(1)), ("1000", Some(1000)), ("0", None), ("1001", None), ("-1", None)] {
            assert_eq!(rate(&format!(r#","messages_per_second":{member}"#)).ok(), expected, "{member}");
        }
    }

    #[test]
    fn accounts_that_could_not_work_are_refused() {
        let one = |id: i64, token: &str| {
            format!(r#"{{"id":{id},"phone_number_id":"1","waba_id":"2","access_token":"{token}"}}"#)
        };
        assert_eq!("[]".parse::<Accounts>().unwrap_err(), AccountsError::Empty);
        let same = format!("[{},{}]", one(1, "a"), one(1, "b"));
        assert_eq!(same.parse::<Accounts>().unwrap_err(), AccountsError::SameId(AccountId(1)));
        let empty = format!("[{}]", one(1, " "));
        assert_eq!(
            empty.parse::<Accounts>().unwrap_err(),
            AccountsError::EmptyField { field: "access_token", id: AccountId(1) }
        );
    }
}
