//! What must be known of a file before anything of it is written: its accounts, contacts, conversations and campaigns. Messages
//! and recipients, of which there may be millions, are not in here; only when the newest of a conversation were sent.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{AccountId, Accounts, Contact, CountryCode};
use jiff::Timestamp;
use storage::{CampaignBefore, Chat, KnownChat};

use crate::campaign::Before;
use crate::row::{Fault, Row};

/// Where rows of an account of the file belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// To this account of the gateway.
    To(AccountId),
    /// Nowhere: the account is left out.
    Nowhere,
}

/// A contact of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub(crate) phone_number: String,
    pub(crate) name: Option<String>,
    pub(crate) opted_out: Option<(bool, Timestamp)>,
}

/// A conversation of the file, as its messages refer to it.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) account: Option<i64>,
}

/// What is known of a chat: by its conversations, or by its messages alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChatFacts {
    /// Of the conversation with the smallest pk.
    pub(crate) known: KnownChat,
    /// When the newest of its messages was sent.
    pub(crate) newest_at: Option<Timestamp>,
    /// When the contact last wrote.
    pub(crate) newest_inbound: Option<(Timestamp, String)>,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) accounts: HashMap<i64, Belongs>,
    /// Where rows without an account belong.
    pub(crate) rest: Option<AccountId>,
    pub(crate) country: CountryCode,
    pub(crate) people: HashMap<Contact, Person>,
    pub(crate) conversations: HashMap<i64, Conversation>,
    pub(crate) chats: BTreeMap<Chat, ChatFacts>,
    pub(crate) templates: HashMap<i64, (String, String)>,
    pub(crate) campaigns: BTreeMap<i64, Before>,
    /// The messages that others answer, and what Meta calls them.
    pub(crate) answered: HashMap<i64, Option<String>>,
    /// Who has been in which campaign already.
    pub(crate) seen_recipients: HashSet<u64>,
}

impl Known {
    pub(crate) fn new(accounts: &Accounts, rest: Option<AccountId>, country: CountryCode) -> Self {
        let mut all = accounts.iter();
        let only = all.next().filter(|_| all.next().is_none()).map(|account| account.id);
        Self {
            accounts: HashMap::new(),
            rest: rest.or(only),
            country,
            people: HashMap::new(),
            conversations: HashMap::new(),
            chats: BTreeMap::new(),
            templates: HashMap::new(),
            campaigns: BTreeMap::new(),
            answered: HashMap::new(),
            seen_recipients: HashSet::new(),
        }
    }

    /// The gateway's account of a row, by the one that the row names or else by another that it has.
    pub(crate) fn account(&self, row: &Row, other: Option<i64>) -> Result<Belongs, Fault> {
        match row.integer("account")?.or(other) {
            None => self.rest.map(Belongs::To).ok_or_else(|| {
                Fault::new("account", "is empty: say with --account-of-the-rest to which the row belongs")
            }),
            Some(pk) => self.accounts.get(&pk).copied().ok_or_else(|| Fault::new("account", "is not in the file")),
        }
    }

    /// The accounts of the gateway that the file is about.
    pub(crate) fn own_accounts(&self) -> Vec<AccountId> {
        let mapped = self.accounts.values().filter_map(|belongs| match belongs {
            Belongs::To(id) => Some(*id),
            Belongs::Nowhere => None,
        });
        let mut ids: Vec<_> = mapped.chain(self.rest).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// A row's contact, by a phone number as for sending.
    pub(crate) fn contact(&self, row: &Row, field: &'static str) -> Result<(Contact, String), Fault> {
        let phone = row.phone(field, &self.country)?;
        let contact = Contact::of_number(phone.as_digits()).ok_or_else(|| Fault::new(field, "has no digits"))?;
        Ok((contact, phone.as_digits().to_owned()))
    }

    /// A message of a chat was read.
    pub(crate) fn heard_of(&mut self, chat: &Chat, phone: &str, at: Timestamp, inbound_wamid: Option<&str>) {
        let facts = self.chats.entry(chat.clone()).or_insert_with(|| ChatFacts {
            known: KnownChat { phone_number: phone.to_owned(), ..KnownChat::default() },
            ..ChatFacts::default()
        });
        facts.newest_at = facts.newest_at.max(Some(at));
        if let Some(wamid) = inbound_wamid {
            let heard = Some((at, wamid.to_owned()));
            if facts.newest_inbound < heard {
                facts.newest_inbound = heard;
            }
        }
    }

    /// All that is to be written of conversations and contacts, each once.
    pub(crate) fn chats_to_write(&self) -> Vec<(Chat, KnownChat)> {
        let mut all: BTreeMap<Chat, KnownChat> = BTreeMap::new();
        for (chat, ChatFacts { known, newest_at, newest_inbound }) in &self.chats {
            let mut known = known.clone();
            known.last_inbound.clone_from(newest_inbound);
            if known.id.is_none() {
                known.last_message_at = *newest_at;
            }
            all.insert(chat.clone(), known);
        }
        let accounts = self.own_accounts();
        for (contact, person) in &self.people {
            for account_id in &accounts {
                let chat = Chat { account_id: *account_id, contact: contact.clone() };
                let is_worth_a_row = person.name.is_some() || person.opted_out.is_some_and(|(is_out, _)| is_out);
                let known = match all.get_mut(&chat) {
                    Some(known) => known,
                    None if is_worth_a_row => all.entry(chat).or_insert_with(|| KnownChat {
                        phone_number: person.phone_number.clone(),
                        ..KnownChat::default()
                    }),
                    None => continue,
                };
                known.name.clone_from(&person.name);
                known.opted_out = person.opted_out;
            }
        }
        all.into_iter().collect()
    }

    /// Recipients are about to be read once more.
    pub(crate) fn begin_again(&mut self) {
        self.seen_recipients.clear();
        self.campaigns.values_mut().for_each(Before::begin_again);
    }

    /// The campaigns with what the gateway's rows of them hold.
    pub(crate) fn campaigns(&self) -> impl Iterator<Item = (i64, &CampaignBefore)> {
        self.campaigns.iter().map(|(pk, before)| (*pk, &before.campaign))
    }
}
