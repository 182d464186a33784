//! The program while it runs.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Command, Stdio},
};

/// A running program whose messages a test waits for.
///
/// Waiting reads what the program writes, and so needs no clock and misses nothing.
pub struct Running {
    child: Child,
    messages: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let messages = BufReader::new(child.stderr.take().expect("its messages"));
        Self { child, messages, said: String::new() }
    }

    /// Waits until it has written a line with this text.
    ///
    /// # Panics
    /// When it ends before.
    pub fn wait_for(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            let read = self.messages.read_line(&mut line).expect("a line of text");
            self.said += &line;
            assert!(read > 0, "it ended and never said {text:?}:\n{}", self.said);
            if line.contains(text) {
                return;
            }
        }
    }

    /// Sends it SIGINT, as Ctrl-C does.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(status.expect("the command kill").success());
    }

    /// Kills it: it ends wherever it is.
    pub fn kill(mut self) {
        self.child.kill().expect("it is running");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end: the exit code, and everything it wrote to standard error.
    pub fn finish(mut self) -> (Option<i32>, String) {
        self.messages.read_to_string(&mut self.said).expect("text");
        let status = self.child.wait().expect("it ends");
        (status.code(), std::mem::take(&mut self.said))
    }
}

impl Drop for Running {
    /// Leaves no process behind when a test fails.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
