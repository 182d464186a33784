//! A command-line flag for each setting, made from the table; or for each option of a method alone.

use clap::error::Error;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use irtune_train::TrainSettings;
use toml::{Table, Value};

use super::{Kind, SETTINGS, Setting, table::method_options};

/// The settings given as flags, in the order of the table.
#[derive(Debug, Default)]
pub struct SettingFlags(pub Vec<(&'static Setting, String)>);

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = SETTINGS
            .iter()
            .filter_map(|setting| Some((setting, matches.get_one::<String>(setting.key)?.clone())))
            .collect();
        Ok(())
    }
}

impl Args for SettingFlags {
    fn group_id() -> Option<clap::Id> {
        Some("settings".into())
    }

    fn augment_args(command: Command) -> Command {
        let defaults = Table::try_from(TrainSettings::default()).unwrap_or_default();
        let flags = SETTINGS.iter().map(|setting| flag(setting, defaults.get(setting.key)));
        let keys = SETTINGS.iter().map(|setting| setting.key);
        command.args(flags).group(clap::ArgGroup::new("settings").args(keys).multiple(true))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The settings that all runs of a comparison share, given as flags; not those that it varies itself.
#[derive(Debug, Default)]
pub struct SharedFlags(pub Vec<(&'static Setting, String)>);

/// What a comparison lists for itself.
const VARIED: [&str; 6] = ["method", "adapter", "seed", "train_size", "fold", "out"];

impl SharedFlags {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(|setting| !VARIED.contains(&setting.key))
    }
}

impl FromArgMatches for SharedFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = Self::settings()
            .filter_map(|setting| Some((setting, matches.get_one::<String>(setting.key)?.clone())))
            .collect();
        Ok(())
    }
}

impl Args for SharedFlags {
    fn augment_args(command: Command) -> Command {
        // Base and files are named in the help; the others are those of `irtune train`.
        let named = ["base", "train", "validation", "test", "preset"];
        command.args(Self::settings().map(|setting| flag(setting, None).hide(!named.contains(&setting.key))))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The options of a method given as flags, in the order of the table.
#[derive(Debug, Default)]
pub struct MethodFlags(pub Vec<(&'static str, String)>);

impl FromArgMatches for MethodFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = method_options()
            .filter_map(|setting| Some((setting.key, matches.get_one::<String>(setting.key)?.clone())))
            .collect();
        Ok(())
    }
}

impl Args for MethodFlags {
    fn augment_args(command: Command) -> Command {
        command.args(method_options().map(|setting| flag(setting, None)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(setting: &'static Setting, default: Option<&Value>) -> Arg {
    let help = match default.map(plain) {
        Some(default) => format!("{} [default: {default}]", setting.help),
        None => setting.help.to_string(),
    };
    let flag = Arg::new(setting.key)
        .long(setting.flag())
        .value_name(setting.value)
        .help(help)
        .help_heading(setting.group.heading());
    match setting.kind {
        // The flag alone says yes; what follows it may then be another flag.
        Kind::Switch => flag.num_args(0..=1).default_missing_value("true"),
        _ => flag.allow_hyphen_values(true),
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
