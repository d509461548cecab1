//! A second session, without a browser: quick to make data with, and somebody else to be signed out.

use local::Stack;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{RequestBuilder, Response};
use url::form_urlencoded::Serializer;

use super::{PASSWORD, client};

pub(super) struct Session {
    api_url: String,
    root: String,
    cookies: String,
    csrf: String,
}

/// What stands in a page between two texts.
pub(super) fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = html.split_once(before).unwrap_or_else(|| panic!("no {before} in:\n{html}"));
    rest.split_once(after).unwrap().0
}

impl Session {
    pub(super) async fn new(stack: &Stack) -> Self {
        Self::with_password(stack, PASSWORD).await
    }

    /// Signs in, as soon as the attempts of others let it.
    pub(super) async fn with_password(stack: &Stack, password: &str) -> Self {
        let (api_url, root) = (stack.api_url().to_owned(), stack.key_page_url());
        let mut session = Self { api_url, root, cookies: String::new(), csrf: String::new() };
        let answer = loop {
            let answer = session.post("sign-in/", &[("password", password)]).await;
            if answer.status() != 429 {
                break answer;
            }
        };
        assert_eq!(answer.status(), 303);
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        let pairs: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
        session.cookies = pairs.join("; ");
        let list = session.get("").await.text().await.unwrap();
        between(&list, "name=\"csrf\" value=\"", "\"").clone_into(&mut session.csrf);
        session
    }

    async fn request(&self, request: RequestBuilder) -> Response {
        request.header(COOKIE, &self.cookies).send().await.unwrap()
    }

    pub(super) async fn get(&self, below: &str) -> Response {
        self.request(client().get(format!("{}{below}", self.root))).await
    }

    /// Sends a form.
    pub(super) async fn post(&self, below: &str, fields: &[(&str, &str)]) -> Response {
        let form = Serializer::new(String::new()).append_pair("csrf", &self.csrf).extend_pairs(fields).finish();
        let request = client().post(format!("{}{below}", self.root)).body(form).header(ORIGIN, &self.api_url);
        self.request(request.header("Content-Type", "application/x-www-form-urlencoded")).await
    }

    /// Whether the list is shown, and not the way to the form to sign in.
    pub(super) async fn is_open(&self) -> bool {
        let answer = self.get("").await;
        assert!(answer.status() == 200 || answer.headers()[LOCATION].to_str().unwrap().ends_with("/sign-in/"));
        answer.status() == 200
    }

    /// Makes a key: its id, and the key.
    pub(super) async fn make(&self, name: &str, settings: &[(&str, &str)]) -> (String, String) {
        let form = self.get("add/").await.text().await.unwrap();
        let id = between(&form, "name=\"id\" value=\"", "\"");
        let mut fields = vec![("id", id), ("name", name)];
        for (field, usual) in [("preset", "all"), ("accounts", "all"), ("expiry", "never")] {
            if settings.iter().all(|(given, _)| *given != field) {
                fields.push((field, usual));
            }
        }
        fields.extend(settings);
        let answer = self.post("add/", &fields).await;
        assert_eq!(answer.status(), 200, "{name}");
        let made = answer.text().await.unwrap();
        (id.to_owned(), between(&made, "id=\"key\" class=\"code\" value=\"", "\"").to_owned())
    }

    /// Begins to rotate a key: the new one's id, and the new key.
    pub(super) async fn rotate(&self, id: &str, overlap: &str) -> (String, String) {
        let page = self.get(&format!("{id}/")).await.text().await.unwrap();
        let successor = between(between(&page, "/rotate/", "</form>"), "name=\"id\" value=\"", "\"");
        let answer = self.post(&format!("{id}/rotate/"), &[("id", successor), ("overlap", overlap)]).await;
        assert_eq!(answer.status(), 200);
        let made = answer.text().await.unwrap();
        (successor.to_owned(), between(&made, "id=\"key\" class=\"code\" value=\"", "\"").to_owned())
    }

    pub(super) async fn disable(&self, id: &str) {
        assert_eq!(self.post(&format!("{id}/disable/"), &[]).await.status(), 303);
    }
}
