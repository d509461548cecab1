//! The guarantees of reading uploads.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn csv(text: &str) -> Result<Vec<RawRow>> {
    Uploaded::Csv(text.as_bytes()).rows()
}

/// The phone and the name in each row, behind its number.
fn people(rows: Result<Vec<RawRow>>) -> Vec<(u32, String, String)> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = rows.unwrap();
    assert!(rows.iter().all(|row| row.problem.is_none()), "{rows:?}");
    rows.iter().map(|row| (row.row, text(row.phone.as_ref()), text(row.field("name")))).collect()
}

fn told(error: &Error) -> (Option<&str>, &str) {
    (error.public().code.as_deref(), &error.public().message)
}

fn sorted(rows: &[RawRow]) -> Sorted {
    sort(rows, 1, &Form::default(), &CountryCode::default())
}

#[test]
fn a_file_is_read_alike_however_a_spreadsheet_wrote_it() {
    let expected =
        [(2, "+919876543210".to_owned(), "Ann Müller".to_owned()), (3, "9876543211".to_owned(), "Bob, Jr.".to_owned())];
    let plain = "phone,name\n+919876543210,Ann Müller\n9876543211,\"Bob, Jr.\"\n";
    let semicolons = "phone;name\n+919876543210;Ann Müller\n9876543211;Bob, Jr.\n";
    let utf_16 = |text: &str, mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect()
    };
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("plain", plain.into()),
        ("no line end at the end", plain.trim_end().into()),
        ("Windows", plain.replace('\n', "\r\n").into()),
        ("an old Mac", plain.replace('\n', "\r").into()),
        ("mark", format!("\u{feff}{plain}").into()),
        ("semicolons", semicolons.into()),
        ("tabs", semicolons.replace(';', "\t").into()),
        ("bars", semicolons.replace(';', "|").into()),
        ("quoted", "\"phone\",\"name\"\n\"+919876543210\",\"Ann Müller\"\n\"9876543211\",\"Bob, Jr.\"\n".into()),
        ("spaces", "phone , name\n +919876543210 ,  Ann Müller\n9876543211,\"Bob, Jr.\"  \n".into()),
        ("another case", plain.replace("phone,name", "Phone,NAME").into()),
        (
            "more columns",
            "id,phone,Name,,city\n1,+919876543210,Ann Müller,x,Pune\n2,9876543211,\"Bob, Jr.\",,\n".into(),
        ),
        ("UTF-16", utf_16(plain, [0xff, 0xfe], u16::to_le_bytes)),
        ("UTF-16, the other way", utf_16(&plain.replace('\n', "\r\n"), [0xfe, 0xff], u16::to_be_bytes)),
        (
            "mark and quotes",
            format!(
                "\u{feff}\"phone\";\"name\"\r\n{}",
                "\"+919876543210\";\"Ann Müller\"\r\n\"9876543211\";\"Bob, Jr.\"\r\n"
            )
            .into(),
        ),
    ];
    for (what, bytes) in files {
        assert_eq!(people(Uploaded::Csv(&bytes).rows()), expected, "{what}");
    }
    let with_hint = format!("sep=;\r\n{}", semicolons.replace('\n', "\r\n"));
    let one_later: Vec<_> = expected.iter().map(|(row, phone, name)| (row + 1, phone.clone(), name.clone())).collect();
    assert_eq!(people(csv(&with_hint)), one_later);
}

#[test]
fn a_row_has_the_number_of_its_line_also_behind_empty_lines_and_texts_of_several_lines() {
    let text = "phone,name\n\n1234567,\"Ann\nof Pune\"\n,\n \n2345678,Bob\n\n";
    assert_eq!(
        people(csv(text)),
        [(3, "1234567".to_owned(), "Ann\nof Pune".to_owned()), (7, "2345678".to_owned(), "Bob".to_owned())]
    );
    assert_eq!(people(csv("phone\r\n\r\n1234567\r\n")), [(3, "1234567".to_owned(), String::new())]);
}

#[test]
fn the_column_of_the_phone_has_one_of_its_usual_names() {
    for name in ["phone", "Phone", "mobile", "Phone Number", "MSISDN", "whatsapp"] {
        assert_eq!(
            people(csv(&format!("name;{name}\nAnn;1234567"))),
            [(2, "1234567".to_owned(), "Ann".to_owned())],
            "{name}"
        );
    }
    // Of two the one that the reference takes first.
    assert_eq!(people(csv("mobile,phone\n1,2"))[0].1, "2");
}

