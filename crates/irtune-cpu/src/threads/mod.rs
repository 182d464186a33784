//! How operations use several threads: tasks, slices that tasks share, and each thread's working memory.

pub(crate) mod disjoint;
pub(crate) mod parallel;
pub(crate) mod scratch;
