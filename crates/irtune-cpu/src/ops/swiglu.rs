//! The gated activation `silu(gate) · up` (SwiGLU), forward and backward.
//!
//! # Source
//! Shazeer, "GLU Variants Improve Transformer", 2020.

use crate::{
    simd::{element::Element, exponential::exp, vectorised},
    threads::{disjoint::DisjointSlice, parallel},
};

/// Values of a task.
const CHUNK: usize = 16 * 1024;

/// `out = silu(gate) ∘ up`, all of one length.
pub fn forward<E: Element>(gate: &[E], up: &[E], out: &mut [E]) {
    assert!(gate.len() == up.len() && up.len() == out.len(), "lengths of swiglu");
    parallel::for_each_chunk(out, CHUNK, |first, out| {
        forward_range(&gate[first..][..out.len()], &up[first..][..out.len()], out);
    });
}

vectorised! {
    fn forward_range<E: Element>(gate: &[E], up: &[E], out: &mut [E]) {
        for ((gate, up), out) in gate.iter().zip(up).zip(out) {
            let gate = gate.to_f32();
            *out = E::from_f32(gate / (1.0 + exp::<FUSED>(-gate)) * up.to_f32());
        }
    }
}

/// Replaces `gate` and `up` by their gradients, given that of the output.
///
/// With s = sigmoid(gate): `d_up = d · gate·s`, `d_gate = d · up · s·(1 + gate·(1 − s))`.
pub fn backward<E: Element>(out_gradient: &[E], gate: &mut [E], up: &mut [E]) {
    assert!(gate.len() == up.len() && up.len() == out_gradient.len(), "lengths of swiglu's backward");
    let length = out_gradient.len();
    let (gate, up) = (DisjointSlice::new(gate), DisjointSlice::new(up));
    parallel::for_each(length.div_ceil(CHUNK), |task| {
        let range = task * CHUNK..length.min((task + 1) * CHUNK);
        // SAFETY: each task writes its own range.
        let (gate, up) = unsafe { (gate.part(range.start, range.len()), up.part(range.start, range.len())) };
        backward_range(&out_gradient[range], gate, up);
    });
}

vectorised! {
    fn backward_range<E: Element>(out_gradient: &[E], gate: &mut [E], up: &mut [E]) {
        for ((gradient, gate), up) in out_gradient.iter().zip(gate).zip(up) {
            let (gradient, gate_value, up_value) = (gradient.to_f32(), gate.to_f32(), up.to_f32());
            let sigmoid = 1.0 / (1.0 + exp::<FUSED>(-gate_value));
            *up = E::from_f32(gradient * gate_value * sigmoid);
            *gate = E::from_f32(gradient * up_value * sigmoid * (1.0 + gate_value * (1.0 - sigmoid)));
        }
    }
}
