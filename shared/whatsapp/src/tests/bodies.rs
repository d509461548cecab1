//! What goes to Meta, message by message. The first three bodies are compared as text: the system that this replaces sends
//! the same.

use serde_json::{Value, json};

use crate::{
    Contact, ContactAddress, ContactEmail, ContactName, ContactOrg, ContactPhone, ContactUrl, Content, Flow,
    Interactive, ListRow, ListSection, Location, Media, MediaSource, Message, ProductSection, Template,
};

const TO: &str = "919876543210";

fn text(message: &Message) -> String {
    serde_json::to_string(message).unwrap()
}

/// The member that holds the content, after a look at the members around it.
fn content(content: impl Into<Content>) -> Value {
    let mut body = serde_json::to_value(Message::new(TO, content)).unwrap();
    let kind = body["type"].as_str().unwrap().to_owned();
    let content = body[&kind].take();
    assert_eq!(
        body,
        json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": TO, "type": kind, kind: null })
    );
    content
}

fn components(template: Template) -> Value {
    serde_json::to_value(Message::new(TO, template)).unwrap()["template"]["components"].take()
}

fn id(id: &str) -> MediaSource {
    MediaSource::Id(id.to_owned())
}

fn link() -> MediaSource {
    MediaSource::Link("https://example.com/a".to_owned())
}

#[test]
fn a_text() {
    let expected = r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"919876543210","type":"text","text":{"preview_url":false,"body":"Hello!"}}"#;
    assert_eq!(text(&Message::text(TO, "Hello!")), expected);
    assert_eq!(text(&Message::text_with_preview(TO, "Hello!")), expected.replace("false", "true"));
}

#[test]
fn a_location_has_a_name_and_an_address_even_if_they_are_empty() {
    let expected = r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"919876543210","type":"location","location":{"latitude":28.6,"longitude":77.2,"name":"","address":""}}"#;
    assert_eq!(text(&Message::location(TO, 28.6, 77.2)), expected);
    let named =
        Location { latitude: 28.6, longitude: 77.2, name: "Delhi Gate".to_owned(), address: "Delhi".to_owned() };
    assert_eq!(
        content(named),
        json!({ "latitude": 28.6, "longitude": 77.2, "name": "Delhi Gate", "address": "Delhi" })
    );
}

#[test]
fn a_template_has_no_recipient_type_and_no_empty_components() {
    let expected = r#"{"messaging_product":"whatsapp","to":"919876543210","type":"template","template":{"name":"hello_world","language":{"code":"en"}}}"#;
    assert_eq!(text(&Message::new(TO, Template::new("hello_world", "en"))), expected);
    let no_values: [&str; 0] = [];
    let message = Message::new(TO, Template::new("hello_world", "en").body(no_values).components(Vec::new()));
    assert_eq!(text(&message), expected);
}

#[test]
fn a_template_with_texts() {
    let template = Template::new("promo", "en").body(["Rahul", "10"]).header_text("Hi");
    assert_eq!(
        serde_json::to_value(Message::new(TO, template)).unwrap(),
        json!({ "messaging_product": "whatsapp", "to": TO, "type": "template", "template": {
            "name": "promo", "language": { "code": "en" }, "components": [
                { "type": "header", "parameters": [{ "type": "text", "text": "Hi" }] },
                { "type": "body", "parameters": [{ "type": "text", "text": "Rahul" }, { "type": "text", "text": "10" }] },
            ],
        } })
    );
}

#[test]
fn a_template_with_named_values() {
    let template =
        Template::new("promo", "en").header_text_named("title", "Hi").body_named([("name", "Ann"), ("n", "1")]);
    assert_eq!(
        components(template),
        json!([
            { "type": "header", "parameters": [{ "type": "text", "parameter_name": "title", "text": "Hi" }] },
            { "type": "body", "parameters": [
                { "type": "text", "parameter_name": "name", "text": "Ann" },
                { "type": "text", "parameter_name": "n", "text": "1" },
            ] },
        ])
    );
}

#[test]
fn a_template_with_each_kind_of_header() {
    let new = || Template::new("promo", "en");
    let place = Location { latitude: 1.5, longitude: 2.5, name: "N".to_owned(), address: "A".to_owned() };
    let table = [
        (new().header_image(id("7")), json!({ "type": "image", "image": { "id": "7" } })),
        (new().header_video(link()), json!({ "type": "video", "video": { "link": "https://example.com/a" } })),
        (
            new().header_document(link(), "a.pdf"),
            json!({ "type": "document", "document": { "link": "https://example.com/a", "filename": "a.pdf" } }),
        ),
        (
            new().header_location(&place),
            json!({ "type": "location", "location": { "latitude": 1.5, "longitude": 2.5, "name": "N", "address": "A" } }),
        ),
        // A template has one header: the last one holds.
        (new().header_text("first").header_text("second"), json!({ "type": "text", "text": "second" })),
    ];
    for (template, parameter) in table {
        assert_eq!(components(template), json!([{ "type": "header", "parameters": [parameter] }]));
    }
}

