//! A campaign's message: sent once to each person however often and by however many it is tried, and sent later where it
//! surely was not.

mod crashes;
mod fates;
mod left_out;
mod schedules;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Account, CampaignId, Contact, Member, MessageId, RecipientRef, SendState};
use futures::future::join_all;
use meta_simulator::Fault;
use outbox::{CampaignMessage, DELIVERY_TIME, Fate, Outbox, Trouble};
use storage::{Chat, Conversation, Conversations, Message, Messages, Report, Status, Stored};
use testbed::SECOND_ACCOUNT;
use whatsapp::{Content, Template};

use crate::bed::{Bed, PHONE, account, draft, terms, until};

const KEY_ID: &str = "key-of-the-campaign";
const A_MOMENT: Duration = Duration::from_millis(1);
/// The last moment at which whoever began still may be at it.
const JUST_UNDER_WAY: Duration = DELIVERY_TIME.saturating_sub(A_MOMENT);

/// Somebody whom a campaign writes to.
#[derive(Clone)]
pub(crate) struct Recipient {
    reference: RecipientRef,
    number: String,
    account: Account,
    content: Content,
}

impl Recipient {
    /// Whoever has this number, in the first try of a campaign.
    pub(crate) fn of_number(number: &str) -> Self {
        let member = Member::new(5, 0).unwrap();
        Self {
            reference: RecipientRef { campaign_id: CampaignId(7), chunk: 2, member },
            number: number.to_owned(),
            account: account(1),
            content: Template::new("hello_world", "en_US").into(),
        }
    }

    fn contact(&self) -> Contact {
        Contact::of_number(&self.number).unwrap()
    }

    fn id(&self) -> MessageId {
        MessageId::in_campaign(self.reference.campaign_id, &self.contact(), self.reference.member.attempt())
    }

    pub(crate) async fn deliver(&self, outbox: &Outbox) -> domain::Result<Fate> {
        let message = CampaignMessage {
            recipient: self.reference,
            contact: &self.contact(),
            account: &self.account,
            to: &self.number,
            content: self.content.clone(),
            key_id: KEY_ID,
        };
        Box::pin(outbox.deliver(message)).await
    }
}

impl Bed {
    async fn deliver(&self, recipient: &Recipient) -> Fate {
        recipient.deliver(&self.outbox).await.unwrap()
    }

    /// As another machine delivers it, with nothing on its way to the tables or to Meta.
    async fn deliver_elsewhere(&self, recipient: &Recipient) -> Fate {
        recipient.deliver(&self.another_outbox()).await.unwrap()
    }

    /// Delivers, and dies as soon as `happened`.
    async fn deliver_and_die_when(&self, recipient: &Recipient, happened: impl Fn() -> bool) {
        tokio::select! {
            biased;
            () = until(happened) => {}
            fate = self.deliver(recipient) => panic!("it should have died before it was known: {fate:?}"),
        }
    }

    /// What the recipient's conversation shows.
    async fn shown(&self, recipient: &Recipient) -> Vec<MessageId> {
        let chat = Chat { account_id: recipient.account.id, contact: recipient.contact() };
        let page = Messages::new(&self.testbed.database).newest(&chat, None, 10).await.unwrap();
        let id = |stored| match stored {
            Stored::Sent(message) => message.new.id,
            other => panic!("{other:?}"),
        };
        page.rows.into_iter().map(id).collect()
    }

    async fn conversation(&self, recipient: &Recipient) -> Option<Conversation> {
        let chat = Chat { account_id: recipient.account.id, contact: recipient.contact() };
        Conversations::new(&self.testbed.database).get(&chat).await.unwrap()
    }

    /// The message's row, which must be there.
    async fn row(&self, recipient: &Recipient) -> Message {
        self.message(recipient.id()).await
    }

    /// A status webhook tells that the message was sent.
    async fn hear_of(&self, recipient: &Recipient) {
        let report = Report {
            account_id: recipient.account.id,
            message_id: Some(recipient.id()),
            wamid: "wamid.told".to_owned(),
            recipient: Some(recipient.number.clone()),
            status: Status::Sent,
            at: self.testbed.clock.now(),
            content: "{}".to_owned(),
        };
        let messages = Messages::new(&self.testbed.database);
        let message = messages.reported(&report).await.unwrap().unwrap();
        messages.settle(&message, &report).await.unwrap();
    }
}

