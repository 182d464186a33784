//! What the tests of the policies share: a made-up model that measures whatever a policy asks for.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;

use irtune_select::{
    Evidence, GradientNorms, LayerPolicy, LayerSet, METHODS, Method, Probe, SelectError, StepDraws, method,
};

/// A model whose every measurement is a function of numbers it was given, the step and the layer.
#[derive(Debug, Clone)]
pub struct Model {
    pub layers: usize,
    pub seed: u64,
    /// Positive numbers that everything is made from.
    pub numbers: Vec<f64>,
}

impl Model {
    pub fn number(&self, step: u64, layer: usize, kind: usize) -> f64 {
        self.numbers[(step as usize * self.layers + layer * 7 + kind) % self.numbers.len()]
    }

    pub fn norms(&self, step: u64, set: &LayerSet) -> GradientNorms {
        let mut norms = GradientNorms::new(self.layers);
        for layer in set.iter() {
            norms.measure(layer).extend([self.number(step, layer, 0), self.number(step, layer, 1)]);
        }
        norms
    }

    pub fn cosines(&self, step: u64) -> Vec<f64> {
        (0..self.layers).map(|layer| self.number(step, layer, 2).sin()).collect()
    }

    pub fn weights(&self) -> Vec<f64> {
        (0..self.layers).map(|layer| self.number(0, layer, 3)).collect()
    }

    /// One step: the chosen layers, and those whose optimizer state is cleared.
    pub fn step(&self, policy: &mut dyn LayerPolicy, step: u64) -> (LayerSet, Option<LayerSet>) {
        let mut draws = StepDraws::new(self.seed, step);
        let (weights, cosines, mut probe) =
            (self.weights(), self.cosines(step), ModelProbe { model: self, step, asked: 0 });
        let needs = policy.needs();
        let mut evidence = Evidence::new(step, self.layers, &mut draws);
        if needs.weights.is_some() {
            evidence = evidence.with_weights(&weights);
        }
        if needs.probes {
            evidence = evidence.with_probe(&mut probe);
        }
        let set = policy.select(&mut evidence).unwrap();
        let reset = policy.optimizer_reset();
        let norms = self.norms(step, &set);
        if needs.gradient_norms {
            evidence = evidence.with_gradient_norms(&norms);
        }
        if needs.layer_cosines {
            evidence = evidence.with_layer_cosines(&cosines);
        }
        policy.observe(&evidence).unwrap();
        (set, reset)
    }
}

struct ModelProbe<'a> {
    model: &'a Model,
    step: u64,
    asked: usize,
}

impl Probe for ModelProbe<'_> {
    fn loss(&mut self, suppressed: &LayerSet, factor: f64) -> Option<f64> {
        self.asked += 1;
        let sum: f64 = suppressed.iter().map(|layer| self.model.number(self.step, layer, self.asked)).sum();
        Some((sum * factor).sin() + 1.5)
    }
}

/// Every method with its defaults and with options that change what it does.
pub fn configurations() -> Vec<(&'static Method, BTreeMap<String, String>)> {
    let more: &[(&str, &[(&str, &str)])] = &[
        ("ir", &[("split_num", "2")]),
        ("ir", &[("fidelity", "published")]),
        ("ir", &[("fidelity", "published"), ("split_num", "2")]),
        ("ir", &[("metric", "cosine")]),
        ("ir", &[("metric", "cosine"), ("split_num", "2")]),
        ("ir", &[("metric", "cosine"), ("fidelity", "published"), ("split_num", "2")]),
        ("ir", &[("metric", "weight")]),
        ("ir", &[("metric", "weight"), ("fidelity", "published")]),
        ("ir", &[("settle", "4")]),
        ("ir", &[("settle", "3"), ("metric", "cosine"), ("fidelity", "published")]),
        ("ir-cost", &[("budget", "0.2"), ("adapter_cost", "1")]),
        ("ir-cost", &[("budget", "1"), ("adapter_cost", "0")]),
        ("ist", &[("interval", "3")]),
        ("rst", &[("layers", "2")]),
        ("rst", &[("fidelity", "published")]),
        ("lisa", &[("interval", "3"), ("optimizer_state", "reset")]),
        ("badam", &[("interval", "2")]),
        ("badam", &[("interval", "3"), ("order", "ascending")]),
        ("badam", &[("interval", "1"), ("order", "descending")]),
        ("spectrum", &[("share", "0.6")]),
        ("fixed", &[("layers", "0")]),
        ("fixed", &[("layers", "bottom:3")]),
    ];
    let options = |given: &[(&str, &str)]| {
        given.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    let defaults = METHODS.iter().map(|method| (method, BTreeMap::new()));
    defaults.chain(more.iter().map(|(name, given)| (method(name).unwrap(), options(given)))).collect()
}

/// A policy of these options.
pub fn build(
    name: &str,
    layers: usize,
    options: &[(&str, &str)],
) -> Result<Box<dyn LayerPolicy>, SelectError> {
    let options: BTreeMap<_, _> =
        options.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    method(name)?.build(layers, &options)
}
