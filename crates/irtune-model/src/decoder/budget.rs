//! What a decoder's memory is made of, and which activations fit into a limit.

use crate::{
    adapters::{
        Trained,
        config::{AdapterConfig, Widths},
    },
    base::config::ModelConfig,
    error::ModelError,
    families::{MlpKind, Role},
    head::HeadInput,
    parameters::masters,
};

use super::workspace::Slots;

/// The program itself, its tables and stacks.
const PROGRAM_BYTES: usize = 48 << 20;

/// Bytes of a training run, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The program itself, its tables and stacks, where nothing better is known.
    pub program: usize,
    /// The mapped weights.
    pub weights: usize,
    /// What trains in the layers: values, gradients and two moments.
    pub parameters: usize,
    /// Activations that all layers use in turn.
    pub shared: usize,
    /// Activations of a layer that keeps them.
    pub kept: usize,
    /// The input of a layer that is recomputed.
    pub recomputed: usize,
    /// Layers.
    pub layers: usize,
}

/// What a training run's memory depends on.
#[derive(Clone, Copy, Debug)]
pub struct BudgetOf<'a> {
    /// The decoder.
    pub config: &'a ModelConfig,
    /// Bytes of its weights that become resident.
    pub weights: usize,
    /// What trains beside the head.
    pub trained: &'a Trained,
    /// What the head reads.
    pub head: &'a HeadInput,
    /// Tokens of the largest pass.
    pub tokens: usize,
    /// Bytes of a value that enters GEMMs.
    pub operand_bytes: usize,
}

impl Budget {
    /// Layers whose own weights may train are counted as if all of them had trained and kept everything.
    pub fn new(of: BudgetOf<'_>) -> Self {
        let BudgetOf { config, weights, trained, head, tokens, operand_bytes } = of;
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let (query, key) = (config.query_size(), config.key_value_size());
        let adapter = trained.adapter();
        let masters = match trained {
            Trained::Weights { lowest } => config.layers.saturating_sub(*lowest),
            Trained::Head | Trained::Adapter(_) => 0,
        };
        let drops = adapter.is_some_and(|adapter| adapter.dropout() > 0.0);
        let (mut parameters, mut kept_adapters, mut masks) = (0, 0, 0);
        let (mut shared_adapters, mut widest, mut widest_output) = (0, 0, 0);
        for (adapter, &projection) in adapter
            .iter()
            .flat_map(|adapter| adapter.target_modules().iter().map(move |target| (adapter, target)))
        {
            let Widths { inner, fixed_inner, output, masked } = adapter.widths(config, projection);
            for layer in 0..config.layers {
                let shapes = adapter.tensors(config, layer, projection).into_iter().map(|(_, shape)| shape);
                parameters += shapes.map(|shape| shape.iter().product::<usize>()).sum::<usize>();
            }
            kept_adapters += inner + fixed_inner + output;
            // Their gradients, and what is transposed or activated on the way.
            shared_adapters += 2 * inner + fixed_inner + output;
            widest_output = widest_output.max(output);
            if drops {
                masks += masked.div_ceil(32) * 4;
                widest = widest.max(masked);
            }
        }
        if matches!(adapter, Some(AdapterConfig::Dora(_))) {
            widest *= 2;
        }
        // A norm of each head keeps its input and a factor.
        let head_norms = (0..config.layers).any(|layer| config.layer(layer).head_norms.is_some());
        let (normed, normed_heads) =
            if head_norms { (query + key, config.heads + config.key_value_heads) } else { (0, 0) };
        let spec = config.layer(0);
        let gate = if matches!(spec.mlp, MlpKind::Plain(_)) { 0 } else { wide };
        let norms = if spec.parallel { hidden } else { 2 * hidden };
        // So does a norm of a branch's output.
        let output_norms = [Role::AttentionOutputNorm, Role::MlpOutputNorm].into_iter();
        let outputs = output_norms
            .filter(|&role| (0..config.layers).any(|layer| config.layer(layer).has(role)))
            .count();
        let operands = outputs * hidden + norms + 2 * query + 2 * key + wide + gate + kept_adapters + normed;
        let kept = tokens.saturating_mul(
            operand_bytes * operands + masks + 4 * (config.heads + 2 + outputs + normed_heads),
        );
        let transposed = if masters > 0 { masters::widest_output(config) } else { 0 };
        // Outputs of fused projections before they are split, and the queries of all rows.
        let fused_attention = if spec.fused_attention { 2 * query + 2 * key } else { 0 };
        let fused_mlp = if spec.mlp == MlpKind::FusedGated { 2 * wide } else { 0 };
        // Of an edit head every row may be read: four f32 values and an operand for each of its own.
        let read = if head.scaling().is_some() { hidden * (4 * 4 + operand_bytes) } else { 0 };
        let shared = read
            + operand_bytes
                * (2 * hidden
                    + widest
                    + widest_output
                    + 2 * wide
                    + 2 * query
                    + 2 * key
                    + fused_attention
                    + fused_mlp
                    + shared_adapters
                    + transposed)
            + 4 * ((if config.adds_plainly() { 3 } else { 4 }) * hidden + 4 * key + widest_output);
        Self {
            program: PROGRAM_BYTES,
            weights,
            parameters: 16 * (parameters + masters * masters::most_parameters(config)),
            shared: tokens.saturating_mul(shared),
            kept,
            recomputed: tokens.saturating_mul(hidden * 4),
            layers: config.layers,
        }
    }

