//! A linear model as bytes: a safetensors file of f64 tensors, with everything else in its metadata.
//!
//! | tensor | shape | holds |
//! |---|---|---|
//! | `counter_weights` | `[labels, counters + products]` | of the counters and of their products |
//! | `term_weights` | `[terms, labels]` | of the terms of each field |
//! | `intercepts` | `[labels]` | |
//! | `counter_means`, `counter_deviations` | `[counters]` | what standardises the counters |
//! | `product_means`, `product_deviations` | `[counters + products]` | what standardises them and their products |
//! | `idf.FIELD` | `[terms]` | inverse document frequencies |
//!
//! The metadata's key `linear_model` is a JSON document: `labels`, `penalty`, the names of the `counters`, and the
//! terms of each of the `fields`, both in the order of the tensors.

use std::collections::HashMap;

use irtune_data::LabelSet;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::error::LinearError;
use crate::features::{Counters, Features, Scaler, Tfidf};
use crate::logistic::{Logistic, Penalty};
use crate::model::LinearModel;
use crate::terms::Field;

const KEY: &str = "linear_model";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    labels: LabelSet,
    penalty: Penalty,
    counters: Vec<String>,
    fields: Vec<Vocabulary>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vocabulary {
    field: Field,
    terms: Vec<String>,
}

impl LinearModel {
    /// The model as a file holds it.
    ///
    /// # Errors
    /// When it can't be written as safetensors, which memory does not refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LinearError> {
        let LinearModel { labels, penalty, features, logistic } = self;
        let vocabulary =
            |(field, tfidf): &(Field, Tfidf)| Vocabulary { field: *field, terms: tfidf.terms.clone() };
        let metadata = Metadata {
            labels: labels.clone(),
            penalty: *penalty,
            counters: Counters::plain_names().into_iter().map(str::to_owned).collect(),
            fields: features.fields.iter().map(vocabulary).collect(),
        };
        let free = logistic.parameters.len() - labels.len();
        let (counters, terms) = logistic.parameters[..free].split_at(Counters::LEN * labels.len());
        let mut tensors: Vec<(String, Vec<usize>, &[f64])> = vec![
            ("counter_weights".to_owned(), vec![labels.len(), Counters::LEN], counters),
            ("term_weights".to_owned(), vec![features.terms(), labels.len()], terms),
            ("intercepts".to_owned(), vec![labels.len()], logistic.intercepts()),
        ];
        let Counters { plain, products } = &features.counters;
        for (name, scaler) in [("counter", plain), ("product", products)] {
            tensors.push((format!("{name}_means"), vec![scaler.means.len()], &scaler.means));
            tensors.push((format!("{name}_deviations"), vec![scaler.means.len()], &scaler.deviations));
        }
        for (field, tfidf) in &features.fields {
            tensors.push((idf(*field), vec![tfidf.len()], &tfidf.idf));
        }
        let stored: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .into_iter()
            .map(|(name, shape, values)| {
                (name, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
            })
            .collect();
        let views = stored
            .iter()
            .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F64, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, LinearError>>()?;
        let metadata = HashMap::from([(KEY.to_owned(), serde_json::to_string(&metadata)?)]);
        Ok(safetensors::serialize(views, Some(metadata))?)
    }

    /// Reads a model that [`LinearModel::to_bytes`] wrote.
    ///
    /// # Errors
    /// When it is something else, damaged, or of a version with other counters.
    pub fn from_bytes(bytes: &[u8]) -> Result<LinearModel, LinearError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let no_model = LinearError::Format { what: "it has no vocabulary" };
        let text = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).ok_or(no_model)?;
        let Metadata { labels, penalty, counters, fields } = serde_json::from_str(text)?;
        if counters != Counters::plain_names() {
            return Err(LinearError::Format { what: "it counts other things" });
        }
        let file = SafeTensors::deserialize(bytes)?;
        let read = |name: &str, length: usize| tensor(&file, name, length);
        let fields = fields
            .into_iter()
            .map(|Vocabulary { field, terms }| {
                let idf = read(&idf(field), terms.len())?;
                Ok((field, Tfidf { terms, idf }))
            })
            .collect::<Result<Vec<_>, LinearError>>()?;
        let scaler = |name: &str, length: usize| {
            let (means, deviations) = (format!("{name}_means"), format!("{name}_deviations"));
            Ok::<_, LinearError>(Scaler {
                means: read(&means, length)?,
                deviations: read(&deviations, length)?,
            })
        };
        let counters = Counters {
            plain: scaler("counter", Counters::PLAIN)?,
            products: scaler("product", Counters::LEN)?,
        };
        let features = Features { counters, fields };
        let mut parameters = read("counter_weights", Counters::LEN * labels.len())?;
        parameters.extend(read("term_weights", features.terms() * labels.len())?);
        parameters.extend(read("intercepts", labels.len())?);
        let logistic = Logistic { parameters, columns: Counters::LEN, labels: labels.len() };
        Ok(LinearModel { labels, penalty, features, logistic })
    }
}

fn idf(field: Field) -> String {
    format!("idf.{field}")
}

fn tensor(file: &SafeTensors<'_>, name: &str, length: usize) -> Result<Vec<f64>, LinearError> {
    let view = file.tensor(name)?;
    if view.dtype() != Dtype::F64 || view.data().len() != length * size_of::<f64>() {
        return Err(LinearError::Format { what: "a tensor has another shape" });
    }
    let values: Vec<f64> =
        view.data().as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(LinearError::Format { what: "a number is not finite" }),
    }
}
