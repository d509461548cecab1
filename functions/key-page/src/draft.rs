//! A key's settings as a form holds them: as typed, so that nobody types them twice when something is wrong.

use std::collections::BTreeSet;

use api::Form;
use auth::{KeyRecord, KeySettings};
use domain::{AccountId, Accounts, Error, Result, Scope};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::words::{self, Moment, READ, SEND};

const LONGEST_NAME: usize = 255;
const MOST_REQUESTS_PER_MINUTE: u32 = 60_000;

/// A key's settings as a form holds them.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) name: String,
    /// `all`, `send`, `read` or `custom`.
    pub(crate) preset: String,
    custom_scopes: BTreeSet<String>,
    /// `all` or `some`.
    pub(crate) accounts: String,
    some_accounts: BTreeSet<String>,
    /// `never`, a number of days, `date`, or `keep` for a key that has one.
    pub(crate) expiry: String,
    pub(crate) expiry_date: String,
    pub(crate) limit: String,
}

/// A box to tick.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) is_chosen: bool,
}

/// What the settings of a key are chosen from, for the template that asks for them.
pub(crate) struct Fields {
    pub(crate) draft: Draft,
    pub(crate) scopes: Vec<Choice>,
    /// Empty when there is nothing to choose.
    pub(crate) accounts: Vec<Choice>,
    /// When the key expires as it is, if it does.
    pub(crate) expires: Option<Moment>,
    /// The field that is wrong, and how.
    pub(crate) problem: Option<(String, String)>,
}

impl Draft {
    /// For a new key: everything, for ever.
    pub(crate) fn new() -> Self {
        Self { preset: "all".to_owned(), accounts: "all".to_owned(), expiry: "never".to_owned(), ..Self::default() }
    }

    /// As a key is.
    pub(crate) fn of(key: &KeyRecord) -> Self {
        let preset = match words::scopes(&key.scopes).as_str() {
            "everything" => "all",
            "send only" => "send",
            "read only" => "read",
            _ => "custom",
        };
        let accounts = key.accounts.iter().flatten().map(ToString::to_string).collect();
        Self {
            name: key.name.clone(),
            preset: preset.to_owned(),
            custom_scopes: key.scopes.clone(),
            accounts: if key.accounts.is_some() { "some" } else { "all" }.to_owned(),
            some_accounts: accounts,
            expiry: if key.expires_at.is_some() { "keep" } else { "never" }.to_owned(),
            expiry_date: String::new(),
            limit: key.requests_per_minute.map(|limit| limit.to_string()).unwrap_or_default(),
        }
    }

    pub(crate) fn from_form(form: &Form) -> Self {
        let text = |name: &str| form.text(name).trim().to_owned();
        Self {
            name: text("name"),
            preset: text("preset"),
            custom_scopes: form.all("scope").map(str::to_owned).collect(),
            accounts: text("accounts"),
            some_accounts: form.all("account").map(str::to_owned).collect(),
            expiry: text("expiry"),
            expiry_date: text("expiry_date"),
            limit: text("limit"),
        }
    }

