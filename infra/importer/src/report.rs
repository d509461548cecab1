//! What is told at the end, and of each row that can't be taken.

use std::collections::BTreeMap;
use std::process::ExitCode;

use keys::Problem;
use serde_json::Value;

use crate::row::Fault;

/// So many rows are named of those that something is noted of.
const NAMED: usize = 10;

/// What an import came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every row is at the gateway, or would be.
    All,
    /// Some rows are not, each of which was told.
    Some,
}

impl Outcome {
    /// What the program says to whoever called it.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::All => ExitCode::SUCCESS,
            Self::Some => ExitCode::from(3),
        }
    }
}

/// What became of the rows of a model.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    read: u64,
    /// Of those that tell.
    new: Option<u64>,
    passed_over: u64,
    not_taken: u64,
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    counts: BTreeMap<&'static str, Count>,
    notes: BTreeMap<String, (u64, Vec<i64>)>,
}

impl Report {
    /// A row was read.
    pub(crate) fn read(&mut self, model: &'static str) {
        self.counts.entry(model).or_default().read += 1;
    }

    /// A row can't be taken: it is told at once.
    pub(crate) fn not_taken(&mut self, model: &'static str, pk: &Value, fault: &Fault) -> Result<(), Problem> {
        self.counts.entry(model).or_default().not_taken += 1;
        // Whatever stands in place of a pk may be anything.
        let pk = pk.as_i64().map_or_else(|| "without a pk".to_owned(), |pk| pk.to_string());
        keys::report(&format!("not taken: {model} {pk}: {} {}", fault.field, fault.reason))
    }

    /// There is nothing in a row that the gateway would keep.
    pub(crate) fn passed_over(&mut self, model: &'static str, pk: i64, why: &str) {
        self.counts.entry(model).or_default().passed_over += 1;
        self.note(&format!("{model}: {why}"), pk);
    }

    /// A row is there now.
    pub(crate) fn written(&mut self, model: &'static str, is_new: bool) {
        let new = &mut self.counts.entry(model).or_default().new;
        *new = Some(new.unwrap_or_default() + u64::from(is_new));
    }

    /// Something about a row that people may want to know, though it is taken.
    pub(crate) fn note(&mut self, what: &str, pk: i64) {
        let (count, named) = self.notes.entry(what.to_owned()).or_default();
        *count += 1;
        if named.len() < NAMED {
            named.push(pk);
        }
    }

    /// Tells what is noted so far, and forgets it.
    pub(crate) fn tell_notes(&mut self) -> Result<(), Problem> {
        for (what, (count, named)) in std::mem::take(&mut self.notes) {
            let more = count - u64::try_from(named.len()).unwrap_or_default();
            let named: Vec<_> = named.iter().map(ToString::to_string).collect();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            keys::report(&format!("note: {what}: {}{more}", named.join(", ")))?;
        }
        Ok(())
    }

    /// Tells the numbers.
    pub(crate) fn tell_counts(&self, is_dry_run: bool) -> Result<Outcome, Problem> {
        for (model, count) in &self.counts {
            let Count { read, new, passed_over, not_taken } = count;
            let taken = read.saturating_sub(passed_over + not_taken);
            let taken = match new {
                _ if is_dry_run => format!("{taken} would be taken"),
                Some(new) => format!("{taken} taken, {new} of them new"),
                None => format!("{taken} taken"),
            };
            keys::report(&format!("{model}: {read} read, {taken}, {passed_over} passed over, {not_taken} not taken"))?;
        }
        let not_taken: u64 = self.counts.values().map(|count| count.not_taken).sum();
        keys::report(match (is_dry_run, not_taken) {
            (true, _) => "Nothing was written.",
            (false, 0) => "Everything that the gateway keeps is there.",
            (false, _) => "All but the rows named above is there.",
        })?;
        Ok(if not_taken == 0 { Outcome::All } else { Outcome::Some })
    }
}
