//! The rules of the repository that no compiler holds.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here fails the test")]

mod deployment;
mod imports;
mod names;
mod shape;

use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of the folders in a folder, sorted.
fn folders(path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(path)).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
