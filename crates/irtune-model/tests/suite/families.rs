//! Every model family of the table: its files are read alike in both formats, and nothing outside the table names it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use irtune_device::Gate;
use irtune_model::{
    AdapterConfig, Base, FAMILIES, Family, HostTensor, LoraConfig, ModelConfig, PackedBatch, Precision,
    Projection, RopeScaling, Trained,
    families::{HeadNorms, MlpKind, NormKind, NormPlacement, Rotary, Variant, WindowedLayers},
};
use irtune_testing::golden::tolerance;
use serde_json::Value;

use crate::tiny::{
    FAMILY_CASES, Tiny,
    engine::{EngineOptions, engine},
    name_of, options,
};

const PRECISIONS: [Precision; 4] = [Precision::F32, Precision::Bf16, Precision::Int16, Precision::Int8];

fn golden() -> PathBuf {
    irtune_testing::golden::golden_folder().join("tiny_families")
}

/// The cases of a family in `golden/tiny_families`; there is one at least, but for a composite family whose kind another has.
fn cases(family: &Family) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(golden().join(family.model_type)) else {
        assert!(family.text.is_some(), "goldens of {family:?}");
        return Vec::new();
    };
    let cases: Vec<PathBuf> = entries.map(|entry| entry.expect("a case").path()).collect();
    assert!(!cases.is_empty(), "{family:?}");
    cases
}

/// A case's model as each kind of file that there is of it.
fn files(case: &Path) -> Vec<PathBuf> {
    let files = ["model", "model.gguf"].map(|name| case.join(name));
    files.into_iter().filter(|path| path.exists()).collect()
}

#[test]
fn a_gguf_and_a_folder_of_one_model_are_the_same_base() {
    for case in FAMILIES.into_iter().filter(|family| family.architecture.is_some()).flat_map(cases) {
        let folder = Base::open(&case.join("model")).unwrap_or_else(|error| panic!("{error}"));
        let file = Base::open(&case.join("model.gguf")).unwrap_or_else(|error| panic!("{error}"));
        // A GGUF names the token that would begin a text, if texts began with one.
        let begin_token = file.config.begin_token;
        assert_eq!(file.config, ModelConfig { begin_token, ..folder.config.clone() }, "{}", case.display());
        assert!(!file.tokenizer.adds_begin_token() && !folder.tokenizer.adds_begin_token());
        let mut names = file.weights.tensors().map(|tensor| tensor.name.clone());
        assert!(names.by_ref().eq(folder.weights.tensors().map(|tensor| tensor.name.clone())));
        for tensor in folder.weights.tensors() {
            let (found, expected) = (file.weights.values(&tensor.name), folder.weights.values(&tensor.name));
            assert_eq!(found.expect("a tensor"), expected.expect("a tensor"), "{}", tensor.name);
        }
    }
}

