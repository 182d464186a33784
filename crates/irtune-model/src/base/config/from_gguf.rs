//! Reading a GGUF's metadata.

use std::path::Path;

use irtune_device::{Format, WeightView};

use super::{ConfigError, MOST_LAYERS, ModelConfig};
use crate::{
    base::weights::gguf::{Header, LONG_FACTORS, Metadata, ROPE_FACTORS, StoredTensor, Value},
    families::{
        Family, Kind, LocalRotary, NormKind, Number, Projection, Quantity, QueryGrowth, Role, RopeScaling,
        Rotary, UnturnedLayers, Variant, Window, WindowedLayers,
    },
};

/// How many keys a position sees in layers with a window.
const WINDOW: &str = "attention.sliding_window";

impl ModelConfig {
    /// Reads the configuration of a decoder from a GGUF.
    ///
    /// # Errors
    /// When the file holds another architecture, lacks a size, or asks for a variant that isn't built.
    pub fn from_gguf(header: &Header<'_>) -> Result<Self, ConfigError> {
        const ARCHITECTURE: &str = "general.architecture";
        let (path, metadata) = (header.path(), &header.metadata);
        let file = Fields { path, metadata, prefix: String::new() };
        let name = file.text(ARCHITECTURE)?.unwrap_or("unnamed");
        let fields = Fields { path, metadata, prefix: format!("{name}.") };
        // A window of 0 stands for none.
        let window = fields.optional_count(WINDOW)?.filter(|&window| window > 0).map(|keys| keys as usize);
        let family = Family::by_architecture(name, window.is_some()).ok_or_else(|| {
            let (path, found) = (path.to_owned(), name.to_owned());
            ConfigError::Family { path, field: ARCHITECTURE, found }
        })?;
        if fields.optional_count("expert_count")?.unwrap_or(0) > 0 {
            return Err(fields.unsupported("expert_count", "no experts"));
        }
        let hidden_size = fields.size("embedding_length")?;
        let heads = fields.size("attention.head_count")?;
        let head_size = match fields.optional_size("attention.key_length")? {
            Some(head_size) => head_size,
            None if hidden_size.is_multiple_of(heads) => hidden_size / heads,
            None => {
                return Err(fields.wrong("attention.head_count", "a divisor of embedding_length"));
            }
        };
        const VALUES: &str = "attention.value_length";
        if fields.optional_size(VALUES)?.is_some_and(|size| size != head_size) {
            return Err(fields.unsupported(VALUES, "values as wide as keys"));
        }
        const TURNING: &str = "rope.dimension_count";
        let turning = fields.optional_size(TURNING)?.unwrap_or(head_size);
        if turning > head_size {
            return Err(fields.unsupported(TURNING, "no more than a head's width"));
        }
        let max_positions = fields.size("context_length")?;
        let embedding = family.outer_gguf_name(Role::Embedding);
        let embedding = header.tensor(&embedding).ok_or_else(|| file.missing(&embedding))?;
        const LAYERS: &str = "block_count";
        let layers = fields.size(LAYERS)?;
        if layers > MOST_LAYERS {
            return Err(fields.wrong(LAYERS, "at most 65536"));
        }
        let theta = fields.number("rope.freq_base")?.unwrap_or(10_000.0);
        let scaling = rope_scaling(&fields, header, max_positions)?;
        let query_growth = match (fields.number("attention.temperature_scale")?, &scaling) {
            (Some(beta), RopeScaling::Yarn { original_positions, .. }) if family.grows_queries => {
                Some(QueryGrowth { beta, original_positions: *original_positions })
            }
            _ => None,
        };
        let rotary = Rotary { size: turning, theta, scaling, query_growth };
        let mut variant = Variant::plain(rotary, layers, head_size);
        if let Some(LocalRotary { theta: default, .. }) = family.local_rotary {
            let theta = fields.number("rope.freq_base_swa")?.or(default).unwrap_or(theta);
            let scaling = RopeScaling::None;
            variant.local_rotary = Some(Rotary { size: head_size, theta, scaling, query_growth: None });
        }
        if let Some(UnturnedLayers { every, .. }) = family.unturned {
            let turned = variant.kinds.iter_mut().zip(1..);
            turned.for_each(|(kind, layer): (_, usize)| kind.rotary = !layer.is_multiple_of(every));
        }
        // Granite's files say so where no layer turns.
        if fields.flag("rope.scaling.finetuned")? == Some(false) {
            return Err(fields.unsupported("rope.scaling.finetuned", "rotary positions"));
        }
        if family.scales_embedding {
            variant.embedding_scale = (hidden_size as f32).sqrt();
        }
        read_numbers(&fields, family, (layers, hidden_size / heads), &mut variant)?;
        let has_bias =
            |projection: Projection| header.tensor(&family.gguf_name(0, projection, Kind::Bias)).is_some();
        variant.attention_bias = family.reads_biases.attention && has_bias(Projection::QProj);
        variant.mlp_bias = family.reads_biases.mlp && has_bias(Projection::GateProj);
        match (window, &family.window) {
            (Some(keys), Some(Window { layers: WindowedLayers::All, .. })) => {
                set_window(&fields, keys, None, &mut variant)?;
            }
            (Some(keys), Some(Window { layers: WindowedLayers::AllButEvery { every, .. }, .. })) => {
                set_window(&fields, keys, Some(*every), &mut variant)?;
            }
            (Some(keys), _) if keys < max_positions => {
                return Err(fields.unsupported(WINDOW, "every layer over the whole text"));
            }
            _ => {}
        }
        let epsilon = match (family.layer)(&variant, 0).norm {
            NormKind::Rms => "attention.layer_norm_rms_epsilon",
            NormKind::Layer => "attention.layer_norm_epsilon",
        };
        let config = Self {
            family,
            vocabulary_size: embedding.shape[0],
            hidden_size,
            intermediate_size: fields.size("feed_forward_length")?,
            layers,
            heads,
            key_value_heads: fields.optional_size("attention.head_count_kv")?.unwrap_or(heads),
            head_size,
            norm_epsilon: fields.number(epsilon)?.ok_or_else(|| fields.missing(epsilon))?,
            max_positions,
            initializer_range: 0.02,
            tied_embeddings: header.tensor(&family.outer_gguf_name(Role::LanguageHead)).is_none(),
            begin_token: file.token("tokenizer.ggml.bos_token_id")?,
            end_token: file.token("tokenizer.ggml.eos_token_id")?,
            pad_token: file.token("tokenizer.ggml.padding_token_id")?,
            variant,
        };
        config.checked(header.path())
    }
}

