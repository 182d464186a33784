//! Merged values become plain settings, and everything wrong with them is found before anything is loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use irtune_data::{Columns, PromptChoice, is_pipe};
use irtune_hub::{ALIASES, HubModel, Reference};
use irtune_train::{
    Adapter, BaselineRequest, ClassWeights, HeadKind, LINEAR, Objective, Recipe, RunFolder, TrainRequest,
    TrainSettings, Tune,
};
use toml::{Table, Value};

use super::{Origin, Problem, Problems, SETTINGS, Sources};

/// What a training run needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The base model, not yet looked for.
    pub base: Reference,
    /// Training pairs.
    pub train: PathBuf,
    /// Validation pairs.
    pub validation: Option<PathBuf>,
    /// Test pairs.
    pub test: Option<PathBuf>,
    /// The run folder to make.
    pub out: PathBuf,
    /// Which columns mean what.
    pub columns: Columns,
    /// Everything about the training itself.
    pub training: TrainSettings,
}

impl Resolved {
    /// What these settings ask for, on the base that was found for them.
    pub fn request(&self, base: &Path) -> TrainRequest {
        TrainRequest {
            base: base.to_owned(),
            base_name: self.base.public_name(),
            train: self.train.clone().into(),
            validation: self.validation.clone().map(Into::into),
            test: self.test.clone().map(Into::into),
            columns: self.columns.clone(),
            out: self.out.clone(),
            settings: self.training.clone(),
        }
    }
}

impl Resolved {
    /// The linear model on the pairs of these settings.
    pub fn baseline_request(&self) -> BaselineRequest {
        BaselineRequest {
            train: self.train.clone().into(),
            validation: self.validation.clone().map(Into::into),
            test: self.test.clone().map(Into::into),
            columns: self.columns.clone(),
            out: self.out.clone(),
            draw: self.training.draw(),
        }
    }
}

/// The settings that a linear model reads.
pub const BASELINE_SETTINGS: [&str; 16] = [
    "train",
    "validation",
    "test",
    "out",
    "preset",
    "original_column",
    "revised_column",
    "label_column",
    "group_column",
    "id_column",
    "drop_labels",
    "drop_unlabelled",
    "validation_fraction",
    "train_size",
    "fold",
    "seed",
];

/// Resolves the sources of a linear model, which hold nothing but [`BASELINE_SETTINGS`].
///
/// # Errors
/// [`Problems`], everything that is wrong.
pub fn resolve_baseline(sources: Sources) -> Result<BaselineRequest, Problems> {
    let (values, problems) = sources.finish();
    let mut resolver = Resolver { values, problems, reads_files: true };
    let columns = resolver.columns();
    let draw = resolver.training().draw();
    let train = resolver.input("train", true);
    let validation = resolver.input("validation", false).map(Into::into);
    let test = resolver.input("test", false).map(Into::into);
    let out = resolver.out(LINEAR);
    debug_assert!(resolver.values.is_empty(), "settings that nothing reads: {:?}", resolver.values);
    match train {
        Some(train) if resolver.problems.is_empty() => {
            Ok(BaselineRequest { train: train.into(), validation, test, columns, out, draw })
        }
        _ => Err(Problems(resolver.problems)),
    }
}

/// Resolves merged sources.
///
/// # Errors
/// [`Problems`], everything that is wrong.
pub fn resolve(sources: Sources) -> Result<Resolved, Problems> {
    resolve_all(sources, true)
}

/// As [`resolve`], for a run that is finished: files that it has read may be gone.
///
/// # Errors
/// [`Problems`], everything else that is wrong.
pub fn resolve_finished(sources: Sources) -> Result<Resolved, Problems> {
    resolve_all(sources, false)
}

fn resolve_all(sources: Sources, reads_files: bool) -> Result<Resolved, Problems> {
    let (values, problems) = sources.finish();
    let mut resolver = Resolver { values, problems, reads_files };
    let columns = resolver.columns();
    let training = resolver.training();
    let base = resolver.base();
    let train = resolver.input("train", true);
    let validation = resolver.input("validation", false);
    let test = resolver.input("test", false);
    let out = resolver.out(&training.method);
    debug_assert!(resolver.values.is_empty(), "settings that nothing reads: {:?}", resolver.values);
    match (base, train) {
        (Some(base), Some(train)) if resolver.problems.is_empty() => {
            Ok(Resolved { base, train, validation, test, out, columns, training })
        }
        _ => Err(Problems(resolver.problems)),
    }
}

struct Resolver {
    values: BTreeMap<&'static str, (Value, Origin)>,
    problems: Vec<Problem>,
    /// Whether the files of pairs must be there.
    reads_files: bool,
}

