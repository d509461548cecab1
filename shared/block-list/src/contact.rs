//! By what a contact is known, however its number is written.

use std::collections::{BTreeMap, BTreeSet};

use whatsapp::{BlockedUser, ChangedUser};

/// Meta's ids are shorter; a table's key has a limit.
const LONGEST: usize = 150;

/// The contacts that Meta changed, each once, with the number as the client wrote it first.
pub(crate) fn each_once(changed: &[ChangedUser]) -> BTreeMap<String, &str> {
    let mut contacts = BTreeMap::new();
    for user in changed {
        // Where Meta names nobody there is nobody to record.
        let Some(contact) = id(user.wa_id.as_deref(), user.user_id.as_deref(), &user.input) else { continue };
        let written = if user.input.is_empty() { user.wa_id.as_deref().unwrap_or_default() } else { &user.input };
        contacts.entry(contact).or_insert(written);
    }
    contacts
}

/// The contacts of Meta's own list.
pub(crate) fn of_all(listed: &[BlockedUser]) -> BTreeSet<String> {
    listed.iter().filter_map(|user| id(user.wa_id.as_deref(), user.user_id.as_deref(), "")).collect()
}

/// The digits of the WhatsApp id; the business-scoped id of somebody without one; else the digits of what was asked for.
fn id(wa_id: Option<&str>, user_id: Option<&str>, input: &str) -> Option<String> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).take(LONGEST).collect::<String>();
    let visible = |text: &str| text.chars().filter(char::is_ascii_graphic).take(LONGEST).collect::<String>();
    let ids = [wa_id.map(digits), user_id.map(visible), Some(digits(input))];
    ids.into_iter().flatten().find(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_known_by_the_best_that_meta_tells() {
        assert_eq!(id(Some("919876543210"), Some("US.1"), "+1").as_deref(), Some("919876543210"));
        assert_eq!(id(Some(""), Some("US.1349"), "x").as_deref(), Some("US.1349"));
        assert_eq!(id(None, None, "+91 98765-43210").as_deref(), Some("919876543210"));
        assert_eq!(id(None, None, "nobody"), None);
        assert_eq!(id(Some(&"9".repeat(5000)), None, "").map(|id| id.len()), Some(LONGEST));
    }
}
