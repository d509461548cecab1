//! What a stranger finds: short functions, one place for lints and versions, nothing unexpected at the top.

use std::path::{Path, PathBuf};

/// The longest a function may be before its tests, and its wiring.
const LINES_OF_AN_ENDPOINT: usize = 120;
const LINES_OF_WIRING: usize = 15;

const TOP_LEVEL: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "functions",
    "infra",
    "shared",
    "template.yaml",
    "tests",
];

fn lines_before_tests(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().take_while(|line| !line.contains("#[cfg(test)]")).count()
}

fn manifests() -> Vec<PathBuf> {
    let root = super::root();
    let mut manifests = vec![root.join("tests/Cargo.toml")];
    for group in ["functions", "infra", "shared", "tests"] {
        manifests.extend(super::folders(group).into_iter().map(|name| root.join(group).join(name).join("Cargo.toml")));
    }
    manifests.retain(|manifest| manifest.exists());
    manifests
}

#[test]
fn an_endpoint_is_one_small_file_and_its_wiring_smaller() {
    for name in super::folders("functions") {
        let source = super::root().join("functions").join(&name).join("src");
        assert!(lines_before_tests(&source.join("lib.rs")) <= LINES_OF_AN_ENDPOINT, "{name}/src/lib.rs");
        assert!(lines_before_tests(&source.join("main.rs")) <= LINES_OF_WIRING, "{name}/src/main.rs");
    }
}

#[test]
fn every_crate_takes_its_lints_and_versions_from_the_root() {
    for path in manifests() {
        let manifest = std::fs::read_to_string(&path).unwrap();
        let path = path.display();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{path} has lints of its own");
        let sections = manifest.split("\n[").filter(|section| section.contains("dependencies]"));
        for line in sections.flat_map(|section| section.lines().skip(1)).filter(|line| line.contains('=')) {
            let from_root = line.contains("workspace = true") || line.contains(".workspace");
            assert!(from_root, "{path} gives a version of its own: {line}");
        }
    }
}

#[test]
fn nothing_unexpected_stands_at_the_top() {
    let entries = std::fs::read_dir(super::root()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // `target` is where cargo builds.
    for name in names.filter(|name| !name.starts_with('.') && name != "target") {
        assert!(TOP_LEVEL.contains(&name.as_str()), "{name} stands at the top");
    }
}

#[test]
fn no_crate_or_module_is_named_for_what_it_does_not_know() {
    let mut folders = vec![super::root().join("functions"), super::root().join("infra"), super::root().join("shared")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(
                !["util", "utils", "common", "core", "helpers", "misc"].contains(&stem.as_str()),
                "{}",
                path.display()
            );
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
}
