//! libFuzzer over what irtune reads in memory: it keeps what takes new ways through the program, and changes that further.
//!
//! The variable `TARGET` names what is read. Everything else is libFuzzer's own:
//!
//! ```text
//! cd crates/irtune-fuzz/coverage
//! cargo run -p irtune-fuzz --manifest-path ../Cargo.toml -- seeds /tmp/seeds
//! TARGET=pairs cargo run -- -rss_limit_mb=2048 -timeout=10 -runs=1000000 /tmp/found /tmp/seeds
//! ```
#![no_main]

#[path = "../../src/in_memory/mod.rs"]
mod in_memory;

use std::path::Path;
use std::sync::OnceLock;
use std::{env, panic, process};

use libfuzzer_sys::fuzz_target;

/// Reads bytes that errors call so.
type Read = fn(&Path, &[u8]) -> Result<(), String>;

/// Everything that is read.
const TARGETS: [(&str, Read); 8] = [
    ("chat", in_memory::chat),
    ("config", in_memory::config),
    ("documents", in_memory::documents),
    ("gguf", in_memory::gguf),
    ("pairs", in_memory::pairs),
    ("template", in_memory::template),
    ("tokenizer", in_memory::tokenizer),
    ("word", in_memory::word),
];

static READ: OnceLock<Read> = OnceLock::new();

/// Takes the target, and ends the process with every panic that is not contained.
fn start() {
    let asked = env::var("TARGET").unwrap_or_default();
    let Some((_, read)) = TARGETS.iter().find(|(name, _)| *name == asked) else {
        eprintln!("TARGET is none of {}", TARGETS.map(|(name, _)| name).join(", "));
        process::exit(2);
    };
    READ.get_or_init(|| *read);
    panic::set_hook(Box::new(|panic| {
        if !irtune_files::is_contained() {
            eprintln!("{panic}");
            process::abort();
        }
    }));
}

fuzz_target!(init: start(), |bytes: &[u8]| {
    let said = READ.get().map(|read| read(Path::new("fuzzed"), bytes));
    if let Some(Err(message)) = said {
        assert!(!message.trim().is_empty(), "a refusal that says nothing");
    }
});
