//! The guarantees of how a template is filled in.

use serde_json::json;
use whatsapp::ListedTemplate;

use super::*;

fn shape(components: &Value) -> Shape {
    let template = json!({"id": "1", "name": "t", "language": "en", "status": "APPROVED", "category": "UTILITY",
        "components": components});
    Shape::of(&serde_json::from_value::<ListedTemplate>(template).unwrap())
}

fn order() -> Shape {
    shape(&json!([
        {"type": "HEADER", "format": "TEXT", "text": "News for {{1}}"},
        {"type": "BODY", "text": "Your order {{1}} will arrive on {{2}}."},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "No"}]},
    ]))
}

#[expect(clippy::needless_pass_by_value, reason = "so that a test can write the value in place")]
fn form(mappings: Value, shape: Option<&Shape>) -> Result<Form> {
    Form::new(mappings.as_object(), shape)
}

fn told(form: Result<Form>) -> String {
    let error = form.unwrap_err();
    assert!(error.public().field.as_deref().unwrap().starts_with(FIELD));
    error.public().message.clone()
}

#[expect(clippy::needless_pass_by_value, reason = "so that a test can write the value in place")]
fn row(recipient: Value) -> RawRow {
    crate::rows::Uploaded::Json(Some(&json!([recipient]))).rows().unwrap().remove(0)
}

fn problem(form: &Form, recipient: Value) -> (&'static str, String) {
    let Problem { code, words } = form.values(&row(recipient)).unwrap_err();
    (code, words)
}

