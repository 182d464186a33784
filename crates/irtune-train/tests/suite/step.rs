//! One training step: what trains, what the policy is shown, how gradients are clipped, what is refused.

use crate::counting_engine::{CountingEngine, LABELS, LAYERS};
use irtune_data::{Example, Target};
use irtune_model::{HostTensor, LossOptions, StateDict as _, Train as _};
use irtune_select::{
    Evidence, LayerPolicy, LayerSet, METHODS, PolicyState, SelectError, Signals, WeightMeasure,
};
use irtune_train::evaluate::{self, BatchLimit};
use irtune_train::step::{
    StepBatch, StepError, StepOutcome, StepRecipe, StepScratch, measure_weights, training_step,
};
use std::sync::atomic::AtomicBool;

/// Always chooses the same layers, and keeps what it is shown.
struct Fixed {
    layers: Vec<usize>,
    shown: Vec<Option<Vec<f64>>>,
}

impl LayerPolicy for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn needs(&self) -> Signals {
        Signals::gradient_norms()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        LayerSet::new(evidence.layers, self.layers.iter().copied())
    }

    fn observe(&mut self, evidence: &Evidence<'_>) -> Result<(), SelectError> {
        let norms = evidence.gradient_norms().unwrap();
        self.shown = (0..norms.layers()).map(|layer| norms.layer(layer).map(<[f64]>::to_vec)).collect();
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        &[]
    }

    fn state(&self) -> PolicyState {
        PolicyState::new("fixed")
    }

    fn restore(&mut self, _: &PolicyState) -> Result<(), SelectError> {
        Ok(())
    }
}

const RECIPE: StepRecipe = StepRecipe {
    batch_size: 4,
    micro_batch_tokens: 0,
    train_head: true,
    max_grad_norm: 0.0,
    weight_decay: 0.0,
    seed: 1,
    dropout: false,
    norms_of_micro_batches: false,
};

fn step(
    engine: &mut CountingEngine,
    layers: &[usize],
    recipe: &StepRecipe,
    examples: &[Example],
) -> (Result<StepOutcome, StepError>, Vec<Option<Vec<f64>>>) {
    let mut policy = Fixed { layers: layers.to_vec(), shown: Vec::new() };
    let examples: Vec<&Example> = examples.iter().collect();
    let batch = StepBatch { step: 5, examples: &examples, learning_rate: 0.01 };
    let outcome = training_step(engine, &mut policy, recipe, &batch, &mut StepScratch::new(LAYERS));
    (outcome, policy.shown)
}

fn changed(before: &[HostTensor], after: &[HostTensor]) -> Vec<bool> {
    before.iter().zip(after).map(|(before, after)| before.data != after.data).collect()
}

fn norm(gradients: &[HostTensor]) -> f64 {
    let squares = gradients.iter().flat_map(|tensor| &tensor.data).map(|value| f64::from(*value).powi(2));
    squares.sum::<f64>().sqrt()
}

#[test]
fn only_the_chosen_layers_and_the_head_change() {
    for train_head in [true, false] {
        let mut engine = CountingEngine::new();
        let before = engine.parameters();
        let recipe = StepRecipe { train_head, ..RECIPE };
        let (outcome, shown) = step(&mut engine, &[1, 4], &recipe, &crate::counting_engine::examples(4, 0));
        let expected = [false, true, false, false, true, false, train_head];
        assert_eq!(changed(&before, &engine.parameters()), expected);
        let outcome = outcome.unwrap();
        assert_eq!(outcome.active_layers.iter().collect::<Vec<_>>(), [1, 4]);
        assert!((outcome.gradient_norm - norm(&engine.gradients())).abs() < 1e-9);
        let measured: Vec<bool> = shown.iter().map(Option::is_some).collect();
        assert_eq!(measured, expected[..LAYERS]);
    }
}

#[test]
fn a_long_gradient_is_scaled_to_the_limit_and_a_short_one_is_left() {
    let clipped = |max_grad_norm| {
        let mut engine = CountingEngine::new();
        let recipe = StepRecipe { max_grad_norm, ..RECIPE };
        let (outcome, shown) = step(&mut engine, &[0, 5], &recipe, &crate::counting_engine::examples(4, 0));
        (outcome.unwrap().gradient_norm, norm(&engine.gradients()), shown)
    };
    let (whole, left, shown) = clipped(0.0);
    assert!((whole - left).abs() < 1e-9);
    let limit = whole / 3.0;
    let (reported, scaled, shown_when_clipped) = clipped(limit);
    assert_eq!(reported, whole, "the norm is reported as it was before clipping");
    assert!((scaled - limit * whole / (whole + 1e-6)).abs() < 1e-7);
    assert_eq!(shown_when_clipped, shown, "the policy sees the gradient as it was before clipping");
    let (_, left, _) = clipped(whole * 2.0);
    assert!((whole - left).abs() < 1e-9);
}

