//! Where a GGUF's tensors lie.

use std::{collections::HashSet, ops::Range, path::Path};

use irtune_device::Format;

use super::{GgufError, cursor::Cursor};

/// A tensor as the file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor<'a> {
    /// The file's own name for it.
    pub name: &'a str,
    /// Sizes of its axes, slowest first (a GGUF lists them the other way).
    pub shape: Vec<usize>,
    /// How its values are stored.
    pub format: Format,
    /// Where in the file.
    pub bytes: Range<usize>,
}

/// A tensor's entry in the header, as it stands there.
pub(super) struct Info<'a> {
    name: &'a str,
    /// Fastest axis first.
    axes: Vec<u64>,
    kind: u32,
    offset: u64,
}

pub(super) fn read_infos<'a>(cursor: &mut Cursor<'a>, count: u64) -> Result<Vec<Info<'a>>, GgufError> {
    let mut infos = Vec::new();
    let mut seen = HashSet::new();
    for _ in 0..count {
        let name = cursor.name()?;
        let (path, tensor) = (|| cursor.path().to_owned(), || name.to_owned());
        if !seen.insert(name) {
            return Err(GgufError::DuplicateTensor { path: path(), tensor: tensor() });
        }
        let dimensions = cursor.clone().u32()?;
        if !(1..=4).contains(&dimensions) {
            return Err(GgufError::Dimensions { path: path(), tensor: tensor(), dimensions });
        }
        cursor.u32()?;
        let axes = (0..dimensions).map(|_| cursor.u64()).collect::<Result<_, _>>()?;
        infos.push(Info { name, axes, kind: cursor.u32()?, offset: cursor.u64()? });
    }
    Ok(infos)
}

/// Turns entries into byte ranges that lie in the file and apart from each other.
pub(super) fn locate<'a>(
    infos: Vec<Info<'a>>,
    data_start: usize,
    alignment: usize,
    length: usize,
    path: &Path,
) -> Result<Vec<StoredTensor<'a>>, GgufError> {
    let mut tensors = Vec::new();
    for info in infos {
        let (path, tensor) = (|| path.to_owned(), || info.name.to_owned());
        let format = format(info.kind).ok_or_else(|| GgufError::TensorType {
            path: path(),
            tensor: tensor(),
            found: type_name(info.kind),
        })?;
        let size = || GgufError::Size { path: path(), tensor: tensor(), axes: info.axes.clone() };
        let axes = info.axes.iter().map(|&axis| usize::try_from(axis).ok().filter(|&axis| axis > 0));
        let axes: Vec<usize> = axes.collect::<Option<_>>().ok_or_else(size)?;
        let (columns, rows) = (axes[0], &axes[1..]);
        let row_bytes = format.row_bytes(columns).ok_or_else(|| GgufError::Block {
            path: path(),
            tensor: tensor(),
            format: format.name(),
            columns,
        })?;
        let count =
            rows.iter().try_fold(row_bytes, |bytes, &axis| bytes.checked_mul(axis)).ok_or_else(size)?;
        let offset = usize::try_from(info.offset).ok().filter(|offset| offset.is_multiple_of(alignment));
        let offset = offset.ok_or_else(|| GgufError::Misaligned {
            path: path(),
            tensor: tensor(),
            offset: info.offset,
            alignment,
        })?;
        let start = data_start.checked_add(offset);
        let end = start.and_then(|start| start.checked_add(count)).filter(|&end| end <= length);
        let (Some(start), Some(end)) = (start, end) else {
            return Err(GgufError::OutOfBounds {
                path: path(),
                tensor: tensor(),
                offset: info.offset,
                bytes: count,
                length,
            });
        };
        let shape = axes.into_iter().rev().collect();
        tensors.push(StoredTensor { name: info.name, shape, format, bytes: start..end });
    }
    refuse_overlap(&tensors, path)?;
    Ok(tensors)
}

fn refuse_overlap(tensors: &[StoredTensor<'_>], path: &Path) -> Result<(), GgufError> {
    let mut order: Vec<_> = tensors.iter().collect();
    order.sort_by_key(|tensor| tensor.bytes.start);
    for pair in order.windows(2) {
        if pair[1].bytes.start < pair[0].bytes.end {
            let (tensor, other) = (pair[0].name.to_owned(), pair[1].name.to_owned());
            return Err(GgufError::Overlap { path: path.to_owned(), tensor, other });
        }
    }
    Ok(())
}

/// The formats that the kernels decode, by ggml's numbers.
fn format(kind: u32) -> Option<Format> {
    Some(match kind {
        0 => Format::F32,
        1 => Format::F16,
        2 => Format::Q4_0,
        3 => Format::Q4_1,
        8 => Format::Q8_0,
        30 => Format::Bf16,
        _ => return None,
    })
}

/// ggml's names of the others, so that a message says what the file holds.
fn type_name(kind: u32) -> String {
    let name = match kind {
        6 => "Q5_0",
        7 => "Q5_1",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => return format!("type {kind}"),
    };
    name.to_owned()
}
