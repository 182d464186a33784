//! Files of text as other programs write them: editors of Windows put a byte order mark in front.

use std::io;
use std::path::Path;

/// What text in UTF-8 may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What stands in the place of a large file where Git LFS has not fetched it.
const LFS_POINTER: &[u8] = b"version https://git-lfs";

/// Confirms that these are the bytes of a file, and not the pointer that Git LFS puts in its place.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for a pointer.
pub fn check_fetched(bytes: &[u8]) -> io::Result<()> {
    match bytes.starts_with(LFS_POINTER) {
        false => Ok(()),
        true => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "this is a pointer of Git LFS, not the file itself; fetch the file with `git lfs pull`",
        )),
    }
}

/// The bytes of a file or a pipe, without a byte order mark.
///
/// # Errors
/// What the system says, and [`io::ErrorKind::InvalidData`] for text in UTF-16, which only a byte order mark tells, and for
/// a pointer of Git LFS.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = std::fs::read(path)?;
    check_fetched(&bytes)?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    } else if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this is text in UTF-16; save it as UTF-8"));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`], and [`io::ErrorKind::InvalidData`] for what is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read(path)?;
    let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, "this is no text in UTF-8; save it as UTF-8");
    String::from_utf8(bytes).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let text = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_text(&path).map_err(|error| error.to_string())
        };
        assert_eq!(text(b"\xEF\xBB\xBF{}"), Ok("{}".to_owned()));
        assert_eq!(text("é\u{FEFF}".as_bytes()), Ok("é\u{FEFF}".to_owned()));
        assert_eq!(text(b"\xFF\xFE{\0}\0"), Err("this is text in UTF-16; save it as UTF-8".to_owned()));
        let pointer =
            text(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n").unwrap_err();
        assert!(pointer.starts_with("this is a pointer of Git LFS"), "{pointer}");
        assert_eq!(text(b"\xE9"), Err("this is no text in UTF-8; save it as UTF-8".to_owned()));
        assert_eq!(read(&folder.path().join("b")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
