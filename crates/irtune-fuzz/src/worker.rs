//! A process that works through cases of a target, and ends with the first one that takes too much of anything.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use irtune::show::brief::brief;

use crate::message;
use crate::place::{CURRENT, Place};
use crate::random::Random;
use crate::target::{Cases, Target};

/// How long a case may take.
const LONGEST: Duration = Duration::from_secs(10);
/// The exit code of a worker whose case took longer.
pub const TOO_LONG: i32 = 77;

/// What the last panic said.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Works through the cases; says each finding in a line, and at the end how many were read and refused.
///
/// # Errors
/// When the place can't be read or written.
pub fn work(target: &Target, cases: Cases, folder: &Path, keep: Option<&Path>) -> anyhow::Result<()> {
    keep.map_or(Ok(()), fs::create_dir_all)?;
    let place = Place::open(folder, keep)?;
    panic::set_hook(Box::new(|panic| {
        if let Ok(mut last) = PANIC.lock() {
            *last = panic.to_string().replace('\n', " ");
        }
    }));
    let mut current =
        OpenOptions::new().write(true).create(true).truncate(true).open(folder.join(CURRENT))?;
    let watched = watch_time();
    let (mut read, mut kinds, mut found) = (0u64, BTreeSet::new(), BTreeSet::new());
    for case in cases.first..cases.first + cases.count {
        current.rewind()?;
        current.write_all(&case.to_le_bytes())?;
        watched.store(case + 1, Ordering::Relaxed);
        let mut random = Random::of(target.name, case);
        let said = panic::catch_unwind(AssertUnwindSafe(|| (target.run)(&place, &mut random)));
        let finding = match said {
            Ok(Ok(())) => {
                read += 1;
                None
            }
            Ok(Err(message)) => {
                kinds.insert(message::kind(&message));
                message::fault(&brief(&message), target.names_files)
                    .map(|fault| format!("{fault}: {message:?}"))
            }
            Err(_) => Some(PANIC.lock().map_or_else(|_| String::new(), |last| last.clone())),
        };
        // Each kind once: what is found is mended, and then looked for again.
        if let Some(finding) = finding.filter(|finding| found.insert(message::kind(finding))) {
            println!("finding {case} {}", finding.chars().take(600).collect::<String>());
        }
    }
    println!("done {read} {} {}", cases.count - read, kinds.len());
    Ok(())
}

/// Ends the process when the same case is at work for too long. The number is that of the case and one, 0 before the
/// first.
fn watch_time() -> &'static AtomicU64 {
    static CASE: AtomicU64 = AtomicU64::new(0);
    thread::spawn(|| {
        let (mut since, mut seen) = (Instant::now(), 0);
        loop {
            thread::sleep(Duration::from_millis(500));
            let now = CASE.load(Ordering::Relaxed);
            if now != seen {
                (since, seen) = (Instant::now(), now);
            } else if now > 0 && since.elapsed() > LONGEST {
                std::process::exit(TOO_LONG);
            }
        }
    });
    &CASE
}
