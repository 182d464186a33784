//! Parameters outside the engine: named, in f32, in transformers' orientation.

/// A named tensor in main memory, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// The name it has on disk.
    pub name: String,
    /// Sizes of its axes, slowest first.
    pub shape: Vec<usize>,
    /// `shape`'s product many values.
    pub data: Vec<f32>,
}

impl HostTensor {
    /// A tensor of these values.
    ///
    /// # Panics
    /// If the number of values is not that of the shape: that is a mistake of the caller, never of a file.
    pub fn new(name: impl Into<String>, shape: Vec<usize>, data: Vec<f32>) -> Self {
        let name = name.into();
        assert_eq!(shape.iter().product::<usize>(), data.len(), "values of {name} with shape {shape:?}");
        Self { name, shape, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_holds_as_many_values_as_its_shape_says() {
        assert_eq!(HostTensor::new("weight", vec![2, 3], vec![0.5; 6]).data.len(), 6);
        assert!(HostTensor::new("scalar", vec![], vec![1.0]).shape.is_empty());
    }

    #[test]
    #[should_panic(expected = "values of weight with shape [2, 3]")]
    fn another_number_of_values_is_refused() {
        HostTensor::new("weight", vec![2, 3], vec![0.5; 5]);
    }
}
