//! The card of a model: `README.md` in its folder, as the Hugging Face hub shows it.

use super::RunFolder;
use super::error::RunFolderError;
use super::sources::StoredSource;
use super::summary::Summary;
use crate::settings::{HeadKind, TrainSettings, Tune};
use irtune_files::{Files, replace_file};
use irtune_metrics::{Bootstrap, Interval, Metrics};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// What the hub shows of a model folder.
pub(super) const FILE: &str = "README.md";

/// Which kind of folder a card is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardOf {
    /// What a run trained, over its base.
    Run,
    /// The whole model.
    Merged,
}

/// A text as YAML and JSON have it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The name of a file or folder, without where it lies.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn source_name(source: &StoredSource) -> String {
    match source {
        StoredSource::File(stored) => name(&stored.file),
        StoredSource::Rows(rows) => rows.name.clone(),
        // A pipe has no name of its own.
        StoredSource::Content(_) => "a pipe".to_owned(),
    }
}

/// A base's name on the hub, `ORG/NAME`; nothing for a path, which is how the base at `path` may be called too.
pub(super) fn hub_name<'a>(base: &'a str, path: &Path) -> Option<&'a str> {
    let base = base.strip_prefix("hf:").unwrap_or(base);
    let base = base.split('@').next().unwrap_or(base);
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|own| own.is_ascii_alphanumeric() || "-_.".contains(own))
    };
    let (organisation, name) = base.split_once('/')?;
    (plain(organisation) && plain(name) && !path.ends_with(base) && !Path::new(base).exists()).then_some(base)
}

/// The licence that a base names in its own card.
fn licence(base: &Path) -> Option<String> {
    let folder = if base.is_dir() { base } else { base.parent()? };
    let card = std::fs::read_to_string(folder.join(FILE)).ok()?;
    let front = card.strip_prefix("---")?.split("\n---").next()?.to_owned();
    let licence =
        front.lines().find_map(|line| line.strip_prefix("license:"))?.trim().trim_matches(['"', '\'']);
    (!licence.is_empty() && !licence.contains(['\n', ':', '#'])).then(|| licence.to_owned())
}

/// A share in percent.
fn percent(value: f64) -> String {
    format!("{:.1} %", 100.0 * value)
}

impl RunFolder {
    /// Writes the card of what a run trained into its folder, if there is one.
    ///
    /// # Errors
    /// When a file of the run can't be read, or the card not be written.
    pub(crate) fn write_card(&self, files: &dyn Files, summary: &Summary) -> Result<(), RunFolderError> {
        let folder = self.model_path(self.settings()?.tune);
        if !folder.is_dir() {
            return Ok(());
        }
        let card = self.card(summary, CardOf::Run)?;
        Ok(replace_file(files, &folder.join(FILE), &mut |writer| writer.write_all(card.as_bytes()))?)
    }

    /// The name and content of the card of a finished run; nothing of one that isn't finished.
    ///
    /// # Errors
    /// When a file of the run can't be read.
    pub(crate) fn merged_card(&self) -> Result<Option<(&'static str, Vec<u8>)>, RunFolderError> {
        let summary = self.summary()?;
        let card = summary.map(|summary| self.card(&summary, CardOf::Merged)).transpose()?;
        Ok(card.map(|card| (FILE, card.into_bytes())))
    }

