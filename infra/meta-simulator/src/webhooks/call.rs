//! The body of a webhook call, and its signature.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Change;
use crate::json::set;

/// One call to the webhook, ready to be sent.
pub(super) struct Call {
    pub(super) body: String,
    pub(super) signature: String,
}

/// The calls that carry these changes: one for each app, as each app signs for itself.
pub(super) fn calls(changes: &[Change], now: i64) -> Vec<Call> {
    let mut secrets: Vec<&str> = Vec::new();
    for change in changes {
        if !secrets.contains(&change.account.app_secret.as_str()) {
            secrets.push(&change.account.app_secret);
        }
    }
    let call = |secret: &str| {
        let own = changes.iter().filter(|change| change.account.app_secret == secret);
        let body = json!({ "object": "whatsapp_business_account", "entry": entries(own, now) });
        let body = escaped(&body.to_string());
        Call { signature: sign(secret, body.as_bytes()), body }
    };
    secrets.into_iter().map(call).collect()
}

/// Neighbours of the same WhatsApp Business Account share an entry, and neighbours of one number and kind a change.
fn entries<'a>(changes: impl Iterator<Item = &'a Change>, now: i64) -> Vec<Value> {
    let mut entries: Vec<(&str, Vec<Value>)> = Vec::new();
    for change in changes {
        let id = change.account.waba_id.as_str();
        if entries.last().is_none_or(|(last, _)| *last != id) {
            entries.push((id, Vec::new()));
        }
        let Some((_, own)) = entries.last_mut() else { continue };
        let merged = change.field == "messages" && own.last_mut().is_some_and(|last| merge(last, &change.value));
        if !merged {
            own.push(json!({ "value": change.value, "field": change.field }));
        }
    }
    let entry = |(id, changes): (&str, Vec<Value>)| {
        let timed = changes.iter().any(|change| change["field"] != "messages");
        let mut entry = json!({ "id": id, "changes": changes });
        if timed {
            set(&mut entry, "time", json!(now));
        }
        entry
    };
    entries.into_iter().map(entry).collect()
}

/// Adds the messages or statuses to those of the change before, if they concern the same number and are of one kind.
fn merge(change: &mut Value, value: &Value) -> bool {
    let kind = |value: &Value| ["messages", "statuses"].into_iter().find(|kind| value[kind].is_array());
    let Some(kind) = kind(value).filter(|_| change["field"] == "messages") else { return false };
    let Some(into) =
        change.get_mut("value").filter(|into| into[kind].is_array() && into["metadata"] == value["metadata"])
    else {
        return false;
    };
    append(into, kind, value, false);
    append(into, "contacts", value, true);
    true
}

fn append(into: &mut Value, list: &str, value: &Value, once: bool) {
    let mut kept = into.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    for item in value[list].as_array().into_iter().flatten() {
        if !(once && kept.contains(item)) {
            kept.push(item.clone());
        }
    }
    if !kept.is_empty() {
        set(into, list, Value::Array(kept));
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