#[test]
fn the_published_norms_are_those_of_each_micro_batch() {
    let examples = crate::counting_engine::examples(6, 0);
    let recipe = StepRecipe { norms_of_micro_batches: true, ..RECIPE };
    let (outcome, shown) = step(&mut CountingEngine::new(), &[2], &recipe, &examples);
    let (whole, _) = step(&mut CountingEngine::new(), &[2], &RECIPE, &examples);
    assert_eq!(outcome.unwrap(), whole.unwrap(), "the step itself is the same");

    // Each micro-batch alone, its loss divided by all six examples.
    let alone = |examples: &[Example]| {
        let (_, shown) = step(&mut CountingEngine::new(), &[2], &RECIPE, examples);
        let norms = shown[2].clone().unwrap();
        norms.iter().map(|norm| norm * examples.len() as f64 / 6.0).collect::<Vec<_>>()
    };
    let expected = [alone(&examples[..4]), alone(&examples[4..])].concat();
    let shown = shown[2].clone().unwrap();
    assert_eq!(shown.len(), 4, "two micro-batches of two parameters");
    for (shown, expected) in shown.iter().zip(&expected) {
        assert!((shown - expected).abs() < 1e-6 * expected, "{shown} {expected}");
    }
    assert!(shown != expected.iter().map(|_| shown[0]).collect::<Vec<_>>());
}

#[test]
fn a_single_micro_batch_is_shown_as_it_is_in_both_fidelities() {
    let examples = crate::counting_engine::examples(4, 0);
    let recipe = StepRecipe { norms_of_micro_batches: true, ..RECIPE };
    let (_, published) = step(&mut CountingEngine::new(), &[2], &recipe, &examples);
    let (_, paper) = step(&mut CountingEngine::new(), &[2], &RECIPE, &examples);
    assert_eq!(published, paper);
}

#[test]
fn tokens_count_what_is_shared_once_a_micro_batch() {
    let mut examples = crate::counting_engine::examples(6, 0);
    for (index, example) in examples.iter_mut().enumerate() {
        example.tokens = (0..20).chain([20 + index as u32]).collect();
    }
    let (outcome, _) = step(&mut CountingEngine::new(), &[2], &RECIPE, &examples);
    assert_eq!(outcome.unwrap().tokens, 6 + 2 * 20);
}

#[test]
fn a_batch_of_many_tokens_makes_the_same_step_in_parts() {
    let examples = crate::counting_engine::examples(8, 0);
    let steps = [0, 20, 1].map(|micro_batch_tokens| {
        let mut engine = CountingEngine::new();
        let recipe = StepRecipe { batch_size: 8, micro_batch_tokens, ..RECIPE };
        let (outcome, shown) = step(&mut engine, &[2], &recipe, &examples);
        (engine.passes, outcome.unwrap(), shown, engine.gradients())
    });
    assert_eq!(steps.each_ref().map(|(passes, ..)| *passes), [1, 4, 8]);
    let (_, whole, shown, gradients) = &steps[0];
    for (_, parts, parts_shown, parts_gradients) in &steps[1..] {
        assert!((parts.loss - whole.loss).abs() < 1e-6);
        for (part, whole) in parts_shown[2].iter().flatten().zip(shown[2].iter().flatten()) {
            assert!((part - whole).abs() < 1e-6 * whole);
        }
        for (parts, whole) in parts_gradients.iter().zip(gradients) {
            assert!(parts.data.iter().zip(&whole.data).all(|(part, whole)| (part - whole).abs() < 1e-6));
        }
    }
}

