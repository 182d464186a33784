//! Comparisons on a tiny model: every cell a run, tables and report, interrupts, and what is refused.

use std::fs;

use irtune_testing::sandbox::{Sandbox, adapter_bytes};
use serde_json::Value;

const DATA: &str = "--base base --train train.jsonl --validation validation.jsonl --test test.jsonl";
const SETTINGS: &str = "--max-steps 3 --rank 2 --max-length 400 --batch-size 4 --warmup-steps 1 --precision f32 --head pooled --stack false";

fn compare(more: &str) -> String {
    format!("compare {DATA} {SETTINGS} {more}")
}

fn json(sandbox: &Sandbox, path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(sandbox.path(path)).unwrap()).unwrap()
}

/// Walks over the tags of a page: each that opens must close, and nothing may come from elsewhere.
fn check_page(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>"));
    for word in ["http:", "https:", "url(", "@import", "<script", " src=", " href="] {
        assert!(!page.contains(word), "{word} refers to something else");
    }
    let mut open: Vec<&str> = Vec::new();
    let mut rest = &page["<!DOCTYPE html>".len()..];
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(open.last() == Some(&"style") || !text.contains('>'), "a bare > in {text}");
        let end = start + rest[start..].find('>').expect("a tag that ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap();
        match tag.strip_prefix('/') {
            Some(_) => assert_eq!(open.pop(), Some(name), "after {open:?}"),
            None if name == "meta" => {}
            None => open.push(name),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn every_cell_is_a_run_and_everything_is_reported() {
    let sandbox = Sandbox::with_base();
    sandbox.write(
        "both.toml",
        "seeds = [1, 2]\n[[corpus]]\nname = \"tiny <pairs>\"\n[[method]]\nmethod = \"ir\"\n[[method]]\nname = \
         \"top 2\"\nmethod = \"fixed\"\nlayers = \"top:2\"\n",
    );
    let said = sandbox.run(&compare("--config both.toml --out both")).success();
    for name in ["tiny--pairs-.ir.lora.seed-1", "tiny--pairs-.top-2.lora.seed-2"] {
        assert!(said.error.contains(name), "{}", said.error);
        for file in ["summary.json", "settings.toml", "test_predictions.jsonl", "adapter/adapter_config.json"]
        {
            assert!(sandbox.path(&format!("both/runs/{name}/{file}")).is_file(), "{name}/{file}");
        }
    }
    assert!(said.error.contains("Run 6 of 6"), "{}", said.error);

    let table = fs::read_to_string(sandbox.path("both/table.md")).unwrap();
    // The sandbox shows other separators than the machine's as slashes, escaped markup too.
    assert_eq!(said.out, table.replace('\\', "/"));
    let mut settings = insta::Settings::clone_current();
    // Times, memory and machine; figures of a model that has learnt nothing are those of this machine's arithmetic.
    settings.add_filter(r"Times and memory: .*", "Times and memory: [MACHINE].");
    settings.add_filter(r"[0-9]+\.[0-9]{2} ± [0-9.]+ \| [0-9.]+ ± [0-9.]+ \| [0-9.]+ \|", "[TIMES] |");
    settings.add_filter(r"– \| [0-9.]+ ± [0-9.]+ \| [0-9.]+ \|", "– | [TIMES] |");
    settings.add_filter(r"[+−]?[0-9]\.[0-9]{3}", "[N]");
    settings.bind(|| insta::assert_snapshot!(table));

    let results = json(&sandbox, "both/results.json");
    let cells = results["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 6);
    for cell in cells {
        let summary = json(&sandbox, &format!("both/runs/{}/summary.json", cell["name"].as_str().unwrap()));
        assert_eq!(cell["macro_f1"], summary["test"]["metrics"]["macro_f1"]);
        assert_eq!(cell["accuracy"], summary["test"]["metrics"]["accuracy"]);
        assert_eq!(cell["plain_macro_f1"], summary["calibration"]["test"]["plain"]["macro_f1"]);
        let steps = if cell["name"].as_str().unwrap().contains(".linear.") { 0 } else { 3 };
        assert_eq!(cell["steps"], steps);
        assert_eq!(cell["loss"].as_array().unwrap().len(), steps);
    }
    assert_eq!(cells[2]["layer_steps"], "c*3");
    // Both methods with each other, and each with the linear model.
    assert_eq!(results["comparisons"].as_array().unwrap().len(), 3);
    assert_eq!(results["arms"][2]["method"], "linear");
    assert_eq!(results["arms"][2]["train_examples"], 24);
    assert_eq!(results["comparisons"][0]["seeds_test"]["smallest"], 0.5);
    let rows = fs::read_to_string(sandbox.path("both/table.csv")).unwrap();
    assert_eq!(rows.lines().count(), 4, "{rows}");
    assert!(!results["definition"].to_string().contains(&*sandbox.path("").to_string_lossy()));

    let page = fs::read_to_string(sandbox.path("both/report.html")).unwrap();
    check_page(&page);
    // An overview, four curves, two of probabilities and two heat maps, for a linear model has no layers; a table of rows,
    // of differences, of runs, two of probabilities, and two a row by label.
    assert_eq!(page.matches("<svg viewBox").count(), 1 + 4 + 2 + 2);
    assert_eq!(page.matches("<table").count(), 1 + 1 + 1 + 2 + 3 * 2);
    for figure in [
        "Test macro-F1",
        "Training loss over time",
        "Validation macro-F1 over steps",
        "ir, seed 1",
        "top 2, seed 1",
    ] {
        assert!(page.contains(&format!(">{figure}</title>")), "{figure}");
    }
    assert!(page.contains("tiny &lt;pairs&gt;") && !page.contains("tiny <pairs>"));
    assert!(page.contains("prefers-color-scheme: dark"));

    // Everything is done, and stays as it is.
    let again = sandbox.run("compare --out both").success();
    assert!(!again.error.contains("Run "), "{}", again.error);
    assert_eq!(json(&sandbox, "both/results.json"), results);
    let as_json = sandbox.run("compare --out both --report-only --json").success();
    assert_eq!(serde_json::from_str::<Value>(&as_json.out).unwrap(), results);
}

#[test]
fn with_a_reference_the_others_are_compared_with_it_alone() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&compare("--methods lisa,full,ir --seeds 1 --reference full --out out")).success();
    let results = json(&sandbox, "out/results.json");
    assert_eq!(results["arms"][1]["method"], "full");
    let pairs: Vec<[u64; 2]> = results["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|comparison| ["first", "second"].map(|arm| comparison[arm].as_u64().unwrap()))
        .collect();
    assert_eq!(pairs, [[1, 0], [1, 2], [1, 3]]);
    let said = sandbox.run("compare --out out --report-only --reference best");
    assert_eq!(said.code, Some(2));
    assert!(said.failure().contains("reference: there is no method `best`"), "{}", said.failure());
}

#[test]
fn runs_made_by_hand_are_cells_too() {
    let sandbox = Sandbox::with_base();
    fs::create_dir_all(sandbox.path("out/runs")).unwrap();
    let run = "out/runs/corpus.lisa.lora.seed-5";
    let other = "--save-every 2 --threads 1 --cache-states false";
    sandbox.run(&format!("train {DATA} {SETTINGS} --method lisa --seed 5 {other} --out {run}")).success();
    let path = sandbox.path(&format!("{run}/test_predictions.jsonl"));
    let kept = fs::read_to_string(&path).unwrap();
    assert_eq!(kept.lines().count(), 8);
    fs::remove_file(&path).unwrap();
    let said = sandbox.run(&compare("--methods lisa --seeds 5 --out out")).success();
    assert!(said.error.contains("classifying the test pairs, which the run did not keep"), "{}", said.error);
    assert!(!said.error.contains("Run 1"), "{}", said.error);
    // The whole test set is one window, so that it is computed as in the run.
    assert_eq!(fs::read_to_string(&path).unwrap(), kept);
}

#[test]
fn a_run_with_other_settings_is_refused() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&compare("--methods full --seeds 1 --out out")).success();
    let said = sandbox.run("compare --out out --set learning_rate=1e-3 --set max_steps=4");
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.failure());
    let text = fs::read_to_string(sandbox.path("test.jsonl")).unwrap();
    sandbox.write("other.jsonl", &text.replacen("ocean", "stream", 1));
    let said = sandbox.run("compare --out out --test other.jsonl");
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!("a_run_on_other_pairs_is_refused", said.failure());
    // What changes nothing about the result may change, and so may a copy of the file.
    sandbox.write("copy.jsonl", &text);
    sandbox.run("compare --out out --test copy.jsonl --threads 1 --save-every never").success();
    // New runs would be of other pairs than those that are there.
    sandbox.write("copy.jsonl", &text.replacen("ocean", "stream", 1));
    let said = sandbox.run("compare --out out --seeds 1,2");
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!("a_file_that_has_changed_is_named", said.failure());
    sandbox.write("test.jsonl", &text.replacen("ocean", "stream", 1));
    let said = sandbox.run("compare --out out --test test.jsonl").failure();
    assert!(
        said.contains("test.jsonl as it was then, asked for is") && said.contains("which has changed since"),
        "{said}"
    );
    sandbox.write("test.jsonl", &text);
    // To tell what came out no file is needed.
    for name in ["copy.jsonl", "train.jsonl"] {
        fs::remove_file(sandbox.path(name)).unwrap();
    }
    sandbox.run("compare --out out --report-only").success();
}

