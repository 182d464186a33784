//! Labelling: what is to be labelled by people, and what they said.
//!
//! [`store`] keeps it in one SQLite file that survives a kill: drafts with their revisions, what models said of them,
//! what each annotator said, how sentences were joined and split, what was agreed on, and the models that were trained on
//! it. [`store::TrainingPair`]s are what `irtune train` reads. [`queue`] says which pairs are worth labelling next.
//!
//! The crate knows no models, prints nothing and reads no environment.
#![forbid(unsafe_code)]

pub mod queue;
pub mod store;
