//! Every way a method can fail, with the message a user reads.

use std::collections::BTreeMap;

use crate::support::{Model, configurations};
use irtune_select::{
    Evidence, Fidelity, GradientNorms, Ir, IrConfig, LayerPolicy, LayerSet, METHODS, PolicyState, Probe, Rst,
    SelectError, StepDraws, method,
};

fn message<T: std::fmt::Debug>(result: Result<T, SelectError>) -> String {
    result.unwrap_err().to_string()
}

fn build(name: &str, layers: usize, options: &[(&str, &str)]) -> Result<(), SelectError> {
    let options: BTreeMap<_, _> =
        options.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    method(name)?.build(layers, &options).map(drop)
}

/// Shows `ir` step 4, after selecting in it if `select` is set, with these norms as all that was measured.
fn observe(ir: &mut Ir, select: bool, measured: Option<&GradientNorms>) -> Result<(), SelectError> {
    let mut draws = StepDraws::new(171, 4);
    let mut evidence = Evidence::new(4, 2, &mut draws);
    if select {
        ir.select(&mut evidence)?;
    }
    match measured {
        Some(norms) => ir.observe(&evidence.with_gradient_norms(norms)),
        None => ir.observe(&evidence),
    }
}

fn norms(layers: &[&[f64]]) -> GradientNorms {
    let mut norms = GradientNorms::new(layers.len());
    for (layer, own) in layers.iter().enumerate() {
        norms.measure(layer).extend_from_slice(own);
    }
    norms
}

fn ir(fidelity: Fidelity) -> Ir {
    IrConfig { fidelity, ..IrConfig::default() }.init(2).unwrap()
}

#[test]
fn unknown_method() {
    assert_eq!(
        message(build("layers", 4, &[])),
        "there is no method `layers`; choose one of: ir, ir-cost, ist, rst, lisa, badam, spectrum, fixed, full"
    );
}

#[test]
fn unknown_option() {
    assert_eq!(
        message(build("ir", 4, &[("split", "2")])),
        "method `ir` has no option `split`; it has: metric, fidelity, split_num, settle"
    );
    assert_eq!(
        message(build("full", 4, &[("split_num", "2")])),
        "method `full` has no option `split_num`; it has none"
    );
}

#[test]
fn option_value() {
    for (method, option, value, expected) in [
        ("ir", "split_num", "3", "`1` or `2`"),
        ("ir", "fidelity", "exact", "`paper` or `published`"),
        ("ir", "metric", "norm", "`gradient`, `cosine` or `weight`"),
        ("ir", "settle", "-1", "a number of steps, `0` for never"),
        ("ir-cost", "budget", "0", "a number above 0 up to 1, such as `0.5`"),
        ("ir-cost", "adapter_cost", "nan", "a number from 0, such as `0.1`"),
        ("ist", "interval", "0", "a number from `1`, such as `10`"),
        ("rst", "layers", "0", "a number from `1`, such as `4`"),
        ("rst", "fidelity", "ours", "`paper` or `published`"),
        ("lisa", "layers", "two", "a number from `1`, such as `2`"),
        ("lisa", "interval", "0", "a number from `1`, such as `20`"),
        ("lisa", "optimizer_state", "drop", "`keep` or `reset`"),
        ("badam", "interval", "", "a number from `1`, such as `100`"),
        ("badam", "order", "shuffled", "`random`, `ascending` or `descending`"),
        ("spectrum", "share", "1.5", "a number above 0 up to 1, such as `0.25`"),
        (
            "fixed",
            "layers",
            "5..3",
            "layers and ranges with both ends such as `3,5,8..12`, or `top:8`, or `bottom:8`",
        ),
    ] {
        assert_eq!(
            message(build(method, 4, &[(option, value)])),
            format!("option `{option}` of method `{method}` cannot be `{value}`; it takes {expected}")
        );
    }
    let options = METHODS.iter().map(|method| method.options.len()).sum::<usize>();
    assert_eq!(options, 16, "a case for every option");
}

#[test]
fn option_conflict() {
    assert_eq!(
        message(build("rst", 4, &[("fidelity", "published"), ("layers", "7")])),
        "option `layers` of method `rst` cannot be `7` while `fidelity` is `published`; leave one of them out"
    );
    assert_eq!(build("rst", 4, &[("fidelity", "published"), ("layers", "4")]), Ok(()));
}