    /// Bytes of everything but activations that layers keep or are recomputed from.
    fn fixed(&self) -> usize {
        (self.program + self.weights + self.parameters).saturating_add(self.shared)
    }

    fn bytes(&self, kept: usize) -> usize {
        let kept_bytes = kept.saturating_mul(self.kept);
        let recomputed_bytes = (self.layers - kept).saturating_mul(self.recomputed);
        self.fixed().saturating_add(kept_bytes).saturating_add(recomputed_bytes)
    }

    /// Bytes of everything, with these activations.
    pub(crate) fn total(&self, slots: Slots) -> usize {
        self.bytes(slots.kept)
    }

    /// How many layers keep their activations under a limit; the others are recomputed.
    ///
    /// # Errors
    /// [`ModelError::Memory`] when not even all inputs fit.
    pub fn kept_layers(&self, limit: Option<usize>) -> Result<usize, ModelError> {
        Ok(self.slots(limit)?.kept)
    }

    /// As many layers as fit keep their activations.
    ///
    /// # Errors
    /// [`ModelError::Memory`] when not even all inputs fit.
    pub(crate) fn slots(&self, limit: Option<usize>) -> Result<Slots, ModelError> {
        let Some(limit) = limit else { return Ok(Slots { kept: self.layers, recomputed: 0 }) };
        let bytes = |kept| self.bytes(kept);
        // The last layer always keeps: its rows are few.
        let kept = (1..=self.layers).rev().find(|&kept| bytes(kept) <= limit);
        let kept = kept.ok_or(ModelError::Memory { limit, needed: bytes(1) })?;
        Ok(Slots { kept, recomputed: self.layers - kept })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_decides_how_many_layers_keep() {
        let (program, weights, parameters, shared) = (10, 20, 30, 40);
        let budget = Budget { program, weights, parameters, shared, kept: 10, recomputed: 2, layers: 5 };
        assert_eq!(budget.slots(None).unwrap(), Slots { kept: 5, recomputed: 0 });
        assert_eq!(budget.slots(Some(150)).unwrap(), Slots { kept: 5, recomputed: 0 });
        assert_eq!(budget.slots(Some(149)).unwrap(), Slots { kept: 4, recomputed: 1 });
        assert_eq!(budget.slots(Some(118)).unwrap(), Slots { kept: 1, recomputed: 4 });
        let error = budget.slots(Some(117)).unwrap_err();
        assert!(matches!(error, ModelError::Memory { limit: 117, needed: 118 }), "{error}");
    }
}
