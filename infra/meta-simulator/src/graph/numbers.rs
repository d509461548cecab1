//! How Meta reads the phone number that a caller writes.

/// The digits of a number; `None` when it is none. `+`, spaces, `-`, `(`, `)` and `.` are tolerated.
pub(crate) fn digits(written: &str) -> Option<String> {
    let digits: String = written.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')' | '.')).collect();
    let fits = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
    (fits && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// The canonical user id of a number. Two countries have numbers whose id is not the number itself:
///
/// | country | written            | id                | which                    |
/// |---------|--------------------|-------------------|--------------------------|
/// | Brazil  | 55 DD 9 XXXX XXXX  | 55 DD XXXX XXXX   | area codes from 29 on    |
/// | Mexico  | 52 + 10 digits     | 52 1 + 10 digits  | all                      |
pub(crate) fn wa_id(digits: &str) -> String {
    match (digits.len(), digits.get(..2), digits.get(2..)) {
        (13, Some("55"), Some(national)) => match (national.get(..2), national.get(2..3), national.get(3..)) {
            (Some(area), Some("9"), Some(subscriber)) if area > "28" => format!("55{area}{subscriber}"),
            _ => digits.to_owned(),
        },
        (12, Some("52"), Some(national)) => format!("521{national}"),
        _ => digits.to_owned(),
    }
}

/// The phone that a number belongs to, however it is written.
pub(crate) fn phone(written: &str) -> String {
    digits(written).map_or_else(|| written.to_owned(), |digits| wa_id(&digits))
}

#[cfg(test)]
mod tests {
    use super::{digits, phone, wa_id};

    #[test]
    fn punctuation_is_tolerated_and_anything_else_is_not() {
        assert_eq!(digits("+1 (650) 555-12.34").as_deref(), Some("16505551234"));
        for wrong in ["", "+", "123456", "1234567890123456", "0123456789", "12345abcde", "१२३४५६७८९"]
        {
            assert_eq!(digits(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn brazilian_and_mexican_ids_differ_from_the_number_and_stay_when_already_canonical() {
        assert_eq!(wa_id("5531987654321"), "553187654321");
        assert_eq!(wa_id("553187654321"), "553187654321");
        assert_eq!(wa_id("5511987654321"), "5511987654321");
        assert_eq!(wa_id("525512345678"), "5215512345678");
        assert_eq!(wa_id("5215512345678"), "5215512345678");
        assert_eq!(phone("+91 98765 43210"), "919876543210");
    }
}
