//! By what a contact is known, however its number is written.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Contact, Error, Result};
use whatsapp::{BlockUser, BlockedUser, ChangedUser};

use crate::Wish;

/// Whom Meta is asked for: by number, as the client wrote it, or by business-scoped user id.
pub(crate) fn users<'a>(wish: &Wish<'a>) -> Result<Vec<BlockUser<'a>>> {
    let user = |(index, phone): (usize, &&'a str)| match Contact::of_user_id(phone) {
        // For Meta to read as a number, as in the reference.
        None => Ok(BlockUser::Phone(phone)),
        // Meta would refuse the others with it.
        Some(_) if phone.split('.').nth(1) == Some("ENT") => {
            let field = if wish.is_list { format!("phones[{index}]") } else { "phone".to_owned() };
            let message = format!("{field} must be a number or the user id of one business, and is a parent's id");
            Err(Error::invalid_field(field, message))
        }
        Some(_) => Ok(BlockUser::UserId(phone)),
    };
    wish.phones.iter().enumerate().map(user).collect()
}

/// The contacts that Meta changed, each once, with the number as the client wrote it first.
pub(crate) fn each_once(changed: &[ChangedUser]) -> BTreeMap<Contact, &str> {
    let mut contacts = BTreeMap::new();
    for user in changed {
        let input = user.input.as_str();
        let by_input = || Some((Contact::of_user_id(input).or_else(|| Contact::of_number(input))?, input));
        let by_id = ids(user.wa_id.as_deref(), user.user_id.as_deref()).next();
        // Where Meta names nobody there is nobody to record.
        let Some((contact, id)) = by_id.or_else(by_input) else { continue };
        contacts.entry(contact).or_insert(if input.is_empty() { id } else { input });
    }
    contacts
}

/// The contacts of Meta's own list, each with the id that Meta gives. Where it gives a number and a user id, whichever is in
/// the list here stays there.
pub(crate) fn of_all<'a>(listed: &'a [BlockedUser], here: &BTreeSet<String>) -> BTreeMap<String, &'a str> {
    let is_here = |(contact, _): &(Contact, &str)| here.contains(contact.as_str());
    let mut contacts = BTreeMap::new();
    for user in listed {
        let ids = ids(user.wa_id.as_deref(), user.user_id.as_deref());
        let (known, new): (Vec<_>, Vec<_>) = ids.partition(is_here);
        let new = new.into_iter().take(usize::from(known.is_empty()));
        contacts.extend(known.into_iter().chain(new).map(|(contact, id)| (contact.as_str().to_owned(), id)));
    }
    contacts
}

/// The contact by its WhatsApp id and by its business-scoped user id, as far as Meta gives them, each with the id itself.
fn ids<'a>(wa_id: Option<&'a str>, user_id: Option<&'a str>) -> impl Iterator<Item = (Contact, &'a str)> {
    let by_number = wa_id.and_then(|id| Some((Contact::of_number(id)?, id)));
    let by_user_id = user_id.and_then(|id| Some((Contact::of_user_id(id)?, id)));
    by_number.into_iter().chain(by_user_id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    /// What a user of Meta's answer is recorded as.
    fn recorded(user: Value) -> Option<(String, String)> {
        let users: [ChangedUser; 1] = [from_value(user).unwrap()];
        each_once(&users).pop_first().map(|(contact, written)| (contact.as_str().to_owned(), written.to_owned()))
    }

    #[test]
    fn a_contact_is_known_by_the_best_that_meta_tells() {
        let long = "9".repeat(5000);
        for (user, contact) in [
            (json!({"input": "+1", "wa_id": "919876543210", "user_id": "US.1"}), Some(("919876543210", "+1"))),
            (json!({"input": "x", "wa_id": "", "user_id": "US.1349"}), Some(("US.1349", "x"))),
            (json!({"input": "+91 98765-43210"}), Some(("919876543210", "+91 98765-43210"))),
            (json!({"input": "US.1349"}), Some(("US.1349", "US.1349"))),
            (json!({"wa_id": "5215512345678"}), Some(("525512345678", "5215512345678"))),
            (json!({"input": "1", "wa_id": long, "user_id": "US.1 2"}), Some(("1", "1"))),
            (json!({"input": "+"}), None),
            (json!({"input": "nobody"}), None),
            (json!({}), None),
        ] {
            let expected = contact.map(|(contact, written)| (contact.to_owned(), written.to_owned()));
            assert_eq!(recorded(user.clone()), expected, "{user}");
        }
    }

    #[test]
    fn whoever_meta_lists_by_two_ids_is_the_one_that_is_here() {
        let listed: Vec<BlockedUser> = from_value(json!([{"wa_id": "5215512345678", "user_id": "MX.1"}, {}])).unwrap();
        for (here, contacts) in [
            (&[][..], &["525512345678"][..]),
            (&["525512345678"], &["525512345678"]),
            (&["MX.1", "919876543210"], &["MX.1"]),
            (&["MX.1", "525512345678"], &["525512345678", "MX.1"]),
        ] {
            let here = here.iter().map(|&contact| contact.to_owned()).collect();
            let all = of_all(&listed, &here);
            assert!(all.keys().eq(contacts), "{all:?}");
        }
        let of_nobody = BTreeSet::new();
        assert_eq!(of_all(&listed, &of_nobody).into_values().collect::<Vec<_>>(), ["5215512345678"]);
    }
}
