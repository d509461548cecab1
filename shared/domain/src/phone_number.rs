//! Phone numbers as clients write them and as Meta takes them.

use std::fmt;

/// A phone number of 7 to 15 digits, country code first, without `+`: the form Meta calls a WhatsApp ID.
///
/// `Debug` shows a shortened form, fit for logs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// Why a text is no phone number. Says what to write; does not repeat the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneNumberError {
    /// A character that no phone number has.
    #[error("must hold digits only, besides an optional leading + and the separators space, - ( ) and .")]
    NotDigits,
    /// Fewer or more digits than any phone number has (ITU-T E.164).
    #[error("must have {MIN_DIGITS} to {MAX_DIGITS} digits with its country code, for example +919876543210")]
    Length,
}

const MIN_DIGITS: usize = 7;
const MAX_DIGITS: usize = 15;
/// The length at which a number written without `+` is taken to lack its country code.
const BARE_DIGITS: usize = 10;

impl PhoneNumber {
    /// Reads a number as a client wrote it.
    ///
    /// Spaces, `-`, `(`, `)`, `.` and `+` are removed. A number written with `+` is complete. One of exactly 10 digits
    /// without it gets `country` put before it, as the reference does with India's 91.
    pub fn parse(text: &str, country: &CountryCode) -> Result<Self, PhoneNumberError> {
        let mut digits = String::with_capacity(MAX_DIGITS);
        let mut complete = false;
        for character in text.chars() {
            match character {
                '0'..='9' => digits.push(character),
                '+' => complete |= digits.is_empty(),
                '-' | '(' | ')' | '.' => {}
                space if space.is_whitespace() => {}
                _ => return Err(PhoneNumberError::NotDigits),
            }
        }
        if !complete && digits.len() == BARE_DIGITS {
            digits.insert_str(0, &country.0);
        }
        if (MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) { Ok(Self(digits)) } else { Err(PhoneNumberError::Length) }
    }

    /// The number's digits, country code first.
    pub fn as_digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.get(self.0.len().saturating_sub(3)..).unwrap_or_default();
        write!(f, "…{tail}")
    }
}

/// The country code put before a bare 10-digit number: 1 to 3 digits, or none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryCode(String);

/// A text that is no country code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 3 digits that don't begin with 0, or empty to put nothing before a number")]
pub struct CountryCodeError;

impl CountryCode {
    /// Nothing is put before a number.
    pub const fn none() -> Self {
        Self(String::new())
    }

    /// Reads `91`, `+91` or the empty text.
    pub fn parse(text: &str) -> Result<Self, CountryCodeError> {
        let digits = text.trim().trim_start_matches('+');
        let valid = digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        if valid { Ok(Self(digits.to_owned())) } else { Err(CountryCodeError) }
    }
}

impl Default for CountryCode {
    /// India's, as in the reference.
    fn default() -> Self {
        Self("91".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<String, PhoneNumberError> {
        PhoneNumber::parse(text, &CountryCode::default()).map(|number| number.0)
    }

    #[test]
    fn a_bare_ten_digit_number_gets_the_default_country() {
        assert_eq!(parse("9876543210").unwrap(), "919876543210");
        assert_eq!(parse(" 98765-43210 ").unwrap(), "919876543210");
        assert_eq!(parse("(987) 654.3210").unwrap(), "919876543210");
    }

    #[test]
    fn a_number_with_a_plus_is_complete() {
        assert_eq!(parse("+6581234567").unwrap(), "6581234567");
        assert_eq!(parse(" (+65) 8123-4567").unwrap(), "6581234567");
        assert_eq!(parse("+919876543210").unwrap(), "919876543210");
    }

    #[test]
    fn a_plus_behind_the_first_digit_is_only_cleaned_away() {
        assert_eq!(parse("98765+43210").unwrap(), "919876543210");
    }

    #[test]
    fn no_country_is_put_before_a_number_when_that_is_switched_off() {
        assert_eq!(PhoneNumber::parse("9876543210", &CountryCode::none()).unwrap().0, "9876543210");
    }

    #[test]
    fn words_are_refused() {
        for text in ["abc", "98765x43210", "+", "", "   ", "98765/43210", "٩٨٧٦٥٤٣٢١٠", "９８７６５４３２１０"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn too_short_and_too_long_numbers_are_refused() {
        assert_eq!(parse("123456"), Err(PhoneNumberError::Length));
        assert_eq!(parse("1234567").unwrap(), "1234567");
        assert_eq!(parse("+123456789012345").unwrap(), "123456789012345");
        assert_eq!(parse("1234567890123456"), Err(PhoneNumberError::Length));
    }

    #[test]
    fn debug_shows_only_the_end_of_a_number() {
        let number = PhoneNumber::parse("+919876543210", &CountryCode::none()).unwrap();
        assert_eq!(format!("{number:?}"), "…210");
    }

    #[test]
    fn a_country_code_is_one_to_three_digits_or_nothing() {
        assert_eq!(CountryCode::parse("+1").unwrap(), CountryCode("1".to_owned()));
        assert_eq!(CountryCode::parse("").unwrap(), CountryCode::none());
        for text in ["0", "1234", "IN", "9 1"] {
            assert!(CountryCode::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_seven_to_fifteen_digits(text in "\\PC*") {
            if let Ok(number) = parse(&text) {
                prop_assert!((7..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }

        #[test]
        fn separators_change_nothing(digits in "[1-9][0-9]{6,14}", separators in proptest::collection::vec("[ ().-]{0,2}", 16)) {
            let spaced: String = digits.chars().map(String::from).zip(separators).flat_map(|pair| [pair.0, pair.1]).collect();
            prop_assert_eq!(parse(&spaced), parse(&digits));
        }

        #[test]
        fn a_plus_keeps_every_digit_as_written(digits in "[1-9][0-9]{6,14}") {
            prop_assert_eq!(parse(&format!("+{digits}")).unwrap(), digits);
        }

        #[test]
        fn reading_an_accepted_number_again_changes_nothing(text in "\\+?[0-9 ().-]{7,20}") {
            if let Ok(number) = parse(&text) {
                prop_assert_eq!(parse(&format!("+{number}")).unwrap(), number);
            }
        }
    }
}
