//! What is known of a contact: in the words of a refusal, and in the way of a template.

use std::time::Duration;

use domain::{Error, Kind, PhoneNumber, SendState};
use meta_simulator::Fault as MetaFault;
use outbox::{Draft, Terms};
use storage::{Became, BlockEvent, BlockedContacts, Conversations, OptOutBy};

use crate::bed::{Bed, KEY, PHONE, chat, draft, template, terms};
use crate::wire::Fault;

/// Meta: "Error codes".
const WINDOW: i64 = 131_047;
const BLOCKED: i64 = 130_403;
const OPTED_OUT: i64 = 131_050;
/// What the simulator has.
const TEMPLATES: &str = "hello_world (en_US), order_update (en), appointment (en), spring_offer (en), ticket (en)";

impl Bed {
    /// Sends, and Meta refuses. Gives the words, which a replay repeats.
    async fn refused(&self, code: i64, key: &str) -> String {
        self.testbed.simulator.fail_next(MetaFault::Error(code), 1);
        let error = self.send(key).await.unwrap_err();
        let public = error.public();
        assert_eq!(
            (public.kind, public.retryable, &public.meta.as_ref().unwrap()["code"]),
            (Kind::Invalid, Some(false), &code.into())
        );
        // The internal side is not lost.
        assert!(error.source_chain().unwrap().contains(&code.to_string()));
        let stored = self.message(*self.posts().last().unwrap()).await;
        assert_eq!((stored.state, stored.failure().unwrap().message), (SendState::Rejected, public.message.clone()));
        let again = self.testbed.outbox.send(&self.caller, draft(), &terms(key)).await.unwrap_err();
        assert_eq!((again.public(), again.is_replayed()), (public, true));
        public.message.clone()
    }

    /// How often Meta was asked for its templates.
    fn lists(&self) -> usize {
        let lists = self.testbed.simulator.requests().into_iter();
        let lists = lists.filter(|request| request.path.ends_with("/message_templates"));
        // Each may have several pages.
        lists.filter(|request| !request.query.as_deref().unwrap_or_default().contains("after=")).count()
    }

    async fn block(&self, contact: &str) {
        let event = BlockEvent {
            account: domain::AccountId(1),
            contact: contact.to_owned(),
            phone_number: contact,
            became: Became::Blocked { reason: None },
            by: None,
            at: self.testbed.clock.now(),
        };
        BlockedContacts::new(&self.testbed.database).record(&event).await.unwrap();
    }
}

fn template_to(number: &str) -> Draft {
    Draft { to: PhoneNumber::parse(number, &domain::CountryCode::default()).unwrap(), ..template() }
}

fn despite_opt_out(key: &str) -> Terms {
    Terms { despite_opt_out: true, ..terms(key) }
}

fn assert_opted_out(error: &Error) {
    let public = error.public();
    let told = (public.kind, public.code.as_deref(), public.retryable, public.field.as_deref(), error.is_replayed());
    assert_eq!(told, (Kind::Invalid, Some("opted_out"), Some(false), None, false), "{}", public.message);
}

#[tokio::test]
async fn a_closed_window_is_told_with_when_the_contact_last_wrote_and_what_can_be_sent_instead() {
    let bed = Bed::start().await;
    assert_eq!(
        bed.refused(WINDOW, "never").await,
        format!(
            "This contact has not written in the last 24 hours, and as far as is known here they never wrote. WhatsApp now \
             takes only approved templates, such as {TEMPLATES}."
        )
    );
    bed.hear(25).await;
    assert_eq!(
        bed.refused(WINDOW, "25-hours-ago").await,
        format!(
            "More than 24 hours have passed since this contact last wrote, on 2026-01-01 at 02:04 UTC. WhatsApp now takes \
             only approved templates, such as {TEMPLATES}."
        )
    );
    bed.hear(1).await;
    assert!(bed.refused(WINDOW, "an-hour-ago").await.contains("says WhatsApp, although a message of theirs came on"));
}

