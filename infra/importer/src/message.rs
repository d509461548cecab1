//! Messages of both directions.

use domain::{Error, Kind, MessageId, SendState};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use storage::{Chat, NewMessage, Received, SentBefore, Status};

use crate::known::{Belongs, Known};
use crate::report::Report;
use crate::row::{Fault, Row};

pub(crate) const MODEL: &str = "whatsappmessage";
/// By whom the gateway knows messages and campaigns that came over, in place of an API key.
pub(crate) const KEY_ID: &str = "django-meta-whatsapp";
/// What a row holds of what Meta told, in bytes: DynamoDB takes 400 KB with everything else in it.
const LONGEST_CONTENT: usize = 200_000;
/// What a person reads, in characters: as the gateway's own messages.
const LONGEST_BODY: usize = 16_000;
const LONGEST_KIND: usize = 64;

/// A message of the file.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The contact wrote it.
    Received(Box<Received>),
    /// The business sent it.
    Sent(Box<SentBefore>),
}

impl Message {
    pub(crate) fn chat(&self) -> &Chat {
        match self {
            Self::Received(received) => &received.chat,
            Self::Sent(sent) => &sent.chat,
        }
    }
}

/// Reads a message. `Ok(None)`: it does not come over, which is noted.
pub(crate) fn read(row: &Row, known: &Known, report: &mut Report) -> Result<Option<Message>, Fault> {
    let conversation = row.integer("conversation")?.and_then(|pk| known.conversations.get(&pk));
    let belongs = known.account(row, conversation.and_then(|conversation| conversation.account))?;
    let (contact, phone) = known.contact(row, "phone_number")?;
    let at = row.required_moment("timestamp")?;
    let wamid = row.id("message_id")?;
    if row.boolean("is_deleted")? {
        report.passed_over(MODEL, row.pk, "was deleted there");
        return Ok(None);
    }
    let Belongs::To(account_id) = belongs else {
        report.passed_over(MODEL, row.pk, "its account is left out");
        return Ok(None);
    };
    if row.has("media_file") {
        report.note(&format!("{MODEL}: its file stays where it is (media_file)"), row.pk);
    }
    let chat = Chat { account_id, contact };
    let reply_to = row.integer("reply_to")?.and_then(|pk| known.answered.get(&pk)).cloned().flatten();
    let body: String = row.text("message_body")?.chars().take(LONGEST_BODY).collect();
    if body.len() < row.text("message_body")?.len() {
        report.note(&format!("{MODEL}: message_body is cut to {LONGEST_BODY} characters"), row.pk);
    }
    match row.text("direction")? {
        "inbound" => {
            let wamid =
                wamid.ok_or_else(|| Fault::new("message_id", "is empty: a message that came is known by it"))?;
            let phone = row.text("phone_number")?.chars().filter(char::is_ascii_graphic).collect();
            received(row, chat, wamid, body, reply_to, at, phone)
                .map(|received| Some(Message::Received(Box::new(received))))
        }
        "outbound" => {
            let sent = sent(row, chat, phone, &body, reply_to.as_deref(), at, report)?;
            Ok(Some(Message::Sent(Box::new(sent))))
        }
        _ => Err(Fault::new("direction", "must be inbound or outbound")),
    }
}

fn received(
    row: &Row,
    chat: Chat,
    wamid: &str,
    body: String,
    reply_to: Option<String>,
    at: Timestamp,
    phone: String,
) -> Result<Received, Fault> {
    let raw = row.object("raw_payload");
    let of_raw = |pointer: &str| {
        let text = raw.and_then(|raw| raw.get(pointer)).and_then(Value::as_str);
        text.filter(|text| is_plain(text, LONGEST_KIND))
    };
    let kind = match of_raw("type") {
        Some(kind) => kind,
        None => kind(row)?,
    };
    let content = match raw.map(|raw| Value::Object(raw.clone()).to_string()) {
        Some(content) if content.len() <= LONGEST_CONTENT => content,
        _ => {
            let mut content = content(row, kind, &body)?;
            content.insert("from".to_owned(), json!(phone));
            content.insert("id".to_owned(), json!(wamid));
            content.insert("timestamp".to_owned(), json!(at.as_second().to_string()));
            Value::Object(content).to_string()
        }
    };
    let by_raw = raw.and_then(|raw| raw.get("context")?.get("id")?.as_str()).filter(|id| is_plain(id, 255));
    let reply_to = by_raw.map(str::to_owned).or(reply_to);
    Ok(Received { chat, phone, wamid: wamid.to_owned(), kind: kind.to_owned(), body, content, reply_to, at })
}

