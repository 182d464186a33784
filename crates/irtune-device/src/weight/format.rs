//! How the values of a matrix are stored.

use super::BLOCK;

/// How the values of a row are stored.
///
/// # Source
/// The quantised ones are GGML's: blocks of 32 neighbours along a row, scales in f16 (ggml `ggml-quants.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(non_camel_case_types, missing_docs)]
pub enum Format {
    F32,
    F16,
    Bf16,
    /// 34 bytes a block: scale d, 32 signed bytes q; value d·q.
    Q8_0,
    /// 18 bytes a block: scale d, 16 bytes of nibbles q; value d·(q − 8).
    Q4_0,
    /// 20 bytes a block: scale d, minimum m, 16 bytes of nibbles q; value d·q + m.
    Q4_1,
}

impl Format {
    /// Bytes of a row of `columns` values, or `None` when they don't fill whole blocks.
    pub fn row_bytes(self, columns: usize) -> Option<usize> {
        match self {
            Format::F32 => columns.checked_mul(4),
            Format::F16 | Format::Bf16 => columns.checked_mul(2),
            _ if !columns.is_multiple_of(BLOCK) => None,
            Format::Q8_0 => (columns / BLOCK).checked_mul(34),
            Format::Q4_0 => (columns / BLOCK).checked_mul(18),
            Format::Q4_1 => (columns / BLOCK).checked_mul(20),
        }
    }

    /// The format's usual name.
    pub fn name(self) -> &'static str {
        match self {
            Format::F32 => "F32",
            Format::F16 => "F16",
            Format::Bf16 => "BF16",
            Format::Q8_0 => "Q8_0",
            Format::Q4_0 => "Q4_0",
            Format::Q4_1 => "Q4_1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_quantised_format_fill_whole_blocks() {
        assert_eq!(Format::Q4_1.row_bytes(64), Some(40));
        assert_eq!(Format::Q8_0.row_bytes(33), None);
        assert_eq!(Format::F16.row_bytes(33), Some(66));
    }
}
