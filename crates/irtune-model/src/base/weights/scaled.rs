//! Matrices whose scales are tensors of their own: they are joined with them when files are opened.

use std::sync::Arc;

use irtune_device::{
    Format,
    weight::{BlockScales, MappedBytes, SCALED_BLOCK, ScaleGrid, ScaledBlocks, Scales},
};
use serde::Deserialize;

use super::{Tensor, UnreadTensor, WeightError, Weights};

/// Endings of numbers that belong to activations and caches, which stay as they are computed here.
const OF_ACTIVATIONS: [&str; 5] =
    [".activation_scale", ".input_scale", ".output_scale", ".k_scale", ".v_scale"];

/// What bitsandbytes says of a matrix, as JSON in a tensor of bytes.
#[derive(Deserialize)]
struct State {
    blocksize: usize,
    dtype: String,
    shape: Vec<usize>,
    nested_blocksize: Option<usize>,
    nested_offset: Option<f32>,
}

impl Weights {
    /// Joins matrices with their scales; `shared` is what the configuration says of how many values share one.
    ///
    /// # Errors
    /// When scales are missing, don't fit their matrix, or are of a type that isn't read.
    pub(super) fn with_scales(mut self, shared: Option<(usize, usize)>) -> Result<Self, WeightError> {
        let names = |format: Format| move |tensor: &&Tensor| tensor.format == format;
        let floats: Vec<String> =
            self.tensors().filter(names(Format::F8_E4M3)).map(|tensor| tensor.name.clone()).collect();
        for name in &floats {
            self.join_eight_bits(name, shared)?;
        }
        let codes: Vec<String> =
            self.unread.keys().filter(|name| self.state_of(name).is_some()).cloned().collect();
        for name in &codes {
            self.join_four_bits(name)?;
        }
        if !floats.is_empty() {
            let is_activations = |tensor: &Tensor| {
                tensor.shape.iter().product::<usize>() == 1
                    && OF_ACTIVATIONS.iter().any(|ending| tensor.name.ends_with(ending))
            };
            self.tensors.retain(|_, tensor| !is_activations(tensor));
        }
        Ok(self)
    }

    fn join_eight_bits(&mut self, name: &str, shared: Option<(usize, usize)>) -> Result<(), WeightError> {
        let candidates = ["_scale_inv", "_scale"].map(|ending| format!("{name}{ending}"));
        let has = |name: &&String| self.tensors.contains_key(*name) || self.unread.contains_key(*name);
        let Some(scale) = candidates.iter().find(has) else {
            return Err(self.no_scales(name, &candidates[0]));
        };
        let (values, grid) = (self.values(scale)?, self.tensor(scale)?.shape.clone());
        let tensor = self.tensor(name)?;
        let &[rows, columns] = &tensor.shape[..] else { return Err(self.shape(tensor, vec![0, 0])) };
        let shared = match grid[..] {
            [] | [1] | [1, 1] => (rows, columns),
            [of_rows] | [of_rows, 1] if of_rows == rows => (1, columns),
            [down, across] => {
                let shared = shared.unwrap_or((rows / down.max(1), columns / across.max(1)));
                let fits = shared.0 > 0
                    && shared.1 > 0
                    && (down, across) == (rows.div_ceil(shared.0), columns.div_ceil(shared.1));
                if fits { shared } else { return Err(self.bad_scales(name, scale)) }
            }
            _ => return Err(self.bad_scales(name, scale)),
        };
        let grid = ScaleGrid { values, shared, columns: columns.div_ceil(shared.1.max(1)) };
        if !grid.fits((rows, columns)) {
            return Err(self.bad_scales(name, scale));
        }
        self.tensors.remove(scale);
        let tensor = self.tensors.get_mut(name).expect("found before");
        tensor.scales = Some(Arc::new(Scales::Grid(grid)));
        Ok(())
    }

