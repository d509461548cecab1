//! What holds for every endpoint, for every one whose request names an account, for every one that calls Meta, for every one
//! with a JSON body and for every one that sends, each as one function. [`every_caller!`](crate::every_caller),
//! [`every_endpoint!`](crate::every_endpoint), [`every_call_of_meta!`](crate::every_call_of_meta), [`every_body!`](crate::every_body) and
//! [`every_send!`](crate::every_send) make a test of each.

use api::Endpoint;
use auth::{ApiKey, KeySettings};
use domain::Scope;
use meta_simulator::Fault;
use serde_json::{Value, json};

use crate::{SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID, Sender, Testbed, not_texts, tester};

/// The largest body, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// Bodies that are no JSON objects.
const BROKEN_BODIES: [&str; 8] = ["", " ", "{", "{\"phone\":", "nonsense", "[]", "null", "\"text\""];

/// Makes a test of every guarantee of whatever endpoint. `$sender` is a future that gives a [`Sender`](crate::Sender).
#[macro_export]
macro_rules! every_caller {
    ($sender:expr) => {
        $crate::each_guarantee! { $sender;
            a_key_comes_in_the_header_or_else_in_the_query
            without_a_valid_key_every_request_gets_the_same_401
            a_key_without_the_scope_is_a_403_before_the_body_is_looked_at
            another_method_is_a_405_without_any_key
            while_the_storage_is_down_it_is_a_503_and_nothing_is_sent
        }
    };
}

/// Makes a test of every guarantee of an endpoint whose request names an account.
#[macro_export]
macro_rules! every_endpoint {
    ($sender:expr) => {
        $crate::every_caller!($sender);
        $crate::each_guarantee! { $sender;
            an_account_that_is_not_there_and_one_that_is_forbidden_are_the_same_404
        }
    };
}

/// Makes a test of every guarantee of an endpoint whose body makes it call Meta.
#[macro_export]
macro_rules! every_call_of_meta {
    ($sender:expr) => {
        $crate::each_guarantee! { $sender;
            metas_401_and_403_never_become_the_clients
            when_meta_cannot_be_reached_it_is_a_503
        }
    };
}

/// Makes a test of every guarantee of an endpoint that takes a JSON body.
#[macro_export]
macro_rules! every_body {
    ($sender:expr) => {
        $crate::each_guarantee! { $sender;
            a_body_that_is_no_json_object_is_a_400
            a_body_over_the_limit_is_a_413
        }
    };
}

/// Makes a test of every guarantee of an endpoint that sends.
#[macro_export]
macro_rules! every_send {
    ($sender:expr) => {
        $crate::every_endpoint!($sender);
        $crate::every_call_of_meta!($sender);
        $crate::every_body!($sender);
        $crate::each_guarantee! { $sender;
            a_phone_number_goes_to_meta_as_digits_with_its_country
            a_phone_number_that_is_none_is_a_400
            the_account_decides_the_number_and_the_token
            a_reply_quotes_the_message_that_it_names
            unknown_fields_are_ignored
            what_meta_says_comes_back_by_its_class
            an_unknown_outcome_is_a_504_and_never_sent_again
            an_idempotency_key_sends_once_and_answers_again
            an_idempotency_key_that_is_none_is_a_400
            every_message_that_was_sent_is_known_by_an_id_in_the_header
            a_dry_run_tells_what_would_be_sent_and_changes_nothing
            a_dry_run_is_refused_as_the_send_would_be
        }
    };
}

/// Makes a test of each of these guarantees.
#[macro_export]
macro_rules! each_guarantee {
    ($sender:expr; $($guarantee:ident)+) => {
        $(
            #[tokio::test]
            async fn $guarantee() {
                $crate::guarantees::$guarantee($sender.await).await;
            }
        )+
    };
}

/// The header counts first, whatever the case of its name; the query when the header is absent or empty.
pub async fn a_key_comes_in_the_header_or_else_in_the_query<E: Endpoint>(sender: Sender<E>) {
    let good = sender.testbed.api_key.reveal();
    let bad = ApiKey::generate();
    let none = || Sender::<E>::request(&sender.body);
    for request in [
        none().header("X-API-Key", good),
        none().header("x-api-key", good),
        none().query("api_key", good),
        none().header("X-API-Key", "").query("api_key", good),
        none().header("X-API-Key", good).query("api_key", bad.reveal()),
    ] {
        sender.succeeds(&request.send_to(&sender.endpoint).await);
    }
    let request = none().header("X-API-Key", bad.reveal()).query("api_key", good);
    assert_eq!(request.send_to(&sender.endpoint).await.status, 401);
}

