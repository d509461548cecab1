//! Campaigns: making, steering and watching them.

use api::Endpoint;
use campaigns::{AddedRecipients, CampaignPage, Details, DryRun, RecipientPage, Retried, Uploads};
use domain::Scope;
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::failures::{
    account_not_found, field, of_a_body, of_a_campaign, of_a_start, of_a_step, of_an_upload, of_meta,
    of_what_may_be_repeated,
};
use crate::operation::{Described, Operation, integer};
use crate::shape::{Shape, account_id, flag, language, optional, reference, template_name};

const TAG: &str = "Campaigns";
const FILE: &str = "phone,name,day\n+919876543210,Ann,Monday\n+916505551234,Bo,Friday\n";

fn new_campaign() -> Shape {
    let mapping = json!({"anyOf": [{"type": "string"}, {"type": "object", "required": ["value"], "properties": {"value": true}}]});
    Shape::written(
        "NewCampaign",
        json!({
            "type": "object",
            "required": ["name", "template_name"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 255, "description": "What people call it."},
                "template_name": template_name(),
                "language": language(),
                "parameter_mappings": optional(
                    json!({"type": "object", "additionalProperties": mapping}),
                    "Where the template's values come from: by place, a field of the recipients, or one value for all.",
                ),
                "recipients": optional(list_of_recipients(), "Whom it goes to. More come by further calls."),
                "scheduled_at": optional(
                    json!({"type": "string", "format": "date-time"}),
                    "When it starts by itself: a time with its offset.",
                ),
                "despite_opt_out": flag("Send also to contacts who opted out."),
                "account_id": account_id(),
            },
        }),
    )
}

/// Recipients. Of a row nothing is demanded: a wrong one keeps no other out, and is told.
fn list_of_recipients() -> Value {
    json!({"type": "array", "maxItems": 10_000, "items": {
        "description": "An object with `phone` and perhaps `name`, `params` (a list, or by name) and fields of your own; or just the \
            phone. A wrong row keeps no other out: the answer tells what is wrong with it.",
        "examples": ["+916505551234", {"phone": "+919876543210", "name": "Ann", "day": "Monday"}],
    }})
}

fn more_recipients() -> Shape {
    let schema =
        json!({"type": "object", "required": ["recipients"], "properties": {"recipients": list_of_recipients()}});
    Shape::written("MoreRecipients", schema)
}

