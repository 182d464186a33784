//! The layers that settings come from, merged into one table that remembers where each value was written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Kind, Problem, SETTINGS, Setting, nearest, setting};

/// Variables with our prefix that are no settings.
const OTHER_VARIABLES: &[&str] = &["IRTUNE_CACHE"];

/// Whether an environment variable would be read as a setting.
pub fn is_setting_variable(name: &str) -> bool {
    name.starts_with("IRTUNE_") && !OTHER_VARIABLES.contains(&name)
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A key of a settings file.
    File(PathBuf, String),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
    /// `--set`.
    Set(String),
    /// A key of a section of a comparison.
    Section(String, String),
    /// Chosen by the command itself.
    Command,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, key) => write!(formatter, "{}, {key}", path.display()),
            Self::Variable(name) => write!(formatter, "environment variable {name}"),
            Self::Flag(name) => write!(formatter, "--{name}"),
            Self::Set(text) => write!(formatter, "--set {text}"),
            Self::Section(section, key) => write!(formatter, "{section}, {key}"),
            Self::Command => formatter.write_str("this command"),
        }
    }
}

/// The merged layers.
#[derive(Debug, Default)]
pub struct Sources {
    values: BTreeMap<&'static str, (Value, Origin)>,
    problems: Vec<Problem>,
}

impl Sources {
    /// Values that a command prefers to the general defaults.
    pub fn prefer(&mut self, values: Table) {
        for (key, value) in values {
            self.take(&key, value, Origin::Command);
        }
    }

    /// Values of a section of a comparison.
    pub fn section(&mut self, section: &str, values: Table) {
        for (key, value) in values {
            let origin = Origin::Section(section.to_owned(), key.clone());
            self.take(&key, value, origin);
        }
    }

    /// Reads a settings file.
    pub fn file(&mut self, path: &Path) {
        let origin = Origin::Flag("config".to_owned());
        let text = match irtune_files::read_text(path) {
            Ok(text) => text,
            Err(error) => {
                return self.problems.push(Problem::at(&origin, format!("{}: {error}", path.display())));
            }
        };
        match text.parse::<Table>() {
            Ok(table) => {
                for (key, value) in table {
                    let origin = Origin::File(path.to_owned(), key.clone());
                    self.take(&key, value, origin);
                }
            }
            Err(error) => {
                let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
                let message = format!("{}, line {line}: {}", path.display(), error.message());
                self.problems.push(Problem::at(&origin, message));
            }
        }
    }

    /// Takes those of some environment variables, by name and value, that have our prefix.
    pub fn variables<'a>(&mut self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) {
        for (name, text) in variables.into_iter().filter(|(name, _)| name.starts_with("IRTUNE_")) {
            let origin = Origin::Variable(name.to_owned());
            match SETTINGS.iter().find(|setting| setting.variable() == name) {
                Some(setting) => self.text(setting, text, origin),
                None if OTHER_VARIABLES.contains(&name) => {}
                None => {
                    let key = name["IRTUNE_".len()..].to_ascii_lowercase();
                    let meant = nearest(&key, SETTINGS.iter().map(|setting| setting.name));
                    let hint = meant.and_then(setting).map(Setting::variable);
                    self.unknown(Problem::at(&origin, "there is no such setting"), hint.as_deref());
                }
            }
        }
    }

    /// Takes a flag's value.
    pub fn flag(&mut self, setting: &'static Setting, text: &str) {
        self.text(setting, text, Origin::Flag(setting.flag()));
    }

    /// Takes a `KEY=VALUE` of `--set`.
    pub fn set(&mut self, assignment: &str) {
        let Some((key, text)) = assignment.split_once('=') else {
            let origin = Origin::Set(assignment.to_owned());
            return self.problems.push(Problem::at(&origin, "is not of the form KEY=VALUE"));
        };
        let (key, origin) = (key.trim(), Origin::Set(assignment.to_owned()));
        match setting(&key.replace('-', "_")) {
            Some(setting) => self.text(setting, text.trim(), origin),
            None => self.unknown_key(key, origin),
        }
    }

    /// Takes a value out, with where it was written.
    pub fn remove(&mut self, key: &str) -> Option<(Value, Origin)> {
        self.values.remove(key)
    }

    /// Adds a problem that a command sees.
    pub fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The merged values with their origins, and the problems met on the way.
    pub fn finish(self) -> (BTreeMap<&'static str, (Value, Origin)>, Vec<Problem>) {
        (self.values, self.problems)
    }

    fn text(&mut self, setting: &'static Setting, text: &str, origin: Origin) {
        match read(setting.kind, text) {
            Some(value) => self.keep(setting, value, origin),
            None => {
                let message = format!("`{text}` is not {}", expected(setting.kind));
                self.problems.push(Problem::at(&origin, message));
            }
        }
    }

    fn take(&mut self, key: &str, value: Value, origin: Origin) {
        match setting(key) {
            Some(setting) => self.keep(setting, value, origin),
            None => self.unknown_key(key, origin),
        }
    }

    fn keep(&mut self, setting: &'static Setting, value: Value, origin: Origin) {
        // `rank = 8` and `--set rank=8` mean the same number where a fraction is also allowed.
        let value = match (setting.kind, value) {
            (Kind::Number, Value::Integer(whole)) => Value::Float(whole as f64),
            (_, value) => value,
        };
        if !fits(setting.kind, &value) {
            let message = format!("`{value}` is not {}", expected(setting.kind));
            return self.problems.push(Problem::at(&origin, message));
        }
        let explicit = |origin: &Origin| matches!(origin, Origin::Flag(_) | Origin::Set(_));
        if let Some((_, before)) = self.values.get(setting.name)
            && explicit(before)
            && explicit(&origin)
        {
            self.problems.push(Problem::at(&origin, format!("is already given by {before}")));
        }
        self.values.insert(setting.name, (value, origin));
    }

    fn unknown_key(&mut self, key: &str, origin: Origin) {
        let meant = nearest(key, SETTINGS.iter().map(|setting| setting.name));
        self.unknown(Problem::at(&origin, format!("there is no setting `{key}`")), meant);
    }

    fn unknown(&mut self, problem: Problem, meant: Option<&str>) {
        let hint = meant.map_or("`irtune train --help` lists them all".to_owned(), |meant| {
            format!("did you mean `{meant}`?")
        });
        self.problems.push(problem.hint(hint));
    }
}

