//! The real program, as Lambda runs it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what goes wrong here fails the test")]

mod browser;
#[path = "../../src/tests/openid_provider.rs"]
#[expect(dead_code, reason = "the page's own tests use more of it")]
mod openid_provider;

use admin::Admin;
use auth::Keys;
use domain::{Clock, Scope};
use lambda_runtime_stand_in::{Case, Environment, Function, FunctionError, Gate, Held, NO_JSON, SecretsManager};
use serde_json::{Value, json};
use storage::AuditTrail;
use testbed::{SECOND_PHONE_NUMBER_ID, Testbed};
use totp_rs::{Algorithm, Builder, Secret};

use crate::browser::{Answer, Browser, Gateway};
use crate::openid_provider::{CLIENT_ID, OpenIdProvider};

const PASSWORD: &str = "canary horse battery";
const SETUP_TOKEN: &str = "canary-setup-token-0123456789";
const ACCOUNTS_SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:accounts-AbCdEf";
const SETUP_SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:setup-AbCdEf";
const SETTINGS: [(&str, &str); 5] =
    [("name", "shop"), ("preset", "send"), ("accounts", "all"), ("expiry", "90"), ("limit", "600")];

async fn with_password() -> Testbed {
    let testbed = Testbed::start().await;
    let admin = Admin::new(&testbed.database, None, Clock::system());
    admin.set_password_locally(&PASSWORD.into()).await.unwrap();
    testbed
}

fn environment(testbed: &Testbed) -> Environment {
    Environment::new("key-page", testbed)
}

async fn start(environment: &Environment) -> Function {
    Function::start(env!("CARGO_BIN_EXE_key-page"), environment).await
}

