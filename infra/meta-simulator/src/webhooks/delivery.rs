//! The way of a call to the webhook, and the check that the webhook is its owner's.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use url::Url;

use super::Outgoing;
use super::call::{Call, calls};
use crate::clock;
use crate::world::World;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Meta waits ever longer, for days. Here somebody waits for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
const AT_ONCE: usize = 32;

/// The HTTP client for webhooks, with a bound on how many are under way.
pub(crate) struct Client {
    http: reqwest::Client,
    permits: Semaphore,
}

impl Client {
    pub(crate) fn new() -> io::Result<Self> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .user_agent("facebookexternalua")
            .build()
            .map_err(io::Error::other)?;
        Ok(Self { http, permits: Semaphore::new(AT_ONCE) })
    }
}

/// Sends the changes until each call is answered with 200, a few times at most.
pub(super) async fn deliver(world: &World, changes: Vec<Outgoing>) {
    let (url, doubled) = {
        let state = world.lock();
        (state.webhook_url.clone(), state.weather.doubled)
    };
    let Some(url) = url else { return };
    for call in calls(changes, clock::now().as_second()) {
        if !until_taken(world, &url, &call).await {
            continue;
        }
        {
            let mut state = world.lock();
            if !call.is_void() {
                state.counts.send_statuses(call.statuses);
            }
        }
        if doubled {
            until_taken(world, &url, &call).await;
        }
    }
}

async fn until_taken(world: &World, url: &Url, call: &Call) -> bool {
    let attempts = world.settings.webhook_attempts;
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=attempts {
        if call.is_void() {
            return false;
        }
        let Some(problem) = post(world, url, call).await else { return true };
        if attempt == attempts {
            world.lock().notice(&format!("webhook given up after {attempts} attempts: {problem}"));
        } else {
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
    false
}

/// What went wrong, if anything did. Meta takes only a 200 for a yes.
async fn post(world: &World, url: &Url, call: &Call) -> Option<String> {
    // The semaphore is never closed; without a permit the webhook goes out all the same.
    let _permit = world.webhook_client.permits.acquire().await.ok();
    let request = world
        .webhook_client
        .http
        .post(url.clone())
        .header("content-type", "application/json")
        .header("x-hub-signature-256", &call.signature)
        .body(call.body.clone());
    match request.send().await {
        Ok(response) if response.status() == StatusCode::OK => None,
        Ok(response) => Some(format!("{url} answered {}", response.status())),
        Err(error) => Some(broken(url, &error)),
    }
}

fn broken(url: &Url, error: &reqwest::Error) -> String {
    if error.is_timeout() {
        format!("{url} did not answer in time")
    } else if error.is_connect() {
        format!("{url} cannot be reached")
    } else {
        format!("{url} broke off the connection")
    }
}

/// Asks the webhook, as Meta does before it sends anything, whether it knows the verify token.
pub(crate) async fn verify(world: &World) -> Result<(), String> {
    let url = world.lock().webhook_url.clone().ok_or("there is no webhook")?;
    let mut tokens: Vec<&str> = world.settings.accounts.iter().filter_map(|one| one.verify_token.as_deref()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    if tokens.is_empty() {
        return Err("no account has a verify token".to_owned());
    }
    for token in tokens {
        verify_one(world, &url, token).await?;
    }
    Ok(())
}

async fn verify_one(world: &World, url: &Url, token: &str) -> Result<(), String> {
    let challenge = rand::random_range(1_000_000_000..=u32::MAX).to_string();
    let mut asking = url.clone();
    asking
        .query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", token);
    let response = world.webhook_client.http.get(asking).send().await.map_err(|error| broken(url, &error))?;
    if response.status() != StatusCode::OK {
        return Err(format!("{url} answered {}", response.status()));
    }
    let answer = response.bytes().await.map_err(|error| broken(url, &error))?;
    if answer == challenge.as_bytes() {
        Ok(())
    } else {
        Err(format!("{url} answered with something else than the challenge {challenge}"))
    }
}
