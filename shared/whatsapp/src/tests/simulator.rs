//! Against `meta-simulator`, which checks requests by its own reading of Meta's documentation.

use std::time::Duration;

use meta_simulator::{ACCESS_TOKEN, PHONE_NUMBER_ID, Simulator, WABA_ID};
use serde_json::json;

use crate::{
    Contact, ContactName, Content, Error, Flow, Interactive, ListRow, ListSection, Location, Media, MediaSource,
    MediaUpload, Message, NewTemplate, Number, ProductSection, SecretString, Template, WhatsApp,
};

const TO: &str = "919876543210";

async fn number() -> (Simulator, Number) {
    let meta = Simulator::start().await.unwrap();
    let whatsapp = WhatsApp::new(&meta.graph_api_url()).unwrap();
    let number = whatsapp.number(PHONE_NUMBER_ID, &SecretString::from(ACCESS_TOKEN));
    (meta, number)
}

#[tokio::test]
async fn every_kind_of_message_is_taken() {
    let (_meta, number) = number().await;
    let file = MediaUpload::new(&b"%PDF-1.7"[..], "application/pdf", "a.pdf");
    let media_id = number.upload_media(file).await.unwrap();
    let link = |name: &str| MediaSource::Link(format!("https://example.com/{name}"));
    let rows = vec![ListRow { id: "r".to_owned(), title: "Row".to_owned(), description: Some("D".to_owned()) }];
    let sections = [ListSection { title: Some("S".to_owned()), rows }];
    let products = [ProductSection { title: "S".to_owned(), products: vec!["p".to_owned()] }];
    let screen = Some(("START".to_owned(), Some(json!({ "a": 1 }))));
    let flow = Flow { id: "1".to_owned(), cta: "Go".to_owned(), token: "t".to_owned(), screen, draft: false };
    let first_name = Some("Ann".to_owned());
    let name = ContactName { formatted_name: "Ann".to_owned(), first_name, ..ContactName::default() };
    let place = Location { latitude: 28.6, longitude: 77.2, name: "N".to_owned(), address: "A".to_owned() };
    let contents: Vec<Content> = vec![
        place.into(),
        Media::image(link("a.jpg")).caption("C").into(),
        Media::video(link("a.mp4")).into(),
        Media::audio(link("a.mp3")).into(),
        Media::voice(link("a.ogg")).into(),
        Media::document(MediaSource::Id(media_id)).filename("a.pdf").into(),
        Media::sticker(link("a.webp")).into(),
        Interactive::buttons("B", [("y", "Yes"), ("n", "No")]).header_text("H").footer("F").into(),
        Interactive::list("B", "Open", &sections).into(),
        Interactive::cta_url("B", "See", "https://example.com").header_media(Media::image(link("a.jpg"))).into(),
        Interactive::location_request("B").into(),
        Interactive::product("1", "p").body("B").into(),
        Interactive::product_list("H", "B", "1", &products).into(),
        Interactive::catalog("B", "p").into(),
        Interactive::flow("B", flow).into(),
        vec![Contact { name, ..Contact::default() }].into(),
        Template::new("order_update", "en").header_text("Ann").body(["#123", "Monday"]).into(),
        Template::new("appointment", "en").body_named([("first_name", "Ann"), ("date", "Monday")]).into(),
        Template::new("ticket", "en").header_image(link("a.jpg")).body(["Ann"]).into(),
    ];
    let wamid = number.send(&Message::text(TO, "Hello!"), Duration::from_secs(10)).await.unwrap().wamid;
    let reaction = Message::reaction(TO, &wamid, "👍");
    let reply = Message::text_with_preview(TO, "https://example.com").reply_to(&wamid).callback_data("01890a5d");
    let messages = contents.into_iter().map(|content| Message::new(TO, content)).chain([reaction, reply]);
    for message in messages {
        let sent = number.send(&message, Duration::from_secs(10)).await;
        let sent = sent.unwrap_or_else(|error| panic!("{message:?}: {:?}", error.graph().map(|graph| &graph.raw)));
        assert!(sent.wamid.starts_with("wamid."));
        assert_eq!(sent.wa_id.as_deref(), Some(TO));
    }
}

#[tokio::test]
async fn a_template_with_missing_values_is_refused_in_metas_words() {
    let (_meta, number) = number().await;
    let template = Template::new("order_update", "en").body(["#123"]);
    let error = number.send(&Message::new(TO, template), Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(graph) if graph.code == 132_000), "{error:?}");
    assert!(!error.graph().unwrap().words().is_empty());
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized() {
    let (meta, _) = number().await;
    let whatsapp = WhatsApp::new(&meta.graph_api_url()).unwrap();
    let number = whatsapp.number(PHONE_NUMBER_ID, &SecretString::from("wrong"));
    let error = number.send(&Message::text(TO, "Hello!"), Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(&error, Error::Unauthorized(_)), "{error:?}");
}

#[tokio::test]
async fn templates_are_created_listed_and_deleted() {
    let (meta, _) = number().await;
    let whatsapp = WhatsApp::new(&meta.graph_api_url()).unwrap();
    let business = whatsapp.business(WABA_ID, &SecretString::from(ACCESS_TOKEN));
    let before = business.list_templates().await.unwrap().len();
    let mut ids = Vec::new();
    // More than one page.
    for index in 0..60 {
        let body = json!({ "type": "BODY", "text": "Hello" });
        let template = NewTemplate::new(format!("new_{index}"), "en", "UTILITY", vec![body]);
        ids.push(business.create_template(&template).await.unwrap().id);
    }
    let listed = business.list_templates().await.unwrap();
    assert_eq!(listed.len(), before + 60);
    assert!(ids.iter().all(|id| listed.iter().filter(|template| template.id == *id).count() == 1));
    business.delete_template("new_0").await.unwrap();
    business.delete_template_by_id(&ids[1], "new_1").await.unwrap();
    assert_eq!(business.list_templates().await.unwrap().len(), before + 58);
}
