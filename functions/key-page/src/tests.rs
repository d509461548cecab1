//! The guarantees of this page.

mod accounts;
mod by_provider;
mod client;
mod flows;
mod headers;
mod openid_provider;
mod places;
mod refusals;
mod signing_in;

use admin::Admin;
use auth::{ApiKey, KeyRecord, KeySettings};
use domain::{Kind, Scope};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use storage::{SetupToken, SetupTokens};
use testbed::Testbed;

use crate::KeyPage;
use crate::tests::client::{Answer, Client};

const PASSWORD: &str = "correct horse battery";
const SETUP_TOKEN: &str = "setup-token-canary-0123456789";
const TABLES: [&str; 5] = ["ApiKeys", "ApiKeyIds", "ApiKeyUse", "AuditTrail", "Admin"];

/// A page with a password, on tables of its own.
struct Bed {
    testbed: Testbed,
    page: KeyPage,
}

async fn bed() -> Bed {
    let bed = unconfigured().await;
    bed.page.admin.set_password_locally(&PASSWORD.into()).await.unwrap();
    bed
}

/// A page that nobody can sign in to, nor set a password for.
async fn unconfigured() -> Bed {
    let testbed = Testbed::start().await;
    let page = KeyPage::new(&testbed.database, None, testbed.clock.clone());
    Bed { testbed, page }
}

/// A page whose password is not set yet.
async fn to_be_set_up() -> Bed {
    let mut bed = unconfigured().await;
    bed.give_setup_token(SETUP_TOKEN);
    bed
}

impl Bed {
    /// Makes a setup token at this moment.
    fn give_setup_token(&mut self, secret: &str) {
        let token = SetupToken { secret: SecretString::from(secret), created_at: self.now() };
        let tokens = Some(SetupTokens::given(token));
        self.page.admin = Admin::new(&self.testbed.database, tokens, self.testbed.clock.clone());
    }

    fn now(&self) -> Timestamp {
        self.testbed.clock.now()
    }

    /// A browser that was never here before.
    fn client(&self) -> Client<'_> {
        Client::new(&self.page)
    }

    /// A browser that is signed in.
    async fn signed_in(&self) -> Client<'_> {
        let mut client = self.client();
        let answer = client.post("sign-in", &[("password", PASSWORD)]).await;
        assert_eq!((answer.status, answer.location()), (303, "/whatsapp/settings/api-keys/"));
        client
    }

    async fn key(&self, name: &str) -> (ApiKey, KeyRecord) {
        self.testbed.new_key(KeySettings::unlimited(name)).await
    }

    async fn is_let_in(&self, key: &str) -> bool {
        match self.testbed.keys.authorize(Some(key), Scope::MessagesSend).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), Kind::Unauthorized, "{error:?}");
                false
            }
        }
    }

    /// All rows of all tables that the page writes to.
    async fn dump(&self) -> Value {
        self.testbed.dump(&TABLES).await
    }

    /// What the trail says was done, latest first.
    async fn trail(&self) -> Vec<String> {
        let entries = self.page.audit.newest(None, None, 100).await.unwrap();
        entries.into_iter().map(|entry| entry.action).collect()
    }
}

/// The value of a field of a form in a page.
fn field(answer: &Answer, name: &str) -> String {
    let at = answer.body.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name} in {}", answer.main()));
    let rest = answer.body[at..].split_once("value=\"").unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

/// The key that a page shows once.
fn shown_key(answer: &Answer) -> String {
    let rest = answer.body.split_once("id=\"key\"").unwrap_or_else(|| panic!("no key in {}", answer.main())).1;
    rest.split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}
