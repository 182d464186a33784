//! Writing a GGUF, tensor by tensor.

use std::{collections::BTreeMap, io, path::Path};

use irtune_device::{Format, WeightView};
use irtune_files::{Disk, replace_file};
use rayon::prelude::*;
use serde::Serialize;

use super::{QuantiseError, Scheme, encode::encode_row};
use crate::base::{
    gguf_files,
    weights::{
        WeightError,
        gguf::{Header, StoredTensor, TensorType},
        map,
    },
};

/// Keys that the new file has values of its own for.
const REWRITTEN: [&str; 2] = ["general.quantization_version", "general.file_type"];

/// The version of ggml's quantised types.
const QUANTISATION_VERSION: u32 = 2;

/// Values that are decoded at a time.
const VALUES_AT_ONCE: usize = 1 << 22;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quantised {
    /// Bytes of the file that was read.
    pub bytes_before: u64,
    /// Bytes of the file that was written.
    pub bytes: u64,
    /// How many tensors there are of each type.
    pub types: BTreeMap<&'static str, usize>,
}

/// A tensor of the new file.
struct Planned<'a> {
    from: &'a StoredTensor<'a>,
    /// The number of its type in the file.
    kind: u32,
    /// What it becomes; none if its bytes stay.
    format: Option<Format>,
    /// Bytes it will have.
    bytes: usize,
}