/// The values of a vector beside the weights.
fn vector(header: &Header<'_>, tensor: &StoredTensor<'_>) -> Result<Vec<f32>, ConfigError> {
    let format = tensor.stored.and_then(|stored| stored.format);
    let format = format.ok_or_else(|| ConfigError::Unsupported {
        path: header.path().to_owned(),
        field: tensor.name.to_owned(),
        value: tensor.type_name(),
        supported: Format::F32.name().to_owned(),
    })?;
    let (bytes, columns) = (header.bytes(tensor), tensor.shape.iter().product());
    let mut values = vec![0.0; columns];
    let (interleaved_head, scales) = (None, None);
    let weight = WeightView { format, rows: 1, columns, bytes, interleaved_head, transposed: false, scales };
    weight.decode_row(0, &mut values);
    Ok(values)
}

/// Numbers that the family has. Those that a file leaves out are as in a plain decoder, but for caps.
fn read_numbers(
    fields: &Fields<'_>,
    family: &Family,
    (layers, whole_width): (usize, usize),
    variant: &mut Variant,
) -> Result<(), ConfigError> {
    for Number { gguf, quantity, default, .. } in family.numbers {
        let given = gguf.map_or(Ok(None), |name| fields.number(name))?;
        let default = default.filter(|_| matches!(quantity, Quantity::ScoreCap | Quantity::LogitCap));
        let whole =
            matches!(quantity, Quantity::ScoreWidth { whole_at_layers } if *whole_at_layers == layers);
        if let Some(value) = given.or(whole.then_some(whole_width as f32)).or(default) {
            variant.set(*quantity, value);
        }
    }
    Ok(())
}

/// Gives the layers a window that the file names, or all but every so many-th.
fn set_window(
    fields: &Fields<'_>,
    keys: usize,
    every: Option<usize>,
    variant: &mut Variant,
) -> Result<(), ConfigError> {
    const PATTERN: &str = "attention.sliding_window_pattern";
    const EXPECTED: &str = "true or false for each layer";
    let layers = variant.kinds.len();
    let windowed = match fields.get(PATTERN) {
        Some(Value::Array(list)) => {
            let list: Option<Vec<bool>> = list.iter().map(|value| value.as_bool()).collect();
            list.filter(|list| list.len() == layers).ok_or_else(|| fields.wrong(PATTERN, EXPECTED))?
        }
        _ => {
            let every = fields.optional_size(PATTERN)?.or(every);
            (1..=layers).map(|layer| every.is_none_or(|every| !layer.is_multiple_of(every))).collect()
        }
    };
    variant.window = Some(keys);
    variant.kinds.iter_mut().zip(windowed).for_each(|(kind, windowed): (_, bool)| kind.windowed = windowed);
    Ok(())
}

