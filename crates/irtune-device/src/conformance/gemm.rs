//! Products, and the decoding of frozen matrices.

use super::{Section, floats, operand_values, operands, values};
use crate::{BMatrix, Device, Epilogue, FloatMatrix, FrozenMatrix, Output, Term};

/// A linear layer with LoRA: `input`, `weight`, `lora_a`, `lora_b`, `output_gradient`; `output` and all gradients.
pub fn lora_linear<D: Device>(device: &D, section: &impl Section) {
    let scaling = Epilogue::scaled(section.fact("scaling") as f32);
    let (rows, outputs, rank) = (section.rows("input"), section.rows("weight"), section.rows("lora_a"));
    let inputs = section.floats("input").len() / rows;
    let read = |name| operands(device, &section.floats(name));
    let (x, dy) = (read("input"), read("output_gradient"));
    let [weight, a, b] = ["weight", "lora_a", "lora_b"].map(|name| floats(device, &section.floats(name)));
    let trained =
        |values, rows, columns| BMatrix::<D>::Trained(FloatMatrix { values, offset: 0, rows, columns });
    let (w, a, b) =
        (|| trained(&weight, outputs, inputs), || trained(&a, rank, inputs), || trained(&b, outputs, rank));

    let mut low = device.operands(rows, rank).expect("room");
    device.gemm(&[Term::forward(&x, a())], scaling, rows, rank, Output::Operands(&mut low));
    let mut y = device.floats(rows, outputs).expect("room");
    let terms = [Term::forward(&x, w()), Term::forward(&low, b())];
    device.gemm(&terms, Epilogue::PLAIN, rows, outputs, Output::Store(&mut y));
    section.compare("output", &values(device, &y, rows * outputs));

    let mut low_gradient = device.operands(rows, rank).expect("room");
    let scaling = Epilogue::scaled(section.fact("scaling") as f32);
    device.gemm(&[Term::backward(&dy, b())], scaling, rows, rank, Output::Operands(&mut low_gradient));
    let mut dx = device.floats(rows, inputs).expect("room");
    let terms = [Term::backward(&dy, w()), Term::backward(&low_gradient, a())];
    device.gemm(&terms, Epilogue::PLAIN, rows, inputs, Output::Store(&mut dx));
    section.compare("input_gradient", &values(device, &dx, rows * inputs));

    let outer = |left: &D::Operands, left_columns: usize, right: &D::Operands, columns: usize| {
        let mut transposed = device.operands(left_columns, rows).expect("room");
        device.transpose(left, rows, left_columns, &mut transposed);
        let mut out = device.floats(left_columns, columns).expect("room");
        let term = Term::backward(&transposed, BMatrix::Operands(right, rows, columns));
        device.gemm(&[term], Epilogue::PLAIN, left_columns, columns, Output::Add(&mut out, 0));
        values(device, &out, left_columns * columns)
    };
    section.compare("lora_a_gradient", &outer(&low_gradient, rank, &x, inputs));
    section.compare("lora_b_gradient", &outer(&dy, outputs, &low, rank));
}

/// A bias in the epilogue, and its gradient, on numbers that every precision holds exactly.
pub fn bias<D: Device>(device: &D) {
    let (rows, columns, inputs, before) = (5, 70, 3, 4);
    let small = |index: usize, odd: usize| ((index * odd) % 9) as f32 - 4.0;
    let numbers = |length: usize, odd: usize| -> Vec<f32> { (0..length).map(|at| small(at, odd)).collect() };
    let (x, weight) = (numbers(rows * inputs, 5), numbers(columns * inputs, 7));
    let bias = numbers(before + columns, 2);
    let (a, held, biases) = (operands(device, &x), floats(device, &weight), floats(device, &bias));
    let matrix = FloatMatrix { values: &held, offset: 0, rows: columns, columns: inputs };
    let epilogue = |scale| Epilogue { scale, bias: Some((&biases, before)) };
    let expected = |row: usize, column: usize| {
        let dot = |at: usize| x[row * inputs + at] * weight[column * inputs + at];
        (0..inputs).map(dot).sum::<f32>() + bias[before + column]
    };
    let mut out = device.floats(rows, columns).expect("room");
    let terms = [Term::forward(&a, BMatrix::Trained(matrix))];
    device.gemm(&terms, epilogue(0.5), rows, columns, Output::Store(&mut out));
    device.gemm(&[], epilogue(1.0), rows, columns, Output::Add(&mut out, 0));
    let found = values(device, &out, rows * columns);
    for (index, &found) in found.iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        let expected = 0.5 * expected(row, column) + bias[before + column];
        assert_eq!(found, expected, "row {row}, column {column} of a product with a bias");
    }

    let gradient = numbers(rows * columns, 4);
    let mut sums = floats(device, &vec![1.0; before + columns]);
    device.add_column_sums(&operands(device, &gradient), rows, columns, &mut sums, before);
    let found = values(device, &sums, before + columns);
    assert!(found[..before].iter().all(|&sum| sum == 1.0), "values before the bias's gradient stay");
    for (column, &found) in found[before..].iter().enumerate() {
        let sum: f32 = (0..rows).map(|row| gradient[row * columns + column]).sum();
        assert_eq!(found, 1.0 + sum, "column {column} of a bias's gradient");
    }
}

/// A frozen matrix decodes to `values`, and its rows are the embeddings of tokens.
pub fn decode<D: Device>(device: &D, matrix: FrozenMatrix, section: &impl Section) {
    let (rows, columns) = (matrix.rows(), matrix.columns());
    let weight = device.weight(matrix).expect("a matrix that the device holds");
    let mut decoded = device.floats(rows, columns).expect("room");
    device.decode(&weight, &mut decoded, 0);
    section.compare("values", &values(device, &decoded, rows * columns));
    let layout = crate::BatchLayout { tokens: (0..rows as u32).collect(), ..crate::BatchLayout::default() };
    let mut uploaded = device.layout();
    device.upload_layout(&layout, &mut uploaded);
    let mut embedded = device.floats(rows, columns).expect("room");
    device.embed(&weight, &uploaded, 1.0, &mut embedded);
    section.compare("values", &values(device, &embedded, rows * columns));
    // Multiplied with the identity it is itself, up to the operands' precision.
    let mut identity = vec![0.0; columns * columns];
    identity.iter_mut().step_by(columns + 1).for_each(|value| *value = 1.0);
    let identity = operands(device, &identity);
    let mut transposed = device.operands(columns, rows).expect("room");
    let term = Term::forward(&identity, BMatrix::Frozen(&weight));
    device.gemm(&[term], Epilogue::PLAIN, columns, rows, Output::Operands(&mut transposed));
    let mut back = device.operands(rows, columns).expect("room");
    device.transpose(&transposed, columns, rows, &mut back);
    let expected = operand_values(device, &operands(device, &section.floats("values")), rows * columns);
    let found = operand_values(device, &back, rows * columns);
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() <= 0.01 * largest, "{found}, decoded {expected}");
    }
}