    fn card(&self, summary: &Summary, of: CardOf) -> Result<String, RunFolderError> {
        let (settings, sources, labels) = (self.settings()?, self.sources()?, self.labels()?);
        // With intervals; without predictions that can be read there are none.
        let decided = self.decided(&labels).ok().flatten();
        let measured = decided.and_then(|own| own.metrics(labels.names(), Some(&Bootstrap::default())).ok());
        let test = measured.as_ref().or(summary.test.as_ref().map(|test| &test.metrics));
        let base = hub_name(&sources.base_name, &sources.base.path)
            .map_or_else(|| name(&sources.base.path), str::to_owned);
        let data = sources.test.as_ref().map(source_name);
        let mut out = front_matter(
            of,
            &settings,
            hub_name(&sources.base_name, &sources.base.path),
            licence(&sources.base.path),
            test.zip(data.as_deref()),
        );
        let several = if settings.multi_label { "any number of labels" } else { "one label" };
        let _ = writeln!(
            out,
            "\n# Why a text was revised\n\nA classifier of text revisions: it is given a text before and after a revision, and gives the pair {several}. Made with irtune {} from the base {base}.\n\n## Labels\n",
            env!("CARGO_PKG_VERSION")
        );
        let _ = writeln!(out, "| label | training pairs | test pairs |\n|---|---|---|");
        for (class, label) in labels.names().iter().enumerate() {
            let trained = summary.training_labels.get(class).map_or_else(|| "–".to_owned(), u64::to_string);
            let tested = test.map_or_else(|| "–".to_owned(), |test| test.classes[class].support.to_string());
            let _ = writeln!(out, "| {} | {trained} | {tested} |", label.replace('|', "\\|"));
        }
        let held_out = "a part of the training pairs that was held out, if any".to_owned();
        let validation = sources.validation.as_ref().map_or(held_out, source_name);
        let _ = writeln!(
            out,
            "\n## Data\n\nTrained on {}; chosen on {validation}; tested on {}.\n\n## Training\n\n{}",
            source_name(&sources.train),
            data.as_deref().unwrap_or("nothing"),
            training(&settings, summary)
        );
        out += &figures(test);
        out += &limits(&settings, summary);
        out += &loading(of, &settings, &base);
        Ok(out)
    }
}

fn front_matter(
    of: CardOf,
    settings: &TrainSettings,
    base: Option<&str>,
    licence: Option<String>,
    tested: Option<(&Metrics, &str)>,
) -> String {
    let mut out = "---\n".to_owned();
    if let Some(base) = base {
        let _ = writeln!(out, "base_model: {}", quoted(base));
    }
    if let Some(licence) = licence {
        let _ = writeln!(out, "license: {}", quoted(&licence));
    }
    let library = match (of, settings.tune) {
        (CardOf::Merged, _) => Some("transformers"),
        (CardOf::Run, Tune::Adapters) if !settings.head_only => Some("peft"),
        (CardOf::Run, _) => None,
    };
    if let Some(library) = library {
        let _ = writeln!(out, "library_name: {library}");
    }
    out += "pipeline_tag: text-classification\ntags:\n- irtune\n- text-revision\n- revision-intention\nmetrics:\n- accuracy\n- f1\n";
    if let Some((metrics, data)) = tested {
        let data = quoted(data);
        let _ = writeln!(
            out,
            "model-index:\n- name: irtune\n  results:\n  - task:\n      type: text-classification\n    dataset:\n      name: {data}\n      type: {data}\n    metrics:\n    - type: accuracy\n      value: {:.4}\n    - type: f1\n      name: Macro-F1\n      value: {:.4}",
            metrics.accuracy, metrics.macro_f1
        );
    }
    out + "---\n"
}

fn training(settings: &TrainSettings, summary: &Summary) -> String {
    let method = if settings.head_only { "head_only" } else { &settings.method };
    format!(
        "{} steps ({} pairs, {} tokens), layers chosen by `{method}`, learning rate {}, seed {}; {} numbers were trained. The model of step {} was kept.",
        summary.steps,
        summary.examples,
        summary.tokens,
        settings.learning_rate,
        settings.seed,
        summary.parameters,
        summary.best_step
    )
}

fn figures(test: Option<&Metrics>) -> String {
    let Some(test) = test else {
        return "\n## Figures\n\nThere were no test pairs.\n".to_owned();
    };
    let mut out = format!("\n## Figures\n\nOn {} test pairs", test.examples);
    let confidence = test.intervals.as_ref().map(|intervals| percent(intervals.bootstrap.confidence));
    out += &confidence
        .map_or_else(|| ".\n".to_owned(), |share| format!(", with {share} bootstrap intervals.\n"));
    out += "\n| figure | value | interval |\n|---|---|---|\n";
    let intervals = test.intervals.as_ref();
    let mut row = |name: &str, value: f64, interval: Option<Interval>| {
        let interval = interval
            .map_or_else(|| "–".to_owned(), |own| format!("{} to {}", percent(own.low), percent(own.high)));
        let _ = writeln!(out, "| {name} | {} | {interval} |", percent(value));
    };
    row(test.accuracy_name(), test.accuracy, intervals.map(|own| own.accuracy));
    row("macro-F1", test.macro_f1, intervals.map(|own| own.macro_f1));
    row(
        "macro average precision",
        test.macro_average_precision,
        intervals.map(|own| own.macro_average_precision),
    );
    out += "\n| label | precision | recall | F1 |\n|---|---|---|---|\n";
    for class in &test.classes {
        let label = class.label.replace('|', "\\|");
        let _ = writeln!(
            out,
            "| {label} | {} | {} | {} |",
            percent(class.precision),
            percent(class.recall),
            percent(class.f1)
        );
    }
    out
}

