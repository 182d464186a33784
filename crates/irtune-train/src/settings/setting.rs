//! What is known of a setting besides its value.

use super::{
    Adapter, Batches, BestMetric, ClassWeights, Every, Fold, HeadKind, MemoryLimit, Objective, Offsets,
    Recipe, TargetModules, Tune,
};
use crate::step::schedule::Schedule;
use irtune_model::{BottleneckActivation, BottleneckPlace, LoraInit, Patterns, Precision};
use std::borrow::Cow;
use strum::VariantNames;

/// What kind of value a setting takes when it is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text, paths included.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Switch,
    /// Words separated by commas.
    List,
    /// Words separated by commas, or another text.
    ListOrText,
    /// A whole number or a word.
    IntegerOrWord,
    /// A text; in a file also a table.
    TextOrTable,
    /// A number or a text, which a method reads.
    Plain,
}

/// The heading a setting is listed under, in the order of the headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::VariantArray)]
pub enum Group {
    /// Base, files and columns.
    Data,
    /// Which layers train.
    Method,
    /// What is set about the method.
    MethodOptions,
    /// The adapters.
    Adapter,
    /// Optimizer and schedule.
    Optimization,
    /// When to evaluate and save.
    Evaluation,
    /// Where it runs.
    Machine,
}

impl Group {
    /// The heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Data => "Base and data",
            Self::Method => "Method",
            Self::MethodOptions => "Options of the method",
            Self::Adapter => "Adapters",
            Self::Optimization => "Optimization",
            Self::Evaluation => "Evaluation and checkpoints",
            Self::Machine => "Machine",
        }
    }
}

/// The numbers that a setting can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// 1 or more.
    FromOne,
    /// 1 up to a number that no machine has room for beyond.
    FromOneTo(u64),
    /// Above 0; an example.
    Above(&'static str),
    /// 0 or more.
    FromZero,
    /// 0 up to a number that no run gets to.
    UpTo(u64),
    /// 0 or more, and what 0 means.
    FromZeroFor(&'static str),
    /// 0 or more and less than 1.
    Share,
}

impl Range {
    /// Whether a number is in the range.
    pub fn holds(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::FromOne => value >= 1.0,
                Self::FromOneTo(most) => (1.0..=most as f64).contains(&value),
                Self::UpTo(most) => (0.0..=most as f64).contains(&value),
                Self::Above(_) => value > 0.0,
                Self::FromZero | Self::FromZeroFor(_) => value >= 0.0,
                Self::Share => (0.0..1.0).contains(&value),
            }
    }

    /// The range in words.
    pub fn text(self) -> Cow<'static, str> {
        match self {
            Self::FromOne => "1 or more".into(),
            Self::FromOneTo(most) => format!("1 to {most}").into(),
            Self::UpTo(most) => format!("0 to {most}").into(),
            Self::Above(example) => format!("a number above 0, such as {example}").into(),
            Self::FromZero => "0 or more".into(),
            Self::FromZeroFor(meaning) => format!("0 ({meaning}) or more").into(),
            Self::Share => "0 or more and less than 1".into(),
        }
    }
}

/// One setting: everything that flags, environment variables, file keys, help, completions, the reference page and the
/// checks need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key in files and `--set`.
    pub name: &'static str,
    /// Its heading.
    pub group: Group,
    /// How its text is read.
    pub kind: Kind,
    /// The values there are, where they can be listed.
    pub choices: &'static [&'static str],
    /// The placeholder in help texts.
    pub placeholder: &'static str,
    /// One line of help, without the adapters that read it; `{choices}` stands for the choices.
    pub text: &'static str,
    /// The adapters that read it; empty when it is no setting of adapters.
    pub adapters: &'static [Adapter],
    /// The numbers that it can have.
    pub range: Option<Range>,
    /// Whether recipes say it.
    pub in_recipes: bool,
    /// Whether a run comes out the same whatever it is.
    pub without_effect: bool,
}

impl Setting {
    /// A setting of a text or list, such as a file.
    pub const fn new(
        name: &'static str,
        group: Group,
        kind: Kind,
        placeholder: &'static str,
        text: &'static str,
    ) -> Setting {
        Setting {
            name,
            group,
            kind,
            choices: &[],
            placeholder,
            text,
            adapters: &[],
            range: None,
            in_recipes: false,
            without_effect: false,
        }
    }

    /// The flag, without its dashes.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("IRTUNE_{}", self.name.to_ascii_uppercase())
    }

    /// The line of help: who reads it, and what it is.
    pub fn help(&self) -> String {
        let readers = match self.adapters {
            // What every adapter reads needs no list.
            [] | [_, _, _, _] => String::new(),
            adapters => adapters.iter().map(Adapter::to_string).collect::<Vec<_>>().join(", ") + ": ",
        };
        readers + &self.text.replace("{choices}", &listed(self.choices))
    }
}

