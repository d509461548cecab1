//! Starts the simulator for people: `cargo run -p meta-simulator`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use meta_simulator::{ACCESS_TOKEN, APP_SECRET, PHONE_NUMBER_ID, Settings, Simulator, VERIFY_TOKEN, WABA_ID, Weather};
use url::Url;

/// Meta's WhatsApp Cloud API on this machine, with pages that show the phones and what arrives.
#[derive(Parser)]
struct Options {
    /// The port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 9001)]
    port: u16,
    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Where the signed webhooks go. Without it none are sent.
    #[arg(long)]
    webhook_url: Option<Url>,
    /// The time from each status (sent, delivered, read) to the next.
    #[arg(long, value_name = "MS", default_value_t = 700)]
    status_delay_ms: u64,
    /// What befalls the webhooks, as a comma list: late, doubled, shuffled, batched; or stormy for all of these.
    #[arg(long, value_delimiter = ',')]
    weather: Vec<Trouble>,
    /// Refuse what Meta refuses when the customer has not written for 24 hours also to those who never wrote.
    #[arg(long)]
    enforce_window: bool,
    /// Refuse templates that were not created here, as Meta does.
    #[arg(long)]
    known_templates_only: bool,
    /// Refuse more messages than this within any one second from one phone number (error 130429), as Meta does at 80.
    #[arg(long, value_name = "N")]
    messages_per_second: Option<u32>,
    /// Refuse more than one message in 6 s to the same recipient (error 131056); 45 may come at once, as at Meta.
    #[arg(long)]
    pair_rate_limit: bool,
    /// How long each message takes: it is accepted after half of this and answered after the other half.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    answer_delay_ms: u64,
    /// How many changes a webhook call carries at most when they are batched.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    webhook_batch: u16,
    /// How often a webhook that isn't taken is sent in all.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    webhook_attempts: u32,
}

/// One trouble of the webhooks on their way.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Trouble {
    Late,
    Doubled,
    Shuffled,
    Batched,
    Stormy,
}

fn weather(troubles: &[Trouble]) -> Weather {
    let has = |trouble| troubles.contains(&trouble) || troubles.contains(&Trouble::Stormy);
    Weather {
        late: has(Trouble::Late),
        doubled: has(Trouble::Doubled),
        shuffled: has(Trouble::Shuffled),
        batched: has(Trouble::Batched),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let address = SocketAddr::from((options.host, options.port));
    let settings = Settings {
        address,
        webhook_url: options.webhook_url,
        status_delay: Duration::from_millis(options.status_delay_ms),
        weather: weather(&options.weather),
        enforce_window: options.enforce_window,
        any_template: !options.known_templates_only,
        messages_per_second: options.messages_per_second,
        pair_rate_limit: options.pair_rate_limit,
        answer_delay: Duration::from_millis(options.answer_delay_ms),
        batch_size: options.webhook_batch.into(),
        webhook_attempts: options.webhook_attempts,
        ..Settings::default()
    };
    match Simulator::bind(settings).await {
        Ok(simulator) => {
            greet(&simulator);
            // Should Ctrl-C not be available, there is nothing better than to stop at once.
            let _ = tokio::signal::ctrl_c().await;
            ExitCode::SUCCESS
        }
        Err(error) => fail(address, &error),
    }
}

#[expect(clippy::print_stdout, reason = "this is what the person who started it reads")]
fn greet(simulator: &Simulator) {
    let (page, arrivals, graph) = (simulator.page_url(), simulator.arrivals_url(), simulator.graph_api_url());
    println!("The phones:       {page}");
    println!("What arrives:     {arrivals}");
    println!("Graph API:        {graph}");
    println!("Access token:     {ACCESS_TOKEN}");
    println!("Phone number id:  {PHONE_NUMBER_ID}");
    println!("WABA id:          {WABA_ID}");
    println!("App secret:       {APP_SECRET}");
    println!("Verify token:     {VERIFY_TOKEN}");
    println!();
    println!("Try it:");
    println!("curl {graph}/{PHONE_NUMBER_ID}/messages \\");
    println!("  -H 'Authorization: Bearer {ACCESS_TOKEN}' -H 'Content-Type: application/json' \\");
    println!(
        r#"  -d '{{"messaging_product":"whatsapp","to":"919876543210","type":"text","text":{{"body":"Hello!"}}}}'"#
    );
}

#[expect(clippy::print_stderr, reason = "this is what the person who started it reads")]
fn fail(address: SocketAddr, error: &std::io::Error) -> ExitCode {
    let reason = match error.kind() {
        std::io::ErrorKind::AddrInUse => "the port is taken; choose another with --port".to_owned(),
        _ => error.to_string(),
    };
    eprintln!("meta-simulator cannot listen on {address}: {reason}");
    ExitCode::FAILURE
}
