//! The local stack as a person starts it: the real program, its terminal, its signals, its data.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use meta_simulator::{Fault, Simulator};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The running program.
struct Program {
    child: Child,
    welcome: String,
    api_url: String,
    api_key: String,
}

impl Program {
    async fn start(data_dir: &Path, settings: &[&str]) -> Self {
        let mut child = command(data_dir, settings).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut welcome = String::new();
        let complete = async {
            while !welcome.contains("curl") || !welcome.contains("Hello!") {
                welcome.push_str(&lines.next_line().await.unwrap().expect("the program ended before its welcome"));
                welcome.push('\n');
            }
        };
        tokio::time::timeout(PATIENCE, complete).await.expect("the welcome comes");
        let word = |before: &str| {
            let rest = welcome.split_once(before).unwrap().1.trim_start();
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let (api_url, api_key) = (word("API   "), word("API key"));
        Self { child, welcome, api_url, api_key }
    }

    async fn send(&self, client: &Client, phone: &str, idempotency_key: &str) -> reqwest::Result<(StatusCode, Value)> {
        let request = client
            .post(format!("{}/whatsapp/api/send-message/", self.api_url))
            .header("X-API-Key", &self.api_key)
            .header("Idempotency-Key", idempotency_key)
            .json(&json!({"phone": phone, "message": "Hello!"}));
        let response = request.send().await?;
        Ok((response.status(), response.json().await?))
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    }

    async fn ended(mut self) -> bool {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the program ends").unwrap().success()
    }
}

fn command(data_dir: &Path, settings: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(["--port", "0", "--dynamodb-port", "0", "--simulator-port", "0", "--local-data-dir"]);
    command.arg(data_dir).args(settings).env_clear().kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn client() -> Client {
    // An error is another test of this process that was faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

#[tokio::test]
async fn the_printed_curl_line_sends_a_message_to_the_printed_phones() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]).await;
    let line = program.welcome.split_once("curl -X POST ").unwrap().1;
    let url = line.split_whitespace().next().unwrap();
    let header = line.split_once("-H 'X-API-Key: ").unwrap().1.split('\'').next().unwrap().to_owned();
    let body = line.split_once("-d '").unwrap().1.split('\'').next().unwrap().to_owned();
    let response = client().post(url).header("X-API-Key", header).body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let phones = program.welcome.split_once("Phones").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let page = client().get(phones).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_printed_password_opens_the_printed_key_page_and_is_another_at_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut passwords: Vec<String> = Vec::new();
    for _ in 0..2 {
        let program = Program::start(folder.path(), &[]).await;
        let mut words = program.welcome.split_once("Key page").unwrap().1.split_whitespace();
        let (page, password) = (words.next().unwrap().to_owned(), words.nth(1).unwrap().to_owned());
        let sign_in = |password: &str| {
            let request = client().post(format!("{page}sign-in/")).header("Origin", &program.api_url);
            request.form(&[("password", password)]).send()
        };
        // Where it leads, a browser comes with the cookie that it got; this client has none and is led back.
        assert_eq!(sign_in(&password).await.unwrap().url().path(), "/whatsapp/settings/api-keys/sign-in/");
        for old in &passwords {
            assert_ne!(old, &password);
            assert_eq!(sign_in(old).await.unwrap().status(), StatusCode::UNAUTHORIZED);
        }
        passwords.push(password);
        program.signal("-INT").await;
        assert!(program.ended().await);
    }
    let program = Program::start(folder.path(), &["--local-admin-password", "a password of one's own"]).await;
    assert!(program.welcome.contains("LOCAL_ADMIN_PASSWORD") && !program.welcome.contains("of one's own"));
}

#[tokio::test]
async fn ctrl_c_and_sigterm_stop_it_cleanly() {
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::start(folder.path(), &[]).await;
        program.signal(signal).await;
        assert!(program.ended().await, "{signal}");
    }
}

#[tokio::test]
async fn keys_and_messages_survive_a_restart_and_a_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let meta = Simulator::start().await.unwrap();
    let url = meta.graph_api_url();
    let settings = ["--graph-api-url", url.as_str()];
    let mut program = Program::start(folder.path(), &settings).await;
    let first_key = program.api_key.clone();
    let (status, first_answer) = program.send(&client(), "919876543210", "once").await.unwrap();
    assert_eq!(status, StatusCode::OK);
    for signal in ["-KILL", "-INT"] {
        program.signal(signal).await;
        program.ended().await;
        program = Program::start(folder.path(), &settings).await;
        program.api_key.clone_from(&first_key);
        let answer = program.send(&client(), "919876543210", "once").await.unwrap();
        assert_eq!(answer, (StatusCode::OK, first_answer.clone()), "{signal}");
    }
    assert_eq!(meta.posts_to("919876543210"), 1);
}

