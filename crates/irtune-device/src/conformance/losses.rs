//! Losses, and the optimizer.

use super::{Section, floats, values};
use crate::{
    AdamW, BatchLayout, CrossEntropy, Device, LossOptions, OptimizerState, Pick, PickRows, Pooling, RowTerm,
    Slot, Stretch,
};

/// Cross-entropy of a few classes: `logits`, `targets`; `losses`, `logits_gradient`. The same numbers then go through the
/// loss over a vocabulary, which counts alike.
pub fn cross_entropy<D: Device>(device: &D, section: &impl Section) {
    let (logits, classes) = (section.floats("logits"), section.integers("targets"));
    let (rows, labels) = (classes.len(), logits.len() / classes.len());
    let factor = 1.0 / section.fact("normalizer");
    let layout_classes = classes.clone();
    let picks = classes.iter().enumerate();
    let picks = picks.map(|(row, &token)| Pick { row: row as u32, token, share: 1.0 }).collect();
    let mut layout = device.layout();
    device.upload_layout(&BatchLayout { classes, picks, ..BatchLayout::default() }, &mut layout);
    let mut scalars = device.scalars(rows + 2).expect("room");
    let mut on_device = floats(device, &logits);
    let mut gradient = device.floats(rows, labels).expect("room");
    let options = LossOptions::default();
    let loss = CrossEntropy { layout: &layout, labels, options: &options, factor };
    device.cross_entropy(&on_device, loss, &mut gradient, Slot { scalars: &mut scalars, at: rows });
    section.compare("logits_gradient", &values(device, &gradient, logits.len()));
    // The same targets as distributions, in which each class has the whole share.
    let mut distributions = vec![0.0; logits.len()];
    for (row, &class) in layout_classes.iter().enumerate() {
        distributions[row * labels + class as usize] = 1.0;
    }
    let mut spread = device.layout();
    device.upload_layout(&BatchLayout { distributions, ..BatchLayout::default() }, &mut spread);
    let loss = CrossEntropy { layout: &spread, labels, options: &options, factor };
    device.cross_entropy(&on_device, loss, &mut gradient, Slot { scalars: &mut scalars, at: rows });
    section.compare("logits_gradient", &values(device, &gradient, logits.len()));

    let mut logsumexp = device.scalars(rows).expect("room");
    device.logsumexp(&on_device, rows, labels, &mut logsumexp);
    let picks = || PickRows { layout: &layout, picks: 0..rows, first_row: 0, columns: labels, cap: None };
    device.pick(&on_device, &logsumexp, picks(), Slot { scalars: &mut scalars, at: 0 });
    device.zero(Slot { scalars: &mut scalars, at: rows + 1 });
    device.token_loss(&on_device, &logsumexp, picks(), Slot { scalars: &mut scalars, at: rows + 1 });
    device.token_gradient(&mut on_device, &logsumexp, picks(), factor);
    section.compare("logits_gradient", &values(device, &on_device, logits.len()));

    let mut read = vec![0.0; rows + 2];
    device.read(&scalars, &mut read);
    let losses: Vec<f32> = read[..rows].iter().map(|&value| -value as f32).collect();
    section.compare("losses", &losses);
    let sum: f64 = -read[..rows].iter().sum::<f64>();
    for total in &read[rows..] {
        assert!((total - sum).abs() <= 1e-6 * sum.abs(), "a sum of losses is {total}, of its parts {sum}");
    }
}

