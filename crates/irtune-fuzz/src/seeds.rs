//! The whole files that are damaged: small ones of every kind that irtune reads.

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, iter};

use anyhow::Context as _;
use irtune_data::Columns;
use irtune_documents::{BlockKind, Item, Piece, write_tracked};
use irtune_model::Precision;
use irtune_model::quantise::{Scheme, quantise};
use irtune_testing::base::{Sizes, SyntheticBase};
use irtune_testing::corpus;
use irtune_testing::golden::golden_folder;
use irtune_train::{
    Adapter, BaselineRequest, Draw, Every, HeadKind, MergeOptions, Observer, StepReport, TrainOutcome,
    TrainRequest, TrainSettings, Tune, cross_validate, merge, train, train_baseline,
};
use zip::ZipArchive;

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
    tables(root)?;
    drafts(root)?;
    others(root)?;
    runs(root)
}

/// What libFuzzer begins with, by what it reads.
const FOR_COVERAGE: [(&str, &[&str]); 8] = [
    ("chat", &["chat_template.jinja"]),
    ("config", &["base/config.json", "merged/config.json"]),
    ("documents", &["drafts.txt", "drafts.md", "drafts.tex", "tracked.docx"]),
    ("gguf", &["base.gguf"]),
    (
        "pairs",
        &[
            "train.jsonl",
            "train.json",
            "train.csv",
            "train.tsv",
            "several.jsonl",
            "label_studio.json",
            "sheet.xlsx",
            "plain.parquet",
            "gzip.parquet",
            "nested.parquet",
        ],
    ),
    ("template", &["template.txt"]),
    ("tokenizer", &["base/tokenizer.json"]),
    ("word", &["document.xml"]),
];

/// Writes a folder of whole files for each target of `coverage/`.
///
/// # Errors
/// As [`write()`].
pub fn for_coverage(folder: &Path) -> anyhow::Result<()> {
    let whole = tempfile::tempdir()?;
    write(whole.path())?;
    for (target, names) in FOR_COVERAGE {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for name in names {
            fs::copy(whole.path().join(name), folder.join(name.replace('/', "-")))?;
        }
    }
    Ok(())
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
    // Label Studio writes one choice as a text, and several as an object.
    let exported = rows.iter().enumerate().map(|(number, row)| {
        let mut row = row.clone();
        if number % 3 == 0 {
            row["label"] = serde_json::json!({ "choices": [row["label"], "style"] });
        }
        row["annotator"] = (number % 2).into();
        row
    });
    let exported: Vec<serde_json::Value> = exported.collect();
    fs::write(root.join("label_studio.json"), serde_json::to_string_pretty(&exported)?)?;
    Ok(())
}

/// Workbooks and Parquet files that other programs wrote.
fn tables(root: &Path) -> anyhow::Result<()> {
    for name in ["sheet.xlsx", "sheets.xlsx", "plain.parquet", "gzip.parquet", "nested.parquet"] {
        fs::copy(golden_folder().join("tables").join(name), root.join(name))?;
    }
    Ok(())
}

/// Two drafts in one file, and Word documents with tracked changes.
fn drafts(root: &Path) -> anyhow::Result<()> {
    const TEXT: &str = "The river are old. We see it, e.g. in Fig. 2.\n\nIt is 3.5 km long.\n\nA last word.";
    const MARKDOWN: &str = "# Rivers\n\nThe *river* are [old](a.md). See `x`.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nAs said.[^1]\n\n[^1]: A note.";
    const LATEX: &str = "\\documentclass{article}\n\\begin{document}\n\\section{Rivers}\nThe \\emph{river} are old~\\cite{a}. % why\n$x^2$ is \\'{e}t\\'e.\n\\begin{itemize}\\item one\\item two\\end{itemize}\n\\end{document}";
    for (name, old) in [("drafts.txt", TEXT), ("drafts.md", MARKDOWN), ("drafts.tex", LATEX)] {
        let new = old.replace("are old", "is very old").replace("one", "three").replace("A last word.", "");
        fs::write(root.join(name), format!("{old}\n=====\n{new}"))?;
    }
    let text = |pieces| Item {
        kind: BlockKind::Paragraph,
        old_block: Some(0),
        new_block: Some(0),
        pieces,
        comment: None,
    };
    let items = [
        text(vec![
            Piece::Same("The river "),
            Piece::Removed("are"),
            Piece::Added("is"),
            Piece::Same(" old. "),
        ]),
        Item { comment: Some("why".to_owned()), ..text(vec![Piece::Added("It is long.")]) },
        Item { new_block: None, old_block: Some(1), ..text(vec![Piece::Removed("A last word.")]) },
    ];
    let tracked = write_tracked(&items, "Somebody");
    let mut body = String::new();
    ZipArchive::new(Cursor::new(&tracked))?.by_name("word/document.xml")?.read_to_string(&mut body)?;
    fs::write(root.join("document.xml"), body)?;
    Ok(fs::write(root.join("tracked.docx"), tracked)?)
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
