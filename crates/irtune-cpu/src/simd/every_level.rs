//! The one way in which tests run every instruction set of the machine.

use std::sync::{Mutex, PoisonError};

use super::level::{InstructionSet, Level, detect, limit};

/// Runs `work` once with every instruction set up to the machine's own, weakest first.
///
/// It is for tests: what a processor with AVX-512 computes is what users with AVX2 get. The limit holds for the whole
/// process, all of its threads included. Calls in several tests wait for each other.
pub fn at_every_level(mut work: impl FnMut(InstructionSet)) {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed in its turn left no state behind.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let _restored = Restored;
    for set in instruction_sets() {
        limit(set);
        work(set);
    }
}

/// Takes the limit away, also when a test panics.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        limit(detect());
    }
}

/// Every instruction set up to the machine's own; VNNI only beside AVX-512.
fn instruction_sets() -> impl Iterator<Item = InstructionSet> {
    let most = detect();
    let sets =
        Level::ALL.into_iter().flat_map(|level| [false, true].map(|vnni| InstructionSet { level, vnni }));
    sets.filter(move |set| {
        set.level <= most.level && (!set.vnni || (most.vnni && set.level >= Level::Avx512))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::level::{has_vnni, level};

    #[test]
    fn each_set_is_what_runs_and_the_machines_own_comes_last() {
        let mut seen = Vec::new();
        at_every_level(|set| {
            assert_eq!((level(), has_vnni()), (set.level, set.vnni));
            seen.push(set);
        });
        assert_eq!(seen.first(), Some(&InstructionSet { level: Level::Portable, vnni: false }));
        assert_eq!(seen.last(), Some(&detect()));
        assert!(seen.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_panic_takes_the_limit_away() {
        at_every_level(|_| {
            let failed = std::panic::catch_unwind(|| {
                let _restored = Restored;
                limit(InstructionSet { level: Level::Portable, vnni: false });
                panic!("a failing test");
            });
            assert!(failed.is_err());
            assert_eq!((level(), has_vnni()), (detect().level, detect().vnni));
        });
    }
}