/// With the secrets that template.yaml names.
fn from_secrets(environment: Environment, secrets: &SecretsManager) -> Environment {
    let environment = environment.with("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url());
    let environment = environment.without("WHATSAPP_ACCOUNTS").with("WHATSAPP_ACCOUNTS_SECRET", ACCOUNTS_SECRET);
    environment.with("ADMIN_SETUP_TOKEN_SECRET", SETUP_SECRET)
}

/// Two, so that there is something to choose from.
fn two_accounts() -> String {
    let account =
        json!({"id": 1, "name": "The first", "phone_number_id": "1", "waba_id": "1", "access_token": "canary"});
    let mut second = account.clone();
    second["id"] = 2.into();
    second["name"] = "The second".into();
    second["phone_number_id"] = SECOND_PHONE_NUMBER_ID.into();
    json!([account, second]).to_string()
}

/// Opens the form that makes a key, and fills it in.
async fn filled_in(browser: &mut Browser<'_>) -> String {
    let id = browser.get("add").await.field("id");
    browser.form(&[SETTINGS.as_slice(), &[("id", &id)]].concat())
}

async fn set_up(browser: &mut Browser<'_>, token: &str) -> Answer {
    browser.post("set-up", &[("token", token), ("password", PASSWORD), ("repeated", PASSWORD)]).await
}

async fn is_let_in(testbed: &Testbed, key: &str) -> bool {
    let keys = Keys::new(&testbed.database, Clock::system());
    keys.authorize(Some(key), Scope::MessagesSend).await.is_ok()
}

/// How many keys with the name of [`SETTINGS`] there are, and how often the trail says that one was made.
async fn made(testbed: &Testbed) -> (usize, usize) {
    let dump = testbed.dump(&["ApiKeys", "ApiKeyIds"]).await;
    let count = |table: &str| dump[table].as_array().unwrap().iter().filter(|row| row["name"] == "shop").count();
    assert_eq!(count("ApiKeys"), count("ApiKeyIds"));
    let trail = AuditTrail::new(&testbed.database).newest(None, None, 100).await.unwrap();
    let is_told = |entry: &&storage::Entry| entry.action == "created" && entry.key_name.as_deref() == Some("shop");
    (count("ApiKeys"), trail.iter().filter(is_told).count())
}

/// The lines of the log of a function that has ended.
fn lines(function: &Function) -> Vec<Value> {
    assert!(!function.is_running());
    function.log().iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[tokio::test]
async fn a_key_is_made_behind_both_kinds_of_apis() {
    for gateway in Gateway::BOTH {
        let testbed = with_password().await;
        let function = start(&environment(&testbed)).await;
        let sign_in = format!("{}/sign-in/", gateway.root());
        assert_eq!(Browser::new(&function, gateway).get("").await.location(), sign_in);
        let mut browser = Browser::signed_in(&function, gateway, PASSWORD).await;
        let form = filled_in(&mut browser).await;
        let answer = browser.send("POST", "add", Some(&form)).await;
        assert_eq!(answer.status, 200, "{gateway:?}: {}", answer.body);
        assert!(is_let_in(&testbed, &answer.shown_key()).await);
        assert!(browser.get("?q=SHO").await.says("shop") && !browser.get("?q=other").await.says("shop"));
        browser.post("sign-out", &[]).await;
        assert_eq!(browser.get("").await.location(), sign_in);
    }
}

#[tokio::test]
async fn the_setup_token_and_the_accounts_come_from_secrets_manager() {
    let secrets =
        SecretsManager::start(&[(SETUP_SECRET, SETUP_TOKEN), (ACCOUNTS_SECRET, &two_accounts())]).await.unwrap();
    let testbed = Testbed::start().await;
    let function = start(&from_secrets(environment(&testbed), &secrets)).await;
    let mut browser = Browser::new(&function, Gateway::Http);
    assert_eq!(browser.get("sign-in").await.location(), format!("{}/set-up/", Gateway::Http.root()));
    assert_eq!(set_up(&mut browser, "another-setup-token-0123456789").await.status, 401);
    assert_eq!(set_up(&mut browser, SETUP_TOKEN).await.status, 303);
    assert_eq!(set_up(&mut browser, SETUP_TOKEN).await.status, 401, "it works once");
    let mut browser = Browser::signed_in(&function, Gateway::Http, PASSWORD).await;
    assert!(browser.get("add").await.says("The second"));
    let session_tokens = secrets.asked_with("x-amz-security-token");
    assert!(session_tokens.iter().all(|token| token.starts_with("canary/session")), "{session_tokens:?}");
}

/// The same, and one that has a provider's people sign in.
fn by_provider(environment: Environment, provider: &OpenIdProvider) -> Environment {
    let environment = environment.with("OIDC_ISSUER", provider.issuer()).with("OIDC_CLIENT_ID", CLIENT_ID);
    environment.with("ADMINS", "ann@example.com")
}

#[tokio::test]
async fn people_sign_in_by_a_provider_and_no_line_of_the_log_tells_with_what() {
    const CLIENT_SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:client-AbCdEf";
    let secrets = SecretsManager::start(&[(CLIENT_SECRET, "canary-client-secret")]).await.unwrap();
    let provider = OpenIdProvider::start(Clock::system().now()).await;
    let testbed = Testbed::start().await;
    let environment = by_provider(environment(&testbed), &provider)
        .with("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url())
        .with("OIDC_CLIENT_SECRET_ARN", CLIENT_SECRET);
    let function = start(&environment.with("RUST_LOG", "trace").with("AWS_LAMBDA_LOG_LEVEL", "TRACE")).await;
    let mut held = vec!["canary".to_owned(), "example.com".to_owned()];
    for gateway in Gateway::BOTH {
        let mut browser = Browser::new(&function, gateway);
        let begun = browser.get("sign-in/begin").await;
        let query = provider.sign_in(begun.location());
        held.extend(browser.cookies.values().cloned().chain(query.split(['&', '=']).map(str::to_owned)));
        let answer = browser.get(&format!("sign-in/return?{query}")).await;
        assert_eq!(answer.status, 200, "{gateway:?}: {}", answer.body);
        assert_eq!(browser.get("").await.status, 200);
        assert_eq!(browser.get(&format!("sign-in/return?{query}")).await.status, 303, "a reload");
        held.push(browser.session().to_owned());
        browser.cookies.clear();
        assert_eq!(browser.get(&format!("sign-in/return?{query}")).await.status, 400, "another browser");
        assert_eq!(browser.post("sign-in", &[("password", PASSWORD)]).await.status, 405);
    }
    assert!(provider.asked("/token").iter().all(|asked| asked.authorization.starts_with("Basic ")));
    held.extend(provider.asked("/token").into_iter().map(|asked| asked.form["code_verifier"].clone()));
    function.kill().await;
    let log = function.log().join("\n");
    for held in held.iter().filter(|held| !["code", "state"].contains(&held.as_str())) {
        assert!(held.len() >= 6 && !log.contains(held), "{held} in {log}");
    }
    assert!(lines(&function).iter().all(|line| line["message"] == "answered"), "{log}");
}

/// It would stand there for everybody to read who may see the function's settings.
#[tokio::test]
async fn a_client_secret_in_the_environment_is_no_client_secret() {
    let provider = OpenIdProvider::start(Clock::system().now()).await;
    let testbed = Testbed::start().await;
    let environment = by_provider(environment(&testbed), &provider).with("OIDC_CLIENT_SECRET", "canary");
    let function = start(&environment).await;
    let mut browser = Browser::new(&function, Gateway::Rest);
    let query = provider.sign_in(browser.get("sign-in/begin").await.location());
    assert_eq!(browser.get(&format!("sign-in/return?{query}")).await.status, 200);
    let asked = provider.asked("/token").remove(0);
    assert_eq!((asked.authorization.as_str(), asked.form.contains_key("client_secret")), ("", false));
}

#[tokio::test]
async fn a_program_whose_provider_is_set_wrong_says_how_and_does_not_start() {
    let testbed = Testbed::start().await;
    let right = environment(&testbed).with("OIDC_ISSUER", "https://sso.example.com").with("ADMINS", "ann@example.com");
    for (name, wrong) in [
        ("OIDC_ISSUER", "http://sso.example.com"),
        ("OIDC_ISSUER", "sso.example.com"),
        ("ADMINS", ""),
        ("ADMINS", "ann"),
    ] {
        start(&right.clone().with(name, wrong)).await.assert_refused(name).await;
    }
}

/// Whatever comes, one process answers it, and the next request as well.
#[tokio::test]
async fn no_event_stops_the_program() {
    let testbed = with_password().await;
    let function = start(&environment(&testbed)).await;
    let mut browser = Browser::signed_in(&function, Gateway::Rest, PASSWORD).await;
    let (wrong, form) = (browser.form(&[("password", "wrong")]), filled_in(&mut browser).await);
    for (path, body) in [("sign-in", &wrong), ("account/codes-off", &wrong), ("add", &form)] {
        for Case { name, event, .. } in browser.events("POST", path, body).odd() {
            let answer: Answer = function.invoke(&event).await.unwrap().into();
            assert!(answer.status < 500, "{path}, {name}: {answer:?}");
        }
    }
    // One of those made the key: the form is good for no other.
    assert_eq!(made(&testbed).await, (1, 1));
    for Case { name, event, status, .. } in browser.events("POST", "add", &form).cases(include_str!("odd.json")) {
        let answer: Answer = function.invoke(&event).await.unwrap().into();
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert!(!answer.says("<script>") && !answer.says("//evil"), "{name}: {}", answer.body);
    }
    for event in NO_JSON {
        assert!(matches!(function.invoke(event).await, Err(FunctionError::Reported(_))), "{event:?}");
    }
    assert!(function.is_running() && browser.get("").await.says("shop"));
    assert_eq!(made(&testbed).await, (1, 1));
}

/// However much the environment asks to be logged.
#[tokio::test]
async fn every_request_is_one_line_of_the_log_and_no_line_holds_a_secret() {
    let secrets =
        SecretsManager::start(&[(SETUP_SECRET, SETUP_TOKEN), (ACCOUNTS_SECRET, &two_accounts())]).await.unwrap();
    let testbed = Testbed::start().await;
    let environment = from_secrets(environment(&testbed), &secrets);
    let function = start(&environment.with("RUST_LOG", "trace").with("AWS_LAMBDA_LOG_LEVEL", "TRACE")).await;
    let mut browser = Browser::new(&function, Gateway::Rest);
    let mut statuses = Vec::new();
    statuses.push(set_up(&mut browser, "canary of a wrong setup token").await.status);
    statuses.push(set_up(&mut browser, SETUP_TOKEN).await.status);
    statuses.push(browser.post("sign-in", &[("password", PASSWORD)]).await.status);
    let first_session = browser.session().to_owned();

    let form = browser.get("add").await;
    let first_token = browser.csrf.clone();
    let id = form.field("id");
    let fields = [SETTINGS.as_slice(), &[("id", &id)]].concat();
    let key = browser.post("add", &fields).await;
    let again = browser.post("add", &fields).await;
    let page = browser.get("account").await;
    let secret = page.field("secret");
    let wrong_code = browser.post("account/codes-on", &[("secret", &secret), ("code", "000000")]).await;
    let code = one_time_code(&secret);
    let codes_on = browser.post("account/codes-on", &[("secret", &secret), ("code", &code)]).await;
    let change = [("current", PASSWORD), ("password", "canary of a new one"), ("repeated", "canary of a new one")];
    let changed = browser.post("account/password", &change).await;
    let list = browser.get("").await;
    let wrong = browser.post("account/password", &change).await;
    let answers = [&form, &key, &again, &page, &wrong_code, &codes_on, &changed, &list, &wrong];
    statuses.extend(answers.map(|answer| answer.status));
    assert_eq!(statuses, [401, 303, 303, 200, 200, 409, 200, 400, 303, 303, 200, 400]);
    // Too early or, on a slow machine, wrong.
    let refused = browser.post("sign-in", &[("password", PASSWORD), ("code", &code)]).await;
    assert!([429, 401].contains(&refused.status), "{refused:?}");
    statuses.push(refused.status);

    let events = browser.events("POST", "add", &browser.form(&fields));
    for Case { event, .. } in events.odd().into_iter().chain(events.cases(include_str!("odd.json"))) {
        let answer: Answer = function.invoke(&event).await.unwrap().into();
        statuses.push(answer.status);
    }
    function.kill().await;

    let log = function.log().join("\n");
    let key = key.shown_key();
    let (_, key_without_kind) = key.split_at(4);
    let of_the_browser = [&first_session, browser.session(), browser.device(), &first_token, &browser.csrf];
    for held in ["canary", key_without_kind, &secret].into_iter().chain(of_the_browser) {
        assert!(held.len() >= 6 && !log.contains(held), "{held} in {log}");
    }
    let lines = lines(&function);
    let (answered, others): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line["message"] == "answered");
    assert_eq!(answered.iter().map(|line| line["status"].as_u64().unwrap()).collect::<Vec<_>>(), statuses);
    for line in answered {
        let request_id = line["span"]["request_id"].as_str().unwrap();
        assert!(line["span"]["route"] == "key-page" && line["elapsed_ms"].is_u64(), "{line}");
        assert!((1..=64).contains(&request_id.len()), "{line}");
    }
    // Besides, whoever watches the log is told of attempts to get in.
    for line in others {
        assert!(line["message"].as_str().unwrap().starts_with("an attempt to sign in "), "{line}");
        assert!(line["level"] == "WARN" && line["span"]["request_id"].is_string(), "{line}");
    }
}

/// What an app shows that has the secret.
fn one_time_code(secret: &str) -> String {
    let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30);
    let totp = totp.with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(Clock::system().now().as_second()).unwrap()).to_string()
}

