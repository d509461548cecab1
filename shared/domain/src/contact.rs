//! By what a person is known, however their number is written.

use std::fmt;

/// A person whom the business talks with: known by their number in one canonical form, or, where WhatsApp hides the number,
/// by their business-scoped user id.
///
/// In three countries one phone has several numbers: with and without a digit that marks mobiles, and Meta may answer with
/// the form that was not asked for (Meta says so of Brazil and Mexico, its users of Argentina). All of them are one contact.
/// The number that a message is sent to is never altered by this.
///
/// `Debug` shows a shortened form, fit for logs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contact(String);

/// Meta's ids are shorter; a table's key has a limit.
const LONGEST: usize = 150;

/// A country where mobiles have a digit that may be left out.
struct MobileDigit {
    country: &'static str,
    digit: char,
    /// Where it stands, counted from the number's begin.
    at: usize,
    /// What must follow it: in Brazil landlines would otherwise be taken for mobiles.
    before: &'static [char],
    /// The number's length without it.
    length: usize,
}

const MOBILE_DIGITS: [MobileDigit; 3] = [
    MobileDigit { country: "55", digit: '9', at: 4, before: &['6', '7', '8', '9'], length: 12 },
    MobileDigit { country: "52", digit: '1', at: 2, before: &['2', '3', '4', '5', '6', '7', '8', '9'], length: 12 },
    MobileDigit { country: "54", digit: '9', at: 2, before: &['1', '2', '3'], length: 12 },
];

impl Contact {
    /// Whoever has this number: digits with the country code, whatever stands between them. `None`: there are none, or more
    /// than any id has.
    pub fn of_number(number: &str) -> Option<Self> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let dialled = without_dialling_prefix(&digits).unwrap_or(digits);
        let canonical = MOBILE_DIGITS.iter().find_map(|country| country.removed_from(&dialled)).unwrap_or(dialled);
        (1..=LONGEST).contains(&canonical.len()).then_some(Self(canonical))
    }

    /// Whoever has this business-scoped user id, such as `US.13491208655302741918`: a country, a dot and letters or digits.
    /// `None`: it is none.
    pub fn of_user_id(user_id: &str) -> Option<Self> {
        let (country, id) = user_id.split_once('.')?;
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        (is_country && is_plain && user_id.len() <= LONGEST).then(|| Self(user_id.to_owned()))
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every form in which Meta may name the contact, the canonical one first.
    pub fn forms(&self) -> Vec<String> {
        let others = MOBILE_DIGITS.iter().filter_map(|country| country.added_to(&self.0));
        std::iter::once(self.0.clone()).chain(others).collect()
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.get(self.0.len().saturating_sub(3)..).unwrap_or_default();
        write!(f, "…{tail}")
    }
}

impl MobileDigit {
    fn removed_from(&self, digits: &str) -> Option<String> {
        let (head, tail) = digits.split_at_checked(self.at)?;
        let tail = tail.strip_prefix(self.digit)?;
        let is_mobile = digits.len() == self.length + 1 && digits.starts_with(self.country);
        (is_mobile && tail.starts_with(self.before)).then(|| format!("{head}{tail}"))
    }

    fn added_to(&self, digits: &str) -> Option<String> {
        let (head, tail) = digits.split_at_checked(self.at)?;
        let could_be_mobile = digits.len() == self.length && digits.starts_with(self.country);
        (could_be_mobile && tail.starts_with(self.before)).then(|| format!("{head}{}{tail}", self.digit))
    }
}

/// Within Argentina mobiles are dialled with 15 between the area code and the number: 54 11 15 2345 6789. Buenos Aires has the
/// only area code of two digits.
fn without_dialling_prefix(digits: &str) -> Option<String> {
    if digits.len() != 14 || !digits.starts_with("54") {
        return None;
    }
    [4, 5, 6].into_iter().filter(|at| (*at == 4) == digits.starts_with("5411")).find_map(|at| {
        let (head, tail) = digits.split_at_checked(at)?;
        tail.strip_prefix("15").map(|number| format!("{head}{number}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: &str) -> String {
        Contact::of_number(number).unwrap().0
    }

    #[test]
    fn every_form_of_a_number_is_one_contact() {
        for (forms, contact) in [
            (&["+55 11 98888-7777", "5511988887777", "551188887777"][..], "551188887777"),
            (&["+52 1 55 1234 5678", "5215512345678", "525512345678"], "525512345678"),
            (&["+54 9 11 2345-6789", "5491123456789", "541123456789", "54 11 15 2345 6789"], "541123456789"),
            (&["5493514567890", "543514567890", "54 351 15 4567890"], "543514567890"),
            (&["+1 (650) 555-1234", "16505551234"], "16505551234"),
            (&["919876543210"], "919876543210"),
        ] {
            for form in forms {
                assert_eq!(of(form), contact, "{form}");
            }
            let digits = |form: &&str| form.chars().filter(char::is_ascii_digit).collect::<String>();
            let all = Contact::of_number(contact).unwrap().forms();
            assert!(forms.iter().map(digits).filter(|form| form.len() < 14).all(|form| all.contains(&form)), "{all:?}");
            assert!(all.iter().all(|form| of(form) == contact), "{all:?}");
        }
    }

    #[test]
    fn a_landline_and_a_mobile_of_brazil_are_two_contacts() {
        assert_ne!(of("551133334444"), of("5511933334444"));
        assert_eq!(Contact::of_number("551133334444").unwrap().forms().len(), 1);
    }

    #[test]
    fn a_user_id_is_a_contact_that_no_number_is() {
        assert_eq!(Contact::of_user_id("US.13491208655302741918").unwrap().as_str(), "US.13491208655302741918");
        for odd in [
            "",
            "nobody",
            "us.1",
            "USA.1",
            "US.",
            "1.2",
            "919876543210",
            "US.1 2",
            "US.1#2",
            "ÜS.1",
            &format!("US.{}", "1".repeat(200)),
        ] {
            assert_eq!(Contact::of_user_id(odd), None, "{odd}");
        }
        for odd in ["", "nobody", &"9".repeat(151)] {
            assert_eq!(Contact::of_number(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_debug_form_is_shortened() {
        assert_eq!(format!("{:?}", Contact::of_number("919876543210")), "Some(…210)");
    }
}
