//! The guarantees of this endpoint.

use serde_json::{Value, json};
use testbed::{Sender, not_texts};

use super::*;

async fn sender() -> Sender<SendLocation> {
    let body = json!({"phone": "+919876543210", "latitude": 28.6, "longitude": 77.2});
    Sender::start(|bed| SendLocation { keys: bed.keys.clone(), outbox: bed.outbox.clone() }, body).await
}

testbed::every_send!(sender());

#[tokio::test]
async fn a_location_goes_to_meta_exactly_as_the_reference_sends_it() {
    let sender = sender().await;
    let mut expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "919876543210", "type": "location",
        "location": {"latitude": 28.6, "longitude": 77.2, "name": "", "address": ""},
    });
    for nothing_more in [
        json!({}),
        json!({"name": "", "address": ""}),
        json!({"name": null, "address": null, "account_id": null, "reply_to": null}),
        json!({"latitude": "28.6", "longitude": " 77.2 "}),
    ] {
        assert_eq!(sender.sends(&sender.with(nothing_more)).await, expected);
    }
    let place = json!({"name": "India Gate", "address": "Kartavya Path, New Delhi"});
    expected["location"]["name"] = json!("India Gate");
    expected["location"]["address"] = json!("Kartavya Path, New Delhi");
    assert_eq!(sender.sends(&sender.with(place)).await, expected);
}

#[tokio::test]
async fn every_point_on_earth_is_taken_as_a_number_or_as_a_text() {
    let sender = sender().await;
    for (field, numbers) in [("latitude", [-90.0, -1e-6, 0.0, 90.0]), ("longitude", [-180.0, -90.1, 90.1, 180.0])] {
        for number in numbers {
            for written in [json!(number), json!(number.to_string())] {
                assert_eq!(sender.sends(&sender.with(json!({field: written}))).await["location"][field], number);
            }
        }
    }
    let whole = sender.sends(&sender.with(json!({"latitude": 28, "longitude": "-77"}))).await;
    assert_eq!((&whole["location"]["latitude"], &whole["location"]["longitude"]), (&json!(28.0), &json!(-77.0)));
}

#[tokio::test]
async fn a_degree_that_is_missing_mistyped_or_off_the_earth_is_a_400() {
    let sender = sender().await;
    for (field, off) in [("latitude", 90.000_001), ("longitude", 180.000_001)] {
        sender.requires(field).await;
        let mistyped = [json!(true), json!([28.6]), json!({"degrees": 28.6})];
        let no_numbers = ["", " ", "north", "28,6", "28.6°", "0x10", "28.6 77.2"].map(Value::from);
        let off_the_earth = [json!(off), json!(-off), json!(off.to_string()), json!(1e300), json!(u64::MAX)];
        let infinite = ["NaN", "inf", "-Infinity", "1e999"].map(Value::from);
        let odd = mistyped.into_iter().chain(no_numbers).chain(off_the_earth).chain(infinite);
        sender.refuses_each(field, odd).await;
    }
}

#[tokio::test]
async fn a_name_and_an_address_have_at_most_1000_characters() {
    let sender = sender().await;
    for field in ["name", "address"] {
        sender.refuses_each(field, not_texts()).await;
        sender.refuses_each(field, [json!("x".repeat(1001)), json!("é".repeat(1001))]).await;
    }
    for field in ["name", "address"] {
        for text in ["x".to_owned(), "é".repeat(1000)] {
            assert_eq!(sender.sends(&sender.with(json!({field: text}))).await["location"][field], text);
        }
    }
}