/// Binary cross-entropy of labels of which an example may have several: `logits`, `labels`, `pos_weight`; `losses`, `mean`,
/// `logits_gradient`.
pub fn binary_cross_entropy<D: Device>(device: &D, section: &impl Section) {
    let (logits, has) = (section.floats("logits"), section.floats("labels"));
    let weights: Vec<f64> = section.floats("pos_weight").into_iter().map(f64::from).collect();
    let (rows, labels) = (logits.len() / weights.len(), weights.len());
    let options = LossOptions { class_weights: Some(weights), label_smoothing: 0.0 };
    let factor = 1.0 / logits.len() as f64;
    let mut layout = device.layout();
    device.upload_layout(&BatchLayout { labels: has, ..BatchLayout::default() }, &mut layout);
    let mut scalars = device.scalars(1).expect("room");
    let mut gradient = device.floats(rows, labels).expect("room");
    let loss = CrossEntropy { layout: &layout, labels, options: &options, factor };
    let out = Slot { scalars: &mut scalars, at: 0 };
    device.cross_entropy(&floats(device, &logits), loss, &mut gradient, out);
    section.compare("logits_gradient", &values(device, &gradient, logits.len()));
    let mut sum = [0.0];
    device.read(&scalars, &mut sum);
    section.compare("mean", &[(sum[0] * factor) as f32]);
    let losses: f64 = section.floats("losses").into_iter().map(f64::from).sum();
    assert!((losses - sum[0]).abs() <= 1e-6 * losses, "a sum of losses is {}, of its parts {losses}", sum[0]);
}

/// What a head reads of each example: `rows`, `numbers`, `lengths` of the lists of `places`, `output_gradient`; `output`,
/// `rows_gradient`. A sum is the mean over its list.
pub fn pool<D: Device>(device: &D, section: &impl Section) {
    let (rows, numbers) = (section.floats("rows"), section.floats("numbers"));
    let read = section.rows("rows");
    let (width, parts) = (rows.len() / read, section.fact("parts") as usize);
    let mut pooling = Pooling { parts, ..Pooling::default() };
    let places = section.integers("places");
    let mut rest = places.as_slice();
    for length in section.integers("lengths") {
        let (list, after) = rest.split_at(length as usize);
        rest = after;
        pooling.sums.push(list.iter().map(|&row| RowTerm { row, weight: 1.0 / length as f32 }));
    }
    pooling.transposed.transpose(&pooling.sums, read);
    let examples = pooling.examples();
    (pooling.given, pooling.numbers) = (numbers.len() / examples, numbers);
    let columns = pooling.columns(width);
    let mut layout = device.layout();
    let read = (0..read as u32).collect();
    device.upload_layout(&BatchLayout { read, pooling, ..BatchLayout::default() }, &mut layout);
    let mut out = device.floats(examples, columns).expect("room");
    device.pool(&floats(device, &rows), width, &layout, &mut out);
    section.compare("output", &values(device, &out, examples * columns));
    // What was there before is overwritten.
    let mut gradient = floats(device, &rows);
    device.pool_backward(&floats(device, &section.floats("output_gradient")), width, &layout, &mut gradient);
    section.compare("rows_gradient", &values(device, &gradient, rows.len()));
}

/// Three AdamW steps, one of them skipped for some parameters: `{stepped, skipped}_{start, gradient_0 …}`.
pub fn adamw<D: Device>(device: &D, section: &impl Section) {
    let settings = AdamW {
        learning_rate: section.fact("learning_rate"),
        beta1: section.fact("beta1"),
        beta2: section.fact("beta2"),
        epsilon: section.fact("epsilon"),
        weight_decay: section.fact("weight_decay"),
    };
    for (name, skipped) in [("stepped", None), ("skipped", Some(1))] {
        let start = section.floats(&format!("{name}_start"));
        let length = start.len();
        let room = || device.floats(length, 1).expect("room");
        let (mut held, mut first, mut second) = (floats(device, &start), room(), room());
        let stretches =
            [Stretch { range: 0..length / 2, rate: 1.0 }, Stretch { range: length / 2..length, rate: 1.0 }];
        let mut count = 0;
        for step in 0..3 {
            if skipped == Some(step) {
                section.compare(&format!("{name}_after_{step}"), &values(device, &held, length));
                continue;
            }
            count += 1;
            let gradient = floats(device, &section.floats(&format!("{name}_gradient_{step}")));
            let state = OptimizerState {
                values: &mut held,
                gradient: &gradient,
                first: &mut first,
                second: &mut second,
                stretches: &stretches,
            };
            device.adamw(&settings, count, state);
            section.compare(&format!("{name}_after_{step}"), &values(device, &held, length));
        }
        section.compare(&format!("{name}_first_moment"), &values(device, &first, length));
        section.compare(&format!("{name}_second_moment"), &values(device, &second, length));
    }
}
