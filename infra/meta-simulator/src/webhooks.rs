//! What Meta sends on its own: statuses, the customers' messages, the templates' reviews.

use std::fmt::Write;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::Semaphore;
use url::Url;

use crate::clock;
use crate::graph::errors;
use crate::graph::ids;
use crate::json::set;
use crate::phones::{DeliveryStatus, PhoneMessage};
use crate::settings::Account;
use crate::world::World;

const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
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

/// Lets a message reach its phone and be read there, or fail, and reports each step.
pub(crate) fn report_statuses(world: &Arc<World>, account: &Account, phone: &str, id: &str, fails: Option<i64>) {
    let steps: &[_] = match fails {
        Some(code) => &[(DeliveryStatus::Failed, Some(code))],
        None => &[(DeliveryStatus::Sent, None), (DeliveryStatus::Delivered, None), (DeliveryStatus::Read, None)],
    };
    let steps = steps.to_vec();
    let (task_world, account, phone, id) = (Arc::clone(world), account.clone(), phone.to_owned(), id.to_owned());
    world.tasks.spawn(async move {
        for (status, error) in steps {
            tokio::time::sleep(task_world.settings.status_delay).await;
            let Some(message) = set_status(&task_world, &phone, &id, status, error) else { return };
            deliver(&task_world, &account, status_value(&account, &message), "messages").await;
        }
    });
}

fn set_status(
    world: &World,
    phone: &str,
    id: &str,
    status: DeliveryStatus,
    error: Option<i64>,
) -> Option<PhoneMessage> {
    let mut state = world.lock();
    let message = state.phones.set_status(phone, id, status, error)?.clone();
    state.journal.push("message", &message);
    if let Some(code) = error {
        state.notice(&format!("message to +{phone}: failed later with {code} {}", errors::title(code)));
    }
    Some(message)
}

fn status_value(account: &Account, message: &PhoneMessage) -> Value {
    let mut status = json!({
        "id": message.id,
        "status": message.status.name(),
        "timestamp": clock::now().as_second().to_string(),
        "recipient_id": message.phone,
    });
    if let Some(data) = &message.biz_opaque_callback_data {
        set(&mut status, "biz_opaque_callback_data", json!(data));
    }
    if let Some(code) = message.error {
        let title = errors::title(code);
        set(
            &mut status,
            "errors",
            json!([{
                "code": code,
                "title": title,
                "message": title,
                "error_data": { "details": errors::details(code) },
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            }]),
        );
    } else if message.status < DeliveryStatus::Read {
        let category = if message.kind == "template" { "utility" } else { "service" };
        let kind = if message.kind == "template" { "regular" } else { "free_customer_service" };
        let billable = message.kind == "template";
        set(
            &mut status,
            "pricing",
            json!({ "billable": billable, "pricing_model": "PMP", "type": kind, "category": category }),
        );
    }
    value(account, "statuses", &status)
}

/// The customer writes a text. It is on the phone at once, and goes to the webhook when there is one.
pub(crate) fn customer_writes(world: &Arc<World>, account: &Account, phone: &str, text: &str) -> String {
    let message = PhoneMessage {
        id: ids::wamid(phone),
        phone: phone.to_owned(),
        from_customer: true,
        kind: "text".to_owned(),
        content: json!({ "body": text }),
        text: text.to_owned(),
        reply_to: None,
        biz_opaque_callback_data: None,
        status: DeliveryStatus::Delivered,
        error: None,
        at: clock::now(),
    };
    let mut value = value(
        account,
        "messages",
        &json!({
            "from": phone,
            "id": message.id,
            "timestamp": message.at.as_second().to_string(),
            "type": "text",
            "text": message.content,
        }),
    );
    set(&mut value, "contacts", json!([{ "profile": { "name": format!("Customer {phone}") }, "wa_id": phone }]));
    let id = message.id.clone();
    let mut state = world.lock();
    state.journal.push("message", &message);
    state.phones.add(message);
    drop(state);
    let (task_world, account) = (Arc::clone(world), account.clone());
    world.tasks.spawn(async move { deliver(&task_world, &account, value, "messages").await });
    id
}