#[tokio::test]
async fn a_message_to_a_contact_whose_window_is_known_to_be_closed_is_still_tried() {
    let bed = Bed::start().await;
    bed.hear(25).await;
    bed.send(KEY).await.unwrap();
    assert_eq!((bed.posts().len(), bed.received(), bed.lists()), (1, 1, 0));
}

#[tokio::test]
async fn the_names_of_templates_are_remembered_for_a_minute_also_that_there_were_none_to_learn() {
    for (fault, named) in [(None, true), (Some(MetaFault::Error(190)), false)] {
        let bed = Bed::start().await;
        let refused = async |key: &str| {
            bed.testbed.simulator.fail_next(MetaFault::Error(WINDOW), 1);
            bed.send(key).await.unwrap_err().public().message.contains(TEMPLATES)
        };
        bed.testbed.simulator.fail_next(MetaFault::Error(WINDOW), 1);
        if let Some(fault) = fault {
            bed.testbed.simulator.fail_next(fault, 1);
        }
        assert_eq!(bed.send("first").await.unwrap_err().public().message.contains(TEMPLATES), named);
        bed.testbed.clock.advance(Duration::from_millis(59_999));
        assert_eq!((refused("second").await, bed.lists()), (named, 1));
        bed.testbed.clock.advance(Duration::from_millis(1));
        assert_eq!((refused("third").await, bed.lists()), (true, 2));
    }
}

#[tokio::test]
async fn a_refusal_is_told_without_names_where_meta_does_not_list_its_templates_in_time() {
    for fault in [MetaFault::Error(4), MetaFault::CloseAfterRequest, MetaFault::GarbledOk, MetaFault::NeverAnswer] {
        let bed = Bed::start().await;
        bed.testbed.simulator.fail_next(MetaFault::Error(WINDOW), 1);
        bed.testbed.simulator.fail_next(fault.clone(), 1);
        // A client waits for more words 2 s at most: far less than Meta may take for a send.
        let sent = tokio::time::timeout(Duration::from_secs(10), bed.send(KEY)).await;
        let error = sent.unwrap().unwrap_err();
        let (words, stored) = (&error.public().message, bed.only_message().await);
        assert!(words.ends_with("WhatsApp now takes only approved templates."), "{fault:?}: {words}");
        assert_eq!((stored.state, &stored.failure().unwrap().message, bed.lists()), (SendState::Rejected, words, 1));
    }
}

#[tokio::test]
async fn with_the_storage_down_a_refusal_is_told_without_what_it_would_know() {
    for (code, operation, table, words) in [
        (WINDOW, "GetItem", "Conversations", "More than 24 hours have passed since this contact last wrote. "),
        (
            BLOCKED,
            "BatchGetItem",
            "BlockedContacts",
            "This account blocks this contact; since when is not known here. ",
        ),
        (
            OPTED_OUT,
            "GetItem",
            "Conversations",
            "This contact opted out of marketing messages; since when is not known ",
        ),
    ] {
        for fault in [Fault::ServerError, Fault::Silence] {
            let (bed, proxy) = Bed::with_proxy().await;
            bed.hear(25).await;
            bed.block(PHONE).await;
            bed.prefer(false, OptOutBy::Word).await;
            proxy.fail_always(operation, table, fault);
            let told = bed.refused(code, KEY).await;
            assert!(told.starts_with(words), "{code} {fault:?}: {told}");
        }
    }
}

#[tokio::test]
async fn a_blocked_contact_is_told_as_such_with_since_when_under_every_form_of_the_number() {
    let bed = Bed::start().await;
    let unknown = bed.refused(BLOCKED, "unknown").await;
    assert!(unknown.starts_with("This account blocks this contact; since when is not known here. "), "{unknown}");
    bed.block(PHONE).await;
    assert_eq!(
        bed.refused(BLOCKED, "known").await,
        "This account blocks this contact, since 2026-01-02 at 03:04 UTC. To write to them, unblock them first: DELETE \
         /whatsapp/api/unblock/."
    );
    bed.block("551188887777").await;
    bed.testbed.simulator.fail_next(MetaFault::Error(BLOCKED), 1);
    let error = bed.outbox.send(&bed.caller, template_to("+55 11 98888-7777"), &terms(KEY)).await.unwrap_err();
    assert!(error.public().message.contains(", since 2026-01-02 at 03:04 UTC."), "{}", error.public().message);
}

