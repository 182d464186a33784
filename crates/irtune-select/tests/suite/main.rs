//! The methods: what they choose, what they refuse, and that their documents are true.

#[path = "../../examples/alternate.rs"]
mod alternate;
mod errors;
mod extending;
mod ir_cost;
mod lowest;
mod method_traces;
mod methods_document;
mod policies;
mod replay;
mod selection_traces;
mod support;
