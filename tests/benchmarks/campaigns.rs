//! A campaign sent by this gateway and by the reference's own loop, in turns, to the same simulated Meta.
//!
//! ```sh
//! REFERENCE_PYTHON=…/bin/python cargo bench -p tests --bench campaigns
//! ```
//!
//! Both send the same template with one value to the same 10,000 numbers. The clock runs from the moment when the campaign is
//! told to start until Meta has accepted a message for everybody. What each does for a message:
//!
//! - **The gateway** claims the message with a conditional write, calls Meta over a connection that stays open, writes what
//!   came of it, and moves the conversation; for ten messages together it reads the campaign, asks who opted out or is
//!   blocked, takes the next moments of the number's rate, and notes whom it has written to. That is three writes and some
//!   halves, up to 50 chunks at the same time, all through HTTP and the AWS SDK.
//! - **The reference** inserts a row, opens a new connection and calls Meta, and updates the row: two writes, one person after
//!   the other. It claims nothing (sent again after a crash, everybody gets the message again), keeps to no rate, looks
//!   nobody up once it has begun, and writes no conversation.
//!
//! What to keep in mind when reading the figures:
//!
//! - All runs on one machine. The gateway's process holds its worker, the embedded DynamoDB and SQS, and the simulator; the
//!   reference has a process of its own, and the simulator another core.
//! - The gateway's tables are in memory, behind an engine that takes one request at a time; on AWS a write takes some
//!   milliseconds, and any number of them go on at once. The reference's are an `SQLite` file, as Django makes it, which waits
//!   for the disk twice a message: `TMPDIR=/dev/shm` takes the disk away.
//! - Meta is plain HTTP here. Over the internet each of the reference's connections costs a TLS handshake as well.
//! - The gateway keeps to the account's `messages_per_second`, which is the most that there is: 1000. Where it comes near to
//!   that, the rate is what is measured. Meta itself takes 80 a second from an ordinary number, and from the others 1000.
//! - `cargo bench` compiles everything as for AWS; the simulator and the embedded engines, too.
//! - With statuses, the gateway takes three for each message while it sends, and each in a call of its own, which is the worst
//!   that can come; `--webhook-batch` puts more into one. Nobody tells the reference anything.
//!
//! With the reference it takes half an hour (two rounds), of which the reference waits 20 minutes for Meta. What else runs on the
//! machine meanwhile shows in the figures.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here ends the benchmark")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod gateway;
mod reference;

use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Parser;
use gateway::Webhooks;
use meta_simulator::{Simulator, Weather};
use tokio::time::{sleep, timeout};

/// The template, which the simulator takes with any values.
const TEMPLATE: &str = "offer";
/// How often it is looked whether somebody has got the message.
const POLLING: Duration = Duration::from_millis(5);
/// No round takes so long.
const PATIENCE: Duration = Duration::from_hours(1);

/// Sends campaigns, and measures how long that takes.
#[derive(Parser)]
struct Options {
    /// How many people a campaign has; one upload takes 10,000
    #[arg(long, default_value_t = 10_000)]
    recipients: usize,

    /// How long Meta takes to answer, in milliseconds: the campaigns are sent anew with each
    #[arg(long, value_delimiter = ',', default_values_t = [0, 50])]
    answer_delay_ms: Vec<u64>,

    /// The rate of the gateway's number; the reference keeps to none
    #[arg(long, default_value_t = 1000)]
    messages_per_second: u32,

    /// How many statuses Meta puts into one webhook at most
    #[arg(long, default_value_t = 1)]
    webhook_batch: usize,

    /// How often everybody gets their turn
    #[arg(long, default_value_t = 2)]
    rounds: u32,

    /// A Python that has django-meta-whatsapp
    #[arg(long, env = "REFERENCE_PYTHON")]
    reference_python: Option<PathBuf>,

    /// What cargo bench says, and cargo test doesn't
    #[arg(long, hide = true)]
    bench: bool,
}

/// To whom is sent.
struct People {
    phones: Vec<String>,
}

impl People {
    fn new(count: usize) -> Self {
        Self { phones: (0..count).map(|number| format!("9198765{number:05}")).collect() }
    }

    /// Phone and name of everybody.
    fn with_names(&self) -> impl Iterator<Item = (&str, String)> {
        (0..).zip(&self.phones).map(|(number, phone): (usize, _)| (phone.as_str(), format!("Ann {number}")))
    }

    /// Waits until Meta has accepted a message for everybody. Phone by phone, since that is cheap to ask for.
    async fn all_got_it(&self, simulator: &Simulator) {
        for phone in &self.phones {
            while simulator.posts_to(phone) == 0 {
                sleep(POLLING).await;
            }
        }
        while simulator.accepted_by_phone().len() < self.phones.len() {
            sleep(POLLING).await;
        }
    }
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    if !options.bench {
        println!("This is run by cargo bench.");
        return;
    }
    let cores = available_parallelism().unwrap();
    let build = if cfg!(debug_assertions) { "not optimised" } else { "optimised" };
    println!("{} recipients each, {cores} cores, {build}", options.recipients);
    if options.reference_python.is_none() {
        println!(
            "The reference is not measured: pip install django-meta-whatsapp==1.1.0, and name that Python in REFERENCE_PYTHON."
        );
    }
    for answer_delay in options.answer_delay_ms.iter().copied().map(Duration::from_millis) {
        let settings = meta_simulator::Settings {
            answer_delay,
            weather: Weather { batched: options.webhook_batch > 1, ..Weather::default() },
            batch_size: options.webhook_batch,
            ..meta_simulator::Settings::default()
        };
        let simulator = Simulator::bind(settings).await.unwrap();
        for _ in 0..options.rounds {
            timeout(PATIENCE, round(&options, &simulator, answer_delay)).await.unwrap();
        }
    }
}

/// Everybody's turn.
async fn round(options: &Options, simulator: &Simulator, answer_delay: Duration) {
    let (people, rate) = (&People::new(options.recipients), options.messages_per_second);
    let sent = gateway::run(people, simulator, rate, Webhooks::Off).await;
    tell("gateway", people, answer_delay, sent.took);
    if let Some(python) = &options.reference_python {
        let took = reference::run(python, people, simulator).await;
        tell("reference", people, answer_delay, took);
    }
    let sent = gateway::run(people, simulator, rate, Webhooks::On).await;
    tell("gateway, with statuses", people, answer_delay, sent.took);
    println!("{:24}the last status was taken after {:.1} s", "", sent.told.as_secs_f64());
}

fn tell(who: &str, people: &People, answer_delay: Duration, took: Duration) {
    let (count, seconds) = (people.phones.len(), took.as_secs_f64());
    let per_second = f64::from(u32::try_from(count).unwrap()) / seconds;
    println!(
        "{who:24}{count:6} recipients, answers after {:3} ms: {seconds:7.2} s, {per_second:6.1} messages a second",
        answer_delay.as_millis()
    );
}

/// Makes sure that everybody got one message, and begins anew.
fn conclude(people: &People, simulator: &Simulator) {
    let accepted = simulator.accepted_by_phone();
    assert_eq!(accepted.len(), people.phones.len());
    let doubles: Vec<_> = accepted.iter().filter(|(_, count)| **count != 1).collect();
    assert!(doubles.is_empty(), "{doubles:?}");
    simulator.reset();
}
