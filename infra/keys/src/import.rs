//! `import`: the keys of django-meta-whatsapp.

mod csv_file;
mod dump;
pub(crate) mod found;

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::import::found::Found;
use crate::keyring::Keyring;
use crate::output::{ends, report, visible};
use crate::problem::Problem;
use crate::settings::Import;

/// The keys of a file in which nothing is wrong.
pub(crate) struct Batch {
    keys: Vec<Found>,
    allow_weak: bool,
}

/// What becomes of a key.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Imported { is_active: bool, is_weak: bool },
    Present,
    Refused,
}

impl Batch {
    /// Reads and checks a file.
    pub(crate) fn read(wanted: &Import) -> Result<Self, Problem> {
        let shown = wanted.file.display();
        let problem = |problem: &dyn fmt::Display| Problem::new(format!("{shown}: {problem}"));
        let bytes = bytes(&wanted.file).map_err(|error| problem(&error))?;
        // The error would tell where, but a person can't see that.
        let text = std::str::from_utf8(&bytes).map_err(|_| problem(&"is not UTF-8 text"))?;
        // What Excel puts before its text.
        let text = text.trim_start_matches('\u{feff}');
        let rows = if text.trim_start().starts_with('[') { dump::rows(text) } else { csv_file::rows(text) };
        let keys = rows.and_then(found::check).map_err(|error| problem(&error))?;
        Ok(Self { keys, allow_weak: wanted.allow_weak })
    }

    /// Tells what an import would come to, as far as the file alone tells it.
    pub(crate) fn preview(&self) -> Result<(), Problem> {
        let outcomes: Vec<_> = self.keys.iter().map(|found| self.refusal(found).unwrap_or(imported(found))).collect();
        for (found, outcome) in self.keys.iter().zip(&outcomes) {
            report(&line(found, &format!("would be {outcome}")))?;
        }
        let refused = count(&outcomes, |outcome| outcome == Outcome::Refused);
        let others = outcomes.len() - refused;
        report(&format!("Nothing was imported. {others} would be, but for those there already; {refused} refused."))?;
        refusals(&outcomes)
    }

    /// Imports the keys one by one. Whatever interrupts it, it may be done again.
    pub(crate) async fn import(&self, keyring: &Keyring) -> Result<(), Problem> {
        let mut outcomes = Vec::new();
        for found in &self.keys {
            let outcome = self.add(found, keyring).await.map_err(|problem| {
                let (place, done) = (&found.place, summary(&outcomes));
                Problem::new(format!("stopped at {place} ({done}); the import may be repeated: {problem}"))
            })?;
            report(&line(found, &outcome.to_string()))?;
            outcomes.push(outcome);
        }
        report(&summary(&outcomes))?;
        refusals(&outcomes)
    }

    async fn add(&self, found: &Found, keyring: &Keyring) -> Result<Outcome, Problem> {
        let (key, registry) = (&found.key, &keyring.registry);
        if let Some(refused) = self.refusal(found) {
            // Let in by an earlier import, perhaps: then there is nothing to refuse any more.
            return Ok(if registry.by_key(key).await?.is_some() { Outcome::Present } else { refused });
        }
        let added = registry.import(key, found.settings(), &keyring.by).await?;
        Ok(added.map_or(Outcome::Present, |_| imported(found)))
    }

    fn refusal(&self, found: &Found) -> Option<Outcome> {
        (found.key.is_weak() && !self.allow_weak).then_some(Outcome::Refused)
    }
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return fs::read(file);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn imported(found: &Found) -> Outcome {
    Outcome::Imported { is_active: found.is_active, is_weak: found.key.is_weak() }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Imported { is_active: true, is_weak: false } => "imported",
            Self::Imported { is_active: false, is_weak: false } => "imported, disabled",
            Self::Imported { is_active: true, is_weak: true } => "imported for 30 days",
            Self::Imported { is_active: false, is_weak: true } => "imported, disabled, weak",
            Self::Present => "there already",
            Self::Refused => "refused, weak",
        })
    }
}

/// One key, by what people know it by.
fn line(found: &Found, outcome: &str) -> String {
    format!("{outcome:24}  {:9}  {}", ends(found.key.ends()), visible(&found.name))
}

fn count(outcomes: &[Outcome], is: fn(Outcome) -> bool) -> usize {
    outcomes.iter().filter(|outcome| is(**outcome)).count()
}

fn summary(outcomes: &[Outcome]) -> String {
    let imported = count(outcomes, |outcome| matches!(outcome, Outcome::Imported { .. }));
    let disabled = count(outcomes, |outcome| matches!(outcome, Outcome::Imported { is_active: false, .. }));
    let present = count(outcomes, |outcome| outcome == Outcome::Present);
    let refused = count(outcomes, |outcome| outcome == Outcome::Refused);
    format!("{imported} imported, {disabled} of them disabled; {present} there already; {refused} refused")
}

/// What to do about keys that were refused.
fn refusals(outcomes: &[Outcome]) -> Result<(), Problem> {
    match count(outcomes, |outcome| outcome == Outcome::Refused) {
        0 => Ok(()),
        refused => Err(Problem::new(format!(
            "refused because they can be guessed: {refused}. Give the apps that use them new keys made with `create`, or \
             import them with --allow-weak: they are then refused after 30 days"
        ))),
    }
}
