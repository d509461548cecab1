//! Blocking.

use block_list::Changed;
use domain::Scope;
use list_blocked::Answer;
use serde_json::{Value, json};

use crate::failures::{account_not_found, field, of_a_body, of_meta, of_what_may_be_repeated};
use crate::operation::{Described, Operation, boolean};
use crate::shape::{Shape, account_id, optional};

const TAG: &str = "Blocking";

/// Whom to block or unblock: one contact in `phone`, or several in `phones`.
fn whom(name: &str, reason: bool) -> Shape {
    let contact = json!({"type": "string", "minLength": 1, "maxLength": 150,
        "description": "The contact, as Meta shall read it: a number, or a business-scoped user id."});
    let phone = json!({"type": "string", "minLength": 1, "maxLength": 150, "pattern": r"\S",
        "description": "The contact, as Meta shall read it: a number, or a business-scoped user id."});
    let phones = json!({"type": "array", "minItems": 1, "maxItems": 1000, "items": contact,
        "description": "The contacts."});
    let mut others = json!({"account_id": account_id()});
    if reason && let Some(others) = others.as_object_mut() {
        others.insert("reason".to_owned(), optional(json!({"type": "string", "maxLength": 255}), "Why."));
    }
    let of = |members: Value, required: &str| {
        let mut members = members;
        if let (Some(members), Some(others)) = (members.as_object_mut(), others.as_object()) {
            members.extend(others.clone());
        }
        json!({"type": "object", "required": [required], "properties": members})
    };
    Shape::written(
        name,
        json!({"oneOf": [of(json!({"phone": phone, "phones": {"type": "null"}}), "phone"),
            of(json!({"phones": phones, "phone": {"type": "null"}}), "phones")]}),
    )
}

/// The operations of this group.
pub(crate) fn operations() -> Vec<Described> {
    let (blocked, unblocked) = (
        json!({"status": "success", "meta_response": {"messaging_product": "whatsapp", "block_users":
            {"added_users": [{"input": "+14155550141", "wa_id": "14155550141"}]}}}),
        json!({"status": "success", "meta_response": {"messaging_product": "whatsapp", "block_users":
            {"removed_users": [{"input": "+14155550141", "wa_id": "14155550141"}]}}}),
    );
    let refused = json!({"status": "success", "meta_response": {"messaging_product": "whatsapp", "block_users":
        {"added_users": [], "failed_users": [{"input": "+14155550141", "wa_id": "14155550141", "errors":
            [{"message": "Re-engagement required", "code": 139_101,
              "error_data": {"details": "The user has not messaged the business in the last 24 hours"}}]}]}}});
    let words = "Meta's answer, which may have refused some or all: those stand in `failed_users`.";
    let change = |operation: Operation| {
        operation
            .fails([field("phone", "Phone required"), account_not_found()])
            .fails(of_a_body())
            .fails(of_meta())
            .fails(of_what_may_be_repeated())
            .describe()
    };
    vec![
        change(
            Operation::of::<block_contact::BlockContact>(
                Scope::ContactsBlock,
                TAG,
                "Block contacts",
                "Blocks contacts: they can neither write to the account's number nor get messages from it. Only somebody who \
                 wrote in the last 24 hours can be blocked. May be repeated without harm.",
            )
            .takes(
                true,
                whom("Block", true),
                &[
                    ("one", json!({"phone": "+14155550141", "reason": "spam"})),
                    ("several", json!({"phones": ["+14155550141", "+14155550142"]})),
                ],
            )
            .answers(200, words, Shape::of::<Changed>(), &[("blocked", blocked), ("refused", refused)]),
        ),
        change(
            Operation::of::<unblock_contact::UnblockContact>(
                Scope::ContactsBlock,
                TAG,
                "Unblock contacts",
                "Unblocks contacts. A DELETE with a body, as in the reference. May be repeated without harm.",
            )
            .takes(true, whom("Unblock", false), &[("one", json!({"phone": "+14155550141"}))])
            .answers(200, words, Shape::of::<Changed>(), &[("unblocked", unblocked)]),
        ),
        Operation::of::<list_blocked::ListBlocked>(
            Scope::ContactsBlock,
            TAG,
            "List blocked contacts",
            "Those blocked now, newest first.",
        )
        .of_an_account()
        .by_pages()
        .in_query("refresh", "`true`: bring the list level with Meta's own first.", boolean())
        .answers(
            200,
            "A page; the last one has no `next_cursor`.",
            Shape::of::<Answer>(),
            &[(
                "page",
                json!({"blocked_users": [{"phone_number": "+14155550141", "blocked_at": "2026-01-02T03:04:05.678Z",
                    "reason": "spam"}], "next_cursor": "MjAyNi0wMS0wMlQwMzowNDowNS42Nzha"}),
            )],
        )
        .fails(of_meta())
        .fails(of_what_may_be_repeated())
        .describe(),
    ]
}
