//! The machine that the cases run on.

use std::path::PathBuf;
use std::{env, fs, thread};

use serde_json::{Value, json};

/// Cores the system gives to a program.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The user's folder for files that can be made again.
pub fn cache() -> Option<PathBuf> {
    let given = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    given.or_else(|| Some(env::home_dir()?.join(".cache")))
}

/// What results depend on. Virtual machines often name their processor in part only, so family and model stand beside.
pub fn describe() -> Value {
    json!({
        "cpu": processor("model name").unwrap_or_else(|| env::consts::ARCH.to_owned()),
        "cpu_family": processor("cpu family"),
        "cpu_model": processor("model"),
        "instruction_set": instruction_set(),
        "cores": cores(),
        "operating_system": env::consts::OS,
    })
}

/// The result file's name, without its ending: processor with its family and model, instruction set and cores.
pub fn file_name() -> String {
    let cpu = processor("model name").unwrap_or_else(|| env::consts::ARCH.to_owned());
    let [family, model] = ["cpu family", "model"].map(|key| processor(key).unwrap_or_default());
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let words = format!("{cpu} {family} {model} {} {} cores", instruction_set(), cores());
    let words: String = words.chars().map(plain).collect();
    words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

fn instruction_set() -> String {
    format!("{:?}", irtune_cpu::level())
}

/// A line of what Linux says of the first processor.
fn processor(key: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.trim(), value.trim()))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value.to_owned())
}
