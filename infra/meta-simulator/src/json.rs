//! Building JSON answers whose members depend on the case.

use serde_json::Value;

/// Adds a member to an object. Callers write the object as one, so there is no other case to tell of.
pub(crate) fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}
