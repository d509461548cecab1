//! The listener: connections are served by hand, so that a broken one is really broken.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::SignedDuration;
use serde_json::Value;
use socket2::{SockRef, Socket};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tower::ServiceExt;
use url::Url;

use crate::customers::{self, Customer, CustomerMessage, NotSent};
use crate::faults::{Fault, HangUp};
use crate::graph::{self, numbers};
use crate::phones::PhoneMessage;
use crate::requests::RecordedRequest;
use crate::settings::Settings;
use crate::weather::Weather;
use crate::webhooks::{self, Change};
use crate::world::World;
use crate::{control, page};

/// A running simulator. It works in background tasks and stops, port and all, when dropped.
pub struct Simulator {
    world: Arc<World>,
    accepting: AbortHandle,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("address", &self.world.address).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Starts one for a test: on 127.0.0.1 and a free port, without a webhook, with statuses at once.
    pub async fn start() -> io::Result<Self> {
        Self::bind(Settings::default()).await
    }

    /// Starts one as told. Fails when the address cannot be had.
    pub async fn bind(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.address).await?;
        let world = Arc::new(World::new(settings, listener.local_addr()?, webhooks::Client::new()?));
        let router = router(&world);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&world), router)).abort_handle();
        Ok(Self { world, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.world.address
    }

    /// Meta's base address with its version: `http://127.0.0.1:PORT/v25.0`.
    pub fn graph_api_url(&self) -> String {
        format!("http://{}/v25.0", self.world.address)
    }

    /// The page that shows the phones.
    pub fn page_url(&self) -> String {
        format!("http://{}/", self.world.address)
    }

    /// Every Graph request seen, oldest first: the newest 10,000, or fewer when they are big.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.world.lock().requests.iter().map(|request| RecordedRequest::clone(request)).collect()
    }

    /// How many `POST …/messages` to this recipient were seen, whatever came of them. Counts the kept [`Self::requests`].
    pub fn posts_to(&self, phone: &str) -> usize {
        let wanted = Some(numbers::phone(phone));
        let is_wanted = |request: &&Arc<RecordedRequest>| request.recipient.as_deref().map(numbers::phone) == wanted;
        self.world.lock().requests.iter().filter(is_wanted).count()
    }

    /// What this phone received, oldest first. The customer's own messages are left out.
    pub fn phone(&self, number: &str) -> Vec<PhoneMessage> {
        let state = self.world.lock();
        let phone = state.phones.get(&numbers::phone(number));
        let messages = phone.into_iter().flat_map(|phone| &phone.messages);
        messages.filter(|message| !message.from_customer).cloned().collect()
    }

    /// A customer writes a text to the first account; gives back its id. It goes to the webhook when there is one.
    /// `None` when it was not sent, as [`NotSent`] tells.
    pub fn customer_writes(&self, number: &str, text: &str) -> Option<String> {
        self.customer_sends(number, CustomerMessage::text(text)).ok()
    }

    /// A customer sends something to the first account; gives back its id. The number may be a business-scoped user
    /// id, such as `US.13491208655302741918`: then the webhook tells no phone number.
    pub fn customer_sends(&self, number: &str, message: CustomerMessage) -> Result<String, NotSent> {
        customers::send(&self.world, self.world.account(None)?, &Customer::read(number)?, message)
    }

    /// Like [`Self::customer_sends`], to the account with this phone number id.
    pub fn customer_sends_to(
        &self,
        phone_number_id: &str,
        number: &str,
        message: CustomerMessage,
    ) -> Result<String, NotSent> {
        customers::send(&self.world, self.world.account(Some(phone_number_id))?, &Customer::read(number)?, message)
    }

    /// The customer wants no more marketing messages of the first account, or wants them again. Meta sends
    /// `user_preferences`, and refuses templates of the category MARKETING while they are not wanted (error 131050).
    pub fn customer_wants_marketing(&self, number: &str, wanted: bool) -> Result<(), NotSent> {
        customers::prefer(&self.world, self.world.account(None)?, &Customer::read(number)?, wanted);
        Ok(())
    }

    /// What the customer wrote becomes 25 hours older: the 24-hour window is closed.
    pub fn age_window(&self, number: &str) {
        self.world.lock().phones.age(&numbers::phone(number), SignedDuration::from_hours(25));
    }

    /// Sends a webhook of any field with any value for the first account, such as an `account_update`.
    pub fn send_webhook(&self, field: &str, value: Value) {
        if let Ok(account) = self.world.account(None) {
            webhooks::send_soon(&self.world, Change::new(account, field, value));
        }
    }

    /// Like [`Self::send_webhook`], for the account with this phone number id.
    pub fn send_webhook_of(&self, phone_number_id: &str, field: &str, value: Value) -> Result<(), NotSent> {
        let account = self.world.account(Some(phone_number_id))?;
        webhooks::send_soon(&self.world, Change::new(account, field, value));
        Ok(())
    }

    /// What befalls the webhooks from now on. A message's statuses keep to the weather in which it was accepted.
    pub fn set_weather(&self, weather: Weather) {
        self.world.lock().weather = weather;
    }

    /// Asks the webhook to verify itself, as Meta does before it sends anything: with each account's verify token. The
    /// error tells a person what was wrong.
    pub async fn verify_webhook(&self) -> Result<(), String> {
        webhooks::verify(&self.world).await
    }

    /// Where the webhooks go from now on; `None` for nowhere.
    pub fn set_webhook_url(&self, url: Option<Url>) {
        self.world.lock().set_webhook_url(url);
    }

    /// The next so many Graph requests fail this way. Several calls queue up.
    pub fn fail_next(&self, fault: Fault, times: u32) {
        let hang_up = fault == Fault::CloseBeforeReading;
        self.world.lock().faults.arm(fault, times);
        if hang_up {
            self.world.hang_up.send_replace(());
        }
    }

    /// Every Graph request fails this way, until [`Self::clear_faults`]. What [`Self::fail_next`] armed comes first.
    /// With [`Fault::CloseBeforeReading`] the page and the control API are out of reach too.
    pub fn fail_always(&self, fault: Fault) {
        let hang_up = fault == Fault::CloseBeforeReading;
        self.world.lock().faults.arm_always(fault);
        if hang_up {
            self.world.hang_up.send_replace(());
        }
    }

    /// Forgets every armed fault. Those by a recipient's number stay.
    pub fn clear_faults(&self) {
        self.world.lock().faults.clear();
    }

    /// Back to how it was at the start: no requests, phones, faults, media, blocked users or preferences; the built-in
    /// templates; the weather of the settings.
    pub fn reset(&self) {
        self.world.reset();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.accepting.abort();
        self.world.tasks.stop();
    }
}