fn read(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text | Kind::TextOrTable | Kind::ListOrText | Kind::Plain => {
            Some(Value::String(text.to_owned()))
        }
        Kind::Integer => text.parse().ok().map(Value::Integer),
        Kind::Number => text.parse().ok().map(Value::Float),
        Kind::Switch => text.parse().ok().map(Value::Boolean),
        Kind::List => list(text).map(|words| Value::Array(words.into_iter().map(Value::from).collect())),
        Kind::IntegerOrWord => Some(text.parse().map_or_else(|_| Value::from(text), Value::Integer)),
    }
}

/// Words separated by commas, or a list in brackets. A word between double quotes may hold commas, and a quote in it is
/// written twice or, in brackets, as JSON has it.
fn list(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if let Ok(words) = serde_json::from_str::<Vec<String>>(text) {
        return Some(words);
    }
    let mut words = Vec::new();
    let mut rest = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let end = match rest.strip_prefix('"') {
            None => rest.find(',').unwrap_or(rest.len()),
            Some(quoted) => {
                // The first quote that has no other beside it.
                let mut quotes = quoted.match_indices('"').map(|(at, _)| at).peekable();
                let mut closing = None;
                while let Some(at) = quotes.next() {
                    if quotes.next_if_eq(&(at + 1)).is_none() {
                        closing = Some(at);
                        break;
                    }
                }
                closing? + 2
            }
        };
        let (word, behind) = rest.split_at(end);
        let word = match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
            Some(word) => word.replace("\"\"", "\""),
            None => word.trim().to_owned(),
        };
        if !word.is_empty() {
            words.push(word);
        }
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',') {
            Some(rest) => rest,
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    Some(words)
}

/// Whether a value of a file is of the type that a setting takes.
fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text => value.is_str(),
        Kind::TextOrTable => value.is_str() || value.is_table(),
        Kind::Integer => value.is_integer(),
        Kind::Number => value.is_float(),
        Kind::Switch => value.is_bool(),
        Kind::List => value.as_array().is_some_and(|values| values.iter().all(Value::is_str)),
        Kind::ListOrText => value.is_str() || fits(Kind::List, value),
        Kind::IntegerOrWord => value.is_integer() || value.is_str(),
        Kind::Plain => value.is_integer() || value.is_float() || value.is_str(),
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::TextOrTable => "a text or a table",
        Kind::IntegerOrWord => "a whole number or a word",
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Switch => "true or false",
        Kind::List => "a list of words",
        Kind::ListOrText => "a list of words or a text",
        Kind::Plain => "a number or a text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_list_may_hold_commas_between_quotes() {
        let words = |text: &str| list(text).map(|words| words.join("|"));
        for (text, expected) in [
            ("a,b", "a|b"),
            (" a , b c,", "a|b c"),
            ("[a, \"b\"]", "a|b"),
            ("\"a, b\",c", "a, b|c"),
            ("[\"a, b\", \"c\"]", "a, b|c"),
            ("[\"say \\\"hi\\\", a\"]", "say \"hi\", a"),
            ("\"say \"\"hi\"\"\"", "say \"hi\""),
            ("", ""),
        ] {
            assert_eq!(words(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["\"a", "\"a\"b,c"] {
            assert_eq!(words(text), None, "{text}");
        }
    }
}
