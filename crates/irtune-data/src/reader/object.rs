//! A JSON object whose values are kept as they are written, so that what nobody asks for is never looked at.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The members of a JSON object, in its order; names may repeat.
#[derive(Debug)]
pub(super) struct Object(pub Vec<(String, Box<RawValue>)>);

/// What an object has under a name or a path.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// Nothing.
    Absent,
    /// More than one member of the name.
    Repeated,
    /// The value, as it is written.
    Value(&'a RawValue),
}

impl Object {
    /// The value of a name, or of a path of names and places in lists, such as `data.text` or `choices.0`.
    pub fn find(&self, path: &str) -> Found<'_> {
        find(self.0.iter().map(|(name, value)| (name.as_str(), &**value)), path)
    }

    /// The names of all members; of objects also the paths of their members.
    pub fn paths(&self) -> Vec<String> {
        let paths = self.0.iter().flat_map(|(name, value)| match Members::of(value) {
            Some(members) if !members.0.is_empty() => {
                members.0.iter().map(|(inner, _)| format!("{name}.{inner}")).collect()
            }
            _ => vec![name.clone()],
        });
        paths.collect()
    }
}

fn find<'a: 'm, 'm>(members: impl Iterator<Item = (&'m str, &'a RawValue)> + Clone, path: &str) -> Found<'a> {
    let named = |name: &str| {
        let mut values = members.clone().filter(|(own, _)| *own == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Found::Absent,
            (Some(value), None) => Found::Value(value),
            (Some(_), Some(_)) => Found::Repeated,
        }
    };
    match named(path) {
        Found::Absent => {}
        found => return found,
    }
    for (dot, _) in path.match_indices('.') {
        match named(&path[..dot]) {
            Found::Value(value) => match within(value, &path[dot + 1..]) {
                Found::Absent => {}
                found => return found,
            },
            Found::Repeated => return Found::Repeated,
            Found::Absent => {}
        }
    }
    Found::Absent
}

/// What stands under a path below a value.
fn within<'a>(value: &'a RawValue, path: &str) -> Found<'a> {
    if let Some(members) = Members::of(value) {
        let members: Vec<(String, &RawValue)> = members.0;
        return find(members.iter().map(|(name, value)| (name.as_str(), *value)), path);
    }
    let (place, rest) = path.split_once('.').map_or((path, None), |(place, rest)| (place, Some(rest)));
    let entry = place.parse::<usize>().ok().and_then(|place| entries(value)?.into_iter().nth(place));
    match (entry, rest) {
        (None, _) => Found::Absent,
        (Some(entry), None) => Found::Value(entry),
        (Some(entry), Some(rest)) => within(entry, rest),
    }
}

/// The members of an object below a row.
pub(super) struct Members<'a>(pub Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Of a value; `None` when it is no object.
    pub fn of(value: &'a RawValue) -> Option<Members<'a>> {
        value.get().starts_with('{').then(|| serde_json::from_str(value.get()).ok()).flatten()
    }
}

/// The entries of a value; `None` when it is no list.
pub(super) fn entries(value: &RawValue) -> Option<Vec<&RawValue>> {
    value.get().starts_with('[').then(|| serde_json::from_str(value.get()).ok()).flatten()
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(Collect(PhantomData)).map(Object)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        deserializer.deserialize_map(Collect(PhantomData)).map(Members)
    }
}

/// Collects the members of an object, with values of a type.
struct Collect<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Collect<V> {
    type Value = Vec<(String, V)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
