//! An OpenID provider in this process, that fails as it is told to. The browser tests have a real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use url::Url;

pub(crate) const CLIENT_ID: &str = "gateway";
pub(crate) const ACCESS_TOKEN: &str = "canary-of-an-access-token";

/// What it answers at one path in place of what it should.
#[derive(Clone)]
pub(crate) enum Fault {
    /// This status and this body.
    Says(u16, String),
    /// Nothing, ever.
    Silence,
}

pub(crate) struct OpenIdProvider {
    issuer: String,
    shared: Arc<Mutex<Shared>>,
    serving: AbortHandle,
}

/// A request that it got.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) form: BTreeMap<String, String>,
}

struct Shared {
    signer: EcdsaKeyPair,
    key_id: String,
    faults: BTreeMap<String, Fault>,
    /// What is put into every discovery document, ID token, or answer of the userinfo endpoint.
    document: Value,
    claims: Value,
    user_info: Value,
    /// The parameters with which each code was asked for.
    codes: BTreeMap<String, BTreeMap<String, String>>,
    asked: Vec<Asked>,
    checks_pkce: bool,
}

impl OpenIdProvider {
    pub(crate) async fn start(now: Timestamp) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let at = |path: &str| format!("{issuer}{path}");
        let shared = Arc::new(Mutex::new(Shared {
            signer: new_signer(),
            key_id: "first".to_owned(),
            faults: BTreeMap::new(),
            document: json!({"issuer": issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
                "jwks_uri": at("/keys"), "userinfo_endpoint": at("/userinfo")}),
            claims: json!({"iss": issuer, "sub": "ann-1", "aud": CLIENT_ID, "email": "Ann@example.com", "email_verified": true,
                "iat": now.as_second(), "exp": now.as_second() + 86_400}),
            user_info: json!({"sub": "ann-1", "email": "ann@example.com", "email_verified": true}),
            codes: BTreeMap::new(),
            asked: Vec::new(),
            checks_pkce: true,
        }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { issuer, shared, serving }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Nobody is there any more.
    pub(crate) fn stop(&self) {
        self.serving.abort();
    }

    pub(crate) fn fail(&self, path: &str, fault: Fault) {
        self.shared.lock().unwrap().faults.insert(path.to_owned(), fault);
    }

    pub(crate) fn mend(&self) {
        self.shared.lock().unwrap().faults.clear();
    }

    pub(crate) fn set_document(&self, member: &str, value: Value) {
        self.shared.lock().unwrap().document[member] = value;
    }

    /// `Null` takes a claim away.
    pub(crate) fn set_claim(&self, name: &str, value: Value) {
        self.shared.lock().unwrap().claims[name] = value;
    }

    pub(crate) fn set_user_info(&self, name: &str, value: Value) {
        self.shared.lock().unwrap().user_info[name] = value;
    }

    pub(crate) fn forget_pkce(&self) {
        self.shared.lock().unwrap().checks_pkce = false;
    }

    /// Signs with another key from now on.
    pub(crate) fn rotate(&self, key_id: &str) {
        let mut shared = self.shared.lock().unwrap();
        (shared.signer, shared.key_id) = (new_signer(), key_id.to_owned());
    }

    /// All requests for a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        self.shared.lock().unwrap().asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }

    /// What somebody who signs in there brings back, as a query: without an address, since the browser knows it.
    pub(crate) fn sign_in(&self, url: &str) -> String {
        let url = Url::parse(url).unwrap();
        let asked_for: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let state = asked_for["state"].clone();
        let mut shared = self.shared.lock().unwrap();
        let code = format!("canary-of-code-{}", shared.codes.len());
        shared.codes.insert(code.clone(), asked_for);
        format!("code={code}&state={state}")
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn keys(&self) -> Value {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.signer.public_key().as_ref();
        json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.key_id, "x": part(&point[1..33]),
            "y": part(&point[33..])}]})
    }

    fn tokens(&mut self, form: &BTreeMap<String, String>) -> Response {
        let refusal = || (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#).into_response();
        let Some(asked_for) = form.get("code").and_then(|code| self.codes.remove(code)) else { return refusal() };
        let verifier = form.get("code_verifier").cloned().unwrap_or_default();
        let is_its_own = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == asked_for["code_challenge"];
        if form.get("redirect_uri") != asked_for.get("redirect_uri") || (self.checks_pkce && !is_its_own) {
            return refusal();
        }
        let mut claims = self.claims.clone();
        claims["nonce"] = asked_for["nonce"].clone().into();
        claims.as_object_mut().unwrap().retain(|_, claim| !claim.is_null());
        let header = json!({"alg": "ES256", "kid": self.key_id}).to_string();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.signer.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        let id_token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        json!({"id_token": id_token, "access_token": ACCESS_TOKEN, "token_type": "Bearer"}).to_string().into_response()
    }
}

fn new_signer() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorization = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let path = uri.path().to_owned();
    let fault = {
        let mut shared = shared.lock().unwrap();
        shared.asked.push(Asked { path: path.clone(), authorization: authorization.to_owned(), form: form.clone() });
        shared.faults.get(&path).cloned()
    };
    match fault {
        Some(Fault::Says(status, body)) => {
            let location = [("location", "http://localhost:1/elsewhere")];
            return (StatusCode::from_u16(status).unwrap(), location, body).into_response();
        }
        Some(Fault::Silence) => std::future::pending().await,
        None => {}
    }
    let mut shared = shared.lock().unwrap();
    match path.as_str() {
        "/.well-known/openid-configuration" => shared.document.to_string().into_response(),
        "/keys" => shared.keys().to_string().into_response(),
        "/token" => shared.tokens(&form),
        "/userinfo" if authorization == format!("Bearer {ACCESS_TOKEN}") => {
            shared.user_info.to_string().into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
