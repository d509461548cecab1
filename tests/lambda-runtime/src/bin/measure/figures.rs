//! What is measured of a program, and how.

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use lambda_runtime_stand_in::{Call, Environment, Function};

use crate::bed::Bed;

pub(crate) const HEADING: &str = "\
| | MB | first poll: CPU | after | MB resident | event: CPU | took | DynamoDB reads | writes | SQS | Meta | status | thousand instructions | × bare | to the Runtime API | thawed |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";

pub(crate) const HEADING_OF_THE_LARGEST: &str = "\
| | the largest event | status | MB resident | CPU | took | calls |
|---|---|---|---|---|---|---|";

/// What is measured of a program.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) file_mb: f64,
    pub(crate) start_cpu_ms: f64,
    pub(crate) start_ms: f64,
    pub(crate) resident_mb: f64,
    pub(crate) event_cpu_ms: f64,
    pub(crate) event_ms: f64,
    reads: f64,
    writes: f64,
    enqueued: f64,
    to_meta: f64,
    pub(crate) status: Option<u64>,
    pub(crate) instructions: f64,
    pub(crate) connections: usize,
    pub(crate) failed_thawed: Option<usize>,
}

impl Figures {
    pub(crate) fn of_file(path: &str) -> Self {
        let bytes = fs::metadata(path).expect("the program is there").len();
        Self { file_mb: f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6, ..Self::default() }
    }

    /// Counts the calls of so many events.
    pub(crate) fn count<'a>(&mut self, calls: impl Iterator<Item = &'a Call>, events: f64) {
        for call in calls {
            let operation = call.operation.rsplit('.').next().unwrap_or_default();
            let kind = match operation {
                "BatchGetItem" | "GetItem" | "Query" | "Scan" => &mut self.reads,
                "SendMessageBatch" => &mut self.enqueued,
                _ if call.operation.contains('.') => &mut self.writes,
                _ => &mut self.to_meta,
            };
            *kind += 1.0 / events;
        }
    }

    /// A row of the table.
    pub(crate) fn row(&self, name: &str, bare: Option<&Self>) -> String {
        let thousands = self.instructions / 1e3;
        let mut row = format!("| {name} | {:.2} ", self.file_mb);
        // Writing to a text does not fail.
        let _ = write!(row, "| {:.2} ms | {:.1} ms | {:.1} ", self.start_cpu_ms, self.start_ms, self.resident_mb);
        let _ = write!(row, "| {:.3} ms | {:.2} ms ", self.event_cpu_ms, self.event_ms);
        let _ = write!(row, "| {:.2} | {:.2} | {:.2} | {:.2} ", self.reads, self.writes, self.enqueued, self.to_meta);
        let _ = write!(row, "| {} ", self.status.map(|status| status.to_string()).unwrap_or_default());
        let times = bare.map(|bare| format!("{:.2}", self.instructions / bare.instructions)).unwrap_or_default();
        let failed = self.failed_thawed.map(|failed| failed.to_string()).unwrap_or_default();
        let _ = write!(row, "| {thousands:.0} | {times} | {} | {failed} |", self.connections);
        row
    }

    /// A row of the table of the largest events.
    pub(crate) fn row_of_the_largest(&self, name: &str, what: &str) -> String {
        let status = self.status.map(|status| status.to_string()).unwrap_or_default();
        let calls = self.reads + self.writes + self.enqueued + self.to_meta;
        let (memory_mb, cpu_ms, took_ms) = (self.resident_mb, self.event_cpu_ms, self.event_ms);
        format!("| {name} | {what} | {status} | {memory_mb:.1} | {cpu_ms:.0} ms | {took_ms:.0} ms | {calls:.0} |")
    }
}

/// Starts a program. Gives its CPU time until it asks for its first event, and the time that this took, in milliseconds.
pub(crate) async fn start(program: &str, environment: &Environment) -> (f64, f64) {
    let begun = Instant::now();
    let function = Function::start(program, environment).await;
    let took_ms = begun.elapsed().as_secs_f64() * 1e3;
    let cpu_ms = cpu_ms(function.process_id().expect("the program runs"));
    // The next one starts when this one is gone, not while Linux takes it down.
    function.kill().await;
    (cpu_ms, took_ms)
}

/// The instructions of a process from its start to the end of so many events.
pub(crate) async fn instructions(program: &str, bed: &Bed, events: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let out = folder.path().join("callgrind.out");
    let file = format!("--callgrind-out-file={}", out.display());
    let function = Function::start_under(&["valgrind", "--tool=callgrind", &file], program, &bed.environment).await;
    for event in &bed.events[..events] {
        function.invoke(event).await.expect("an event is answered");
    }
    function.signal("TERM").await;
    function.ended().await;
    let counted = fs::read_to_string(&out).expect("callgrind has written what it counted");
    let total = counted.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("callgrind tells the total")
}

/// What the process's threads have run so far (Linux: /proc/PID/task/TID/schedstat, in nanoseconds).
pub(crate) fn cpu_ms(id: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{id}/task")).expect("Linux lists the threads").flatten();
    let statistics = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    let nanoseconds = statistics.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.sum::<f64>() / 1e6
}

/// The high-water mark of the resident set (Linux: `VmHWM` in /proc/PID/status, in kB).
pub(crate) fn largest_memory_mb(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("Linux tells of the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() * 1024.0 / 1e6
}

/// The medians of both.
pub(crate) fn median(pairs: &[(f64, f64)]) -> (f64, f64) {
    let of = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (of(pairs.iter().map(|pair| pair.0).collect()), of(pairs.iter().map(|pair| pair.1).collect()))
}
