//! The key page over HTTP, from signing in to an app whose key is disabled.

use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::{answer, client, stack_with};

const PASSWORD: &str = "correct horse battery";

/// Somebody at a browser of the plainest kind, which says where it comes from in `Origin` alone.
struct Visitor {
    client: Client,
    origin: String,
    page: String,
    cookies: String,
}

impl Visitor {
    fn new(stack: &local::Stack) -> Self {
        client();
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { client, origin: stack.api_url().to_owned(), page: stack.key_page_url(), cookies: String::new() }
    }

    async fn get(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.page)).header(COOKIE, &self.cookies);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.client.post(format!("{}{path}", self.page)).header(ORIGIN, &self.origin);
        let response = request.header(COOKIE, &self.cookies).form(form).send().await.unwrap();
        let cookies = response.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
        let cookies: Vec<_> = cookies.map(|cookie| cookie.split(';').next().unwrap()).collect();
        if !cookies.is_empty() {
            self.cookies = cookies.join("; ");
        }
        response
    }
}

/// The value of the field `name` in a page.
fn field(page: &str, name: &str) -> String {
    let rest = page.split_once(&format!("{name}\"")).unwrap().1.split_once("value=\"").unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn an_app_sends_with_a_key_from_the_page_until_the_page_disables_it() {
    let stack = stack_with(&["--local-admin-password", PASSWORD]).await;
    let mut visitor = Visitor::new(&stack);
    let outside = visitor.client.get(&visitor.page).send().await.unwrap();
    assert_eq!((outside.status().as_u16(), outside.headers()[LOCATION].to_str().unwrap()), {
        (303, "/whatsapp/settings/api-keys/sign-in/")
    });
    assert_eq!(visitor.post("sign-in/", &[("password", PASSWORD)]).await.status(), 303);

    let form = visitor.get("add/").await;
    let (csrf, id) = (field(&form, "name=\"csrf"), field(&form, "name=\"id"));
    let settings = [("name", "Shop"), ("preset", "send"), ("accounts", "all"), ("expiry", "never"), ("limit", "2")];
    let fields: Vec<_> = settings.into_iter().chain([("csrf", csrf.as_str()), ("id", id.as_str())]).collect();
    let made = visitor.post("add/", &fields).await.text().await.unwrap();
    let key = field(&made, "id=\"key");

    let send = || {
        let url = format!("{}/whatsapp/api/send-message/", stack.api_url());
        client().post(url).header("X-API-Key", &key).json(&json!({"phone": "+919876543210", "message": "Hello!"}))
    };
    for status in [200, 200, 429] {
        let response = send().send().await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().contains_key("retry-after"), status == 429);
    }
    let (_, over) = answer(send()).await;
    assert_eq!((&over["code"], &over["retryable"]), (&json!("rate_limited"), &json!(true)));
    assert!(visitor.get("").await.contains("send only"));

    let disabled = visitor.post(&format!("{id}/disable/"), &[("csrf", &csrf)]).await;
    assert_eq!(disabled.status(), 303);
    assert_eq!(answer(send()).await, (401, json!({"error": "Unauthorized"})));
    assert_eq!(stack.simulator().unwrap().phone("919876543210").len(), 2);

    let trail = visitor.get("audit.csv").await;
    assert!(trail.contains("disabled") && trail.contains("127.0.0.1") && !trail.contains(&key), "{trail}");
    let of_key = visitor.get(&format!("audit/?key={id}")).await;
    assert!(of_key.contains("disabled") && !of_key.contains("made by cargo run"), "{of_key}");
    let deleted = visitor.post(&format!("{id}/delete/"), &[("csrf", &csrf), ("name", "Shop")]).await;
    assert_eq!(deleted.status(), 303);
    assert!(visitor.get("set-up/").await.contains("token"));
    let guess = [("token", "guessed, and guessed wrongly"), ("password", "another one"), ("repeated", "another one")];
    assert_eq!(visitor.post("set-up/", &guess).await.status(), 401);
    assert_eq!(visitor.post("sign-out/", &[("csrf", &csrf)]).await.status(), 303);
    let after = visitor.client.get(&visitor.page).header(COOKIE, &visitor.cookies).send().await.unwrap();
    assert_eq!(after.status(), 303);
    stack.stop().await;
}

#[tokio::test]
async fn below_the_page_everything_is_the_page_and_beside_it_nothing_is() {
    let stack = stack_with(&[]).await;
    for (path, status) in [
        ("/whatsapp/settings/api-keys", 303),
        ("/whatsapp/settings/api-keys/no-such-page/at/all", 404),
        ("/whatsapp/settings/api-keys-of-others", 404),
        ("/whatsapp/settings/", 404),
    ] {
        let visitor = Visitor::new(&stack);
        let response = visitor.client.get(format!("{}{path}", stack.api_url())).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let is_page = path.starts_with("/whatsapp/settings/api-keys") && !path.contains("others");
        assert_eq!(response.headers().contains_key("content-security-policy"), is_page, "{path}");
    }
    let none: Value = json!(null);
    assert_eq!(answer(client().post(format!("{}/whatsapp", stack.api_url())).json(&none)).await.0, 404);
}
