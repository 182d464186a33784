//! The JSON at the beginning of a safetensors file.

use super::json;
use crate::random::Random;

/// Changes the header's values and writes its length anew; `None` when there is no header.
pub fn header(random: &mut Random, whole: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = whole.split_first_chunk::<8>()?;
    let (header, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let header = json::document(random, header)?;
    let length = (header.len() as u64).to_le_bytes();
    Some([&length[..], &header, data].concat())
}