/// Words as a sentence lists them.
fn listed(words: &[&str]) -> String {
    match words {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        words => words.concat(),
    }
}

/// A type of values that settings have.
pub(super) trait Value {
    /// How its text is read.
    const KIND: Kind;
    /// The values there are, where they can be listed.
    const CHOICES: &'static [&'static str] = &[];

    /// Its number, when it is one.
    fn number(&self) -> Option<f64> {
        None
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;
    const CHOICES: &'static [&'static str] = T::CHOICES;

    fn number(&self) -> Option<f64> {
        self.as_ref().and_then(T::number)
    }
}

macro_rules! values {
    ($($type:ty: $kind:ident $(, $choices:expr)?;)*) => {$(
        impl Value for $type {
            const KIND: Kind = Kind::$kind;
            $(const CHOICES: &'static [&'static str] = $choices;)?
        }
    )*};
}

impl Value for Every {
    const KIND: Kind = Kind::IntegerOrWord;

    fn number(&self) -> Option<f64> {
        match self {
            Every::Steps(steps) => Some(*steps as f64),
            Every::Epoch | Every::Never => None,
        }
    }
}

macro_rules! numbers {
    ($($type:ty: $kind:ident;)*) => {$(
        impl Value for $type {
            const KIND: Kind = Kind::$kind;

            fn number(&self) -> Option<f64> {
                Some(*self as f64)
            }
        }
    )*};
}

numbers! {
    usize: Integer;
    u64: Integer;
    f32: Number;
    f64: Number;
}

values! {
    String: Text;
    bool: Switch;
    TargetModules: ListOrText;
    Fold: Text;
    MemoryLimit: Text;
    ClassWeights: TextOrTable;
    Patterns<usize>: TextOrTable;
    Patterns<f32>: TextOrTable;
    Adapter: Text, Adapter::VARIANTS;
    Batches: Text, Batches::VARIANTS;
    BestMetric: Text, BestMetric::VARIANTS;
    HeadKind: Text, HeadKind::VARIANTS;
    Objective: Text, Objective::VARIANTS;
    Offsets: Text, Offsets::VARIANTS;
    Schedule: Text, Schedule::VARIANTS;
    Recipe: Text, Recipe::VARIANTS;
    Tune: Text, Tune::VARIANTS;
    LoraInit: Text, &["default", "pissa"];
    BottleneckActivation: Text, &["tanh", "relu", "gelu"];
    BottleneckPlace: Text, &["parallel", "serial"];
    Precision: Text, &["auto", "bf16", "int16", "int8", "f32"];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TrainSettings;

    #[test]
    fn choices_are_all_there_are() {
        let refused = |name: &str| {
            let text = format!("{name} = \"no such word\"");
            toml::from_str::<TrainSettings>(&text).map_err(|error| error.message().to_owned())
        };
        let with_choices = TrainSettings::SETTINGS.iter().filter(|setting| !setting.choices.is_empty());
        for Setting { name, choices, .. } in with_choices {
            let message = refused(name).unwrap_err();
            let (_, expected) = message.split_once("expected").unwrap_or_else(|| panic!("{message}"));
            let named: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            assert_eq!(named, *choices, "{name}: {message}");
        }
    }

    #[test]
    fn words_are_listed_as_a_sentence_does() {
        assert_eq!(listed(&["a", "b", "c"]), "a, b or c");
        assert_eq!(listed(&["a", "b"]), "a or b");
        assert_eq!((listed(&["a"]), listed(&[])), ("a".to_owned(), String::new()));
    }

    #[test]
    fn ranges_hold_what_they_say() {
        for (range, inside, outside) in [
            (Range::FromOne, [1.0, 7.0], [0.0, -1.0]),
            (Range::FromOneTo(7), [1.0, 7.0], [0.0, 8.0]),
            (Range::UpTo(7), [0.0, 7.0], [-1.0, 8.0]),
            (Range::Above("1"), [1e-9, 7.0], [0.0, f64::NAN]),
            (Range::FromZero, [0.0, 7.0], [-1e-9, f64::INFINITY]),
            (Range::FromZeroFor("none"), [0.0, 7.0], [-1e-9, f64::NAN]),
            (Range::Share, [0.0, 0.999], [1.0, -0.1]),
        ] {
            assert!(inside.into_iter().all(|value| range.holds(value)), "{range:?}");
            assert!(!outside.into_iter().any(|value| range.holds(value)), "{range:?}");
        }
    }
}
