//! Requests that a server has to refuse.

use std::io;

use super::connection::{Connection, Reply};

/// A request that has to be refused.
pub struct Wrong {
    /// What is wrong with it.
    pub name: &'static str,
    /// The code that it must get, with JSON that says why.
    pub status: u16,
    send: fn(&mut Connection) -> io::Result<Reply>,
}

impl Wrong {
    /// Sends it.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn send(&self, connection: &mut Connection) -> io::Result<Reply> {
        (self.send)(connection)
    }
}

const PATH: &str = "/v1/classify";
const PAIR: &str = r#"{"pairs":[{"original":"He go.","revised":"He goes."}]}"#;
/// More than a server takes.
const TOO_LONG: usize = 1 << 30;

macro_rules! posted {
    ($name:literal, $status:literal, $path:expr, $body:expr) => {
        Wrong { name: $name, status: $status, send: |connection| connection.post($path, $body) }
    };
}

/// One of each kind.
pub const WRONG: &[Wrong] = &[
    posted!("no JSON", 422, PATH, "pairs"),
    posted!("JSON that ends early", 422, PATH, r#"{"pairs":[{"original":"He"#),
    posted!("no body", 422, PATH, ""),
    posted!("a number for the pairs", 422, PATH, r#"{"pairs":5}"#),
    posted!("a number for a text", 422, PATH, r#"{"pairs":[{"original":"He go.","revised":7}]}"#),
    posted!("an unknown field", 422, PATH, r#"{"pairs":[],"more":1}"#),
    posted!("a pair without texts", 422, PATH, r#"{"pairs":[{"original":"","revised":""}]}"#),
    posted!("one text where two are needed", 422, "/predict", r#"{"inputs":"He goes."}"#),
    posted!("another server's shape", 400, "/classify", r#"{"input":5}"#),
    posted!("a path that is not there", 404, "/v1/classified", PAIR),
    Wrong {
        name: "a path that leads out",
        status: 404,
        send: |connection| connection.ask("GET", "/../../etc/passwd", "text/plain", b""),
    },
    Wrong {
        name: "another verb",
        status: 405,
        send: |connection| connection.ask("PUT", PATH, "application/json", PAIR.as_bytes()),
    },
    Wrong {
        name: "another kind of text",
        status: 415,
        send: |connection| connection.ask("POST", PATH, "text/plain", PAIR.as_bytes()),
    },
    Wrong {
        name: "bytes that are no text",
        status: 422,
        send: |connection| {
            connection.ask("POST", PATH, "application/json", b"{\"pairs\":[{\"original\":\"\xFF\xFE\"}]}")
        },
    },
    Wrong {
        name: "too long a body",
        status: 413,
        send: |connection| connection.cut(PATH, TOO_LONG, PAIR.as_bytes(), false),
    },
    Wrong {
        name: "a body that is cut off",
        status: 422,
        send: |connection| connection.cut(PATH, PAIR.len(), &PAIR.as_bytes()[..20], true),
    },
];
