//! Pairs as rows.

use std::io::Write;

use serde_json::Value;

use super::{ConvertError, Converted, ConvertedPairs};

/// The columns of a table of pairs.
pub(super) const COLUMNS: [&str; 6] = ["id", "original", "revised", "label", "major_intent", "group"];

/// The fields of a pair, nothing where it is not known; a label that is a list is JSON.
pub(super) fn fields(own: &Converted) -> [Option<String>; 6] {
    let pair = &own.pair;
    let said = match own.said() {
        Value::Null => None,
        Value::String(label) => Some(label),
        list => Some(list.to_string()),
    };
    let (id, group) = (pair.id.as_ref().map(ToString::to_string), pair.group.clone());
    [
        id,
        Some(pair.original.clone()),
        Some(pair.revised.clone()),
        said,
        own.agreed().map(str::to_owned),
        group,
    ]
}

/// A table with commas.
pub(super) fn csv(pairs: ConvertedPairs<'_>, out: &mut dyn Write) -> Result<usize, ConvertError> {
    let failed = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    };
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS).map_err(failed)?;
    let mut written = 0;
    for pair in pairs {
        let fields = fields(&pair?);
        writer
            .write_record(fields.iter().map(|field| field.as_deref().unwrap_or_default()))
            .map_err(failed)?;
        written += 1;
    }
    writer.flush()?;
    Ok(written)
}
