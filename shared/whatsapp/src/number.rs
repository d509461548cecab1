//! A business phone number: sending, read receipts, media.

use std::time::Duration;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::error::Error;
use crate::media::MediaUpload;
use crate::message::Message;
use crate::node::{MAX_CALL_TIME, Node};

/// The longest that [`Number::upload_media`] takes: a document may have 100 MB.
pub const MAX_UPLOAD_TIME: Duration = Duration::from_mins(1);

/// A business phone number: what messages are sent from. Made by [`WhatsApp::number`](crate::WhatsApp::number).
///
/// Apart from sends and uploads, a call takes at most [`MAX_CALL_TIME`].
#[derive(Debug, Clone)]
pub struct Number {
    pub(crate) node: Node,
}

/// A message that Meta has taken. That it was delivered is told later, by a webhook.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sent {
    /// Meta's id of the message; the status webhooks carry it. Opaque, and up to 255 characters should be allowed for.
    pub wamid: String,
    /// The recipient's WhatsApp id: digits that may differ from the number the message was sent to (in Brazil and Mexico,
    /// say).
    pub wa_id: Option<String>,
    /// The recipient's business-scoped user id, where Meta gives that instead.
    pub user_id: Option<String>,
    /// For templates: `accepted`, `held_for_quality_assessment`, `paused`, or what Meta will add.
    pub message_status: Option<String>,
    /// Meta's answer, byte for byte.
    pub answer: Box<RawValue>,
}

impl Number {
    /// Sends a message: exactly one request, which is never repeated.
    ///
    /// The call takes at most `timeout`, and never more than [`MAX_CALL_TIME`]; of this, connecting takes at most two
    /// seconds. A timeout that runs out before that, while connecting, cannot be told from one after it, and is
    /// [`Error::OutcomeUnknown`] as well.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let number = whatsapp::WhatsApp::new(&meta.graph_api_url())?.number(meta_simulator::PHONE_NUMBER_ID, &token);
    /// use whatsapp::{Error, Message};
    ///
    /// match number.send(&Message::text("919876543210", "Hello!"), Duration::from_secs(12)).await {
    ///     Ok(sent) => println!("Meta has it, as {}", sent.wamid),
    ///     Err(Error::OutcomeUnknown(why)) => println!("perhaps sent, so not again by itself: {why}"),
    ///     Err(error) if error.retryable() && error.surely_not_sent() => println!("again, after {:?}", error.retry_after()),
    ///     Err(error) => println!("{error}: {:?}", error.graph().map(whatsapp::GraphError::words)),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(&self, message: &Message, timeout: Duration) -> Result<Sent, Error> {
        let request = self.node.request(Method::POST, "messages")?.json(message);
        let answer = self.node.call(request, timeout.min(MAX_CALL_TIME)).await?;
        read_sent(&answer)
    }

    /// Marks an inbound message, and those before it in the chat, as read: the sender sees blue ticks.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let number = whatsapp::WhatsApp::new(&meta.graph_api_url())?.number(meta_simulator::PHONE_NUMBER_ID, &token);
    /// # let wamid = "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQTdBNUMyRTY5MUM5M0Y3RkUxQQA=";
    /// number.mark_as_read(wamid).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mark_as_read(&self, wamid: &str) -> Result<(), Error> {
        self.report_read(&json!({ "messaging_product": "whatsapp", "status": "read", "message_id": wamid })).await
    }

    /// As [`mark_as_read`](Self::mark_as_read), and shows the sender that an answer is being typed, until it is sent or for
    /// 25 seconds. Meta offers no typing indicator without the read receipt.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let number = whatsapp::WhatsApp::new(&meta.graph_api_url())?.number(meta_simulator::PHONE_NUMBER_ID, &token);
    /// # let wamid = "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQTdBNUMyRTY5MUM5M0Y3RkUxQQA=";
    /// number.mark_as_read_and_type(wamid).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mark_as_read_and_type(&self, wamid: &str) -> Result<(), Error> {
        let typing = json!({ "type": "text" });
        self.report_read(&json!({
            "messaging_product": "whatsapp", "status": "read", "message_id": wamid, "typing_indicator": typing,
        }))
        .await
    }

    async fn report_read(&self, body: &Value) -> Result<(), Error> {
        let request = self.node.request(Method::POST, "messages")?.json(body);
        self.node.call(request, MAX_CALL_TIME).await?.confirmed()
    }

    /// Uploads a file for use in messages and returns its media id, which Meta keeps for 30 days.
    ///
    /// Takes at most [`MAX_UPLOAD_TIME`]. Meta's page "Supported media types" lists what it accepts.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let number = whatsapp::WhatsApp::new(&meta.graph_api_url())?.number(meta_simulator::PHONE_NUMBER_ID, &token);
    /// use whatsapp::{Media, MediaSource, MediaUpload, Message};
    ///
    /// let file = MediaUpload::new(&b"%PDF-1.7"[..], "application/pdf", "invoice.pdf");
    /// let media_id = number.upload_media(file).await?;
    /// let document = Media::document(MediaSource::Id(media_id)).filename("invoice.pdf").caption("Thank you!");
    /// number.send(&Message::new("919876543210", document), Duration::from_secs(12)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_media(&self, media: MediaUpload) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Uploaded {
            id: String,
        }
        let MediaUpload { bytes, mime_type, filename } = media;
        // It stands in a header inside the form, where reqwest would leave line breaks as they are.
        if filename.contains(char::is_control) {
            return Err(Error::Invalid("the file's name holds control characters"));
        }
        let file = Part::stream(bytes).file_name(filename).mime_str(&mime_type).map_err(Error::from_transport)?;
        let form = Form::new().text("messaging_product", "whatsapp").text("type", mime_type).part("file", file);
        let request = self.node.request(Method::POST, "media")?.multipart(form);
        let answer = self.node.call(request, MAX_UPLOAD_TIME).await?;
        Ok(answer.success_as::<Uploaded>()?.id)
    }
}

/// Reads loosely: once there is an id, Meta has the message, however odd the rest of the answer may be.
pub(crate) fn read_sent(answer: &Answer) -> Result<Sent, Error> {
    let json = answer.success()?;
    let members: Value = serde_json::from_str(json.get()).map_err(|_| answer.not_understood())?;
    let text = |pointer: &str| members.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let wamid = text("/messages/0/id").filter(|id| !id.is_empty()).ok_or_else(|| answer.not_understood())?;
    Ok(Sent {
        wamid,
        wa_id: text("/contacts/0/wa_id"),
        user_id: text("/contacts/0/user_id"),
        message_status: text("/messages/0/message_status"),
        answer: json,
    })
}
