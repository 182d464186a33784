//! The merged tensors, made one by one as their file is written.

use std::{borrow::Cow, cell::RefCell, path::Path};

use half::bf16;
use irtune_files::write_file;
use safetensors::{Dtype, View};
use serde_json::{Map, json};

use super::{Changes, MergeError, Merged, MergedType, needs_own_class};
use crate::{
    base::Base,
    families::{Kind, Projection, Role},
    head::Head,
    parameters::WEIGHTS_HEAD_NAME,
    safetensors_file::write_tensors,
};

/// Where a tensor's values come from.
#[derive(Clone, Copy)]
enum Origin {
    Projection(usize, Projection),
    Bias(usize, Projection),
    Head,
    Other,
}

/// A tensor of the merged model, which is made when its bytes are asked for.
struct Lazy<'a> {
    base: &'a Base,
    changes: &'a Changes<'a>,
    stored: MergedType,
    name: String,
    shape: Vec<usize>,
    origin: Origin,
    done: &'a RefCell<Done<'a>>,
}

/// How far writing has come.
struct Done<'a> {
    bytes: u64,
    of: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

fn value_bytes(stored: MergedType) -> usize {
    match stored {
        MergedType::F32 => 4,
        MergedType::Bf16 => 2,
    }
}

/// The type's name in a transformers configuration.
pub(super) fn transformers_name(stored: MergedType) -> &'static str {
    match stored {
        MergedType::F32 => "float32",
        MergedType::Bf16 => "bfloat16",
    }
}

impl View for &Lazy<'_> {
    fn dtype(&self) -> Dtype {
        match self.stored {
            MergedType::F32 => Dtype::F32,
            MergedType::Bf16 => Dtype::BF16,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = match self.origin {
            Origin::Projection(layer, projection) => self.changes.matrix(self.base, layer, projection),
            Origin::Bias(layer, projection) => self.changes.bias(self.base, layer, projection),
            Origin::Head => self.changes.head(),
            Origin::Other => self.changes.other(self.base, &self.name),
        };
        let bytes: Vec<u8> = match self.stored {
            MergedType::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            MergedType::Bf16 => {
                values.iter().flat_map(|&value| bf16::from_f32(value).to_le_bytes()).collect()
            }
        };
        let mut done = self.done.borrow_mut();
        done.bytes += bytes.len() as u64;
        let (bytes_done, of) = (done.bytes, done.of);
        (done.progress)(bytes_done, of);
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * value_bytes(self.stored)
    }
}

/// Every tensor of the classifier in the order of the forward pass, with its shape.
fn tensors(base: &Base, head: &Head) -> Vec<(String, Vec<usize>, Origin)> {
    let config = &base.config;
    let outer = [Role::Embedding, Role::FinalNorm];
    let outer = outer.map(|role| (config.outer_tensor(role), Origin::Other)).into_iter();
    let layers = (0..config.layers).flat_map(|layer| {
        config.layer_tensors(layer).into_iter().map(move |tensor| {
            let origin = match (tensor.role, tensor.kind) {
                (Role::Projection(projection), Kind::Weight) => Origin::Projection(layer, projection),
                (Role::Projection(projection), Kind::Bias) => Origin::Bias(layer, projection),
                _ => Origin::Other,
            };
            ((tensor.name, tensor.shape), origin)
        })
    });
    let expected = outer.chain(layers).map(|((name, shape), origin)| (name, shape, origin));
    let head = (WEIGHTS_HEAD_NAME.to_owned(), head.shape(config.hidden_size), Origin::Head);
    expected.chain([head]).collect()
}

/// Divides tensors of these sizes, in their order, into files of at most `limit` bytes; a larger one has its own.
fn shards(sizes: impl Iterator<Item = u64>, limit: u64) -> Vec<usize> {
    let (mut counts, mut filled) = (vec![0], 0);
    for size in sizes {
        if filled > 0 && filled + size > limit {
            counts.push(0);
            filled = 0;
        }
        filled += size;
        *counts.last_mut().expect("never empty") += 1;
    }
    counts
}

/// Writes all tensors beside `config.json`, in files of at most `limit` bytes, with an index if they are several.
pub(super) fn write(
    folder: &Path,
    base: &Base,
    changes: &Changes<'_>,
    head: &Head,
    stored: MergedType,
    limit: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Merged, MergeError> {
    let done = RefCell::new(Done { bytes: 0, of: 0, progress });
    let lazy: Vec<Lazy<'_>> = tensors(base, head)
        .into_iter()
        .map(|(name, shape, origin)| Lazy { base, changes, stored, name, shape, origin, done: &done })
        .collect();
    let bytes = lazy.iter().map(|tensor| (&tensor).data_len() as u64).sum();
    done.borrow_mut().of = bytes;
    let counts = shards(lazy.iter().map(|tensor| (&tensor).data_len() as u64), limit);
    let (mut rest, mut places) = (lazy.as_slice(), Map::new());
    for (index, &count) in counts.iter().enumerate() {
        let name = match counts.len() {
            1 => "model.safetensors".to_owned(),
            files => format!("model-{:05}-of-{files:05}.safetensors", index + 1),
        };
        let (tensors, after) = rest.split_at(count);
        rest = after;
        let path = folder.join(&name);
        // A merged model of a composite one is that of its text part.
        let names = tensors.iter().map(|tensor| base.config.family.text_name(&tensor.name));
        let names: Vec<String> = names.collect();
        let views = names.iter().map(String::as_str).zip(tensors);
        write_tensors(views, &path).map_err(|source| MergeError::Serialize { path, source })?;
        places.extend(names.into_iter().map(|tensor| (tensor, name.clone().into())));
    }
    if counts.len() > 1 {
        let index = json!({"metadata": {"total_size": bytes}, "weight_map": places});
        let path = folder.join("model.safetensors.index.json");
        write_file(&path, format!("{index:#}\n").as_bytes())
            .map_err(|source| MergeError::Write { path, source })?;
    }
    let trust_remote_code = needs_own_class(base, &head.input);
    Ok(Merged { tensors: lazy.len(), bytes, files: counts.len(), trust_remote_code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_filled_up_to_the_limit() {
        assert_eq!(shards([4, 4, 4].into_iter(), 100), [3]);
        assert_eq!(shards([4, 4, 4, 2].into_iter(), 8), [2, 2]);
        assert_eq!(shards([9, 4, 9, 1].into_iter(), 8), [1, 1, 1, 1]);
        assert_eq!(shards([].into_iter(), 8), [0]);
    }
}
