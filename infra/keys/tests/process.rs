//! The command line as a person or a script uses it: the real program, on the files of a local stack that runs, and on
//! the tables of a deployed one.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here fails the test")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use auth::Keys;
use domain::{Clock, Scope};
use embedded_dynamodb::{Data, Engine};
use serde_json::Value;
use storage::{AuditTrail, Database};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a run of the program came to.
#[derive(Debug)]
struct Run {
    succeeded: bool,
    out: String,
    err: String,
}

async fn run(arguments: &[&str], environment: &[(&str, &str)], stdin: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keys"));
    command.args(arguments).env_clear().env("USER", "ada").envs(environment.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // An error is a program that reads nothing.
    let _ = input.write_all(stdin.as_bytes()).await;
    drop(input);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { succeeded: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
}

/// A local stack that runs: its folder, open in this process as `cargo run` has it open in its own.
struct Stack {
    folder: tempfile::TempDir,
    database: Database,
    keys: Keys,
    _engine: Engine,
}

impl Stack {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = Data::File(folder.path().join("dynamodb.sqlite"));
        let engine = Engine::start(&file, SocketAddr::from(([127, 0, 0, 1], 0)), "local").await.unwrap();
        let database = Database::local(engine.url(), engine.table_prefix());
        Self { keys: Keys::new(&database, Clock::system()), database, folder, _engine: engine }
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        self.read(arguments, "").await
    }

    async fn read(&self, arguments: &[&str], stdin: &str) -> Run {
        let folder = ["--data-dir", self.folder.path().to_str().unwrap()];
        run(&[arguments, folder.as_slice()].concat(), &[], stdin).await
    }

    /// What a run that has to succeed says to whoever reads its standard output.
    async fn told(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments).await;
        assert!(run.succeeded, "{arguments:?}: {run:?}");
        run.out
    }

    /// Makes a key: the key itself.
    async fn create(&self, name: &str) -> String {
        self.told(&["create", "--name", name]).await.trim_end_matches('\n').to_owned()
    }

    async fn list(&self) -> Vec<Value> {
        serde_json::from_str(&self.told(&["list", "--json"]).await).unwrap()
    }

    async fn id(&self, name: &str) -> String {
        let keys = self.list().await;
        keys.iter().find(|key| key["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Whether a request with this key is let in.
    async fn accepts(&self, key: &str) -> bool {
        self.keys.authorize(Some(key), Scope::MessagesSend).await.is_ok()
    }
}

fn reference() -> (PathBuf, Vec<Value>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.json");
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let keys = rows.into_iter().filter(|row| row["model"] == "django_meta_whatsapp.whatsappapikey");
    (file, keys.map(|row| row["fields"].clone()).collect())
}

fn is_one_line(run: &Run, told: &str) {
    assert!(!run.succeeded && run.err.starts_with("error: ") && run.err.contains(told), "{told}: {run:?}");
    assert_eq!(run.err.trim_end().lines().count(), 1, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_stack_accepts_a_new_key_at_once_and_refuses_a_disabled_one_at_once() {
    let stack = Stack::start().await;
    let first = stack.create("first").await;
    let keys = stack.keys.clone();
    let busy = tokio::spawn(async move {
        loop {
            assert!(keys.authorize(Some(&first), Scope::MessagesSend).await.is_ok(), "the stack is disturbed");
        }
    });
    for number in 0..5 {
        let name = format!("key {number}");
        let key = stack.create(&name).await;
        assert!(stack.accepts(&key).await, "{name}");
        let id = stack.id(&name).await;
        stack.told(&["disable", &id]).await;
        assert!(!stack.accepts(&key).await, "{name}");
        stack.told(&["enable", &id]).await;
        assert!(stack.accepts(&key).await, "{name}");
    }
    assert!(!busy.is_finished());
    busy.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_new_key_goes_to_standard_output() {
    let stack = Stack::start().await;
    let run = stack.run(&["create", "--name", "Shop"]).await;
    let key = run.out.strip_suffix('\n').unwrap();
    assert!(key.len() == 42 && key.starts_with("wak_") && !key.contains('\n'), "{run:?}");
    assert!(stack.accepts(key).await && !run.err.contains(key), "{run:?}");
    assert!(run.err.contains(&stack.id("Shop").await) && run.err.contains("Shop"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_holds_what_was_asked_for_and_everything_if_nothing_was() {
    let stack = Stack::start().await;
    stack.create("everything").await;
    stack.told(&["create", "--name", "reads", "--preset", "read"]).await;
    stack.told(&["create", "--name", "sends", "--preset", "send"]).await;
    let some = ["--scope", "chats:read", "--scope", "contacts:block", "--account", "4", "--account", "7"];
    let limits = ["--expires-in-days", "3", "--requests-per-minute", "60"];
    stack.told(&[["create", "--name", "some"].as_slice(), &some, &limits].concat()).await;
    let keys = stack.list().await;
    let scopes: Vec<_> = keys.iter().map(|key| key["scopes"].as_array().unwrap().len()).collect();
    assert_eq!(scopes, [2, 1, 3, 6]);
    assert_eq!(keys[0]["scopes"], serde_json::json!(["chats:read", "contacts:block"]));
    assert_eq!(keys[0]["accounts"], serde_json::json!([4, 7]));
    assert_eq!((&keys[0]["requests_per_minute"], &keys[0]["state"]), (&60.into(), &"expires_soon".into()));
    assert_eq!(keys[1]["scopes"], serde_json::json!(["messages:send"]));
    assert_eq!(keys[2]["scopes"], serde_json::json!(["campaigns:read", "chats:read", "events:read"]));
    assert!(keys[3]["accounts"].is_null() && keys[3]["expires_at"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_every_key_newest_first_and_none_of_their_secrets() {
    let stack = Stack::start().await;
    let row = |n| format!("0b1c2d3e-4f50-4617-8293-a4b5c6d7e8{n},Shop {n},2026-01-01 00:00:{n}");
    let csv = format!("key,name,created_at\n{}", (10..60).map(row).collect::<Vec<_>>().join("\n"));
    assert!(stack.read(&["import", "-"], &csv).await.succeeded);
    let newest = stack.create("Newest").await;
    assert!(stack.accepts(&newest).await);

    let table = stack.told(&["list"]).await;
    let names: Vec<_> = stack.list().await.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), csv.lines().count());
    assert_eq!((names[0].as_str(), names[1].as_str(), names[2].as_str()), ("Newest", "Shop 59", "Shop 58"));
    assert_eq!(table.lines().count(), names.len() + 1);
    assert!(table.lines().nth(1).unwrap().contains(&format!("wak_…{}", &newest[38..])), "{table}");
    assert!(table.lines().nth(1).unwrap().trim_end().ends_with("1     1"), "{table}");
    assert!(table.lines().nth(2).unwrap().contains("0b1c…e859"), "{table}");
    let json = stack.told(&["list", "--json", "--search", "SHOP 1"]).await;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&json).unwrap().len(), 10);
    for (shown, secret) in [(&table, newest.as_str()), (&table, "a4b5c6d7"), (&json, "a4b5c6d7"), (&json, "hash")] {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_can_be_ended_and_undone() {
    let stack = Stack::start().await;
    let old = stack.create("Shop").await;
    let id = stack.id("Shop").await;
    let new = stack.told(&["rotate", &id, "--overlap", "1h"]).await.trim_end().to_owned();
    assert!(new != old && stack.accepts(&new).await && stack.accepts(&old).await);
    is_one_line(&stack.run(&["rotate", &id]).await, "not being rotated already");
    stack.told(&["rotate", &id, "--undo"]).await;
    assert!(!stack.accepts(&new).await && stack.accepts(&old).await);
    let new = stack.told(&["rotate", &id]).await.trim_end().to_owned();
    stack.told(&["rotate", &id, "--end"]).await;
    assert!(stack.accepts(&new).await && !stack.accepts(&old).await);

    let old = stack.create("Other").await;
    let new = stack.told(&["rotate", &stack.id("Other").await, "--overlap", "0"]).await.trim_end().to_owned();
    assert!(stack.accepts(&new).await && !stack.accepts(&old).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_deleted_only_when_disabled_and_by_its_name() {
    let stack = Stack::start().await;
    stack.create("Shop").await;
    let id = stack.id("Shop").await;
    is_one_line(&stack.run(&["delete", &id, "--name", "Shop"]).await, "disable it first");
    stack.told(&["disable", &id]).await;
    is_one_line(&stack.run(&["delete", &id, "--name", "Chop"]).await, "name");
    stack.told(&["delete", &id, "--name", "Shop"]).await;
    assert!(stack.list().await.is_empty());
    is_one_line(&stack.run(&["enable", &id]).await, "There is no such API key");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_references_keys_work_exactly_as_before_and_none_is_shown() {
    let stack = Stack::start().await;
    let (file, keys) = reference();
    let file = file.to_str().unwrap();
    let is_weak = |key: &Value| key["name"] == "Typed by hand";

    let run = stack.run(&["import", file]).await;
    assert!(
        !run.succeeded && run.out.ends_with("3 imported, 1 of them disabled; 0 there already; 1 refused\n"),
        "{run:?}"
    );
    assert!(run.err.contains("--allow-weak") && run.err.contains("`create`"), "{run:?}");
    assert!(run.out.contains("0b1c…e8f9  Shop\n"), "{run:?}");
    for key in &keys {
        let is_accepted = key["is_active"] == true && !is_weak(key);
        assert_eq!(stack.accepts(key["key"].as_str().unwrap()).await, is_accepted, "{key}");
        assert!(!format!("{run:?}").contains(key["key"].as_str().unwrap()), "{key} is in {run:?}");
    }
    assert!(!run.out.contains("EAAcanaryToken") && !run.out.contains("letm"), "{run:?}");

    stack.told(&["disable", &stack.id("Shop").await]).await;
    let again = stack.told(&["import", file, "--allow-weak"]).await;
    assert!(again.ends_with("1 imported, 0 of them disabled; 3 there already; 0 refused\n"), "{again}");
    assert!(stack.accepts("letmein").await, "allowed");
    assert!(!stack.accepts(keys[0]["key"].as_str().unwrap()).await, "what is there already stays as it is");
    let listed = stack.list().await;
    let weak = listed.iter().find(|key| is_weak(key)).unwrap();
    assert!(weak["is_weak"] == true && !weak["expires_at"].is_null() && weak["first_four"].is_null(), "{weak}");
    assert_eq!(listed.last().unwrap()["created_at"], "2026-01-02T03:04:05.678Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_is_imported_as_a_dump_is_and_nothing_of_a_key_is_trimmed() {
    let stack = Stack::start().await;
    let key = " 0b1c2d3e-4f50, \"4617-8293\"-a4b5 ";
    let csv = "\u{feff}id,is_active,name,key\n1,True,Shop,\" 0b1c2d3e-4f50, \"\"4617-8293\"\"-a4b5 \"\n2,f,Old,1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d\n";
    let run = stack.read(&["import", "-"], csv).await;
    assert!(
        run.succeeded && run.out.ends_with("2 imported, 1 of them disabled; 0 there already; 0 refused\n"),
        "{run:?}"
    );
    assert!(stack.accepts(key).await && !stack.accepts(key.trim()).await);
    assert!(!stack.accepts("1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_anything_wrong_in_it_imports_nothing() {
    let stack = Stack::start().await;
    let good = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9,Shop,true\n";
    for (bad, told) in [
        ("1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d,,true\n", "-: line 3: name must have 1 to 255 characters"),
        ("1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d,Shop,perhaps\n", "-: line 3: is_active must be true or false"),
        (",Shop,true\n", "-: line 3: key must have 1 to 64 characters"),
        ("wak_mistyped,Shop,true\n", "-: line 3: key begins with wak_ but its checksum is wrong"),
        (good, "-: line 3: key is the same as that of line 2"),
    ] {
        is_one_line(&stack.read(&["import", "-"], &format!("key,name,is_active\n{good}{bad}")).await, told);
    }
    for (text, told) in [
        ("[]", "-: there is no API key in it"),
        (r#"[{"model": "auth.user", "pk": 1, "fields": {}}]"#, "-: there is no API key in it"),
        ("hello", "-: line 1 names no column key"),
        ("[{", "-: line 1, column 2"),
    ] {
        is_one_line(&stack.read(&["import", "-"], text).await, told);
    }
    is_one_line(&stack.run(&["import", "/no/such/file"]).await, "/no/such/file: ");
    assert!(stack.list().await.is_empty());
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_needs_no_tables() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (file, _) = reference();
    let arguments = ["import", file.to_str().unwrap(), "--dry-run", "--data-dir", data.to_str().unwrap()];
    let dry = run(&arguments, &[], "").await;
    assert!(!dry.succeeded && dry.out.contains("3 would be") && dry.out.contains("1 refused"), "{dry:?}");
    assert!(!data.exists());
}

#[tokio::test]
async fn only_what_makes_keys_makes_a_folder_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let environment = [("LOCAL_DATA_DIR", data.to_str().unwrap())];
    is_one_line(&run(&["list"], &environment, "").await, "`cargo run` makes it");
    assert!(!data.exists());
    assert!(run(&["create", "--name", "Shop"], &environment, "").await.succeeded);
    let list = run(&["list"], &environment, "").await;
    assert!(list.succeeded && list.out.contains("Shop"), "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_stack_is_reached_by_its_name_with_credentials_from_the_environment() {
    let engine = Engine::in_memory().await.unwrap();
    let aws = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret"),
        ("AWS_ENDPOINT_URL_DYNAMODB", engine.url()),
    ];
    let made = run(&["create", "--name", "Shop", "--stack", engine.table_prefix()], &aws, "").await;
    assert!(made.succeeded, "{made:?}");
    let keys = Keys::new(&Database::local(engine.url(), engine.table_prefix()), Clock::system());
    assert!(keys.authorize(Some(made.out.trim_end()), Scope::MessagesSend).await.is_ok());
    let prefix = [("TABLE_PREFIX", engine.table_prefix())];
    assert!(run(&["list"], &[aws.as_slice(), &prefix].concat(), "").await.out.contains("Shop"));

    is_one_line(&run(&["list", "--stack", "nowhere"], &aws, "").await, "the tables can't be used: ResourceNotFound");
    let import =
        run(&["import", "-", "--stack", "nowhere"], &aws, "key,name\n0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9,a\n").await;
    is_one_line(&import, "stopped at line 2 (0 imported");
    is_one_line(&run(&["list", "--stack", "test"], &aws[1..], "").await, "AWS_REGION is not set");
    is_one_line(&run(&["list", "--stack", "test"], &aws[..1], "").await, "AWS_ACCESS_KEY_ID is not set");
    is_one_line(&run(&["list", "--stack", "test", "--data-dir", "data"], &aws, "").await, "name one");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_tells_who_did_what_and_no_key() {
    let stack = Stack::start().await;
    let key = stack.create("Shop").await;
    stack.told(&["disable", &stack.id("Shop").await]).await;
    let rows = AuditTrail::new(&stack.database).newest(None, None, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.by.as_str(), row.action.as_str())).collect();
    assert_eq!(told, [("command line (ada)", "disabled"), ("command line (ada)", "created")]);
    assert!(!format!("{rows:?}").contains(&key));
}