#[test]
fn a_file_that_is_no_list_of_people_is_told_as_a_whole() {
    let latin_1 = b"phone,name\n1234567,Ann\n2345678,M\xfcller\n".as_slice();
    for (bytes, words) in [
        (b"".as_slice(), "The CSV file is empty"),
        (b"\n \n;;\n", "The CSV file is empty"),
        (b"+919876543210\n+919876543211\n", "The CSV file must name the columns in its first line"),
        (b"name,city\nAnn,Pune\n", "The CSV file must name the columns in its first line"),
        (b"phone,name,Name\n", "The CSV file has two columns with the name \"Name\""),
        (
            latin_1,
            "The CSV file must be UTF-8 (in a spreadsheet, save it as \"CSV UTF-8\"): it stops being so in line 3",
        ),
        (
            "phone\n1\n\u{fffd}".as_bytes(),
            "The CSV file must be UTF-8 (in a spreadsheet, save it as \"CSV UTF-8\"): it stops being so in line 3",
        ),
        (b"\xff\xfe\x00\xd8", "The CSV file must be UTF-8"),
        (
            b"phone,name\n1,Ann\n2,\"Bob\n3,Cid\n4,Dan\n",
            "The CSV file has a quotation mark that is not closed, from line 3 on",
        ),
        (",".repeat(200).as_bytes(), "The CSV file is empty"),
        (format!("phone{}", ",x".repeat(200)).as_bytes(), "The CSV file has 201 columns"),
    ] {
        let error = Uploaded::Csv(bytes).rows().unwrap_err();
        let (code, message) = told(&error);
        assert!(code == Some("invalid_csv") && message.starts_with(words), "{message} instead of {words}");
    }
}

#[test]
fn quotation_marks_within_a_text_are_texts() {
    let rows = csv("phone,name\n1234567,\"Ann \"\"the boss\"\" Smith\"\n2345678,5\" pipe\n3456789,O'Neil\n").unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.field("name").unwrap().as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["Ann \"the boss\" Smith", "5\" pipe", "O'Neil"]);
}

#[test]
fn a_row_with_more_cells_than_columns_is_wrong_and_one_with_fewer_is_not() {
    let rows = csv("phone,name,city\n1234567,Ann,Pune,more\n2345678,Bob\n3456789,Cid,Pune,\n").unwrap();
    assert_eq!(rows[0].problem.as_ref().map(|problem| problem.code), Some("columns"));
    assert!(rows[1].problem.is_none() && rows[2].problem.is_none());
}

#[test]
fn ten_thousand_rows_are_read_and_one_more_is_told_with_the_number_of_them() {
    let file = |count: u32| {
        let rows = (0..count).map(|number| format!("9198765{number:05}\n"));
        format!("phone\n{}", rows.collect::<String>())
    };
    assert_eq!(csv(&file(10_000)).unwrap().len(), 10_000);
    for count in [10_001, 100_000] {
        let error = csv(&file(count)).unwrap_err();
        assert_eq!(
            (error.public().code.as_deref(), error.public().field.as_deref()),
            (Some("too_many_recipients"), Some("recipients"))
        );
        assert!(error.public().message.contains(&format!("there are {count}")), "{}", error.public().message);
    }
    let list = json!(vec!["+919876543210"; 10_001]);
    assert_eq!(told(&Uploaded::Json(Some(&list)).rows().unwrap_err()).0, Some("too_many_recipients"));
}

#[test]
fn columns_named_like_places_of_a_template_are_its_values() {
    let rows = csv("phone,1,2,header.image,name\n1234567,Ann,,https://example.com,Bob\n").unwrap();
    assert_eq!(rows[0].parameters().collect::<Vec<_>>(), ["1", "header.image"]);
}

#[test]
fn json_recipients_are_objects_or_just_phones() {
    let list = json!(["+919876543210", {"phone": "9876543211", "name": " Bob ", "params": ["x", 2]}, {"phone": "1234567", "params": {"a": 1}}]);
    let rows = Uploaded::Json(Some(&list)).rows().unwrap();
    let sorted = sorted(&rows[..1]);
    assert_eq!(
        sorted.recipients[0].recipient,
        Recipient { phone: "919876543210".to_owned(), name: None, values: vec![], upload: 1, row: 1 }
    );
    assert_eq!((rows[1].field("1"), rows[1].field("2")), (Some(&json!("x")), Some(&json!(2))));
    assert_eq!(rows[2].parameters().collect::<Vec<_>>(), ["a"]);
    for odd in [json!("text"), json!({}), json!(1), json!(true)] {
        assert_eq!(
            Uploaded::Json(Some(&odd)).rows().unwrap_err().public().field.as_deref(),
            Some("recipients"),
            "{odd}"
        );
    }
    assert!(Uploaded::Json(None).rows().unwrap().is_empty());
}

