//! What Meta's codes mean to the people who send: the one table from a code (Meta's page "Error codes") to plain words.
//!
//! A code says the same whether Meta refuses a message at once or a status webhook tells later that it failed.

/// What a code of Meta's means for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Why the message did not arrive: a sentence for a person.
    pub reason: &'static str,
    /// What helps: a sentence or two for a person.
    pub what_to_do: &'static str,
    /// Whether the same message may pass later with nothing changed. Sent again, it is a new message.
    pub retryable: bool,
}

/// Reads a code of Meta's. A code that Meta has added since gets words that hold for any.
#[expect(clippy::too_many_lines, reason = "it is one table")]
pub const fn advice(code: i64) -> Advice {
    match code {
        // The token, the app and their permissions.
        0 | 102 | 104 | 190 | 463 => fixed(
            "WhatsApp does not accept the account's access token.",
            "Whoever runs this service puts in a new access token; then send it again.",
        ),
        3 | 10 | 200..=299 | 131_005 => fixed(
            "The account's access token lacks a permission that WhatsApp asks for.",
            "Whoever runs this service gives the token the permission whatsapp_business_messaging; then send it again.",
        ),
        139_200 => fixed(
            "WhatsApp does not allow the account to send in this way.",
            "Send an approved template, or ask Meta's support to allow it.",
        ),
        141_010 => fixed(
            "Meta has not verified the business.",
            "Finish the business verification in Meta's Business Manager; then send it again.",
        ),
        // The account.
        368 => fixed(
            "WhatsApp has restricted the account for breaking its policy.",
            "See in WhatsApp Manager why and until when, and appeal there; send it again once the restriction is lifted.",
        ),
        131_031 => fixed(
            "WhatsApp has locked the account.",
            "See in WhatsApp Manager why, and appeal there; send it again once the account is unlocked.",
        ),
        130_497 => fixed(
            "The account may not write to the contact's country.",
            "Write to this contact by another way, or ask Meta's support which countries are open to the account.",
        ),
        131_042 | 131_044 => fixed(
            "WhatsApp can't charge the account: the payment method is missing or does not work.",
            "Mend the payment method in Meta's Business Manager; then send it again.",
        ),
        131_037 => fixed(
            "The display name of the sending number is not approved.",
            "Have the display name approved in WhatsApp Manager; then send it again.",
        ),
        33 => fixed(
            "The sending number does not exist, or the access token may not use it.",
            "Whoever runs this service checks the account's phone number id and token; then send it again.",
        ),
        131_045 | 133_000 | 133_005..=133_010 => fixed(
            "The sending number is not registered as it should be.",
            "Register the number again in WhatsApp Manager; then send it again.",
        ),
        133_015 => fixed(
            "The sending number was deleted a moment ago.",
            "Wait five minutes, register the number again, and send it again.",
        ),
        134_011 => fixed(
            "The account has not accepted the terms of WhatsApp's payments.",
            "Accept the terms in WhatsApp Manager; then send it again.",
        ),
        131_063 | 134_102 => fixed(
            "The account can't send marketing templates in this way.",
            "See in WhatsApp Manager how the account may send marketing templates.",
        ),
        // Too much at once.
        4 | 17 | 32 | 341 | 613 | 80_007 => again(
            "The account made too many calls to WhatsApp for the moment.",
            "Wait some minutes, and send it again more slowly.",
        ),
        130_429 => again(
            "The sending number sent more messages a second than WhatsApp takes from it.",
            "Send it again in some seconds, and spread messages over time.",
        ),
        131_056 => again(
            "Too many messages went to this contact in a short time.",
            "Wait a minute before writing to this contact again; WhatsApp takes about one message in 6 seconds.",
        ),
        131_048 => again(
            "WhatsApp limits the sending number, since too many of its messages were blocked or reported as spam.",
            "See the number's quality in WhatsApp Manager, write only to those who expect it, and wait some hours at least.",
        ),
        131_064 => again(
            "WhatsApp limits the account, since templates of it are in a wrong category.",
            "Mend the categories of the templates in WhatsApp Manager, and send it again in some hours.",
        ),
        133_016 => again(
            "The sending number was registered too often.",
            "Wait until the number can be registered again, which takes up to 72 hours; then send it again.",
        ),
        132_069 => again("The Flow is limited, since it works badly.", "Mend the Flow, and send it again in an hour."),
        // WhatsApp itself.
        1 => again(
            "WhatsApp failed, or did not understand the request.",
            "Send it again once. Should that fail too, compare the request with the documentation.",
        ),
        2 | 131_000 | 131_016 | 133_004 => {
            again("WhatsApp failed for a reason of its own.", "Send it again in some minutes.")
        }
        131_057 | 2_494_100 => {
            again("WhatsApp is working on the account for a moment.", "Send it again in some minutes.")
        }
        134_101 => again("WhatsApp does not know the template everywhere yet.", "Wait ten minutes, and send it again."),
        // The contact.
        131_026 => fixed(
            "It can't be delivered: the number is not on WhatsApp, its WhatsApp is too old, or its owner has not accepted \
             WhatsApp's terms.",
            "Check the number, and ask the contact by another way to update WhatsApp.",
        ),
        131_047 => fixed(
            "The contact last wrote more than 24 hours ago.",
            "Send an approved template; other messages pass within 24 hours after the contact writes.",
        ),
        131_049 => fixed(
            "WhatsApp did not deliver it, to keep this contact from getting too many marketing messages.",
            "Wait 24 hours at least before sending marketing to this contact again; repeating it at once makes it worse.",
        ),
        131_050 => fixed(
            "The contact wants no marketing messages from this business.",
            "Send no more marketing to this contact until they allow it again.",
        ),
        130_403 => fixed("This business blocks the contact.", "Unblock the contact before writing to them."),
        130_472 => fixed(
            "The contact takes part in an experiment of Meta's, in which they get no marketing messages.",
            "Write when the contact has written within 24 hours, or send a template that is no marketing.",
        ),
        131_021 => fixed("The number sends to itself.", "Give the number of somebody else."),
        131_030 => fixed(
            "The number that sends is a test number, and the contact is not on its list.",
            "Add the contact's number to the list in Meta's app dashboard, or send from a real number.",
        ),
        131_062 => fixed(
            "A message of this kind can't go to a contact known by their user id alone.",
            "Send it to the contact's phone number.",
        ),
        137_000 => fixed(
            "The contact has another phone or WhatsApp than when they were last verified.",
            "Verify who the contact is before sending it again.",
        ),
        // The message.
        131_051 => {
            fixed("WhatsApp does not support messages of this type.", "Send it as another type, such as a text.")
        }
        131_052 => fixed(
            "WhatsApp could not fetch the file that the contact sent.",
            "Ask the contact to send it again, or by another way.",
        ),
        131_053 => fixed(
            "WhatsApp could not use the file: its type or size is not allowed, or its address can't be read.",
            "Check the file's type, size and address, or upload it; then send it again.",
        ),
        100 | 131_008 | 131_009 | 135_000 => fixed(
            "WhatsApp does not accept something in the message.",
            "Look at the details, mend what they name, and send it again.",
        ),
        131_055 => fixed(
            "A message of this kind can't be sent in this way.",
            "Send it by another kind of message, such as a template.",
        ),
        131_020 | 131_041 | 131_201..=131_215 => {
            fixed("WhatsApp does not allow this in groups.", "Look at the details, or write to the members one by one.")
        }
        138_000..=138_018 => fixed(
            "WhatsApp does not allow the call.",
            "Ask the contact for the permission to call, and see in WhatsApp Manager whether calls are switched on.",
        ),
        139_000..=139_004 | 132_068 => fixed(
            "The Flow can't be sent.",
            "See in WhatsApp Manager what is wrong with the Flow, mend it, and send it again.",
        ),
        147_001..=147_005 => fixed(
            "WhatsApp does not accept the business's username.",
            "See in WhatsApp Manager what is wrong with the username.",
        ),
        // The template.
        132_000 | 132_008 | 132_012 | 132_018 => fixed(
            "The values do not fit the template: too many, too few, or of another kind.",
            "Compare the values with the template in WhatsApp Manager, and send it again.",
        ),
        132_001 => fixed(
            "There is no approved template of this name in this language.",
            "Check the name and the language in WhatsApp Manager, and that the template is approved.",
        ),
        132_005 => fixed("The template is too long with these values.", "Shorten the values, and send it again."),
        132_007 => fixed(
            "The template breaks WhatsApp's policy.",
            "See in WhatsApp Manager what is wrong with the template, and change it.",
        ),
        132_015 => fixed(
            "WhatsApp has paused the template, since its quality is low.",
            "Use another template, or wait until WhatsApp lifts the pause, mostly after 3 or 6 hours.",
        ),
        132_016 => fixed(
            "WhatsApp has switched the template off for good, since its quality was low.",
            "Make a new template, and use that.",
        ),
        134_100 => fixed("Only marketing templates can be sent in this way.", "Send the template as an ordinary one."),
        _ => fixed(
            "WhatsApp did not deliver it, for a reason that is not known here.",
            "Look at the details and at Meta's page \"Error codes\" before sending it again.",
        ),
    }
}

