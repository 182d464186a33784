//! The gated activation `f(gate) · up`, forward and backward.
//!
//! # Source
//! Shazeer, "GLU Variants Improve Transformer", 2020; `silu` and `gelu` (with `approximate="tanh"`) of PyTorch.

use irtune_device::Gate;

use crate::{
    simd::{element::Element, exponential::exp, vectorised},
    threads::{disjoint::DisjointSlice, parallel},
};

/// Values of a task.
const CHUNK: usize = 16 * 1024;

/// `out = f(gate) ∘ up`, all of one length.
pub fn forward<E: Element>(kind: Gate, gate: &[E], up: &[E], out: &mut [E]) {
    assert!(gate.len() == up.len() && up.len() == out.len(), "lengths of a gated activation");
    parallel::for_each_chunk(out, CHUNK, |first, out| {
        let (gate, up) = (&gate[first..][..out.len()], &up[first..][..out.len()]);
        match kind {
            Gate::Silu => silu_forward(gate, up, out),
            Gate::GeluTanh => gelu_forward(gate, up, out),
        }
    });
}

vectorised! {
    fn silu_forward<E: Element>(gate: &[E], up: &[E], out: &mut [E]) {
        for ((gate, up), out) in gate.iter().zip(up).zip(out) {
            let gate = gate.to_f32();
            *out = E::from_f32(gate / (1.0 + exp::<FUSED>(-gate)) * up.to_f32());
        }
    }
}

/// `√(2/π)`, and what the cube counts beside it.
const LINEAR: f32 = 0.797_884_6;
const CUBIC: f32 = 0.044_715;

vectorised! {
    /// With `u = √(2/π) · (x + 0.044715 x³)`, `½ x (1 + tanh u)` is `x · sigmoid(2u)`: the tail then loses no digits.
    fn gelu_forward<E: Element>(gate: &[E], up: &[E], out: &mut [E]) {
        for ((gate, up), out) in gate.iter().zip(up).zip(out) {
            let gate = gate.to_f32();
            let inner = LINEAR * (gate + CUBIC * gate * gate * gate);
            *out = E::from_f32(gate / (1.0 + exp::<FUSED>(-2.0 * inner)) * up.to_f32());
        }
    }
}

/// Replaces `gate` and `up` by their gradients, given that of the output.
///
/// With s = sigmoid(gate), silu has `d_up = d · gate·s`, `d_gate = d · up · s·(1 + gate·(1 − s))`. With s = sigmoid(2u)
/// gelu has `d_up = d · gate·s`, `d_gate = d · up · s·(1 + gate·(1 − s)·2u')`.
pub fn backward<E: Element>(kind: Gate, out_gradient: &[E], gate: &mut [E], up: &mut [E]) {
    assert!(
        gate.len() == up.len() && up.len() == out_gradient.len(),
        "lengths of a gated activation's backward"
    );
    let length = out_gradient.len();
    let (gate, up) = (DisjointSlice::new(gate), DisjointSlice::new(up));
    parallel::for_each(length.div_ceil(CHUNK), |task| {
        let range = task * CHUNK..length.min((task + 1) * CHUNK);
        // SAFETY: each task writes its own range.
        let (gate, up) = unsafe { (gate.part(range.start, range.len()), up.part(range.start, range.len())) };
        match kind {
            Gate::Silu => silu_backward(&out_gradient[range], gate, up),
            Gate::GeluTanh => gelu_backward(&out_gradient[range], gate, up),
        }
    });
}

vectorised! {
    fn silu_backward<E: Element>(out_gradient: &[E], gate: &mut [E], up: &mut [E]) {
        for ((gradient, gate), up) in out_gradient.iter().zip(gate).zip(up) {
            let (gradient, gate_value, up_value) = (gradient.to_f32(), gate.to_f32(), up.to_f32());
            let sigmoid = 1.0 / (1.0 + exp::<FUSED>(-gate_value));
            *up = E::from_f32(gradient * gate_value * sigmoid);
            *gate = E::from_f32(gradient * up_value * sigmoid * (1.0 + gate_value * (1.0 - sigmoid)));
        }
    }
}

vectorised! {
    fn gelu_backward<E: Element>(out_gradient: &[E], gate: &mut [E], up: &mut [E]) {
        // Where the slope is 0 or 1 to the last bit, whatever lies beyond.
        const FAR: f32 = 100.0;
        for ((gradient, gate), up) in out_gradient.iter().zip(gate).zip(up) {
            let (gradient, gate_value, up_value) = (gradient.to_f32(), gate.to_f32(), up.to_f32());
            let near = gate_value.clamp(-FAR, FAR);
            let square = near * near;
            let sigmoid = 1.0 / (1.0 + exp::<FUSED>(-2.0 * LINEAR * (near + CUBIC * square * near)));
            let slope = 2.0 * LINEAR * (1.0 + 3.0 * CUBIC * square);
            *up = E::from_f32(gradient * gate_value * sigmoid);
            *gate = E::from_f32(gradient * up_value * sigmoid * (1.0 + near * (1.0 - sigmoid) * slope));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes() {
        crate::simd::at_every_level(|_| {
            for kind in [Gate::Silu, Gate::GeluTanh] {
                let values = [0.0f32, 60.0, -60.0, 1e9, -1e9, f32::MAX, f32::MIN, f32::NAN];
                let (mut out, ones) = ([1.0; 8], [1.0; 8]);
                forward(kind, &values, &ones, &mut out);
                let near_zero = out[2].abs() < 1e-20 && out[4] == 0.0 && out[6] == 0.0;
                assert!(near_zero && out[7].is_nan(), "{kind:?} {out:?}");
                assert_eq!([out[0], out[1], out[3], out[5]], [0.0, 60.0, 1e9, f32::MAX], "{kind:?}");
                let (mut gate, mut up) = (values, ones);
                backward(kind, &ones, &mut gate, &mut up);
                assert_eq!(up[..2], [0.0, 60.0], "{kind:?}");
                assert_eq!([gate[0], gate[1], gate[3], gate[5]], [0.5, 1.0, 1.0, 1.0], "{kind:?} {gate:?}");
                assert!([2, 4, 6].iter().all(|&at| gate[at].abs() < 1e-20), "{kind:?} {gate:?}");
                assert!(gate[7].is_nan() && up[7].is_nan(), "{kind:?}");
            }
        });
    }
}