#[test]
fn one_person_counts_once_however_their_number_is_written() {
    let list = json!(["+55 11 98888-7777", "9876543210", "+91 98765 43210", "551188887777", {"phone": 919_876_543_210_i64}, "+1 650 555 1234"]);
    let sorted = sorted(&Uploaded::Json(Some(&list)).rows().unwrap());
    let phones: Vec<_> = sorted.recipients.iter().map(|new| new.recipient.phone.as_str()).collect();
    // The number that is sent to is the one that was given.
    assert_eq!(phones, ["5511988887777", "919876543210", "16505551234"]);
    let doubles: Vec<_> = sorted.doubles.iter().map(|double| (double.row, double.error.as_str())).collect();
    let expected = [
        (3, "Row 3 has the same person as row 2"),
        (4, "Row 4 has the same person as row 1"),
        (5, "Row 5 has the same person as row 2"),
    ];
    assert_eq!(doubles, expected);
}

#[test]
fn wrong_rows_are_told_by_number_and_reason_and_stop_no_others() {
    let list = json!([
        {"phone": "+919876543210"}, {"name": "Ann"}, {"phone": ""}, {"phone": "abc"}, {"phone": "9.19877E+11"},
        {"phone": "9,19877E+11"}, {"phone": [1]}, 7, null, {"phone": "123"}, {"phone": "+1234567", "name": 7},
        {"phone": "+1234567", "name": "x".repeat(256)}, {"phone": "+1234567", "params": 7}, {"phone": "1".repeat(61)},
        {"phone": 1.5}, {"phone": "+9198765432112"},
    ]);
    let sorted = sorted(&Uploaded::Json(Some(&list)).rows().unwrap());
    assert_eq!(sorted.recipients.iter().map(|new| new.recipient.row).collect::<Vec<_>>(), [1, 16]);
    let wrong: Vec<_> = sorted.wrong.iter().map(|wrong| (wrong.row, wrong.code.as_str())).collect();
    let expected: Vec<_> = (2..=15)
        .map(|row| match row {
            8 | 9 => (row, "recipient"),
            11 | 12 => (row, "name"),
            13 => (row, "params"),
            _ => (row, "phone"),
        })
        .collect();
    assert_eq!(wrong, expected);
    for wrong in &sorted.wrong {
        assert!(wrong.error.starts_with(&format!("Row {} ", wrong.row)), "{}", wrong.error);
    }
    assert!(sorted.wrong[3].error.contains("a spreadsheet has rounded") && sorted.wrong[4].error.contains("rounded"));
}

proptest! {
    #[test]
    fn no_file_whatsoever_is_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(rows) = Uploaded::Csv(&bytes).rows() {
            sorted(&rows);
        }
    }

    #[test]
    fn no_text_whatsoever_is_a_panic(head in "phone[;,\t|]{0,2}\"?[a-z1-3.]{0,9}\n", text in "[ -~\n\r\"';,\tä€😀]{0,300}") {
        if let Ok(rows) = csv(&format!("{head}{text}")) {
            sorted(&rows);
        }
    }

    #[test]
    fn whatever_is_written_as_csv_is_read_back(
        names in proptest::collection::vec("[ -~äöü€😀]{0,20}", 1..20), separator in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        always in any::<bool>(), windows in any::<bool>(),
    ) {
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let end = if windows { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(separator).quote_style(style).terminator(end).from_writer(Vec::new());
        writer.write_record(["phone", "name"]).unwrap();
        for (number, name) in names.iter().enumerate() {
            writer.write_record([format!("9198765{number:05}"), name.clone()]).unwrap();
        }
        let read = people(Uploaded::Csv(&writer.into_inner().unwrap()).rows());
        let expected: Vec<_> = (2..).zip(&names).enumerate()
            .map(|(number, (row, name))| (row, format!("9198765{number:05}"), name.trim().to_owned())).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn no_json_whatsoever_is_a_panic(texts in proptest::collection::vec("\\PC{0,20}", 0..9), number in any::<f64>()) {
        let list = json!([texts, number, {"phone": texts, "params": texts}, {"phone": number, "params": {"1": number}}, null]);
        sorted(&Uploaded::Json(Some(&list)).rows().unwrap());
    }
}
