//! Who is calling.

use std::collections::BTreeSet;

use domain::{Account, AccountId, Accounts, Error, Kind, Result};

/// Somebody with a valid API key that holds the scope asked for. Only [`Keys::authorize`](crate::Keys::authorize) makes
/// one.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) key_id: String,
    /// The accounts that the key may use; `None` for all.
    pub(crate) accounts: Option<BTreeSet<AccountId>>,
}

impl Caller {
    /// The id of the caller's API key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The account that a request names, or the default one. An unknown account and one that the key may not use are
    /// the same to the caller: not found.
    pub fn account<'a>(&self, accounts: &'a Accounts, asked_for: Option<AccountId>) -> Result<&'a Account> {
        accounts
            .find(asked_for)
            .filter(|account| self.accounts.as_ref().is_none_or(|allowed| allowed.contains(&account.id)))
            .ok_or_else(|| match asked_for {
                Some(id) => not_found(format!("There is no account with the account_id {id}")),
                None => not_found("This API key may not use the default account: name one by its account_id"),
            })
    }
}

fn not_found(message: impl Into<String>) -> Error {
    Error::new(Kind::NotFound, message).code("account_not_found").retryable(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = r#"[{"id":1,"phone_number_id":"1","waba_id":"1","access_token":"t"},
        {"id":2,"phone_number_id":"2","waba_id":"2","access_token":"t"}]"#;

    fn caller(accounts: Option<&[i64]>) -> Caller {
        let accounts = accounts.map(|ids| ids.iter().copied().map(AccountId).collect());
        Caller { key_id: "k".to_owned(), accounts }
    }

    fn found(caller: &Caller, asked_for: Option<i64>) -> Result<i64> {
        let accounts: Accounts = ACCOUNTS.parse().unwrap();
        caller.account(&accounts, asked_for.map(AccountId)).map(|account| account.id.0)
    }

    #[test]
    fn a_key_without_a_list_of_accounts_may_use_all() {
        assert_eq!(found(&caller(None), None).unwrap(), 1);
        assert_eq!(found(&caller(None), Some(2)).unwrap(), 2);
    }

    #[test]
    fn an_unknown_account_is_not_found_and_never_the_default() {
        assert_eq!(found(&caller(None), Some(9)).unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn an_account_that_the_key_may_not_use_looks_like_one_that_is_not_there() {
        let limited = caller(Some(&[2]));
        assert_eq!(found(&limited, Some(2)).unwrap(), 2);
        assert_eq!(found(&limited, None).unwrap_err().kind(), Kind::NotFound);
        let (forbidden, absent) = (found(&limited, Some(1)).unwrap_err(), found(&limited, Some(9)).unwrap_err());
        assert_eq!(forbidden.public().message.replace('1', "9"), absent.public().message);
        assert_eq!(forbidden.public().code, absent.public().code);
    }
}
