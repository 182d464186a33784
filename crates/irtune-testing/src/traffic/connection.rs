//! A connection that is kept open, as programs keep theirs.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// How long an answer may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// A connection to a server, made when it is needed.
pub struct Connection {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP's number of it.
    pub status: u16,
    /// What kind of text it is.
    pub content_type: String,
    /// Its text.
    pub body: String,
    /// Whether the server closes the connection.
    closes: bool,
}

impl Reply {
    /// Whether it is JSON that says what is wrong.
    pub fn is_json_error(&self) -> bool {
        let value = serde_json::from_str::<serde_json::Value>(&self.body).unwrap_or_default();
        let said = value["error"].as_str().or_else(|| value["error"]["message"].as_str());
        self.content_type == "application/json" && said.is_some_and(|said| !said.is_empty())
    }
}

impl Connection {
    /// To a server.
    pub fn to(address: &str) -> Connection {
        Connection { address: address.to_owned(), stream: None }
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&mut self, path: &str, body: &str) -> io::Result<Reply> {
        self.ask("POST", path, "application/json", body.as_bytes())
    }

    /// Sends a whole request.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask(&mut self, verb: &str, path: &str, content_type: &str, body: &[u8]) -> io::Result<Reply> {
        self.begin(verb, path, content_type, body.len(), body, false)
    }

    /// Sends a request that says it has so many bytes, and these alone; `ends` closes this side behind them. The connection
    /// is then of no more use.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn cut(&mut self, path: &str, length: usize, body: &[u8], ends: bool) -> io::Result<Reply> {
        let reply = self.begin("POST", path, "application/json", length, body, ends);
        self.stream = None;
        reply
    }

    fn begin(
        &mut self,
        verb: &str,
        path: &str,
        content_type: &str,
        length: usize,
        body: &[u8],
        ends: bool,
    ) -> io::Result<Reply> {
        let mut request = format!(
            "{verb} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n",
            self.address
        )
        .into_bytes();
        request.extend(body);
        let reply = self.exchange(&request, ends);
        if reply.as_ref().map_or(true, |reply| reply.closes) {
            self.stream = None;
        }
        reply
    }

    fn exchange(&mut self, request: &[u8], ends: bool) -> io::Result<Reply> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(&self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                none.insert(BufReader::new(stream))
            }
        };
        stream.get_mut().write_all(request)?;
        if ends {
            stream.get_ref().shutdown(Shutdown::Write)?;
        }
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let broken = || io::Error::new(io::ErrorKind::UnexpectedEof, "no answer");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
        let mut reply = Reply { status, content_type: String::new(), body: String::new(), closes: false };
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((key, value)) = line.trim_end().split_once(':') else { break };
            match key.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().map_err(|_| broken())?,
                "content-type" => reply.content_type = value.trim().to_owned(),
                "connection" => reply.closes = value.trim() == "close",
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        reply.body = String::from_utf8_lossy(&body).into_owned();
        Ok(reply)
    }
}