/// No key, an empty, unknown, mistyped, overlong, disabled or expired one: nobody can tell which, whatever the body.
pub async fn without_a_valid_key_every_request_gets_the_same_401<E: Endpoint>(sender: Sender<E>) {
    let (registry, now) = (&sender.testbed.registry, sender.testbed.clock.now());
    let (disabled, record) = sender.testbed.new_key(KeySettings::unlimited("disabled")).await;
    registry.set_active(&record.id, false, &tester()).await.expect("a key is switched off");
    let expiring = KeySettings { expires_at: Some(now), ..KeySettings::unlimited("expired") };
    let (expired, _) = sender.testbed.new_key(expiring).await;
    let (unknown, overlong) = (ApiKey::generate(), "x".repeat(65));
    let wrong_checksum = "wak_0123456789abcdef0123456789abcdef000000";
    let unknown_elsewhere = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9";
    let presented =
        [unknown.reveal(), unknown_elsewhere, wrong_checksum, &overlong, disabled.reveal(), expired.reveal()];
    let (valid, oversized) = (sender.body.to_string(), " ".repeat(BODY_LIMIT + 1));
    for body in [&valid, &oversized].map(String::as_str).into_iter().chain(BROKEN_BODIES) {
        let none = || Sender::<E>::request(&Value::Null).raw_body(body);
        let mut requests = vec![none(), none().header("X-API-Key", ""), none().query("api_key", "")];
        requests.extend(presented.iter().map(|key| none().header("X-API-Key", key)));
        requests.extend(presented.iter().map(|key| none().query("api_key", key)));
        for request in requests {
            let answer = request.send_to(&sender.endpoint).await;
            assert_eq!((answer.status, answer.body), (401, json!({"error": "Unauthorized"})), "{request:?}");
        }
    }
    sender.testbed.assert_untouched("a request without a valid key").await;
}

/// A key with all the other scopes does nothing, and reads which one it lacks.
pub async fn a_key_without_the_scope_is_a_403_before_the_body_is_looked_at<E: Endpoint>(sender: Sender<E>) {
    let others = Scope::ALL.into_iter().filter(|scope| *scope != sender.scope);
    let key = sender.testbed.key(others, None).await;
    let expected = json!({"error": "Forbidden", "missing_scope": sender.scope.as_str()});
    let valid = sender.body.to_string();
    for body in [valid.as_str()].into_iter().chain(BROKEN_BODIES) {
        let request = Sender::<E>::request(&Value::Null).raw_body(body).header("X-API-Key", key.reveal());
        let answer = request.send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body), (403, &expected), "{body}");
    }
    sender.testbed.assert_untouched("a request without the scope").await;
}

/// Every method but its own and those of the same path that another function answers, with and without a key.
pub async fn another_method_is_a_405_without_any_key<E: Endpoint>(sender: Sender<E>) {
    let own: Vec<_> = E::ROUTE.methods.iter().chain(E::ROUTE.beside).copied().collect();
    let others = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"].into_iter();
    for method in others.filter(|other| !own.contains(other)) {
        let without_key = Sender::<E>::request(&Value::Null).raw_body("");
        for request in [without_key, sender.with_key(&sender.body)] {
            let answer = request.method(method).send_to(&sender.endpoint).await;
            assert_eq!((answer.status, &answer.headers["Allow"]), (405, &json!(own.join(", "))), "{method}");
            assert!(own.iter().all(|own| answer.error().contains(own)), "{method} is answered with {}", answer.body);
        }
    }
    sender.testbed.assert_untouched("another method").await;
}

/// Empty, broken, or JSON of another kind.
pub async fn a_body_that_is_no_json_object_is_a_400<E: Endpoint>(sender: Sender<E>) {
    for body in BROKEN_BODIES {
        let answer = sender.with_key(&Value::Null).raw_body(body).send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("invalid_json")), "{body}");
        assert!(answer.error().starts_with("The body must be"), "{body} is answered with {}", answer.body);
    }
    sender.testbed.assert_untouched("a broken body").await;
}