#[tokio::test]
async fn a_contact_who_opted_out_of_marketing_is_told_as_such_with_since_when_and_how() {
    let bed = Bed::start().await;
    let unknown = bed.refused(OPTED_OUT, "unknown").await;
    assert!(
        unknown.starts_with("This contact opted out of marketing messages; since when is not known here. "),
        "{unknown}"
    );
    bed.prefer(false, OptOutBy::WhatsApp).await;
    assert_eq!(
        bed.refused(OPTED_OUT, "known").await,
        "This contact opted out of marketing messages on 2026-01-02 at 03:04 UTC, by WhatsApp's own switch. Templates of \
         other categories can still be sent."
    );
}

#[tokio::test]
async fn a_template_to_a_contact_who_opted_out_is_refused_before_anything_is_written_or_sent() {
    for (by, how) in [(OptOutBy::Word, "by a message such as STOP"), (OptOutBy::WhatsApp, "by WhatsApp's own switch")] {
        let bed = Bed::start().await;
        bed.prefer(false, by).await;
        let before = bed.dump().await;
        for terms in [terms(KEY), Terms { idempotency_key: None, ..terms(KEY) }] {
            let error = bed.outbox.send(&bed.caller, template(), &terms).await.unwrap_err();
            assert_opted_out(&error);
            assert_eq!(
                error.public().message,
                format!(
                    "This contact opted out on 2026-01-02 at 03:04 UTC, {how}. A message that they need, such as a code \
                     or an order update, may be sent with \"despite_opt_out\": true."
                )
            );
        }
        assert_eq!((bed.dump().await, bed.testbed.simulator.requests().len()), (before, 0));
        // A message that is no template is an answer.
        bed.send("an-answer").await.unwrap();
        // The refusal left nothing that is in the way of the same key.
        let sent = bed.outbox.send(&bed.caller, template(), &despite_opt_out(KEY)).await.unwrap();
        assert!(!sent.replayed);
        // It is the same message with and without the word.
        let again = bed.outbox.send(&bed.caller, template(), &terms(KEY)).await.unwrap();
        assert_eq!((again.replayed, again.message_id, bed.received()), (true, sent.message_id, 2));
    }
}

#[tokio::test]
async fn an_opt_out_counts_for_every_form_of_the_number_and_for_its_account_alone_until_it_is_taken_back() {
    let bed = Bed::start().await;
    let conversations = Conversations::new(&bed.testbed.database);
    let at = bed.testbed.clock.now();
    conversations.preferred(&chat(1, "551188887777"), false, OptOutBy::Word, at).await.unwrap();
    let send = async |key: &str, draft: Draft| bed.outbox.send(&bed.caller, draft, &terms(key)).await;
    for number in ["551188887777", "+55 11 98888-7777"] {
        assert_opted_out(&send(KEY, template_to(number)).await.unwrap_err());
    }
    let from_another =
        Draft { account_id: Some(domain::AccountId(testbed::SECOND_ACCOUNT)), ..template_to("551188887777") };
    send("another-account", from_another).await.unwrap();
    send("another-contact", template()).await.unwrap();
    let later = at + Duration::from_millis(1);
    conversations.preferred(&chat(1, "5511988887777"), true, OptOutBy::Word, later).await.unwrap();
    assert!(!send(KEY, template_to("551188887777")).await.unwrap().replayed);
}

