//! How K is cut into even parts.

use irtune_device::weight::BLOCK;

use super::integer::int16;

/// Values of a part of K when it is cut into parts of about `most` values, as even as blocks of weights allow.
pub(super) fn even_part(k: usize, most: usize) -> usize {
    k.div_ceil(k.div_ceil(most).max(1)).next_multiple_of(BLOCK)
}

/// Values of a quantisation group in 16 bits.
pub(super) fn int16_group(k: usize) -> usize {
    even_part(k, int16::MOST_GROUP)
}