/// As much as the limit is read, one byte more is not.
pub async fn a_body_over_the_limit_is_a_413<E: Endpoint>(sender: Sender<E>) {
    let limit = E::ROUTE.body_limit;
    let padded = |length: usize| {
        let body = sender.body.to_string();
        sender.with_key(&Value::Null).raw_body(&format!("{body}{}", " ".repeat(length - body.len())))
    };
    let answer = padded(limit + 1).send_to(&sender.endpoint).await;
    assert_eq!((answer.status, &answer.body["code"]), (413, &json!("body_too_large")), "{}", answer.body);
    sender.testbed.assert_untouched("a body over the limit").await;
    sender.succeeds(&padded(limit).send_to(&sender.endpoint).await);
}

/// A number with a leading `+` is complete; a bare one of 10 digits gets the default country.
pub async fn a_phone_number_goes_to_meta_as_digits_with_its_country<E: Endpoint>(sender: Sender<E>) {
    for (written, digits) in [
        ("919876543210", "919876543210"),
        ("+919876543210", "919876543210"),
        ("9876543210", "919876543210"),
        (" (987) 654-32.10 ", "919876543210"),
        ("+6581234567", "6581234567"),
        (" (+65) 8123-4567", "6581234567"),
        ("+1 (650) 555-1234", "16505551234"),
        ("1234567", "1234567"),
        ("+123456789012345", "123456789012345"),
    ] {
        assert_eq!(sender.sends(&sender.with(json!({"phone": written}))).await["to"], digits, "{written}");
    }
}

/// Missing, mistyped, words, too short, too long.
pub async fn a_phone_number_that_is_none_is_a_400<E: Endpoint>(sender: Sender<E>) {
    sender.requires("phone").await;
    sender.refuses_each("phone", not_texts()).await;
    let words = ["", " ", "+", "abc", "98765x43210", "+91abc", "٩٨٧٦٥٤٣٢١٠"].map(Value::from);
    let lengths = ["123456", "+123456", "1234567890123456", "+1234567890123456"].map(Value::from);
    sender.refuses_each("phone", words.into_iter().chain(lengths)).await;
}

/// Without an `account_id` the default account sends.
pub async fn the_account_decides_the_number_and_the_token<E: Endpoint>(sender: Sender<E>) {
    sender.refuses_each("account_id", [json!("1"), json!(""), json!(1.5), json!(1e30), json!(true), json!([1])]).await;
    let (first, second) = (meta_simulator::PHONE_NUMBER_ID, SECOND_PHONE_NUMBER_ID);
    for (account, number) in
        [(None, first), (Some(Value::Null), first), (Some(json!(1)), first), (Some(json!(2)), second)]
    {
        let body = account.map_or_else(|| sender.body.clone(), |id| sender.with(json!({"account_id": id})));
        sender.sends(&body).await;
        let request = sender.testbed.simulator.requests().pop().expect("Meta was called");
        let token = format!("Bearer {}", meta_simulator::ACCESS_TOKEN);
        assert_eq!((request.method.as_str(), request.query.as_deref()), ("POST", None), "{body}");
        assert_eq!(request.path, format!("/v25.0/{number}/messages"), "{body}");
        assert_eq!(request.header("authorization"), Some(token.as_str()), "{body}");
        assert_eq!(request.header("content-type"), Some("application/json"), "{body}");
    }
}

/// Whoever may not use an account does not learn that it exists, and never sends from the default one instead.
pub async fn an_account_that_is_not_there_and_one_that_is_forbidden_are_the_same_404<E: Endpoint>(sender: Sender<E>) {
    let limited = sender.testbed.key(Scope::ALL, Some(&[SECOND_ACCOUNT])).await;
    let answer = async |key: &ApiKey, account_id: Option<i64>| {
        let request = Sender::<E>::request(&sender.with(json!({"account_id": account_id})));
        request.header("X-API-Key", key.reveal()).send_to(&sender.endpoint).await
    };
    let refused = answer(&limited, None).await;
    assert_eq!((refused.status, &refused.body["code"]), (404, &json!("account_not_found")), "{}", refused.body);
    for absent in [0, -1, 9, i64::MAX] {
        let known_to_nobody = answer(&sender.testbed.api_key, Some(absent)).await;
        assert_eq!(known_to_nobody.status, 404, "{}", known_to_nobody.body);
        assert_eq!(answer(&limited, Some(absent)).await, known_to_nobody);
        let mut forbidden = answer(&limited, Some(1)).await;
        forbidden.body["error"] = json!(forbidden.error().replace('1', &absent.to_string()));
        assert_eq!(forbidden, known_to_nobody);
    }
    sender.testbed.assert_untouched("an account that the key may not use").await;
    sender.succeeds(&answer(&limited, Some(SECOND_ACCOUNT)).await);
}

