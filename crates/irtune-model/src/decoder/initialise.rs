//! Starting values of adapters and head.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Decoder;
use irtune_device::Device;

use crate::parameters::entries::Initial;

impl<D: Device> Decoder<D> {
    /// What has a value that changes nothing starts there, other matrices uniformly within 1/√columns (PyTorch's `kaiming_uniform_` with
    /// a = √5, as PEFT does), the head normally with the base's initializer range (transformers).
    pub(super) fn initialise(&mut self, seed: u64) {
        let Self { device, base, groups, head, .. } = self;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = || f64::from(random.next_u32() >> 8) / f64::from(1u32 << 24);
        for group in groups.iter_mut().filter(|group| !group.are_masters()) {
            for entry in &group.entries {
                let drawn: Vec<f32>;
                let values = match &entry.initial {
                    Initial::Drawn => {
                        let bound = 1.0 / (entry.columns as f64).sqrt();
                        let draw = |_| ((2.0 * uniform() - 1.0) * bound) as f32;
                        drawn = (0..entry.length()).map(draw).collect();
                        &drawn
                    }
                    Initial::Constant(constant) => {
                        drawn = vec![*constant; entry.length()];
                        &drawn
                    }
                    Initial::Values(values) => values,
                };
                device.upload(values, &mut group.values, entry.offset);
            }
        }
        let entry = &head.entries[0];
        // Box and Muller's transformation; 1 − u keeps the logarithm finite.
        let mut normal = || {
            let (radius, angle) = ((-2.0 * (1.0 - uniform()).ln()).sqrt(), std::f64::consts::TAU * uniform());
            radius * angle.cos()
        };
        let deviation = f64::from(base.config.initializer_range);
        let values: Vec<f32> =
            (0..entry.rows * entry.columns).map(|_| (normal() * deviation) as f32).collect();
        device.upload(&values, &mut head.values, 0);
    }
}
