//! What admins do with keys.

use std::time::Duration;

use super::*;

const SETTINGS: [(&str, &str); 5] =
    [("name", "Online shop"), ("preset", "send"), ("accounts", "all"), ("expiry", "90"), ("limit", "600")];

async fn add(client: &mut Client<'_>, fields: &[(&str, &str)]) -> Answer {
    let form = client.get("add").await;
    let id = field(&form, "id");
    let fields: Vec<_> = fields.iter().copied().chain([("id", id.as_str())]).collect();
    client.post("add", &fields).await
}

/// The settings with one of them otherwise.
fn but(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    SETTINGS.into_iter().filter(|(given, _)| *given != name).chain([(name, value)]).collect()
}

#[tokio::test]
async fn a_key_is_made_with_its_settings_and_works_at_once() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let made = add(&mut client, &SETTINGS).await;
    let key = shown_key(&made);
    assert!(made.status == 200 && made.says("curl -X POST") && bed.is_let_in(&key).await);
    let list = client.get("").await;
    for text in ["Online shop", "wak_…", &key[key.len() - 4..], "Active", "send only", "never"] {
        assert!(list.says(text), "{text} is not in {}", list.main());
    }
    let record = bed.page.registry.newest("online", None, 1).await.unwrap().keys.remove(0);
    let in_90_days = bed.now() + Duration::from_hours(90 * 24);
    assert_eq!((record.expires_at, record.requests_per_minute), (Some(in_90_days), Some(600)));
    let entry = bed.page.audit.newest(None, None, 1).await.unwrap().remove(0);
    assert_eq!((entry.action.as_str(), entry.by.as_str()), ("created", "admin"));
    assert_eq!(entry.address.as_deref(), Some("203.0.113.9"));
}

#[tokio::test]
async fn the_line_to_try_a_key_is_one_that_the_key_may_do() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    for (scope, told) in [
        ("messages:send", Some("curl -X POST https://gateway.example.com/whatsapp/api/send-message/ \\\n")),
        ("contacts:block", Some("curl https://gateway.example.com/whatsapp/api/blocked/ \\\n")),
        ("chats:read", Some("curl https://gateway.example.com/whatsapp/api/chats/ \\\n")),
        ("events:read", Some("curl https://gateway.example.com/whatsapp/api/events/ \\\n")),
        ("campaigns:read", None),
        ("campaigns:write", None),
    ] {
        let fields: Vec<_> = but("preset", "custom").into_iter().chain([("scope", scope)]).collect();
        let made = add(&mut client, &fields).await;
        assert_eq!(made.says("curl"), told.is_some(), "{}", made.main());
        assert!(told.is_none_or(|told| made.says(told)), "{}", made.main());
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_sending_the_form_again_makes_no_second_one() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let form = client.get("add").await;
    let id = field(&form, "id");
    let fields: Vec<_> = SETTINGS.into_iter().chain([("id", id.as_str())]).collect();
    let key = shown_key(&client.post("add", &fields).await);
    for _ in 0..3 {
        let again = client.post("add", &fields).await;
        assert_eq!(again.status, 409);
        assert!(again.says("made already") && !again.body.contains(&key[4..38]));
    }
    for page in ["", "add", "audit", "audit.csv", "account", &id] {
        assert!(!client.get(page).await.body.contains(&key[4..38]), "{page}");
    }
    assert!(!bed.dump().await.to_string().contains(&key[4..38]));
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_field_with_all_that_was_typed_and_makes_no_key() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let before = bed.dump().await;
    let longest = "x".repeat(256);
    for (field, value, told) in [
        ("name", "", "Give the key a name"),
        ("name", longest.as_str(), "at most 255 characters"),
        ("preset", "custom", "Choose at least one thing"),
        ("preset", "everything", "Choose what the key may do"),
        ("expiry", "date", "Give the last day"),
        ("expiry", "soon", "Choose when the key expires"),
        ("limit", "0", "whole number from 1 to 60000"),
        ("limit", "lots", "whole number from 1 to 60000"),
    ] {
        let fields: Vec<_> =
            SETTINGS.into_iter().filter(|(given, _)| *given != field).chain([(field, value)]).collect();
        let answer = add(&mut client, &fields).await;
        assert!(answer.status == 400 && answer.says(told), "{field}={value}: {}", answer.main());
        let kept = if field == "name" { "value=\"600\"" } else { "value=\"Online shop\"" };
        assert!(answer.says(kept), "{}", answer.main());
    }
    assert!(before == bed.dump().await);
}

#[tokio::test]
async fn a_disabled_key_is_refused_on_the_very_next_request() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let (key, record) = bed.key("shop").await;
    client.get("").await;
    for _ in 0..5 {
        assert!(bed.is_let_in(key.reveal()).await);
        assert_eq!(client.post(&format!("{}/disable", record.id), &[]).await.status, 303);
        assert!(!bed.is_let_in(key.reveal()).await);
        assert!(client.get(&record.id).await.says("Disabled"));
        assert_eq!(client.post(&format!("{}/enable", record.id), &[]).await.status, 303);
    }
    assert!(bed.is_let_in(key.reveal()).await);
}

