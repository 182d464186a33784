//! Readers of binary files that are not ours: a damaged file may make one panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::DataError;

/// What a reader reads; if it panics, the error says that the file is damaged.
///
/// # Errors
/// Its own, and `damaged` after a panic, with what the panic says.
pub(super) fn contained<T>(
    work: impl FnOnce() -> Result<T, DataError>,
    damaged: impl FnOnce(String) -> DataError,
) -> Result<T, DataError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        Err(damaged(format!("the file is damaged ({})", said.unwrap_or_default())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_the_file() {
        let damaged = |reason| DataError::Parquet { file: "a.parquet".into(), reason };
        assert_eq!(contained(|| Ok(1), damaged).unwrap(), 1);
        let panicking = || if "a".len() == 1 { panic!("index out of range") } else { Ok(()) };
        let error = contained(panicking, damaged).unwrap_err().to_string();
        assert!(
            error.starts_with("a.parquet: this Parquet file can't be read: the file is damaged (index"),
            "{error}"
        );
    }
}
