//! The metrics as plain text for people.

use std::fmt::{self, Display, Formatter};

use crate::{Interval, LevelMetrics, Metrics, MultiLabelFigures};

const COLUMNS: [&str; 6] = ["precision", "recall", "F1", "AU-PRC", "support", "predicted"];
const WIDTH: usize = 9;

impl Display for Metrics {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.tables(formatter)?;
        self.levels.iter().try_for_each(|LevelMetrics { level, metrics }| {
            let joined = match metrics.multi_label {
                None => "probabilities summed",
                Some(_) => "each as probable as its most probable one",
            };
            write!(formatter, "\nlevel {level} of the labels, {joined}: ")?;
            metrics.tables(formatter)
        })
    }
}

impl Metrics {
    fn tables(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.overall(formatter)?;
        writeln!(formatter)?;
        self.by_class(formatter)?;
        if self.confusion.is_empty() {
            return Ok(());
        }
        writeln!(formatter)?;
        self.confusions(formatter)
    }

    fn overall(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.intervals {
            None => writeln!(formatter, "{} examples", self.examples)?,
            Some(intervals) => writeln!(
                formatter,
                "{} examples; in brackets the {} % interval of {} resamples",
                self.examples,
                // Rounded, so that 0.95 shows as 95 and not as 94.99999999999999.
                (intervals.bootstrap.confidence * 1e6).round() / 1e4,
                intervals.bootstrap.resamples
            )?,
        }
        let interval = self.intervals.as_ref();
        let rows = [
            (self.accuracy_name(), self.accuracy, interval.map(|all| all.accuracy)),
            ("macro precision", self.macro_precision, interval.map(|all| all.macro_precision)),
            ("macro recall", self.macro_recall, interval.map(|all| all.macro_recall)),
            ("macro F1", self.macro_f1, interval.map(|all| all.macro_f1)),
            ("macro AU-PRC", self.macro_average_precision, interval.map(|all| all.macro_average_precision)),
        ];
        for (name, value, interval) in rows {
            write!(formatter, "{name:<15}  {value:.4}")?;
            if let Some(Interval { low, high }) = interval {
                write!(formatter, "  [{low:.4}, {high:.4}]")?;
            }
            writeln!(formatter)?;
        }
        if let Some(found) = &self.multi_label {
            let MultiLabelFigures { micro_precision, micro_recall, micro_f1, samples_f1, hamming_loss } =
                found;
            for (name, value) in [
                ("micro precision", micro_precision),
                ("micro recall", micro_recall),
                ("micro F1", micro_f1),
                ("samples F1", samples_f1),
                ("Hamming loss", hamming_loss),
            ] {
                writeln!(formatter, "{name:<15}  {value:.4}")?;
            }
        }
        Ok(())
    }

    fn by_class(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let label_width = self.label_width("label");
        write!(formatter, "{:<label_width$}", "label")?;
        for column in COLUMNS {
            write!(formatter, "  {column:>WIDTH$}")?;
        }
        writeln!(formatter)?;
        for class in &self.classes {
            write!(formatter, "{:<label_width$}", class.label)?;
            for figure in [class.precision, class.recall, class.f1, class.average_precision] {
                write!(formatter, "  {figure:>WIDTH$.4}")?;
            }
            writeln!(formatter, "  {:>WIDTH$}  {:>WIDTH$}", class.support, class.predicted)?;
        }
        Ok(())
    }

    fn confusions(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let label_width = self.label_width("true \\ predicted");
        write!(formatter, "{:<label_width$}", "true \\ predicted")?;
        for class in &self.classes {
            write!(formatter, "  {:>WIDTH$}", class.label)?;
        }
        writeln!(formatter)?;
        for (class, row) in self.classes.iter().zip(&self.confusion.rows) {
            write!(formatter, "{:<label_width$}", class.label)?;
            for (count, column) in row.iter().zip(&self.classes) {
                let width = WIDTH.max(column.label.chars().count());
                write!(formatter, "  {count:>width$}")?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }

    fn label_width(&self, heading: &str) -> usize {
        let widths = self.classes.iter().map(|class| class.label.chars().count());
        widths.chain([heading.len()]).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Bootstrap, Metrics, MultiLabelPredictions, Predictions};

    #[test]
    fn the_tables_line_up() {
        let probabilities = [0.9, 0.1, 0.0, 0.2, 0.7, 0.1, 0.6, 0.3, 0.1];
        let predictions = Predictions::new(&[0, 1, 1], &probabilities, 3).unwrap();
        let labels = ["clarity", "meaning-changed", "style"];
        let text = Metrics::of(&predictions, &labels, None).unwrap().to_string();
        let expected = "\
3 examples
accuracy         0.6667
macro precision  0.7500
macro recall     0.7500
macro F1         0.6667
macro AU-PRC     1.0000

label            precision     recall         F1     AU-PRC    support  predicted
clarity             0.5000     1.0000     0.6667     1.0000          1          2
meaning-changed     1.0000     0.5000     0.6667     1.0000          2          1
style               0.0000     0.0000     0.0000     0.0000          0          0

true \\ predicted    clarity  meaning-changed      style
clarity                   1                0          0
meaning-changed           1                1          0
style                     0                0          0
";
        assert_eq!(text, expected);

        let [truth, said] = [[true, false, true, true], [true, false, false, true]].map(|all| all.to_vec());
        let several = MultiLabelPredictions::new(truth, said, vec![0.9, 0.1, 0.4, 0.8], 2).unwrap();
        let text = several.metrics(&["clarity", "style"], None).unwrap().to_string();
        let expected = "\
2 examples
subset accuracy  0.5000
macro precision  1.0000
macro recall     0.7500
macro F1         0.8333
macro AU-PRC     1.0000
micro precision  1.0000
micro recall     0.6667
micro F1         0.8000
samples F1       0.8333
Hamming loss     0.2500

label    precision     recall         F1     AU-PRC    support  predicted
clarity     1.0000     0.5000     0.6667     1.0000          2          1
style       1.0000     1.0000     1.0000     1.0000          1          1
";
        assert_eq!(text, expected);

        let bootstrap = Bootstrap { resamples: 10, ..Bootstrap::default() };
        let text = Metrics::of(&predictions, &labels, Some(&bootstrap)).unwrap().to_string();
        assert!(text.starts_with("3 examples; in brackets the 95 % interval of 10 resamples\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.ends_with(']')).count(), 5);
    }
}
