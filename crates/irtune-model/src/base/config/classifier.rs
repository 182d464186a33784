//! Writing the `config.json` of a classifier over a base.

use serde_json::{Map, Value, json};

use super::ModelConfig;
use crate::{
    families::{Number, Quantity, RopeScaling, Variant, WindowedLayers},
    head::{CounterScaling, HeadInput, NamedHead},
};

/// The field of an edit head's counters: their names, means and deviations.
pub(crate) const EDIT_HEAD: &str = "edit_head";

impl ModelConfig {
    /// The classifier's `config.json`: this decoder with a head of these labels, for transformers 4 and 5.
    ///
    /// transformers has no class for an edit head: `architectures` then names one of `modeling_irtune.py`, and the field
    /// `edit_head` says how counters are standardised.
    ///
    /// The padding token is [`ModelConfig::padding_token`]. transformers pools at the right-most token that isn't the padding
    /// token, so a run leaves such tokens out at the end of its examples.
    pub fn to_transformers<'a>(&self, head: impl Into<NamedHead<'a>>) -> Value {
        let NamedHead { labels, input, problem } = head.into();
        let names: Map<String, Value> =
            labels.iter().enumerate().map(|(id, label)| (id.to_string(), json!(label))).collect();
        let ids: Map<String, Value> =
            labels.iter().enumerate().map(|(id, label)| (label.clone(), json!(id))).collect();
        let mut fields = json!({
            "architectures": [self.classifier_class(input)],
            "model_type": self.family.text.unwrap_or(self.family).model_type,
            "problem_type": problem,
            "num_labels": labels.len(),
            "id2label": names,
            "label2id": ids,
            "vocab_size": self.vocabulary_size,
        });
        let (family, variant) = (self.family, &self.variant);
        let mut add = |field: &str, value: Value| fields[field] = value;
        let names = &family.fields;
        for (field, size) in [
            (Some(names.hidden_size), self.hidden_size),
            (Some(names.intermediate_size), self.intermediate_size),
            (Some(names.layers), self.layers),
            (Some(names.heads), self.heads),
            (names.key_value_heads, self.key_value_heads),
            (names.head_size, self.head_size),
        ] {
            if let Some(field) = field {
                add(field, size.into());
            }
        }
        for fixed in family.fixed {
            add(fixed.field, fixed.value.to_json());
        }
        if family.reads_biases.attention {
            add("attention_bias", variant.attention_bias.into());
        }
        if family.reads_biases.mlp {
            add("mlp_bias", variant.mlp_bias.into());
        }
        if let Some(unturned) = &family.unturned {
            let turns: Vec<u8> = variant.kinds.iter().map(|kind| u8::from(kind.rotary)).collect();
            add(unturned.field, json!(turns));
        }
        for (field, value) in self.window_fields() {
            add(field, value);
        }
        for Number { field, quantity, .. } in family.numbers {
            add(field, self.number(*quantity));
        }
        add(names.norm_epsilon, decimal(self.norm_epsilon));
        if !self.layer(0).learned_positions {
            for (field, value) in self.rotary_fields() {
                add(field, value);
            }
        }
        add(names.max_positions, self.max_positions.into());
        let rest = json!({
            "initializer_range": decimal(self.initializer_range),
            "tie_word_embeddings": self.tied_embeddings,
            "bos_token_id": self.begin_token,
            "eos_token_id": self.end_token,
            "pad_token_id": self.padding_token(),
        });
        if let (Value::Object(fields), Value::Object(rest)) = (&mut fields, rest) {
            fields.extend(rest);
        }
        if let HeadInput::Edit(CounterScaling { names, mean, deviation }) = input {
            let decimals = |values: &[f32]| values.iter().map(|&value| decimal(value)).collect::<Vec<_>>();
            fields[EDIT_HEAD] =
                json!({"counters": names, "mean": decimals(mean), "deviation": decimals(deviation)});
        }
        fields
    }

    /// A number of the variant as the configuration has it.
    fn number(&self, quantity: Quantity) -> Value {
        match (quantity, self.variant.get(quantity)) {
            (_, None) => Value::Null,
            // transformers declares it a whole number, and the others such that may have decimals.
            (Quantity::ScoreWidth { .. }, Some(width)) if width.fract() == 0.0 => json!(width as u64),
            (_, Some(value)) => decimal(value),
        }
    }

    /// What the configuration says of rotary positions, in the spelling of transformers 4; also in that of 5 where kinds of
    /// layers have their own, or where 5 reads no other.
    fn rotary_fields(&self) -> Vec<(&'static str, Value)> {
        let Variant { rotary, local_rotary, .. } = &self.variant;
        let scaling = to_transformers(&rotary.scaling, self.max_positions);
        let mut whole = match &scaling {
            Value::Null => json!({"rope_type": "default"}),
            scaling => scaling.clone(),
        };
        whole["rope_theta"] = decimal(rotary.theta);
        if let Some(growth) = &rotary.query_growth {
            whole["llama_4_scaling_beta"] = decimal(growth.beta);
        }
        let mut fields = vec![("rope_theta", decimal(rotary.theta))];
        match (local_rotary, &self.family.local_rotary) {
            (Some(local), Some(names)) => {
                let theta = decimal(local.theta);
                fields.extend(names.field.map(|field| (field, theta.clone())));
                fields.push(("rope_scaling", scaling));
                let local = json!({"rope_type": "default", "rope_theta": theta});
                fields
                    .push(("rope_parameters", json!({"full_attention": whole, "sliding_attention": local})));
            }
            _ if self.family.grows_queries => fields.push(("rope_parameters", whole)),
            _ => fields.push(("rope_scaling", scaling)),
        }
        if rotary.size != self.head_size {
            fields.push(("partial_rotary_factor", (rotary.size as f64 / self.head_size as f64).into()));
        }
        if let RopeScaling::Long { original_positions, .. } = rotary.scaling {
            fields.push(("original_max_position_embeddings", original_positions.into()));
        }
        fields
    }

    /// What the configuration says of the window over keys, in a family that can have one.
    fn window_fields(&self) -> Vec<(&'static str, Value)> {
        let Variant { window: keys, kinds, .. } = &self.variant;
        let Some(window) = &self.family.window else { return Vec::new() };
        let mut fields = Vec::new();
        match (window.flag, keys) {
            // Without the flag there is none.
            (Some(_), None) => return fields,
            (Some(flag), Some(_)) => fields.push((flag, true.into())),
            (None, _) => {}
        }
        fields.push(("sliding_window", json!(keys)));
        if let WindowedLayers::From(_) = window.layers {
            let first = kinds.iter().position(|kind| kind.windowed).unwrap_or(kinds.len());
            fields.push(("max_window_layers", first.into()));
        }
        if window.layer_types {
            let name = |windowed| if windowed { "sliding_attention" } else { "full_attention" };
            let names: Vec<&str> = kinds.iter().map(|kind| name(kind.windowed)).collect();
            fields.push(("layer_types", json!(names)));
        }
        fields
    }

    /// The class of a classifier with such a head, of transformers or of `modeling_irtune.py`.
    pub(crate) fn classifier_class(&self, head: &HeadInput) -> String {
        let class = self.family.text.unwrap_or(self.family).classifier_class();
        match head {
            HeadInput::Pooled => class,
            HeadInput::Edit(_) => class.replace("ForSequenceClassification", "ForRevisionClassification"),
        }
    }
}

