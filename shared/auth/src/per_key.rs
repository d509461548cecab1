//! What this environment remembers of each key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Something of each key, by the key's id. Only keys that are valid get here, so there are never more than those. A clone
/// shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PerKey<T>(Arc<Mutex<HashMap<String, T>>>);

impl<T: Default> PerKey<T> {
    /// Looks at it or changes it; it begins as the default.
    pub(crate) fn with<R>(&self, key_id: &str, change: impl FnOnce(&mut T) -> R) -> R {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(key_id) {
            Some(one) => change(one),
            None => change(all.entry(key_id.to_owned()).or_default()),
        }
    }
}