fn sent(
    row: &Row,
    chat: Chat,
    phone: String,
    body: &str,
    reply_to: Option<&str>,
    at: Timestamp,
    report: &mut Report,
) -> Result<SentBefore, Fault> {
    let wamid = row.id("message_id")?.map(str::to_owned);
    let word = row.text("status")?;
    let status = Status::parse(word);
    if status.is_none() && !word.is_empty() {
        report.note(&format!("{MODEL}: its status is none that is known here: it counts as sent"), row.pk);
    }
    let kind = kind(row)?;
    let mut request = content(row, kind, body)?;
    request.insert("messaging_product".to_owned(), json!("whatsapp"));
    request.insert("to".to_owned(), json!(phone));
    if let Some(wamid) = reply_to {
        request.insert("context".to_owned(), json!({"message_id": wamid}));
    }
    let is_refused = status == Some(Status::Failed) && wamid.is_none();
    let name = wamid.clone().unwrap_or_else(|| format!("message {}", row.pk));
    Ok(SentBefore {
        new: NewMessage {
            id: MessageId::taken_over(&name),
            account_id: chat.account_id,
            phone,
            key_id: KEY_ID.to_owned(),
            content: Value::Object(request).to_string(),
            created_at: at,
            deadline_at: at,
            campaign: None,
        },
        chat,
        wamid,
        state: if is_refused { SendState::Rejected } else { SendState::Accepted },
        failure: is_refused
            .then(|| Error::new(Kind::UpstreamFailed, "It was not sent").code("failed").public().clone()),
        // That Meta took it says as much.
        status: status.filter(|status| *status != Status::Sent),
    })
}

/// Meta's word for its type.
fn kind(row: &Row) -> Result<&str, Fault> {
    match row.text("message_type")? {
        "" => Ok("text"),
        kind if is_plain(kind, LONGEST_KIND) => Ok(kind),
        _ => Err(Fault::new("message_type", "must be visible ASCII")),
    }
}

/// The message as Meta would write it, made from its columns.
fn content(row: &Row, kind: &str, body: &str) -> Result<Map<String, Value>, Fault> {
    let caption = if body.starts_with('[') { None } else { Some(body).filter(|body| !body.is_empty()) };
    let of_kind = match kind {
        "location" => json!({
            "latitude": row.number("location_latitude"),
            "longitude": row.number("location_longitude"),
            "name": row.text("location_name")?,
            "address": row.text("location_address")?,
        }),
        "reaction" => {
            let emoji = Some(row.text("reaction_emoji")?).filter(|emoji| !emoji.is_empty()).unwrap_or(body);
            json!({"emoji": emoji, "message_id": row.text("reaction_to_message_id")?})
        }
        "template" => json!({"name": body}),
        "interactive" => json!({"body": {"text": body}}),
        "button" => json!({"text": body}),
        "image" | "video" | "audio" | "voice" | "document" | "sticker" => json!({
            "id": row.text("media_id")?,
            "link": row.text("media_url")?,
            "mime_type": row.text("media_mime_type")?,
            "filename": row.text("media_filename")?,
            "caption": caption,
        }),
        // A text; or what has no place for its words, and keeps them so.
        _ => json!({"body": body}),
    };
    let of_kind = match of_kind {
        Value::Object(members) => {
            let is_told = |value: &Value| !value.is_null() && value.as_str() != Some("");
            members.into_iter().filter(|(name, value)| name == "body" || is_told(value)).collect()
        }
        _ => Map::new(),
    };
    Ok(Map::from_iter([("type".to_owned(), json!(kind)), (kind.to_owned(), Value::Object(of_kind))]))
}

fn is_plain(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
