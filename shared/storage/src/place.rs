//! A place in a list that is sorted by time.

use domain::{Error, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where something stands in a list: time and id, so that no two places are the same. As a text it sorts by time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(String);

impl Place {
    /// Longer than any: a table's key has a limit.
    const LONGEST: usize = 600;

    pub(crate) fn new(at: Timestamp, id: &str) -> Self {
        Self(format!("{}#{id}", sortable(at)))
    }

    /// Reads what [`as_str`](Self::as_str) gave. `None`: it is no place.
    pub fn parse(text: &str) -> Option<Self> {
        let (time, id) = text.split_once('#')?;
        let is_time = time.len() == 13 && time.bytes().all(|byte| byte.is_ascii_digit());
        let is_id = !id.is_empty() && text.len() <= Self::LONGEST && id.bytes().all(|byte| byte.is_ascii_graphic());
        (is_time && is_id).then(|| Self(text.to_owned()))
    }

    /// The place as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn id(&self) -> &str {
        self.0.split_once('#').map_or("", |(_, id)| id)
    }

    pub(crate) fn at(&self) -> Result<Timestamp> {
        let millis = self.0.split_once('#').map_or("", |(time, _)| time).parse().map_err(Error::internal)?;
        Timestamp::from_millisecond(millis).map_err(Error::internal)
    }
}

/// A moment as a text that sorts as the moments do: as many digits as until the year 2286.
pub(crate) fn sortable(at: Timestamp) -> String {
    format!("{:013}", at.as_millisecond().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_place_in_a_list_is_none() {
        let long = format!("1767323045678#{}", "9".repeat(600));
        for odd in
            ["", "#", "1767323045678#", "1767323045678", "176732304567#9", "17673230456789#9", "176732304567x#9", &long]
        {
            assert_eq!(Place::parse(odd), None, "{odd}");
        }
        for odd in ["1767323045678#9 9", "1767323045678#\u{e9}", "+767323045678#9", "1.67323045678#9"] {
            assert_eq!(Place::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_longest_place_is_read_back_as_it_was_given() {
        let at = Timestamp::from_millisecond(1_767_323_045_678).unwrap();
        // The id of the longest message that a webhook can bring.
        let id = format!("in#{}#{}#{}#{}", "w".repeat(255), "k".repeat(64), i64::MIN, "c".repeat(150));
        let place = Place::parse(Place::new(at, &id).as_str()).unwrap();
        assert_eq!((place.id(), place.at().unwrap()), (id.as_str(), at));
    }
}
