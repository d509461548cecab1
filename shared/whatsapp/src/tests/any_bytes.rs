//! Whatever comes back: reading it ends in a result.

use proptest::prelude::*;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::number::read_sent;
use crate::{BlockedUser, Error, GraphError, ListedTemplate, SecretString};

fn answer(status: u16, body: &[u8]) -> Answer {
    let token = SecretString::from(super::TOKEN);
    Answer::whole(StatusCode::from_u16(status).unwrap(), None, body.to_vec(), &token)
}

/// Reads the answer in every way there is.
fn read(answer: &Answer) {
    let sent = read_sent(answer);
    if let Err(error) = &sent {
        let shown = format!("{error} {error:?} {:?}", error.graph().map(GraphError::words));
        assert!(!shown.contains(super::TOKEN));
        assert!(!matches!(error, Error::NotReached(_) | Error::Invalid(_)));
    }
    let _ = crate::block::read_outcome(answer);
    let _ = answer.confirmed();
    let _ = answer.success_as::<Vec<BlockedUser>>();
    let _ = answer.success_as::<Vec<ListedTemplate>>();
}

/// JSON of any shape, with the names that Meta uses, so that it gets past the first look.
fn metas_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!(super::TOKEN)),
        Just(json!("190")),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        let name = prop_oneof![
            Just("error"),
            Just("code"),
            Just("message"),
            Just("error_data"),
            Just("details"),
            Just("messages"),
            Just("id"),
            Just("contacts"),
            Just("wa_id"),
            Just("block_users"),
            Just("added_users"),
            Just("failed_users"),
            Just("errors"),
            Just("input"),
            Just("success"),
            Just("error_user_title"),
            Just("error_user_msg"),
            Just("is_transient"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name.prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(status in 200_u16..600, body in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&answer(status, &body));
    }

    #[test]
    fn no_json_makes_it_panic(status in 200_u16..600, body in metas_json()) {
        read(&answer(status, body.to_string().as_bytes()));
    }

    #[test]
    fn no_error_object_makes_it_panic(status in 200_u16..600, error in metas_json(), code in any::<i64>()) {
        let mut error = error;
        if let Some(members) = error.as_object_mut() {
            members.insert("code".to_owned(), json!(code));
        }
        read(&answer(status, json!({ "error": error }).to_string().as_bytes()));
    }

    #[test]
    fn no_end_of_a_true_answer_makes_it_a_success(cut in 0..super::TAKEN.len()) {
        prop_assert!(read_sent(&answer(200, &super::TAKEN.as_bytes()[..cut])).is_err());
    }

    #[test]
    fn a_message_holds_what_it_was_given(to in ".{0,20}", body in ".{0,60}") {
        let message = serde_json::to_value(crate::Message::text(&to, &body)).unwrap();
        prop_assert_eq!(message, json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "text",
            "text": { "preview_url": false, "body": body },
        }));
    }
}

#[test]
fn json_nested_beyond_all_measure_is_an_unknown_outcome() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(r#"{{"messages":[{{"id":"wamid.1"}}],"error":{deep}}}"#);
    assert!(matches!(read_sent(&answer(200, body.as_bytes())), Err(Error::OutcomeUnknown(_))));
    read(&answer(500, body.as_bytes()));
}
