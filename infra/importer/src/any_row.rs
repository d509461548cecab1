//! Whatever stands in a row: it is taken or told, and never a panic.

use domain::{AccountId, Accounts, CountryCode};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::known::{Belongs, Conversation, Known};
use crate::report::Report;
use crate::row::{Fault, Row};
use crate::{campaign, message, people};

const ACCOUNTS: &str = r#"[{"id":1,"phone_number_id":"1","waba_id":"1","access_token":"t"}]"#;
/// Every field that is read of any row.
const FIELDS: [&str; 46] = [
    "account",
    "blocked_at",
    "blocked_by",
    "campaign",
    "completed_at",
    "conversation",
    "created_at",
    "direction",
    "email",
    "error_message",
    "is_active",
    "is_deleted",
    "is_resolved",
    "label",
    "labels",
    "last_message_at",
    "location_address",
    "location_latitude",
    "location_name",
    "media_file",
    "media_id",
    "message_body",
    "message_id",
    "message_type",
    "meta_error",
    "name",
    "notes",
    "opted_out",
    "parameter_mappings",
    "parameters",
    "phone",
    "phone_number",
    "raw_payload",
    "reaction_emoji",
    "reason",
    "reply_to",
    "scheduled_at",
    "sent_at",
    "sent_count",
    "started_at",
    "status",
    "template",
    "timestamp",
    "unblocked_at",
    "unread_count",
    "wa_id",
];

fn known() -> Known {
    let accounts: Accounts = ACCOUNTS.parse().unwrap();
    let mut known = Known::new(&accounts, None, CountryCode::default());
    known.accounts.insert(1, Belongs::To(AccountId(1)));
    known.conversations.insert(1, Conversation { account: Some(1) });
    known.templates.insert(1, ("offer".to_owned(), "en".to_owned()));
    let fields = json!({"name": "x", "status": "completed", "created_at": "2026-01-02T03:04:05Z", "template": 1,
        "parameter_mappings": {"1": "name", "2": "day"}});
    let row = Row { pk: 1, fields: fields.as_object().unwrap().clone() };
    let before = campaign::read(&row, &known, Timestamp::UNIX_EPOCH, &mut Report::default()).unwrap().unwrap();
    known.campaigns.insert(1, before);
    known
}

/// What could stand in a field: most of it is what does.
fn value() -> impl Strategy<Value = Value> {
    let words = [
        "inbound",
        "outbound",
        "sent",
        "failed",
        "read",
        "pending",
        "completed",
        "running",
        "draft",
        "text",
        "location",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[0-9+ ]{0,20}".prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
        Just(json!("2026-01-02T03:04:05.678Z")),
        Just(json!("919876543210")),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        let members = prop::collection::hash_map("(type|id|context|1|name|\\PC{0,8})", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn fields() -> impl Strategy<Value = Map<String, Value>> {
    let one = (prop::sample::select(FIELDS.to_vec()), value()).prop_map(|(name, value)| (name.to_owned(), value));
    prop::collection::vec(one, 0..24).prop_map(|members| members.into_iter().collect())
}

/// What a row starts from, so that most of them get far.
fn whole() -> Map<String, Value> {
    let at = "2026-01-02T03:04:05.678Z";
    let fields = json!({
        "account": 1, "conversation": 1, "campaign": 1, "phone": "919876543210", "phone_number": "919876543210",
        "timestamp": at, "created_at": at, "blocked_at": at, "updated_at": at, "last_message_at": at, "message_id": "wamid.1",
        "direction": "inbound", "status": "sent",
    });
    fields.as_object().unwrap().clone()
}

proptest! {
    #[test]
    fn any_row_is_taken_or_told_by_its_field(changed in fields(), pk in 1..i64::MAX) {
        let (mut known, mut report) = (known(), Report::default());
        let mut fields = whole();
        fields.extend(changed);
        let row = Row { pk, fields };
        let results = [
            people::contact(&row, &mut known, &mut report),
            people::conversation(&row, &mut known, &mut report),
            people::blocked(&row, &known, &mut report).map(|_| ()),
            message::read(&row, &known, &mut report).map(|_| ()),
            campaign::read(&row, &known, Timestamp::UNIX_EPOCH, &mut report).map(|_| ()),
            campaign::recipient(&row, &mut known, &mut report).map(|_| ()),
        ];
        for Fault { field, reason } in results.into_iter().filter_map(Result::err) {
            prop_assert!(!field.is_empty() && !reason.is_empty());
        }
        known.chats_to_write();
    }
}