#[test]
fn all_problems_of_options_are_found_whatever_the_model() {
    let problems = |name: &str, options: &[(&str, &str)]| {
        let options: BTreeMap<_, _> =
            options.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        method(name).unwrap().problems(&options).into_iter().map(|(option, _)| option).collect::<Vec<_>>()
    };
    assert_eq!(problems("ir", &[("split_num", "2"), ("settle", "100")]), [""; 0]);
    assert_eq!(
        problems("ir", &[("split_num", "9"), ("layers", "2"), ("settle", "5")]),
        ["layers", "split_num"]
    );
    assert_eq!(problems("rst", &[("fidelity", "published"), ("layers", "7")]), ["layers"]);
    assert_eq!(problems("fixed", &[("layers", "3,40")]), [""; 0]);
}

#[test]
fn layers_that_the_model_does_not_have() {
    let expected = "layer 9 does not exist: the model has 4 layers, counted from 0";
    assert_eq!(message(build("fixed", 4, &[("layers", "1,9")])), expected);
    let one = std::num::NonZeroUsize::MIN;
    assert_eq!(message(Rst::new(4, 10, one)), expected.replace("layer 9", "layer 4"));
    assert_eq!(Rst::new(4, 0, one).unwrap_err(), SelectError::EmptySet { layers: 4 });
}

#[test]
fn layer_count() {
    for entry in METHODS {
        let name = entry.name;
        assert_eq!(message(build(name, 0, &[])), "cannot choose among 0 layers; a model has 1 to 512");
        assert_eq!(build(name, 512, &[]), Ok(()));
        assert_eq!(build(name, 513, &[]), Err(SelectError::LayerCount { layers: 513, maximum: 512 }));
    }
    assert_eq!(IrConfig::default().init(0).unwrap_err(), SelectError::LayerCount { layers: 0, maximum: 512 });
}

#[test]
fn sets_that_are_none() {
    assert_eq!(
        SelectError::EmptySet { layers: 4 }.to_string(),
        "a set of layers must hold at least one of the 4 layers"
    );
    assert_eq!(
        SelectError::LayerOutOfRange { layer: 4, layers: 4 }.to_string(),
        "layer 4 does not exist: the model has 4 layers, counted from 0"
    );
}

#[test]
fn evidence_of_another_model() {
    let expected = "method `ir` was made for 2 layers, but the evidence of step 0 is about 3";
    let mut draws = StepDraws::new(0, 0);
    let mut evidence = Evidence::new(0, 3, &mut draws);
    assert_eq!(message(ir(Fidelity::Paper).select(&mut evidence)), expected);
    assert_eq!(message(ir(Fidelity::Paper).observe(&evidence)), expected);
    for (method, options) in configurations() {
        let mut policy = method.build(2, &options).unwrap();
        let error = policy.select(&mut Evidence::new(0, 3, &mut draws)).unwrap_err();
        assert_eq!(
            error,
            SelectError::EvidenceLayers { method: method.name, step: 0, expected: 2, found: 3 }
        );
    }
    let measured = norms(&[&[1.0], &[1.0], &[1.0]]);
    assert_eq!(
        message(observe(&mut ir(Fidelity::Paper), false, Some(&measured))),
        expected.replace("step 0", "step 4")
    );
}

#[test]
fn gradient_norms_not_measured() {
    let expected = "method `ir` needs the gradient norms of step 4, but none were measured";
    assert_eq!(message(observe(&mut ir(Fidelity::Paper), true, None)), expected);
}

#[test]
fn gradient_norms_of_a_training_layer_missing() {
    let expected = "layer 1 trained in step 4, but its gradient norms were not measured";
    // `published` starts with both layers.
    let mut only_first = GradientNorms::new(2);
    only_first.measure(0).push(1.0);
    assert_eq!(message(observe(&mut ir(Fidelity::Published), true, Some(&only_first))), expected);
    let empty = norms(&[&[1.0], &[]]);
    assert_eq!(message(observe(&mut ir(Fidelity::Published), true, Some(&empty))), expected);
}

#[test]
fn gradient_norms_that_cannot_be_scored() {
    for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e200] {
        let mut ir = ir(Fidelity::Paper);
        let error = observe(&mut ir, false, Some(&norms(&[&[2.0], &[3.0, bad]]))).unwrap_err();
        let SelectError::InvalidGradientNorm { step: 4, layer: 1, parameter: 1, norm } = error else {
            panic!("{error:?}");
        };
        assert_eq!(norm.to_bits(), bad.to_bits());
        assert_eq!(ir.scores(), [None, None], "nothing of the step is kept");
    }
    assert_eq!(
        message(observe(&mut ir(Fidelity::Paper), false, Some(&norms(&[&[f64::NAN], &[1.0]])))),
        "the gradient of adapter parameter 0 of layer 0 has norm NaN in step 4, which cannot be scored; lower the \
         learning rate or train in precision f32"
    );
}