impl Resolver {
    /// The text of a setting; another type of value is a problem.
    fn text(&mut self, key: &'static str) -> Option<(String, Origin)> {
        let (value, origin) = self.values.remove(key)?;
        match value {
            Value::String(text) => Some((text, origin)),
            other => {
                self.problems.push(Problem::at(&origin, format!("`{other}` is not a text")));
                None
            }
        }
    }

    fn base(&mut self) -> Option<Reference> {
        let Some((text, origin)) = self.text("base") else {
            let missing = Problem::of_all("no base model is given");
            self.problems.push(missing.hint("--base smollm2 is a small one to begin with"));
            return None;
        };
        match text.parse::<Reference>() {
            Ok(Reference::Path(path)) if !path.exists() => {
                let hint =
                    super::nearest(&text, ALIASES.iter().flat_map(|alias| alias.names.iter().copied()))
                        .map_or_else(|| by_slash(&text), |alias| format!("did you mean `{alias}`?"));
                let message = format!("there is no file or folder `{text}`");
                self.problems.push(Problem::at(&origin, message).hint(hint));
                None
            }
            Ok(reference) => Some(reference),
            Err(error) => {
                self.problems.push(Problem::at(&origin, error.to_string()));
                None
            }
        }
    }

    fn input(&mut self, key: &'static str, required: bool) -> Option<PathBuf> {
        let Some((text, origin)) = self.text(key) else {
            if required && !self.values.contains_key(key) {
                let missing = Problem::of_all(format!("no {key} file is given"));
                self.problems.push(missing.hint(format!("--{key} FILE")));
            }
            return None;
        };
        let path = PathBuf::from(&text);
        let Some(message) = no_file(&path).filter(|_| self.reads_files) else { return Some(path) };
        self.problems.push(Problem::at(&origin, message));
        None
    }

    fn out(&mut self, method: &str) -> PathBuf {
        let Some((text, origin)) = self.text("out") else {
            return unused(Path::new("runs"), method);
        };
        let path = PathBuf::from(&text);
        if text.is_empty() {
            self.problems.push(Problem::at(&origin, "an empty path is no folder's"));
        } else if let Err(error) = RunFolder::check_free(&path) {
            self.problems.push(Problem::at(&origin, error.to_string()));
        }
        path
    }

    fn columns(&mut self) -> Columns {
        let mut columns = Columns::default();
        if let Some((text, origin)) = self.text("preset") {
            match text.parse() {
                Ok(preset) => columns.preset = preset,
                Err(error) => self.problems.push(Problem::at(&origin, format!("{error}"))),
            }
        }
        let mut column = |key| self.text(key).map(|(text, _)| text);
        columns.original = column("original_column");
        columns.revised = column("revised_column");
        columns.label = column("label_column");
        columns.group = column("group_column");
        columns.id = column("id_column");
        if let Some((value, origin)) = self.values.remove("drop_labels") {
            match value.try_into() {
                Ok(labels) => columns.drop_labels = labels,
                Err(_) => self.problems.push(Problem::at(&origin, "is not a list of labels")),
            }
        }
        if let Some((value, _)) = self.values.remove("drop_unlabelled") {
            columns.drop_unlabelled = value.as_bool().unwrap_or_default();
        }
        columns
    }

    /// Each value is tried alone first, so that one bad value does not hide the next.
    fn training(&mut self) -> TrainSettings {
        let mut accepted = Table::new();
        let mut origins = BTreeMap::new();
        for setting in SETTINGS.iter().filter(|setting| TrainSettings::knows(setting.name)) {
            let Some((value, origin)) = self.values.remove(setting.name) else { continue };
            let alone = Table::from_iter([(setting.name.to_owned(), value.clone())]);
            match alone.try_into::<TrainSettings>() {
                Ok(_) => {
                    accepted.insert(setting.name.to_owned(), value);
                    origins.insert(setting.name, origin);
                }
                Err(error) => self.problems.push(Problem::at(&origin, error.message().trim().to_owned())),
            }
        }
        let mut settings = above_recipe(accepted);
        // Where weights train, the default adapter is none.
        if settings.tune == Tune::Weights && !origins.contains_key("adapter") {
            settings.adapter = Adapter::None;
        }
        if settings.objective == Objective::Words {
            for_words(&mut settings, |name| origins.contains_key(name));
        }
        // A name that is no prompt of ours is a file of the user's, which is read here to find its mistakes.
        if let Some(origin) = origins.get("prompt")
            && !settings.prompt.trim().is_empty()
            && !is_pipe(Path::new(&settings.prompt))
            && let Err(error) = PromptChoice::named_or_file(&settings.prompt)
        {
            self.problems.push(Problem::at(origin, error.to_string()));
        }
        if let Some(origin) = origins.get("class_weights")
            && !matches!(&settings.class_weights, ClassWeights::File(path) if is_pipe(path))
            && let Err(error) = settings.class_weights.clone().loaded()
        {
            let message = error.to_string();
            let rest = message.strip_prefix("class_weights: ").unwrap_or(&message);
            self.problems.push(Problem::at(origin, rest));
        }
        if let (Some(origin), Some((_, test))) = (origins.get("fold"), self.values.get("test")) {
            let message = format!("a part of the training pairs is the test set, but {test} is given too");
            self.problems.push(Problem::at(origin, message).hint("leave one of the two out"));
        }
        for problem in settings.problems() {
            // Its message begins with the setting's key; where that was written says more.
            let message = problem.to_string();
            let written = message.split_once(": ").and_then(|(key, rest)| Some((origins.get(key)?, rest)));
            self.problems.push(match written {
                Some((origin, rest)) => Problem::at(origin, rest),
                None => Problem::of_all(message),
            });
        }
        settings
    }
}

