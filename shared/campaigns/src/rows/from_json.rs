//! Recipients in a JSON list: objects with a `phone`, or just the phone.

use domain::{Error, Result};
use serde_json::Value;

use super::{MOST_ROWS, Problem, RawRow, too_many};

pub(super) fn rows(list: &Value) -> Result<Vec<RawRow>> {
    let list = list
        .as_array()
        .ok_or_else(|| Error::invalid_field("recipients", "recipients must be a list of objects, each with a phone"))?;
    if list.len() > MOST_ROWS {
        return Err(too_many(list.len()));
    }
    Ok((1..).zip(list).map(|(number, item)| row(number, item)).collect())
}

fn row(number: u32, item: &Value) -> RawRow {
    let row = RawRow { row: number, ..RawRow::default() };
    match item {
        Value::String(_) => RawRow { phone: Some(item.clone()), ..row },
        Value::Object(members) => {
            let mut row = RawRow { phone: members.get("phone").cloned(), ..row };
            row.fields.extend(
                members.iter().filter(|(name, _)| *name != "params").map(|(name, value)| (name.clone(), value.clone())),
            );
            match members.get("params") {
                None | Some(Value::Null) => {}
                Some(Value::Array(values)) => {
                    let numbered = (1..).zip(values).map(|(position, value): (u32, _)| (position.to_string(), value));
                    numbered.for_each(|(name, value)| give(&mut row, &name, value));
                }
                Some(Value::Object(values)) => values.iter().for_each(|(name, value)| give(&mut row, name, value)),
                Some(_) => {
                    let words = "has params that must be a list of values, or an object of values by their names";
                    row.problem = Some(Problem::new("params", words));
                }
            }
            row
        }
        _ => RawRow { problem: Some(Problem::new("recipient", "must be an object with a phone, or a phone")), ..row },
    }
}

fn give(row: &mut RawRow, name: &str, value: &Value) {
    row.fields.insert(name.to_owned(), value.clone());
    row.given.push(name.to_owned());
}