    /// The settings, if they are all right. `keep` is when the key expires as it is.
    pub(crate) fn settings(
        &self,
        accounts: Option<&Accounts>,
        keep: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<KeySettings> {
        Ok(KeySettings {
            name: self.name()?,
            scopes: self.scopes()?,
            accounts: self.accounts(accounts)?,
            expires_at: self.expires_at(keep, now)?,
            requests_per_minute: self.requests_per_minute()?,
        })
    }

    fn name(&self) -> Result<String> {
        match self.name.chars().count() {
            0 => Err(wrong("name", "Give the key a name, for example that of the app that will use it.")),
            1..=LONGEST_NAME if !self.name.chars().any(char::is_control) => Ok(self.name.clone()),
            1..=LONGEST_NAME => Err(wrong("name", "A name has no line breaks and no control characters.")),
            count => Err(wrong("name", format!("A name has at most {LONGEST_NAME} characters; this one has {count}."))),
        }
    }

    fn scopes(&self) -> Result<BTreeSet<Scope>> {
        let custom = || self.custom_scopes.iter().map(|scope| scope.parse().ok()).collect::<Option<BTreeSet<_>>>();
        let scopes = match self.preset.as_str() {
            "all" => Some(Scope::ALL.into()),
            "send" => Some(SEND.iter().copied().collect()),
            "read" => Some(READ.iter().copied().collect()),
            "custom" => custom(),
            _ => None,
        };
        let scopes = scopes.ok_or_else(|| wrong("scopes", "Choose what the key may do."))?;
        if scopes.is_empty() {
            Err(wrong("scopes", "Choose at least one thing that the key may do."))
        } else {
            Ok(scopes)
        }
    }

    fn accounts(&self, known: Option<&Accounts>) -> Result<Option<BTreeSet<AccountId>>> {
        if self.accounts != "some" {
            return Ok(None);
        }
        let is_known = |id: AccountId| known.is_some_and(|accounts| accounts.iter().any(|account| account.id == id));
        let id = |text: &String| text.parse().ok().map(AccountId).filter(|id| is_known(*id));
        let chosen: Option<BTreeSet<_>> = self.some_accounts.iter().map(id).collect();
        match chosen {
            Some(chosen) if !chosen.is_empty() => Ok(Some(chosen)),
            Some(_) => Err(wrong("accounts", "Choose at least one account.")),
            None => Err(wrong("accounts", "One of these accounts does not exist any more: choose again.")),
        }
    }

    fn expires_at(&self, keep: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>> {
        let in_days =
            |days: i64| now.checked_add(SignedDuration::from_hours(days * 24)).map(Some).map_err(Error::internal);
        match self.expiry.as_str() {
            "never" => Ok(None),
            "keep" => Ok(keep),
            "30" => in_days(30),
            "90" => in_days(90),
            "date" => {
                let date: Option<Date> = self.expiry_date.parse().ok();
                let date = date.ok_or_else(|| wrong("expiry", "Give the last day on which the key is valid."))?;
                let end = date.checked_add(1.day()).ok().and_then(|next| next.to_zoned(TimeZone::UTC).ok());
                let end = end.ok_or_else(|| wrong("expiry", "That day is too far away."))?.timestamp();
                if end > now { Ok(Some(end)) } else { Err(wrong("expiry", "That day is over: choose a later one.")) }
            }
            _ => Err(wrong("expiry", "Choose when the key expires.")),
        }
    }

    fn requests_per_minute(&self) -> Result<Option<u32>> {
        if self.limit.is_empty() {
            return Ok(None);
        }
        let limit = self.limit.parse().ok().filter(|limit| (1..=MOST_REQUESTS_PER_MINUTE).contains(limit));
        let how = format!("Give a whole number from 1 to {MOST_REQUESTS_PER_MINUTE}, or nothing for no limit.");
        limit.map(Some).ok_or_else(|| wrong("limit", how))
    }

    /// What the template shows: this draft, with all that there is to choose from.
    pub(crate) fn fields(self, accounts: Option<&Accounts>, keep: Option<Timestamp>, error: Option<&Error>) -> Fields {
        let scope = |scope: Scope| Choice {
            value: scope.as_str().to_owned(),
            label: words::right(scope).to_owned(),
            is_chosen: self.custom_scopes.contains(scope.as_str()),
        };
        let account = |account: &domain::Account| Choice {
            value: account.id.to_string(),
            label: words::account_name(account),
            is_chosen: self.some_accounts.contains(&account.id.to_string()),
        };
        let accounts: Vec<_> = accounts.into_iter().flat_map(Accounts::iter).map(account).collect();
        let is_a_choice = accounts.len() > 1 || self.accounts == "some";
        Fields {
            scopes: Scope::ALL.into_iter().map(scope).collect(),
            accounts: if is_a_choice { accounts } else { Vec::new() },
            expires: keep.map(Moment::new),
            problem: error.map(|error| {
                let public = error.public();
                (public.field.clone().unwrap_or_default(), public.message.clone())
            }),
            draft: self,
        }
    }
}

impl Fields {
    /// What is wrong with a field; empty if nothing is.
    pub(crate) fn problem(&self, field: &str) -> &str {
        let problem = self.problem.as_ref().filter(|(wrong, _)| wrong == field);
        problem.map_or("", |(_, message)| message)
    }
}

fn wrong(field: &'static str, message: impl Into<String>) -> Error {
    Error::invalid_field(field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-02T03:04:05.678Z";

    fn draft() -> Draft {
        Draft { name: "shop".to_owned(), ..Draft::new() }
    }

    fn settings(draft: &Draft) -> Result<KeySettings> {
        let accounts = r#"[{"id":1,"phone_number_id":"1","waba_id":"1","access_token":"t"},
            {"id":2,"phone_number_id":"2","waba_id":"2","access_token":"t"}]"#;
        let keep = Some("2026-02-02T00:00:00Z".parse().unwrap());
        draft.settings(Some(&accounts.parse().unwrap()), keep, NOW.parse().unwrap())
    }

    fn wrong_field(draft: &Draft) -> String {
        settings(draft).unwrap_err().public().field.clone().unwrap()
    }

    #[test]
    fn a_new_key_may_do_everything_unless_told_otherwise() {
        assert_eq!(settings(&draft()).unwrap(), KeySettings::unlimited("shop"));
    }

    #[test]
    fn a_name_has_1_to_255_characters_and_none_that_can_not_be_seen() {
        for good in ["x", "<b>&\"'", "Ünïcode 🙏🏽", &"é".repeat(255)] {
            assert_eq!(settings(&Draft { name: good.to_owned(), ..draft() }).unwrap().name, good);
        }
        for bad in ["", &"x".repeat(256), "a\nb", "a\u{0}b", "a\u{1b}[31mb"] {
            assert_eq!(wrong_field(&Draft { name: bad.to_owned(), ..draft() }), "name", "{bad}");
        }
    }

    #[test]
    fn scopes_come_from_a_preset_or_one_by_one_and_never_none() {
        let chosen = |preset: &str, custom: &[&str]| {
            let custom_scopes = custom.iter().map(|scope| (*scope).to_owned()).collect();
            settings(&Draft { preset: preset.to_owned(), custom_scopes, ..draft() }).map(|settings| settings.scopes)
        };
        assert_eq!(chosen("send", &["chats:read"]).unwrap(), [Scope::MessagesSend].into());
        assert_eq!(chosen("read", &[]).unwrap(), [Scope::ChatsRead, Scope::CampaignsRead, Scope::EventsRead].into());
        assert_eq!(chosen("custom", &["contacts:block"]).unwrap(), [Scope::ContactsBlock].into());
        for (preset, custom) in [("custom", &[][..]), ("custom", &["nonsense"]), ("", &[]), ("x", &["chats:read"])] {
            assert_eq!(chosen(preset, custom).unwrap_err().public().field.as_deref(), Some("scopes"));
        }
    }

    #[test]
    fn accounts_are_all_or_some_that_exist() {
        let chosen = |ids: &[&str]| {
            let some_accounts = ids.iter().map(|id| (*id).to_owned()).collect();
            settings(&Draft { accounts: "some".to_owned(), some_accounts, ..draft() }).map(|settings| settings.accounts)
        };
        assert_eq!(chosen(&["2"]).unwrap(), Some([AccountId(2)].into()));
        for bad in [&[][..], &["3"], &["1", "x"]] {
            assert_eq!(chosen(bad).unwrap_err().public().field.as_deref(), Some("accounts"));
        }
    }

    #[test]
    fn a_key_expires_never_in_30_or_90_days_after_a_day_or_as_it_did() {
        let expires_at = |expiry: &str, date: &str| {
            let draft = Draft { expiry: expiry.to_owned(), expiry_date: date.to_owned(), ..draft() };
            settings(&draft).map(|settings| settings.expires_at.map(|at| at.to_string()))
        };
        assert_eq!(expires_at("never", "").unwrap(), None);
        assert_eq!(expires_at("keep", "").unwrap().as_deref(), Some("2026-02-02T00:00:00Z"));
        assert_eq!(expires_at("30", "").unwrap().as_deref(), Some("2026-02-01T03:04:05.678Z"));
        assert_eq!(expires_at("90", "").unwrap().as_deref(), Some("2026-04-02T03:04:05.678Z"));
        assert_eq!(expires_at("date", "2026-01-02").unwrap().as_deref(), Some("2026-01-03T00:00:00Z"));
        for date in ["", "2026-01-01", "2026-13-01", "tomorrow", "9999-12-31", "-009999-01-01"] {
            assert!(expires_at("date", date).is_err(), "{date}");
        }
        assert!(expires_at("", "").is_err() && expires_at("31", "").is_err());
    }

    #[test]
    fn a_limit_is_a_whole_number_or_nothing() {
        let limit = |text: &str| settings(&Draft { limit: text.to_owned(), ..draft() });
        assert_eq!(limit("").unwrap().requests_per_minute, None);
        assert_eq!(limit("60").unwrap().requests_per_minute, Some(60));
        for bad in ["0", "-1", "1.5", "60001", "many", "99999999999999999999"] {
            assert_eq!(limit(bad).unwrap_err().public().field.as_deref(), Some("limit"), "{bad}");
        }
    }
}
