//! What a run will take, as a person reads it.

use irtune_train::{MemoryPlan, Plan, TimePlan};

use super::numbers::{bytes, count, seconds};

/// A plan.
pub fn plan(plan: &Plan) -> String {
    let mut out = format!(
        "{} training pairs, {} layers, {} threads, {}\n",
        count(plan.train_examples as u64),
        plan.layers,
        plan.threads,
        plan.precision
    );
    out += &memory(&plan.memory);
    if !plan.memory.fits() {
        out += "\nThis does not fit.";
        out += match plan.remedies.as_slice() {
            [] => " No single setting makes it fit: take a smaller base, or one with fewer bits a weight.\n",
            _ => " These settings would, each by itself:\n",
        };
        for remedy in &plan.remedies {
            out += &format!("  {:<28}{}\n", remedy.flag(), bytes(remedy.peak_bytes));
        }
    }
    out + &plan.time.as_ref().map_or_else(String::new, time)
}

fn memory(memory: &MemoryPlan) -> String {
    let available =
        memory.available_bytes.map_or_else(String::new, |free| format!(" of {} that are free", bytes(free)));
    let activations = match memory.recomputed_layers {
        0 => format!("of {} tokens", count(memory.tokens as u64)),
        layers => format!("of {} tokens; {layers} layers are recomputed", count(memory.tokens as u64)),
    };
    let mut out = format!("\nMemory, at most: {}{available}\n", bytes(memory.peak_bytes));
    for (name, size, what) in [
        ("weights", memory.weight_bytes, "mapped from the file"),
        ("activations", memory.activation_bytes, activations.as_str()),
        ("what trains", memory.parameter_bytes, "with gradients"),
        ("moments", memory.moment_bytes, "of the optimizer"),
        ("checkpoints", memory.checkpoint_bytes, "copies while one is written"),
        ("program", memory.program_bytes, "with tokenizer and pairs"),
    ] {
        out += &format!("  {name:<14}{:>8}  {what}\n", bytes(size));
    }
    out
}

fn time(time: &TimePlan) -> String {
    format!(
        "\nTime: {}\n  training      {:>8}  {} steps of {}, on average {} tokens and {:.1} layers\n  evaluations   {:>8}\n",
        seconds(time.total_seconds),
        seconds(time.training_seconds),
        count(time.steps),
        seconds(time.step_seconds),
        count(time.tokens_per_step.round() as u64),
        time.layers_per_step,
        seconds(time.evaluation_seconds),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_train::Remedy;

    fn example() -> Plan {
        Plan {
            precision: "bf16".to_owned(),
            threads: 2,
            layers: 30,
            train_examples: 3254,
            validation_examples: 400,
            test_examples: 364,
            memory: MemoryPlan {
                peak_bytes: 612_000_000,
                weight_bytes: 98_000_000,
                activation_bytes: 250_000_000,
                parameter_bytes: 80_000_000,
                moment_bytes: 80_000_000,
                checkpoint_bytes: 60_000_000,
                program_bytes: 44_000_000,
                tokens: 1021,
                kept_layers: 28,
                recomputed_layers: 2,
                available_bytes: Some(500_000_000),
            },
            remedies: vec![Remedy {
                setting: "micro_batch_tokens",
                value: "512".to_owned(),
                peak_bytes: 480_000_000,
            }],
            time: Some(TimePlan {
                steps: 408,
                tokens_per_step: 801.4,
                layers_per_step: 14.9,
                step_seconds: 1.25,
                training_seconds: 510.0,
                evaluation_seconds: 42.0,
                total_seconds: 552.0,
            }),
        }
    }

    #[test]
    fn a_plan_says_what_is_needed_and_what_would_fit() {
        insta::assert_snapshot!(plan(&example()));
    }
}
