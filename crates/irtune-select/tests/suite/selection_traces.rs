//! `ir` against traces worked out by an independent script, `golden/ir_selection/make.py`.

use irtune_select::{
    Draws, Evidence, Fidelity, GradientNorms, Ir, IrConfig, LayerPolicy, PolicyState, SplitNum, split,
};
use serde::Deserialize;

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Case {
    versions: Versions,
    seed: u64,
    tolerance: f64,
    runs: Vec<Run>,
    costs: Vec<Costs>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Versions {
    python: String,
    numpy: String,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Run {
    fidelity: Fidelity,
    layers: usize,
    split_num: usize,
    steps: Vec<Step>,
    final_scores: Vec<Option<f64>>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Step {
    draws: Vec<f64>,
    selected: Vec<usize>,
    gradients: Vec<LayerNorms>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct LayerNorms {
    layer: usize,
    norms: Vec<Norm>,
}

/// A norm; one that is not finite is written as text.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Norm {
    Finite(f64),
    Text(String),
}

impl Norm {
    fn value(&self) -> f64 {
        match self {
            Norm::Finite(norm) => *norm,
            Norm::Text(text) => text.parse().expect("nan or inf"),
        }
    }
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Costs {
    ascending: Vec<f64>,
    costs: Vec<f64>,
}

/// Numbers drawn elsewhere, handed out in their order; every one must be asked for.
struct Recorded<'a>(std::slice::Iter<'a, f64>);

impl Draws for Recorded<'_> {
    fn unit(&mut self) -> f64 {
        *self.0.next().expect("the policy draws more numbers than were recorded")
    }
}

fn case() -> Case {
    irtune_testing::golden::case_json("ir_selection")
}

fn policy(run: &Run) -> Ir {
    let split_num = run.split_num.to_string().parse::<SplitNum>().unwrap();
    IrConfig { fidelity: run.fidelity, split_num, ..IrConfig::default() }.init(run.layers).unwrap()
}

/// Where a run parts from its recording.
#[derive(Debug, PartialEq)]
enum Parting {
    Selection { step: usize },
    FinalScores,
}

/// Replays a run, saving and restoring the policy through JSON after every step.
fn replay(run: &Run) -> Option<Parting> {
    let mut policy = policy(run);
    let mut norms = GradientNorms::new(run.layers);
    for (step, recorded) in run.steps.iter().enumerate() {
        let mut draws = Recorded(recorded.draws.iter());
        let mut evidence = Evidence::new(step as u64, run.layers, &mut draws);
        let selected = policy.select(&mut evidence).unwrap();
        if !selected.iter().eq(recorded.selected.iter().copied()) {
            return Some(Parting::Selection { step });
        }
        norms.clear();
        for gradient in &recorded.gradients {
            norms.measure(gradient.layer).extend(gradient.norms.iter().map(Norm::value));
        }
        policy.observe(&evidence.with_gradient_norms(&norms)).unwrap();
        assert_eq!(draws.0.len(), 0, "numbers were recorded that the policy does not draw");

        let saved = serde_json::to_string(&policy.state()).unwrap();
        policy = self::policy(run);
        policy.restore(&serde_json::from_str::<PolicyState>(&saved).unwrap()).unwrap();
    }
    let bits =
        |scores: &[Option<f64>]| -> Vec<_> { scores.iter().map(|score| score.map(f64::to_bits)).collect() };
    (bits(policy.scores()) != bits(&run.final_scores)).then_some(Parting::FinalScores)
}

#[test]
fn every_recorded_run_is_reproduced_decision_for_decision() {
    let case = case();
    assert!(!case.versions.python.is_empty() && !case.versions.numpy.is_empty() && case.seed > 0);
    assert_eq!(case.tolerance, 0.0, "decisions are equal or not");
    assert_eq!(case.runs.len(), 16);
    for run in &case.runs {
        let name = format!("{} of {} layers, split_num {}", run.fidelity, run.layers, run.split_num);
        assert!(run.steps.len() >= 40, "{name}");
        assert_eq!(replay(run), None, "{name}");
    }
}

#[test]
fn a_perturbed_recording_is_noticed() {
    for run in case().runs {
        let mut perturbed = run.clone();
        let selected = &mut perturbed.steps[20].selected;
        let other = (0..run.layers).find(|layer| !selected.contains(layer)).unwrap();
        selected[0] = other;
        selected.sort_unstable();
        assert_eq!(replay(&perturbed), Some(Parting::Selection { step: 20 }));

        let mut perturbed = run.clone();
        let score = perturbed.final_scores.iter_mut().flatten().next().unwrap();
        *score = score.next_up();
        assert_eq!(replay(&perturbed), Some(Parting::FinalScores));

        // A layer that trained is made by far the least important: it cannot be chosen as if nothing happened.
        let mut perturbed = run.clone();
        let last = perturbed.steps.len() - 1;
        for norm in &mut perturbed.steps[last].gradients[0].norms {
            *norm = Norm::Finite(1e-30);
        }
        assert_eq!(replay(&perturbed), Some(Parting::FinalScores));
    }
}

#[test]
fn split_costs_equal_numpy_to_the_last_bit() {
    let case = case();
    assert_eq!(case.costs.len(), 8);
    let mut costs = Vec::new();
    for recorded in &case.costs {
        split::costs(&recorded.ascending, &mut costs);
        let bits = |numbers: &[f64]| -> Vec<u64> { numbers.iter().map(|number| number.to_bits()).collect() };
        assert_eq!(bits(&costs), bits(&recorded.costs), "{} scores", recorded.ascending.len());

        let mut perturbed = recorded.ascending.clone();
        perturbed[0] *= 0.999_999;
        split::costs(&perturbed, &mut costs);
        assert!(recorded.ascending.len() == 2 || bits(&costs) != bits(&recorded.costs));
    }
}
