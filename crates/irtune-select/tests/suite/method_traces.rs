//! Every method against traces worked out by an independent script, `golden/methods/make.py`.

use std::collections::{BTreeMap, BTreeSet};

use irtune_select::{
    Draws, Evidence, GradientNorms, LayerPolicy, LayerSet, METHODS, PolicyState, Probe, Signals, method,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    versions: BTreeMap<String, String>,
    seed: u64,
    tolerance: f64,
    runs: Vec<Run>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Run {
    method: String,
    options: BTreeMap<String, String>,
    layers: usize,
    steps: Vec<Step>,
    final_scores: Vec<Option<f64>>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Step {
    draws: Vec<f64>,
    selected: Vec<usize>,
    reset: Option<Vec<usize>>,
    gradients: Option<Vec<LayerNorms>>,
    cosines: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    probes: Option<Vec<RecordedProbe>>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct LayerNorms {
    layer: usize,
    norms: Vec<f64>,
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
struct RecordedProbe {
    layers: Vec<usize>,
    factor: f64,
    loss: f64,
}

/// Numbers drawn elsewhere, handed out in their order.
struct RecordedDraws<'a>(std::slice::Iter<'a, f64>);

impl Draws for RecordedDraws<'_> {
    fn unit(&mut self) -> f64 {
        *self.0.next().expect("the policy draws more numbers than were recorded")
    }
}

/// Losses measured elsewhere; a question that was not asked there has no answer.
struct RecordedProbes<'a>(std::slice::Iter<'a, RecordedProbe>);

impl Probe for RecordedProbes<'_> {
    fn loss(&mut self, suppressed: &LayerSet, factor: f64) -> Option<f64> {
        let probe = self.0.next()?;
        (suppressed.iter().eq(probe.layers.iter().copied()) && factor == probe.factor).then_some(probe.loss)
    }
}

fn case() -> Case {
    irtune_testing::golden::case_json("methods")
}

fn policy(run: &Run) -> Box<dyn LayerPolicy> {
    method(&run.method).unwrap().build(run.layers, &run.options).unwrap()
}

/// Where a run parts from its recording.
#[derive(Debug, PartialEq)]
enum Parting {
    Selection { step: usize },
    Reset { step: usize },
    Needs { step: usize },
    FinalScores,
}

/// Replays a run, saving and restoring the policy through JSON after every step.
fn replay(run: &Run, tolerance: f64) -> Option<Parting> {
    let mut policy = policy(run);
    for (step, recorded) in run.steps.iter().enumerate() {
        let mut draws = RecordedDraws(recorded.draws.iter());
        let probes = recorded.probes.as_deref().unwrap_or_default();
        let mut probe = RecordedProbes(probes.iter());
        let needs = policy.needs();
        if needs.weights.is_some() != recorded.weights.is_some() {
            return Some(Parting::Needs { step });
        }
        let mut evidence = Evidence::new(step as u64, run.layers, &mut draws).with_probe(&mut probe);
        if let Some(weights) = &recorded.weights {
            evidence = evidence.with_weights(weights);
        }
        let Ok(selected) = policy.select(&mut evidence) else { return Some(Parting::Selection { step }) };
        if !selected.iter().eq(recorded.selected.iter().copied()) {
            return Some(Parting::Selection { step });
        }
        if policy.optimizer_reset().map(|set| set.iter().collect()) != recorded.reset {
            return Some(Parting::Reset { step });
        }
        let mut norms = GradientNorms::new(run.layers);
        for gradient in recorded.gradients.iter().flatten() {
            norms.measure(gradient.layer).extend(&gradient.norms);
        }
        if recorded.gradients.is_some() {
            evidence = evidence.with_gradient_norms(&norms);
        }
        if let Some(cosines) = &recorded.cosines {
            evidence = evidence.with_layer_cosines(cosines);
        }
        policy.observe(&evidence).unwrap();
        // What is needed after the choice of the step: a policy that settled in it needs nothing.
        let settled = policy.needs() == Signals::none();
        if needs.gradient_norms && settled == recorded.gradients.is_some()
            || needs.layer_cosines && settled == recorded.cosines.is_some()
        {
            return Some(Parting::Needs { step });
        }
        assert_eq!(draws.0.len(), 0, "numbers were recorded that the policy does not draw");
        assert_eq!(probe.0.len(), 0, "losses were recorded that the policy does not ask for");

        let saved = serde_json::to_string(&policy.state()).unwrap();
        policy = self::policy(run);
        policy.restore(&serde_json::from_str::<PolicyState>(&saved).unwrap()).unwrap();
    }
    let close = |own: &Option<f64>, other: &Option<f64>| match (own, other) {
        (Some(own), Some(other)) => (own - other).abs() <= tolerance * other.abs().max(1.0),
        (own, other) => own == other,
    };
    let equal = policy.scores().len() == run.final_scores.len()
        && policy.scores().iter().zip(&run.final_scores).all(|(own, other)| close(own, other));
    (!equal).then_some(Parting::FinalScores)
}

#[test]
fn every_recorded_run_is_reproduced_decision_for_decision() {
    let case = case();
    assert!(case.versions.contains_key("numpy") && case.seed > 0);
    assert_eq!((case.tolerance, case.runs.len()), (1e-6, 84));
    for run in &case.runs {
        // Only IST's scores go through exponentials, whose last digit differs between libraries.
        let tolerance = if run.method == "ist" { case.tolerance } else { 0.0 };
        assert_eq!(run.steps.len(), 45);
        assert_eq!(replay(run, tolerance), None, "{} {:?} of {} layers", run.method, run.options, run.layers);
    }
    let recorded: BTreeSet<&str> = case.runs.iter().map(|run| run.method.as_str()).collect();
    assert_eq!(recorded, METHODS.iter().map(|method| method.name).collect(), "a method has no trace");
}

#[test]
fn a_perturbed_recording_is_noticed() {
    let (mut resets, mut probes, mut scores) = (0, 0, 0);
    for run in case().runs {
        let mut perturbed = run.clone();
        let selected = &mut perturbed.steps[20].selected;
        match (0..run.layers).find(|layer| !selected.contains(layer)) {
            Some(other) => selected[0] = other,
            None => drop(selected.pop()),
        }
        selected.sort_unstable();
        assert_eq!(replay(&perturbed, 1e-6), Some(Parting::Selection { step: 20 }));

        if let Some(step) = run.steps.iter().position(|step| step.reset.is_some()) {
            let mut perturbed = run.clone();
            perturbed.steps[step].reset = None;
            assert_eq!(replay(&perturbed, 1e-6), Some(Parting::Reset { step }));
            resets += 1;
        }
        if let Some(step) = run.steps.iter().rposition(|step| step.probes.is_some()) {
            let mut perturbed = run.clone();
            perturbed.steps[step].probes.as_mut().unwrap()[0].loss += 0.01;
            assert!(replay(&perturbed, 1e-6).is_some(), "a loss that differs leaves its mark");
            probes += 1;
        }
        let mut perturbed = run.clone();
        if let Some(score) = perturbed.final_scores.iter_mut().flatten().next() {
            *score += 1e-4;
            assert_eq!(replay(&perturbed, 1e-6), Some(Parting::FinalScores));
            scores += 1;
        }
    }
    assert_eq!((resets, probes, scores), (12, 6, 45));
}
