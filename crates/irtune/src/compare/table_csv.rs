//! The table of a comparison as CSV: a row an arm.

use super::CompareError;
use super::results::{Estimate, Results};

/// The table.
///
/// # Errors
/// When a row cannot be written, which memory does not refuse.
pub fn csv(results: &Results) -> Result<String, CompareError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> =
        ["corpus", "train_size", "method", "adapter", "seeds", "test_examples"].map(str::to_owned).into();
    for figure in ["accuracy", "macro_f1", "average_precision"] {
        header.extend(["mean", "deviation", "low", "high"].map(|part| format!("{figure}_{part}")));
    }
    header.extend(
        ["trained_share", "step_seconds", "examples_per_second", "peak_bytes", "parameters"]
            .map(str::to_owned),
    );
    writer.write_record(&header)?;
    for arm in &results.arms {
        let mut row = vec![
            arm.corpus.clone(),
            arm.train_size.map_or_else(|| "all".to_owned(), |pairs| pairs.to_string()),
            arm.method.clone(),
            arm.adapter.clone(),
            arm.seeds.len().to_string(),
            arm.test_examples.to_string(),
        ];
        for Estimate { spread, interval } in [arm.accuracy, arm.macro_f1, arm.average_precision] {
            row.push(spread.mean.to_string());
            row.push(spread.deviation.map_or_else(String::new, |deviation| deviation.to_string()));
            row.extend([interval.low, interval.high].map(|end| end.to_string()));
        }
        row.extend([
            arm.trained_share.mean.to_string(),
            arm.step_seconds.mean.to_string(),
            arm.examples_per_second.mean.to_string(),
            arm.peak_bytes.map_or_else(String::new, |peak| peak.mean.to_string()),
            arm.parameters.to_string(),
        ]);
        writer.write_record(&row)?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