#[test]
fn published_scores_what_is_not_finite_as_1000_and_refuses_negative_norms() {
    let mut ir = ir(Fidelity::Published);
    let measured = norms(&[&[f64::NAN, 0.25], &[f64::INFINITY, -f64::NAN]]);
    observe(&mut ir, false, Some(&measured)).unwrap();
    let root = 1000.0f64.sqrt();
    assert_eq!(ir.scores(), [Some((root + 0.5).sqrt()), Some((root + root).sqrt())]);

    let error = observe(&mut ir, false, Some(&norms(&[&[1.0], &[1.0, -1.0]]))).unwrap_err();
    assert_eq!(error, SelectError::InvalidGradientNorm { step: 4, layer: 1, parameter: 1, norm: -1.0 });
}

#[test]
fn state_of_another_method_or_model_or_damaged() {
    let mut ir = ir(Fidelity::Paper);
    observe(&mut ir, false, Some(&norms(&[&[1.0], &[2.0]]))).unwrap();
    let before = ir.state();
    assert_eq!(
        message(ir.restore(&PolicyState::new("full"))),
        "the saved state belongs to method `full`, not to `ir`; resume with the run's own method"
    );
    assert_eq!(
        message(ir.restore(&PolicyState::new("ir").with("scores", &[None; 3]))),
        "the saved state of method `ir` should hold 2 numbers called `scores`, but holds 3; it was written for \
         another model or is damaged"
    );
    for score in [f64::NAN, f64::INFINITY, -1.0] {
        assert_eq!(
            message(ir.restore(&PolicyState::new("ir").with("scores", &[None, Some(score)]))),
            format!("the saved state of method `ir` gives layer 1 the score {score}, so it is damaged")
        );
    }
    assert_eq!(ir.state(), before, "a refused state changes nothing");
}

#[test]
fn no_state_of_another_method_or_model_is_taken() {
    for (method, options) in configurations() {
        let mut policy = method.build(5, &options).unwrap();
        let model = Model { layers: 5, seed: 1, numbers: vec![1.0, 2.5, 0.5, 3.0, 0.25, 1.5, 4.0] };
        for step in 0..6 {
            model.step(policy.as_mut(), step);
        }
        let before = policy.state();
        let other = PolicyState::new("other");
        let error = policy.restore(&other).unwrap_err();
        assert_eq!(error, SelectError::StateMethod { expected: method.name, found: "other".into() });
        let larger = method.build(6, &options).unwrap().state();
        match policy.restore(&larger) {
            Err(SelectError::StateList { expected: 5, found: 6, .. }) => {}
            // Nothing about the model is in the state of a method that remembers nothing.
            result => assert_eq!((result, &larger), (Ok(()), &before), "{}", method.name),
        }
        assert_eq!(policy.state(), before, "a refused state changes nothing");
    }
}

#[test]
fn damaged_states() {
    let restore = |name: &str, state: PolicyState| {
        method(name).unwrap().build(2, &BTreeMap::new()).unwrap().restore(&state)
    };
    let damaged =
        |name: &'static str, list: &'static str| Err(SelectError::StateDamaged { method: name, list });
    let ir = PolicyState::new("ir").with("scores", &[Some(1.0); 2]);
    assert_eq!(restore("ir", ir.with("settled", &[Some(2.0); 2])), damaged("ir", "settled"));
    let lisa = PolicyState::new("lisa").with("chosen", &[Some(0.0); 2]);
    assert_eq!(restore("lisa", lisa), damaged("lisa", "chosen"));
    for states in [[Some(0.5), None], [Some(f64::NAN), Some(0.0)]] {
        let ist = PolicyState::new("ist").with("states", &states);
        assert_eq!(restore("ist", ist), damaged("ist", "states"));
    }
    let badam = |round: [f64; 2], position: Option<f64>| {
        let state = PolicyState::new("badam").with("round", &round.map(Some));
        restore("badam", state.with("position", &[position]))
    };
    assert_eq!(badam([1.0, 0.0], Some(1.0)), Ok(()));
    assert_eq!(badam([1.0, 1.0], None), damaged("badam", "round"));
    assert_eq!(badam([0.0, 2.0], None), damaged("badam", "round"));
    assert_eq!(badam([0.0, 0.5], None), damaged("badam", "round"));
    assert_eq!(badam([0.0, 1.0], Some(2.0)), damaged("badam", "position"));
    for name in ["ir-cost", "spectrum"] {
        let scores = PolicyState::new(name).with("scores", &[None, Some(-1.0)]);
        assert_eq!(
            restore(name, scores),
            Err(SelectError::StateScore { method: name, layer: 1, score: -1.0 })
        );
    }
    assert_eq!(
        message(badam([1.0, 1.0], None)),
        "the saved state of method `badam` holds an impossible list `round`, so it is damaged"
    );
}