#[tokio::test]
async fn what_was_sent_before_an_opt_out_is_replayed_after_it() {
    let bed = Bed::start().await;
    let send = async |key: &str| bed.outbox.send(&bed.caller, template(), &terms(key)).await;
    let first = send("sent").await.unwrap();
    bed.testbed.simulator.fail_next(MetaFault::Error(132_001), 1);
    let refused = send("refused").await.unwrap_err();
    bed.testbed.simulator.fail_next(MetaFault::AcceptedThenReset, 1);
    send("unknown").await.unwrap_err();
    bed.testbed.simulator.fail_next(MetaFault::Error(130_429), 1);
    send("throttled").await.unwrap_err();
    let posts = bed.posts().len();

    bed.prefer(false, OptOutBy::Word).await;
    let before = bed.dump().await;
    let again = send("sent").await.unwrap();
    assert_eq!((again.answer.get(), again.message_id, again.replayed), (first.answer.get(), first.message_id, true));
    let again = send("refused").await.unwrap_err();
    assert_eq!((again.public(), again.is_replayed()), (refused.public(), true));
    assert_eq!(send("unknown").await.unwrap_err().kind(), Kind::OutcomeUnknown);
    let other = Draft { reply_to: Some("wamid.X".to_owned()), ..template() };
    let mismatch = bed.outbox.send(&bed.caller, other, &terms("sent")).await.unwrap_err();
    assert_eq!(mismatch.kind(), Kind::KeyReused);
    // What was surely not sent would be sent now, and is not.
    assert_opted_out(&send("throttled").await.unwrap_err());
    assert_eq!((bed.dump().await, bed.posts().len()), (before, posts));

    bed.testbed.clock.advance(Duration::from_secs(1));
    bed.prefer(true, OptOutBy::Word).await;
    assert!(!send("throttled").await.unwrap().replayed);
}

#[tokio::test]
async fn a_key_reserved_by_somebody_who_died_is_waited_for_then_refused_and_free_again_after_the_opt_out() {
    let (bed, proxy) = Bed::with_proxy().await;
    let (outbox, terms) = (&bed.testbed.outbox, terms(KEY));
    proxy.fail("PutItem", "Messages", Fault::Hold, 1);
    tokio::select! {
        biased;
        () = crate::bed::until(|| proxy.holds()) => {}
        sent = bed.outbox.send(&bed.caller, template(), &terms) => panic!("{sent:?}"),
    }
    bed.prefer(false, OptOutBy::Word).await;
    assert_eq!(outbox.send(&bed.caller, template(), &terms).await.unwrap_err().kind(), Kind::InFlight);
    bed.testbed.clock.advance(Duration::from_secs(10));
    assert_opted_out(&outbox.send(&bed.caller, template(), &terms).await.unwrap_err());
    bed.prefer(true, OptOutBy::Word).await;
    assert!(!outbox.send(&bed.caller, template(), &terms).await.unwrap().replayed);
    assert_eq!(bed.posts().len(), 1);
}

#[tokio::test]
async fn a_template_is_not_sent_while_nobody_can_tell_whether_the_contact_opted_out() {
    for fault in [Fault::ServerError, Fault::HangUp, Fault::Throttle] {
        let (bed, proxy) = Bed::with_proxy().await;
        proxy.fail_always("GetItem", "Conversations", fault);
        let before = bed.dump().await;
        let error = bed.outbox.send(&bed.caller, template(), &terms(KEY)).await.unwrap_err();
        let told = (error.kind(), error.public().code.as_deref());
        assert_eq!(told, (Kind::Unavailable, Some("storage_unavailable")), "{fault:?}");
        assert_eq!((bed.dump().await, bed.posts().len()), (before, 0), "{fault:?}");
        // Nobody asks about these.
        bed.send("an-answer").await.unwrap();
        bed.outbox.send(&bed.caller, template(), &despite_opt_out("despite")).await.unwrap();
        proxy.heal();
        assert!(!bed.outbox.send(&bed.caller, template(), &terms(KEY)).await.unwrap().replayed, "{fault:?}");
    }
}

#[tokio::test]
async fn with_the_storage_down_a_key_of_a_contact_who_opted_out_is_an_outage() {
    for (operation, table) in [("GetItem", "IdempotencyKeys"), ("GetItem", "Messages")] {
        let (bed, proxy) = Bed::with_proxy().await;
        bed.outbox.send(&bed.caller, template(), &terms(KEY)).await.unwrap();
        bed.prefer(false, OptOutBy::Word).await;
        proxy.fail_always(operation, table, Fault::ServerError);
        let error = bed.outbox.send(&bed.caller, template(), &terms(KEY)).await.unwrap_err();
        assert_eq!((error.kind(), bed.posts().len()), (Kind::Unavailable, 1), "{table}");
    }
}