/// `rope_scaling`, or what belongs into `rope_parameters` beside theta.
fn to_transformers(scaling: &RopeScaling, max_positions: usize) -> Value {
    match scaling {
        RopeScaling::None => Value::Null,
        RopeScaling::Linear { factor } => json!({"rope_type": "linear", "factor": decimal(*factor)}),
        RopeScaling::Llama3 { factor, low_frequency_factor, high_frequency_factor, original_positions } => {
            json!({
                "rope_type": "llama3",
                "factor": decimal(*factor),
                "low_freq_factor": decimal(*low_frequency_factor),
                "high_freq_factor": decimal(*high_frequency_factor),
                "original_max_position_embeddings": original_positions,
            })
        }
        RopeScaling::Yarn {
            factor,
            original_positions,
            beta_fast,
            beta_slow,
            attention_factor,
            truncate,
        } => {
            json!({
                "rope_type": "yarn",
                "factor": decimal(*factor),
                "original_max_position_embeddings": original_positions,
                "beta_fast": decimal(*beta_fast),
                "beta_slow": decimal(*beta_slow),
                "attention_factor": decimal(*attention_factor),
                "truncate": truncate,
            })
        }
        RopeScaling::Long { short, long, original_positions, attention_factor } => {
            let decimals = |factors: &[f32]| factors.iter().map(|&one| decimal(one)).collect::<Vec<_>>();
            json!({
                "rope_type": "longrope",
                "attention_factor": decimal(*attention_factor),
                "short_factor": decimals(short),
                "long_factor": decimals(long),
                "original_max_position_embeddings": original_positions,
            })
        }
        // transformers' only kind with a factor a pair; the same ones at every length, attention unscaled.
        RopeScaling::Factors { factors } => {
            let factors: Vec<Value> = factors.iter().map(|&factor| decimal(factor)).collect();
            json!({
                "rope_type": "longrope",
                "factor": 1.0,
                "attention_factor": 1.0,
                "short_factor": factors,
                "long_factor": factors,
                "original_max_position_embeddings": max_positions,
            })
        }
    }
}

