//! The body of a webhook call, and its signature.

use std::collections::HashSet;
use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Change, Outgoing};
use crate::json::{items, set};
use crate::pending::Ticket;

/// One call to the webhook, ready to be sent.
pub(super) struct Call {
    pub(super) body: String,
    pub(super) signature: String,
    /// How many of its changes are statuses.
    pub(super) statuses: u64,
    /// Those of its changes, which are pending until the call is dropped.
    tickets: Vec<Ticket>,
}

impl Call {
    /// Whether a reset came since.
    pub(super) fn is_void(&self) -> bool {
        self.tickets.iter().any(Ticket::is_void)
    }
}

/// The calls that carry these changes: one for each app, as each app signs for itself.
pub(super) fn calls(changes: Vec<Outgoing>, now: i64) -> Vec<Call> {
    let mut by_app: Vec<(String, Vec<Outgoing>)> = Vec::new();
    for change in changes {
        let secret = &change.change.account.app_secret;
        match by_app.iter_mut().find(|(known, _)| known == secret) {
            Some((_, own)) => own.push(change),
            None => by_app.push((secret.clone(), vec![change])),
        }
    }
    by_app.into_iter().map(|(secret, own)| call(&secret, own, now)).collect()
}

fn call(secret: &str, changes: Vec<Outgoing>, now: i64) -> Call {
    let (changes, tickets): (Vec<Change>, Vec<Ticket>) =
        changes.into_iter().map(|outgoing| (outgoing.change, outgoing.ticket)).unzip();
    let statuses = changes.iter().filter(|change| items(&change.value, "statuses").next().is_some()).count() as u64;
    let body = json!({ "object": "whatsapp_business_account", "entry": entries(changes, now) });
    let body = escaped(&body.to_string());
    Call { signature: sign(secret, body.as_bytes()), body, statuses, tickets }
}

/// What stands under one `entry`, and what its last change holds already.
struct Entry {
    id: String,
    changes: Vec<Value>,
    timed: bool,
    contacts: HashSet<Value>,
}

/// Neighbours of the same WhatsApp Business Account share an entry, and neighbours of one number and kind a change.
fn entries(changes: Vec<Change>, now: i64) -> Vec<Value> {
    let mut entries: Vec<Entry> = Vec::new();
    for change in changes {
        let id = change.account.waba_id;
        if entries.last().is_none_or(|last| last.id != id) {
            entries.push(Entry { id, changes: Vec::new(), timed: false, contacts: HashSet::new() });
        }
        if let Some(entry) = entries.last_mut() {
            entry.add(&change.field, change.value);
        }
    }
    let entry = |entry: Entry| {
        let mut told = json!({ "id": entry.id, "changes": entry.changes });
        if entry.timed {
            set(&mut told, "time", json!(now));
        }
        told
    };
    entries.into_iter().map(entry).collect()
}

impl Entry {
    fn add(&mut self, field: &str, mut value: Value) {
        self.timed |= field != "messages";
        if field == "messages" && self.merge(&mut value) {
            return;
        }
        self.contacts = items(&value, "contacts").cloned().collect();
        self.changes.push(json!({ "value": value, "field": field }));
    }

    /// Adds the messages or statuses to those of the change before, if they concern the same number and are of one kind.
    fn merge(&mut self, value: &mut Value) -> bool {
        let kind = |value: &Value| ["messages", "statuses"].into_iter().find(|kind| value[kind].is_array());
        let Some(kind) = kind(value) else { return false };
        let Some(into) = self.changes.last_mut().filter(|last| last["field"] == "messages") else { return false };
        let Some(into) = into
            .get_mut("value")
            .filter(|into| into[kind].is_array() && into["metadata"] == value["metadata"])
            .and_then(Value::as_object_mut)
        else {
            return false;
        };
        let mut take = |list: &str| match value.get_mut(list).map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let mut contacts = take("contacts");
        contacts.retain(|contact| self.contacts.insert(contact.clone()));
        for (list, added) in [(kind, take(kind)), ("contacts", contacts)] {
            if added.is_empty() {
                continue;
            }
            if let Value::Array(kept) = into.entry(list).or_insert_with(|| json!([])) {
                kept.extend(added);
            }
        }
        true
    }
}

fn sign(app_secret: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length, so this always signs.
    let signed = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).map(|mac| mac.chain_update(body).finalize());
    signed.map_or_else(|_| String::new(), |tag| format!("sha256={}", hex::encode(tag.into_bytes())))
}

/// Escapes as Meta does before it signs: a receiver that signs its own serialisation of the JSON must fail here too.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{escaped, sign};

    #[test]
    fn the_signature_is_the_hmac_sha256_of_the_raw_bytes() {
        // RFC 4231, test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign("Jefe", b"what do ya want for nothing?"), expected);
    }

    #[test]
    fn text_is_escaped_as_meta_escapes_it_and_stays_the_same_text() {
        let text = serde_json::json!({ "body": "ä/😀" }).to_string();
        assert_eq!(escaped(&text), r#"{"body":"\u00e4\/\ud83d\ude00"}"#);
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&text).unwrap(), serde_json::from_str(&escaped(&text)).unwrap());
        assert_eq!(before, after);
    }
}
