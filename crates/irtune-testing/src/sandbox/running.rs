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
    messages: Option<BufReader<ChildStderr>>,
    said: String,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let messages = child.stderr.take().map(BufReader::new);
        Self { child, messages, said: String::new() }
    }

    /// Waits until it has written a line with this text, and gives that line.
    ///
    /// # Panics
    /// When it ends before.
    pub fn wait_for(&mut self, text: &str) -> String {
        let messages = self.messages.as_mut().expect("somebody who listens");
        loop {
            let mut line = String::new();
            let read = messages.read_line(&mut line).expect("a line of text");
            self.said += &line;
            assert!(read > 0, "it ended and never said {text:?}:\n{}", self.said);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Listens no longer: whatever it writes to standard error from now on fails.
    pub fn stop_listening(&mut self) {
        self.messages = None;
    }

    /// Sends it SIGINT, as Ctrl-C does.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        self.send("INT");
    }

    /// Sends it SIGHUP, as a terminal does that is closed.
    #[cfg(unix)]
    pub fn hang_up(&self) {
        self.send("HUP");
    }

    #[cfg(unix)]
    fn send(&self, signal: &str) {
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
        assert!(status.expect("the command kill").success());
    }

    /// Kills it: it ends wherever it is.
    pub fn kill(mut self) {
        self.child.kill().expect("it is running");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end: the exit code, and everything it wrote to standard error while somebody listened.
    pub fn finish(mut self) -> (Option<i32>, String) {
        if let Some(messages) = &mut self.messages {
            messages.read_to_string(&mut self.said).expect("text");
        }
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