/// `reply_to` is a wamid of at most 255 characters.
pub async fn a_reply_quotes_the_message_that_it_names<E: Endpoint>(sender: Sender<E>) {
    sender.refuses_each("reply_to", not_texts()).await;
    sender.refuses_each("reply_to", [json!(""), json!("w".repeat(256))]).await;
    for wamid in ["wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQTdBNUMyRTY5MUM5M0Y3RkUxQQA=", "w", &"w".repeat(255)] {
        let sent = sender.sends(&sender.with(json!({"reply_to": wamid}))).await;
        assert_eq!(sent["context"], json!({"message_id": wamid}));
    }
    let sent = sender.sends(&sender.with(json!({"reply_to": null}))).await;
    assert_eq!(sent.get("context"), None);
}

/// Fields that another version, or another client, knows.
pub async fn unknown_fields_are_ignored<E: Endpoint>(sender: Sender<E>) {
    let more = json!({"to": "1", "type": 1, "Phone": {}, "unknown": [null], "biz_opaque_callback_data": "mine", "": 0});
    assert_eq!(sender.sends(&sender.with(more)).await, sender.sends(&sender.body).await);
}

/// The status, the code, Meta's words as the reference puts them, or ours where we know more, and how long to wait.
pub async fn what_meta_says_comes_back_by_its_class<E: Endpoint>(sender: Sender<E>) {
    let window = "This contact has not written in the last 24 hours, and as far as is known here they never wrote. \
                  WhatsApp now takes only approved templates, such as hello_world (en_US), order_update (en), \
                  appointment (en), spring_offer (en), ticket (en).";
    let parameters = "(#132000) Number of parameters does not match the expected number of params";
    let rate = "(#130429) Rate limit hit \
                (Details: Too many messages were sent from this phone number in a short time.)";
    let bare_rate = "WhatsApp takes no more messages for the moment. The message was not sent.";
    let token = "(#190) Access token has expired (Details: Get a new access token.)";
    let down = "(#131016) Service unavailable (Details: A service is temporarily unavailable.)";
    let posts = || sender.testbed.sent_to_meta().len();
    for (fault, status, code, words, wait) in [
        (Fault::Error(131_047), 400, "window_closed", window, None),
        (Fault::Error(132_000), 400, "template_parameters", parameters, None),
        (Fault::Error(130_429), 429, "rate_limited", rate, Some("1")),
        (Fault::ErrorWithRetryAfter, 429, "rate_limited", rate, Some("3")),
        (Fault::HtmlTooMany, 429, "rate_limited", bare_rate, Some("60")),
        (Fault::Error(190), 502, "upstream_auth", token, None),
        (Fault::Error(131_016), 503, "upstream_unavailable", down, Some("1")),
    ] {
        let (what, before) = (format!("{fault:?}"), posts());
        sender.testbed.simulator.fail_next(fault, 1);
        let answer = sender.post(&sender.body).await;
        assert_eq!((answer.status, &answer.body["code"], answer.error()), (status, &json!(code), words), "{what}");
        assert_eq!(answer.headers["Retry-After"].as_str(), wait, "{what}");
        assert_eq!(answer.body["retryable"], json!(matches!(status, 429 | 503)), "{what}");
        assert_eq!(answer.body["meta"]["code"].is_i64(), words != bare_rate, "{what}: {}", answer.body);
        assert_eq!(posts(), before + 1, "{what}");
    }
}

/// Theirs are about our token and our account, while the client's own key is fine.
pub async fn metas_401_and_403_never_become_the_clients<E: Endpoint>(sender: Sender<E>) {
    for code in [0, 190, 10, 200, 131_005, 368, 131_031] {
        sender.testbed.simulator.fail_next(Fault::Error(code), 1);
        let answer = sender.post(&sender.body).await;
        assert_eq!((answer.status, &answer.body["retryable"]), (502, &json!(false)), "{code}: {}", answer.body);
    }
}

