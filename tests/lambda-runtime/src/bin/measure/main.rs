//! Measures what the functions' programs cost, as they are deployed, beside a bare function that makes the same calls:
//!
//! ```sh
//! cargo lambda build --release
//! RUSTFLAGS='-C target-cpu=haswell' cargo build --release -p bare-function
//! cargo run -p lambda-runtime-stand-in -- target/lambda target/release/bare-function [send-message list-chats …]
//! ```
//!
//! cargo-lambda compiles for that CPU; on an ARM machine `neoverse-n1`.
//!
//! Each program runs as on Lambda, on an embedded DynamoDB, an embedded SQS and a simulated Meta of its own. What it costs is
//! told of its own process, as Linux counts it: not the time of those, and nothing that the network or TLS would add.
//!
//! - **MB**: the program's file.
//! - **first poll**: the CPU time of the process until it asked for its first event, and how long that took: the medians of
//!   several starts, of the program and of the bare function in turns.
//! - **MB resident**: the largest it has been after all events.
//! - **event**: CPU time, and how long it took from the event to its answer, the mean of 200 after 20 others; how many calls
//!   went out meanwhile.
//! - **thousand instructions**: callgrind's count for an event, from runs of 20 and of 220. The kernel's are not in it.
//! - **thawed**: how many events of 300 failed whose process was frozen before, and lost every connection.
//!
//! A second table shows the largest event that a function may get, its first one: what its memory and its timeout have to be
//! enough for. Answers of the embedded servers take longer than AWS's.
//!
//! The bare function has the same crates, makes the calls of one such event and gives its answer, knows nothing of what it
//! does, and opens no connection before its first event.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a person starts this in a terminal and reads it there; what goes wrong ends it"
)]

mod bed;
mod figures;
mod largest;
mod subjects;

use bed::Bed;
use figures::{Figures, median};
use lambda_runtime_stand_in::{Call, Function};
use serde_json::{Value, json};
use template::Template;

/// How often a process is started.
const STARTS: usize = 21;
/// How many events come before those that are measured.
const FIRST: usize = 20;
/// How many are measured.
const MEASURED: usize = 200;
/// How often a process is frozen.
const FREEZES: usize = 300;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(bare)) = (arguments.next(), arguments.next()) else {
        println!("measure FOLDER BARE_FUNCTION [NAME…]");
        return;
    };
    let wanted: Vec<_> = arguments.collect();
    let template = Template::ours().expect("template.yaml can be read");
    let names = template.functions.into_iter().map(|function| function.name);
    let names: Vec<_> = names.filter(|name| wanted.is_empty() || wanted.contains(name)).collect();
    let program = |name: &str| format!("{folder}/{name}/bootstrap");
    println!("{}", figures::HEADING);
    for name in &names {
        let (ours, bare) = Box::pin(measure(name, &program(name), &bare)).await;
        println!("{}", ours.row(name, Some(&bare)));
        println!("{}", bare.row("  bare", None));
    }
    println!("\n{}", figures::HEADING_OF_THE_LARGEST);
    for name in &names {
        let Some((what, bed)) = Box::pin(Bed::with_the_largest(name)).await else { continue };
        let figures = measure_the_only_event(&bed, &program(name)).await;
        println!("{}", figures.row_of_the_largest(name, what));
    }
}

