//! The CPU as a device, held against the contract's own checks, in f32 and in bf16, at every instruction level.
#![forbid(unsafe_code)]

use std::{io::Write, sync::Arc};

use irtune_cpu::{Cpu, Element, at_every_level, bf16};
use irtune_device::{Format, FrozenMatrix, Gate, MappedFile, conformance};
use irtune_testing::golden::{Golden, sections, tolerance};

/// One section of a golden.
struct Section<'a> {
    golden: Golden,
    name: &'a str,
    rung: &'a str,
    precision: &'static str,
}

impl Section<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }
}

impl conformance::Section for Section<'_> {
    fn floats(&self, name: &str) -> Vec<f32> {
        self.golden.floats(&self.key(name))
    }

    fn integers(&self, name: &str) -> Vec<u32> {
        self.golden.integers(&self.key(name))
    }

    fn rows(&self, name: &str) -> usize {
        self.golden.shape(&self.key(name))[0]
    }

    fn fact(&self, name: &str) -> f64 {
        self.golden.facts["sections"][self.name][name].as_f64().unwrap_or_else(|| panic!("{name}"))
    }

    fn compare(&self, name: &str, found: &[f32]) {
        self.golden.compare(&self.key(name), found, tolerance(self.rung, self.precision));
    }
}

/// Opens a section for one precision, runs a check on it, and holds the golden to it.
fn on<'a>(
    (case, name, rung): (&str, &'a str, &'a str),
    precision: &'static str,
    check: impl FnOnce(&Section<'a>),
) {
    let section = Section { golden: Golden::open(case, &[name]), name, rung, precision };
    check(&section);
    section.golden.passes();
}

fn every_operation<E: Element>() {
    let device = Cpu::<E>::new(1).expect("a device");
    for name in ["rms_norm_15", "rms_norm_16", "rms_norm_33", "rms_norm_64"] {
        let case = ("kernels", name, "rms_norm");
        on(case, E::NAME, |section| conformance::rms_norm(&device, section));
        on(case, E::NAME, |section| conformance::rms_norm_operands(&device, section));
    }
    for name in ["rotary_default", "rotary_llama3"] {
        on(("kernels", name, "rotary"), E::NAME, |section| conformance::rotary(&device, section));
    }
    for (case, name, kind) in [("kernels", "swiglu", Gate::Silu), ("geglu", "geglu", Gate::GeluTanh)] {
        on((case, name, name), E::NAME, |section| conformance::gated(&device, kind, section));
    }
    let linear = ("kernels", "lora_linear", "lora_linear");
    on(linear, E::NAME, |section| conformance::lora_linear(&device, section));
    let windows = ["window", "window_of_two", "cap", "window_and_cap"];
    for name in
        ["shared_prefix", "no_prefix", "long", "every_head_its_own", "sharp"].into_iter().chain(windows)
    {
        on(("attention", name, "attention"), E::NAME, |section| conformance::attention(&device, section));
    }
    let loss = ("kernels", "cross_entropy", "cross_entropy");
    on(loss, "f32", |section| conformance::cross_entropy(&device, section));
    for name in ["labels", "labels_weights"] {
        let loss = ("weighted_loss", name, "cross_entropy");
        on(loss, "f32", |section| conformance::binary_cross_entropy(&device, section));
    }
    on(("kernels", "pool", "pool"), "f32", |section| conformance::pool(&device, section));
    on(("kernels", "adamw", "adamw"), "f32", |section| conformance::adamw(&device, section));
    conformance::bias(&device);
    conformance::masks(&device);
}

#[test]
fn every_operation_is_the_references() {
    at_every_level(|_| {
        every_operation::<f32>();
        every_operation::<bf16>();
    });
}

#[test]
fn frozen_matrices_are_the_files() {
    let formats = [
        ("dequantise_f16", Format::F16),
        ("dequantise_bf16", Format::Bf16),
        ("dequantise_q8_0", Format::Q8_0),
        ("dequantise_q4_0", Format::Q4_0),
        ("dequantise_q4_1", Format::Q4_1),
    ];
    let older = formats.into_iter().map(|(name, format)| ("kernels", name, format));
    let quantised = sections("quantised");
    let newer = Format::ALL.into_iter().filter(|format| quantised.contains(format.name()));
    for (case, name, format) in older.chain(newer.map(|format| ("quantised", format.name(), format))) {
        on((case, name, "dequantise"), "f32", |section| {
            let bytes = section.golden.bytes(&section.key("bytes"));
            let shape = section.golden.shape(&section.key("values"));
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(&bytes).expect("bytes");
            let mapped = Arc::new(MappedFile::open(file.path()).expect("a mapped file"));
            let matrix = FrozenMatrix::new(mapped, 0..bytes.len(), format, (shape[0], shape[1]), None);
            conformance::decode(&Cpu::<f32>::new(1).expect("a device"), matrix, section);
        });
    }
}
