//! What chat templates expect around them: Jinja as transformers sets it up, and Python's methods.

use std::sync::{Arc, Mutex};

use minijinja::{
    Environment, Error, ErrorKind, Value,
    syntax::SyntaxConfig,
    value::{Kwargs, ValueKind},
};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::{ChatError, Message};

/// Steps that a template may take: far more than any needs, so that one that never ends is an error.
const STEPS: u64 = 10_000_000;

/// Renders a template.
pub(super) fn render(
    source: &str,
    special_tokens: &[(&'static str, String)],
    messages: &[Message],
    generation_prompt: bool,
) -> Result<String, ChatError> {
    let refusal = Arc::new(Mutex::new(None));
    let mut environment = environment(refusal.clone());
    let source = without_generation_marks(source);
    let failed = |error: Error| match refusal.lock().ok().and_then(|mut refusal| refusal.take()) {
        Some(says) => ChatError::Refused { says },
        None => ChatError::Template { line: error.line().unwrap_or(1), source: Box::new(error) },
    };
    environment.add_template("chat", &source).map_err(failed)?;
    let message = |message: &Message| {
        Value::from_pairs([("role", message.role.name()), ("content", message.content.as_str())])
    };
    let context = [
        ("messages", messages.iter().map(message).collect()),
        ("add_generation_prompt", generation_prompt.into()),
        ("tools", ().into()),
        ("documents", ().into()),
    ];
    let special = special_tokens.iter().map(|(name, token)| (*name, Value::from(token.as_str())));
    let context = Value::from_pairs(context.into_iter().chain(special));
    environment.get_template("chat").and_then(|template| template.render(context)).map_err(failed)
}

/// Jinja with transformers' settings. What a template raises is kept in `refusal`.
fn environment<'a>(refusal: Arc<Mutex<Option<String>>>) -> Environment<'a> {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_fuel(Some(STEPS));
    environment.set_unknown_method_callback(unknown_method_callback);
    environment.add_filter("tojson", to_json);
    environment.add_test("iterable", is_iterable);
    environment.add_function("strftime_now", date);
    environment.add_function("raise_exception", move |says: String| -> Result<Value, Error> {
        let error = Error::new(ErrorKind::InvalidOperation, says.clone());
        if let Ok(mut refusal) = refusal.lock() {
            refusal.get_or_insert(says);
        }
        Err(error)
    });
    environment
}

/// `{% generation %}` marks what an assistant said, for training on it alone. Nothing else depends on it.
fn without_generation_marks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let end = tag.find("%}").map_or(tag.len(), |end| end + 2);
        let (tag, after) = tag.split_at(end);
        out.push_str(&match tag.trim_matches(['{', '}', '%', '-', '+', ' ', '\n']) {
            "generation" => tag.replace("generation", "if true"),
            "endgeneration" => tag.replace("endgeneration", "endif"),
            _ => tag.to_owned(),
        });
        rest = after;
    }
    out + rest
}

/// Whether Python can walk through it: unlike here, not through None.
fn is_iterable(value: &Value) -> bool {
    use ValueKind::{Iterable, Map, Seq, String};
    matches!(value.kind(), Iterable | Map | Seq | String)
}

/// The fixed day, in Python's format.
fn date(format: &str) -> String {
    let parts = [
        ("%Y", "2024"),
        ("%y", "24"),
        ("%m", "07"),
        ("%B", "July"),
        ("%b", "Jul"),
        ("%d", "26"),
        ("%e", "26"),
        ("%j", "208"),
        ("%A", "Friday"),
        ("%a", "Fri"),
        ("%H", "00"),
        ("%M", "00"),
        ("%S", "00"),
    ];
    parts.iter().fold(format.to_owned(), |text, (code, value)| text.replace(code, value))
}

/// As Python's `json.dumps` writes it, letters as they are.
fn to_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    // Other options of Python's function change nothing about texts.
    let mut out = String::new();
    write_json(value, indent, 0, &mut out)?;
    Ok(out)
}

fn write_json(value: &Value, indent: Option<usize>, depth: usize, out: &mut String) -> Result<(), Error> {
    let line = |depth: usize, out: &mut String| {
        if let Some(indent) = indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent * depth));
        }
    };
    let between = if indent.is_some() { "," } else { ", " };
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            let mut empty = true;
            for (index, item) in value.try_iter()?.enumerate() {
                out.push_str(if index > 0 { between } else { "" });
                line(depth + 1, out);
                write_json(&item, indent, depth + 1, out)?;
                empty = false;
            }
            if !empty {
                line(depth, out);
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            let mut empty = true;
            for (index, key) in value.try_iter()?.enumerate() {
                out.push_str(if index > 0 { between } else { "" });
                line(depth + 1, out);
                out.push_str(&quoted(&key.to_string()));
                out.push_str(": ");
                write_json(&value.get_item(&key)?, indent, depth + 1, out)?;
                empty = false;
            }
            if !empty {
                line(depth, out);
            }
            out.push('}');
        }
        _ => out.push_str(&quoted(&value.to_string())),
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
