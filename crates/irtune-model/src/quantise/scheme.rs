//! Which type each tensor of a quantised model takes.

use std::str::FromStr;

use irtune_device::Format;

use super::UnknownScheme;

/// A way to quantise a model, by llama.cpp's name for it.
///
/// # Source
/// llama.cpp's `llama-quant.cpp`: a scheme is named after the type of most matrices, and a few that matter more take a
/// larger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme {
    /// Its name, as in `q4_k_m`.
    pub name: &'static str,
    /// What `general.file_type` says of such files.
    pub file_type: u32,
    /// The type of most matrices.
    pub matrices: Format,
    /// How attention's values and the MLP's way down are favoured.
    favour: Favour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Favour {
    /// Not at all.
    None,
    /// Q5_K in the first layers.
    First,
    /// Q6_K in about half of the layers.
    Half,
}

/// Every scheme, largest files first.
pub const SCHEMES: [Scheme; 13] = [
    Scheme { name: "f32", file_type: 0, matrices: Format::F32, favour: Favour::None },
    Scheme { name: "bf16", file_type: 32, matrices: Format::Bf16, favour: Favour::None },
    Scheme { name: "f16", file_type: 1, matrices: Format::F16, favour: Favour::None },
    Scheme { name: "q8_0", file_type: 7, matrices: Format::Q8_0, favour: Favour::None },
    Scheme { name: "q6_k", file_type: 18, matrices: Format::Q6_K, favour: Favour::None },
    Scheme { name: "q5_1", file_type: 9, matrices: Format::Q5_1, favour: Favour::None },
    Scheme { name: "q5_k_m", file_type: 17, matrices: Format::Q5_K, favour: Favour::Half },
    Scheme { name: "q5_k_s", file_type: 16, matrices: Format::Q5_K, favour: Favour::None },
    Scheme { name: "q5_0", file_type: 8, matrices: Format::Q5_0, favour: Favour::None },
    Scheme { name: "q4_1", file_type: 3, matrices: Format::Q4_1, favour: Favour::None },
    Scheme { name: "q4_k_m", file_type: 15, matrices: Format::Q4_K, favour: Favour::Half },
    Scheme { name: "q4_k_s", file_type: 14, matrices: Format::Q4_K, favour: Favour::First },
    Scheme { name: "q4_0", file_type: 2, matrices: Format::Q4_0, favour: Favour::None },
];

/// Parts of names of matrices that are too small or too sensitive to quantise: learned positions, convolutions, routers.
const KEPT: [&str; 4] = ["position_embd", "conv", "ffn_gate_inp", "ssm_"];

impl Scheme {
    /// The names of all schemes.
    pub fn names() -> String {
        SCHEMES.map(|scheme| scheme.name).join(", ")
    }

    /// The type of a tensor, by its name in a GGUF and its axes, slowest first; none if it stays as it is.
    ///
    /// `is_output` is whether it makes the logits, as the embedding does where there is no other.
    pub(super) fn format_of(
        self,
        name: &str,
        shape: &[usize],
        is_output: bool,
        layers: usize,
    ) -> Option<Format> {
        let &[_, columns] = shape else { return None };
        if !name.ends_with(".weight") || KEPT.iter().any(|part| name.contains(part)) {
            return None;
        }
        Some(fitting(self.wanted(name, is_output, layers), columns))
    }

    fn wanted(self, name: &str, is_output: bool, layers: usize) -> Format {
        if matches!(self.matrices, Format::F32 | Format::F16 | Format::Bf16 | Format::Q8_0) {
            return self.matrices;
        }
        if is_output {
            return Format::Q6_K;
        }
        let layer = name.strip_prefix("blk.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        let is_value = name.contains("attn_v.");
        let is_favoured = is_value || name.contains("ffn_down.");
        match (self.favour, layer) {
            (Favour::Half, Some(_)) if name.contains("attn_qkv.") => match self.matrices {
                Format::Q4_K => Format::Q5_K,
                _ => Format::Q6_K,
            },
            (Favour::Half, Some(layer)) if is_favoured && is_in_half(layer, layers) => Format::Q6_K,
            (Favour::First, Some(layer)) if is_favoured && layer < if is_value { 4 } else { layers / 8 } => {
                Format::Q5_K
            }
            _ => self.matrices,
        }
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    /// The scheme of this name, in letters of either case.
    fn from_str(name: &str) -> Result<Self, UnknownScheme> {
        let found = SCHEMES.into_iter().find(|scheme| scheme.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| UnknownScheme { name: name.to_owned() })
    }
}

/// The first eighth of the layers, the last one, and every third between.
fn is_in_half(layer: usize, layers: usize) -> bool {
    let eighth = layers / 8;
    layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2
}

/// The type itself, or the nearest one whose blocks divide a row.
fn fitting(format: Format, columns: usize) -> Format {
    let fits = |format: Format| columns.is_multiple_of(format.block().0);
    let narrower = match format {
        Format::Q4_K => Format::Q5_0,
        Format::Q5_K => Format::Q5_1,
        Format::Q6_K => Format::Q8_0,
        other => other,
    };
    [format, narrower].into_iter().find(|&format| fits(format)).unwrap_or(Format::F16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_medium_scheme_favours_half_of_the_layers() {
        let medium = Scheme::from_str("Q4_K_M").unwrap();
        let of = |name: &str| medium.format_of(name, &[1536, 1536], false, 28).unwrap();
        // As in the file of Qwen2.5-Coder-1.5B-Instruct that llama.cpp made.
        let favoured: Vec<usize> =
            (0..28).filter(|layer| of(&format!("blk.{layer}.attn_v.weight")) == Format::Q6_K).collect();
        assert_eq!(favoured, [0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 24, 25, 26, 27]);
        assert_eq!(of("blk.0.ffn_down.weight"), Format::Q6_K);
        assert_eq!(of("blk.0.ffn_up.weight"), Format::Q4_K);
        assert_eq!(of("token_embd.weight"), Format::Q4_K);
        assert_eq!(medium.format_of("token_embd.weight", &[9, 512], true, 28), Some(Format::Q6_K));
    }

    #[test]
    fn narrow_rows_take_the_next_larger_type_and_what_is_no_matrix_stays() {
        let of = |scheme: &str, name: &str, shape: &[usize]| {
            Scheme::from_str(scheme).unwrap().format_of(name, shape, false, 18)
        };
        assert_eq!(of("q4_k_m", "blk.3.attn_q.weight", &[1024, 640]), Some(Format::Q5_0));
        assert_eq!(of("q5_k_s", "blk.3.attn_q.weight", &[1024, 640]), Some(Format::Q5_1));
        assert_eq!(of("q6_k", "blk.3.attn_q.weight", &[1024, 640]), Some(Format::Q8_0));
        assert_eq!(of("q4_0", "blk.3.attn_q.weight", &[1024, 40]), Some(Format::F16));
        assert_eq!(of("q4_k_s", "blk.2.attn_v.weight", &[64, 256]), Some(Format::Q5_K));
        for (name, shape) in [
            ("output_norm.weight", &[64][..]),
            ("blk.0.attn_q.bias", &[64]),
            ("position_embd.weight", &[64, 64]),
        ] {
            assert_eq!(of("q8_0", name, shape), None);
        }
    }

    #[test]
    fn each_scheme_is_found_by_its_name() {
        for scheme in SCHEMES {
            assert_eq!(scheme.name.to_uppercase().parse(), Ok(scheme));
        }
        let message = "q3_k_m".parse::<Scheme>().unwrap_err().to_string();
        assert!(message.starts_with("there is no type `q3_k_m`: take one of f32, bf16"), "{message}");
    }
}