#[tokio::test]
async fn a_kill_9_in_the_middle_of_sends_loses_no_answer_and_sends_nothing_twice() {
    const SENDS: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let meta = Simulator::start().await.unwrap();
    // Slow enough that the kill finds some before, some within and some after the call to Meta.
    meta.fail_always(Fault::Delay(20));
    let url = meta.graph_api_url();
    let settings = ["--graph-api-url", url.as_str(), "--local-api-key", "kill-9-in-the-middle"];
    let (client, phone) = (client(), |number: usize| format!("9198765{number:05}"));

    let program = std::sync::Arc::new(Program::start(folder.path(), &settings).await);
    let mut sends = tokio::task::JoinSet::new();
    for number in 0..SENDS {
        let (program, client) = (std::sync::Arc::clone(&program), client.clone());
        sends.spawn(async move { (number, program.send(&client, &phone(number), &format!("key-{number}")).await) });
    }
    let mut answered = Vec::new();
    while let Some(done) = sends.join_next().await {
        if let (number, Ok((StatusCode::OK, answer))) = done.unwrap() {
            answered.push((number, answer));
            if answered.len() == SENDS / 4 {
                program.signal("-KILL").await;
            }
        }
    }
    assert!(answered.len() >= SENDS / 4);

    let again = Program::start(folder.path(), &settings).await;
    for (number, answer) in &answered {
        let replayed = again.send(&client, &phone(*number), &format!("key-{number}")).await.unwrap();
        assert_eq!(replayed, (StatusCode::OK, answer.clone()), "an answer that was given is given again");
    }
    for number in 0..SENDS {
        let (status, answer) = again.send(&client, &phone(number), &format!("key-{number}")).await.unwrap();
        // 409: it was being sent when the program died, and its time is not over yet; 504 once it is.
        assert!([200, 409, 504].contains(&status.as_u16()), "{status} {answer}");
        assert!(meta.posts_to(&phone(number)) <= 1, "sent twice");
        assert!(status != StatusCode::OK || meta.posts_to(&phone(number)) == 1, "answered but never sent");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    for (setting, value, told) in [
        ("--port", taken.as_str(), "is taken by another program: stop that, or choose another port with PORT"),
        ("--dynamodb-port", &taken, "choose another port with DYNAMODB_PORT"),
        ("--simulator-port", &taken, "choose another port with SIMULATOR_PORT"),
        ("--whatsapp-accounts", "{}", "WHATSAPP_ACCOUNTS must be a JSON array of accounts"),
        ("--whatsapp-accounts", "@/no/such/file", "WHATSAPP_ACCOUNTS names a file that can't be read"),
        ("--default-country-code", "IN", "DEFAULT_COUNTRY_CODE must be 1 to 3 digits"),
        ("--graph-api-url", "graph.facebook.com", "GRAPH_API_URL"),
        ("--local-api-key", "wak_mistyped", "LOCAL_API_KEY begins with wak_ but its checksum is wrong"),
        ("--local-data-dir", file.to_str().unwrap(), "LOCAL_DATA_DIR"),
    ] {
        let mut settings = vec![
            ("--port", "0"),
            ("--dynamodb-port", "0"),
            ("--simulator-port", "0"),
            ("--local-data-dir", folder.path().to_str().unwrap()),
        ];
        settings.retain(|(name, _)| *name != setting);
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.args(settings.iter().flat_map(|(name, value)| [*name, *value])).args([setting, value]).env_clear();
        let output = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output()).await.unwrap().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{setting}");
        assert!(stderr.starts_with("error: ") && stderr.contains(told), "{setting}: {stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    }
}

#[tokio::test]
async fn a_key_of_ones_own_is_there_at_the_start_and_no_secret_is_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let token = "EAAcanaryToken";
    let accounts = json!([{"id": 4, "phone_number_id": "555", "waba_id": "6", "access_token": token}]).to_string();
    let settings = ["--local-api-key", "imported key", "--whatsapp-accounts", accounts.as_str()];
    let program = Program::start(folder.path(), &settings).await;
    let request = client().post(format!("{}/whatsapp/api/send-message", program.api_url));
    let request =
        request.header("X-API-Key", "imported key").body(r#"{"phone": "+919876543210", "message": "canary text"}"#);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    program.signal("-INT").await;
    let (welcome, output) = (program.welcome.clone(), program.child.wait_with_output().await.unwrap());
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("answered"), "{log}");
    for secret in [token, "imported key", "canary text", "919876543210"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
    assert!(!welcome.contains(token));
}
