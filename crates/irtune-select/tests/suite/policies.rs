//! What holds for every method of the table, whatever it is shown.

use std::collections::BTreeSet;

use crate::support::{Model, build, configurations};
use irtune_select::{
    Evidence, Fidelity, IrConfig, LayerPolicy, LayerSet, METHODS, Metric, PolicyState, Signals, SplitNum,
    StepDraws, WeightMeasure, method, option_names, unscored,
};
use proptest::prelude::*;

fn numbers() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(
        prop_oneof![0.0..100.0f64, Just(0.0), Just(1.0), 1e-30..1e-20f64, 1e8..1e12f64],
        50..400,
    )
}

fn bits(policy: &dyn LayerPolicy) -> Vec<Option<u64>> {
    policy.scores().iter().map(|score| score.map(f64::to_bits)).collect()
}

fn model(layers: usize) -> Model {
    let numbers = (1..=331).map(|index| f64::from(index * 37 % 101) / 17.0 + 0.05).collect();
    Model { layers, seed: 171, numbers }
}

/// The sets of some steps.
fn sets(name: &str, options: &[(&str, &str)], layers: usize, steps: u64) -> Vec<LayerSet> {
    let mut policy = build(name, layers, options).unwrap();
    let model = model(layers);
    (0..steps).map(|step| model.step(policy.as_mut(), step).0).collect()
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
    fn every_method_chooses_layers_that_exist_and_never_none(
        layers in 1usize..70,
        seed: u64,
        numbers in numbers(),
    ) {
        let model = Model { layers, seed, numbers };
        for (method, options) in configurations() {
            let mut policy = method.build(layers, &options).unwrap();
            for step in 0..12 {
                let (set, reset) = model.step(policy.as_mut(), step);
                prop_assert_eq!(set.layers(), layers);
                let listed: Vec<usize> = set.iter().collect();
                prop_assert!(!listed.is_empty() && listed.windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert!(listed.iter().all(|&layer| layer < layers), "{} {:?}", method.name, options);
                prop_assert!(reset.is_none_or(|reset| reset.layers() == layers));
            }
            prop_assert_eq!(policy.scores().len(), layers);
        }
    }

    #[test]
    fn a_restored_policy_continues_as_if_never_stopped(
        layers in 1usize..40,
        seed: u64,
        stop in 0u64..10,
        numbers in numbers(),
    ) {
        let model = Model { layers, seed, numbers };
        for (method, options) in configurations() {
            let mut continued = method.build(layers, &options).unwrap();
            for step in 0..stop {
                model.step(continued.as_mut(), step);
            }
            let saved = serde_json::to_string(&continued.state()).unwrap();
            let mut restored = method.build(layers, &options).unwrap();
            restored.restore(&serde_json::from_str::<PolicyState>(&saved).unwrap()).unwrap();
            prop_assert_eq!(continued.needs(), restored.needs());
            for step in stop..stop + 8 {
                prop_assert_eq!(
                    model.step(continued.as_mut(), step),
                    model.step(restored.as_mut(), step),
                    "{} {:?}", method.name, &options
                );
            }
            prop_assert_eq!(bits(continued.as_ref()), bits(restored.as_ref()));
            prop_assert_eq!(continued.state(), restored.state());
        }
    }

    #[test]
    fn sizes_of_ir_stay_in_the_window(
        fidelity in prop::sample::select(vec![Fidelity::Paper, Fidelity::Published]),
        split_num in prop::sample::select(vec![SplitNum::One, SplitNum::Two]),
        metric in prop::sample::select(vec![Metric::Gradient, Metric::Cosine, Metric::Weight]),
        layers in 1usize..70,
        seed: u64,
        numbers in numbers(),
    ) {
        let config = IrConfig { metric, fidelity, split_num, settle: 0 };
        let mut policy = config.init(layers).unwrap();
        let model = Model { layers, seed, numbers };
        let (smallest, largest) = config.sizes(layers).into_inner();
        prop_assert!(1 <= smallest && smallest <= largest && largest <= layers);
        for step in 0..12 {
            let count = model.step(&mut policy, step).0.count();
            // The published split may leave its window when costs tie, and cuts it elsewhere for other metrics.
            if fidelity == Fidelity::Paper {
                prop_assert!((smallest..=largest).contains(&count), "{count} of {layers} layers");
            } else if metric == Metric::Gradient {
                prop_assert!(count >= smallest, "{count} of {layers} layers");
            }
        }
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
fn every_method_starts_and_saves_itself_on_every_small_model() {
    for (method, options) in configurations() {
        for layers in 1..=8 {
            let mut policy = method.build(layers, &options).unwrap();
            assert_eq!(policy.name(), method.name);
            assert_eq!(policy.scores().len(), layers);
            assert_eq!(policy.optimizer_reset(), None);
            let state = policy.state();
            policy.restore(&state).unwrap();
            assert_eq!(policy.state(), state);
        }
    }
}

#[test]
fn only_what_a_method_uses_is_measured() {
    let needs = |name: &str, options: &[(&str, &str)]| build(name, 6, options).unwrap().needs();
    assert_eq!(needs("ir", &[]), Signals::gradient_norms());
    assert_eq!(needs("ir-cost", &[]), Signals::gradient_norms());
    assert_eq!(needs("ir", &[("metric", "cosine")]), Signals::layer_cosines());
    assert_eq!(needs("ir", &[("metric", "weight")]), Signals::weights(WeightMeasure::OutputProjection));
    assert_eq!(needs("spectrum", &[]), Signals::weights(WeightMeasure::SignalToNoise));
    assert_eq!(needs("ist", &[]), Signals::probes());
    for name in ["rst", "lisa", "badam", "fixed", "full"] {
        assert_eq!(needs(name, &[]), Signals::none(), "{name}");
    }
    // Weights are measured once, also for a policy that comes back from a checkpoint.
    for (name, options) in [("ir", &[("metric", "weight")][..]), ("spectrum", &[])] {
        let mut policy = build(name, 6, options).unwrap();
        model(6).step(policy.as_mut(), 0);
        assert_eq!(policy.needs(), Signals::none());
        let mut restored = build(name, 6, options).unwrap();
        restored.restore(&policy.state()).unwrap();
        assert_eq!(restored.needs(), Signals::none());
    }
}

#[test]
fn the_table_names_methods_and_options_once_and_its_defaults_can_be_given() {
    for (at, entry) in METHODS.iter().enumerate() {
        assert!(METHODS[..at].iter().all(|earlier| earlier.name != entry.name));
        assert!(entry.summary.ends_with('.'));
        assert_eq!(method(entry.name).unwrap().name, entry.name);
        for (at, option) in entry.options.iter().enumerate() {
            assert!(entry.options[..at].iter().all(|earlier| earlier.name != option.name));
            assert!(option.summary.ends_with('.'));
            assert!(option.values.contains(&format!("`{}`", option.default)), "{}", option.name);
            let given = build(entry.name, 20, &[(option.name, option.default)]).unwrap();
            let left = build(entry.name, 20, &[]).unwrap();
            assert_eq!((given.state(), given.needs()), (left.state(), left.needs()));
        }
    }
    let names = option_names();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
    assert!(METHODS.iter().flat_map(|method| method.options).all(|option| names.contains(&option.name)));
}

#[test]
fn every_option_changes_what_a_method_does() {
    let changes: &[(&str, &str, &str, &str)] = &[
        ("ir", "metric", "gradient", "cosine"),
        ("ir", "metric", "cosine", "weight"),
        ("ir", "fidelity", "paper", "published"),
        ("ir", "split_num", "1", "2"),
        ("ir", "settle", "0", "5"),
        ("ir-cost", "budget", "0.5", "0.8"),
        ("ir-cost", "adapter_cost", "0.1", "2"),
        ("ist", "interval", "10", "2"),
        ("rst", "layers", "4", "5"),
        ("rst", "fidelity", "paper", "published"),
        ("lisa", "layers", "2", "3"),
        ("lisa", "interval", "20", "3"),
        ("badam", "interval", "100", "3"),
        ("badam", "order", "random", "descending"),
        ("badam", "order", "ascending", "descending"),
        ("spectrum", "share", "0.25", "0.5"),
        ("fixed", "layers", "top:8", "1..4"),
    ];
    for &(name, option, first, second) in changes {
        let choices = |value| sets(name, &[(option, value)], 40, 24);
        assert_ne!(choices(first), choices(second), "{option} of {name}");
    }
    let resets = |state| {
        let mut policy = build("lisa", 9, &[("interval", "2"), ("optimizer_state", state)]).unwrap();
        (0..12).map(|step| model(9).step(policy.as_mut(), step).1).collect::<Vec<_>>()
    };
    assert_ne!(resets("keep"), resets("reset"));
    let covered: BTreeSet<&str> = changes.iter().map(|change| change.1).chain(["optimizer_state"]).collect();
    assert_eq!(covered, option_names().into_iter().collect(), "an option is missing here");
}

#[test]
fn full_and_fixed_train_the_same_always() {
    assert!(sets("full", &[], 30, 3).iter().all(|set| *set == LayerSet::all(30).unwrap()));
    let expected = LayerSet::new(30, [3, 5, 8, 9, 10]).unwrap();
    assert!(sets("fixed", &[("layers", "3,5,8..10")], 30, 3).iter().all(|set| *set == expected));
}

#[test]
fn ir_by_norms_has_the_sizes_and_scores_that_its_options_say() {
    let count = |split_num: &str| sets("ir", &[("split_num", split_num)], 32, 1)[0].count();
    assert_eq!(count("1"), 21);
    assert_eq!(count("2"), 14);

    let mut published = build("ir", 1, &[("fidelity", "published")]).unwrap();
    Model { layers: 1, seed: 1, numbers: vec![16.0] }.step(published.as_mut(), 0);
    // Two parameters of norm 16: the root of the sum of roots, not an L2 norm.
    assert_eq!(published.scores(), [Some(8.0f64.sqrt())]);
}

#[test]
fn exploration_trains_the_unscored_layers_and_fills_up_with_the_highest_scored() {
    let mut policy = IrConfig::default().init(32).unwrap();
    let model = Model { seed: 9, ..model(32) };
    let (first, _) = model.step(&mut policy, 0);
    assert_eq!(first.count(), 21, "the largest set of the window");
    let score = |policy: &dyn LayerPolicy, layer: usize| policy.scores()[layer].unwrap_or(-1.0);
    let best = (0..32).max_by(|&a, &b| score(&policy, a).total_cmp(&score(&policy, b))).unwrap();
    let (second, _) = model.step(&mut policy, 1);
    let expected = (0..32).filter(|&layer| !first.contains(layer) || layer == best);
    assert_eq!(second, LayerSet::new(32, expected).unwrap(), "11 unscored layers and the best one make 12");
    assert!(policy.scores().iter().all(Option::is_some));

    let (another, _) = Model { seed: 10, ..model }.step(&mut IrConfig::default().init(32).unwrap(), 0);
    assert_ne!(first, another, "the subset depends on the seed");
}

#[test]
fn a_settled_set_stays_and_needs_nothing() {
    for (options, first) in [
        (&[("settle", "5")][..], 5),
        (&[("settle", "1")], 2),
        (&[("settle", "1"), ("fidelity", "published")], 1),
        (&[("settle", "4"), ("metric", "cosine")], 4),
    ] {
        let mut policy = build("ir", 20, options).unwrap();
        let chosen: Vec<LayerSet> = (0..first).map(|step| model(20).step(policy.as_mut(), step).0).collect();
        assert_ne!(policy.needs(), Signals::none(), "{options:?}: still choosing");
        let settled = model(20).step(policy.as_mut(), first).0;
        assert_eq!(policy.needs(), Signals::none(), "{options:?}");
        let never: Vec<_> = options.iter().copied().filter(|option| option.0 != "settle").collect();
        assert_eq!(
            [chosen, vec![settled]].concat(),
            sets("ir", &never, 20, first + 1),
            "chosen as without settling"
        );
        for step in first + 1..first + 20 {
            assert_eq!(model(20).step(policy.as_mut(), step).0, settled);
        }
    }
}

#[test]
fn random_methods_draw_by_the_seed_and_train_every_layer_equally_often() {
    for (name, options, each) in [("rst", &[("layers", "3")][..], 900), ("lisa", &[("interval", "1")], 600)] {
        let mut counts = [0u32; 10];
        let mut policy = build(name, 10, options).unwrap();
        for step in 0..3000 {
            model(10).step(policy.as_mut(), step).0.iter().for_each(|layer| counts[layer] += 1);
        }
        assert!(counts.iter().all(|&count| count.abs_diff(each) < 110), "{name} {counts:?}");
        let first = |seed| Model { seed, ..model(10) }.step(build(name, 10, options).unwrap().as_mut(), 0).0;
        assert_eq!(first(1), first(1));
        assert!((2..20).any(|seed| first(seed) != first(1)), "{name}");
    }
    let published = sets("rst", &[("fidelity", "published")], 40, 200);
    assert!(published.iter().all(|set| set.count() == 4 && set.iter().all(|layer| layer < 32)));
    assert!(sets("rst", &[("fidelity", "published")], 3, 5).iter().all(|set| set.count() == 3));
    assert!(published.iter().any(|set| set.contains(31)));
}

#[test]
fn lisa_keeps_its_layers_for_an_interval_and_resets_those_that_leave() {
    let mut policy = build("lisa", 12, &[("interval", "5"), ("optimizer_state", "reset")]).unwrap();
    let steps: Vec<_> = (0..40).map(|step| model(12).step(policy.as_mut(), step)).collect();
    for (step, (set, reset)) in steps.iter().enumerate() {
        assert_eq!(set.count(), 2);
        let before = step.checked_sub(1).map(|before| steps[before].0);
        if step % 5 != 0 {
            assert_eq!(Some(*set), before);
        }
        assert_eq!(*reset, before.and_then(|before| before.without(set)), "step {step}");
    }
    assert!(steps.iter().any(|(_, reset)| reset.is_some()));
}

#[test]
fn badam_gives_every_layer_a_turn_with_a_fresh_state() {
    let turns = |order: &str, rounds: u64| {
        let mut policy = build("badam", 4, &[("interval", "3"), ("order", order)]).unwrap();
        let (mut turns, mut before) = (Vec::new(), None);
        for step in 0..rounds * 12 {
            let (set, reset) = model(4).step(policy.as_mut(), step);
            assert_eq!(set.count(), 1);
            let left = before.filter(|_| step % 3 == 0);
            assert_eq!(reset, left, "who leaves comes back with a new state");
            before = Some(set);
            if step % 3 == 0 {
                turns.push(set.iter().next().unwrap());
            }
        }
        turns
    };
    assert_eq!(turns("ascending", 2), [0, 1, 2, 3, 0, 1, 2, 3]);
    assert_eq!(turns("descending", 2), [3, 2, 1, 0, 3, 2, 1, 0]);
    let random = turns("random", 6);
    for round in random.chunks(4) {
        assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), 4, "every layer once a round");
    }
    assert!(random.chunks(4).any(|round| round != &random[..4]), "rounds differ");
}

#[test]
fn spectrum_trains_the_highest_ratios() {
    let mut policy = build("spectrum", 5, &[("share", "0.5")]).unwrap();
    let mut draws = StepDraws::new(0, 0);
    let mut evidence = Evidence::new(0, 5, &mut draws).with_weights(&[3.0, 1.0, 3.0, 2.0, 3.0]);
    // Floor of 2.5 layers, the higher ones of the three that tie.
    assert_eq!(policy.select(&mut evidence), LayerSet::new(5, [2, 4]));
    assert_eq!(policy.scores()[1], Some(1.0));
}

#[test]
fn layers_that_matter_less_when_weakened_train_less_often_in_ist() {
    struct Loss;
    impl irtune_select::Probe for Loss {
        // Only the even layers matter.
        fn loss(&mut self, suppressed: &LayerSet, _: f64) -> Option<f64> {
            Some(0.2 * suppressed.iter().filter(|layer| layer % 2 == 0).count() as f64)
        }
    }
    let mut policy = build("ist", 12, &[("interval", "1")]).unwrap();
    let mut trained = [0; 12];
    for step in 0..1500 {
        let mut draws = StepDraws::new(3, step);
        let (mut loss, mut evidence) = (Loss, Evidence::new(step, 12, &mut draws));
        evidence = evidence.with_probe(&mut loss);
        policy.select(&mut evidence).unwrap().iter().for_each(|layer| trained[layer] += 1);
    }
    let scores: Vec<f64> = policy.scores().iter().map(|score| score.unwrap()).collect();
    for even in (0..12).step_by(2) {
        for odd in (1..12).step_by(2) {
            assert!(scores[even] < scores[odd] && trained[even] > trained[odd], "{scores:?} {trained:?}");
        }
    }
    assert_eq!(unscored(3), [None; 3]);
}