fn rope_scaling(
    fields: &Fields<'_>,
    header: &Header<'_>,
    max_positions: usize,
) -> Result<RopeScaling, ConfigError> {
    const KIND: &str = "rope.scaling.type";
    let factor = match fields.number("rope.scaling.factor")? {
        Some(factor) => Some(factor),
        None => fields.number("rope.scale_linear")?,
    };
    if let Some(tensor) = header.tensor(ROPE_FACTORS) {
        return Ok(RopeScaling::Factors { factors: vector(header, tensor)? });
    }
    if let [Some(short), Some(long)] = LONG_FACTORS.map(|name| header.tensor(name)) {
        let original = fields.optional_size("rope.scaling.original_context_length")?;
        let original_positions = original.unwrap_or(max_positions);
        let attention_factor = fields.number("rope.scaling.attn_factor")?.unwrap_or_else(|| {
            RopeScaling::long_attention_factor(max_positions as f64, original_positions as f64)
        });
        let (short, long) = (vector(header, short)?, vector(header, long)?);
        return Ok(RopeScaling::Long { short, long, original_positions, attention_factor });
    }
    match fields.text(KIND)? {
        None | Some("linear") => Ok(match factor {
            Some(factor) if factor != 1.0 => RopeScaling::Linear { factor },
            _ => RopeScaling::None,
        }),
        Some("none") => Ok(RopeScaling::None),
        Some("yarn") => yarn(fields, factor),
        Some(_) => Err(fields.unsupported(KIND, "rotary scaling none, linear or yarn, or rope_freqs.weight")),
    }
}

/// As llama.cpp reads it: the ramp has whole ends, and of the two factors of transformers' logarithm one is 1.
fn yarn(fields: &Fields<'_>, factor: Option<f32>) -> Result<RopeScaling, ConfigError> {
    let factor = factor.ok_or_else(|| fields.missing("rope.scaling.factor"))?;
    let positions = fields.optional_size("rope.scaling.original_context_length")?;
    let attention_factor = match fields.number("rope.scaling.yarn_attn_factor")? {
        Some(given) => given,
        None => {
            let all = fields.number("rope.scaling.yarn_log_multiplier")?;
            RopeScaling::yarn_attention_factor(factor, all.map(|all| (1.0, all)))
        }
    };
    Ok(RopeScaling::Yarn {
        factor,
        original_positions: positions.map_or_else(|| fields.size("context_length"), Ok)?,
        beta_fast: fields.number("rope.scaling.yarn_beta_fast")?.unwrap_or(32.0),
        beta_slow: fields.number("rope.scaling.yarn_beta_slow")?.unwrap_or(1.0),
        attention_factor,
        truncate: true,
    })
}

/// Typed access to metadata whose file is named in errors.
struct Fields<'a> {
    path: &'a Path,
    metadata: &'a Metadata<'a>,
    /// Put before a field's name.
    prefix: String,
}

impl<'a> Fields<'a> {
    fn name(&self, field: &str) -> String {
        format!("{}{field}", self.prefix)
    }

    fn get(&self, field: &str) -> Option<&'a Value<'a>> {
        self.metadata.get(&self.name(field))
    }

    fn text(&self, field: &str) -> Result<Option<&'a str>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(field, "a string"))
    }

    fn flag(&self, field: &str) -> Result<Option<bool>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.wrong(field, "true or false"))
    }

    fn number(&self, field: &str) -> Result<Option<f32>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let number = value.as_float().map(|number| number as f32);
        let number = number.filter(|number| number.is_finite() && *number > 0.0);
        number.map(Some).ok_or_else(|| self.wrong(field, "a finite number above 0"))
    }

    fn optional_count(&self, field: &str) -> Result<Option<u32>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let count = value.as_unsigned().and_then(|count| u32::try_from(count).ok());
        count.map(Some).ok_or_else(|| self.wrong(field, "a whole number below 2^32"))
    }

    fn optional_size(&self, field: &str) -> Result<Option<usize>, ConfigError> {
        match self.optional_count(field)? {
            Some(0) => Err(self.wrong(field, "a whole number from 1 to 2^32 - 1")),
            count => Ok(count.map(|count| count as usize)),
        }
    }

    fn size(&self, field: &str) -> Result<usize, ConfigError> {
        self.optional_size(field)?.ok_or_else(|| self.missing(field))
    }

    /// A token's id; all bits set stand for none.
    fn token(&self, field: &str) -> Result<Option<u32>, ConfigError> {
        Ok(self.optional_count(field)?.filter(|&token| token != u32::MAX))
    }

    fn missing(&self, field: &str) -> ConfigError {
        ConfigError::Missing { path: self.path.to_owned(), field: self.name(field) }
    }

    fn wrong(&self, field: &str, expected: &'static str) -> ConfigError {
        let found = self.get(field).map_or_else(String::new, Value::to_string);
        ConfigError::Field { path: self.path.to_owned(), field: self.name(field), found, expected }
    }

    fn unsupported(&self, field: &str, supported: &str) -> ConfigError {
        let value = self.get(field).map_or_else(String::new, Value::to_string);
        ConfigError::Unsupported {
            path: self.path.to_owned(),
            field: self.name(field),
            value,
            supported: supported.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
