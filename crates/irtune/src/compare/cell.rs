//! The cells of a comparison: one run each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::definition::{Corpus, Definition, Entry, TrainSize};
use crate::settings::{Problem, Sources, method_options};
use irtune_train::LINEAR;

/// One run of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The name of its run folder.
    pub name: String,
    /// Name of the corpus.
    pub corpus: String,
    /// Name of the method's entry.
    pub method: String,
    /// Name of the adapter's entry.
    pub adapter: String,
    /// Number of training pairs.
    pub train_size: TrainSize,
    /// Which part of how many is the test set.
    pub fold: Option<(u64, u64)>,
    /// The seed.
    pub seed: u64,
    /// Whether it is the linear model.
    pub linear: bool,
    /// Settings with where they were written; later ones win.
    pub sections: Vec<(String, Table)>,
}

impl Cell {
    /// Its run folder in the comparison's.
    pub fn path(&self, out: &Path) -> PathBuf {
        out.join("runs").join(&self.name)
    }

    /// Its settings, to be resolved as those of any run.
    pub fn sources(&self) -> Sources {
        let mut sources = Sources::default();
        for (section, values) in &self.sections {
            sources.section(section, values.clone());
        }
        sources
    }
}

/// The adapter of a comparison that lists none.
const DEFAULT_ADAPTER: &str = "lora";

/// The most runs of a comparison. Its settings are checked and its folders looked through run by run before the first.
const MOST_RUNS: u64 = 10_000;

/// Where the settings that a comparison varies are written instead.
const VARIED: &[(&str, &str)] = &[
    ("seed", "the seeds are listed in `seeds`"),
    ("out", "the runs are written into the comparison's folder"),
    ("base", "the base is one for all cells, above the first section"),
    ("train_size", "the sizes are listed in `train_sizes`"),
    ("fold", "`folds` says how many there are"),
    (
        "multi_label",
        "a comparison is of pairs with one label; train each run by itself, and measure it with irtune eval",
    ),
];

/// All cells, those of the first seed first, so that methods can be compared early; or what is wrong.
///
/// # Errors
/// Every problem of the definition.
pub fn cells(definition: &Definition) -> Result<Vec<Cell>, Vec<Problem>> {
    let mut problems = Vec::new();
    let adapters = match definition.adapter.as_slice() {
        [] => vec![Entry { name: Some(DEFAULT_ADAPTER.to_owned()), ..Entry::default() }],
        listed => listed.to_vec(),
    };
    let methods = named(&definition.method, "method", &mut problems);
    let adapters = named(&adapters, "adapter", &mut problems);
    check(definition, &methods, &adapters, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let runs = most_runs(definition, methods.len(), adapters.len());
    if runs > MOST_RUNS {
        let message =
            format!("that would be {runs} runs, more than the {MOST_RUNS} that a comparison can have");
        let hint = "compare fewer folds, seeds, sizes, methods or adapters at a time";
        return Err(vec![Problem::of_all(message).hint(hint)]);
    }
    let sizes = match definition.train_sizes.as_slice() {
        [] => vec![TrainSize::All],
        sizes => sizes.to_vec(),
    };
    let folds: Vec<Option<(u64, u64)>> = match definition.folds {
        Some(folds) => (1..=folds).map(|fold| Some((fold, folds))).collect(),
        None => vec![None],
    };
    let mut cells = Vec::new();
    for &seed in &definition.seeds {
        for corpus in &definition.corpus {
            for &train_size in &sizes {
                for &fold in &folds {
                    let shared = Shared { definition, corpus, train_size, fold, seed };
                    for (method, method_entry) in &methods {
                        for (adapter, adapter_entry) in &adapters {
                            let runs = |entry: &Entry| {
                                entry.seeds.as_ref().is_none_or(|seeds| seeds.contains(&seed))
                            };
                            let go_together = allows(method_entry.adapters.as_deref(), adapter)
                                && allows(adapter_entry.methods.as_deref(), method);
                            if !(runs(method_entry) && runs(adapter_entry) && go_together) {
                                continue;
                            }
                            cells.push(shared.cell(
                                (method, adapter),
                                vec![
                                    (format!("method `{method}`"), method_entry.settings.clone()),
                                    (format!("adapter `{adapter}`"), adapter_entry.settings.clone()),
                                ],
                            ));
                        }
                    }
                    if cells.last().is_some_and(|cell| shared.holds(cell)) {
                        cells.push(shared.linear());
                    }
                }
            }
        }
    }
    let mut names = BTreeSet::new();
    for cell in &cells {
        if !names.insert(cell.name.as_str()) {
            let message = format!("two cells would be called {}", cell.name);
            problems
                .push(Problem::of_all(message).hint("names must differ in more than blanks, dots and case"));
        }
    }
    if cells.is_empty() {
        problems.push(Problem::of_all(
            "nothing is left to run: the entries' seeds, methods and adapters exclude each other",
        ));
    }
    if problems.is_empty() { Ok(cells) } else { Err(problems) }
}

/// How many runs a comparison has, if its entries exclude nothing.
fn most_runs(definition: &Definition, methods: usize, adapters: usize) -> u64 {
    let sizes = definition.train_sizes.len().max(1);
    let folds = definition.folds.unwrap_or(1);
    // With each of them comes the linear model.
    let kinds = methods.saturating_mul(adapters).saturating_add(1);
    let lists = [definition.seeds.len(), definition.corpus.len(), sizes, kinds];
    lists.into_iter().fold(folds, |runs, length| runs.saturating_mul(length as u64))
}

/// What the cells of a corpus, training size, fold and seed have in common.
struct Shared<'a> {
    definition: &'a Definition,
    corpus: &'a Corpus,
    train_size: TrainSize,
    fold: Option<(u64, u64)>,
    seed: u64,
}

