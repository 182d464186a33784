//! The slope of a loss, by differences.

use irtune_model::HostTensor;

/// Where a parameter's gradient is the largest: that gradient, and the slope of `loss` there. The parameters are as
/// before in the end.
pub fn steepest(
    parameters: &mut [HostTensor],
    at: usize,
    gradient: &[f32],
    loss: &mut dyn FnMut(&[HostTensor]) -> f64,
) -> (f32, f64) {
    let steepest = (0..gradient.len()).max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs()));
    let index = steepest.expect("a parameter has values");
    let start = parameters[at].data[index];
    let mut slope = |step: f32| {
        let [low, high] = [start - step, start + step].map(|value| {
            parameters[at].data[index] = value;
            (value, loss(parameters))
        });
        parameters[at].data[index] = start;
        (high.1 - low.1) / f64::from(high.0 - low.0)
    };
    // Two step sizes, extrapolated: the error of the slope is of fourth order.
    let (near, far) = (slope(4e-3), slope(8e-3));
    (gradient[index], (4.0 * near - far) / 3.0)
}
