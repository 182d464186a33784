//! Layer norm.

use super::{Section, floats, operand_values, values};
use crate::{Device, LayerNorm, Norm, NormInput};

/// Layer norm, forward and backward: `input`, `weight`, `bias`, `output_gradient`; `output` and the gradients.
pub fn layer_norm<D: Device>(device: &D, section: &impl Section) {
    let (input, gain) = (section.floats("input"), section.floats("weight"));
    let (width, length) = (gain.len(), input.len());
    let rows = length / width;
    let (gain, bias) = (floats(device, &gain), floats(device, &section.floats("bias")));
    let epsilon = section.fact("epsilon") as f32;
    let norm = Norm { gain: &gain, offset: 0, width, epsilon, plus: 0.0 };
    let of = || LayerNorm { norm, bias: (&bias, 0) };
    let out_gradient = floats(device, &section.floats("output_gradient"));
    let input = floats(device, &input);
    let room = || device.operands(rows, width).expect("room");
    let (mut out, mut kept) = (room(), room());
    let mut rstd = device.floats(rows, 1).expect("room");
    device.layer_norm(of(), &input, rows, Some(&mut kept), &mut out, &mut rstd);
    section.compare("output", &operand_values(device, &out, length));
    // From the kept rows the same output comes again.
    let from = NormInput { values: &kept, rstd: &rstd, rows };
    device.layer_norm_recompute(of(), from, &mut out);
    section.compare("output", &operand_values(device, &out, length));
    let mut gradient = device.floats(rows, width).expect("room");
    device.layer_norm_backward(norm, from, &out_gradient, &mut gradient);
    section.compare("input_gradient", &values(device, &gradient, length));
    let mut gradients = device.floats(2 * width, 1).expect("room");
    device.layer_norm_parameters_backward(from, width, &out_gradient, &mut gradients, [width, 0]);
    let gradients = values(device, &gradients, 2 * width);
    section.compare("bias_gradient", &gradients[..width]);
    section.compare("weight_gradient", &gradients[width..]);

    let mut out = device.floats(rows, width).expect("room");
    device.layer_norm_floats(of(), &input, rows, &mut out, &mut rstd);
    section.compare("output", &values(device, &out, length));
    let mut gradient = device.floats(rows, width).expect("room");
    let from = NormInput { values: &input, rstd: &rstd, rows };
    device.layer_norm_floats_backward(norm, from, &out_gradient, &mut gradient);
    section.compare("input_gradient", &values(device, &gradient, length));
}