fn limits(settings: &TrainSettings, summary: &Summary) -> String {
    let mut out = "\n## Calibration and limits\n\n".to_owned();
    out += &match &summary.calibration {
        Some(calibration) => {
            let error = calibration.test.map_or_else(String::new, |test| {
                format!(
                    " The expected calibration error on the test pairs is {} with it, and {} without.",
                    percent(test.calibrated.calibration_error),
                    percent(test.plain.calibration_error)
                )
            });
            format!(
                "- Probabilities were calibrated on the validation pairs (temperature {:.3}).{error} irtune applies this; other loaders give plain outputs.\n",
                calibration.fitted.temperature
            )
        }
        None => "- Probabilities are not calibrated.\n".to_owned(),
    };
    if summary.stack.is_some() {
        out += "- The figures are those of the model together with a linear model of the same pairs, which irtune keeps in its own folder; the model alone differs.\n";
    }
    if let Some(collapsed) = &summary.collapsed {
        let _ = writeln!(out, "- It gives every validation pair {collapsed}: it has learned nothing.");
    }
    let _ = writeln!(
        out,
        "- Pairs of more than {} tokens are shortened around what changed.\n- It knows the labels, language and kind of text of its training pairs, and answers for any others as if they were of these.",
        settings.max_length
    );
    out
}

fn loading(of: CardOf, settings: &TrainSettings, base: &str) -> String {
    let python = match (of, settings.tune, settings.head) {
        (CardOf::Merged, ..) => {
            "from transformers import AutoModelForSequenceClassification, AutoTokenizer\n\nmodel = AutoModelForSequenceClassification.from_pretrained(FOLDER, dtype=\"float32\")\ntokenizer = AutoTokenizer.from_pretrained(FOLDER)\n".to_owned()
        }
        (CardOf::Run, Tune::Adapters, HeadKind::Pooled) if !settings.head_only => {
            format!("from peft import PeftModel\nfrom transformers import AutoConfig, AutoModelForSequenceClassification\n\nconfig = AutoConfig.from_pretrained(FOLDER + \"/classifier.json\")\nbase = AutoModelForSequenceClassification.from_pretrained({}, config=config, dtype=\"float32\")\nmodel = PeftModel.from_pretrained(base, FOLDER)\n", quoted(base))
        }
        _ => return "\n## Use\n\nirtune loads it: `irtune predict --run RUN --data pairs.jsonl`, and `irtune merge` makes a model of it that transformers loads.\n".to_owned(),
    };
    format!(
        "\n## Use\n\n```python\n{python}```\n\nIt reads one text, the filled prompt that `irtune predict --inputs` shows as token ids.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_hub_are_told_as_such() {
        let cached = Path::new("/cache/models--org--base/snapshots/0a1b");
        assert_eq!(hub_name("folder/base", Path::new("/home/folder/base")), None, "a folder, there or gone");
        assert_eq!(hub_name("org/base-1.5B", cached), Some("org/base-1.5B"));
        assert_eq!(hub_name("hf:org/base@main", cached), Some("org/base"));
        for path in ["/models/base", "./base", "../org/base", "base", "a/b/c", "org/", "/base"] {
            assert_eq!(hub_name(path, cached), None, "{path}");
        }
    }

    #[test]
    fn a_licence_is_read_from_the_base_s_own_card() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        assert_eq!(licence(base), None);
        let put = |text: &str| std::fs::write(base.join(FILE), text).unwrap();
        put("---\nlanguage: en\nlicense: \"apache-2.0\"\n---\n# Base\n");
        assert_eq!(licence(base).as_deref(), Some("apache-2.0"));
        assert_eq!(licence(&base.join("model.gguf")).as_deref(), Some("apache-2.0"));
        put("# Base\nlicense: other\n");
        assert_eq!(licence(base), None);
    }
}
