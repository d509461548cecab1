//! By which words contacts say that they want no more messages, or want them again.

use std::collections::BTreeSet;

use serde_json::Value;

/// What stops messages unless a deployment says otherwise.
pub const STOP_WORDS: &str = "STOP, STOP ALL, STOPALL, UNSUBSCRIBE, OPT OUT, OPTOUT, STOP PROMOTIONS";
/// What lets them come again.
pub const START_WORDS: &str = "START, UNSTOP, SUBSCRIBE, OPT IN, OPTIN";

/// The words of a deployment. A message counts when it is one of them and nothing else, whatever its case.
#[derive(Clone, Debug)]
pub struct Words {
    stop: BTreeSet<String>,
    start: BTreeSet<String>,
}

impl Words {
    /// Reads two lists of words with commas between them.
    pub fn new(stop: &str, start: &str) -> Self {
        let list = |words: &str| words.split(',').map(plain).filter(|word| !word.is_empty()).collect();
        Self { stop: list(stop), start: list(start) }
    }

    /// Whether a message says that its writer wants messages. `None`: it says nothing about that. A tap on a button counts
    /// as if its text were written.
    pub(crate) fn wish(&self, kind: &str, message: &Value) -> Option<bool> {
        let said = match kind {
            "text" => ["/text/body", ""],
            "button" => ["/button/text", "/button/payload"],
            "interactive" => ["/interactive/button_reply/title", "/interactive/list_reply/title"],
            _ => return None,
        };
        let said = said.into_iter().filter_map(|pointer| message.pointer(pointer)?.as_str()).map(plain);
        let said: Vec<_> = said.collect();
        if said.iter().any(|word| self.stop.contains(word)) {
            return Some(false);
        }
        said.iter().any(|word| self.start.contains(word)).then_some(true)
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::new(STOP_WORDS, START_WORDS)
    }
}

/// Capital letters, one space between words, and no mark at the end: `stop.` is STOP.
fn plain(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").trim_matches(|mark: char| mark.is_ascii_punctuation()).to_uppercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_of_one_word_says_what_its_writer_wants_and_no_other_does() {
        let words = Words::default();
        let text = |body: &str| words.wish("text", &json!({"text": {"body": body}}));
        for stop in ["STOP", " stop ", "Stop.", "unsubscribe", "Opt  out", "STOPALL!"] {
            assert_eq!(text(stop), Some(false), "{stop}");
        }
        for start in ["START", "start", "Unstop"] {
            assert_eq!(text(start), Some(true), "{start}");
        }
        for neither in ["", "stop it", "please stop", "don't stop", "bus stop", "cancel", "yes", "stopp"] {
            assert_eq!(text(neither), None, "{neither}");
        }
    }

    #[test]
    fn a_tap_on_a_button_counts_as_its_text_or_its_payload() {
        let words = Words::new("Abmelden, STOP", "");
        assert_eq!(words.wish("button", &json!({"button": {"text": "Abmelden", "payload": "x"}})), Some(false));
        assert_eq!(words.wish("button", &json!({"button": {"text": "Nein danke", "payload": "STOP"}})), Some(false));
        let reply = json!({"interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "abmelden"}}});
        assert_eq!(words.wish("interactive", &reply), Some(false));
        assert_eq!(words.wish("image", &json!({"image": {"caption": "STOP"}})), None);
        assert_eq!(words.wish("text", &json!({"text": {"body": "START"}})), None);
    }
}