#[tokio::test]
async fn what_meta_gets_and_what_is_stored_of_it_is_the_campaigns_message_under_its_own_id() {
    let bed = Bed::start().await;
    let recipient = Recipient::of_number(PHONE);
    assert_eq!(bed.deliver(&recipient).await, Fate::Sent);
    assert_eq!(bed.posts(), [recipient.id()]);
    let post = bed.testbed.simulator.requests().pop().unwrap();
    assert_eq!(post.path, format!("/v25.0/{}/messages", recipient.account.phone_number_id));
    let posted = post.json.unwrap();
    assert_eq!((&posted["to"], &posted["template"]["name"]), (&PHONE.into(), &"hello_world".into()));

    let Message { new, state, wamid, answer, .. } = bed.only_message().await;
    assert_eq!((new.id, new.campaign, new.account_id), (recipient.id(), Some(recipient.reference), account(1).id));
    assert_eq!((new.phone.as_str(), new.key_id.as_str()), (PHONE, KEY_ID));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&new.content).unwrap(), posted);
    let now = bed.testbed.clock.now();
    assert_eq!((new.created_at, new.deadline_at), (now, now + DELIVERY_TIME));
    let on_phone = bed.testbed.simulator.phone(PHONE).pop().unwrap();
    assert_eq!((state, wamid.as_deref()), (SendState::Accepted, Some(on_phone.id.as_str())));
    assert!(answer.unwrap().contains(&on_phone.id));
}

#[tokio::test]
async fn a_message_is_known_by_its_campaign_its_contact_and_its_try_alone() {
    let bed = Bed::start().await;
    let number = "5511988887777";
    let first = Recipient::of_number(number);
    assert_eq!(bed.deliver(&first).await, Fate::Sent);
    let in_chunk =
        |chunk, index, attempt| RecipientRef { chunk, member: Member::new(index, attempt).unwrap(), ..first.reference };
    let content = Template::new("order_update", "en").into();
    for same in [
        Recipient { reference: in_chunk(3, 5, 0), ..first.clone() },
        Recipient { reference: in_chunk(2, 99, 0), ..first.clone() },
        Recipient { number: "551188887777".to_owned(), ..first.clone() },
        Recipient { account: account(SECOND_ACCOUNT), ..first.clone() },
        Recipient { content, ..first.clone() },
    ] {
        assert_eq!((same.id(), bed.deliver_elsewhere(&same).await), (first.id(), Fate::Sent));
    }
    assert_eq!(bed.posts(), [first.id()]);

    let others = [
        Recipient { reference: in_chunk(2, 5, 1), ..first.clone() },
        Recipient { reference: RecipientRef { campaign_id: CampaignId(8), ..first.reference }, ..first.clone() },
        Recipient { number: PHONE.to_owned(), ..first.clone() },
    ];
    for other in &others {
        assert_eq!(bed.deliver(other).await, Fate::Sent);
    }
    let expected: Vec<_> = std::iter::once(&first).chain(&others).map(Recipient::id).collect();
    assert_eq!(bed.posts(), expected);
    assert_eq!(expected.iter().collect::<BTreeSet<_>>().len(), 4);
}

#[tokio::test]
async fn a_message_that_another_delivers_is_under_way_until_its_deadline_then_unknown_and_never_sent_again() {
    let bed = Bed::start().await;
    let recipient = Recipient::of_number(PHONE);
    let until = bed.testbed.clock.now() + DELIVERY_TIME;
    bed.testbed.simulator.fail_next(Fault::AcceptedThenSilence, 1);
    bed.deliver_and_die_when(&recipient, || bed.received() == 1).await;
    for wait in [Duration::ZERO, JUST_UNDER_WAY] {
        bed.testbed.clock.advance(wait);
        assert_eq!(bed.deliver(&recipient).await, Fate::UnderWay { until });
        assert_eq!(bed.deliver_elsewhere(&recipient).await, Fate::UnderWay { until });
    }
    for wait in [A_MOMENT, Duration::from_hours(48)] {
        bed.testbed.clock.advance(wait);
        assert_eq!(bed.deliver(&recipient).await, Fate::Unknown { slow: None });
        assert_eq!(bed.deliver_elsewhere(&recipient).await, Fate::Unknown { slow: None });
    }
    bed.hear_of(&recipient).await;
    assert_eq!(bed.deliver(&recipient).await, Fate::Sent);
    assert_eq!((bed.posts(), bed.received()), (vec![recipient.id()], 1));
}

