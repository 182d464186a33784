//! What holds for every method of the table, and for `ir` whatever it is shown.

use std::collections::BTreeMap;

use irtune_select::{
    Evidence, Fidelity, GradientNorms, IrConfig, LayerPolicy, LayerSet, METHODS, PolicyState, SplitNum,
    StepDraws, method,
};
use proptest::prelude::*;

/// One step of a run whose gradients depend on layer and step only.
fn step(policy: &mut dyn LayerPolicy, layers: usize, seed: u64, step: u64, gradient: &[f64]) -> LayerSet {
    let mut draws = StepDraws::new(seed, step);
    let mut evidence = Evidence::new(step, layers, &mut draws);
    let set = policy.select(&mut evidence).unwrap();
    let mut norms = GradientNorms::new(layers);
    if policy.needs().gradient_norms {
        for layer in set.iter() {
            let at = (step as usize * layers + layer) % gradient.len();
            norms.measure(layer).extend([gradient[at], gradient[(at * 7 + 1) % gradient.len()]]);
        }
        evidence = evidence.with_gradient_norms(&norms);
    }
    policy.observe(&evidence).unwrap();
    set
}

fn configurations() -> impl Strategy<Value = IrConfig> {
    (
        prop::sample::select(vec![Fidelity::Paper, Fidelity::Published]),
        prop::sample::select(vec![SplitNum::One, SplitNum::Two]),
    )
        .prop_map(|(fidelity, split_num)| IrConfig { fidelity, split_num })
}

fn gradients() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(
        prop_oneof![0.0..100.0f64, Just(0.0), Just(1.0), 1e-30..1e-20f64, 1e8..1e12f64],
        50..400,
    )
}