/// Reviews a new template: it passes.
pub(crate) fn approve_template(world: &Arc<World>, account: &Account, id: String) {
    let (task_world, account) = (Arc::clone(world), account.clone());
    world.tasks.spawn(async move {
        tokio::time::sleep(task_world.settings.status_delay).await;
        let value = {
            let mut state = task_world.lock();
            let Some(template) = state.templates.iter_mut().find(|template| template.id == id) else { return };
            template.approved = true;
            json!({
                "event": "APPROVED",
                // Here, and only here, the id is a number.
                "message_template_id": template.id.parse::<u64>().unwrap_or_default(),
                "message_template_name": template.name,
                "message_template_language": template.language,
                "reason": "NONE",
                "message_template_category": template.category,
            })
        };
        deliver(&task_world, &account, value, "message_template_status_update").await;
    });
}

fn value(account: &Account, kind: &str, item: &Value) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": account.display_phone_number,
            "phone_number_id": account.phone_number_id,
        },
        kind: [item],
    })
}

/// Sends one change until it is answered with 200, a few times at most.
async fn deliver(world: &World, account: &Account, value: Value, field: &str) {
    let Some(url) = world.lock().webhook_url.clone() else { return };
    let mut entry = json!({ "id": account.waba_id, "changes": [{ "value": value, "field": field }] });
    if field != "messages" {
        set(&mut entry, "time", json!(clock::now().as_second()));
    }
    let body = escaped(&json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string());
    let signature = sign(&account.app_secret, body.as_bytes());
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let Some(problem) = post(world, &url, &body, &signature).await else { return };
        if attempt == ATTEMPTS {
            world.lock().notice(&format!("webhook given up after {ATTEMPTS} attempts: {problem}"));
        } else {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

/// What went wrong, if anything did. Meta takes only a 200 for a yes.
async fn post(world: &World, url: &Url, body: &str, signature: &str) -> Option<String> {
    // The semaphore is never closed; without a permit the webhook goes out all the same.
    let _permit = world.webhook_client.permits.acquire().await.ok();
    let request = world
        .webhook_client
        .http
        .post(url.clone())
        .header("content-type", "application/json")
        .header("x-hub-signature-256", signature)
        .body(body.to_owned());
    match request.send().await {
        Ok(response) if response.status() == http::StatusCode::OK => None,
        Ok(response) => Some(format!("{url} answered {}", response.status())),
        Err(error) if error.is_timeout() => Some(format!("{url} did not answer in time")),
        Err(error) if error.is_connect() => Some(format!("{url} cannot be reached")),
        Err(_) => Some(format!("{url} broke off the connection")),
    }
}

pub(crate) fn sign(app_secret: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length, so this always signs.
    let signed = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).map(|mac| mac.chain_update(body).finalize());
    signed.map_or_else(|_| String::new(), |tag| format!("sha256={}", hex::encode(tag.into_bytes())))
}

/// Escapes as Meta does before it signs: a receiver that signs its own serialisation of the JSON must fail here too.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{escaped, sign};

    #[test]
    fn the_signature_is_the_hmac_sha256_of_the_raw_bytes() {
        // RFC 4231, test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign("Jefe", b"what do ya want for nothing?"), expected);
    }

    #[test]
    fn text_is_escaped_as_meta_escapes_it_and_stays_the_same_text() {
        let text = serde_json::json!({ "body": "ä/😀" }).to_string();
        assert_eq!(escaped(&text), r#"{"body":"\u00e4\/\ud83d\ude00"}"#);
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&text).unwrap(), serde_json::from_str(&escaped(&text)).unwrap());
        assert_eq!(before, after);
    }
}
