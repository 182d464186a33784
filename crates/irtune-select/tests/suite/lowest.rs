//! Which layers a policy says it will never train again.

use crate::support::{Model, build, configurations};

fn model(layers: usize) -> Model {
    Model { layers, seed: 3, numbers: vec![0.3, 2.0, 0.9, 1.7, 0.2, 1.1, 0.6, 2.9, 0.4, 1.3, 0.8] }
}

#[test]
fn nothing_below_the_lowest_layer_trains_from_then_on() {
    for (method, options) in configurations() {
        let mut policy = method.build(20, &options).unwrap();
        let mut lowest = policy.lowest();
        for step in 0..60 {
            let may_rise = policy.lowest_may_rise();
            let (set, _) = model(20).step(policy.as_mut(), step);
            assert!(set.iter().all(|layer| layer >= lowest), "{} {options:?}: step {step}", method.name);
            let now = policy.lowest();
            assert!(
                now >= lowest && (may_rise || now == lowest),
                "{} {options:?}: {lowest} {now}",
                method.name
            );
            lowest = now;
            // A policy that is continued knows as much after its next choice.
            let mut continued = method.build(20, &options).unwrap();
            continued.restore(&policy.state()).unwrap();
            assert!(continued.lowest() == 0 || continued.lowest() == lowest);
            model(20).step(continued.as_mut(), step + 1);
            assert!(continued.lowest() >= lowest, "{} {options:?}: step {step}", method.name);
        }
    }
}

#[test]
fn the_lowest_layer_is_known_from_the_step_that_settles_it() {
    for (name, options, steps) in [
        ("fixed", &[("layers", "top:4")][..], 0),
        ("spectrum", &[], 1),
        ("ir", &[("metric", "weight")], 1),
        ("ir", &[("metric", "weight"), ("fidelity", "published")], 1),
        ("ir", &[("settle", "5")], 6),
        ("ir", &[("settle", "3"), ("metric", "cosine")], 4),
    ] {
        let mut policy = build(name, 20, options).unwrap();
        for step in 0..steps {
            assert_eq!(policy.lowest(), 0, "{name} {options:?}: step {step}");
            assert!(policy.lowest_may_rise(), "{name} {options:?}: step {step}");
            model(20).step(policy.as_mut(), step);
        }
        let (set, _) = model(20).step(policy.as_mut(), steps);
        assert_eq!(Some(policy.lowest()), set.iter().next(), "{name} {options:?}");
        // Settled and spectrum's choices come back with the state.
        if !options.contains(&("metric", "weight")) {
            let mut continued = build(name, 20, options).unwrap();
            continued.restore(&policy.state()).unwrap();
            assert_eq!(continued.lowest(), policy.lowest(), "{name} {options:?}");
        }
    }
}