/// Whom to try again.
fn try_again() -> Shape {
    let code = json!({"anyOf": [{"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX}, {"type": "string", "minLength": 1}]});
    Shape::written(
        "TryAgain",
        json!({"type": "object", "properties": {
            "codes": optional(
                json!({"type": "array", "minItems": 1, "maxItems": 100, "items": code}),
                "Only those who failed for one of these codes; else all whose reason passes by itself.",
            ),
            "unknown": flag("Also those of whom it is not known whether they were written to: they may get the message twice."),
        }}),
    )
}

/// A campaign that was made, and what became of the rows.
fn created() -> Shape {
    let uploads = Shape::of::<Uploads>();
    let member = json!({"type": "object", "required": ["upload"], "properties": {"upload": reference(&uploads.name)}});
    let mut upload = Shape::written("WithUpload", member);
    upload.schemas.extend(uploads.schemas);
    Shape::both("CreatedCampaign", "A campaign that was made.", [Shape::of::<Details>(), upload])
}

fn summary(status: &str, sent: i64, pending: i64) -> Value {
    json!({
        "id": 3, "name": "Reminder", "status": status, "sent_count": sent, "failed_count": 0,
        "created_at": "2026-01-02T03:04:05.678Z", "total_count": 2, "pending_count": pending, "delivered_count": sent,
        "read_count": 0, "unknown_count": 0, "left_out_count": 0,
    })
}

fn details(status: &str, sent: i64, pending: i64) -> Value {
    let runs = status == "running";
    with(
        summary(status, sent, pending),
        json!({
            "account_id": 1, "template_name": "appointment", "language": "en",
            "parameter_mappings": {"first_name": "name", "date": "day"}, "despite_opt_out": false, "scheduled_at": null,
            "started_at": (status != "draft").then_some("2026-01-02T04:00:00.000Z"), "completed_at": null, "paused": null,
            "double_count": 0, "wrong_count": 0, "rate_per_second": runs.then_some(75.0),
            "estimated_end_at": runs.then_some("2026-01-02T04:00:01.000Z"), "errors": [],
        }),
    )
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

fn upload() -> Value {
    json!({"added_count": 2, "double_count": 0, "wrong_count": 1, "double_rows": [],
        "wrong_rows": [{"upload": 1, "row": 3, "code": "phone", "error": "Row 3 has no phone"}]})
}

fn recipients() -> Value {
    json!(["+916505551234", {"phone": "+919876543210", "name": "Ann", "params": {"first_name": "Ann", "date": "Monday"}}])
}

/// The operations of this group.
pub(crate) fn operations() -> Vec<Described> {
    let mut operations = vec![create(), list(), get(), add(), list_recipients(), start()];
    let step = |operation: Operation, after: &str, why: &str| {
        operation
            .answers(200, "The campaign as it is now.", Shape::of::<Details>(), &[("campaign", details(after, 1, 1))])
            .fails(of_a_step(why))
            .describe()
    };
    operations.push(step(
        of_one::<pause_campaign::PauseCampaign>(Scope::CampaignsWrite, "Pause a campaign", "Holds it within seconds."),
        "paused",
        "This campaign is draft: only a running one can be paused",
    ));
    operations.push(step(
        of_one::<resume_campaign::ResumeCampaign>(Scope::CampaignsWrite, "Resume a campaign", "Lets it go on.")
            .fails(of_a_start()),
        "running",
        "This campaign is running: only a paused one can be resumed",
    ));
    operations.push(step(
        of_one::<cancel_campaign::CancelCampaign>(
            Scope::CampaignsWrite,
            "Cancel a campaign",
            "Ends it: whoever was not written to never will be.",
        ),
        "cancelled",
        "This campaign is completed: it can't be cancelled any more",
    ));
    operations.push(retry());
    operations
}

fn of_one<E: Endpoint>(scope: Scope, summary: &str, words: &str) -> Operation {
    let schema = integer(1, i64::MAX);
    Operation::of::<E>(scope, TAG, summary, words)
        .in_path("id", "The campaign.", schema, json!(3))
        .fails(of_a_campaign())
}

fn create() -> Described {
    let body = json!({"name": "Reminder", "template_name": "appointment", "parameter_mappings": {"first_name": "name", "date": "day"},
        "recipients": [{"phone": "+919876543210", "name": "Ann", "day": "Monday"},
            {"phone": "+916505551234", "name": "Bo", "day": "Friday"}]});
    Operation::of::<create_campaign::CreateCampaign>(
        Scope::CampaignsWrite,
        TAG,
        "Make a campaign",
        "Makes a campaign, perhaps with its first recipients. Nothing is sent before it is started, or before its time comes. \
         With `Content-Type: text/csv` the body is the recipients' file, and the fields stand in the query, \
         `parameter_mappings` as JSON.",
    )
    // They count beside a file only, so that nothing can be said of their form here.
    .in_query("name", "With a CSV file: what people call it.", any_text())
    .in_query("template_name", "With a CSV file: the template.", any_text())
    .in_query("language", "With a CSV file: the template's language.", any_text())
    .in_query("parameter_mappings", "With a CSV file: where the template's values come from, as JSON.", any_text())
    .in_query("scheduled_at", "With a CSV file: when it starts by itself.", any_text())
    .in_query("despite_opt_out", "With a CSV file: `true` or `false`.", any_text())
    .in_query("account_id", "With a CSV file: the account to send from.", any_text())
    .once()
    .takes(true, new_campaign(), &[("two_people", body)])
    .takes_csv(FILE)
    .answers(201, "The campaign, and what became of the rows.", created(),
        &[("made", with(details("draft", 0, 2), json!({"upload": upload()})))],
    )
    .leads_to(
        201,
        &[
            "get-campaign",
            "add-recipients",
            "list-recipients",
            "start-campaign",
            "pause-campaign",
            "resume-campaign",
            "cancel-campaign",
            "retry-failed",
        ],
        "id",
        "$response.body#/id",
    )
    .tells(201, "Idempotent-Replayed", "`true`: the answer to an earlier request, and no other campaign was made.")
    .fails([field("name", "name is required"), account_not_found()])
    .fails(of_a_body())
    .fails(of_an_upload())
    .describe()
}

fn any_text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn list() -> Described {
    Operation::of::<list_campaigns::ListCampaigns>(
        Scope::CampaignsRead,
        TAG,
        "List campaigns",
        "An account's campaigns, newest first. The counts of a running one are at most a minute old.",
    )
    .of_an_account()
    .by_pages()
    .answers(
        200,
        "A page; the last one has no `next_cursor`.",
        Shape::of::<CampaignPage>(),
        &[("page", json!({"campaigns": [summary("completed", 2, 0)]}))],
    )
    .describe()
}

fn get() -> Described {
    let words = "Its counts, how fast it is, when it will be through, and why messages failed, by Meta's codes.";
    of_one::<get_campaign::GetCampaign>(Scope::CampaignsRead, "Watch a campaign", words)
        .answers(200, "The campaign.", Shape::of::<Details>(), &[("running", details("running", 1, 1))])
        .describe()
}

fn add() -> Described {
    of_one::<add_recipients::AddRecipients>(
        Scope::CampaignsWrite,
        "Add recipients",
        "Adds recipients to a campaign that has not begun: all rows that are right, each person once. May be repeated. With \
         `Content-Type: text/csv` the body is a file.",
    )
    .takes(true, more_recipients(), &[("two_people", json!({"recipients": recipients()}))])
    .takes_csv(FILE)
    .answers(200, "What became of the rows.", Shape::of::<AddedRecipients>(),
        &[("added", with(upload(), json!({"id": 3, "total_count": 2})))],
    )
    .fails(of_a_body())
    .fails(of_an_upload())
    .fails(of_a_step("This campaign is running: recipients can't be added any more"))
    .describe()
}

fn list_recipients() -> Described {
    let words = ["pending", "sent", "delivered", "read", "failed", "unknown", "left_out"];
    of_one::<list_recipients::ListRecipients>(
        Scope::CampaignsRead,
        "List a campaign's recipients",
        "What became of each recipient, in the order of their rows.",
    )
    .in_query("status", "Only those at this.", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)))
    .by_pages()
    .answers(200, "A page; the last one has no `next_cursor`.", Shape::of::<RecipientPage>(),
        &[(
            "page",
            json!({"recipients": [{
                "phone": "919876543210", "name": "Ann", "status": "failed", "parameters": {"first_name": "Ann", "date": "Monday"},
                "upload": 1, "row": 1, "attempts": 1, "message_id": "01890a5d-ac96-574b-bcce-b302099a8057", "wamid": null,
                "error": {"code": "131026", "error": "WhatsApp can't deliver to this number.",
                    "what_to_do": "Check the number.", "retryable": false},
            }]}),
        )],
    )
    .fails([field("status", "status must be one of pending, sent, delivered, read, failed, unknown, left_out")])
    .describe()
}

fn start() -> Described {
    let dry_run = json!({
        "status": "dry_run", "id": 3, "would_start": true, "would_send_count": 1, "total_count": 2, "checked_count": 2,
        "left_out_count": 1,
        "left_out": [{"phone": "916505551234", "name": "Bo", "upload": 1, "row": 2, "reason": "opted_out"}],
        "double_count": 0, "double_rows": [], "wrong_count": 0, "wrong_rows": [], "estimated_seconds": 1,
        "estimated_end_at": "2026-01-02T03:04:06.678Z",
        "template": {"name": "appointment", "language": "en", "status": "APPROVED", "category": "UTILITY"}, "warnings": [],
    });
    let words = "The campaign, or what would become of it.";
    let answer = Shape::either("StartAnswer", words, [Shape::of::<Details>(), Shape::of::<DryRun>()]);
    of_one::<start_campaign::StartCampaign>(
        Scope::CampaignsWrite,
        "Start a campaign",
        "Starts it now, also one whose time has not come yet.",
    )
    .with_dry_run()
    .answers(
        200,
        "The campaign as it is now; or what a dry run found.",
        answer,
        &[("started", details("running", 0, 2)), ("dry_run", dry_run)],
    )
    .fails(of_a_step("This campaign is running: it was started already"))
    .fails(of_a_start())
    .fails(of_meta())
    .fails(of_what_may_be_repeated())
    .describe()
}

fn retry() -> Described {
    let retried = json!({"retried_count": 1, "not_retried": {"131026": {"count": 1,
        "error": "WhatsApp can't deliver to this number.", "what_to_do": "Check the number."}}});
    of_one::<retry_failed::RetryFailed>(
        Scope::CampaignsWrite,
        "Try again those who failed",
        "Tries again those who failed for a reason that passes; or for the given codes.",
    )
    .takes(false, try_again(), &[("passing", json!({})), ("codes", json!({"codes": [131_049], "unknown": false}))])
    .answers(
        200,
        "The campaign as it is now, and who is tried again.",
        Shape::of::<Retried>(),
        &[("retried", with(details("running", 1, 1), retried))],
    )
    .fails([field("codes", "codes must be a list of up to 100 codes, for example [131026, 131049]")])
    .fails(of_a_body())
    .fails(of_a_step("This campaign is draft: it was not started yet"))
    .fails(of_a_start())
    .describe()
}
