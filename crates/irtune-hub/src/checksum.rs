//! Whether a file is the one that was announced.

use std::{fmt::Write as _, fs::File, io, path::Path};

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChecksumError {
    /// The file is not the one announced.
    #[error("{file} arrived damaged ({kind} {found}, expected {expected})")]
    Damaged { file: String, kind: &'static str, expected: String, found: String },
    /// The file can't be read.
    #[error("{file}: {source}")]
    Unreadable { file: String, source: io::Error },
}

/// What a file must hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash<'a> {
    /// SHA-256 of its bytes.
    Sha256(&'a str),
    /// SHA-1 as git names a file: of `blob LENGTH`, a zero byte, and its bytes.
    GitBlob(&'a str),
}

impl<'a> Hash<'a> {
    /// A SHA-256, if the text is one.
    pub(crate) fn sha256(text: &'a str) -> Option<Self> {
        is_hexadecimal(text, 64).then_some(Self::Sha256(text))
    }

    /// Git's name of a file, if the text is one.
    pub(crate) fn git_blob(text: &'a str) -> Option<Self> {
        is_hexadecimal(text, 40).then_some(Self::GitBlob(text))
    }

    /// The hash in hexadecimal: nothing but letters and digits, so a file may be called so.
    pub(crate) fn text(self) -> &'a str {
        match self {
            Self::Sha256(text) | Self::GitBlob(text) => text,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::GitBlob(_) => "git's SHA-1",
        }
    }
}

fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Compares the hash of the file at `path` with the expected one; `file` is what messages call it.
pub(crate) fn verify(path: &Path, file: &str, expected: Hash<'_>) -> Result<(), ChecksumError> {
    let unreadable = |source| ChecksumError::Unreadable { file: file.to_owned(), source };
    let mut open = File::open(path).map_err(unreadable)?;
    let found = match expected {
        Hash::Sha256(_) => sha256(&mut open),
        Hash::GitBlob(_) => open.metadata().and_then(|found| git_blob(found.len(), &mut open)),
    };
    let found = found.map_err(unreadable)?;
    if found.eq_ignore_ascii_case(expected.text()) {
        return Ok(());
    }
    let (kind, expected) = (expected.kind(), expected.text().to_owned());
    Err(ChecksumError::Damaged { file: file.to_owned(), kind, expected, found })
}

/// SHA-256 of what is read.
pub(crate) fn sha256(from: &mut dyn io::Read) -> io::Result<String> {
    hash(Sha256::new(), from)
}

/// Git's name of a file of such a length.
pub(crate) fn git_blob(length: u64, from: &mut dyn io::Read) -> io::Result<String> {
    hash(Sha1::new_with_prefix(format!("blob {length}\0")), from)
}

fn hash(mut digest: impl Digest, file: &mut dyn io::Read) -> io::Result<String> {
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
    fn checksums_tell_a_changed_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        // FIPS 180-2's first example, and `printf abc | git hash-object --stdin`.
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let git = "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f";
        for expected in [Hash::sha256(sha256).unwrap(), Hash::git_blob(git).unwrap()] {
            std::fs::write(&path, b"abc").unwrap();
            verify(&path, "weights", expected).unwrap();
            std::fs::write(&path, b"abd").unwrap();
            let error = verify(&path, "weights", expected).unwrap_err();
            assert!(matches!(error, ChecksumError::Damaged { .. }), "{error}");
            let error = verify(&folder.path().join("nothing"), "nothing", expected).unwrap_err();
            assert!(matches!(error, ChecksumError::Unreadable { .. }), "{error}");
        }
    }

    #[test]
    fn what_is_no_hash_names_no_file() {
        assert_eq!(Hash::sha256("../up"), None);
        assert_eq!(Hash::git_blob(&"g".repeat(40)), None);
        assert_eq!(Hash::git_blob("abc"), None);
    }
}
