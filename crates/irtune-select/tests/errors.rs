//! Every way a method can fail, with the message a user reads.

use std::collections::BTreeMap;

use irtune_select::{
    Evidence, Fidelity, GradientNorms, Ir, IrConfig, LayerPolicy, PolicyState, SelectError, StepDraws, method,
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
    assert_eq!(message(build("layers", 4, &[])), "there is no method `layers`; choose one of: ir, full");
}

#[test]
fn unknown_option() {
    assert_eq!(
        message(build("ir", 4, &[("split", "2")])),
        "method `ir` has no option `split`; it has: fidelity, split_num"
    );
    assert_eq!(
        message(build("full", 4, &[("split_num", "2")])),
        "method `full` has no option `split_num`; it has none"
    );
}

#[test]
fn option_value() {
    assert_eq!(
        message(build("ir", 4, &[("split_num", "3")])),
        "option `split_num` of method `ir` cannot be `3`; it takes `1` or `2`"
    );
    assert_eq!(
        message(build("ir", 4, &[("fidelity", "exact")])),
        "option `fidelity` of method `ir` cannot be `exact`; it takes `paper` or `published`"
    );
}

#[test]
fn layer_count() {
    for name in ["ir", "full"] {
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