#[test]
fn the_cases_are_those_of_the_families() {
    let found = FAMILIES.into_iter().flat_map(cases).map(|case| {
        let case = case.strip_prefix(golden()).expect("a case").to_owned();
        format!("tiny_families/{}", case.display())
    });
    let mut found: Vec<String> = found.collect();
    let mut known = FAMILY_CASES.map(str::to_owned);
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

/// Logits, loss and gradients of the first batch, and the losses of ten steps, which are held to the golden.
fn everything(tiny: &Tiny, case: &str, precision: Precision) -> (Vec<f32>, f64, Vec<HostTensor>, Vec<f32>) {
    let mut engine = tiny.engine(precision);
    let mut logits = Vec::new();
    engine.logits(&tiny.first().0, &mut logits).expect("logits");
    let loss = tiny.accumulate_first(&mut *engine, &vec![true; tiny.layers]);
    let gradients = engine.gradients();

    let (_, golden) = Tiny::open(case, &["trace_all"]);
    let mut engine = tiny.engine(precision);
    let trace = tiny.trace(&golden, "trace_all", &mut *engine);
    let of = |rung| tolerance(rung, name_of(precision));
    golden.compare("trace_all/losses", &trace.losses, of("trace_losses"));
    golden.compare("trace_all/gradient_norms", &trace.norms, of("trace_norms"));
    for parameter in engine.parameters() {
        golden.compare(&format!("trace_all/final.{}", parameter.name), &parameter.data, of("trace_final"));
    }
    golden.passes();
    (logits, loss, gradients, trace.losses)
}

#[test]
fn a_gguf_classifies_and_trains_to_the_bits_of_the_folder() {
    for case in FAMILY_CASES {
        let path = golden().join("..").join(case).join("model.gguf");
        if !path.exists() {
            continue;
        }
        let folder = Tiny::bare(case);
        let base = Base::open(&path).expect("a base");
        let file = Tiny { base: Arc::new(base), ..Tiny::bare(case) };
        for precision in PRECISIONS {
            let (found, expected) =
                (everything(&file, case, precision), everything(&folder, case, precision));
            assert!(found == expected, "{case} in {precision}: {found:?}\n{expected:?}");
        }
    }
}

#[test]
fn tokens_are_those_of_transformers_and_the_pad_token_is_not_the_end_token() {
    for case in FAMILIES.into_iter().flat_map(cases) {
        let facts: Value =
            serde_json::from_slice(&fs::read(case.join("case.json")).expect("facts")).expect("JSON");
        let texts = facts["texts"].as_array().expect("texts");
        assert!(!texts.is_empty());
        for path in files(&case) {
            let (base, name) = (Base::open(&path).expect("a base"), path.display());
            for (text, ids) in texts.iter().zip(facts["ids"].as_array().expect("ids")) {
                let found = base.tokenizer.encode(text.as_str().expect("a text")).expect("ids");
                assert_eq!(&Value::from(found), ids, "{text} by {name}");
            }
            let written = base.config.to_transformers(&["a".to_owned(), "b".to_owned()]);
            assert_eq!(written["pad_token_id"], facts["pad"], "{name}");
            assert_eq!(written["eos_token_id"], facts["end"], "{name}");
            assert_ne!(facts["pad"], facts["end"]);
        }
    }
}

#[test]
fn a_text_beyond_the_positions_there_are_says_how_long_one_may_be() {
    for (case, most) in [("gpt2/tied", 1024), ("phi3/long", 512)] {
        let tiny = Tiny::bare(&format!("tiny_families/{case}"));
        let text = |tokens: usize| PackedBatch::pack(&[vec![3; tokens]], 1).expect("a batch");
        let mut engine = tiny.engine(Precision::F32);
        let mut logits = Vec::new();
        engine.logits(&text(most), &mut logits).expect("logits");
        let error = engine.logits(&text(most + 1), &mut logits).expect_err("too long").to_string();
        assert!(error.contains(&format!("has {} tokens", most + 1)), "{error}");
        assert!(error.contains(&format!("a max_length of at most {most}")), "{error}");
    }
}

#[test]
fn a_target_that_a_base_keeps_in_one_matrix_is_that_matrix() {
    use irtune_model::Projection::{DownProj, GateUpProj, OProj, QProj, QkvProj, UpProj};
    let all: Vec<Projection> =
        Projection::ALL.into_iter().filter(|one| ![QkvProj, GateUpProj].contains(one)).collect();
    for (case, expected) in [
        ("gpt2/tied", vec![QkvProj, OProj, UpProj, DownProj]),
        ("phi3/tied", vec![QkvProj, OProj, GateUpProj, DownProj]),
        ("llama/untied", all.clone()),
    ] {
        let tiny = Tiny::bare(&format!("tiny_families/{case}"));
        let adapter = AdapterConfig::from(LoraConfig::over(all.clone())).for_base(&tiny.base.config);
        assert_eq!(adapter.target_modules(), expected, "{case}");
        let options = EngineOptions { max_tokens: 8, max_examples: 1, ..options(Precision::F32) };
        let other = if case.starts_with("llama") { QkvProj } else { QProj };
        let adapter = AdapterConfig::from(LoraConfig::over(vec![other]));
        let made = engine(tiny.base.clone(), Trained::Adapter(adapter), tiny.labels, 1, options);
        let error = made.err().expect("no such module").to_string();
        assert!(error.contains(&format!("target_modules names {other}")), "{error}");
        assert!(error.contains(tiny.base.config.family.title), "{error}");
    }
}

/// What a family's layers have beside a plain one, in words.
fn beside(family: &Family) -> String {
    let rotary = Rotary { size: 8, theta: 1.0, scaling: RopeScaling::None, query_growth: None };
    let spec = (family.layer)(&Variant::plain(rotary, 1, 8), 0);
    let biases: Vec<&str> = spec.biases.iter().map(|&projection| family.module_name(projection)).collect();
    let mut parts = Vec::new();
    if spec.norm == NormKind::Layer {
        parts.push("layer norms".to_owned());
    }
    if spec.learned_positions {
        parts.push("learned positions".to_owned());
    }
    if spec.fused_attention {
        parts.push("q, k and v in one matrix".to_owned());
    }
    match spec.mlp {
        MlpKind::Gated => {}
        MlpKind::FusedGated => parts.push("gate and up in one matrix".to_owned()),
        MlpKind::Plain(_) => parts.push("an MLP without a gate".to_owned()),
    }
    if spec.parallel {
        parts.push("attention and MLP side by side".to_owned());
    }
    if biases.len() == spec.projections().count() {
        parts.push("biases of all matrices".to_owned());
    } else if !biases.is_empty() {
        parts.push(format!("biases of {}", biases.join(", ")));
    }
    let optional = match (family.reads_biases.attention, family.reads_biases.mlp) {
        (false, false) => None,
        (true, false) => Some("biases of attention if `attention_bias`"),
        (false, true) => Some("biases of the MLP if `mlp_bias`"),
        (true, true) => Some("biases if `attention_bias`, `mlp_bias`"),
    };
    parts.extend(optional.map(str::to_owned));
    match spec.norms {
        NormPlacement::Before => {}
        NormPlacement::After => parts.push("norms of outputs instead of inputs".to_owned()),
        NormPlacement::Around => parts.push("norms of outputs too".to_owned()),
    }
    match spec.head_norms {
        Some(HeadNorms::EachHead) => parts.push("a norm on each head of queries and keys".to_owned()),
        Some(HeadNorms::Whole) => parts.push("a norm on all queries and all keys".to_owned()),
        None => {}
    }
    let window = family.window.as_ref().map(|window| {
        let layers = match window.layers {
            WindowedLayers::All if window.layer_types => "the layers that `layer_types` names",
            WindowedLayers::All => "every layer",
            WindowedLayers::AllButEvery { every: 2, .. } => "every second layer",
            WindowedLayers::AllButEvery { .. } => "most layers",
            WindowedLayers::Unturned => "layers without rotary positions",
            WindowedLayers::From(_) => "upper layers",
        };
        let condition = window.flag.map_or(String::new(), |flag| format!(" if `{flag}`"));
        format!("a window over the keys of {layers}{condition}")
    });
    parts.extend(window);
    parts.extend(family.local_rotary.as_ref().map(|_| "other rotary positions there".to_owned()));
    let unturned = family.unturned.as_ref();
    parts.extend(unturned.map(|unturned| format!("no rotary positions in every {}th layer", unturned.every)));
    for (has, what) in [
        (family.grows_queries, "queries that grow with their position"),
        (family.scales_embedding, "embeddings times √hidden_size"),
        (family.modules().any(|module| module.plus_one), "norms of 1 + weight"),
        (spec.gate == Gate::GeluTanh, "a GELU gate"),
    ] {
        parts.extend(has.then(|| what.to_owned()));
    }
    parts.extend(family.numbers.iter().map(|number| format!("`{}`", number.field)));
    if parts.is_empty() { "–".to_owned() } else { parts.join("; ") }
}

#[test]
fn the_documents_table_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/families.md");
    let text = fs::read_to_string(path).expect("docs/families.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let expected = FAMILIES.map(|family| {
        let Family { title, models, model_type, .. } = family;
        let class = family.has_classifier.then(|| format!("`{}`", family.classifier_class()));
        let class = class.unwrap_or("–".to_owned());
        let architecture = family.architecture.map_or("–".to_owned(), |name| format!("`{name}`"));
        let beside = beside(family);
        format!("| {title} | {models} | `{model_type}` | {architecture} | {class} | {beside} |")
    });
    assert_eq!(rows, expected);
}

