//! Features and fits against scikit-learn's, from `golden/linear/make.py`.

use irtune_linear::features::{Counters, Design, Tfidf};
use irtune_linear::logistic::{Logistic, Penalty, Start, Tolerance, fit};
use irtune_testing::golden::{assert_close, case_json, tolerance};
use serde::Deserialize;
use sprs::TriMat;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    versions: Versions,
    seed: u64,
    train_documents: Vec<Vec<String>>,
    other_documents: Vec<Vec<String>>,
    least: usize,
    terms: Vec<String>,
    train_tfidf: Vec<f32>,
    other_tfidf: Vec<f32>,
    train_counters: Vec<Vec<f64>>,
    other_counters: Vec<Vec<f64>>,
    train_products: Vec<f32>,
    other_products: Vec<f32>,
    targets: Vec<u32>,
    train_features: Vec<Vec<f64>>,
    other_features: Vec<Vec<f64>>,
    fits: Vec<Fit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Versions {
    python: String,
    numpy: String,
    scipy: String,
    scikit_learn: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fit {
    c: f64,
    weights: Vec<f32>,
    intercepts: Vec<f32>,
    probabilities: Vec<f32>,
}

/// Nearer than models are fitted, so that what is compared are the minima.
const NEAR: Tolerance = Tolerance { gradient: 1e-7 };

fn golden() -> Golden {
    let golden: Golden = case_json("linear");
    let Versions { python, numpy, scipy, scikit_learn } = &golden.versions;
    assert!([python, numpy, scipy, scikit_learn].iter().all(|version| !version.is_empty()));
    assert_ne!(golden.seed, 0);
    golden
}

fn narrow(values: impl IntoIterator<Item = f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}

#[test]
fn tfidf_is_that_of_scikit_learn() {
    let golden = golden();
    let tfidf = Tfidf::fit(&golden.train_documents, golden.least);
    assert_eq!(tfidf.terms(), golden.terms);
    let bound = tolerance("linear_tfidf", "f64");
    for (documents, expected) in
        [(&golden.train_documents, &golden.train_tfidf), (&golden.other_documents, &golden.other_tfidf)]
    {
        let mut found = vec![0.0; documents.len() * tfidf.len()];
        for (row, document) in documents.iter().enumerate() {
            for (column, value) in tfidf.row(document) {
                found[row * tfidf.len() + column] = value;
            }
        }
        assert_close("TF-IDF", expected, &narrow(found), bound);
    }
}

#[test]
fn counters_are_standardised_as_by_scikit_learn() {
    let golden = golden();
    let counters = Counters::fit(&golden.train_counters);
    let bound = tolerance("linear_counters", "f64");
    for (rows, expected) in
        [(&golden.train_counters, &golden.train_products), (&golden.other_counters, &golden.other_products)]
    {
        let found = rows.iter().flat_map(|row| counters.row(row));
        assert_close("counters", expected, &narrow(found), bound);
    }
}

#[test]
fn fits_are_those_of_scikit_learn() {
    let golden = golden();
    // Some of the features as numbers that every pair has, the others as terms.
    let (train, other) = (design(&golden.train_features), design(&golden.other_features));
    assert_eq!(golden.fits.len(), 3);
    for Fit { c, weights, intercepts, probabilities } in &golden.fits {
        let (labels, penalty) = (intercepts.len(), Penalty { c: *c });
        let found = fit(&train, &golden.targets, labels, penalty, Start::Zero, NEAR).unwrap();
        let bound = tolerance("linear_weights", "f64");
        assert_close("weights", weights, &all_weights(&found, &train), bound);
        let mean = found.intercepts().iter().sum::<f64>() / labels as f64;
        let centred = found.intercepts().iter().map(|intercept| intercept - mean);
        assert_close("intercepts", intercepts, &narrow(centred), tolerance("linear_intercepts", "f64"));
        let answers = found.log_probabilities(&other).into_iter().map(f64::exp);
        assert_close(
            "probabilities",
            probabilities,
            &narrow(answers),
            tolerance("linear_probabilities", "f64"),
        );
        // Wherever a fit begins, it ends there; and the same fit twice is the same, bitwise.
        let again = fit(&train, &golden.targets, labels, penalty, Start::Zero, NEAR).unwrap();
        assert_eq!(found, again);
        let warm = fit(&train, &golden.targets, labels, penalty, Start::From(&found), NEAR).unwrap();
        assert_close("weights", weights, &all_weights(&warm, &train), bound);
    }
}

#[test]
fn features_that_are_not_finite_do_not_converge() {
    let features = design(&[vec![f64::NAN; 12], vec![1.0; 12]]);
    let penalty = Penalty { c: 1.0 };
    let error = fit(&features, &[0, 1], 2, penalty, Start::Zero, NEAR).unwrap_err();
    assert!(error.to_string().starts_with("the fit does not converge"), "{error}");
}

/// The first nine features are numbers that every pair has.
const COLUMNS: usize = 9;

fn design(rows: &[Vec<f64>]) -> Design {
    let dense = rows.iter().flat_map(|row| &row[..COLUMNS]).copied().collect();
    let mut terms = TriMat::new((rows.len(), rows[0].len() - COLUMNS));
    for (row, values) in rows.iter().enumerate() {
        for (column, &value) in values[COLUMNS..].iter().enumerate().filter(|(_, value)| **value != 0.0) {
            terms.add_triplet(row, column, value);
        }
    }
    Design::new(dense, COLUMNS, terms.to_csr())
}

/// `[features, labels]`
fn all_weights(fitted: &Logistic, design: &Design) -> Vec<f32> {
    let labels = 0..fitted.labels();
    let numbers = (0..design.columns())
        .flat_map(|column| labels.clone().map(move |label| fitted.number_weight(column, label)));
    let terms =
        (0..design.terms()).flat_map(|term| labels.clone().map(move |label| fitted.term_weight(term, label)));
    narrow(numbers.chain(terms))
}
