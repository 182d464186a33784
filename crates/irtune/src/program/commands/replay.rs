//! `irtune replay`

use std::collections::BTreeMap;

use irtune_select::{LayerSet, Replay, SelectError, method};
use serde_json::json;

use crate::program::args::ReplayArguments;
use crate::program::failure::Failure;
use crate::program::output::print;
use irtune::replay::RecordedScores;
use irtune::settings::{Origin, Problem, Problems};
use irtune::show::layer_ranges::ranges;

/// Runs a method over recorded scores and shows what it chooses.
pub fn run(arguments: &ReplayArguments) -> Result<(), Failure> {
    let options: BTreeMap<String, String> =
        arguments.options.0.iter().map(|(option, value)| (option.name.to_owned(), value.clone())).collect();
    let wrong = |flag: &str, error: &SelectError| {
        Problem::at(&Origin::Flag(flag.replace('_', "-")), error.to_string())
    };
    let method = method(&arguments.method)
        .map_err(|error| Failure::Settings(Problems(vec![wrong("method", &error)])))?;
    let problems: Vec<Problem> =
        method.problems(&options).iter().map(|(option, error)| wrong(option, error)).collect();
    if !problems.is_empty() {
        return Err(Failure::Settings(Problems(problems)));
    }
    let recorded = RecordedScores::read(&arguments.scores)?;
    let layers = recorded.layers();
    let mut policy = method.build(layers, &options)?;
    let mut replay = Replay::new(policy.as_mut(), arguments.seed);
    let chosen: Vec<LayerSet> = recorded
        .steps()
        .map(|(line, scores)| replay.step(scores).map_err(|error| recorded.at(line, error)))
        .collect::<Result<_, _>>()?;
    print(&if arguments.json {
        let steps: Vec<_> =
            (1..).zip(&chosen).map(|(step, set)| json!({"step": step, "active_layers": set})).collect();
        let value = json!({
            "method": method.name,
            "options": options,
            "seed": arguments.seed,
            "layers": layers,
            "steps": steps,
        });
        serde_json::to_string_pretty(&value)? + "\n"
    } else {
        let width = chosen.len().to_string().len();
        let line = |(step, set): (usize, &LayerSet)| format!("step {step:>width$}: {}\n", ranges(set.iter()));
        (1..).zip(&chosen).map(line).collect()
    })
}
