//! The program as a person or a script runs it: on files that are odd, incomplete or broken, interrupted and begun again.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use domain::{AccountId, CampaignId, Contact};
use embedded_dynamodb::{Data, Engine};
use serde_json::{Value, json};
use storage::{Campaigns, Chat, Conversations, Database, Messages};
use tokio::process::Command;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
const ACCOUNTS: &str = r#"[{"id": 1, "phone_number_id": "100", "waba_id": "9", "access_token": "EAAcanary"}]"#;

/// A folder with a file to import, and the tables beside it.
struct Bed {
    folder: tempfile::TempDir,
}

/// What a run of the program came to.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Bed {
    fn new(rows: &[Value]) -> Self {
        let bed = Self { folder: tempfile::tempdir().unwrap() };
        bed.dumps(&Value::from(rows).to_string());
        bed
    }

    fn dumps(&self, text: &str) {
        std::fs::write(self.dump(), text).unwrap();
    }

    fn dump(&self) -> PathBuf {
        self.folder.path().join("dump.json")
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_importer"));
        command.arg(self.dump()).arg("--data-dir").arg(self.folder.path()).args(more);
        command.env_clear().env("USER", "ada").env("WHATSAPP_ACCOUNTS", ACCOUNTS).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    async fn run(&self, more: &[&str]) -> Run {
        let output = tokio::time::timeout(PATIENCE, self.command(more).output()).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    async fn tables(&self) -> (Engine, Database) {
        let file = Data::File(self.folder.path().join("dynamodb.sqlite"));
        let engine = Engine::start(&file, SocketAddr::from(([127, 0, 0, 1], 0)), "local").await.unwrap();
        let database = Database::local(engine.url(), engine.table_prefix());
        (engine, database)
    }

    fn has_tables(&self) -> bool {
        self.folder.path().join("dynamodb.sqlite").exists()
    }
}

fn row(model: &str, pk: impl Into<Value>, fields: &Value) -> Value {
    let pk: Value = pk.into();
    json!({"model": format!("django_meta_whatsapp.{model}"), "pk": pk, "fields": fields})
}

fn account() -> Value {
    row("whatsappaccount", 1, &json!({"name": "Shop", "phone_number_id": "100", "access_token": "EAAcanary"}))
}

fn conversation(pk: i64, phone: &str) -> Value {
    let at = "2026-01-02T03:04:05.678Z";
    row(
        "whatsappconversation",
        pk,
        &json!({"account": 1, "phone_number": phone, "unread_count": 1, "last_message_at": at}),
    )
}

fn message(pk: i64, fields: &Value) -> Value {
    let mut all = json!({
        "conversation": 1, "account": 1, "phone_number": "919876543210", "message_id": format!("wamid.{pk}"),
        "message_type": "text", "message_body": "hi", "direction": "inbound", "status": "delivered",
        "timestamp": "2026-01-02T03:04:05.678Z", "is_deleted": false, "raw_payload": null,
    });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    row("whatsappmessage", pk, &all)
}

fn campaign(pk: i64, status: &str) -> Value {
    let at = "2026-01-02T03:04:05.678Z";
    row(
        "whatsappcampaign",
        pk,
        &json!({"account": 1, "name": "x", "status": status, "created_at": at, "sent_count": 0}),
    )
}

fn recipient(pk: i64, campaign: i64, fields: &Value) -> Value {
    let mut all = json!({"campaign": campaign, "phone_number": format!("9198765{pk:05}"), "status": "sent",
        "message_id": format!("wamid.r{pk}"), "parameters": {}});
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    row("whatsappcampaignrecipient", pk, &all)
}

#[tokio::test]
async fn an_account_that_the_gateway_has_not_is_named_and_nothing_is_written() {
    let stranger =
        row("whatsappaccount", 2, &json!({"name": "Branch", "phone_number_id": "200", "access_token": "EAAcanary"}));
    let bed = Bed::new(&[account(), stranger, conversation(1, "919876543210")]);
    let run = bed.run(&[]).await;
    assert_eq!((run.code, bed.has_tables()), (Some(1), false), "{run:?}");
    assert!(run.err.contains("phone_number_id 200 (whatsappaccount 2)") && !run.err.contains("100"), "{run:?}");
    let run = bed.run(&["--leave-out", "200"]).await;
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[tokio::test]
async fn a_dry_run_tells_each_row_that_cant_be_taken_and_opens_no_table() {
    let bed = Bed::new(&[
        account(),
        conversation(1, "919876543210"),
        conversation(2, "nobody"),
        message(5, &json!({"message_id": null})),
        message(6, &json!({"direction": "sideways"})),
        message(7, &json!({"timestamp": null})),
        campaign(3, "exploded"),
        recipient(1, 99, &json!({})),
        row("whatsappapikey", 4, &json!({"name": "Weak", "key": "letmein", "is_active": true})),
        row("whatsappblockeduser", 8, &json!({"account": 1, "phone_number": "", "is_active": true})),
        row("whatsappcontact", "abc", &json!({})),
        row("whatsappflow", 1, &json!({})),
    ]);
    let run = bed.run(&["--dry-run"]).await;
    assert_eq!((run.code, bed.has_tables()), (Some(3), false), "{run:?}");
    for told in [
        "not taken: whatsappconversation 2: phone_number must",
        "not taken: whatsappmessage 5: message_id is empty",
        "not taken: whatsappmessage 6: direction must",
        "not taken: whatsappmessage 7: timestamp is empty",
        "not taken: whatsappcampaign 3: status",
        "not taken: whatsappapikey 4: key can be guessed",
        "not taken: whatsappblockeduser 8: phone_number must",
        "not taken: whatsappcontact without a pk: pk must",
        "note: whatsappflow: does not come over: 1",
        "note: whatsappcampaignrecipient: their campaign does not come over: 1",
        "Nothing was written.",
    ] {
        assert!(run.out.contains(told), "{told} is not in:\n{}", run.out);
    }
    let run = bed.run(&["--allow-weak"]).await;
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.out.contains("whatsappapikey: 1 read, 1 taken, 1 of them new"), "{run:?}");
}

#[tokio::test]
async fn nothing_secret_is_told() {
    let key = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9";
    let keys = [
        row("whatsappapikey", 1, &json!({"name": "Shop", "key": key, "is_active": true})),
        row("whatsappapikey", 2, &json!({"name": "letmein", "key": "letmein", "is_active": "letmein"})),
    ];
    let bed = Bed::new(
        &[&[account(), conversation(1, "s3cret"), message(1, &json!({"message_type": "s3cret é"}))], &keys[..]]
            .concat(),
    );
    for arguments in [&["--dry-run"][..], &[]] {
        let run = bed.run(arguments).await;
        for secret in ["EAAcanary", key, "letmein", "s3cret"] {
            assert!(!run.out.contains(secret) && !run.err.contains(secret), "{secret}: {run:?}");
        }
    }
    bed.dumps(&format!("[{{\"model\": \"x.y\", \"pk\": 1, \"fields\": {{}}}}, \"{key}\"]"));
    let run = bed.run(&[]).await;
    assert!(run.code == Some(1) && run.err.contains("line 1, column") && !run.err.contains(key), "{run:?}");
}

#[tokio::test]
async fn conversations_of_one_contact_become_one_with_the_smallest_id_and_all_that_is_unread() {
    let bed = Bed::new(&[
        account(),
        conversation(7, "+91 98765 43210"),
        conversation(3, "9876543210"),
        message(1, &json!({"conversation": 7})),
    ]);
    let run = bed.run(&[]).await;
    assert!(run.code == Some(0) && run.out.contains("it has the id 3: 7"), "{run:?}");
    let (_engine, database) = bed.tables().await;
    let chat = Chat { account_id: AccountId(1), contact: Contact::of_number("919876543210").unwrap() };
    let conversation = Conversations::new(&database).get(&chat).await.unwrap().unwrap();
    assert_eq!((conversation.id(), conversation.unread_count), (3, 2));
    assert_eq!(conversation.last_inbound_wamid.as_deref(), Some("wamid.1"));
}

#[tokio::test]
async fn rows_without_an_account_belong_to_the_only_one_or_to_the_one_that_is_named() {
    let of_nobody = || message(1, &json!({"account": null, "conversation": null}));
    let bed = Bed::new(&[of_nobody()]);
    assert_eq!(bed.run(&[]).await.code, Some(0));
    let two = r#"[{"id":1,"phone_number_id":"1","waba_id":"1","access_token":"t"},{"id":2,"phone_number_id":"2","waba_id":"1","access_token":"t"}]"#;
    let run = bed.run(&["--whatsapp-accounts", two]).await;
    assert!(run.code == Some(3) && run.out.contains("account is empty: say with --account-of-the-rest"), "{run:?}");
    assert_eq!(bed.run(&["--whatsapp-accounts", two, "--account-of-the-rest", "2"]).await.code, Some(0));
    let run = bed.run(&["--whatsapp-accounts", two, "--account-of-the-rest", "3"]).await;
    assert!(run.code == Some(1) && run.err.contains("no account 3"), "{run:?}");
}

#[tokio::test]
async fn an_import_that_was_killed_is_completed_by_the_next_and_nothing_is_doubled() {
    let messages = (1..=600).map(|pk| message(pk, &json!({})));
    let people = (1..=250).map(|pk| recipient(pk, 5, &json!({"status": if pk % 2 == 0 { "read" } else { "sent" }})));
    let start = [account(), conversation(1, "919876543210"), campaign(5, "completed")];
    let bed = Bed::new(&start.into_iter().chain(messages).chain(people).collect::<Vec<_>>());
    for waits_for in [1, 100, 400] {
        let mut child = bed.command(&["--at-once", "4"]).spawn().unwrap();
        let (engine, database) = bed.tables().await;
        let chat = Chat { account_id: AccountId(1), contact: Contact::of_number("919876543210").unwrap() };
        let begun = async {
            loop {
                let page = Messages::new(&database).newest(&chat, None, 1000).await.unwrap();
                if page.rows.len() >= waits_for {
                    break;
                }
            }
        };
        tokio::select! {
            () = begun => child.start_kill().unwrap(),
            _ = child.wait() => {}
        }
        child.wait().await.unwrap();
        engine.stop().await;
    }
    for _ in 0..2 {
        let run = bed.run(&[]).await;
        assert_eq!(run.code, Some(0), "{run:?}");
        let (engine, database) = bed.tables().await;
        let chat = Chat { account_id: AccountId(1), contact: Contact::of_number("919876543210").unwrap() };
        assert_eq!(Messages::new(&database).newest(&chat, None, 1000).await.unwrap().rows.len(), 600);
        assert_eq!(Conversations::new(&database).get(&chat).await.unwrap().unwrap().unread_count, 1);
        let campaigns = Campaigns::new(&database);
        let counts = campaigns.get(CampaignId(5)).await.unwrap().unwrap().counts;
        assert_eq!((counts.total, counts.sent, counts.read, counts.open), (250, 250, 125, 0));
        assert!(campaigns.next_id().await.unwrap().0 > 5);
        engine.stop().await;
    }
}

#[tokio::test]
async fn a_campaign_that_went_on_there_is_caught_up_with() {
    let with = |status, read| {
        let people = (1..=120).map(move |pk| {
            let status = if pk <= read { "read" } else { "sent" };
            recipient(pk, 5, &json!({"status": status}))
        });
        [account(), campaign(5, status)].into_iter().chain(people.take(if status == "running" { 70 } else { 120 }))
    };
    let bed = Bed::new(&with("running", 10).collect::<Vec<_>>());
    let counts = async || {
        let (engine, database) = bed.tables().await;
        let campaign = Campaigns::new(&database).get(CampaignId(5)).await.unwrap().unwrap();
        engine.stop().await;
        (campaign.status.as_str(), campaign.counts.total, campaign.counts.read)
    };
    assert_eq!(bed.run(&[]).await.code, Some(0));
    assert_eq!(counts().await, ("cancelled", 70, 10));
    bed.dumps(&Value::from(with("completed", 90).collect::<Vec<_>>()).to_string());
    assert_eq!(bed.run(&[]).await.code, Some(0));
    assert_eq!(counts().await, ("completed", 120, 90));
}

#[tokio::test]
async fn a_campaign_of_the_gateway_keeps_its_number_and_the_other_is_told() {
    let bed = Bed::new(&[account(), campaign(5, "completed"), recipient(1, 5, &json!({}))]);
    let (engine, database) = bed.tables().await;
    let made = storage::NewCampaign {
        id: CampaignId(5),
        account_id: AccountId(1),
        name: "Ours".to_owned(),
        template_name: "offer".to_owned(),
        language: "en".to_owned(),
        form: "{}".to_owned(),
        despite_opt_out: false,
        key_id: "key".to_owned(),
        answer: "{}".to_owned(),
        created_at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        scheduled_at: None,
    };
    Campaigns::new(&database).create(made, storage::Added::default(), None).await.unwrap();
    let run = bed.run(&[]).await;
    assert_eq!(run.code, Some(3), "{run:?}");
    for told in [
        "not taken: whatsappcampaign 5: pk is the number of another campaign",
        "note: whatsappcampaignrecipient: their campaign has others at the gateway: 1",
    ] {
        assert!(run.out.contains(told), "{told} is not in:\n{}", run.out);
    }
    let campaign = Campaigns::new(&database).get(CampaignId(5)).await.unwrap().unwrap();
    assert_eq!((campaign.new.name.as_str(), campaign.counts.total), ("Ours", 0));
    engine.stop().await;
}

#[tokio::test]
async fn odd_values_are_taken_or_told_and_never_a_panic() {
    let huge = "é".repeat(100_000);
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(""),
        json!(huge),
        json!("\u{0}\u{202e}😀"),
        json!("9999-12-31T23:59:59Z"),
        json!("+919876543210"),
        json!([]),
        json!({}),
        json!({"type": [1], "id": 5, "context": 7}),
    ];
    let whole = [
        account(),
        row("whatsapptemplate", 1, &json!({"name": "offer", "language": "en"})),
        row(
            "whatsappcontact",
            1,
            &json!({"phone": "919876543210", "name": "Ann", "opted_out": true, "updated_at": "2026-01-02T03:04:05Z", "labels": [1]}),
        ),
        conversation(1, "919876543210"),
        message(1, &json!({"reply_to": 2})),
        message(2, &json!({"direction": "outbound", "media_file": "a", "status": "read"})),
        row(
            "whatsappblockeduser",
            1,
            &json!({"account": 1, "phone_number": "+919876543210", "wa_id": "919876543210", "blocked_at": "2026-01-02T03:04:05Z", "is_active": true, "reason": "x"}),
        ),
        row(
            "whatsappcampaign",
            1,
            &json!({"account": 1, "template": 1, "name": "x", "status": "scheduled", "scheduled_at": "2026-01-02T03:04:05Z", "created_at": "2026-01-02T03:04:05Z", "parameter_mappings": {"1": "name"}}),
        ),
        recipient(1, 1, &json!({"error_message": "", "sent_at": "2026-01-02T03:04:05Z"})),
    ];
    let mut rows = vec![account(), whole[1].clone(), conversation(1, "919876543210")];
    for base in &whole[1..] {
        for name in base["fields"].as_object().unwrap().keys() {
            for value in &odd {
                let mut row = base.clone();
                row["pk"] = json!(rows.len() + 10);
                row["fields"][name] = value.clone();
                rows.push(row);
            }
        }
    }
    let bed = Bed::new(&rows);
    for _ in 0..2 {
        let run = bed.run(&[]).await;
        assert_eq!(run.code, Some(3), "{}", run.err);
        assert!(run.err.is_empty(), "{}", run.err);
    }
}