/// Measures a function, and the bare one that makes the same calls.
async fn measure(name: &str, program: &str, bare: &str) -> (Figures, Figures) {
    let mut ours = Figures::of_file(program);
    let mut theirs = Figures::of_file(bare);

    let bed = Bed::start(name, FIRST + MEASURED).await;
    let (calls, answer) = run(&bed, program, &mut ours).await;
    let recorded = bed.repeating(calls).await;
    let calls = tempfile::NamedTempFile::new().expect("a file can be made");
    std::fs::write(calls.path(), json!({"calls": recorded.for_the_bare_function(), "answer": answer}).to_string())
        .expect("a file can be written");
    let calls = calls.path().to_str().expect("the path is text");
    let recorded = recorded.with("BARE_CALLS", calls);
    run(&recorded, bare, &mut theirs).await;

    let (mut starts, mut bare_starts) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        starts.push(figures::start(program, &bed.environment).await);
        bare_starts.push(figures::start(bare, &recorded.environment).await);
    }
    (ours.start_cpu_ms, ours.start_ms) = median(&starts);
    (theirs.start_cpu_ms, theirs.start_ms) = median(&bare_starts);

    let few = figures::instructions(bare, &recorded, FIRST).await;
    theirs.instructions = slope(few, figures::instructions(bare, &recorded, FIRST + MEASURED).await);
    let few = figures::instructions(program, &Bed::start(name, FIRST).await, FIRST).await;
    let bed = Bed::start(name, FIRST + MEASURED).await;
    ours.instructions = slope(few, figures::instructions(program, &bed, FIRST + MEASURED).await);
    ours.failed_thawed = Some(Box::pin(thaw(name, program)).await);
    (ours, theirs)
}

/// Measures a function at a bed's only event, which is its first.
async fn measure_the_only_event(bed: &Bed, program: &str) -> Figures {
    let mut figures = Figures::default();
    let function = Function::start(program, &bed.environment).await;
    let id = function.process_id().expect("the program runs");
    let (cpu_ms, begun) = (figures::cpu_ms(id), std::time::Instant::now());
    let answer = function.invoke(&bed.events[0]).await.expect("an event is answered");
    figures.event_ms = begun.elapsed().as_secs_f64() * 1e3;
    figures.event_cpu_ms = figures::cpu_ms(id) - cpu_ms;
    figures.resident_mb = figures::largest_memory_mb(id);
    figures.count(bed.take_calls().iter().flatten(), 1.0);
    figures.status = answer["statusCode"].as_u64();
    figures
}

/// Hands over all events of a bed. Gives the calls of an ordinary one, and its answer.
async fn run(bed: &Bed, program: &str, figures: &mut Figures) -> (Vec<Vec<Call>>, Value) {
    let function = Function::start(program, &bed.environment).await;
    let id = function.process_id().expect("the program runs");
    for event in &bed.events[..FIRST] {
        function.invoke(event).await.expect("an event is answered");
    }
    bed.take_calls();
    let (cpu_ms, begun) = (figures::cpu_ms(id), std::time::Instant::now());
    let mut each = Vec::new();
    for event in &bed.events[FIRST..] {
        let answer = function.invoke(event).await.expect("an event is answered");
        each.push((bed.take_calls(), answer));
    }
    let events = f64::from(u32::try_from(each.len()).unwrap_or(u32::MAX));
    figures.event_ms = begun.elapsed().as_secs_f64() * 1e3 / events;
    figures.event_cpu_ms = (figures::cpu_ms(id) - cpu_ms) / events;
    figures.resident_mb = figures::largest_memory_mb(id);
    figures.connections = function.connections_to_runtime_api();
    figures.count(each.iter().flat_map(|(calls, _)| calls.iter().flatten()), events);
    figures.status = each.last().and_then(|(_, answer)| answer["statusCode"].as_u64());
    each.sort_by_key(|(calls, _)| calls.iter().map(Vec::len).sum::<usize>());
    each.swap_remove(each.len() / 2)
}

/// The instructions of one event.
fn slope(few: f64, many: f64) -> f64 {
    (many - few) / f64::from(u32::try_from(MEASURED).unwrap_or(u32::MAX))
}

/// How many events of a process failed that was frozen before each of them.
async fn thaw(name: &str, program: &str) -> usize {
    let bed = Bed::start(name, FREEZES).await;
    let function = Function::start(program, &bed.environment).await;
    let mut failed = 0;
    for (number, event) in bed.events.iter().enumerate() {
        if !function.is_running() {
            return failed + FREEZES - number;
        }
        let answer = function.invoke_thawed(event, &bed.ways()).await;
        let is_good = answer.is_ok_and(|answer| answer["statusCode"].as_u64().is_none_or(|status| status < 500));
        failed += usize::from(!is_good);
    }
    failed
}