/// Reads a GGUF, or that of a folder with one, and writes its tensors in the types of a scheme, its metadata as they are.
/// `progress` is told how many bytes of how many are written.
///
/// Q8_0 counts as exact enough to be rounded again; other quantised types can only become F32, which holds their values.
///
/// # Errors
/// When the model can't be read or is rounded already, or the file can't be written.
pub fn quantise(
    model: &Path,
    out: &Path,
    scheme: Scheme,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Quantised, QuantiseError> {
    let files = if model.is_dir() { gguf_files(model) } else { vec![model.to_owned()] };
    let [model] = &files[..] else { return Err(QuantiseError::NoGguf { path: model.to_owned() }) };
    if model.canonicalize().ok().is_some_and(|model| out.canonicalize().is_ok_and(|out| out == model)) {
        return Err(QuantiseError::Itself { path: out.to_owned() });
    }
    let file = map(model)?;
    let header = Header::parse(&file, model).map_err(WeightError::from)?;
    let alignment = header.alignment;
    let planned = plan(&header, scheme)?;
    let start = header_bytes(&header, scheme, &planned);
    let room = |bytes: usize| bytes.next_multiple_of(alignment);
    let total = room(start.len()) + planned.iter().map(|tensor| room(tensor.bytes)).sum::<usize>();
    let written = replace_file(&Disk, out, &mut |writer| {
        let mut done = 0;
        let mut write = |bytes: &[u8]| -> io::Result<()> {
            writer.write_all(bytes)?;
            done += bytes.len();
            progress(done as u64, total as u64);
            Ok(())
        };
        write(&start)?;
        write(&vec![0; room(start.len()) - start.len()])?;
        for tensor in &planned {
            write_tensor(&header, tensor, &mut write)?;
            write(&vec![0; room(tensor.bytes) - tensor.bytes])?;
        }
        Ok(())
    });
    written?;
    let mut types = BTreeMap::new();
    for tensor in &planned {
        *types.entry(TensorType::of(tensor.kind).map_or("unknown", |stored| stored.name)).or_default() += 1;
    }
    Ok(Quantised { bytes_before: file.len() as u64, bytes: total as u64, types })
}

fn plan<'a>(header: &'a Header<'a>, scheme: Scheme) -> Result<Vec<Planned<'a>>, QuantiseError> {
    let has_output = header.tensor("output.weight").is_some();
    let layer = |tensor: &StoredTensor<'_>| {
        tensor.name.strip_prefix("blk.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok())
    };
    let layers = header.tensors.iter().filter_map(layer).max().map_or(0, |last| last + 1);
    let planned = header.tensors.iter().map(|tensor| {
        let unknown = || WeightError::ElementType {
            path: header.path().to_owned(),
            tensor: tensor.name.to_owned(),
            found: tensor.type_name(),
        };
        let stored = tensor.stored.ok_or_else(unknown)?;
        let is_output = tensor.name == if has_output { "output.weight" } else { "token_embd.weight" };
        let wanted = scheme.format_of(tensor.name, &tensor.shape, is_output, layers);
        let as_it_is = Planned { from: tensor, kind: tensor.kind, format: None, bytes: tensor.bytes.len() };
        let Some(wanted) = wanted else { return Ok(as_it_is) };
        let found = stored.format.ok_or_else(unknown)?;
        if found == wanted {
            return Ok(as_it_is);
        }
        let is_exact = wanted == Format::F32;
        if !is_exact && !matches!(found, Format::F32 | Format::F16 | Format::Bf16 | Format::Q8_0) {
            let (path, tensor) = (header.path().to_owned(), tensor.name.to_owned());
            return Err(QuantiseError::Rounded { path, tensor, found: found.name() });
        }
        let (columns, rows) = tensor.shape.split_last().expect("a matrix");
        let row_bytes = wanted.row_bytes(*columns).expect("a type whose blocks divide a row");
        let bytes = rows.iter().product::<usize>() * row_bytes;
        Ok(Planned { from: tensor, kind: TensorType::of_format(wanted).number, format: Some(wanted), bytes })
    });
    planned.collect()
}

/// Everything before the tensors' values, without the padding behind it.
fn header_bytes(header: &Header<'_>, scheme: Scheme, tensors: &[Planned<'_>]) -> Vec<u8> {
    const UNSIGNED: u32 = 4;
    let kept = header.metadata.entries().iter().filter(|(key, _)| !REWRITTEN.contains(key));
    let kept: Vec<_> = kept.collect();
    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend(((kept.len() + REWRITTEN.len()) as u64).to_le_bytes());
    for (key, value) in kept {
        push_text(key, &mut out);
        out.extend(*value);
    }
    for (key, value) in REWRITTEN.into_iter().zip([QUANTISATION_VERSION, scheme.file_type]) {
        push_text(key, &mut out);
        out.extend([UNSIGNED.to_le_bytes(), value.to_le_bytes()].as_flattened());
    }
    let mut offset = 0u64;
    for tensor in tensors {
        push_text(tensor.from.name, &mut out);
        out.extend((tensor.from.shape.len() as u32).to_le_bytes());
        out.extend(tensor.from.shape.iter().rev().flat_map(|&axis| (axis as u64).to_le_bytes()));
        out.extend(tensor.kind.to_le_bytes());
        out.extend(offset.to_le_bytes());
        offset += tensor.bytes.next_multiple_of(header.alignment) as u64;
    }
    out
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn write_tensor(
    header: &Header<'_>,
    tensor: &Planned<'_>,
    write: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let bytes = header.bytes(tensor.from);
    let (Some(format), Some(found)) = (tensor.format, tensor.from.stored.and_then(|stored| stored.format))
    else {
        return write(bytes);
    };
    let (columns, rows) = tensor.from.shape.split_last().expect("a matrix");
    let (columns, rows) = (*columns, rows.iter().product());
    let weight = WeightView { format: found, rows, columns, bytes, interleaved_head: None, scales: None };
    let at_once = (VALUES_AT_ONCE / columns).max(1);
    for first in (0..rows).step_by(at_once) {
        let encoded = (first..rows.min(first + at_once)).into_par_iter().map(|row| {
            let (mut values, mut out) = (vec![0.0; columns], Vec::new());
            weight.decode_row(row, &mut values);
            encode_row(format, &values, &mut out);
            out
        });
        write(&encoded.collect::<Vec<_>>().concat())?;
    }
    Ok(())
}
