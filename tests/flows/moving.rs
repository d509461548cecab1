//! Moving from django-meta-whatsapp: what the reference itself wrote into its database, imported, and read through the API.
//!
//! `infra/importer/tests/reference` holds such a database as `manage.py dumpdata` wrote it, with what the reference answered of
//! it. Where `REFERENCE_PYTHON` names a Python with `django-meta-whatsapp==1.1.0`, the reference makes another one at this moment,
//! for which the same must hold; `REFERENCE_TESTS=required` makes it fail without. `REFERENCE_FIXTURE=write` keeps what was made.

#![expect(clippy::indexing_slicing, reason = "what goes wrong here fails the test")]

mod reference;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use importer::Outcome;
use jiff::Timestamp;
use local::{Settings, Stack};
use meta_simulator::CustomerMessage;
use reference::Reference;
use serde_json::{Value, json};

use crate::{answer, client};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
const SHOP: i64 = 1;
const BRANCH: i64 = 2;
const ANN: &str = "919876543210";

/// A stack with the reference's two accounts, in a folder that the importer opens beside it.
struct Gateway {
    stack: Stack,
    folder: tempfile::TempDir,
    key: String,
}

impl Gateway {
    async fn start(reference: &Reference) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = format!("--local-data-dir={}", folder.path().display());
        let accounts = format!("--whatsapp-accounts={}", reference::accounts());
        let free =
            ["local", "--port=0", "--dynamodb-port=0", "--simulator-port=0", "--status-delay-ms=0", &data, &accounts];
        let stack = Stack::start(Settings::parse_from(free)).await.unwrap();
        let key = reference.answers["keys"]["active"].as_str().unwrap().to_owned();
        Self { stack, folder, key }
    }

    async fn import(&self, dump: &Path, more: &[&str]) -> Outcome {
        let accounts = format!("--whatsapp-accounts={}", reference::accounts());
        let data = format!("--data-dir={}", self.folder.path().display());
        let arguments = ["importer", dump.to_str().unwrap(), &accounts, &data];
        let settings = importer::Settings::parse_from(arguments.iter().chain(more));
        importer::run(settings).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.get_with(&self.key, path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn get_with(&self, key: &str, path: &str) -> (u16, Value) {
        let url = format!("{}/whatsapp/api/{path}", self.stack.api_url());
        answer(client().get(url).header("X-API-Key", key)).await
    }

    async fn chats(&self, account: i64) -> Value {
        self.get(&format!("chats/?account_id={account}")).await["conversations"].clone()
    }

    async fn messages(&self, account: i64, phone: &str) -> Vec<Value> {
        let page = self.get(&format!("chats/{phone}/messages/?limit=100&account_id={account}")).await;
        assert!(page.get("next_cursor").is_none(), "{page}");
        page["messages"].as_array().unwrap().clone()
    }
}

fn at(value: &Value) -> Timestamp {
    let at: Timestamp = value.as_str().unwrap().parse().unwrap();
    // As Django writes moments in JSON.
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

/// Some members of the objects of a list, with moments as moments.
fn members(list: &Value, names: &[&str]) -> Vec<Vec<String>> {
    let text = |object: &Value, name: &str| {
        if name.ends_with("_at") { at(&object[name]).to_string() } else { object[name].to_string() }
    };
    let objects = list.as_array().unwrap().iter();
    objects.map(|object| names.iter().map(|name| text(object, name)).collect()).collect()
}

/// What the reference answered of one account's.
fn of_account(reference: &Reference, list: &str, whose: &str, account: i64) -> Value {
    let all = reference.answers[list][list.replace("chats", "conversations")].as_array().unwrap();
    let of = |object: &&Value| reference.answers[whose][object["id"].to_string()] == account;
    all.iter().filter(of).cloned().collect()
}

async fn chats_are_the_references(gateway: &Gateway, reference: &Reference) {
    let names = ["id", "phone_number", "label", "unread_count", "last_message_at"];
    for account in [SHOP, BRANCH] {
        let expected = members(&of_account(reference, "chats", "account_of_chat", account), &names);
        assert!(!expected.is_empty());
        assert_eq!(members(&gateway.chats(account).await, &names), expected, "account {account}");
    }
}

async fn campaigns_are_the_references(gateway: &Gateway, reference: &Reference) {
    let mut count = BTreeMap::new();
    for recipient in reference.answers["recipients"].as_array().unwrap() {
        *count.entry((recipient["campaign"].to_string(), recipient["status"].as_str().unwrap())).or_insert(0) += 1;
    }
    for account in [SHOP, BRANCH] {
        let mut expected = of_account(reference, "campaigns", "account_of_campaign", account);
        for campaign in expected.as_array_mut().unwrap() {
            let count = |status| *count.get(&(campaign["id"].to_string(), status)).unwrap_or(&0);
            // What Meta took and could not deliver has failed here, too.
            campaign["failed_count"] = json!(count("failed"));
            if campaign["status"] == "running" {
                campaign["status"] = json!("cancelled");
            }
        }
        let listed = gateway.get(&format!("campaigns/?account_id={account}")).await["campaigns"].clone();
        let names = ["id", "name", "status", "sent_count", "failed_count", "created_at"];
        assert_eq!(members(&listed, &names), members(&expected, &names), "account {account}");
        for campaign in listed.as_array().unwrap() {
            let count = |status| *count.get(&(campaign["id"].to_string(), status)).unwrap_or(&0);
            let told = gateway.get(&format!("campaigns/{}/?account_id={account}", campaign["id"])).await;
            let total = ["sent", "delivered", "read", "failed", "pending"].map(count).iter().sum::<i64>();
            for (name, expected) in [
                ("total_count", total),
                ("read_count", count("read")),
                ("delivered_count", count("delivered") + count("read")),
                ("unknown_count", count("pending")),
                ("pending_count", 0),
            ] {
                assert_eq!(told[name], expected, "{name} of {told}");
            }
            assert_eq!(
                (&told["status"], &told["sent_count"]),
                (&campaign["status"], &campaign["sent_count"]),
                "{told}"
            );
        }
    }
}

async fn messages_are_the_references(gateway: &Gateway, reference: &Reference) {
    let recipients = reference.answers["recipients"].as_array().unwrap();
    let of_campaigns: BTreeSet<_> = recipients.iter().map(|recipient| recipient["wamid"].to_string()).collect();
    let mut expected: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
    for message in reference.answers["messages"].as_array().unwrap() {
        let is_inbound = message["direction"] == "inbound";
        let status = match message["status"].as_str().unwrap() {
            _ if is_inbound => "received",
            "sent" => "accepted",
            status => status,
        };
        // Where the reference calls a voice message audio, Meta's own word is told.
        let kind = if message["message_type"] == "audio" { json!("voice") } else { message["message_type"].clone() };
        let texts = [
            &message["message_id"],
            &message["direction"],
            &kind,
            &message["message_body"],
            &json!(status),
            &message["reply_to"],
        ];
        let mut texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
        texts.push(at(&message["at"]).to_string());
        expected.entry(message["phone_number"].as_str().unwrap().to_owned()).or_default().insert(texts);
    }
    assert!(expected.len() >= 4);
    for (phone, expected) in expected {
        let account = if phone == "919876500011" { BRANCH } else { SHOP };
        let told = gateway.messages(account, &phone).await;
        let own = told.iter().filter(|message| !of_campaigns.contains(&message["wamid"].to_string()));
        let own = own.filter(|message| !message["wamid"].is_null());
        let read = |message: &Value| {
            let names = ["wamid", "direction", "type", "body", "status", "reply_to"];
            let mut texts: Vec<_> = names.iter().map(|name| message[name].to_string()).collect();
            texts.push(at(&message["at"]).to_string());
            texts
        };
        assert_eq!(own.map(read).collect::<BTreeSet<_>>(), expected, "{phone}");
    }
    let of_ann = gateway.messages(SHOP, ANN).await;
    let image = of_ann.iter().find(|message| message["body"] == "Look").unwrap();
    assert_eq!(image["content"]["id"], "1000000000000001", "{image}");
}

async fn blocked_are_the_references(gateway: &Gateway, reference: &Reference) {
    let names = ["phone_number", "blocked_at", "reason"];
    let expected = members(&reference.answers["blocked"]["blocked_users"], &names);
    assert_eq!(expected.len(), 2);
    assert_eq!(members(&gateway.get("blocked/").await["blocked_users"], &names), expected);
}

async fn keys_work_as_before(gateway: &Gateway, reference: &Reference) {
    let disabled = reference.answers["keys"]["disabled"].as_str().unwrap();
    assert_eq!(gateway.get_with(disabled, "chats/").await.0, 401);
    assert_eq!(gateway.get_with(&gateway.key, "chats/").await.0, 200);
}

async fn all_is_as_it_was(gateway: &Gateway, reference: &Reference) {
    keys_work_as_before(gateway, reference).await;
    chats_are_the_references(gateway, reference).await;
    campaigns_are_the_references(gateway, reference).await;
    messages_are_the_references(gateway, reference).await;
    blocked_are_the_references(gateway, reference).await;
}

/// What is imported, goes on here, and is imported again.
async fn moves(reference: &Reference, dump: &Path) {
    let gateway = Gateway::start(reference).await;
    assert_eq!(gateway.import(dump, &["--dry-run"]).await, Outcome::All);
    assert_eq!(gateway.get_with(&gateway.key, "chats/").await.0, 401, "a dry run wrote something");
    for _ in 0..2 {
        assert_eq!(gateway.import(dump, &[]).await, Outcome::All);
        all_is_as_it_was(&gateway, reference).await;
    }
    assert_eq!(gateway.stack.simulator().unwrap().accepted(), 0, "the import sent something");

    // Eve had opted out, without ever having written.
    let template = json!({"phone": "+919876500022", "template_name": "offer", "body_params": ["Eve"]});
    let url = format!("{}/whatsapp/api/send-template/", gateway.stack.api_url());
    let (status, refused) = answer(client().post(url).header("X-API-Key", &gateway.key).json(&template)).await;
    assert_eq!((status, &refused["code"]), (400, &json!("opted_out")), "{refused}");

    // A contact writes: it is the conversation that they had.
    let before = gateway.chats(SHOP).await;
    let of_ann =
        |chats: &Value| chats.as_array().unwrap().iter().find(|chat| chat["phone_number"] == ANN).cloned().unwrap();
    let unread = of_ann(&before)["unread_count"].as_i64().unwrap();
    gateway.stack.simulator().unwrap().customer_sends(ANN, CustomerMessage::text("Still there?")).unwrap();
    let moved = tokio::time::timeout(PATIENCE, async {
        loop {
            let chats = gateway.chats(SHOP).await;
            if of_ann(&chats)["unread_count"] == unread + 1 {
                return chats;
            }
        }
    });
    let moved = moved.await.unwrap();
    assert_eq!(
        (&moved[0]["id"], moved.as_array().unwrap().len()),
        (&of_ann(&before)["id"], before.as_array().unwrap().len())
    );

    // What becomes of the reference's messages is told here from now on, and counts in its campaigns.
    let recipients = reference.answers["recipients"].as_array().unwrap();
    let is_open = |recipient: &&Value| recipient["status"] == "sent";
    let recipient = recipients.iter().rfind(is_open).unwrap();
    let path = format!("campaigns/{}/", recipient["campaign"]);
    let read_before = gateway.get(&path).await["read_count"].as_i64().unwrap();
    let status = json!({"id": recipient["wamid"], "status": "read", "timestamp": "1900000000", "recipient_id": recipient["phone"]});
    let metadata = json!({"display_phone_number": "1", "phone_number_id": meta_simulator::PHONE_NUMBER_ID});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "statuses": [status]});
    gateway.stack.simulator().unwrap().send_webhook("messages", value);
    let counted = async { while gateway.get(&path).await["read_count"] != read_before + 1 {} };
    tokio::time::timeout(PATIENCE, counted).await.unwrap();

    // What came here stays when the old one is imported once more, to catch up.
    let written = gateway.messages(SHOP, ANN).await.len();
    assert_eq!(gateway.import(dump, &[]).await, Outcome::All);
    assert_eq!((gateway.chats(SHOP).await, gateway.messages(SHOP, ANN).await.len()), (moved, written));

    assert_eq!(gateway.get(&path).await["read_count"], read_before + 1);

    // New ones get ids that nobody has.
    let ids =
        reference.answers["campaigns"]["campaigns"].as_array().unwrap().iter().map(|campaign| campaign["id"].as_i64());
    let url = format!("{}/whatsapp/api/campaigns/", gateway.stack.api_url());
    let made = json!({"name": "New", "template_name": "offer"});
    let (status, made) = answer(client().post(url).header("X-API-Key", &gateway.key).json(&made)).await;
    assert_eq!((status, made["id"].as_i64() > ids.max().unwrap()), (201, true), "{made}");
    gateway.stack.stop().await;
}

#[tokio::test]
async fn what_the_reference_knew_is_answered_as_it_answered_and_goes_on_here() {
    let reference = Reference::kept();
    moves(&reference, &reference.dump("jsonl")).await;
}

#[tokio::test]
async fn the_same_holds_for_a_database_that_the_reference_fills_at_this_moment() {
    let Some(reference) = Reference::filled_now().await else { return };
    moves(&reference, &reference.dump("json")).await;
}
