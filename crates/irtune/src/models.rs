//! The bases that have a short name: what they are, and what memory training them takes.

use std::fmt;
use std::path::Path;

use irtune_hub::{ALIASES, Alias};
use irtune_model::{ConfigError, ModelConfig};
use serde::Serialize;

use crate::show::numbers::bytes;
use crate::show::text_table::table;

/// Sizes of machines that a start is proposed for, in bytes.
const MACHINES: [u64; 3] = [2_000_000_000, 8_000_000_000, 16_000_000_000];

/// Bits a weight of a GGUF of Q4_K_M, most of whose blocks have 4.5 and some 6.6.
const FOUR_BIT: f64 = 4.9;

/// A base that has a short name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// The short name.
    pub name: &'static str,
    /// Its name on the Hugging Face hub.
    pub hub: String,
    /// Its licence.
    pub licence: &'static str,
    /// Whether its publisher gives it only to those who accept its terms.
    pub gated: bool,
    /// Its weights.
    pub parameters: u64,
    /// Bytes in bf16, as it is on the hub.
    pub bf16_bytes: u64,
    /// Bytes as a GGUF with some five bits a weight.
    pub four_bit_bytes: u64,
    /// About the most memory that training by the default recipe takes, in bf16.
    pub bf16_memory_bytes: u64,
    /// The same with the GGUF.
    pub four_bit_memory_bytes: u64,
}

/// All bases that have a short name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Models {
    /// From small to large.
    pub models: Vec<Model>,
}

impl Models {
    /// Of every alias.
    ///
    /// # Errors
    /// When an alias has sizes that make no model.
    pub fn all() -> Result<Models, ConfigError> {
        let mut models = ALIASES.iter().map(Model::of).collect::<Result<Vec<_>, _>>()?;
        models.sort_by_key(|model| model.parameters);
        Ok(Models { models })
    }

    /// The largest that a machine can train, in bf16 and as a GGUF. The system takes a quarter of small machines.
    fn largest(&self, machine: u64) -> [Option<&Model>; 2] {
        let free = machine - (machine / 4).min(2_000_000_000);
        let fits = |need: fn(&Model) -> u64| self.models.iter().rev().find(|model| need(model) <= free);
        [fits(|model| model.bf16_memory_bytes), fits(|model| model.four_bit_memory_bytes)]
    }
}

impl Model {
    fn of(alias: &Alias) -> Result<Model, ConfigError> {
        let config = ModelConfig::parse_json(alias.config.as_bytes(), Path::new(alias.name))?;
        let sizes = config.projections().map(|projection| config.projection_shape(projection));
        let matrices: usize = sizes.map(|(outputs, inputs)| outputs * inputs).sum();
        let embeddings = if config.tied_embeddings { 1 } else { 2 };
        let parameters = config.layers * matrices + embeddings * config.vocabulary_size * config.hidden_size;
        let parameters = parameters as u64;
        let (bf16_bytes, four_bit_bytes) = (2 * parameters, (parameters as f64 * FOUR_BIT / 8.0) as u64);
        Ok(Model {
            name: alias.names[0],
            hub: alias.hub().name.to_string(),
            licence: alias.licence,
            gated: alias.gated,
            parameters,
            bf16_bytes,
            four_bit_bytes,
            bf16_memory_bytes: irtune_train::usual_bytes(&config, bf16_bytes),
            four_bit_memory_bytes: irtune_train::usual_bytes(&config, four_bit_bytes),
        })
    }
}

impl fmt::Display for Models {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Vec<String>> = self.models.iter().map(Model::row).collect();
        let header = ["--base", "weights", "bf16", "GGUF", "memory, bf16", "memory, GGUF", "licence"];
        formatter.write_str(&table(&header, &rows))?;
        writeln!(
            formatter,
            "\nMemory is what training by the default recipe takes, about; `irtune plan` says it for your data."
        )?;
        writeln!(formatter, "GGUF stands for a file of Q4_K_M.\n\nWorth starting from:")?;
        for machine in MACHINES {
            let [whole, small] = self.largest(machine).map(|model| model.map_or("–", |model| model.name));
            let also = if whole == small { String::new() } else { format!("; as GGUF {small}") };
            writeln!(formatter, "  with {:<6} {whole}{also}", bytes(machine))?;
        }
        writeln!(formatter, "\nsmollm2 trains in minutes: begin with it, and see what a larger one adds.")
    }
}

impl Model {
    fn row(&self) -> Vec<String> {
        let millions = self.parameters as f64 / 1e6;
        let weights =
            if millions < 999.5 { format!("{millions:.0} M") } else { format!("{:.1} B", millions / 1e3) };
        let gated = if self.gated { " (gated)" } else { "" };
        vec![
            self.name.to_owned(),
            weights,
            bytes(self.bf16_bytes),
            bytes(self.four_bit_bytes),
            bytes(self.bf16_memory_bytes),
            bytes(self.four_bit_memory_bytes),
            format!("{}{gated}", self.licence),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_that_the_models_are_named_for() {
        let models = Models::all().unwrap().models;
        assert_eq!(models.len(), ALIASES.len());
        for (name, least, most) in [
            ("smollm2", 134e6, 135e6),
            ("smollm2-1.7b", 1.65e9, 1.75e9),
            ("qwen2.5-0.5b", 0.48e9, 0.5e9),
            ("qwen3-0.6b", 0.59e9, 0.6e9),
            ("qwen3-4b", 3.9e9, 4.1e9),
            ("llama-3.2-1b", 1.2e9, 1.25e9),
            ("llama-3.2-3b", 3.1e9, 3.3e9),
        ] {
            let model = models.iter().find(|model| model.name == name).unwrap();
            let parameters = model.parameters as f64;
            assert!((least..most).contains(&parameters), "{name}: {parameters}");
        }
    }

    #[test]
    fn a_larger_machine_trains_a_larger_base() {
        let models = Models::all().unwrap();
        let largest = MACHINES.map(|machine| models.largest(machine).map(|model| model.unwrap().parameters));
        assert!(largest.is_sorted(), "{largest:?}");
        assert!(largest.iter().all(|[whole, small]| whole <= small), "{largest:?}");
    }
}