#[tokio::test]
async fn a_rotation_shows_both_keys_and_can_be_undone_or_ended() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let (key, record) = bed.key("shop").await;
    let rotate = async |client: &mut Client<'_>| {
        let id = field(&client.get(&record.id).await, "id");
        let made = client.post(&format!("{}/rotate", record.id), &[("overlap", "86400"), ("id", &id)]).await;
        let again = client.post(&format!("{}/rotate", record.id), &[("overlap", "86400"), ("id", &id)]).await;
        assert_eq!(again.status, 409, "a reload makes no second successor");
        (shown_key(&made), id)
    };
    let (first, first_id) = rotate(&mut client).await;
    assert!(bed.is_let_in(key.reveal()).await && bed.is_let_in(&first).await);
    bed.testbed.clock.advance(Duration::from_mins(5));
    for id in [&record.id, &first_id] {
        let page = client.get(id).await;
        assert!(page.says("Two keys are valid") && page.says("23 hours"), "{}", page.main());
        assert_eq!(page.main().matches("5 minutes ago").count(), 3, "both halves, and the key itself");
    }
    assert_eq!(client.post(&format!("{}/undo-rotation", record.id), &[]).await.status, 303);
    assert!(bed.is_let_in(key.reveal()).await && !bed.is_let_in(&first).await);

    let (second, _) = rotate(&mut client).await;
    assert_eq!(client.post(&format!("{}/end-rotation", record.id), &[]).await.status, 303);
    assert!(!bed.is_let_in(key.reveal()).await && bed.is_let_in(&second).await);
    assert_eq!(client.post(&format!("{}/undo-rotation", record.id), &[]).await.status, 409);
    assert_eq!(client.post(&format!("{}/rotate", record.id), &[("overlap", "5"), ("id", "x")]).await.status, 400);
}

#[tokio::test]
async fn settings_are_changed_where_they_stand() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let (_, record) = bed.key("shop").await;
    client.get(&record.id).await;
    let path = format!("{}/settings", record.id);
    let send = but("expiry", "never");
    let fields: Vec<_> = send.iter().copied().chain([("version", "0")]).collect();
    assert_eq!(client.post(&path, &fields).await.status, 303);
    let page = client.get(&record.id).await;
    assert!(
        page.says("Online shop") && page.says("send only") && page.says("600 requests a minute"),
        "{}",
        page.main()
    );

    // Decided on what is not so any more.
    let fields: Vec<_> = but("name", "till").into_iter().chain([("version", "0")]).collect();
    assert_eq!(client.post(&path, &fields).await.status, 409);
    let version = field(&client.get(&record.id).await, "version");
    let fields: Vec<_> = but("limit", "-5").into_iter().chain([("version", version.as_str())]).collect();
    let answer = client.post(&path, &fields).await;
    assert!(answer.status == 400 && answer.says("value=\"-5\"") && answer.says("whole number"), "{}", answer.main());
    assert_eq!(bed.trail().await[0], "changed");
}

#[tokio::test]
async fn an_expiry_stays_as_it_is_unless_it_is_changed() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let expires_at = Some(bed.now() + Duration::from_secs(12_345_678));
    let (_, record) = bed.testbed.new_key(KeySettings { expires_at, ..KeySettings::unlimited("shop") }).await;
    assert!(client.get(&record.id).await.says("as it does now"));
    let fields: Vec<_> = but("expiry", "keep").into_iter().chain([("version", "0")]).collect();
    assert_eq!(client.post(&format!("{}/settings", record.id), &fields).await.status, 303);
    assert_eq!(bed.page.registry.find(&record.id).await.unwrap().unwrap().expires_at, expires_at);
}

#[tokio::test]
async fn only_a_disabled_key_is_deleted_with_its_name_typed_and_its_trail_stays() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let (_, record) = bed.key("shop <1>").await;
    client.get("").await;
    let delete = format!("{}/delete", record.id);
    assert_eq!(client.post(&delete, &[("name", "shop <1>")]).await.status, 409);
    client.post(&format!("{}/disable", record.id), &[]).await;
    let wrong = client.post(&delete, &[("name", "shop")]).await;
    assert!(wrong.status == 400 && wrong.says("exactly as it is shown"), "{}", wrong.main());
    let deleted = client.post(&delete, &[("name", "shop <1>")]).await;
    assert_eq!(deleted.location(), "/whatsapp/settings/api-keys/?done=deleted");
    assert!(!client.get("").await.says(&record.id));
    assert_eq!(client.get(&record.id).await.status, 404);
    let trail = client.get(&format!("audit?key={}", record.id)).await;
    for what in ["deleted", "disabled", "created", "shop &#60;1&#62;"] {
        assert!(trail.says(what), "{what} is not in {}", trail.main());
    }
}

