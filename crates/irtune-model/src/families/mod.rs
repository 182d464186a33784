//! One file for each group of models that share a decoder layer.

pub(crate) mod llama;
