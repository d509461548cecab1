//! The terminal, or whatever reads in its place.

use std::io::{self, ErrorKind, Write};

use auth::{ApiKey, KeyRecord};

use crate::problem::Problem;

/// Tells a person something. Nobody reading is no reason to fail.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes a report. A reader that has seen enough, as `head` has, is no reason to fail.
pub fn report(text: &str) -> Result<(), Problem> {
    match writeln!(io::stdout(), "{}", text.trim_end_matches('\n')) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Problem::new(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

/// Shows a new key, this once: alone on standard output, so that a script can take it from there.
pub(crate) fn new_key(key: &ApiKey, record: &KeyRecord) -> Result<(), Problem> {
    let mut stdout = io::stdout();
    let written = writeln!(stdout, "{}", key.reveal()).and_then(|()| stdout.flush());
    written.map_err(|error| {
        let id = &record.id;
        Problem::new(format!(
            "the new key could not be written to standard output ({error}). Nobody has it: disable {id}"
        ))
    })?;
    note(&format!("This is the key of {}, id {}. It is not shown again.", visible(&record.name), record.id));
    Ok(())
}

/// A text from elsewhere on one line, with nothing in it that a terminal would obey.
pub fn visible(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// How people tell keys apart: the first and the last four characters; `-` for a key that they would give away.
pub(crate) fn ends(ends: Option<(String, String)>) -> String {
    ends.map_or_else(|| "-".to_owned(), |(first, last)| visible(&format!("{first}…{last}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_the_terminal_no_orders() {
        assert_eq!(visible("a\u{1b}[31mb\nc é"), "a\u{fffd}[31mb\u{fffd}c é");
    }
}
