//! The whole files that are damaged: small ones of every kind that irtune reads.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, iter};

use anyhow::Context as _;
use irtune_data::Columns;
use irtune_model::Precision;
use irtune_model::quantise::{Scheme, quantise};
use irtune_testing::base::{Sizes, SyntheticBase};
use irtune_testing::corpus;
use irtune_train::{
    Adapter, BaselineRequest, Draw, Every, HeadKind, MergeOptions, Observer, StepReport, TrainOutcome,
    TrainRequest, TrainSettings, Tune, cross_validate, merge, train, train_baseline,
};

/// Writes them all.
///
/// # Errors
/// When a file can't be written or a run fails.
pub fn write(root: &Path) -> anyhow::Result<()> {
    let base = SyntheticBase {
        sizes: Sizes {
            layers: 2,
            hidden: 32,
            intermediate: 32,
            heads: 2,
            key_value_heads: 1,
            positions: 512,
            ..SyntheticBase::of_bytes().sizes
        },
        ..SyntheticBase::of_bytes()
    };
    base.write_folder(&root.join("base"));
    base.write_gguf(&root.join("base.gguf"))?;
    quantise(&root.join("base.gguf"), &root.join("small.gguf"), "q8_0".parse::<Scheme>()?, &mut |_, _| {})?;
    shards(root)?;
    pairs(root)?;
    others(root)?;
    runs(root)
}

/// The same base in two files with an index.
fn shards(root: &Path) -> anyhow::Result<()> {
    let (from, to) = (root.join("base"), root.join("shards"));
    fs::create_dir(&to)?;
    for name in ["config.json", "tokenizer.json"] {
        fs::copy(from.join(name), to.join(name))?;
    }
    fs::copy(from.join("model.safetensors"), to.join("model-00001-of-00001.safetensors"))?;
    let header = fs::read(from.join("model.safetensors"))?;
    let length = u64::from_le_bytes(*header.first_chunk().context("a header")?) as usize;
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&header[8..8 + length])?;
    let names = header.keys().filter(|name| *name != "__metadata__");
    let map: serde_json::Map<_, _> =
        names.map(|name| (name.clone(), "model-00001-of-00001.safetensors".into())).collect();
    let index = serde_json::json!({ "metadata": { "total_size": 1 }, "weight_map": map });
    Ok(fs::write(to.join("model.safetensors.index.json"), index.to_string())?)
}

/// Pairs in every form.
fn pairs(root: &Path) -> anyhow::Result<()> {
    for (part, count) in [("train", 24), ("validation", 9), ("test", 6)] {
        fs::write(root.join(format!("{part}.jsonl")), corpus::sentences(part, count))?;
    }
    let rows: Vec<serde_json::Value> =
        corpus::sentences("train", 12).lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    fs::write(root.join("train.json"), serde_json::to_string_pretty(&rows)?)?;
    for (name, separator) in [("train.csv", ","), ("train.tsv", "\t")] {
        let line = |row: &serde_json::Value| {
            let cells = ["id", "original", "revised", "label"]
                .map(|column| format!("\"{}\"", row[column].as_str().unwrap_or_default()));
            cells.join(separator)
        };
        let lines: Vec<String> = iter::once(["id", "original", "revised", "label"].join(separator))
            .chain(rows.iter().map(line))
            .collect();
        fs::write(root.join(name), lines.join("\n"))?;
    }
    let several = rows.iter().map(|row| {
        let mut row = row.clone();
        row["label"] = serde_json::json!([row["label"], "style"]);
        format!("{row}\n")
    });
    fs::write(root.join("several.jsonl"), several.collect::<String>())?;
    Ok(())
}

/// Files that stand beside pairs and settings.
fn others(root: &Path) -> anyhow::Result<()> {
    for (name, text) in [
        ("template.txt", "Tell why: {labels}\n{original}\n->\n{revised}\nBecause:"),
        ("words.json", r#"{"fluency": "fluent", "clarity": "clear", "meaning-changed": "new meaning"}"#),
        ("class_weights.json", r#"{"fluency": 1, "clarity": 0.5, "meaning-changed": 2}"#),
        ("scores.jsonl", "{\"scores\": [0.5, 0.25, 0.125]}\n{\"scores\": [0.25, 0.5, 0.75]}\n"),
        (
            "compare.toml",
            "base = \"ROOT/base\"\nseeds = [1, 2]\nfolds = 3\n[settings]\nmax_steps = 3\n[[corpus]]\nname = \"one\"\ntrain = \"ROOT/train.jsonl\"\n\
            [[method]]\nname = \"top\"\nmethod = \"fixed\"\nlayers = \"top:1\"\n[[adapter]]\nname = \"small\"\nrank = 2\n",
        ),
        (
            "chat_template.jinja",
            "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>\\n' }}\
            {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
        ),
    ] {
        fs::write(root.join(name), text.replace("ROOT", &root.to_string_lossy()))?;
    }
    Ok(())
}

/// Raises a flag after two steps.
struct Interrupting<'a>(&'a AtomicBool);

impl Observer for Interrupting<'_> {
    fn on_step(&mut self, report: &StepReport) {
        self.0.fetch_or(report.step >= 2, Ordering::Relaxed);
    }
}

fn runs(root: &Path) -> anyhow::Result<()> {
    let request = |out: &str, change: &dyn Fn(&mut TrainSettings)| {
        let mut settings = TrainSettings {
            rank: 2,
            batch_size: 8,
            max_steps: Some(4),
            min_steps: 0,
            warmup_steps: Some(1),
            eval_every: Every::Steps(2),
            save_every: Every::Steps(2),
            max_length: 300,
            prompt: "pair".into(),
            head: HeadKind::Edit,
            precision: Precision::F32,
            threads: Some(1),
            ..TrainSettings::default()
        };
        change(&mut settings);
        TrainRequest {
            base: root.join("base"),
            base_name: "base".to_owned(),
            train: root.join("train.jsonl").into(),
            validation: Some(root.join("validation.jsonl").into()),
            test: Some(root.join("test.jsonl").into()),
            columns: Columns::default(),
            out: root.join(out),
            settings,
        }
    };
    let never = AtomicBool::new(false);
    let quiet = &mut irtune_train::Silent;
    train(&request("run", &|_| {}), quiet, &never)?;
    let pooled = |settings: &mut TrainSettings| (settings.head, settings.stack) = (HeadKind::Pooled, false);
    train(&request("pooled", &pooled), quiet, &never)?;
    let tuned = |settings: &mut TrainSettings| {
        pooled(settings);
        (settings.tune, settings.adapter) = (Tune::Weights, Adapter::None);
    };
    train(&request("tuned", &tuned), quiet, &never)?;
    let soon = AtomicBool::new(false);
    let outcome = train(&request("begun", &pooled), &mut Interrupting(&soon), &soon)?;
    anyhow::ensure!(matches!(outcome, TrainOutcome::Interrupted { .. }), "it was to be interrupted");
    let folds = TrainRequest { validation: None, test: None, ..request("folds", &pooled) };
    cross_validate(&folds, 2, quiet, &never)?;
    merge(&root.join("run"), &root.join("merged"), &MergeOptions::default(), &mut |_, _| {})?;
    let file = |name: &str| Some(root.join(name).into());
    let linear = BaselineRequest {
        train: root.join("train.jsonl").into(),
        validation: file("validation.jsonl"),
        test: file("test.jsonl"),
        columns: Columns::default(),
        out: root.join("linear"),
        draw: Draw { seed: 1, ..TrainSettings::default().draw() },
    };
    train_baseline(&linear, quiet)?;
    Ok(())
}