#[test]
fn values_come_from_the_fields_that_the_mappings_name_wherever_they_stand() {
    let form = form(json!({"2": "order_id", "1": " name ", "header.1": {"value": 7}}), None).unwrap();
    let expected = json!([
        {"type": "header", "parameters": [{"type": "text", "text": "7"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ann"}, {"type": "text", "text": "12"}]},
    ]);
    for recipient in [
        json!({"phone": "1", "name": "Ann", "order_id": 12}),
        json!({"phone": "1", "params": {"name": "Ann", "order_id": "12", "more": "x"}}),
        json!({"phone": "1", "NAME": "Ann", "Order_ID": "12"}),
        json!({"phone": "1", "name": "somebody", "params": {"name": "Ann", "order_id": "12"}}),
    ] {
        let values = form.values(&row(recipient.clone())).unwrap();
        assert_eq!(Value::from(form.components(&values)), expected, "{recipient}");
        let by_place =
            BTreeMap::from([("1", "Ann"), ("2", "12")].map(|(place, value)| (place.to_owned(), value.to_owned())));
        assert_eq!(form.parameters(&values), by_place);
    }
}

#[test]
fn ten_and_more_variables_stand_in_the_order_of_their_numbers() {
    let mappings: Map<String, Value> =
        (1..=12).map(|number| (number.to_string(), json!(format!("f{number}")))).collect();
    let form = Form::new(Some(&mappings), None).unwrap();
    let fields: Map<String, Value> =
        (1..=12).map(|number| (format!("f{number}"), json!(format!("v{number}")))).collect();
    let values = form.values(&row(fields.into())).unwrap();
    let texts: Vec<_> =
        form.components(&values)[0]["parameters"].as_array().unwrap().iter().map(|one| one["text"].clone()).collect();
    assert_eq!(texts, (1..=12).map(|number| json!(format!("v{number}"))).collect::<Vec<_>>());
    assert_eq!(Form::from_json(&form.to_json().unwrap()).unwrap(), form);
    assert_eq!(form.mappings(), mappings);
}

#[test]
fn without_mappings_the_template_says_where_values_go() {
    let form = Form::new(None, Some(&order())).unwrap();
    let recipient = json!({"phone": "1", "header.1": "Ann", "params": ["A-7", "Monday"]});
    let values = form.values(&row(recipient)).unwrap();
    assert_eq!(values, ["Ann", "A-7", "Monday"]);
    let named = shape(&json!([{"type": "BODY", "text": "Dear {{first_name}}, on {{date}}."}]));
    let form = Form::new(None, Some(&named)).unwrap();
    assert_eq!(form.values(&row(json!({"first_name": "Ann", "date": "Monday"}))).unwrap(), ["Monday", "Ann"]);
    let plain = Form::new(None, Some(&shape(&json!([{"type": "BODY", "text": "Hello"}])))).unwrap();
    assert!(plain.values(&row(json!({"phone": "1"}))).unwrap().is_empty());
    assert_eq!(problem(&plain, json!({"params": ["x"]})).0, "surplus_value");
}

#[test]
fn where_nobody_says_where_values_go_the_first_row_with_values_does() {
    let mut form = Form::new(None, None).unwrap();
    let rows: Vec<_> =
        [json!("+919876543210"), json!({"params": ["Ann", "7"]}), json!({"params": ["Bob"]})].map(row).into();
    form.learn(&rows);
    assert_eq!(form.values(&rows[1]).unwrap(), ["Ann", "7"]);
    assert_eq!(form.values(&rows[2]).unwrap_err().code, "missing_value");
    assert_eq!(problem(&form, json!({"params": ["Ann", "7", "8"]})).0, "surplus_value");
    let learnt = form.clone();
    form.learn(&[row(json!({"params": {"a": "b"}}))]);
    assert_eq!(form, learnt);
    let mut none = Form::new(None, None).unwrap();
    none.learn(&[row(json!("+919876543210"))]);
    assert_eq!((none.values(&row(json!("1"))).unwrap(), none), (vec![], Form::default()));
}

#[test]
fn a_missing_value_is_an_error_and_never_an_empty_text() {
    let form = form(json!({"1": "name", "2": "order_id"}), None).unwrap();
    for order_id in [json!(null), json!(""), json!("  "), json!("\u{a0}")] {
        let (code, words) = problem(&form, json!({"name": "Ann", "order_id": order_id}));
        assert_eq!(code, "missing_value", "{order_id}");
        assert_eq!(words, "lacks a value for the body's variable 2: the field \"order_id\" is missing or empty");
    }
    assert_eq!(problem(&form, json!({"name": "Ann"})).0, "missing_value");
}

#[test]
fn what_meta_would_refuse_is_refused_by_row_and_place() {
    let form =
        form(json!({"1": "a", "header.image": "b", "button.0": "c", "button.1.coupon_code": "d"}), None).unwrap();
    let good = json!({"a": "x    y", "b": "https://example.com/a.png", "c": "order/7", "d": "SAVE20"});
    assert!(form.values(&row(good.clone())).is_ok());
    for (field, value, words) in [
        ("a", json!("x\ny"), "has a value for the body's variable 1 that must have no line breaks"),
        ("a", json!("x\ty"), "has a value for the body's variable 1 that must have no line breaks"),
        ("a", json!("x     y"), "has a value for the body's variable 1 that must have no line breaks"),
        ("a", json!("x".repeat(1025)), "has a value for the body's variable 1 that must have at most 1024"),
        ("a", json!(["x"]), "has a value for the body's variable 1 that must be a text or a number"),
        ("a", json!(1e30), "has a value for the body's variable 1 that must be written as a text"),
        ("b", json!("a.png"), "has a value for the header's image that must be a link"),
        ("b", json!("https://example.com/a b.png"), "has a value for the header's image that must be a link"),
        ("c", json!("order 7"), "has a value for the address of button 0 that must have no spaces"),
        ("d", json!("x".repeat(21)), "has a value for the code of button 1 that must have at most 20"),
    ] {
        let mut recipient = good.clone();
        recipient[field] = value;
        let told = problem(&form, recipient);
        assert!(told.0 == "invalid_value" && told.1.starts_with(words), "{told:?} instead of {words}");
    }
}

#[test]
fn mappings_that_fit_no_template_or_not_this_one_are_refused_by_name() {
    let order = order();
    for (mappings, shape, words) in [
        (json!({"01": "a"}), None, "parameter_mappings.01 names no place of a template"),
        (json!({"1": 7}), None, "parameter_mappings.1 must be the name of a field"),
        (json!({"1": " "}), None, "parameter_mappings.1 must be the name of a field"),
        (json!({"1": {}}), None, "parameter_mappings.1 must have the member value"),
        (json!({"1": {"value": ""}}), None, "parameter_mappings.1 must not be empty"),
        (json!({"1": {"value": "a\nb"}}), None, "parameter_mappings.1 must have no line breaks"),
        (json!({"1": "a", "3": "b"}), None, "parameter_mappings lacks the body's variable 2"),
        (json!({"2": "a"}), None, "parameter_mappings lacks the body's variable 1"),
        (json!({"1": "a", "name": "b"}), None, "parameter_mappings has numbers and names"),
        (
            json!({"1": "a", "2": "b"}),
            Some(&order),
            "parameter_mappings lacks the header's variable 1: write it as \"header.1\"",
        ),
        (json!({"1": "a", "header.1": "b"}), Some(&order), "parameter_mappings lacks the body's variable 2"),
        (
            json!({"1": "a", "2": "b", "3": "c", "header.1": "d"}),
            Some(&order),
            "parameter_mappings has the body's variable 3, which the template has not",
        ),
        (
            json!({"1": "a", "2": "b", "header.1": "d", "button.0": "e"}),
            Some(&order),
            "parameter_mappings has the address of button 0, which the template has not",
        ),
    ] {
        let told = told(form(mappings, shape));
        assert!(told.starts_with(words), "{told} instead of {words}");
    }
    let all = json!({"1": "a", "2": "b", "header.1": "c", "button.0.payload": {"value": "NO"}});
    assert!(form(all, Some(&order)).is_ok());
}

/// A row of the tables holds 400 KB: whatever a client writes, it fits.
#[test]
fn more_places_and_longer_values_than_any_template_has_are_refused() {
    let many: Map<_, _> = (1..=101).map(|number| (number.to_string(), Value::from("name"))).collect();
    assert_eq!(told(form(many.into(), None)), "parameter_mappings must have at most 100 members");
    let long = told(form(json!({"1": "x".repeat(101)}), None));
    assert_eq!(long, "parameter_mappings.1 must have at most 100 characters");
    let nine: Map<_, _> = (1..=9).map(|number| (number.to_string(), Value::from("name"))).collect();
    let nine = form(nine.into(), None).unwrap();
    assert!(nine.values(&row(json!({"phone": "1", "name": "x".repeat(910)}))).is_ok());
    let (code, words) = problem(&nine, json!({"phone": "1", "name": "x".repeat(911)}));
    assert_eq!((code, words.as_str()), ("invalid_value", "has values that must have at most 8192 characters together"));
    let mut learnt = Form::default();
    let values: Vec<_> = (0..200).map(|_| json!("x")).collect();
    learnt.learn(&[row(json!({"phone": "1", "params": values}))]);
    assert_eq!(learnt.mappings().len(), 100);
}
