//! JSON whose values are changed, so that it stays JSON.

use serde_json::{Map, Value};

use super::bytes::NUMBERS;
use crate::random::Random;

/// Texts that mean something in the files that irtune reads.
const TEXTS: [&str; 22] = [
    "",
    "a",
    "\0",
    "\u{1b}[31m",
    "\u{feff}",
    "😀",
    "<|end|>",
    "LORA",
    "IA3",
    "SEQ_CLS",
    "linear",
    "llama3",
    "default",
    "gelu",
    "up_proj",
    "model.layers.0.mlp.up_proj.weight",
    "model.layers.99999999999.mlp.up_proj.weight",
    "../x",
    "/dev/zero",
    "F32",
    "I64",
    "step-00000002",
];

/// Names of fields that something is read from.
const FIELDS: [&str; 16] = [
    "bogus",
    "0",
    "1",
    "10",
    "rope_scaling",
    "rope_parameters",
    "head_dim",
    "use_dora",
    "layers_to_transform",
    "id2label",
    "data_offsets",
    "shape",
    "num_hidden_layers",
    "rank_pattern",
    "label",
    "labels",
];

/// A document with one or a few values changed; `None` when it is no JSON.
pub fn document(random: &mut Random, whole: &[u8]) -> Option<Vec<u8>> {
    let mut value = serde_json::from_slice(whole).ok()?;
    change(random, &mut value);
    Some(value.to_string().into_bytes())
}

/// Changes one value, or a few.
pub fn change(random: &mut Random, value: &mut Value) {
    let changes = if random.one_in(3) { 1 + random.below(3) } else { 1 };
    for _ in 0..changes {
        let mut number = random.below(count(value));
        if let Some(node) = nth(value, &mut number) {
            one(random, node);
        }
    }
}

/// Long lists and objects are changed near their beginning.
const LOOKED_AT: usize = 100;

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().take(LOOKED_AT).map(count).sum(),
        Value::Object(fields) => fields.values().take(LOOKED_AT).map(count).sum(),
        _ => 0,
    }
}

fn nth<'a>(value: &'a mut Value, number: &mut usize) -> Option<&'a mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    match value {
        Value::Array(values) => values.iter_mut().take(LOOKED_AT).find_map(|value| nth(value, number)),
        Value::Object(fields) => fields.values_mut().take(LOOKED_AT).find_map(|value| nth(value, number)),
        _ => None,
    }
}

fn one(random: &mut Random, value: &mut Value) {
    *value = match random.below(16) {
        0 => Value::Null,
        1 => random.one_in(2).into(),
        2..=4 => (*random.one_of(&NUMBERS)).into(),
        5 => (-1).into(),
        6 => (*random.one_of(&[0.5, -0.5, 1e308, 1e-320, 1e39, 0.0, -1e9])).into(),
        7 => (*random.one_of(&TEXTS)).into(),
        8 => Value::Array(Vec::new()),
        9 => Value::Object(Map::new()),
        10 => "x".repeat(5000).into(),
        _ => return within(random, value),
    };
}

/// Changes what the value holds, but not its kind.
fn within(random: &mut Random, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            let key = random.one_of(&keys);
            let field = if random.one_in(2) { fields.remove(key) } else { fields.get(key).cloned() };
            if let (Some(field), true) = (field, random.one_in(2)) {
                fields.insert((*random.one_of(&FIELDS)).to_owned(), field);
            }
        }
        Value::Array(values) if !values.is_empty() => {
            let at = random.below(values.len());
            match random.below(3) {
                0 => drop(values.remove(at)),
                1 => values.push(values[at].clone()),
                _ => values.truncate(at),
            }
        }
        Value::Number(number) => {
            if let Some(number) = number.as_i64() {
                *value = number.wrapping_add(*random.one_of(&[-2, -1, 1, 2])).into();
            }
        }
        Value::String(text) => *text = super::bytes::text(random, text),
        _ => {}
    }
}