impl Shared<'_> {
    /// The cell of a method and an adapter, which have these sections of settings.
    fn cell(&self, (method, adapter): (&str, &str), entries: Vec<(String, Table)>) -> Cell {
        let Shared { definition, corpus, train_size, fold, seed } = *self;
        let mut own = Table::from_iter([("seed".to_owned(), Value::Integer(seed as i64))]);
        if let Some(base) = &definition.base {
            own.insert("base".to_owned(), base.clone().into());
        }
        let mut corpus_settings = corpus.settings.clone();
        if let TrainSize::Pairs(pairs) = train_size {
            own.insert("train_size".to_owned(), Value::Integer(pairs as i64));
        }
        if let Some((fold, folds)) = fold {
            own.insert("fold".to_owned(), format!("{fold}/{folds}").into());
            // The fold is the test set.
            corpus_settings.remove("test");
        }
        let mut sections = vec![
            ("[settings]".to_owned(), definition.settings.clone()),
            (format!("corpus `{}`", corpus.name), corpus_settings),
        ];
        sections.extend(entries);
        sections.push(("the comparison".to_owned(), own));
        Cell {
            name: name(&corpus.name, method, adapter, train_size, fold, seed),
            corpus: corpus.name.clone(),
            method: method.to_owned(),
            adapter: adapter.to_owned(),
            train_size,
            fold,
            seed,
            linear: false,
            sections,
        }
    }

    /// The cell of the linear model, on the same pairs.
    fn linear(&self) -> Cell {
        let mut cell = Cell { linear: true, ..self.cell((LINEAR, ""), Vec::new()) };
        // It has no method of which there could be options.
        for (_, settings) in &mut cell.sections {
            settings.retain(|key, _| !method_options().any(|option| option.name == key));
        }
        cell
    }

    /// Whether a cell is of this corpus, training size, fold and seed.
    fn holds(&self, cell: &Cell) -> bool {
        cell.corpus == self.corpus.name
            && (cell.train_size, cell.fold, cell.seed) == (self.train_size, self.fold, self.seed)
    }
}

fn allows(restriction: Option<&[String]>, name: &str) -> bool {
    restriction.is_none_or(|names| names.iter().any(|allowed| allowed == name))
}

