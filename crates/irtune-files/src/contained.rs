//! Readers that are not ours: a damaged file may make one panic.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How many calls of [`contained`] this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// What a panic says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked(String);

impl fmt::Display for Panicked {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One more call of [`contained`], for as long as it lives.
struct Inside;

impl Inside {
    fn new() -> Inside {
        DEPTH.set(DEPTH.get() + 1);
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// What another library makes of a file. Where it panics over what is in the file, that is an error as any other.
///
/// # Errors
/// What the panic says.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    let inside = Inside::new();
    let done = catch_unwind(AssertUnwindSafe(work));
    drop(inside);
    done.map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        Panicked(said.unwrap_or_default())
    })
}

/// Whether a panic of this thread would be contained. A program's panic hook asks this and says nothing then, since an
/// error will be told.
pub fn is_contained() -> bool {
    DEPTH.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_known_as_contained_while_it_happens() {
        assert_eq!(contained(is_contained), Ok(true));
        assert!(!is_contained());
        let said = contained(|| {
            if is_contained() {
                panic!("index {} out of range", 7)
            }
        });
        assert_eq!(said.unwrap_err().to_string(), "index 7 out of range");
        assert!(!is_contained(), "also after a panic");
        let inner = contained(|| {
            let _ = contained(|| panic!("inner"));
            is_contained()
        });
        assert_eq!(inner, Ok(true), "the outer one is still at work");
    }
}
