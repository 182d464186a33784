//! What is varied, each from the same middle: 16 × 128 tokens, rank 32, all layers, all threads.

/// One training step's work.
#[derive(Clone, Debug)]
pub struct Work {
    /// A base with random weights; the given one when `None`.
    pub base: Option<&'static str>,
    pub examples: usize,
    /// Tokens of an example.
    pub length: usize,
    pub rank: usize,
    /// How many of the highest layers train; all when `None`.
    pub layers: Option<usize>,
    pub threads: usize,
    /// A limit on memory.
    pub memory: Option<&'static str>,
}

/// One measurement.
#[derive(Clone, Debug)]
pub struct Point {
    /// Which series it belongs to.
    pub series: &'static str,
    /// What is varied, as tables show it.
    pub value: String,
    pub work: Work,
}

/// The names of all series.
pub fn names() -> Vec<&'static str> {
    vec!["batch-tokens", "length", "rank", "training-layers", "threads", "memory", "model"]
}

/// Every measurement, series after series.
pub fn points(cores: usize) -> Vec<Point> {
    let middle =
        Work { base: None, examples: 16, length: 128, rank: 32, layers: None, threads: cores, memory: None };
    let mut points = Vec::new();
    let mut add = |series, value: String, work| points.push(Point { series, value, work });
    for examples in [2, 8, 32, 128] {
        add("batch-tokens", (examples * 128).to_string(), Work { examples, ..middle.clone() });
    }
    for length in [64, 256, 1024, 2048] {
        add("length", length.to_string(), Work { length, examples: 2048 / length, ..middle.clone() });
    }
    for rank in [8, 32, 128, 256] {
        add("rank", rank.to_string(), Work { rank, ..middle.clone() });
    }
    for count in [1, 4, 8, 15, 30] {
        add("training-layers", count.to_string(), Work { layers: Some(count), ..middle.clone() });
    }
    for threads in (0..).map(|power| 1 << power).take_while(|&threads| threads <= cores) {
        add("threads", threads.to_string(), Work { threads, ..middle.clone() });
    }
    for memory in ["800MB", "600MB"] {
        add("memory", memory.to_owned(), Work { memory: Some(memory), ..middle.clone() });
    }
    for (base, memory) in [("smollm2-135m", None), ("llama-3.2-1b", None), ("llama-3.1-8b", Some("16GB"))] {
        add("model", base.to_owned(), Work { base: Some(base), memory, ..middle.clone() });
    }
    points
}