/// Entries with their names; an entry without a name is a problem.
fn named(entries: &[Entry], key: &str, problems: &mut Vec<Problem>) -> Vec<(String, Entry)> {
    let mut named: Vec<(String, Entry)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(label) = entry.label(key) else {
            let message = format!("[[{key}]] number {} has no name", index + 1);
            problems.push(Problem::of_all(message).hint(format!("give it a `name`, or a `{key}`")));
            continue;
        };
        if named.iter().any(|(other, _)| *other == label) {
            let message = format!("two {key}s are called `{label}`");
            problems.push(Problem::of_all(message).hint("give them different names"));
        }
        let mut entry = entry.clone();
        // A method's name is enough to name it.
        if key == "method" && !entry.settings.contains_key(key) && irtune_select::method(&label).is_ok() {
            entry.settings.insert(key.to_owned(), label.clone().into());
        }
        named.push((label, entry));
    }
    named
}

fn check(
    definition: &Definition,
    methods: &[(String, Entry)],
    adapters: &[(String, Entry)],
    problems: &mut Vec<Problem>,
) {
    let mut problem = |message: String, hint: &str| problems.push(Problem::of_all(message).hint(hint));
    if definition.method.is_empty() {
        problem("no method is given".to_owned(), "--methods ir,full, or a [[method]] for each");
    }
    if methods.iter().any(|(name, _)| name.to_lowercase() == LINEAR) {
        problem(
            format!("a method is called `{LINEAR}`, as is the row of the linear model"),
            "give it another name; every comparison has that row by itself",
        );
    }
    if definition.corpus.is_empty() {
        problem("no corpus is given".to_owned(), "--train FILE --test FILE, or a [[corpus]] for each");
    }
    if definition.seeds.is_empty() {
        problem("no seed is given".to_owned(), "seeds = [171, 172, 173]");
    }
    if let Some(seed) = repeated(&definition.seeds) {
        problem(format!("seed {seed} is listed twice"), "list it once");
    }
    if let Some(size) = repeated(&definition.train_sizes) {
        problem(format!("training size {size} is listed twice"), "list it once");
    }
    if definition.folds.is_some_and(|folds| folds < 2) {
        problem("folds: fewer than 2 are no cross-validation".to_owned(), "use 2 or more, or leave it out");
    }
    if let Some(reference) = &definition.reference
        && reference != LINEAR
        && !methods.iter().any(|(name, _)| name == reference)
    {
        let names: Vec<&str> = methods.iter().map(|(name, _)| name.as_str()).chain([LINEAR]).collect();
        let message = format!("reference: there is no method `{reference}`");
        problem(message, &format!("use one of {}", names.join(", ")));
    }
    let names: Vec<&str> = definition.corpus.iter().map(|corpus| corpus.name.as_str()).collect();
    if let Some(name) = repeated(&names) {
        problem(format!("two corpora are called `{name}`"), "give them different names");
    }
    for corpus in &definition.corpus {
        if definition.folds.is_none() && !corpus.settings.contains_key("test") {
            let message = format!("corpus `{}` has no test pairs", corpus.name);
            problem(message, "give it a `test` file, or compare over --folds 5");
        }
        if definition.folds.is_some() && corpus.settings.contains_key("test") {
            let message = format!("corpus `{}`: with folds each part is the test set once", corpus.name);
            problem(message, "leave `test` or `folds` out");
        }
    }
    let entries = |key: &'static str, entries: &[(String, Entry)]| {
        entries.iter().map(|(name, entry)| (format!("{key} `{name}`"), entry.clone())).collect::<Vec<_>>()
    };
    let (methods_entries, adapter_entries) = (entries("method", methods), entries("adapter", adapters));
    for (section, entry) in methods_entries.iter().chain(&adapter_entries) {
        for seed in entry.seeds.iter().flatten().filter(|seed| !definition.seeds.contains(seed)) {
            problem(format!("{section}: seed {seed} is not one of `seeds`"), "list it there too");
        }
        if entry.settings.get("method").is_none() && section.starts_with("method") {
            problem(format!("{section}: which method it is, is not said"), "add a `method`");
        }
    }
    for (of, restriction, known) in [
        (&methods_entries, (|entry: &Entry| entry.adapters.clone()) as fn(&Entry) -> _, adapters),
        (&adapter_entries, |entry: &Entry| entry.methods.clone(), methods),
    ] {
        for (section, entry) in of {
            let names = restriction(entry).unwrap_or_default();
            for name in names.iter().filter(|name| !known.iter().any(|(label, _)| label == *name)) {
                problem(
                    format!("{section}: there is no `{name}` to go with"),
                    "use the names of the entries",
                );
            }
        }
    }
    let mut elsewhere = vec![("[settings]".to_owned(), &definition.settings)];
    let entries = methods_entries.iter().chain(&adapter_entries);
    elsewhere.extend(entries.map(|(section, entry)| (section.clone(), &entry.settings)));
    for (section, settings) in &elsewhere {
        for key in ["train", "validation", "test"].into_iter().filter(|key| settings.contains_key(*key)) {
            problem(format!("{section}: `{key}` cannot be set here"), "it belongs to a [[corpus]]");
        }
    }
    let mut sections = vec![("[settings]".to_owned(), &definition.settings)];
    sections.extend(
        definition.corpus.iter().map(|corpus| (format!("corpus `{}`", corpus.name), &corpus.settings)),
    );
    for (section, settings) in &sections {
        for key in ["method", "adapter"].into_iter().filter(|key| settings.contains_key(*key)) {
            problem(format!("{section}: `{key}` is what is compared"), "list it as an entry of its own");
        }
    }
    sections.extend(
        methods_entries
            .iter()
            .chain(&adapter_entries)
            .map(|(section, entry)| (section.clone(), &entry.settings)),
    );
    for (section, settings) in &sections {
        for (key, instead) in VARIED.iter().filter(|(key, _)| settings.contains_key(*key)) {
            problem(format!("{section}: `{key}` cannot be set here"), instead);
        }
    }
}