#[test]
fn every_family_has_its_class_of_an_edit_head() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/merge/modeling_irtune.py");
    let python = fs::read_to_string(path).expect("the classes");
    for family in FAMILIES {
        let class = family.text.unwrap_or(family).class_stem;
        assert!(python.contains(&format!("\"{class}\"")), "{class}");
    }
}

/// A file's code without its tests, which may name whom they like.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    text.split("#[cfg(test)]").next().expect("the part before").to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            // The table itself, and the layer's parts.
            if !["families", "layer"].contains(&name.as_str()) {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

#[test]
fn nothing_outside_the_table_and_the_layer_names_a_family() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for entry in fs::read_dir(&root).expect("the crates") {
        let source = entry.expect("a crate").path().join("src");
        if source.is_dir() && !source.ends_with("irtune-testing/src") {
            sources(&source, &mut files);
        }
    }
    assert!(files.len() > 50, "{}", files.len());
    let mut found = Vec::new();
    for path in &files {
        // Its kinds and ways to cut text have llama.cpp's names, which models of several families share.
        // An alias stands for one model and brings its configuration.
        if path.components().any(|part| part.as_os_str() == "tokenizer") || path.ends_with("alias.rs") {
            continue;
        }
        let code = code(path);
        for family in FAMILIES {
            let names = [format!("{}For", family.class_stem), format!("\"{}\"", family.model_type)];
            let architecture = family.architecture.map(|name| format!("\"{name}."));
            let named = names.iter().chain(&architecture).filter(|name| code.contains(name.as_str()));
            found.extend(named.map(|name| format!("{} names {name}", path.display())));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