fn router(world: &Arc<World>) -> Router {
    Router::new()
        .merge(page::routes())
        .nest("/control", control::routes())
        .route("/whatsapp_business/attachments/{id}", get(graph::media::download))
        .fallback(graph::serve)
        .layer(DefaultBodyLimit::max(graph::MAX_BODY))
        .with_state(Arc::clone(world))
}

async fn accept(listener: TcpListener, world: Arc<World>, router: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if world.lock().faults.take_close_before_reading() => {
                drop(stream);
                world.lock().notice("a connection: fault close_before_reading");
            }
            Ok((stream, _)) => {
                let connection = connection(stream, Arc::clone(&world), router.clone());
                world.tasks.spawn(connection);
            }
            // Out of file descriptors, most likely: the open connections need a moment to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(stream: TcpStream, world: Arc<World>, router: Router) {
    // Small answers must not wait for an acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    // A second handle on the socket: it outlives the HTTP side, so that closing it is the last word.
    let Ok(socket) = SockRef::from(&stream).try_clone() else { return };
    let service = service_fn(|request| answer(&router, &socket, request));
    let mut http = hyper::server::conn::http1::Builder::new();
    let http = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let mut http = std::pin::pin!(http);
    let mut hang_up = world.hang_up.subscribe();
    loop {
        tokio::select! {
            // A broken connection is the caller's to see; here it just ends.
            _ = http.as_mut() => break,
            Ok(()) = hang_up.changed() => http.as_mut().graceful_shutdown(),
        }
    }
}

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulated connection breaks")]
struct Broken;

async fn answer(router: &Router, socket: &Socket, request: Request<Incoming>) -> Result<Response<Body>, Broken> {
    let Ok(response) = router.clone().oneshot(request).await;
    match response.extensions().get() {
        None => Ok(response),
        Some(HangUp::Fin) => Err(Broken),
        Some(HangUp::Reset) => {
            // A close that may not linger is an RST. Without it the connection still ends, with a FIN.
            let _ = socket.set_linger(Some(Duration::ZERO));
            Err(Broken)
        }
    }
}