#[test]
fn cosines() {
    let observe = |cosines: Option<&[f64]>| {
        let mut policy =
            IrConfig { metric: irtune_select::Metric::Cosine, ..IrConfig::default() }.init(2).unwrap();
        let mut draws = StepDraws::new(0, 3);
        let mut evidence = Evidence::new(3, 2, &mut draws);
        policy.select(&mut evidence).unwrap();
        if let Some(cosines) = cosines {
            evidence = evidence.with_layer_cosines(cosines);
        }
        policy.observe(&evidence)
    };
    assert_eq!(observe(Some(&[0.5, -0.5])), Ok(()));
    assert_eq!(
        message(observe(None)),
        "method `ir` needs the layer cosines of step 3, but none were measured"
    );
    assert_eq!(
        observe(Some(&[0.5])),
        Err(SelectError::EvidenceLayers { method: "ir", step: 3, expected: 2, found: 1 })
    );
    assert_eq!(
        message(observe(Some(&[0.5, f64::NAN]))),
        "the cosine between input and output of layer 1 is NaN in step 3; lower the learning rate or train in \
         precision f32"
    );
}

#[test]
fn weights() {
    let select = |weights: Option<&[f64]>| {
        let mut policy = method("spectrum").unwrap().build(2, &BTreeMap::new()).unwrap();
        let mut draws = StepDraws::new(0, 0);
        let mut evidence = Evidence::new(0, 2, &mut draws);
        if let Some(weights) = weights {
            evidence = evidence.with_weights(weights);
        }
        policy.select(&mut evidence).map(drop)
    };
    assert_eq!(select(Some(&[0.5, 1.0])), Ok(()));
    assert_eq!(
        message(select(None)),
        "method `spectrum` needs a number about each layer's weights in step 0, but none were measured"
    );
    assert_eq!(
        select(Some(&[0.5; 3])),
        Err(SelectError::EvidenceLayers { method: "spectrum", step: 0, expected: 2, found: 3 })
    );
    for number in [-1.0, f64::INFINITY] {
        assert_eq!(
            message(select(Some(&[number, 1.0]))),
            format!(
                "method `spectrum` cannot rank layer 0, whose weights measure {number}; check the base's weights"
            )
        );
    }
}

#[test]
fn probes() {
    struct Answer(Option<f64>);
    impl Probe for Answer {
        fn loss(&mut self, _: &LayerSet, _: f64) -> Option<f64> {
            self.0
        }
    }
    let select = |answer: Option<Answer>| {
        let mut policy = method("ist").unwrap().build(4, &BTreeMap::new()).unwrap();
        let mut draws = StepDraws::new(0, 10);
        let (mut answer, before) = (answer, policy.state());
        let mut evidence = Evidence::new(10, 4, &mut draws);
        if let Some(answer) = &mut answer {
            evidence = evidence.with_probe(answer);
        }
        let result = policy.select(&mut evidence).map(drop);
        assert_eq!(
            policy.state() == before,
            result.is_err() || answer.is_some(),
            "equal losses reward nobody"
        );
        result
    };
    assert_eq!(select(Some(Answer(Some(1.0)))), Ok(()));
    assert_eq!(
        message(select(None)),
        "method `ist` asks for losses of the model in step 10, but there is no model to measure them on"
    );
    assert_eq!(
        message(select(Some(Answer(None)))),
        "the loss that method `ist` asked for in step 10 could not be measured"
    );
    assert_eq!(
        message(select(Some(Answer(Some(f64::INFINITY))))),
        "the loss that method `ist` asked for in step 10 is inf; lower the learning rate or train in precision f32"
    );
}
