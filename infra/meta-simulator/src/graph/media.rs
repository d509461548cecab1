//! Media: upload, look up, download, delete.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::errors::GraphError;
use super::{Call, authorized, ok};
use crate::json::set;
use crate::settings::Account;
use crate::world::World;

#[derive(Debug)]
pub(crate) struct Media {
    id: String,
    phone_number_id: String,
    mime_type: String,
    sha256: String,
    bytes: Bytes,
}

impl Media {
    /// A file that a customer sends to this account.
    pub(crate) fn new(world: &World, account: &Account, mime_type: &str, bytes: &'static [u8]) -> Self {
        Self {
            id: world.numeric_id(),
            phone_number_id: account.phone_number_id.clone(),
            mime_type: mime_type.to_owned(),
            sha256: hex::encode(Sha256::digest(bytes)),
            bytes: Bytes::from_static(bytes),
        }
    }

    /// Adds what a webhook tells about it. There the hash is written in another way than here.
    pub(crate) fn describe(&self, content: &mut Value) {
        set(content, "id", json!(self.id));
        set(content, "mime_type", json!(self.mime_type));
        set(content, "sha256", json!(STANDARD.encode(Sha256::digest(&self.bytes))));
    }

    pub(crate) const fn weight(&self) -> usize {
        self.bytes.len()
    }
}

pub(crate) async fn upload(world: &World, account: &Account, call: &Call) -> Result<Response, GraphError> {
    let mut request = Request::new(Body::from(call.body.clone()));
    *request.headers_mut() = call.parts.headers.clone();
    *request.extensions_mut() = call.parts.extensions.clone();
    let not_a_form = || GraphError::of(100).details("The request must be multipart/form-data.");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| not_a_form())?;

    let (mut product, mut declared, mut file) = (None, None, None);
    while let Some(field) = form.next_field().await.map_err(|_| not_a_form())? {
        let name = field.name().unwrap_or_default().to_owned();
        let kind = field.content_type().map(str::to_owned);
        let bytes = field.bytes().await.map_err(|_| not_a_form())?;
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "messaging_product" => product = Some(text()),
            "type" => declared = Some(text()),
            "file" => file = Some((kind, bytes)),
            _ => {}
        }
    }
    match product.as_deref() {
        None => return Err(GraphError::missing("messaging_product")),
        Some("whatsapp") => {}
        Some(_) => return Err(GraphError::of(100).details("messaging_product must be whatsapp.")),
    }
    let (kind, bytes) = file.ok_or_else(|| GraphError::missing("file"))?;
    let mime_type = kind.or(declared).unwrap_or_else(|| "application/octet-stream".to_owned());
    check_file(&mime_type, bytes.len())?;

    let media = Media {
        id: world.numeric_id(),
        phone_number_id: account.phone_number_id.clone(),
        mime_type,
        sha256: hex::encode(Sha256::digest(&bytes)),
        bytes,
    };
    let answer = ok(&json!({ "id": media.id }));
    let weight = media.weight();
    world.lock().media.push(Arc::new(media), weight);
    Ok(answer)
}

/// Meta's list of types with their limits in kilobytes.
fn check_file(mime_type: &str, size: usize) -> Result<(), GraphError> {
    let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let kilobytes = match essence.as_str() {
        "image/jpeg" | "image/png" => 5 * 1024,
        "image/webp" => 500,
        "video/mp4" | "video/3gp" | "video/3gpp" | "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4"
        | "audio/ogg" | "audio/opus" => 16 * 1024,
        "text/plain"
        | "application/pdf"
        | "application/msword"
        | "application/vnd.ms-excel"
        | "application/vnd.ms-powerpoint"
        | "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        | "application/vnd.openxmlformats-officedocument.presentationml.presentation" => 100 * 1024,
        _ => {
            let details = format!("Param file must be a file of a supported type. Received file of type '{essence}'.");
            return Err(GraphError::of(100).details(details));
        }
    };
    if size == 0 || size > kilobytes * 1024 {
        return Err(GraphError::of(131_053).details(format!("The file is empty or over {kilobytes} KB.")));
    }
    Ok(())
}

fn find(world: &World, id: &str, call: &Call) -> Option<Arc<Media>> {
    let owner = call.parameter("phone_number_id");
    let wanted =
        |media: &&Arc<Media>| media.id == id && owner.as_ref().is_none_or(|owner| *owner == media.phone_number_id);
    world.lock().media.iter().find(wanted).cloned()
}

pub(crate) fn get(world: &World, id: &str, call: &Call) -> Option<Response> {
    let media = find(world, id, call)?;
    Some(ok(&json!({
        "messaging_product": "whatsapp",
        "url": format!("http://{}/whatsapp_business/attachments/{}", world.address, media.id),
        "mime_type": media.mime_type,
        "sha256": media.sha256,
        "file_size": media.bytes.len(),
        "id": media.id,
    })))
}

pub(crate) fn delete(world: &World, id: &str, call: &Call) -> Option<Response> {
    let media = find(world, id, call)?;
    world.lock().media.retain(|kept| kept.id != media.id);
    Some(ok(&json!({ "success": true })))
}

/// The file itself, behind the address that [`get`] gave. As at Meta, it needs the token too.
pub(crate) async fn download(State(world): State<Arc<World>>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let call = Call { parts, path, body: Bytes::new(), json: None };
    if let Err(error) = authorized(&world, &call) {
        return error.into_response();
    }
    match find(&world, &id, &call) {
        Some(media) => ([(header::CONTENT_TYPE, media.mime_type.clone())], media.bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
