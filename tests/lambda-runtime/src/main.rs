//! Measures what a function's program costs: `cargo run -p lambda-runtime-stand-in -- target/lambda/send-message/bootstrap`.
//!
//! The program runs as on Lambda and sends texts over the embedded DynamoDB and the simulated Meta. What is told is the
//! CPU time of its own process, as Linux counts it, and its largest memory: not the time of the engine or the simulator,
//! and nothing that the network would add.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a person starts this in a terminal and reads it there")]

use std::fs;

use lambda_runtime_stand_in::{Environment, Function};
use serde_json::json;
use testbed::Testbed;

const SENDS: u32 = 500;

#[tokio::main]
async fn main() {
    let program = std::env::args().nth(1).expect("the path of a function's program");
    let testbed = Testbed::start().await;
    let function = Function::start(&program, &Environment::new("measured", &testbed)).await;
    let id = function.process_id().expect("the program runs");
    let begun_ms = cpu_ms(id);

    let event = json!({
        "httpMethod": "POST",
        "path": "/whatsapp/api/send-message/",
        "headers": {"X-API-Key": testbed.api_key.reveal(), "Content-Type": "application/json"},
        "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": "prod"},
        "body": json!({"phone": "+919876543210", "message": "Hello!"}).to_string(),
        "isBase64Encoded": false,
    });
    let send = async || {
        let answer = function.invoke(&event.to_string()).await.expect("the function answers");
        assert_eq!(answer.get("statusCode"), Some(&json!(200)), "{answer}");
    };
    send().await;
    let first_ms = cpu_ms(id);
    for _ in 0..SENDS {
        send().await;
    }
    let each_ms = (cpu_ms(id) - first_ms) / f64::from(SENDS);
    println!("CPU until the first event  {begun_ms:8.2} ms");
    println!("CPU of the first send      {:8.2} ms", first_ms - begun_ms);
    println!("CPU of each further send   {each_ms:8.2} ms, over {SENDS}");
    println!("largest memory             {:8.1} MB", largest_memory_mb(id));
}

/// What the process's threads have run so far (Linux: /proc/PID/task/TID/schedstat, in nanoseconds).
fn cpu_ms(id: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{id}/task")).expect("Linux lists the threads").flatten();
    let statistics = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    let nanoseconds = statistics.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.sum::<f64>() / 1e6
}

/// The high-water mark of the resident set (Linux: `VmHWM` in /proc/PID/status, in kB).
fn largest_memory_mb(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("Linux tells of the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}