#[tokio::test]
async fn those_who_deliver_side_by_side_reach_meta_once() {
    const ROUNDS: usize = 60;
    let bed = Bed::start().await;
    let outboxes = [bed.outbox.clone(), bed.another_outbox(), bed.another_outbox()];
    let mut waited = 0;
    for round in 0..ROUNDS {
        let recipient = Recipient::of_number(&format!("9198{round:08}"));
        let together = 2 + round % 2;
        let fates = join_all(outboxes.iter().take(together).map(|outbox| recipient.deliver(outbox))).await;
        let until = bed.testbed.clock.now() + DELIVERY_TIME;
        let of = |wanted: &Fate| fates.iter().filter(|fate| fate.as_ref().unwrap() == wanted).count();
        let (sent, under_way) = (of(&Fate::Sent), of(&Fate::UnderWay { until }));
        assert!(sent >= 1 && sent + under_way == together, "{fates:?}");
        assert_eq!((bed.posts().len(), bed.row(&recipient).await.state), (round + 1, SendState::Accepted));
        waited += under_way;
    }
    let accepted = bed.testbed.simulator.accepted_by_phone();
    assert!(accepted.len() == ROUNDS && accepted.values().all(|times| *times == 1), "{accepted:?}");
    assert!(waited > ROUNDS / 2, "they hardly met: {waited}");
}

#[tokio::test]
async fn what_was_put_back_is_claimed_anew_and_sent_once_however_many_deliver_it() {
    let bed = Bed::start().await;
    let recipient = Recipient::of_number(PHONE);
    bed.testbed.simulator.fail_next(Fault::Error(130_429), 1);
    assert!(matches!(bed.deliver(&recipient).await, Fate::PutBack(Trouble::Number(_))));
    let first = bed.row(&recipient).await;
    assert_eq!((first.state, bed.shown(&recipient).await), (SendState::Pending, vec![]));

    // Long after the first deadline: it has one of its own.
    bed.testbed.clock.advance(Duration::from_mins(10));
    let until = bed.testbed.clock.now() + DELIVERY_TIME;
    let outboxes: Vec<_> = (0..8).map(|_| bed.another_outbox()).collect();
    let fates = join_all(outboxes.iter().map(|outbox| recipient.deliver(outbox))).await;
    let is_one_of = |fate: &Fate| matches!(fate, Fate::Sent) || *fate == Fate::UnderWay { until };
    assert!(fates.iter().all(|fate| is_one_of(fate.as_ref().unwrap())), "{fates:?}");
    assert!(fates.iter().any(|fate| matches!(fate, Ok(Fate::Sent))), "{fates:?}");
    assert_eq!((bed.posts(), bed.received()), (vec![recipient.id(); 2], 1));
    let second = bed.row(&recipient).await;
    assert_eq!((second.state, second.new.deadline_at), (SendState::Accepted, until));
    assert_ne!(second.owner, first.owner);
    assert_eq!(bed.shown(&recipient).await, [recipient.id()]);
}

#[tokio::test]
async fn a_conversation_is_moved_when_meta_has_the_message_and_not_before() {
    let bed = Bed::start().await;
    let recipient = Recipient::of_number(PHONE);
    let again = |attempt| {
        let member = Member::new(5, attempt).unwrap();
        Recipient { reference: RecipientRef { member, ..recipient.reference }, ..recipient.clone() }
    };
    let moved_at = async || bed.conversation(&recipient).await.and_then(|conversation| conversation.last_message_at);
    let troubles = [Fault::Error(130_429), Fault::Error(190), Fault::Error(131_026), Fault::AcceptedThenReset];
    for (attempt, fault) in (10..).zip(troubles) {
        bed.testbed.simulator.fail_next(fault.clone(), 1);
        assert_ne!(bed.deliver(&again(attempt)).await, Fate::Sent);
        assert_eq!(bed.conversation(&recipient).await, None, "{fault:?}");
    }
    bed.testbed.simulator.fail_next(Fault::NeverAnswer, 1);
    let posts = bed.posts().len();
    bed.deliver_and_die_when(&again(20), || bed.posts().len() > posts).await;
    assert_eq!(bed.conversation(&recipient).await, None);

    let first_at = bed.testbed.clock.now();
    assert_eq!((bed.deliver(&recipient).await, moved_at().await), (Fate::Sent, Some(first_at)));
    bed.testbed.clock.advance(Duration::from_secs(1));
    bed.testbed.simulator.fail_next(Fault::Error(131_026), 1);
    bed.deliver(&again(1)).await;
    assert_eq!((bed.deliver(&recipient).await, moved_at().await), (Fate::Sent, Some(first_at)));
    let second_at = bed.testbed.clock.now();
    assert_eq!((bed.deliver(&again(2)).await, moved_at().await), (Fate::Sent, Some(second_at)));
    assert_eq!(bed.column("Conversations", "contact").await, [format!("1#{PHONE}")]);
}

#[tokio::test]
async fn a_campaigns_message_and_a_single_one_to_the_same_person_are_two() {
    let bed = Bed::start().await;
    let recipient = Recipient::of_number(PHONE);
    bed.outbox.send(&bed.caller, draft(), &terms("single")).await.unwrap();
    assert_eq!((bed.deliver(&recipient).await, bed.received()), (Fate::Sent, 2));
    assert_eq!(bed.shown(&recipient).await.len(), 2);
}