#[test]
fn a_template_with_each_kind_of_button_and_ready_made_components_last() {
    let template = Template::new("promo", "en")
        .components(vec![json!({ "type": "limited_time_offer" })])
        .url_button(0, "order/123")
        .quick_reply_button(1, "STOP")
        .copy_code_button(2, "SAVE20")
        .flow_button(3, "token", None)
        .flow_button(4, "token", Some(json!({ "a": 1 })))
        .body(["Ann"]);
    let button = |kind: &str, index: &str, parameter: Value| json!({ "type": "button", "sub_type": kind, "index": index, "parameters": [parameter] });
    assert_eq!(
        components(template),
        json!([
            { "type": "body", "parameters": [{ "type": "text", "text": "Ann" }] },
            button("url", "0", json!({ "type": "text", "text": "order/123" })),
            button("quick_reply", "1", json!({ "type": "payload", "payload": "STOP" })),
            button("copy_code", "2", json!({ "type": "coupon_code", "coupon_code": "SAVE20" })),
            button("flow", "3", json!({ "type": "action", "action": { "flow_token": "token" } })),
            button("flow", "4", json!({ "type": "action", "action": { "flow_token": "token", "flow_action_data": { "a": 1 } } })),
            { "type": "limited_time_offer" },
        ])
    );
}

#[test]
fn each_kind_of_media() {
    assert_eq!(content(Media::image(id("7")).caption("C")), json!({ "id": "7", "caption": "C" }));
    assert_eq!(content(Media::video(link())), json!({ "link": "https://example.com/a" }));
    assert_eq!(content(Media::audio(id("7"))), json!({ "id": "7" }));
    assert_eq!(content(Media::voice(id("7"))), json!({ "id": "7", "voice": true }));
    assert_eq!(
        content(Media::document(id("7")).caption("C").filename("a.pdf")),
        json!({ "id": "7", "caption": "C", "filename": "a.pdf" })
    );
    assert_eq!(content(Media::sticker(id("7"))), json!({ "id": "7" }));
}

#[test]
fn each_kind_of_interactive_message() {
    assert_eq!(
        content(Interactive::buttons("B", [("y", "Yes"), ("n", "No")]).header_text("H").footer("F")),
        json!({ "type": "button", "header": { "type": "text", "text": "H" }, "body": { "text": "B" }, "footer": { "text": "F" },
            "action": { "buttons": [
                { "type": "reply", "reply": { "id": "y", "title": "Yes" } },
                { "type": "reply", "reply": { "id": "n", "title": "No" } },
            ] } })
    );
    let row = |description| ListRow { id: "r".to_owned(), title: "R".to_owned(), description };
    let sections = [
        ListSection { title: Some("S".to_owned()), rows: vec![row(Some("D".to_owned()))] },
        ListSection { title: None, rows: vec![row(None)] },
    ];
    assert_eq!(
        content(Interactive::list("B", "Open", &sections)),
        json!({ "type": "list", "body": { "text": "B" }, "action": { "button": "Open", "sections": [
            { "title": "S", "rows": [{ "id": "r", "title": "R", "description": "D" }] },
            { "rows": [{ "id": "r", "title": "R" }] },
        ] } })
    );
    assert_eq!(
        content(Interactive::cta_url("B", "See", "https://example.com").header_media(Media::image(id("7")))),
        json!({ "type": "cta_url", "header": { "type": "image", "image": { "id": "7" } }, "body": { "text": "B" },
            "action": { "name": "cta_url", "parameters": { "display_text": "See", "url": "https://example.com" } } })
    );
    assert_eq!(
        content(Interactive::location_request("B")),
        json!({ "type": "location_request_message", "body": { "text": "B" }, "action": { "name": "send_location" } })
    );
    assert_eq!(
        content(Interactive::product("c", "p")),
        json!({ "type": "product", "action": { "catalog_id": "c", "product_retailer_id": "p" } })
    );
    let section = ProductSection { title: "S".to_owned(), products: vec!["p".to_owned(), "q".to_owned()] };
    assert_eq!(
        content(Interactive::product_list("H", "B", "c", &[section])),
        json!({ "type": "product_list", "header": { "type": "text", "text": "H" }, "body": { "text": "B" },
            "action": { "catalog_id": "c", "sections": [
                { "title": "S", "product_items": [{ "product_retailer_id": "p" }, { "product_retailer_id": "q" }] },
            ] } })
    );
    assert_eq!(
        content(Interactive::catalog("B", "p")),
        json!({ "type": "catalog_message", "body": { "text": "B" },
            "action": { "name": "catalog_message", "parameters": { "thumbnail_product_retailer_id": "p" } } })
    );
    assert_eq!(
        content(Interactive::other("voice_call", json!({ "name": "voice_call" })).body("B")),
        json!({ "type": "voice_call", "body": { "text": "B" }, "action": { "name": "voice_call" } })
    );
}