proptest! {
    #[test]
    fn a_set_is_sorted_unique_in_range_and_what_it_was_made_of(
        layers in 1usize..=512,
        chosen in prop::collection::vec(0usize..512, 1..40),
    ) {
        let inside: Vec<usize> = chosen.into_iter().map(|layer| layer % layers).collect();
        let set = LayerSet::new(layers, inside.iter().copied()).unwrap();
        let listed: Vec<usize> = set.iter().collect();
        prop_assert!(listed.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(listed.iter().all(|layer| *layer < layers && inside.contains(layer)));
        prop_assert!(inside.iter().all(|layer| listed.contains(layer) && set.contains(*layer)));
        prop_assert_eq!(listed.len(), set.count());
    }

    #[test]
    fn sizes_stay_in_the_window(
        config in configurations(),
        layers in 1usize..70,
        seed: u64,
        gradient in gradients(),
    ) {
        let mut policy = config.init(layers).unwrap();
        let (smallest, largest) = config.sizes(layers).into_inner();
        for at in 0..12 {
            let count = step(&mut policy, layers, seed, at, &gradient).count();
            prop_assert!((1..=layers).contains(&count));
            prop_assert!(count >= smallest, "{count} of {layers} layers");
            // The published split may fall below its window when costs tie, and then keeps more layers.
            if config.fidelity == Fidelity::Paper {
                prop_assert!(count <= largest, "{count} of {layers} layers");
            }
        }
    }

    #[test]
    fn a_restored_policy_continues_as_if_never_stopped(
        config in configurations(),
        layers in 1usize..40,
        seed: u64,
        stop in 0u64..10,
        gradient in gradients(),
    ) {
        let mut continued = config.init(layers).unwrap();
        for at in 0..stop {
            step(&mut continued, layers, seed, at, &gradient);
        }
        let saved = serde_json::to_string(&continued.state()).unwrap();
        let mut restored = config.init(layers).unwrap();
        restored.restore(&serde_json::from_str::<PolicyState>(&saved).unwrap()).unwrap();
        for at in stop..stop + 8 {
            prop_assert_eq!(
                step(&mut continued, layers, seed, at, &gradient),
                step(&mut restored, layers, seed, at, &gradient)
            );
        }
        let bits = |policy: &dyn LayerPolicy| -> Vec<Option<u64>> {
            policy.scores().iter().map(|score| score.map(f64::to_bits)).collect()
        };
        prop_assert_eq!(bits(&continued), bits(&restored));
    }

    #[test]
    fn any_score_is_saved_to_the_last_bit(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(!number.is_nan());
        let state = PolicyState::new("ir").with("scores", &[Some(number)]);
        let back: PolicyState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        prop_assert_eq!(back.list("ir", "scores", 1).unwrap()[0].unwrap().to_bits(), bits);
    }
}

#[test]
fn every_method_runs_on_every_small_model() {
    for method in METHODS {
        for layers in 1..=8 {
            let mut policy = method.build(layers, &BTreeMap::new()).unwrap();
            assert_eq!(policy.name(), method.name);
            assert_eq!(policy.scores(), vec![None; layers]);
            for at in 0..10 {
                let set = step(policy.as_mut(), layers, 171, at, &[0.3, 0.1, 0.7, 0.2, 0.9]);
                assert_eq!(set.layers(), layers);
            }
            let scored = policy.scores().iter().all(Option::is_some);
            assert_eq!(scored, policy.needs().gradient_norms, "{} on {layers} layers", method.name);
            let state = policy.state();
            policy.restore(&state).unwrap();
            assert_eq!(policy.state(), state);
        }
    }
}

#[test]
fn the_table_names_methods_and_options_once_and_its_defaults_are_those_of_the_code() {
    for (at, entry) in METHODS.iter().enumerate() {
        assert!(METHODS[..at].iter().all(|earlier| earlier.name != entry.name));
        assert!(entry.summary.ends_with('.'));
        assert_eq!(method(entry.name).unwrap().name, entry.name);
        for option in entry.options {
            assert!(
                option.summary.ends_with('.') && option.values.contains(&format!("`{}`", option.default))
            );
        }
    }
    let options =
        |name: &str| method(name).unwrap().options.iter().map(|option| option.default).collect::<Vec<_>>();
    let default = IrConfig::default();
    assert_eq!(options("ir"), [default.fidelity.to_string(), default.split_num.splits().to_string()]);
    assert!(options("full").is_empty());
}

#[test]
fn full_trains_everything_always() {
    let mut policy = method("full").unwrap().build(30, &BTreeMap::new()).unwrap();
    for at in 0..3 {
        assert_eq!(step(policy.as_mut(), 30, 1, at, &[1.0]), LayerSet::all(30).unwrap());
    }
}

#[test]
fn options_reach_the_policy() {
    let count = |split_num: &str| {
        let options = BTreeMap::from([("split_num".to_string(), split_num.to_string())]);
        let mut policy = method("ir").unwrap().build(32, &options).unwrap();
        step(policy.as_mut(), 32, 1, 0, &[1.0, 2.0]).count()
    };
    assert_eq!(count("1"), 21);
    assert_eq!(count("2"), 14);

    let options = BTreeMap::from([("fidelity".to_string(), "published".to_string())]);
    let mut published = method("ir").unwrap().build(1, &options).unwrap();
    step(published.as_mut(), 1, 1, 0, &[16.0]);
    // Two parameters of norm 16: the root of the sum of roots, not an L2 norm.
    assert_eq!(published.scores(), [Some(8.0f64.sqrt())]);
}

#[test]
fn exploration_trains_the_unscored_layers_and_fills_up_with_the_highest_scored() {
    let mut policy = IrConfig::default().init(32).unwrap();
    let gradient: Vec<f64> = (1..=64).map(f64::from).collect();
    let first = step(&mut policy, 32, 9, 0, &gradient);
    assert_eq!(first.count(), 21, "the largest set of the window");
    let highest = |policy: &dyn LayerPolicy| {
        (0..32).max_by(|&a, &b| {
            policy.scores()[a].unwrap_or(-1.0).total_cmp(&policy.scores()[b].unwrap_or(-1.0))
        })
    };
    let best = highest(&policy).unwrap();
    let second = step(&mut policy, 32, 9, 1, &gradient);
    let expected = (0..32).filter(|&layer| !first.contains(layer) || layer == best);
    assert_eq!(second, LayerSet::new(32, expected).unwrap(), "11 unscored layers and the best one make 12");
    assert!(policy.scores().iter().all(Option::is_some));

    let another = step(&mut IrConfig::default().init(32).unwrap(), 32, 10, 0, &gradient);
    assert_ne!(first, another, "the subset depends on the seed");
}
