//! Whether a file is the one that was announced.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChecksumError {
    /// The file is not the one announced.
    #[error("{file} arrived damaged (SHA-256 {found}, expected {expected})")]
    Damaged { file: String, expected: String, found: String },
    /// The file can't be read.
    #[error("{file}: {source}")]
    Unreadable { file: String, source: io::Error },
}

/// Compares a file's SHA-256 with the expected one.
pub(crate) fn verify(path: &Path, expected: &str) -> Result<(), ChecksumError> {
    let file = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = sha256(path).map_err(|source| ChecksumError::Unreadable { file: file(), source })?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(ChecksumError::Damaged { file: file(), expected: expected.to_owned(), found })
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    Ok(digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_tells_a_changed_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        std::fs::write(&path, b"abc").unwrap();
        // FIPS 180-2's first example.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        verify(&path, expected).unwrap();
        std::fs::write(&path, b"abd").unwrap();
        let error = verify(&path, expected).unwrap_err();
        assert!(matches!(error, ChecksumError::Damaged { .. }), "{error}");
        let error = verify(&folder.path().join("nothing"), "00").unwrap_err();
        assert!(matches!(error, ChecksumError::Unreadable { .. }), "{error}");
    }
}
