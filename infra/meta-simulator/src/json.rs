//! Building JSON answers whose members depend on the case, and looking into such JSON.

use serde_json::Value;

/// Adds a member to an object. Callers write the object as one, so there is no other case to tell of.
pub(crate) fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

/// The items of a list that is a member; none when there is no such list.
pub(crate) fn items<'a>(object: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    object.get(list).and_then(Value::as_array).into_iter().flatten()
}
