//! How the values of a matrix are stored.

/// How the values of a row are stored.
///
/// # Source
/// The quantised ones are GGML's, with scales in f16 (ggml `ggml-common.h`, `ggml-quants.c`). They have blocks of 32
/// neighbours along a row, or blocks of 256 in which 32 or 16 values have a smaller scale beside the block's.
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
    /// 22 bytes a block: scale d, 32 fifth bits, 16 bytes of nibbles; value d·(q − 16).
    Q5_0,
    /// 24 bytes a block: scale d, minimum m, 32 fifth bits, 16 bytes of nibbles; value d·q + m.
    Q5_1,
    /// 84 bytes for 256 values: 16 bytes with scale s and minimum n of 16 values, four bits each, two-bit codes q,
    /// scale d, minimum m; value d·s·q − m·n.
    Q2_K,
    /// 110 bytes for 256 values: third bits, two-bit codes, 16 six-bit scales s, scale d; value d·s·(q − 4).
    Q3_K,
    /// 144 bytes for 256 values: scale d, minimum m, 8 six-bit scales s and minima n, nibbles q; value d·s·q − m·n.
    Q4_K,
    /// 176 bytes for 256 values: as Q4_K with a fifth bit of each code before the nibbles.
    Q5_K,
    /// 210 bytes for 256 values: lower four bits, upper two bits, 16 signed bytes s, scale d; value d·s·(q − 32).
    Q6_K,
    /// 18 bytes a block: scale d, 16 bytes of nibbles that stand for the numbers in a table; value d·table\[q\].
    IQ4_NL,
    /// 136 bytes for 256 values: scale d, 8 six-bit scales s, nibbles; value d·s·table\[q\].
    IQ4_XS,
    /// 17 bytes a block: exponent e, 16 bytes of nibbles that are four-bit floats; value 2^(e − 127)·q.
    MXFP4,
    /// A byte a value, an eight-bit float; times a scale that lies beside the matrix (`ScaleGrid`).
    F8_E4M3,
    /// Four bits a value, in blocks of 64, the first of two in the upper half of a byte; a number of a table times a
    /// scale, which both lie beside the matrix (`ScaledBlocks`).
    Nf4,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 18] = [
        Format::F32,
        Format::F16,
        Format::Bf16,
        Format::Q8_0,
        Format::Q4_0,
        Format::Q4_1,
        Format::Q5_0,
        Format::Q5_1,
        Format::Q2_K,
        Format::Q3_K,
        Format::Q4_K,
        Format::Q5_K,
        Format::Q6_K,
        Format::IQ4_NL,
        Format::IQ4_XS,
        Format::MXFP4,
        Format::F8_E4M3,
        Format::Nf4,
    ];

    /// Whether a file of matrices alone says what the values are: no scales lie in other tensors.
    pub const fn is_self_contained(self) -> bool {
        !matches!(self, Format::F8_E4M3 | Format::Nf4)
    }

    /// Values of a block, and its bytes. A format without blocks has blocks of one value.
    pub const fn block(self) -> (usize, usize) {
        match self {
            Format::F32 => (1, 4),
            Format::F16 | Format::Bf16 => (1, 2),
            Format::F8_E4M3 => (1, 1),
            Format::Nf4 => (64, 32),
            Format::Q8_0 => (32, 34),
            Format::Q4_0 | Format::IQ4_NL => (32, 18),
            Format::Q4_1 => (32, 20),
            Format::Q5_0 => (32, 22),
            Format::Q5_1 => (32, 24),
            Format::MXFP4 => (32, 17),
            Format::Q2_K => (256, 84),
            Format::Q3_K => (256, 110),
            Format::Q4_K => (256, 144),
            Format::Q5_K => (256, 176),
            Format::Q6_K => (256, 210),
            Format::IQ4_XS => (256, 136),
        }
    }

    /// Where in a block its f16 numbers lie: the scale, and the minimum if it has one.
    pub const fn halves(self) -> &'static [usize] {
        match self {
            Format::Q8_0 | Format::Q4_0 | Format::Q5_0 | Format::IQ4_NL | Format::IQ4_XS => &[0],
            Format::Q4_1 | Format::Q5_1 | Format::Q4_K | Format::Q5_K => &[0, 2],
            Format::Q2_K => &[80, 82],
            Format::Q3_K => &[108],
            Format::Q6_K => &[208],
            Format::F32 | Format::F16 | Format::Bf16 | Format::MXFP4 | Format::F8_E4M3 | Format::Nf4 => &[],
        }
    }

    /// Bytes of a row of `columns` values, or `None` when they don't fill whole blocks.
    pub fn row_bytes(self, columns: usize) -> Option<usize> {
        let (values, bytes) = self.block();
        if columns.is_multiple_of(values) { (columns / values).checked_mul(bytes) } else { None }
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
            Format::Q5_0 => "Q5_0",
            Format::Q5_1 => "Q5_1",
            Format::Q2_K => "Q2_K",
            Format::Q3_K => "Q3_K",
            Format::Q4_K => "Q4_K",
            Format::Q5_K => "Q5_K",
            Format::Q6_K => "Q6_K",
            Format::IQ4_NL => "IQ4_NL",
            Format::IQ4_XS => "IQ4_XS",
            Format::MXFP4 => "MXFP4",
            Format::F8_E4M3 => "F8_E4M3",
            Format::Nf4 => "NF4",
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
        assert_eq!(Format::Q6_K.row_bytes(512), Some(420));
        assert_eq!(Format::Q6_K.row_bytes(288), None);
    }
}
