//! Operations of a decoder layer.

use super::{Section, floats, operand_values, operands, values};
use crate::{
    Attention, AttentionGradients, AttentionInputs, AttentionOutputs, BatchLayout, Device, Gate, Norm,
    NormInput, RotaryTable, RowSet, Scores, Segment, Side,
};

/// RMS norm, forward and backward: `input`, `weight`, `output_gradient`; `output`, `input_gradient`, `weight_gradient`.
pub fn rms_norm<D: Device>(device: &D, section: &impl Section) {
    let (input, gain) = (section.floats("input"), section.floats("weight"));
    let (width, length) = (gain.len(), input.len());
    let rows = length / width;
    let gain = floats(device, &gain);
    let norm = Norm { gain: &gain, offset: 0, width, epsilon: section.fact("epsilon") as f32, plus: 0.0 };
    let out_gradient = floats(device, &section.floats("output_gradient"));
    let (kept, rounded) = (floats(device, &input), operands(device, &input));
    let mut out = device.operands(rows, width).expect("room");
    let mut rstd = device.floats(rows, 1).expect("room");
    device.rms_norm(norm, &kept, rows, &mut out, &mut rstd);
    section.compare("output", &operand_values(device, &out, length));
    // The same comes of a gain that lacks 1, and is added to what is there.
    let lacking: Vec<f32> = section.floats("weight").iter().map(|gain| gain - 1.0).collect();
    let lacking = floats(device, &lacking);
    let shifted = Norm { gain: &lacking, plus: 1.0, ..norm };
    let mut added = floats(device, &vec![0.5; length]);
    device.rms_norm_add(shifted, &kept, rows, &mut added, &mut rstd);
    device.add_scaled(&floats(device, &vec![1.0; length]), -0.5, length, &mut added);
    section.compare("output", &values(device, &added, length));
    let mut gradient = device.floats(rows, width).expect("room");
    let from = NormInput { values: &kept, rstd: &rstd, rows };
    device.rms_norm_floats_backward(norm, from, &out_gradient, &mut gradient);
    section.compare("input_gradient", &values(device, &gradient, length));
    let mut gradient = device.floats(width, 1).expect("room");
    let from = NormInput { values: &rounded, rstd: &rstd, rows };
    device.rms_norm_gain_backward(norm, from, &out_gradient, &mut gradient, 0);
    section.compare("weight_gradient", &values(device, &gradient, width));
    // From the kept operands the same output comes again, up to the rounding of the input.
    device.rms_norm_recompute(norm, from, &mut out);
    section.compare("output", &operand_values(device, &out, length));
}

/// The same norm of operands, as each head of queries and keys has it.
pub fn rms_norm_operands<D: Device>(device: &D, section: &impl Section) {
    let (input, gain) = (section.floats("input"), section.floats("weight"));
    let (width, length) = (gain.len(), input.len());
    let rows = length / width;
    let gain = floats(device, &gain);
    let norm = Norm { gain: &gain, offset: 0, width, epsilon: section.fact("epsilon") as f32, plus: 0.0 };
    let input = operands(device, &input);
    let mut out = device.operands(rows, width).expect("room");
    let mut rstd = device.floats(rows, 1).expect("room");
    device.rms_norm_operands(norm, &input, rows, &mut out, &mut rstd);
    section.compare("output", &operand_values(device, &out, length));
    let from = NormInput { values: &input, rstd: &rstd, rows };
    let mut gradient = operands(device, &section.floats("output_gradient"));
    let mut gains = device.floats(width, 1).expect("room");
    device.rms_norm_operands_gain_backward(norm, from, &gradient, &mut gains, 0);
    section.compare("weight_gradient", &values(device, &gains, width));
    device.rms_norm_operands_backward(norm, from, &mut gradient);
    section.compare("input_gradient", &operand_values(device, &gradient, length));
}

/// Rotary positions: `frequencies`, `positions`, `input`, `output_gradient`; `output`, `input_gradient`.
pub fn rotary<D: Device>(device: &D, section: &impl Section) {
    let columns = (section.fact("heads") * section.fact("head_size")) as usize;
    let layout = BatchLayout { positions: section.integers("positions"), ..BatchLayout::default() };
    let table = device.rotary_table(RotaryTable::new(&section.floats("frequencies"), layout.longest()));
    let length = layout.positions.len() * columns;
    let mut uploaded = device.layout();
    device.upload_layout(&layout, &mut uploaded);
    let sides = [("input", "output", Side::Forward), ("output_gradient", "input_gradient", Side::Backward)];
    for (from, to, side) in sides {
        let mut rows = operands(device, &section.floats(from));
        device.rotary(&mut rows, columns, &table, &uploaded, RowSet::All, side);
        section.compare(to, &operand_values(device, &rows, length));
    }
}

