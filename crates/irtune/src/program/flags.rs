//! A command-line flag for each setting, made from the table; or for each option of a method alone.

use std::ffi::OsStr;
use std::marker::PhantomData;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser, ValueParser};
use clap::error::Error;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueHint};
use irtune::settings::{BASELINE_SETTINGS, Kind, SETTINGS, Setting, method_options};
use irtune_train::{Recipe, TrainSettings};
use toml::{Table, Value};

/// Settings, or options of a method, given as flags; in the order of the table.
#[derive(Debug, Default)]
pub struct Flags<C>(pub Vec<(&'static Setting, String)>, PhantomData<C>);

/// What a command takes as flags.
pub trait Choice {
    /// Of which settings there are flags.
    fn settings() -> impl Iterator<Item = &'static Setting>;

    /// The command with the flags.
    fn augmented(command: Command) -> Command;
}

impl<C: Choice + Default> FromArgMatches for Flags<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = given(C::settings(), matches);
        Ok(())
    }
}

impl<C: Choice + Default> Args for Flags<C> {
    fn augment_args(command: Command) -> Command {
        C::augmented(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        C::augmented(command)
    }
}

/// The one setting that a run may be given when it is continued: where its base lies now.
pub const BASE: &str = "base";

/// All settings.
#[derive(Debug, Default)]
pub struct All;

impl Choice for All {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter()
    }

    fn augmented(command: Command) -> Command {
        let defaults = Defaults::new();
        let flags = SETTINGS.iter().map(|setting| flag(setting, defaults.of(setting)));
        command.args(flags)
    }
}

/// All settings, of which the help names those of base and data: the others are those of `irtune train`.
#[derive(Debug, Default)]
pub struct Planned;

impl Choice for Planned {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter()
    }

    fn augmented(command: Command) -> Command {
        command.args(Self::settings().map(|setting| flag(setting, None).hide(!NAMED.contains(&setting.name))))
    }
}

/// The settings that all runs of a comparison share; not those that it varies itself.
#[derive(Debug, Default)]
pub struct Shared;

/// Of base and files: named in the help of commands whose other settings are those of `irtune train`.
const NAMED: [&str; 5] = ["base", "train", "validation", "test", "preset"];

/// What a comparison lists for itself.
const VARIED: [&str; 6] = ["method", "adapter", "seed", "train_size", "fold", "out"];

impl Choice for Shared {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(|setting| !VARIED.contains(&setting.name))
    }

    fn augmented(command: Command) -> Command {
        command.args(Self::settings().map(|setting| flag(setting, None).hide(!NAMED.contains(&setting.name))))
    }
}

/// The settings of a linear model.
#[derive(Debug, Default)]
pub struct Baseline;

impl Choice for Baseline {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(|setting| BASELINE_SETTINGS.contains(&setting.name))
    }

    fn augmented(command: Command) -> Command {
        let defaults = Defaults::new();
        command.args(Self::settings().map(|setting| flag(setting, defaults.of(setting)).help_heading(None)))
    }
}

/// The options of a method.
#[derive(Debug, Default)]
pub struct OfMethod;

impl Choice for OfMethod {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        method_options()
    }

    fn augmented(command: Command) -> Command {
        command.args(Self::settings().map(|setting| flag(setting, None)))
    }
}

/// The flags that were given, of these.
fn given(
    settings: impl Iterator<Item = &'static Setting>,
    matches: &ArgMatches,
) -> Vec<(&'static Setting, String)> {
    settings.filter_map(|setting| Some((setting, matches.get_one::<String>(setting.name)?.clone()))).collect()
}

fn flag(setting: &'static Setting, default: Option<String>) -> Arg {
    let help = match default {
        Some(default) => format!("{} [default: {default}]", setting.help()),
        None => setting.help(),
    };
    let flag = Arg::new(setting.name)
        .long(setting.flag())
        .value_name(setting.placeholder)
        .value_hint(hint(setting.placeholder))
        .value_parser(ValueParser::new(Proposed(setting.choices)))
        .hide_possible_values(true)
        .help(help)
        .help_heading(setting.group.heading());
    match setting.kind {
        // The flag alone says yes; what follows it may then be another flag.
        Kind::Switch => flag.num_args(0..=1).default_missing_value("true"),
        _ => flag.allow_hyphen_values(true),
    }
}

/// What a shell completes a value with.
fn hint(placeholder: &str) -> ValueHint {
    match placeholder {
        "FILE" => ValueHint::FilePath,
        "DIR" => ValueHint::DirPath,
        "BASE" | "PROMPT" | "WEIGHTS" => ValueHint::AnyPath,
        _ => ValueHint::Other,
    }
}

/// Takes any text and proposes some: what is wrong with settings is told later, all at once.
#[derive(Clone)]
struct Proposed(&'static [&'static str]);

impl TypedValueParser for Proposed {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        match self.0 {
            [] => None,
            choices => Some(Box::new(choices.iter().map(PossibleValue::new))),
        }
    }
}

/// The settings' defaults.
pub struct Defaults(Table);

impl Defaults {
    /// Those of training; base and data have none.
    pub fn new() -> Self {
        Self::of_recipe(Recipe::Default)
    }

    /// What a recipe says.
    pub fn of_recipe(recipe: Recipe) -> Self {
        Self(Table::try_from(TrainSettings::of(recipe)).unwrap_or_default())
    }

    /// A setting's default as it is written on the command line.
    pub fn of(&self, setting: &Setting) -> Option<String> {
        self.0.get(setting.name).map(plain)
    }
}

/// A value as it is written on the command line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        // A default of 0.05 kept in 32 bits must not show as 0.05000000074505806.
        Value::Float(number) => (*number as f32).to_string(),
        other => other.to_string(),
    }
}