#[tokio::test]
async fn keys_are_found_by_name_and_listed_page_by_page() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    for number in 0..30 {
        bed.key(&format!("shop & co {number:02}")).await;
    }
    let first = client.get("").await;
    assert!(first.says("shop &#38; co 29") && first.says("co 05") && !first.says("co 04"), "{}", first.main());
    let older = first.main().split_once("?after=").unwrap().1.split('"').next().unwrap().to_owned();
    let second = client.get(&format!("?after={older}")).await;
    assert!(second.says("co 04") && !second.says("co 05") && second.says("Newest keys") && !second.says("Older keys"));
    let found = client.get("?q=CO+1").await;
    assert!(found.says("co 19") && !found.says("co 29") && found.says("value=\"CO 1\""));
    assert!(client.get("?q=nothing").await.says("No key has “nothing” in its name"));
}

#[tokio::test]
async fn without_keys_the_list_says_what_to_do() {
    let bed = bed().await;
    let testbed_key = bed.page.registry.newest("", None, 1).await.unwrap().keys.remove(0);
    bed.page.registry.set_active(&testbed_key.id, false, &testbed::tester()).await.unwrap();
    bed.page.registry.delete(&testbed_key.id, "test", &testbed::tester()).await.unwrap();
    let list = bed.signed_in().await.get("").await;
    assert!(list.says("There are no keys yet") && list.says("Make the first key"), "{}", list.main());
}

#[tokio::test]
async fn a_name_is_shown_as_it_is_and_never_runs() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg/onload=alert(1)>",
        "</title><script>alert(1)</script>",
        "{{7*7}}{% raw %}",
        "&lt;b&gt;",
        "javascript:alert(1)",
    ] {
        let (_, record) = bed.key(name).await;
        bed.page.registry.set_active(&record.id, false, &testbed::tester()).await.unwrap();
        let search = form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>();
        for page in ["", &record.id, "audit", &format!("?q={search}"), &format!("audit?key={search}&after={search}")] {
            let answer = client.get(page).await;
            assert_eq!(answer.status, 200, "{page}");
            for tag in ["<script>", "<img", "<svg/", "</title><"] {
                assert!(
                    !answer.main().contains(tag) && !answer.body.contains("</title><script"),
                    "{tag}: {}",
                    answer.main()
                );
            }
        }
        assert!(
            client.get(&record.id).await.body.contains(
                &name
                    .replace('&', "&#38;")
                    .replace('<', "&#60;")
                    .replace('>', "&#62;")
                    .replace('"', "&#34;")
                    .replace('\'', "&#39;")
            )
        );
    }
}

#[tokio::test]
async fn the_audit_trail_is_a_page_and_a_file_without_formulas() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let (_, record) = bed.key("=HYPERLINK(\"https://evil.example.com\")").await;
    client.get("").await;
    client.post(&format!("{}/disable", record.id), &[]).await;
    let trail = client.get("audit").await;
    for text in ["disabled", "signed in", "admin", "203.0.113.9", "enabled", "HYPERLINK"] {
        assert!(trail.says(text), "{text} is not in {}", trail.main());
    }
    let file = client.get("audit.csv").await;
    assert_eq!(file.header("Content-Type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("Content-Disposition"), "attachment; filename=\"audit-trail.csv\"");
    let mut lines = csv::Reader::from_reader(file.body.as_bytes());
    assert_eq!(lines.headers().unwrap().iter().collect::<Vec<_>>().len(), 8);
    let lines: Vec<_> = lines.records().map(Result::unwrap).collect();
    assert_eq!((&lines[0][1], &lines[0][3], &lines[0][4]), ("admin", "disabled", record.id.as_str()));
    assert!(lines.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
    assert_eq!(lines.len(), bed.trail().await.len());
}

#[tokio::test]
async fn a_key_can_be_limited_to_accounts_once_there_are_several() {
    let mut bed = bed().await;
    let one = r#"[{"id":1,"name":"Shop","phone_number_id":"1","waba_id":"1","access_token":"EAAcanary"}]"#;
    bed.page.accounts = Some(one.parse().unwrap());
    assert!(!bed.signed_in().await.get("add").await.says("With these accounts"), "one is nothing to choose from");
    let two = one.replace(']', r#",{"id":2,"phone_number_id":"2","waba_id":"2","access_token":"EAAcanary"}]"#);
    bed.page.accounts = Some(two.parse().unwrap());
    bed.testbed.clock.advance(Duration::from_secs(2));
    let mut client = bed.signed_in().await;
    let form = client.get("add").await;
    assert!(form.says("Shop (1)") && form.says("Account 2") && !form.body.contains("EAAcanary"));
    let fields: Vec<_> = but("accounts", "some").into_iter().chain([("account", "2")]).collect();
    assert_eq!(add(&mut client, &fields).await.status, 200);
    assert!(client.get("").await.says("Account 2"));
    let fields: Vec<_> = but("accounts", "some").into_iter().chain([("account", "3")]).collect();
    assert_eq!(add(&mut client, &fields).await.status, 400);
}