#[test]
fn distributions_are_learned_in_place_of_labels_and_count_alike() {
    let plain = crate::counting_engine::examples(6, 0);
    let class = |example: &Example| example.target.as_ref().unwrap().class().unwrap();
    let soft: Vec<Example> = plain
        .iter()
        .enumerate()
        .map(|(place, example)| {
            let share = place as f32 / 8.0;
            let (class, shares) = (class(example), vec![share, 0.25, 0.75 - share]);
            Example { target: Some(Target::Shares { class, shares }), ..example.clone() }
        })
        .collect();
    let weights = vec![0.5, 2.0, 1.5];
    let options = LossOptions { class_weights: Some(weights.clone()), label_smoothing: 0.0 };
    let mut engine = CountingEngine::new();
    engine.set_loss(options.clone()).unwrap();
    let logits = evaluate::logits(&mut engine, &soft, BatchLimit::classifying(8), &AtomicBool::new(false));
    let logits = logits.unwrap().unwrap();
    let expected = logits.chunks_exact(LABELS).zip(&soft).map(|(logits, example)| {
        let Some(Target::Shares { shares, .. }) = &example.target else { panic!() };
        let shares = shares.iter().zip(&weights);
        let losses = shares.zip(evaluate::softmax(logits));
        losses
            .map(|((share, weight), probability)| -f64::from(*share) * weight * probability.ln())
            .sum::<f64>()
    });
    let expected = expected.sum::<f64>() / 6.0;
    for micro_batch_tokens in [0, 20] {
        let mut engine = CountingEngine::new();
        engine.set_loss(options.clone()).unwrap();
        let recipe = StepRecipe { micro_batch_tokens, ..RECIPE };
        let found = step(&mut engine, &[2], &recipe, &soft).0.unwrap().loss;
        assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
    }
    // The whole share for the label is the label.
    let whole = |example: &Example| {
        let mut shares = vec![0.0; LABELS];
        shares[class(example) as usize] = 1.0;
        Example { target: Some(Target::Shares { class: class(example), shares }), ..example.clone() }
    };
    let whole: Vec<Example> = plain.iter().map(whole).collect();
    let trained = [&plain, &whole].map(|examples| {
        let mut engine = CountingEngine::new();
        step(&mut engine, &[2], &RECIPE, examples).0.unwrap();
        engine.parameters()
    });
    assert_eq!(trained[0], trained[1]);
}

#[test]
fn cosines_are_those_of_whole_batches() {
    let mut engine = CountingEngine::new();
    let mut needs = Signals::default();
    needs.layer_cosines = true;
    let mut policy = Curious { needs, ..Curious::default() };
    let recipe = StepRecipe { micro_batch_tokens: 1, ..RECIPE };
    let examples = crate::counting_engine::examples(4, 0);
    let examples: Vec<&Example> = examples.iter().collect();
    let batch = StepBatch { step: 0, examples: &examples, learning_rate: 0.01 };
    training_step(&mut engine, &mut policy, &recipe, &batch, &mut StepScratch::new(LAYERS)).unwrap();
    assert_eq!(engine.passes, 1);
}

#[test]
fn each_error_leaves_the_parameters_as_they_were() {
    let refuse = |examples: &[Example], layers: &[usize], spoil: fn(&mut CountingEngine)| {
        let mut engine = CountingEngine::new();
        spoil(&mut engine);
        let before = engine.parameters();
        let error = step(&mut engine, layers, &RECIPE, examples).0.unwrap_err();
        let bits = |tensors: &[HostTensor]| -> Vec<u32> {
            tensors.iter().flat_map(|tensor| &tensor.data).map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&engine.parameters()), bits(&before));
        error
    };
    let good = crate::counting_engine::examples(4, 0);
    let none = |_: &mut CountingEngine| {};

    let error = refuse(&good, &[0], |engine| {
        let mut parameters = engine.parameters();
        parameters[3].data[0] = f32::NAN;
        engine.load_parameters(&parameters).unwrap();
    });
    assert!(matches!(error, StepError::Loss { .. }), "{error}");
    assert_eq!(error.to_string(), "the loss is NaN");

    let mut unlabelled = good.clone();
    unlabelled[2].target = None;
    let error = refuse(&unlabelled, &[0], none);
    assert_eq!(error.to_string(), "example 2 of the step has no label");

    let mut mixed = good.clone();
    mixed[1].target = Some(Target::Labels(vec![true; LABELS]));
    let error = refuse(&mixed, &[0], none);
    assert_eq!(error.to_string(), "example 1 of the step has a target of another kind than those before it");

    let error = refuse(&good, &[LAYERS], none);
    assert!(matches!(error, StepError::Select(SelectError::LayerOutOfRange { .. })), "{error}");

    let error = refuse(&[], &[0], none);
    assert!(matches!(error, StepError::Empty), "{error}");

    let mut empty = good.clone();
    empty[1].tokens.clear();
    let error = refuse(&empty, &[0], none);
    assert!(matches!(error, StepError::Batch(_)), "{error}");

    let error = refuse(&good, &[0], |engine| engine.infinite_gradient = true);
    assert!(matches!(error, StepError::Gradient { .. }), "{error}");
    assert_eq!(error.to_string(), "the gradient norm is inf");

    let error = refuse(&good, &[0], |engine| engine.fails = true);
    assert!(matches!(error, StepError::Model(_)), "{error}");
}

