//! Reading a safetensors file's header.

use std::{collections::HashSet, fmt, path::Path};

use irtune_device::Format;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::{
    Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::{
    Tensor, WeightError,
    tensor::{Tensors, UnreadTensor},
};

/// Bytes that tell the header's length.
const LENGTH_BYTES: usize = 8;

/// The tensors of a whole file, which is the `file`-th of its model.
pub(crate) fn parse(bytes: &[u8], path: &Path, file: usize) -> Result<Tensors, WeightError> {
    let damaged = |source| WeightError::Safetensors { path: path.to_owned(), source };
    let (header_bytes, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let data_start = LENGTH_BYTES + header_bytes;
    if let Some(tensor) = repeated_name(&bytes[LENGTH_BYTES..data_start]).map_err(damaged)? {
        return Err(WeightError::Duplicate { path: path.to_owned(), tensor });
    }
    let mut tensors = Tensors::default();
    for (name, info) in metadata.tensors() {
        let (start, end) = info.data_offsets;
        let (shape, bytes) = (info.shape.clone(), data_start + start..data_start + end);
        let format = match info.dtype {
            Dtype::BF16 => Format::Bf16,
            Dtype::F16 => Format::F16,
            Dtype::F32 => Format::F32,
            Dtype::F8_E4M3 => Format::F8_E4M3,
            other => {
                tensors.unread.push(UnreadTensor { name, file, found: other.to_string(), bytes });
                continue;
            }
        };
        tensors.known.push(Tensor {
            name,
            shape,
            format,
            file,
            bytes,
            interleaved_head: None,
            scales: None,
            shift: 0.0,
        });
    }
    Ok(tensors)
}

/// A name that the header has twice: the crate would keep one of the two.
fn repeated_name(header: &[u8]) -> Result<Option<String>, SafeTensorError> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Option<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut seen, mut repeated) = (HashSet::new(), None);
            while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                if seen.contains(&name) {
                    repeated = Some(name);
                } else {
                    seen.insert(name);
                }
            }
            Ok(repeated)
        }
    }
    Ok(serde_json::Deserializer::from_slice(header).deserialize_map(Names)?)
}
