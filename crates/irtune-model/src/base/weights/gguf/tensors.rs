//! Where a GGUF's tensors lie.

use std::{collections::HashSet, ops::Range, path::Path};

use super::{GgufError, TensorType, cursor::Cursor};

/// A tensor as the file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor<'a> {
    /// The file's own name for it.
    pub name: &'a str,
    /// Sizes of its axes, slowest first (a GGUF lists them the other way).
    pub shape: Vec<usize>,
    /// ggml's number of how its values are stored.
    pub kind: u32,
    /// What that number means, if it is known.
    pub stored: Option<TensorType>,
    /// Where in the file; nothing but the beginning, if the type isn't known.
    pub bytes: Range<usize>,
}

impl StoredTensor<'_> {
    /// The name of its type, or its number.
    pub fn type_name(&self) -> String {
        self.stored.map_or_else(|| format!("type {}", self.kind), |stored| stored.name.to_owned())
    }
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
        let stored = TensorType::of(info.kind);
        let size = || GgufError::Size { path: path(), tensor: tensor(), axes: info.axes.clone() };
        let axes = info.axes.iter().map(|&axis| usize::try_from(axis).ok().filter(|&axis| axis > 0));
        let axes: Vec<usize> = axes.collect::<Option<_>>().ok_or_else(size)?;
        let (columns, rows) = (axes[0], &axes[1..]);
        let row_bytes = stored.map_or(Ok(0), |stored| {
            let format = stored.name;
            let refused = || GgufError::Block { path: path(), tensor: tensor(), format, columns };
            stored.row_bytes(columns).ok_or_else(refused)
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
        tensors.push(StoredTensor { name: info.name, shape, kind: info.kind, stored, bytes: start..end });
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
