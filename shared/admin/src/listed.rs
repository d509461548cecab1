//! Who, of all whom the provider knows, may administer.

use std::str::FromStr;

use crate::provider_sign_in::Identity;

/// What an entry begins with that is a subject.
pub(crate) const SUBJECT: &str = "sub:";

/// The list of those who may: email addresses, and `sub:` with the provider's own name for somebody.
#[derive(Clone, Debug)]
pub struct Listed(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// In small letters.
    Email(String),
    Subject(String),
}

/// A list that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListedError {
    /// Nobody could sign in.
    #[error("must name at least one person")]
    Nobody,
    /// An entry that is neither, and which one.
    #[error(
        "must hold email addresses, or subjects such as sub:248289761001, with commas between them; number {0} is neither"
    )]
    Entry(usize),
}

impl FromStr for Listed {
    type Err = ListedError;

    fn from_str(text: &str) -> Result<Self, ListedError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).enumerate();
        let entries = entries.map(|(place, text)| entry(text).ok_or(ListedError::Entry(place + 1)));
        let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
        if entries.is_empty() { Err(ListedError::Nobody) } else { Ok(Self(entries)) }
    }
}

fn entry(text: &str) -> Option<Entry> {
    if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return None;
    }
    if let Some(subject) = text.strip_prefix(SUBJECT) {
        return (!subject.is_empty()).then(|| Entry::Subject(subject.to_owned()));
    }
    let (name, host) = text.split_once('@')?;
    (!name.is_empty() && !host.is_empty()).then(|| Entry::Email(text.to_ascii_lowercase()))
}

impl Listed {
    /// Whether this is one of them.
    pub(crate) fn names(&self, identity: &Identity) -> bool {
        self.name_subject(&identity.subject)
            || self.0.iter().any(|entry| match entry {
                Entry::Email(email) => identity.email.as_ref() == Some(email),
                Entry::Subject(_) => false,
            })
    }

    /// Whether this is one of them, whatever their address.
    pub(crate) fn name_subject(&self, subject: &str) -> bool {
        self.0.iter().any(|entry| matches!(entry, Entry::Subject(listed) if listed == subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(subject: &str, email: Option<&str>) -> Identity {
        Identity { issuer: "https://a".to_owned(), subject: subject.to_owned(), email: email.map(str::to_owned) }
    }

    #[test]
    fn somebody_is_listed_by_a_verified_address_or_by_the_providers_name_for_them() {
        let listed: Listed = " Ann@Example.com, sub:1234,,sub:ben@example.com ".parse().unwrap();
        for (identity, expected) in [
            (person("x", Some("ann@example.com")), true),
            (person("1234", None), true),
            (person("1234", Some("eve@example.com")), true),
            (person("ben@example.com", None), true),
            (person("x", Some("ben@example.com")), false),
            (person("ann@example.com", None), false),
            (person("sub:1234", None), false),
            (person("12345", Some("xann@example.com")), false),
            (person("x", Some("ann@example.com.evil.com")), false),
            (person("x", None), false),
            (person("", Some("")), false),
        ] {
            assert_eq!(listed.names(&identity), expected, "{identity:?}");
        }
    }

    #[test]
    fn a_list_that_could_be_misread_is_none() {
        for nobody in ["", " , ", ","] {
            assert_eq!(nobody.parse::<Listed>().unwrap_err(), ListedError::Nobody, "{nobody}");
        }
        for odd in
            ["ann", "sub:", "@example.com", "ann@", "*", "ann@example.com ben@example.com", "Ann <ann@example.com>"]
        {
            let text = format!("ok@example.com,{odd}");
            assert_eq!(text.parse::<Listed>().unwrap_err(), ListedError::Entry(2), "{odd}");
        }
    }
}