/// Asks for everything or nothing, and keeps what it is shown.
#[derive(Default)]
struct Curious {
    needs: Signals,
    resets: bool,
    weights: Option<Vec<f64>>,
    losses: Vec<f64>,
    norms: bool,
    cosines: Option<Vec<f64>>,
}

impl LayerPolicy for Curious {
    fn name(&self) -> &'static str {
        "curious"
    }

    fn needs(&self) -> Signals {
        self.needs
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        self.weights = evidence.weights("curious").ok().map(<[f64]>::to_vec);
        let suppressed = [LayerSet::new(LAYERS, [0])?, LayerSet::all(LAYERS)?];
        if self.needs.probes {
            for (set, factor) in [(suppressed[0], 1.0), (suppressed[0], 0.25), (suppressed[1], 0.25)] {
                self.losses.push(evidence.probe("curious", &set, factor)?);
            }
        }
        LayerSet::new(LAYERS, [2, 3])
    }

    fn optimizer_reset(&self) -> Option<LayerSet> {
        self.resets.then(|| LayerSet::new(LAYERS, [1, 2]).unwrap())
    }

    fn observe(&mut self, evidence: &Evidence<'_>) -> Result<(), SelectError> {
        self.norms = evidence.gradient_norms().is_some();
        self.cosines = evidence.layer_cosines("curious").ok().map(<[f64]>::to_vec);
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        &[]
    }

    fn state(&self) -> PolicyState {
        PolicyState::new("curious")
    }

    fn restore(&mut self, _: &PolicyState) -> Result<(), SelectError> {
        Ok(())
    }
}

/// One step of six examples in two micro-batches, with weights at hand.
fn curious(engine: &mut CountingEngine, policy: &mut Curious) -> Result<StepOutcome, StepError> {
    let examples = crate::counting_engine::examples(6, 0);
    let examples: Vec<&Example> = examples.iter().collect();
    let batch = StepBatch { step: 5, examples: &examples, learning_rate: 0.01 };
    let mut scratch = StepScratch::new(LAYERS);
    scratch.set_weights(measure_weights(engine, WeightMeasure::OutputProjection, |_| {})?);
    let recipe = StepRecipe { norms_of_micro_batches: true, ..RECIPE };
    training_step(engine, policy, &recipe, &batch, &mut scratch)
}

#[test]
fn what_is_not_asked_for_is_not_measured() {
    let (mut engine, mut policy) = (CountingEngine::new(), Curious::default());
    curious(&mut engine, &mut policy).unwrap();
    assert!(
        !policy.norms && policy.cosines.is_none() && policy.weights.is_none() && policy.losses.is_empty()
    );
    assert_eq!((engine.losses, engine.passes), (0, 2), "a pass a micro-batch, and no loss");
}

#[test]
fn what_is_asked_for_is_measured() {
    let shown = |needs: Signals| {
        let (mut engine, mut policy) = (CountingEngine::new(), Curious { needs, ..Curious::default() });
        curious(&mut engine, &mut policy).unwrap();
        (policy, engine)
    };
    let (policy, engine) = shown(Signals::gradient_norms());
    assert!(policy.norms && policy.cosines.is_none());
    assert_eq!(engine.passes, 4, "each micro-batch once more for its own norms");
    let (policy, engine) = shown(Signals::layer_cosines());
    assert!(!policy.norms && policy.cosines.is_some_and(|cosines| cosines.len() == LAYERS));
    assert_eq!(engine.passes, 2);
    let (policy, _) = shown(Signals::weights(WeightMeasure::OutputProjection));
    assert_eq!(policy.weights, Some(vec![1.0, 6.0, 5.0, 4.0, 3.0, 2.0]));
}