#[test]
fn a_prompt_and_words_that_have_changed_are_named() {
    let sandbox = Sandbox::with_base();
    sandbox.write("template.txt", "{labels}\n{original}\n{revised}\n");
    sandbox.write("words.json", r#"{"clarity": "plain"}"#);
    let words = "--objective words --prompt template.txt --label-words words.json";
    sandbox.run(&compare(&format!("--methods full --seeds 1 --out out {words}"))).success();
    sandbox.write("template.txt", "{labels}\n{revised}\n");
    sandbox.write("words.json", r#"{"clarity": "clear"}"#);
    let said = sandbox.run("compare --out out --seeds 1,2");
    assert_eq!(said.code, Some(2));
    for (key, file) in [("prompt", "template.txt"), ("label_words", "words.json")] {
        let told = format!(
            "its run has {key} = {file} as it was then, asked for is {file}, which has changed since"
        );
        assert!(said.failure().contains(&told), "{}", said.failure());
    }
}

#[test]
fn everything_wrong_is_said_before_anything_is_loaded() {
    let sandbox = Sandbox::with_base();
    sandbox.write(
        "wrong.toml",
        "base = \"base\"\nseeds = [1, 2]\n[settings]\nmax_step = 3\nrank = 0\n[[corpus]]\nname = \"a\"\ntrain = \
         \"train.jsonl\"\ntest = \"nowhere.jsonl\"\n[[method]]\nmethod = \"ir\"\nlayers = 3\n[[method]]\nmethod = \"best\"\n",
    );
    let before = sandbox.contents();
    let said = sandbox.run("compare --config wrong.toml --out out");
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.failure());
    // What only some methods have is no option of the linear model, nor said of one that isn't compared.
    let said = sandbox.run(&compare("--methods full --layers top:1 --seeds 1 --out out")).failure();
    assert!(said.contains("method `full` has no option") && !said.contains("method `ir`"), "{said}");
    let said = sandbox.run(&compare("--methods full --seeds 18446744073709551615 --out out")).failure();
    assert!(said.contains("18446744073709551615 is not in"), "{said}");
    let said = sandbox.run("compare --out out --seeds 1,1");
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!("nothing_to_compare", said.failure());
    sandbox.write("broken.toml", "seeds = [1]\nmethods = [\"ir\"]\n");
    let said = sandbox.run("compare --config broken.toml --out out");
    insta::assert_snapshot!("unknown_key_in_the_file", said.failure());
    sandbox.run(
        "compare --report-only --out nowhere --methods ir --train train.jsonl --test test.jsonl --base base",
    );
    fs::remove_file(sandbox.path("broken.toml")).unwrap();
    assert_eq!(sandbox.contents(), before);
}

#[cfg(unix)]
#[test]
fn interrupted_comparisons_go_on_as_if_nothing_had_been() {
    let settings = format!(
        "{DATA} --methods full --seeds 1,2 --rank 2 --max-length 400 --batch-size 2 --max-steps 120 --eval-every 40"
    );
    let sandbox = Sandbox::with_base();
    sandbox.run(&format!("compare {settings} --out whole")).success();
    let second = "runs/corpus.full.lora.seed-2";
    let steps = |out: &str| {
        let log = sandbox.path(&format!("{out}/{second}/metrics.jsonl"));
        fs::read_to_string(log).map_or(0, |text| text.lines().count())
    };
    let mut running = sandbox.start(&format!("compare {settings} --out stopped"));
    running.wait_for("Run 3 of 4");
    running.wait_for("after step 40:");
    running.interrupt();
    let (code, said) = running.finish();
    assert_eq!(code, Some(130), "{said}");
    let expected = format!(
        "interrupted after step {} of corpus.full.lora.seed-2; everything is saved\nhint: continue with\n  irtune \
         compare --out stopped\n",
        steps("stopped")
    );
    assert!(said.ends_with(&expected), "{said}");

    let partial = sandbox.run("compare --out stopped --report-only").success();
    assert!(partial.out.contains("2 runs are not finished"), "{}", partial.out);
    let said = sandbox.run("compare --out stopped").success();
    assert!(
        said.error.contains("Continuing after step") && said.error.contains("Run 3 of 4"),
        "{}",
        said.error
    );
    assert_eq!(steps("stopped"), 120);
    for run in [second, "runs/corpus.full.lora.seed-1"] {
        let bytes = |out: &str| adapter_bytes(&sandbox.path(out).join(run));
        assert_eq!(bytes("whole"), bytes("stopped"), "{run}");
        let predictions = |out: &str| {
            fs::read_to_string(sandbox.path(out).join(run).join("test_predictions.jsonl")).unwrap()
        };
        assert_eq!(predictions("whole"), predictions("stopped"), "{run}");
    }
}

#[test]
fn a_combined_cell_is_made_of_the_finished_one() {
    let sandbox = Sandbox::with_base();
    let definition = "base = \"base\"\nseeds = [1]\n[settings]\nmax_steps = 2\nrank = 2\nmax_length = 400\nwarmup_steps = 1\n\
                      precision = \"f32\"\n[[corpus]]\nname = \"a\"\ntrain = \"train.jsonl\"\nvalidation = \"validation.jsonl\"\n\
                      test = \"test.jsonl\"\n[[method]]\nmethod = \"ir\"\nstack = false\n[[method]]\nname = \"both\"\nmethod = \"ir\"\n";
    fs::write(sandbox.path("compare.toml"), definition).unwrap();
    sandbox.run("compare --config compare.toml --out out").success();
    let run = |method: &str| format!("out/runs/a.{method}.lora.seed-1");
    // Times would tell a second training from a copy.
    let read = |method: &str, file: &str| fs::read(sandbox.path(&run(method)).join(file)).unwrap();
    assert!(read("both", "metrics.jsonl") == read("ir", "metrics.jsonl"));
    let (alone, both) = (
        json(&sandbox, &format!("{}/summary.json", run("ir"))),
        json(&sandbox, &format!("{}/summary.json", run("both"))),
    );
    assert_eq!(alone["stack"], Value::Null);
    assert!(both["stack"]["test_alone"]["accuracy"].is_number());
    // It is what the comparison asks for: nothing is refused, and nothing is made again.
    let said = sandbox.run("compare --out out").success();
    assert!(!said.error.contains("Training"), "{}", said.error);
}
