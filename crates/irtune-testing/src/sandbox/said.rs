//! What a command said.

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Said {
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub error: String,
}

impl Said {
    /// For a snapshot of a failure.
    pub fn failure(&self) -> String {
        assert_eq!(self.out, "", "a failure writes nothing to standard output");
        format!("exit code {}\n{}", self.code.expect("it ended by itself"), self.error)
    }

    /// Sees to it that it ended well.
    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.error);
        self
    }
}
