//! CSV to a list of rows.

use super::TreeError;
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

/// Reads all rows. Rows may have fewer or more fields than the header: what has no name is left out.
/// An empty line is no row.
pub(super) fn parse(text: &str, header: bool, delimiter: u8) -> Result<Value, TreeError> {
    let mut reader = ReaderBuilder::new()
        .has_headers(header)
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let names = if header {
        Some(reader.headers().map_err(|e| wrong(&e))?.clone())
    } else {
        None
    };
    let rows: Result<Vec<Value>, TreeError> = reader
        .records()
        .map(|row| Ok(value(&row.map_err(|e| wrong(&e))?, names.as_ref())))
        .collect();
    Ok(Value::Array(rows?))
}

fn value(row: &StringRecord, names: Option<&StringRecord>) -> Value {
    let text = |field: &str| Value::String(field.to_owned());
    match names {
        None => Value::Array(row.iter().map(text).collect()),
        Some(names) => {
            let fields = names.iter().zip(row.iter());
            let named = fields.map(|(name, field)| (name.trim().to_owned(), text(field)));
            Value::Object(named.collect::<Map<String, Value>>())
        }
    }
}

/// The place of an error, without the field.
fn wrong(error: &csv::Error) -> TreeError {
    let position = match error.kind() {
        ErrorKind::Utf8 { pos, .. } | ErrorKind::UnequalLengths { pos, .. } => pos.as_ref(),
        _ => None,
    };
    TreeError::Syntax {
        format: "CSV",
        line: position.map_or(0, |p| usize::try_from(p.line()).unwrap_or(usize::MAX)),
        column: 0,
    }
}