    /// The name of the tensor with what bitsandbytes says of a matrix.
    fn state_of(&self, name: &str) -> Option<String> {
        let of = |kind| format!("{name}.quant_state.bitsandbytes__{kind}");
        ["nf4", "fp4"].map(of).into_iter().find(|state| self.unread.contains_key(state))
    }

    fn join_four_bits(&mut self, name: &str) -> Result<(), WeightError> {
        let part = |ending: &str| format!("{name}.{ending}");
        let state_name = self.state_of(name).expect("found before");
        let state: State = serde_json::from_slice(self.unread_bytes(&self.unread[&state_name]))
            .map_err(|_| self.bad_scales(name, &state_name))?;
        let codes = self.unread[name].clone();
        let &[rows, columns] = &state.shape[..] else { return Err(self.bad_scales(name, &state_name)) };
        let rounded_to = match state.dtype.as_str() {
            "bfloat16" => Format::Bf16,
            "float16" => Format::F16,
            "float32" => Format::F32,
            _ => return Err(self.bad_scales(name, &state_name)),
        };
        let values = rows.checked_mul(columns).filter(|values| values / 2 == codes.bytes.len());
        let blocks =
            values.filter(|_| state.blocksize == SCALED_BLOCK && columns.is_multiple_of(SCALED_BLOCK));
        let blocks = blocks.ok_or_else(|| self.bad_scales(name, &state_name))? / SCALED_BLOCK;
        let table = <[f32; 16]>::try_from(self.values(&part("quant_map"))?)
            .map_err(|_| self.bad_scales(name, &part("quant_map")))?;
        let absmax = part("absmax");
        let scales = match self.unread.get(&absmax) {
            None => BlockScales::Plain(self.values(&absmax)?),
            Some(of_blocks) => {
                let nested_map = part("nested_quant_map");
                let table =
                    self.values(&nested_map)?.try_into().map_err(|_| self.bad_scales(name, &nested_map))?;
                let offset = state.nested_offset.filter(|_| state.nested_blocksize == Some(256));
                BlockScales::Nested {
                    codes: MappedBytes {
                        file: self.files[of_blocks.file].1.clone(),
                        range: of_blocks.bytes.clone(),
                    },
                    table,
                    scales: self.values(&part("nested_absmax"))?,
                    offset: offset.ok_or_else(|| self.bad_scales(name, &state_name))?,
                }
            }
        };
        if !scales.fit(blocks) {
            return Err(self.bad_scales(name, &absmax));
        }
        let UnreadTensor { file, bytes, .. } = codes;
        for ending in ["quant_map", "absmax", "nested_quant_map", "nested_absmax"] {
            self.tensors.remove(&part(ending));
            self.unread.remove(&part(ending));
        }
        self.unread.remove(&state_name);
        self.unread.remove(name);
        let scales = Some(Arc::new(Scales::Blocks(ScaledBlocks { table, scales, rounded_to })));
        let (format, shape) = (Format::Nf4, vec![rows, columns]);
        let joined = Tensor {
            name: name.to_owned(),
            shape,
            format,
            file,
            bytes,
            interleaved_head: None,
            scales,
            shift: 0.0,
        };
        self.tensors.insert(name.to_owned(), joined);
        Ok(())
    }

    fn unread_bytes(&self, tensor: &UnreadTensor) -> &[u8] {
        &self.files[tensor.file].1[tensor.bytes.clone()]
    }

    fn no_scales(&self, tensor: &str, scales: &str) -> WeightError {
        WeightError::NoScales {
            path: self.path_named(tensor),
            tensor: tensor.to_owned(),
            scales: scales.to_owned(),
        }
    }

    fn bad_scales(&self, tensor: &str, scales: &str) -> WeightError {
        WeightError::Scales {
            path: self.path_named(tensor),
            tensor: tensor.to_owned(),
            scales: scales.to_owned(),
        }
    }

    fn path_named(&self, tensor: &str) -> std::path::PathBuf {
        self.file_of(tensor).map(std::path::Path::to_owned).unwrap_or_default()
    }
}
