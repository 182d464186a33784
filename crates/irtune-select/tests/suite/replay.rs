//! Policies run over recorded scores.

use crate::support::{Model, build};
use irtune_select::{Replay, SelectError};

fn recorded(layers: usize) -> Vec<Vec<f64>> {
    let number = |step: usize, layer: usize| f64::from(((step * 13 + layer * 29) % 23) as u32) / 10.0;
    (0..30).map(|step| (0..layers).map(|layer| number(step, layer)).collect()).collect()
}

#[test]
fn a_run_is_replayed_decision_for_decision_from_the_scores_it_recorded() {
    for (name, options) in [
        ("ir", &[][..]),
        ("ir", &[("split_num", "2")]),
        ("ir", &[("fidelity", "published")]),
        ("ir", &[("metric", "cosine")]),
        ("ir", &[("metric", "weight")]),
        ("ir-cost", &[]),
        ("rst", &[]),
        ("lisa", &[("interval", "4")]),
        ("badam", &[("interval", "4")]),
        ("spectrum", &[]),
        ("fixed", &[]),
        ("full", &[]),
    ] {
        let model = Model {
            layers: 14,
            seed: 5,
            numbers: recorded(11).concat().into_iter().map(|x| x + 0.1).collect(),
        };
        let mut policy = build(name, 14, options).unwrap();
        let run: Vec<_> = (0..30)
            .map(|step| {
                let set = model.step(policy.as_mut(), step).0;
                (set, policy.scores().iter().map(|score| score.unwrap_or(0.0)).collect::<Vec<_>>())
            })
            .collect();
        let mut again = build(name, 14, options).unwrap();
        let mut replay = Replay::new(again.as_mut(), 5);
        for (step, (set, scores)) in run.iter().enumerate() {
            assert_eq!(replay.step(scores).as_ref(), Ok(set), "{name} {options:?}, step {step}");
        }
        assert_eq!(again.state(), policy.state(), "{name} {options:?}");
    }
}

#[test]
fn what_recorded_scores_cannot_stand_in_for() {
    let mut ist = build("ist", 4, &[]).unwrap();
    let refused = Replay::new(ist.as_mut(), 1).step(&[1.0; 4]);
    assert_eq!(refused, Err(SelectError::NoProbe { method: "ist", step: 0 }));

    let mut ir = build("ir", 2, &[("fidelity", "published")]).unwrap();
    let error = Replay::new(ir.as_mut(), 1).step(&[1.0, -0.5]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the recorded score of layer 1 is -0.5 in step 0, but method `ir` scores layers by norms, which are never \
         negative"
    );
    let mut replay = Replay::new(ir.as_mut(), 1);
    assert!(matches!(replay.step(&[1.0; 3]), Err(SelectError::EvidenceLayers { expected: 2, found: 3, .. })));
}