/// The client reads that the message may have been sent and by which id it is known; the same request under the same
/// key reads so again.
pub async fn an_unknown_outcome_is_a_504_and_never_sent_again<E: Endpoint>(sender: Sender<E>) {
    for (fault, key) in [
        (Fault::ResetAfterRequest, "reset"),
        (Fault::AcceptedThenReset, "accepted-then-reset"),
        (Fault::HtmlServerError, "server-error-without-json"),
        (Fault::GarbledOk, "garbled-success"),
    ] {
        let before = sender.testbed.simulator.requests().len();
        sender.testbed.simulator.fail_next(fault, 1);
        let request = sender.testbed.post(&sender.body).header("Idempotency-Key", key);
        let answer = request.send_to(&sender.endpoint).await;
        let told = (answer.status, &answer.body["code"], &answer.body["may_have_been_sent"], &answer.body["retryable"]);
        assert_eq!(told, (504, &json!("outcome_unknown"), &json!(true), &json!(false)), "{key}: {}", answer.body);
        let posted = sender.testbed.simulator.requests().pop().and_then(|request| request.json);
        let id = posted.map(|posted| posted["biz_opaque_callback_data"].clone());
        assert_eq!(Some(&answer.body["message_id"]), id.as_ref(), "{key}");
        let again = request.send_to(&sender.endpoint).await;
        assert_eq!((again.status, again.body), (504, answer.body), "{key}");
        assert_eq!(sender.testbed.simulator.requests().len(), before + 1, "{key}");
    }
}

/// No connection, so surely nothing was sent: that may be tried again.
pub async fn when_meta_cannot_be_reached_it_is_a_503<E: Endpoint>(sender: Sender<E>) {
    let Sender { testbed: Testbed { simulator, api_key, engine: _engine, .. }, endpoint, body, .. } = sender;
    drop(simulator);
    let request = Sender::<E>::request(&body).header("X-API-Key", api_key.reveal());
    let answer = request.send_to(&endpoint).await;
    let told = (answer.status, &answer.body["code"], &answer.body["retryable"], &answer.headers["Retry-After"]);
    assert_eq!(told, (503, &json!("upstream_unreachable"), &json!(true), &json!("1")), "{}", answer.body);
    assert_eq!(answer.body.get("may_have_been_sent"), None);
}

/// The same request gets the first answer again; another one under the same key is refused.
pub async fn an_idempotency_key_sends_once_and_answers_again<E: Endpoint>(sender: Sender<E>) {
    let under = async |key: &str, body: &Value| {
        sender.testbed.post(body).header("Idempotency-Key", key).send_to(&sender.endpoint).await
    };
    let longest = "k".repeat(255);
    let first = under(&longest, &sender.body).await;
    assert_eq!((first.status, first.headers.get("Idempotent-Replayed")), (200, None), "{}", first.body);
    for _ in 0..2 {
        let replay = under(&longest, &sender.body).await;
        assert_eq!((replay.status, &replay.headers["Idempotent-Replayed"]), (200, &json!("true")));
        assert_eq!(replay.body, first.body);
    }
    let other = under(&longest, &sender.with(json!({"phone": "+6581234567"}))).await;
    assert_eq!((other.status, &other.body["code"]), (422, &json!("idempotency_key_reused")), "{}", other.body);
    assert_eq!((sender.testbed.sent_to_meta().len(), sender.testbed.stored_messages().await), (1, 1));
    let under_another_key = under("!", &sender.body).await;
    assert_ne!(under_another_key.body["result"]["messages"], first.body["result"]["messages"]);
    assert_eq!(sender.testbed.sent_to_meta().len(), 2);
}

/// 1 to 255 visible ASCII characters.
pub async fn an_idempotency_key_that_is_none_is_a_400<E: Endpoint>(sender: Sender<E>) {
    for odd in ["", " ", "a b", "é", "a\u{7f}", &"k".repeat(256)] {
        let request = sender.testbed.post(&sender.body).header("Idempotency-Key", odd);
        let answer = request.send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("Idempotency-Key")), "{odd:?}");
        assert!(answer.error().starts_with("Idempotency-Key "), "{}", answer.body);
    }
    sender.testbed.assert_untouched("an odd Idempotency-Key").await;
}

