//! The head of a base that is a classifier itself.

use crate::{
    base::{Base, BaseFormat},
    error::ModelError,
    head::HeadInput,
    parameters::WEIGHTS_HEAD_NAME,
    peft::{read_head_input, read_labels},
};

/// The head of a base that is a classifier itself, such as a merged model.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierHead {
    /// The labels in the order of its rows; nothing where the configuration doesn't name them.
    pub labels: Option<Vec<String>>,
    /// What it reads.
    pub input: HeadInput,
    /// `[labels, columns]`
    pub shape: Vec<usize>,
    /// Row by row.
    pub values: Vec<f32>,
}

impl ClassifierHead {
    /// The head of a base, if it has one.
    ///
    /// # Errors
    /// When the configuration's labels or counters don't fit the head.
    pub fn of(base: &Base) -> Result<Option<ClassifierHead>, ModelError> {
        let tensor = base.weights.tensor(WEIGHTS_HEAD_NAME);
        let (Ok(tensor), BaseFormat::Safetensors) = (tensor, base.source.format) else { return Ok(None) };
        let (shape, path) = (tensor.shape.clone(), base.source.path.join("config.json"));
        let labels = read_labels(&path, shape.first().copied().unwrap_or(0))?;
        let (input, values) = (read_head_input(&path)?, base.weights.values(WEIGHTS_HEAD_NAME)?);
        Ok(Some(ClassifierHead { labels, input, shape, values }))
    }

    /// Its values with rows in the order of these labels; nothing where its own are others.
    pub fn rows_of(&self, labels: &[String]) -> Option<Vec<f32>> {
        let own = self.labels.as_ref().filter(|own| own.len() == labels.len())?;
        let columns = self.values.len() / own.len().max(1);
        let row = |label: &String| own.iter().position(|name| name == label);
        let rows = labels.iter().map(row).collect::<Option<Vec<usize>>>()?;
        Some(rows.into_iter().flat_map(|row| &self.values[row * columns..][..columns]).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_labels() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let head = ClassifierHead {
            labels: Some(names(&["b", "a"])),
            input: HeadInput::Pooled,
            shape: vec![2, 3],
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        };
        assert_eq!(head.rows_of(&names(&["a", "b"])), Some(vec![4.0, 5.0, 6.0, 1.0, 2.0, 3.0]));
        assert_eq!(head.rows_of(&names(&["b", "a"])), Some(head.values.clone()));
        for others in [&["a", "c"][..], &["a"], &["a", "b", "c"]] {
            assert_eq!(head.rows_of(&names(others)), None);
        }
        assert_eq!(ClassifierHead { labels: None, ..head }.rows_of(&names(&["a", "b"])), None);
    }
}
