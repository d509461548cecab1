//! Refusals that are about the contact, told with what is known of them.

use std::time::Duration;

use domain::{Account, Contact, Error, Kind, PhoneNumber, PublicError, Result};
use storage::{BlockedContact, Chat, Conversation};

use crate::contact_words as words;
use crate::outbox::{Outbox, Prepared};
use crate::window::LastWrote;

/// The longest that a client waits for more words about a refusal.
const WORDS_TIME: Duration = Duration::from_secs(2);

impl Outbox {
    /// Why a template is not sent to a contact who opted out. `None`: they did not, as far as is known.
    pub(crate) async fn objection(&self, prepared: &Prepared<'_>) -> Result<Option<Error>> {
        let conversation = self.conversation(prepared.account, &prepared.to).await?;
        let opt_out = conversation.and_then(|conversation| conversation.opted_out());
        Ok(opt_out
            .map(|opt_out| Error::new(Kind::Invalid, words::opted_out(opt_out)).code("opted_out").retryable(false)))
    }

    /// Puts Meta's refusal into plain words if it is about the contact. What can't be learnt within `time_left` is left out;
    /// so the refusal itself is told in any case.
    pub(crate) async fn in_plain_words(&self, error: Error, prepared: &Prepared<'_>, time_left: Duration) -> Error {
        let (account, to, time) = (prepared.account, &prepared.to, time_left.min(WORDS_TIME));
        let message = match error.public().code.as_deref() {
            Some("window_closed") => {
                let (read, templates) = futures::join!(
                    learnt(time, self.conversation(account, to)),
                    self.templates.some(account, &self.whatsapp, &self.clock, time),
                );
                words::window_closed(LastWrote::in_conversation(read.as_ref()), self.clock.now(), &templates)
            }
            Some("recipient_blocked") => {
                let blocked = learnt(time, self.blocked_contact(account, to)).await.flatten();
                words::blocked(blocked.map(|contact| contact.blocked_at))
            }
            Some("opted_out") => {
                let conversation = learnt(time, self.conversation(account, to)).await.flatten();
                words::opted_out_of_marketing(conversation.and_then(|conversation| conversation.opted_out()))
            }
            _ => return error,
        };
        let in_words = Error::from(PublicError { message, ..error.public().clone() });
        match error.source_chain() {
            Some(cause) => in_words.caused_by(cause),
            None => in_words,
        }
    }

    /// What is known of an account's conversation with whoever has this number.
    pub(crate) async fn conversation(&self, account: &Account, to: &PhoneNumber) -> Result<Option<Conversation>> {
        self.conversations.get(&Chat { account_id: account.id, contact: contact(to)? }).await
    }

    /// Whoever has this number, if the account blocks them.
    pub(crate) async fn blocked_contact(&self, account: &Account, to: &PhoneNumber) -> Result<Option<BlockedContact>> {
        self.blocked_contacts.get(account.id, &contact(to)?).await
    }
}

fn contact(to: &PhoneNumber) -> Result<Contact> {
    Contact::of_number(to.as_digits()).ok_or_else(|| Error::internal("a phone number that is nobody's"))
}

/// What was learnt in time.
async fn learnt<T>(time: Duration, reading: impl Future<Output = Result<T>>) -> Option<T> {
    let reading = tokio::time::timeout(time, Box::pin(reading)).await;
    match reading.unwrap_or_else(|late| Err(Error::storage(late))) {
        Ok(known) => Some(known),
        Err(error) => {
            tracing::warn!(cause = error.source_chain(), "a refusal is told without what is known of the contact");
            None
        }
    }
}