/// The body is Meta's own and has no place for it.
pub async fn every_message_that_was_sent_is_known_by_an_id_in_the_header<E: Endpoint>(sender: Sender<E>) {
    let request = sender.with_key(&sender.body).header("Idempotency-Key", "k");
    let (first, replay) = (request.send_to(&sender.endpoint).await, request.send_to(&sender.endpoint).await);
    let posted = sender.testbed.simulator.requests().pop().and_then(|request| request.json).expect("Meta was called");
    for answer in [first, replay] {
        assert_eq!((answer.status, &answer.headers["Message-Id"]), (200, &posted["biz_opaque_callback_data"]));
        assert_eq!(answer.body["status"], "sent");
    }
}

/// Neither a table nor Meta can tell that it was there.
pub async fn a_dry_run_tells_what_would_be_sent_and_changes_nothing<E: Endpoint>(sender: Sender<E>) {
    let request = sender.with_key(&sender.body).header("Idempotency-Key", "k");
    let tried = async || {
        let tables = ["BlockedContacts", "Conversations", "IdempotencyKeys", "Messages", "WebhookEvents"];
        let before = (sender.testbed.dump(&tables).await, sender.testbed.simulator.requests().len());
        let answer = request.clone().query("dry_run", "true").send_to(&sender.endpoint).await;
        assert_eq!((sender.testbed.dump(&tables).await, sender.testbed.simulator.requests().len()), before);
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("dry_run")), "{}", answer.body);
        assert_eq!(answer.headers.get("Message-Id"), None);
        answer.body
    };
    let told = tried().await;
    assert_eq!((&told["would_send"], &told["idempotency"]), (&json!(true), &json!("new")), "{told}");
    assert_eq!(request.clone().query("dry_run", "false").send_to(&sender.endpoint).await.status, 200);
    assert_eq!(sender.testbed.sent_to_meta(), [told["request"].clone()]);
    let told = tried().await;
    assert_eq!((&told["would_send"], &told["idempotency"]), (&json!(false), &json!("would_replay")), "{told}");
}

/// Whatever is wrong with a request is told as if it were meant; what is no `dry_run` sends nothing.
pub async fn a_dry_run_is_refused_as_the_send_would_be<E: Endpoint>(sender: Sender<E>) {
    for odd in ["", "1", "yes", "True", "TRUE", "dry"] {
        let answer = sender.with_key(&sender.body).query("dry_run", odd).send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("dry_run")), "{odd:?}: {}", answer.body);
    }
    let without_scope = sender.testbed.key(Scope::ALL.into_iter().filter(|scope| *scope != sender.scope), None).await;
    let nobody = sender.with(json!({"phone": null}));
    for (request, status) in [
        (Sender::<E>::request(&sender.body), 401),
        (Sender::<E>::request(&sender.body).header("X-API-Key", without_scope.reveal()), 403),
        (sender.with_key(&nobody), 400),
        (sender.with_key(&sender.body).header("Idempotency-Key", "a b"), 400),
        (sender.with_key(&sender.with(json!({"account_id": 9}))), 404),
    ] {
        let meant = request.send_to(&sender.endpoint).await;
        assert_eq!(meant.status, status, "{}", meant.body);
        assert_eq!(request.query("dry_run", "true").send_to(&sender.endpoint).await, meant);
    }
    sender.testbed.assert_untouched("a refused dry run").await;
}

/// An outage looks neither like an unknown key nor like a missing account.
pub async fn while_the_storage_is_down_it_is_a_503_and_nothing_is_sent<E: Endpoint>(sender: Sender<E>) {
    let unknown = ApiKey::generate();
    let elsewhere = sender.with(json!({"account_id": 9}));
    let Sender { testbed: Testbed { engine, simulator, api_key, .. }, endpoint, body, .. } = sender;
    engine.stop().await;
    for (key, body) in [(&api_key, &elsewhere), (&unknown, &body)] {
        let answer = Sender::<E>::request(body).header("X-API-Key", key.reveal()).send_to(&endpoint).await;
        let told = (answer.status, &answer.body["code"], &answer.headers["Retry-After"]);
        assert_eq!(told, (503, &json!("storage_unavailable"), &json!("1")), "{}", answer.body);
    }
    assert!(simulator.requests().is_empty());
}