fn repeated<T: PartialEq + Copy>(values: &[T]) -> Option<T> {
    values.iter().enumerate().find(|(index, value)| values[..*index].contains(value)).map(|(_, value)| *value)
}

/// `CORPUS.METHOD.ADAPTER[.n-SIZE][.fold-K].seed-SEED`; without an adapter `CORPUS.METHOD[…`.
fn name(
    corpus: &str,
    method: &str,
    adapter: &str,
    train_size: TrainSize,
    fold: Option<(u64, u64)>,
    seed: u64,
) -> String {
    let given = [corpus, method, adapter].into_iter().filter(|part| !part.is_empty());
    let mut parts: Vec<String> = given.map(file_safe).collect();
    if let TrainSize::Pairs(pairs) = train_size {
        parts.push(format!("n-{pairs}"));
    }
    if let Some((fold, _)) = fold {
        parts.push(format!("fold-{fold}"));
    }
    parts.push(format!("seed-{seed}"));
    parts.join(".")
}

/// Lower case; whatever is neither letter, digit, `_` nor `+` is a dash.
fn file_safe(name: &str) -> String {
    let safe = |character: char| {
        if character.is_alphanumeric() || "_+".contains(character) { character } else { '-' }
    };
    name.trim().to_lowercase().chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(text: &str) -> Definition {
        toml::from_str(text).unwrap()
    }

    const CORPUS: &str = "[[corpus]]\nname = \"Iterater\"\ntrain = \"train.jsonl\"\ntest = \"test.jsonl\"\n";

    fn names(text: &str) -> Vec<String> {
        cells(&definition(text)).unwrap().into_iter().map(|cell| cell.name).collect()
    }

    fn problems(text: &str) -> Vec<String> {
        cells(&definition(text)).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_are_file_safe_and_the_first_seed_comes_first() {
        let text = format!(
            "seeds = [171, 172]\n{CORPUS}[[method]]\nname = \"ir\"\n[[method]]\nname = \"Top 8\"\nmethod = \"fixed\"\n\
             layers = \"top:8\"\n"
        );
        assert_eq!(
            names(&text),
            [
                "iterater.ir.lora.seed-171",
                "iterater.top-8.lora.seed-171",
                "iterater.linear.seed-171",
                "iterater.ir.lora.seed-172",
                "iterater.top-8.lora.seed-172",
                "iterater.linear.seed-172",
            ]
        );
    }

    #[test]
    fn entries_are_restricted_to_seeds_methods_and_adapters() {
        let text = format!(
            "seeds = [1, 2]\n{CORPUS}[[method]]\nname = \"ir\"\n[[method]]\nname = \"full\"\n[[method]]\nname = \
             \"weights\"\nmethod = \"full\"\ntune = \"weights\"\nadapters = [\"none\"]\n[[adapter]]\nname = \
             \"lora\"\nmethods = [\"ir\", \"full\"]\n[[adapter]]\nadapter = \"dora\"\nmethods = [\"ir\"]\nseeds = [1]\n\
             [[adapter]]\nadapter = \"none\"\nmethods = [\"weights\"]\n"
        );
        assert_eq!(
            names(&text),
            [
                "iterater.ir.lora.seed-1",
                "iterater.ir.dora.seed-1",
                "iterater.full.lora.seed-1",
                "iterater.weights.none.seed-1",
                "iterater.linear.seed-1",
                "iterater.ir.lora.seed-2",
                "iterater.full.lora.seed-2",
                "iterater.weights.none.seed-2",
                "iterater.linear.seed-2",
            ]
        );
    }

    #[test]
    fn sizes_and_folds_only_set_their_keys() {
        let text = format!("folds = 2\ntrain_sizes = [50, \"all\"]\n{CORPUS}[[method]]\nname = \"ir\"\n");
        let both = cells(&definition(&text)).unwrap_err();
        let message = "corpus `Iterater`: with folds each part is the test set once";
        assert!(both.iter().any(|problem| problem.to_string().contains(message)), "{both:?}");
        let text = text.replace("test = \"test.jsonl\"\n", "");
        let cells = cells(&definition(&text)).unwrap();
        let names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "iterater.ir.lora.n-50.fold-1.seed-171",
                "iterater.linear.n-50.fold-1.seed-171",
                "iterater.ir.lora.n-50.fold-2.seed-171",
                "iterater.linear.n-50.fold-2.seed-171",
                "iterater.ir.lora.fold-1.seed-171",
                "iterater.linear.fold-1.seed-171",
                "iterater.ir.lora.fold-2.seed-171",
                "iterater.linear.fold-2.seed-171",
            ]
        );
        let merged =
            |cell: &Cell| cell.sections.iter().flat_map(|(_, values)| values.clone()).collect::<Table>();
        let (first, last) = (merged(&cells[0]), merged(&cells[6]));
        assert_eq!(first["train_size"].as_integer(), Some(50));
        assert_eq!(first["fold"].as_str(), Some("1/2"));
        assert_eq!(last.get("train_size"), None);
        assert_eq!(last["fold"].as_str(), Some("2/2"));
        assert_eq!(last.get("test"), None);
        assert_eq!(last["method"].as_str(), Some("ir"));
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        let found = problems(
            "seeds = [1, 1]\nfolds = 1\n[settings]\nmethod = \"ir\"\nseed = 3\ntest = \"a\"\n[[method]]\nlayers = \"top:8\"\n\
             [[method]]\nname = \"mine\"\nseeds = [9]\n[[adapter]]\nname = \"a\"\nmethods = [\"yours\"]\n",
        );
        for expected in [
            "[[method]] number 1 has no name",
            "no corpus is given",
            "seed 1 is listed twice",
            "folds: fewer than 2",
            "[settings]: `method` is what is compared",
            "[settings]: `seed` cannot be set here (the seeds are listed in `seeds`)",
            "[settings]: `test` cannot be set here (it belongs to a [[corpus]])",
            "method `mine`: seed 9 is not one of `seeds`",
            "method `mine`: which method it is, is not said",
            "adapter `a`: there is no `yours` to go with",
        ] {
            assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected}: {found:?}");
        }
        assert!(
            problems(&format!("{CORPUS}[[method]]\nname = \"ir\"\nadapters = []\n"))[0]
                .starts_with("nothing is left")
        );
        let same = format!("{CORPUS}[[method]]\nname = \"IR\"\nmethod = \"ir\"\n[[method]]\nname = \"ir\"\n");
        assert!(problems(&same)[0].starts_with("two cells would be called iterater.ir.lora.seed-171"));
        let linear = format!("{CORPUS}[[method]]\nname = \"linear\"\nmethod = \"ir\"\n");
        assert!(problems(&linear)[0].starts_with("a method is called `linear`"));
        let no_test = "[[corpus]]\nname = \"a\"\n[[method]]\nname = \"ir\"\n";
        assert!(problems(no_test)[0].starts_with("corpus `a` has no test pairs"));
    }
}
