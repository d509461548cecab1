//! The reference's turn: its own loop in a Python process.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meta_simulator::Simulator;
use serde_json::{Value, json};

use crate::{People, TEMPLATE, conclude};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benchmarks/reference.py");

pub(crate) async fn run(python: &Path, people: &People, simulator: &Simulator) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let wanted = json!({
        "database": folder.path().join("reference.sqlite"),
        "graph": format!("http://{}", simulator.address()),
        "access_token": meta_simulator::ACCESS_TOKEN,
        "phone_number_id": meta_simulator::PHONE_NUMBER_ID,
        "waba_id": meta_simulator::WABA_ID,
        "template": TEMPLATE,
    });
    let mut python = Command::new(python)
        .arg(SCRIPT)
        .arg(wanted.to_string())
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut go = python.stdin.take().unwrap();
    let mut says = BufReader::new(python.stdout.take().unwrap());
    for (phone, name) in people.with_names() {
        writeln!(go, "{}", json!([phone, name])).unwrap();
    }
    writeln!(go).unwrap();
    // Waiting holds up nothing: the simulator runs in other threads than this one.
    let mut line = String::new();
    says.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");

    let all_sent = json!({"sent": people.phones.len(), "failed": 0});
    let begun = Instant::now();
    writeln!(go).unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let mut told = String::new();
        says.read_to_string(&mut told).unwrap();
        assert!(python.wait().unwrap().success(), "{told}");
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), all_sent);
    });
    let sent = async {
        people.all_got_it(simulator).await;
        Ok(begun.elapsed())
    };
    // Should it end without having sent to everybody, nobody waits for that any longer.
    let (took, ()) = tokio::try_join!(sent, ended).unwrap();
    conclude(people, simulator);
    took
}
