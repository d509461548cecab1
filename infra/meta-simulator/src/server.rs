//! A running simulator: what a test tells it, and what it asks of it.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use url::Url;

use crate::customers::{self, Customer, CustomerMessage, NotSent};
use crate::faults::Fault;
use crate::graph::numbers;
use crate::phones::{Kept, PhoneMessage};
use crate::requests::RecordedRequest;
use crate::settings::Settings;
use crate::weather::Weather;
use crate::webhooks::{self, Change};
use crate::world::World;
use crate::{counts, listener};

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
        let router = listener::router(&world);
        let accepting = tokio::spawn(listener::accept(listener, Arc::clone(&world), router)).abort_handle();
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

    /// The page that shows a campaign arriving.
    pub fn arrivals_url(&self) -> String {
        format!("http://{}/arrivals", self.world.address)
    }

    /// Every Graph request seen, oldest first: the newest 10,000, or fewer when they are big.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        let requests: Vec<_> = self.world.lock().requests.iter().cloned().collect();
        requests.iter().map(|request| request.parsed()).collect()
    }

    /// How many `POST …/messages` to this recipient were seen, whatever came of them. Exact, however many of the
    /// [`Self::requests`] are no longer kept.
    pub fn posts_to(&self, phone: &str) -> usize {
        self.world.lock().counts.posts_to(&numbers::phone(phone))
    }

    /// How many `POST …/messages` to each recipient were seen, whatever came of them. A recipient stands under the
    /// `wa_id`, however it was written.
    pub fn posts_by_phone(&self) -> HashMap<String, usize> {
        let posts = self.world.lock().counts.posts();
        counts::by_phone(posts)
    }

    /// How many messages Meta accepted for each recipient: what the person would have received.
    pub fn accepted_by_phone(&self) -> HashMap<String, usize> {
        let accepted = self.world.lock().counts.accepted();
        counts::by_phone(accepted)
    }

    /// How many messages Meta accepted in all.
    pub fn accepted(&self) -> u64 {
        self.world.lock().counts.totals().accepted
    }

    /// How many webhooks are still to come: the statuses of the accepted messages, and whatever else was sent, that the
    /// webhook has not taken yet. Those that were given up are not among them. Batches and doubles count until the end.
    pub fn webhooks_pending(&self) -> usize {
        self.world.lock().pending.count()
    }

    /// What this phone received, oldest first. The customer's own messages are left out.
    pub fn phone(&self, number: &str) -> Vec<PhoneMessage> {
        let state = self.world.lock();
        let phone = state.phones.get(&numbers::phone(number));
        let messages = phone.into_iter().flat_map(|phone| &phone.messages);
        messages.filter(|message| !message.from_customer).map(Kept::message).collect()
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

    /// Every so many-th `POST …/messages` fails this way, until [`Self::clear_faults`]: with 20 the 20th, the 40th, ….
    /// Only those count that Meta would look at: with a token and a number of its, and with no other fault. Several
    /// such faults hold side by side; what one of them hits, the later ones don't count. A message was read already, so
    /// [`Fault::CloseBeforeReading`] is here what [`Fault::CloseAfterRequest`] is.
    pub fn fail_some(&self, fault: Fault, every: u32) {
        self.world.lock().faults.arm_share(fault, every);
    }

    /// How many messages one number of the business may send within any one second from now on; more are refused with
    /// error 130429. `None`: any number.
    pub fn set_messages_per_second(&self, limit: Option<u32>) {
        self.world.lock().limits.messages_per_second = limit;
    }

    /// Whether Meta refuses more than one message in 6 s from one number to the same recipient (error 131056), as
    /// [`Settings::pair_rate_limit`] tells.
    pub fn set_pair_rate_limit(&self, holds: bool) {
        self.world.lock().limits.pair_rate_limit = holds;
    }

    /// Forgets every armed fault. Those by a recipient's number stay.
    pub fn clear_faults(&self) {
        self.world.lock().faults.clear();
    }

    /// Back to how it was at the start: no requests, counts, phones, faults, media, blocked users or preferences; the
    /// built-in templates; the weather and the limits of the settings. Webhooks that were still to come don't.
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