/// One line of JSON names the setting.
#[tokio::test]
async fn a_program_without_its_settings_says_which_is_missing_and_does_not_start() {
    let testbed = Testbed::start().await;
    for missing in ["TABLE_PREFIX", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let function = start(&environment(&testbed).without(missing)).await;
        function.assert_refused(missing).await;
        assert!(!function.log().join("\n").contains("canary"));
    }
}

/// They are put in after the first deployment, and may be put in wrong: keys can be made all the same.
#[tokio::test]
async fn a_program_without_accounts_starts_and_says_so_once() {
    let unreadable = SecretsManager::start(&[(SETUP_SECRET, SETUP_TOKEN)]).await.unwrap();
    let broken = SecretsManager::start(&[(SETUP_SECRET, SETUP_TOKEN), (ACCOUNTS_SECRET, "canary")]).await.unwrap();
    let testbed = with_password().await;
    let neither = environment(&testbed).without("WHATSAPP_ACCOUNTS");
    for environment in [
        neither,
        environment(&testbed).with("WHATSAPP_ACCOUNTS", r#"[{"id":1,"access_token":"canary"}"#),
        from_secrets(environment(&testbed), &unreadable),
        from_secrets(environment(&testbed), &broken),
    ] {
        let function = start(&environment).await;
        assert_eq!(Browser::new(&function, Gateway::Rest).get("sign-in").await.status, 200);
        function.kill().await;
        let lines = lines(&function);
        let [warning, answered] = lines.as_slice() else { panic!("{lines:#?}") };
        assert!(warning["level"] == "WARN" && warning["message"] == "the accounts are not known", "{warning}");
        assert!(warning["error"].as_str().unwrap().starts_with("WHATSAPP_ACCOUNTS"), "{warning}");
        assert!(answered["message"] == "answered" && !warning.to_string().contains("canary"), "{lines:#?}");
    }
    let function = start(&environment(&testbed).without("WHATSAPP_ACCOUNTS")).await;
    let mut browser = Browser::signed_in(&function, Gateway::Rest, PASSWORD).await;
    let form = filled_in(&mut browser).await;
    assert_eq!(browser.send("POST", "add", Some(&form)).await.status, 200);
}

#[tokio::test]
async fn where_nothing_is_configured_there_is_nothing() {
    let testbed = Testbed::start().await;
    let function = start(&environment(&testbed)).await;
    for gateway in Gateway::BOTH {
        let mut browser = Browser::new(&function, gateway);
        browser.cookies.insert("__Host-whatsapp-session".to_owned(), "ab".repeat(32));
        for path in ["", "add", "audit", "audit.csv", "account", "sign-in", "set-up", "copy.js", "no-such-page"] {
            let answer = browser.get(path).await;
            assert_eq!((answer.status, answer.set_cookies.len()), (503, 0), "{path}");
        }
        for path in ["add", "account/password", "sign-out", "sign-in", "set-up"] {
            let answer = browser.post(path, &[("password", ""), ("token", "")]).await;
            assert_eq!((answer.status, answer.set_cookies.len()), (503, 0), "{path}");
        }
    }
    assert_eq!(testbed.dump(&["Admin"]).await, json!({"Admin": []}));
}

#[tokio::test]
async fn a_program_whose_storage_is_out_starts_and_answers_503() {
    let testbed = Testbed::start().await;
    let function = start(&environment(&testbed).with("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")).await;
    let mut browser = Browser::new(&function, Gateway::Http);
    let answer = browser.post("sign-in", &[("password", PASSWORD)]).await;
    assert_eq!((answer.status, answer.set_cookies.len()), (503, 0), "{}", answer.body);
}

/// Whether the program died before the key was made or after.
#[tokio::test]
async fn a_form_on_which_the_program_was_killed_makes_one_key_when_it_is_sent_again() {
    for (held, made_before, told) in [(Held::Request, 0, 200), (Held::Answer, 1, 409)] {
        let testbed = with_password().await;
        let gate = Gate::to(testbed.engine.url()).await;
        let function = start(&environment(&testbed).with("AWS_ENDPOINT_URL_DYNAMODB", gate.url())).await;
        let mut browser = Browser::signed_in(&function, Gateway::Rest, PASSWORD).await;
        let form = filled_in(&mut browser).await;
        gate.close(held, "TransactWriteItems");
        let killed = async {
            gate.reached().await;
            function.kill().await
        };
        let (answer, status) = tokio::join!(browser.try_to_send("POST", "add", Some(&form)), killed);
        assert!(!status.success() && matches!(answer, Err(FunctionError::Ended(_))), "{answer:?}");
        assert_eq!(made(&testbed).await, (made_before, made_before), "{held:?}");

        let function = start(&environment(&testbed)).await;
        let mut browser = Browser { function: &function, ..browser };
        let answer = browser.send("POST", "add", Some(&form)).await;
        assert_eq!(answer.status, told, "{held:?}: {}", answer.body);
        if told == 200 {
            assert!(is_let_in(&testbed, &answer.shown_key()).await);
        } else {
            assert!(answer.says("made already"), "{}", answer.body);
        }
        assert_eq!(browser.send("POST", "add", Some(&form)).await.status, 409);
        assert_eq!(made(&testbed).await, (1, 1), "{held:?}");
    }
}