/// The shortest decimal that gives the f32 back, so that 1e-5 isn't written as 9.999999747378752e-6.
fn decimal(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{families::Rotary, head::ProblemType};

    use super::super::tests::{plain_rotary, tiny};
    use super::*;

    fn labels() -> Vec<String> {
        ["clarity", "fluency"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_classifiers_configuration_reads_back_as_the_same_decoder() {
        let scalings = [
            RopeScaling::None,
            RopeScaling::Linear { factor: 2.5 },
            RopeScaling::Llama3 {
                factor: 32.0,
                low_frequency_factor: 1.0,
                high_frequency_factor: 4.0,
                original_positions: 8192,
            },
            RopeScaling::Yarn {
                factor: 4.0,
                original_positions: 32,
                beta_fast: 16.0,
                beta_slow: 2.0,
                attention_factor: 1.125,
                truncate: false,
            },
        ];
        for scaling in scalings {
            let variant = Variant { rotary: Rotary { scaling, ..plain_rotary() }, ..tiny().variant };
            let config = ModelConfig { variant, pad_token: Some(0), ..tiny() };
            let written = config.to_transformers(&labels()).to_string();
            assert_eq!(
                ModelConfig::parse_json(written.as_bytes(), Path::new("config.json")).unwrap(),
                config
            );
        }
    }

    #[test]
    fn labels_stand_in_both_directions_and_padding_falls_back_to_the_end_token() {
        let written = tiny().to_transformers(&labels());
        assert_eq!(written["id2label"], json!({"0": "clarity", "1": "fluency"}));
        assert_eq!(written["label2id"], json!({"clarity": 0, "fluency": 1}));
        assert_eq!(written["num_labels"], 2);
        assert_eq!(written["architectures"], json!(["LlamaForSequenceClassification"]));
        assert_eq!(written["pad_token_id"], 2);
        // Not 9.999999747378752e-6, which the f32 is as an f64.
        assert_eq!(written["rms_norm_eps"], 1e-5);
    }

    #[test]
    fn transformers_is_told_how_many_labels_an_example_has() {
        let type_of = |head: NamedHead<'_>| tiny().to_transformers(head)["problem_type"].clone();
        let labels = labels();
        let one = NamedHead::from(&labels);
        assert_eq!(type_of(one), "single_label_classification");
        assert_eq!(
            type_of(NamedHead { problem: ProblemType::MultiLabel, ..one }),
            "multi_label_classification"
        );
    }

    #[test]
    fn own_rotary_factors_are_written_as_a_kind_that_transformers_has() {
        let scaling = RopeScaling::Factors { factors: vec![1.0; 8] };
        let variant = Variant { rotary: Rotary { scaling, ..plain_rotary() }, ..tiny().variant };
        let written = ModelConfig { variant, ..tiny() }.to_transformers(&labels());
        assert_eq!(written["rope_scaling"]["rope_type"], "longrope");
        assert_eq!(written["rope_scaling"]["short_factor"].as_array().map(Vec::len), Some(8));
    }
}
