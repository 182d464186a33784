//! Finds the ends of JSON values without reading them.

use crate::error::DataError;
use crate::reader::input::Input;

/// The next byte that is no blank.
///
/// # Errors
/// When reading fails.
pub(super) fn significant(input: &mut Input) -> Result<Option<u8>, DataError> {
    loop {
        match input.next_byte()? {
            Some(byte) if byte.is_ascii_whitespace() => {}
            other => return Ok(other),
        }
    }
}

/// The bytes of an object whose opening brace has been read, and whether it ends before the file does.
///
/// # Errors
/// When reading fails.
pub(super) fn object(input: &mut Input) -> Result<(Vec<u8>, bool), DataError> {
    let mut bytes = vec![b'{'];
    let (mut depth, mut in_text, mut escaped) = (1, false, false);
    while depth > 0 {
        let Some(byte) = input.next_byte()? else { return Ok((bytes, false)) };
        bytes.push(byte);
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    Ok((bytes, true))
}
