//! ggml's types of tensors, by their numbers in files.

use irtune_device::Format;

/// A type of ggml's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorType {
    /// Its number in files.
    pub number: u32,
    /// ggml's name for it.
    pub name: &'static str,
    /// Values of a block, and its bytes.
    pub block: (usize, usize),
    /// How kernels read it, if they do.
    pub format: Option<Format>,
}

impl TensorType {
    /// The type of a number, if it is known here.
    pub fn of(number: u32) -> Option<Self> {
        let read = FORMATS.into_iter().find(|&(known, _)| known == number);
        let read = read.map(|(_, format)| (format.name(), format.block(), Some(format)));
        let other = || OTHERS.into_iter().find(|&(known, ..)| known == number);
        let found = read.or_else(|| other().map(|(_, name, block)| (name, block, None)));
        found.map(|(name, block, format)| Self { number, name, block, format })
    }

    /// The type that a format is written as.
    ///
    /// # Panics
    /// When the format is none of a GGUF's.
    pub fn of_format(format: Format) -> Self {
        let number = FORMATS.into_iter().find(|&(_, known)| known == format).map(|(number, _)| number);
        number.and_then(Self::of).unwrap_or_else(|| panic!("a GGUF holds no {}", format.name()))
    }

    /// Whether its values are whole numbers or 64-bit floats: no weight of a decoder is stored so.
    pub fn is_no_weight(self) -> bool {
        (24..=28).contains(&self.number)
    }

    /// Bytes of a row of `columns` values, or `None` when they don't fill whole blocks.
    pub(super) fn row_bytes(self, columns: usize) -> Option<usize> {
        let (values, bytes) = self.block;
        if columns.is_multiple_of(values) { (columns / values).checked_mul(bytes) } else { None }
    }
}

/// The types that kernels read.
const FORMATS: [(u32, Format); 16] = [
    (0, Format::F32),
    (1, Format::F16),
    (2, Format::Q4_0),
    (3, Format::Q4_1),
    (6, Format::Q5_0),
    (7, Format::Q5_1),
    (8, Format::Q8_0),
    (10, Format::Q2_K),
    (11, Format::Q3_K),
    (12, Format::Q4_K),
    (13, Format::Q5_K),
    (14, Format::Q6_K),
    (20, Format::IQ4_NL),
    (23, Format::IQ4_XS),
    (30, Format::Bf16),
    (39, Format::MXFP4),
];

/// The others, so that a message says what a file holds and its bytes are accounted for.
const OTHERS: [(u32, &str, (usize, usize)); 18] = [
    (9, "Q8_1", (32, 36)),
    (15, "Q8_K", (256, 292)),
    (16, "IQ2_XXS", (256, 66)),
    (17, "IQ2_XS", (256, 74)),
    (18, "IQ3_XXS", (256, 98)),
    (19, "IQ1_S", (256, 50)),
    (21, "IQ3_S", (256, 110)),
    (22, "IQ2_S", (256, 82)),
    (24, "I8", (1, 1)),
    (25, "I16", (1, 2)),
    (26, "I32", (1, 4)),
    (27, "I64", (1, 8)),
    (28, "F64", (1, 8)),
    (29, "IQ1_M", (256, 56)),
    (34, "TQ1_0", (256, 54)),
    (35, "TQ2_0", (256, 66)),
    (40, "NVFP4", (64, 36)),
    (41, "Q1_0", (128, 18)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_number_and_no_number_two_types() {
        for format in Format::ALL.into_iter().filter(|format| format.is_self_contained()) {
            let stored = TensorType::of_format(format);
            assert_eq!((stored.format, TensorType::of(stored.number)), (Some(format), Some(stored)));
        }
        let numbers = FORMATS.map(|(number, _)| number).into_iter().chain(OTHERS.map(|(number, ..)| number));
        let distinct: std::collections::HashSet<u32> = numbers.collect();
        assert_eq!(distinct.len(), FORMATS.len() + OTHERS.len());
    }
}
