//! What a person sees while something goes on. Everything on standard error.

mod bytes_bar;
mod comparison;
mod count;
mod fetching;
mod run;

pub use bytes_bar::BytesBar;
pub use comparison::ComparisonProgress;
pub use count::Count;
pub use fetching::Fetching;
pub use run::Progress;
