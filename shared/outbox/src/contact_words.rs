//! What is told of a contact, in plain words: why WhatsApp, or we, take no message to them, and what to do about it.

use jiff::Timestamp;
use storage::{OptOut, OptOutBy};

use crate::window::{LastWrote, closes_at};

/// Meta: "Error codes", 131047. `templates` are some that it would take.
pub(crate) fn window_closed(last_wrote: LastWrote, now: Timestamp, templates: &[String]) -> String {
    let why = match last_wrote {
        LastWrote::At(at) if closes_at(at) <= now => {
            format!("More than 24 hours have passed since this contact last wrote, on {}.", moment(at))
        }
        // WhatsApp counts by its own clock, and knows better.
        LastWrote::At(at) => format!(
            "More than 24 hours have passed since this contact last wrote, says WhatsApp, although a message of theirs \
             came on {}.",
            moment(at)
        ),
        LastWrote::Never => {
            "This contact has not written in the last 24 hours, and as far as is known here they never wrote."
                .to_owned()
        }
        LastWrote::NotKnown => "More than 24 hours have passed since this contact last wrote.".to_owned(),
    };
    let such_as = if templates.is_empty() { String::new() } else { format!(", such as {}", templates.join(", ")) };
    format!("{why} WhatsApp now takes only approved templates{such_as}.")
}

/// No message of the contact is known: whether the window is open is not known either.
pub(crate) fn window_unknown() -> String {
    "No message of this contact is known here. WhatsApp takes this one only if they wrote in the last 24 hours."
        .to_owned()
}

/// Meta: "Error codes", 130403. `since` is `None` where we don't know.
pub(crate) fn blocked(since: Option<Timestamp>) -> String {
    let since = match since {
        Some(since) => format!("This account blocks this contact, since {}.", moment(since)),
        None => "This account blocks this contact; since when is not known here.".to_owned(),
    };
    format!("{since} To write to them, unblock them first: DELETE /whatsapp/api/unblock/.")
}

/// Meta: "Error codes", 131050. `opt_out` is `None` where we don't know.
pub(crate) fn opted_out_of_marketing(opt_out: Option<OptOut>) -> String {
    let how = opt_out.map_or_else(|| "; since when is not known here".to_owned(), how);
    format!("This contact opted out of marketing messages{how}. Templates of other categories can still be sent.")
}

/// We don't send a template to a contact who opted out.
pub(crate) fn opted_out(opt_out: OptOut) -> String {
    format!(
        "This contact opted out{}. A message that they need, such as a code or an order update, may be sent with \
         \"despite_opt_out\": true.",
        how(opt_out)
    )
}

/// The contact opted out, and this message is sent all the same.
pub(crate) fn sent_despite_opt_out(opt_out: OptOut) -> String {
    format!("This contact opted out{}. This message is sent all the same.", how(opt_out))
}

fn how(OptOut { since, by }: OptOut) -> String {
    let by = match by {
        OptOutBy::Word => "by a message such as STOP",
        OptOutBy::WhatsApp => "by WhatsApp's own switch",
        OptOutBy::Before => "in the program that was used before",
    };
    format!(" on {}, {by}", moment(since))
}

fn moment(at: Timestamp) -> impl std::fmt::Display {
    at.strftime("%Y-%m-%d at %H:%M UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_closed_window_is_told_by_what_is_known_of_the_contact_and_names_templates() {
        let now = at("2026-01-02T03:04:05.678Z");
        let names = ["hello_world (en_US)".to_owned(), "order_update (en)".to_owned()];
        let a_day_ago = at("2026-01-01T03:04:05.678Z");
        for (last_wrote, templates, words) in [
            (
                LastWrote::At(a_day_ago),
                &names[..],
                "More than 24 hours have passed since this contact last wrote, on 2026-01-01 at 03:04 UTC. WhatsApp now \
                 takes only approved templates, such as hello_world (en_US), order_update (en).",
            ),
            (
                LastWrote::At(at("2026-01-01T03:04:05.679Z")),
                &[],
                "More than 24 hours have passed since this contact last wrote, says WhatsApp, although a message of \
                 theirs came on 2026-01-01 at 03:04 UTC. WhatsApp now takes only approved templates.",
            ),
            (
                LastWrote::Never,
                &names[..1],
                "This contact has not written in the last 24 hours, and as far as is known here they never wrote. \
                 WhatsApp now takes only approved templates, such as hello_world (en_US).",
            ),
            (
                LastWrote::NotKnown,
                &[],
                "More than 24 hours have passed since this contact last wrote. WhatsApp now takes only approved templates.",
            ),
        ] {
            assert_eq!(window_closed(last_wrote, now, templates), words);
        }
    }

    #[test]
    fn a_block_and_an_opt_out_are_told_with_their_date_or_as_of_unknown_date() {
        let since = at("2025-12-31T23:59:59.999Z");
        assert!(blocked(Some(since)).starts_with("This account blocks this contact, since 2025-12-31 at 23:59 UTC. "));
        assert!(blocked(None).starts_with("This account blocks this contact; since when is not known here. "));
        let by = |by| opted_out_of_marketing(Some(OptOut { since, by }));
        let opted_out = "This contact opted out of marketing messages";
        assert!(
            by(OptOutBy::Word)
                .starts_with(&format!("{opted_out} on 2025-12-31 at 23:59 UTC, by a message such as STOP. "))
        );
        assert!(by(OptOutBy::WhatsApp).contains(" UTC, by WhatsApp's own switch. "));
        assert!(opted_out_of_marketing(None).starts_with(&format!("{opted_out}; since when is not known here. ")));
    }
}