/// Something has to change first.
const fn fixed(reason: &'static str, what_to_do: &'static str) -> Advice {
    Advice { reason, what_to_do, retryable: false }
}

/// It may pass later as it is.
const fn again(reason: &'static str, what_to_do: &'static str) -> Advice {
    Advice { reason, what_to_do, retryable: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code that Meta tells, and some of each range.
    const KNOWN: [i64; 85] = [
        0, 1, 2, 3, 4, 10, 17, 32, 33, 100, 102, 104, 190, 200, 299, 341, 368, 463, 613, 80_007, 130_403, 130_429,
        130_472, 130_497, 131_000, 131_005, 131_008, 131_009, 131_016, 131_020, 131_021, 131_026, 131_030, 131_031,
        131_037, 131_041, 131_042, 131_044, 131_045, 131_047, 131_048, 131_049, 131_050, 131_051, 131_052, 131_053,
        131_055, 131_056, 131_057, 131_062, 131_063, 131_064, 131_201, 131_215, 132_000, 132_001, 132_005, 132_007,
        132_008, 132_012, 132_015, 132_016, 132_018, 132_068, 132_069, 133_000, 133_004, 133_005, 133_010, 133_015,
        133_016, 134_011, 134_100, 134_101, 134_102, 135_000, 137_000, 138_000, 138_018, 139_000, 139_004, 139_200,
        141_010, 147_001, 2_494_100,
    ];

    #[test]
    fn every_code_that_a_message_can_meet_has_words_of_its_own() {
        let unknown = advice(999_999);
        for code in KNOWN {
            assert_ne!(advice(code), unknown, "{code}");
        }
        for code in [i64::MIN, -1, 5, 300, 131_999, i64::MAX] {
            assert_eq!(advice(code), unknown, "{code}");
        }
    }

    #[test]
    fn advice_is_whole_sentences_that_need_no_knowledge_of_metas_codes() {
        for code in KNOWN.into_iter().chain([999_999]) {
            let Advice { reason, what_to_do, .. } = advice(code);
            for words in [reason, what_to_do] {
                assert!(words.ends_with('.') && words.starts_with(|first: char| first.is_ascii_uppercase()), "{words}");
                assert!(words.len() < 200 && !words.contains("  ") && !words.contains("13"), "{code}: {words}");
            }
        }
    }

    #[test]
    fn only_what_passes_by_itself_may_be_repeated() {
        let repeatable: Vec<_> = KNOWN.into_iter().filter(|code| advice(*code).retryable).collect();
        let expected = [
            1, 2, 4, 17, 32, 341, 613, 80_007, 130_429, 131_000, 131_016, 131_048, 131_056, 131_057, 131_064, 132_069,
            133_004, 133_016, 134_101, 2_494_100,
        ];
        assert_eq!(repeatable, expected);
    }
}
