//! Reading.

use chats::{ChatPage, EventPage, MessageDetails, MessagePage, Read};
use domain::Scope;
use serde_json::{Value, json};

use crate::failures::{
    account_not_found, field, of_a_body, of_a_chat, of_a_known_message, of_an_event, of_meta, of_what_may_be_repeated,
};
use crate::operation::{Described, Operation, boolean, text};
use crate::shape::{Shape, account_id, flag};

const TAG: &str = "Reading";

/// How to mark a conversation as read.
fn mark_as_read() -> Shape {
    Shape::written(
        "MarkAsRead",
        json!({"type": "object", "properties": {
            "tell_whatsapp": flag("The contact sees blue ticks, too; `false` if left out."),
            "account_id": account_id(),
        }}),
    )
}

fn conversation() -> Value {
    json!({"id": 1_507_694_523_850_365_i64, "phone_number": "919876543210", "label": null, "unread_count": 2,
        "last_message_at": "2026-01-02T03:04:05.678Z"})
}

fn message() -> Value {
    json!({
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "wamid": "wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgSNUE3",
        "direction": "outbound", "type": "text", "body": "Hello!", "status": "delivered", "at": "2026-01-02T03:04:05.678Z",
    })
}

fn with(mut value: Value, more: &Value) -> Value {
    if let (Some(value), Some(more)) = (value.as_object_mut(), more.as_object()) {
        value.extend(more.clone());
    }
    value
}

/// The operations of this group.
pub(crate) fn operations() -> Vec<Described> {
    vec![list_chats(), list_messages(), read_chat(), get_message(), list_events()]
}

fn list_chats() -> Described {
    Operation::of::<list_chats::ListChats>(
        Scope::ChatsRead,
        TAG,
        "List conversations",
        "An account's conversations, the one with the newest message first.",
    )
    .of_an_account()
    .by_pages()
    .in_query("unread", "`true`: only those with unread messages.", boolean())
    .leads_to(200, &["list-messages", "read-chat"], "phone", "$response.body#/conversations/0/phone_number")
    .answers(
        200,
        "A page; the last one has no `next_cursor`.",
        Shape::of::<ChatPage>(),
        &[("page", json!({"conversations": [conversation()], "next_cursor": "MTUwNzY5NDUyMzg1MDM2NQ"}))],
    )
    .describe()
}

fn of_a_conversation(operation: Operation) -> Operation {
    let words = "A number as for sending, or a business-scoped user id; `+` is written `%2B`.";
    let pattern = r"^(\+?[0-9]{7,15}|[A-Z]{2}\.[A-Za-z0-9]{1,128})$";
    let schema = text(7, 131).pattern(Some(pattern));
    let wrong = field("phone", "phone must have 7 to 15 digits with its country code, for example +919876543210");
    operation.in_path("phone", words, schema, json!("919876543210")).fails(of_a_chat()).fails([wrong])
}

fn list_messages() -> Described {
    let details = json!({"name": "Rahul", "last_inbound_at": "2026-01-02T03:04:05.678Z",
        "window_expires_at": "2026-01-03T03:04:05.678Z", "opted_out": null});
    let message = with(message(), &json!({"reply_to": null, "content": {"type": "text", "text": {"body": "Hello!"}}}));
    of_a_conversation(Operation::of::<list_messages::ListMessages>(
        Scope::ChatsRead,
        TAG,
        "List a conversation's messages",
        "A conversation and its messages of both directions, newest first. A page may be shorter than `limit` without being \
         the last.",
    ))
    .of_an_account()
    .by_pages()
    .answers(200, "A page; the last one has no `next_cursor`.", Shape::of::<MessagePage>(),
        &[("page", json!({"conversation": with(conversation(), &details), "messages": [message]}))],
    )
    .describe()
}

fn read_chat() -> Described {
    of_a_conversation(Operation::of::<read_chat::ReadChat>(
        Scope::ChatsRead,
        TAG,
        "Mark a conversation as read",
        "Marks everything in a conversation as read, and tells WhatsApp if wanted. May be repeated without harm.",
    ))
    .takes(false, mark_as_read(), &[("quietly", json!({})), ("blue_ticks", json!({"tell_whatsapp": true}))])
    .answers(
        200,
        "It was marked.",
        Shape::of::<Read>(),
        &[("read", json!({"status": "success", "unread_count": 0, "told_whatsapp": true}))],
    )
    .fails([account_not_found(), field("tell_whatsapp", "tell_whatsapp must be true or false")])
    .fails(of_a_body())
    .fails(of_meta())
    .fails(of_what_may_be_repeated())
    .describe()
}

fn get_message() -> Described {
    let rest = json!({
        "account_id": 1, "phone_number": "919876543210", "failure": null, "pricing": null,
        "timeline": [{"status": "accepted", "at": "2026-01-02T03:04:05.678Z"},
            {"status": "delivered", "at": "2026-01-02T03:04:07.000Z"}],
    });
    let failed = json!({
        "status": "failed",
        "failure": {"code": 131_026, "title": "Message undeliverable", "details": null,
            "reason": "WhatsApp can't deliver to this number.", "what_to_do": "Check the number.", "retryable": false},
        "timeline": [{"status": "accepted", "at": "2026-01-02T03:04:05.678Z"},
            {"status": "failed", "at": "2026-01-02T03:04:07.000Z", "code": 131_026}],
    });
    let delivered = with(message(), &rest);
    Operation::of::<get_message::GetMessage>(
        Scope::ChatsRead,
        TAG,
        "Look up a message",
        "A message and what became of it.",
    )
    .in_path(
        "id",
        "The id that a send tells in `Message-Id`, or Meta's wamid, a `/` in it written as `%2F`.",
        text(1, usize::MAX),
        json!("01890a5d-ac96-774b-bcce-b302099a8057"),
    )
    .of_an_account()
    .answers(
        200,
        "The message.",
        Shape::of::<MessageDetails>(),
        &[("failed", with(delivered.clone(), &failed)), ("delivered", delivered)],
    )
    .fails(of_a_known_message())
    .describe()
}

fn list_events() -> Described {
    Operation::of::<list_events::ListEvents>(
        Scope::EventsRead,
        TAG,
        "List events",
        "What Meta tells besides messages, newest first: reviews of templates, changes of quality, restrictions; and what was \
         not understood.",
    )
    .of_an_account()
    .by_pages()
    .in_query("kind", "Only events of this kind.", text(1, 100).pattern(Some("^[!-~]{1,100}$")))
    .in_query("id", "In place of a list this one event, as it came, in plain text.", text(0, usize::MAX))
    .answers(200, "A page; the last one has no `next_cursor`. Or the one event, as it came.", Shape::of::<EventPage>(),
        &[(
            "page",
            json!({"events": [{"id": "2026-01-02T03:04:05.000Z.1", "kind": "message_template_status_update",
                "at": "2026-01-02T03:04:05.000Z", "size_bytes": 30, "content": {"event": "APPROVED"}}]}),
        )],
    )
    .answers_text(200, "{\"event\":\"APPROVED\"}")
    .fails([field("kind", "kind must be 1 to 100 letters, digits and signs without spaces")])
    .fails(of_an_event())
    .describe()
}