#[test]
fn a_flow_starts_at_a_screen_or_asks_its_endpoint() {
    let flow = |screen, draft| Flow { id: "1".to_owned(), cta: "Go".to_owned(), token: "t".to_owned(), screen, draft };
    let parameters = |flow| content(Interactive::flow("B", flow))["action"]["parameters"].take();
    assert_eq!(
        parameters(flow(None, false)),
        json!({ "flow_message_version": "3", "flow_id": "1", "flow_cta": "Go", "flow_token": "t", "flow_action": "data_exchange" })
    );
    assert_eq!(
        parameters(flow(Some(("S".to_owned(), Some(json!({ "a": 1 })))), true)),
        json!({ "flow_message_version": "3", "flow_id": "1", "flow_cta": "Go", "flow_token": "t", "mode": "draft",
            "flow_action": "navigate", "flow_action_payload": { "screen": "S", "data": { "a": 1 } } })
    );
}

#[test]
fn a_reaction() {
    let message = serde_json::to_value(Message::reaction(TO, "wamid.1", "👍")).unwrap();
    assert_eq!(message["type"], "reaction");
    assert_eq!(message["reaction"], json!({ "message_id": "wamid.1", "emoji": "👍" }));
}

#[test]
fn a_contact_with_everything_and_one_with_a_name_only() {
    let some = |text: &str| Some(text.to_owned());
    let full = Contact {
        name: ContactName {
            formatted_name: "Dr John D. Smith Jr".to_owned(),
            first_name: some("John"),
            last_name: some("Smith"),
            middle_name: some("D."),
            suffix: some("Jr"),
            prefix: some("Dr"),
        },
        phones: vec![ContactPhone { phone: "+1 650".to_owned(), kind: some("WORK"), wa_id: some("1650") }],
        emails: vec![ContactEmail { email: "a@example.com".to_owned(), kind: some("WORK") }],
        addresses: vec![ContactAddress {
            street: some("1 Hacker Way"),
            city: some("Menlo Park"),
            state: some("CA"),
            zip: some("94025"),
            country: some("United States"),
            country_code: some("us"),
            kind: some("WORK"),
        }],
        urls: vec![ContactUrl { url: "https://example.com".to_owned(), kind: None }],
        org: Some(ContactOrg { company: some("W"), department: some("D"), title: some("M") }),
        birthday: some("2012-08-18"),
    };
    let bare = Contact {
        name: ContactName { formatted_name: "Ann".to_owned(), ..ContactName::default() },
        ..Contact::default()
    };
    assert_eq!(
        content(vec![full, bare]),
        json!([
            {
                "name": { "formatted_name": "Dr John D. Smith Jr", "first_name": "John", "last_name": "Smith",
                    "middle_name": "D.", "suffix": "Jr", "prefix": "Dr" },
                "phones": [{ "phone": "+1 650", "type": "WORK", "wa_id": "1650" }],
                "emails": [{ "email": "a@example.com", "type": "WORK" }],
                "addresses": [{ "street": "1 Hacker Way", "city": "Menlo Park", "state": "CA", "zip": "94025",
                    "country": "United States", "country_code": "us", "type": "WORK" }],
                "urls": [{ "url": "https://example.com" }],
                "org": { "company": "W", "department": "D", "title": "M" },
                "birthday": "2012-08-18",
            },
            { "name": { "formatted_name": "Ann" } },
        ])
    );
}

#[test]
fn a_reply_and_callback_data_are_there_only_when_set() {
    let message = Message::text(TO, "Hello!").reply_to("wamid.1").callback_data("01890a5d");
    let expected = text(&Message::text(TO, "Hello!"));
    let expected = expected.strip_suffix('}').unwrap();
    let added = r#","context":{"message_id":"wamid.1"},"biz_opaque_callback_data":"01890a5d"}"#;
    assert_eq!(text(&message), format!("{expected}{added}"));
}