/// A gated activation: `gate`, `up`, `output_gradient`; `output`, `gate_gradient`, `up_gradient`.
pub fn gated<D: Device>(device: &D, kind: Gate, section: &impl Section) {
    let read = |name| operands(device, &section.floats(name));
    let (mut gate, mut up) = (read("gate"), read("up"));
    let length = section.floats("gate").len();
    let mut out = device.operands(length, 1).expect("room");
    device.gated(kind, &gate, &up, length, &mut out);
    section.compare("output", &operand_values(device, &out, length));
    device.gated_backward(kind, &read("output_gradient"), length, &mut gate, &mut up);
    section.compare("gate_gradient", &operand_values(device, &gate, length));
    section.compare("up_gradient", &operand_values(device, &up, length));
}

/// Attention over examples that share a prefix: `offsets`, `q`, `k`, `v`, `output_gradient`; `output` and the gradients.
/// The facts `window`, `cap` and `scale` are 0 for none and the usual scale.
pub fn attention<D: Device>(device: &D, section: &impl Section) {
    let count = |name| section.fact(name) as usize;
    let (heads, key_value_heads, head_size) = (count("heads"), count("key_value_heads"), count("head_size"));
    let segments = prefix_tree(&section.integers("offsets"), count("prefix"));
    let rows: usize = segments.iter().map(|segment| segment.keys).sum();
    let positions = segments.iter().flat_map(|one| (one.context..one.context + one.keys).map(|at| at as u32));
    let layout = BatchLayout { positions: positions.collect(), segments, ..BatchLayout::default() };
    let mut uploaded = device.layout();
    device.upload_layout(&layout, &mut uploaded);
    let scores = scores(head_size, section);
    let run = || {
        let (layout, queries) = (&uploaded, RowSet::All);
        Attention { heads, key_value_heads, head_size, scores, layout, queries }
    };
    let (query_columns, key_columns) = (heads * head_size, key_value_heads * head_size);
    let read = |name| operands(device, &section.floats(name));
    let (queries, keys, all_values) = (read("q"), read("k"), read("v"));
    let inputs = AttentionInputs { queries: &queries, keys: &keys, values: &all_values };
    let mut out = device.operands(rows, query_columns).expect("room");
    let mut logsumexp = device.floats(rows, heads).expect("room");
    device.attention(run(), &inputs, &mut out, &mut logsumexp);
    section.compare("output", &operand_values(device, &out, rows * query_columns));

    let room = |columns| device.operands(rows, columns).expect("room");
    let (mut dq, mut dk, mut dv) = (room(query_columns), room(key_columns), room(key_columns));
    let mut partial = device.floats(layout.partial_rows(), 2 * key_columns).expect("room");
    let gradients =
        AttentionGradients { queries: &mut dq, keys: &mut dk, values: &mut dv, partial: &mut partial };
    let outputs = AttentionOutputs { out: &out, logsumexp: &logsumexp };
    device.attention_backward(run(), &inputs, outputs, &read("output_gradient"), gradients);
    section.compare("q_gradient", &operand_values(device, &dq, rows * query_columns));
    section.compare("k_gradient", &operand_values(device, &dk, rows * key_columns));
    section.compare("v_gradient", &operand_values(device, &dv, rows * key_columns));
}

/// How a section's attention makes scores.
pub fn scores(head_size: usize, section: &impl Section) -> Scores {
    let given = |name| Some(section.fact(name)).filter(|&value| value > 0.0);
    let plain = Scores::plain(head_size);
    Scores {
        scale: given("scale").map_or(plain.scale, |scale| scale as f32),
        window: given("window").map(|window| window as usize),
        cap: given("cap").map(|cap| cap as f32),
    }
}

/// The prefix, if there is one, and each example as segments of the packed rows.
///
/// # Shapes
/// `offsets`: where each example's own rows begin, and the end of the last, `[examples + 1]`.
pub fn prefix_tree(offsets: &[u32], prefix: usize) -> Vec<Segment> {
    let own = |first: usize, rows: usize, context: usize| Segment {
        first_query: first,
        queries: rows,
        first_key: first,
        keys: rows,
        parent: (context > 0).then_some(0),
        context,
        shared: false,
        first_partial: 0,
    };
    let shared = (prefix > 0).then(|| Segment { shared: true, ..own(0, prefix, 0) });
    let examples = offsets.windows(2).map(|ends| own(ends[0] as usize, (ends[1] - ends[0]) as usize, prefix));
    let mut segments: Vec<Segment> = shared.into_iter().chain(examples).collect();
    let mut partial = 0;
    for segment in &mut segments {
        segment.first_partial = partial;
        partial += segment.partial_rows();
    }
    segments
}