/// What was set, and for all else what the recipe says that was chosen.
fn above_recipe(set: Table) -> TrainSettings {
    let chosen = set.get("recipe").and_then(Value::as_str).and_then(|name| name.parse().ok());
    let recipe = TrainSettings::of(chosen.unwrap_or_default());
    let mut values = Table::try_from(&recipe).unwrap_or_default();
    // The number of steps wins over the share, but not that of a recipe over a share that somebody set.
    if set.contains_key("warmup_share") {
        values.remove("warmup_steps");
    }
    values.extend(set);
    values.try_into().unwrap_or(recipe)
}

/// What the default recipe says of a classifier does not fit a language model that answers: there is no head, and the
/// prompt has to ask. It is replaced where nobody has set it.
fn for_words(settings: &mut TrainSettings, set: impl Fn(&str) -> bool) {
    if !set("head") {
        settings.head = HeadKind::Pooled;
    }
    if !set("prompt") && settings.recipe == Recipe::Default {
        "changes".clone_into(&mut settings.prompt);
        if !set("max_length") {
            settings.max_length = 128;
        }
    }
}

/// What is wrong with a path that should be a file's or a pipe's.
pub fn no_file(path: &Path) -> Option<String> {
    let what = match path {
        path if path.as_os_str().is_empty() => return Some("an empty path is no file's".to_owned()),
        path if path.is_dir() => "is a folder, not a file",
        // A pipe will do as well.
        path if path.exists() => return None,
        _ => "there is no such file",
    };
    Some(format!("`{}`: {what}", path.display()))
}

fn by_slash(text: &str) -> String {
    match text.parse::<HubModel>() {
        Ok(model) => format!("a model on the Hugging Face hub is written {model}"),
        Err(_) => "a base is a folder, a .gguf file, smollm2, or hf:ORG/NAME[@REVISION]".to_owned(),
    }
}

/// The first `METHOD-N` in a folder that does not exist yet.
pub fn unused(folder: &Path, name: &str) -> PathBuf {
    (1u64..)
        .map(|number| folder.join(format!("{name}-{number}")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> TrainSettings {
        above_recipe(text.parse().unwrap())
    }

    #[test]
    fn what_is_set_stands_above_the_recipe() {
        assert_eq!(settings(""), TrainSettings::default());
        assert_eq!(settings("recipe = \"published\""), TrainSettings::of(Recipe::Published));
        let found = settings("recipe = \"published\"\nepochs = 2\nlayers = \"3\"\nmethod = \"fixed\"");
        let mut expected =
            TrainSettings { epochs: 2, method: "fixed".into(), ..TrainSettings::of(Recipe::Published) };
        expected.method_options.set("layers", "3");
        assert_eq!(found, expected);
    }

    #[test]
    fn a_language_model_that_answers_is_asked() {
        let words = |text: &str, set: &[&str]| {
            let mut settings = settings(&format!("objective = \"words\"\n{text}"));
            for_words(&mut settings, |name| set.contains(&name));
            (settings.head, settings.prompt, settings.max_length)
        };
        assert_eq!(words("", &[]), (HeadKind::Pooled, "changes".to_owned(), 128));
        let set = words("prompt = \"pair\"\nhead = \"edit\"", &["prompt", "head"]);
        assert_eq!(set, (HeadKind::Edit, "pair".to_owned(), TrainSettings::default().max_length));
        let published = words("recipe = \"published\"", &[]);
        assert_eq!(published, (HeadKind::Pooled, "instruction".to_owned(), 256));
    }

    #[test]
    fn a_share_that_is_set_wins_over_the_recipes_steps() {
        let warmup = |text: &str| settings(&format!("recipe = \"published\"\n{text}")).warmup(1000);
        assert_eq!(warmup(""), 100);
        assert_eq!(warmup("warmup_share = 0.2"), 200);
        assert_eq!(warmup("warmup_share = 0.2\nwarmup_steps = 7"), 7);
    }
}