#[test]
fn measured_weights_come_in_the_order_of_the_layers() {
    let (engine, mut told) = (CountingEngine::new(), Vec::new());
    let ratios = measure_weights(&engine, WeightMeasure::SignalToNoise, |done| told.push(done)).unwrap();
    assert_eq!(ratios, [0.0, 3.0, 2.0, 1.0, 0.0, 3.0]);
    assert_eq!(told, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn probes_are_mean_losses_of_the_first_micro_batch_and_change_nothing() {
    let (mut engine, mut policy) =
        (CountingEngine::new(), Curious { needs: Signals::probes(), ..Curious::default() });
    let (before, outcome) = (engine.parameters(), curious(&mut engine, &mut policy).unwrap());
    let mut plain = CountingEngine::new();
    let without = curious(&mut plain, &mut Curious::default()).unwrap();
    assert_eq!(outcome, without, "the step is the same with and without probes");
    assert_eq!(engine.parameters(), plain.parameters());
    assert_ne!(engine.parameters(), before);

    let examples = crate::counting_engine::examples(4, 0);
    let (alone, _) = step(&mut CountingEngine::new(), &[2], &RECIPE, &examples);
    assert_eq!(policy.losses.len(), 3);
    assert!(
        (policy.losses[0] - alone.unwrap().loss).abs() < 1e-12,
        "without suppression: the loss of four examples"
    );
    assert!(policy.losses[1] != policy.losses[0] && policy.losses[2] != policy.losses[1]);
}

#[test]
fn a_probe_that_fails_says_what_the_engine_says() {
    let mut engine = CountingEngine::new();
    engine.fails = true;
    let error =
        curious(&mut engine, &mut Curious { needs: Signals::probes(), ..Curious::default() }).unwrap_err();
    assert!(matches!(error, StepError::Model(_)), "{error}");
}

#[test]
fn the_optimizer_state_of_the_layers_asked_for_is_cleared_before_the_update() {
    let mut engine = CountingEngine::new();
    step(&mut engine, &[0, 1, 2], &RECIPE, &crate::counting_engine::examples(4, 0)).0.unwrap();
    let steps = |engine: &CountingEngine| -> Vec<f32> {
        let state = engine.optimizer_state();
        state.iter().filter(|tensor| tensor.name.ends_with(".steps")).map(|tensor| tensor.data[0]).collect()
    };
    assert_eq!(steps(&engine), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    curious(&mut engine, &mut Curious { resets: true, ..Curious::default() }).unwrap();
    assert_eq!(steps(&engine), [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 2.0], "1 was cleared, 2 was and then trained");
}

#[test]
fn every_method_makes_steps() {
    for method in METHODS {
        let mut engine = CountingEngine::new();
        let mut policy = method.build(LAYERS, &Default::default()).unwrap();
        let mut scratch = StepScratch::new(LAYERS);
        let examples = crate::counting_engine::examples(6, 0);
        let examples: Vec<&Example> = examples.iter().collect();
        for step in 0..21 {
            if let Some(measure) = policy.needs().weights {
                assert_eq!(step, 0, "weights are measured once");
                scratch.set_weights(measure_weights(&engine, measure, |_| {}).unwrap());
            }
            let before = engine.parameters();
            let batch = StepBatch { step, examples: &examples, learning_rate: 0.01 };
            let outcome = training_step(&mut engine, policy.as_mut(), &RECIPE, &batch, &mut scratch).unwrap();
            let trained: Vec<bool> = (0..LAYERS).map(|layer| outcome.active_layers.contains(layer)).collect();
            assert_eq!(changed(&before, &engine.parameters())[..LAYERS], trained, "{}", method.name);
        }
        assert_eq!(engine.losses, if method.name == "ist" { 6 } else { 0 }, "{}", method.name);
    }
}

#[test]
fn logits_are_the_same_however_many_go_through_together() {
    let examples = crate::counting_engine::examples(7, 0);
    let never = std::sync::atomic::AtomicBool::new(false);
    let of = |examples_together, tokens| {
        let (mut engine, limit) = (CountingEngine::new(), BatchLimit { examples: examples_together, tokens });
        let logits = evaluate::logits(&mut engine, &examples, limit, &never).unwrap().unwrap();
        (logits, engine.batches)
    };
    let (whole, batches) = of(7, 0);
    assert_eq!(batches, 1);
    for (limit, expected) in [((3, 0), 3), ((7, 40), 2), ((7, 1), 7)] {
        let (parts, batches) = of(limit.0, limit.1);
        assert_eq!(batches, expected, "{limit:?}");
        assert!(parts.iter().zip(&whole).all(|(part, whole)| (part - whole).abs() < 1e-6));
    }
}
