//! A hub that is written to: repositories, branches, commits and the storage of large files, on loopback.
//!
//! It holds what it is sent against the protocol: a commit of a large file that was not stored is refused, and so is one
//! whose hash is not that of what was stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{COMMIT, answer, hexadecimal};

/// How the next request to an address goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The connection ends before anything is done.
    Breaks,
    /// The connection ends after everything was done, without an answer.
    LosesAnswer,
    /// Such a status, and nothing is done.
    Status(u16),
    /// This is answered with 200, and nothing is done.
    Says(&'static str),
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// `POST /api/repos/create`
    pub line: String,
    /// The access token.
    pub token: Option<String>,
    /// What it says that the body is.
    pub content_type: Option<String>,
    /// What was sent.
    pub body: Vec<u8>,
}

/// A hub whose repository is `someone/mine`, and where `secret` is the token that may write.
#[derive(Clone)]
pub struct WrittenHub {
    shared: Arc<Shared>,
}

struct Shared {
    port: u16,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether it is private; nothing where there is no repository.
    private: Option<bool>,
    branches: BTreeSet<String>,
    /// Of all branches alike: the bytes of a file, or the hash of a large one.
    files: BTreeMap<String, Result<Vec<u8>, String>>,
    stored: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<usize, Vec<u8>>,
    part_bytes: Option<usize>,
    may_not_make: bool,
    faults: Vec<(String, Fault)>,
    requests: Vec<Given>,
}

const NAME: &str = "someone/mine";

impl WrittenHub {
    /// An empty hub, which works for as long as the process lives.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared { port, state: Mutex::default() });
        let hub = Self { shared: shared.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is no failure of the server.
                let _ = shared.serve(stream);
            }
        });
        hub
    }

    /// Its address, for `HF_ENDPOINT`.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.shared.port)
    }

    /// The repository is there.
    #[must_use]
    pub fn with_repository(self, private: bool) -> Self {
        self.shared.state().private = Some(private);
        self.shared.state().branches.insert("main".to_owned());
        self
    }

    /// The token may write to the repository, and make none.
    #[must_use]
    pub fn not_making(self) -> Self {
        self.shared.state().may_not_make = true;
        self
    }

    /// Larger files are taken in parts of so many bytes.
    #[must_use]
    pub fn in_parts(self, bytes: usize) -> Self {
        self.shared.state().part_bytes = Some(bytes);
        self
    }

    /// The next request whose line holds this goes wrong so.
    #[must_use]
    pub fn failing(self, line: &str, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.shared.state().faults.extend(faults.into_iter().map(|fault| (line.to_owned(), fault)));
        self
    }

    /// Whether the repository is private; nothing where there is none.
    pub fn private(&self) -> Option<bool> {
        self.shared.state().private
    }

    /// The bytes of the repository's files.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.shared.state();
        let content =
            |file: &Result<Vec<u8>, String>| file.clone().unwrap_or_else(|hash| state.stored[&hash].clone());
        state.files.iter().map(|(name, file)| (name.clone(), content(file))).collect()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Given> {
        self.shared.state().requests.clone()
    }

    /// How many requests had a line that holds this.
    pub fn count(&self, line: &str) -> usize {
        self.requests().iter().filter(|given| given.line.contains(line)).count()
    }
}

/// An answer: its status, further headers, its text.
type Answered = (u16, String, String);

fn plain(status: u16, value: &Value) -> Answered {
    (status, String::new(), value.to_string())
}

fn refused(status: u16, message: &str) -> Answered {
    (status, format!("X-Error-Message: {message}\r\n"), json!({"error": message}).to_string())
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((key, value)) = header.trim_end().split_once(": ") else { break };
            headers.insert(key.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let token =
            headers.get("authorization").and_then(|token| token.strip_prefix("Bearer ")).map(str::to_owned);
        let content_type = headers.remove("content-type");
        let given = Given { line, token, content_type, body };
        let mut state = self.state();
        state.requests.push(given.clone());
        let fault = state.faults.iter().position(|(part, _)| given.line.contains(part.as_str()));
        let fault = fault.map(|at| state.faults.remove(at).1);
        let (status, more, text) = match fault {
            Some(Fault::Breaks) => return Ok(()),
            Some(Fault::Status(status)) => refused(status, "as the test wants it"),
            Some(Fault::Says(text)) => (200, String::new(), text.to_owned()),
            fault => {
                let answered = state.answer(&given, self.port);
                if fault.is_some() {
                    return Ok(());
                }
                answered
            }
        };
        drop(state);
        answer(&mut stream, &format!("{status} Told"), &more, text.as_bytes())?;
        stream.flush()
    }
}

impl State {
    fn answer(&mut self, given: &Given, port: u16) -> Answered {
        let Given { line, token, body, .. } = given;
        if let Some(hash) = line.strip_prefix("PUT /stored/") {
            self.stored.insert(hash.to_owned(), body.clone());
            return (200, String::new(), String::new());
        }
        if let Some(part) = line.strip_prefix("PUT /part/").and_then(|part| part.parse().ok()) {
            self.parts.insert(part, body.clone());
            return (200, format!("ETag: \"{}\"\r\n", hexadecimal(&Sha1::digest(body))), String::new());
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if line == "POST /whole" {
            return self.whole(&body);
        }
        if token.as_deref() != Some("secret") {
            return refused(401, "Invalid credentials in Authorization header");
        }
        if line == "POST /api/repos/create" {
            return self.make(&body);
        }
        let Some(private) = self.private else { return refused(404, "Repository not found") };
        let below = |prefix: &str| line.strip_prefix(&format!("{prefix}{NAME}")).map(str::to_owned);
        if let Some(rest) = below("GET /api/models/") {
            let revision = rest.strip_prefix("/revision/").unwrap_or("main");
            let known = self.branches.contains(revision);
            let told = json!({"id": NAME, "sha": COMMIT, "private": private});
            return if known { plain(200, &told) } else { refused(404, "Revision not found") };
        }
        if below("POST /").as_deref() == Some(".git/info/lfs/objects/batch") {
            return self.batch(&body, port);
        }
        let Some(rest) = below("POST /api/models/") else { return refused(404, "There is no such address") };
        let mut parts = rest.trim_start_matches('/').splitn(2, '/');
        let (what, branch) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match what {
            "branch" if !self.branches.insert(branch.to_owned()) => refused(409, "Reference already exists"),
            "branch" | "verify" => plain(200, &json!({})),
            _ if !self.branches.contains(branch) => refused(404, "Revision not found"),
            "preupload" => self.modes(&body),
            "commit" => self.commit(&given.body),
            _ => refused(404, "There is no such address"),
        }
    }

    fn make(&mut self, body: &Value) -> Answered {
        if self.may_not_make {
            return refused(403, "You don't have the rights to create a model under this namespace");
        }
        if format!(
            "{}/{}",
            body["organization"].as_str().unwrap_or_default(),
            body["name"].as_str().unwrap_or_default()
        ) != NAME
        {
            return refused(403, "You don't have the rights to create a model under this namespace");
        }
        if self.private.is_some() {
            return refused(409, "You already created this model repo");
        }
        self.private = Some(body["visibility"] == "private");
        self.branches.insert("main".to_owned());
        plain(200, &json!({"url": format!("https://huggingface.co/{NAME}")}))
    }

    /// Safetensors are large files, and `.log` files are ignored.
    fn modes(&self, body: &Value) -> Answered {
        let files = body["files"].as_array().cloned().unwrap_or_default();
        let mode = |file: Value| {
            let path = file["path"].as_str().unwrap_or_default();
            let there = self.files.get(path).map(|there| match there {
                Ok(bytes) => {
                    hexadecimal(&Sha1::digest([format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat()))
                }
                Err(hash) => hash.clone(),
            });
            json!({
                "path": path, "uploadMode": if path.ends_with(".safetensors") { "lfs" } else { "regular" },
                "shouldIgnore": path.ends_with(".log"), "oid": there,
            })
        };
        plain(200, &json!({"files": files.into_iter().map(mode).collect::<Vec<_>>()}))
    }

    fn batch(&self, body: &Value, port: u16) -> Answered {
        let objects = body["objects"].as_array().cloned().unwrap_or_default();
        let object = |object: Value| {
            let (oid, size) =
                (object["oid"].as_str().unwrap_or_default(), object["size"].as_u64().unwrap_or_default());
            if self.stored.contains_key(oid) {
                return json!({"oid": oid, "size": size});
            }
            // Another host name, as that of the servers that store large files.
            let (own, other) = (format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}"));
            let upload = match self.part_bytes {
                _ if size <= self.part_bytes.map_or(u64::MAX, |bytes| bytes as u64) => {
                    json!({"href": format!("{other}/stored/{oid}")})
                }
                bytes => {
                    let bytes = bytes.unwrap_or(usize::MAX);
                    let mut header = json!({"chunk_size": bytes.to_string()});
                    for part in 1..=size.div_ceil(bytes as u64) {
                        header[format!("{part:05}")] = format!("{other}/part/{part}").into();
                    }
                    json!({"href": format!("{other}/whole"), "header": header})
                }
            };
            let verify = json!({"href": format!("{own}/api/models/{NAME}/verify")});
            json!({"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}})
        };
        plain(200, &json!({"objects": objects.into_iter().map(object).collect::<Vec<_>>()}))
    }

    /// Puts parts together.
    fn whole(&mut self, body: &Value) -> Answered {
        let told: Vec<Value> = std::mem::take(&mut self.parts)
            .into_iter()
            .map(|(part, bytes)| {
                self.stored
                    .entry(body["oid"].as_str().unwrap_or_default().to_owned())
                    .or_default()
                    .extend(&bytes);
                json!({"partNumber": part, "etag": format!("\"{}\"", hexadecimal(&Sha1::digest(&bytes)))})
            })
            .collect();
        if body["parts"] == json!(told) { plain(200, &json!({})) } else { refused(400, "Other parts") }
    }

    fn commit(&mut self, body: &[u8]) -> Answered {
        let lines: Vec<Value> =
            body.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        if lines.first().is_none_or(|line| line["key"] != "header" || line["value"]["summary"] == "") {
            return refused(400, "No header");
        }
        let mut files = self.files.clone();
        for line in &lines[1..] {
            let value = &line["value"];
            let path = value["path"].as_str().unwrap_or_default().to_owned();
            let content = match line["key"].as_str() {
                Some("file") => {
                    Ok(STANDARD.decode(value["content"].as_str().unwrap_or_default()).unwrap_or_default())
                }
                Some("lfsFile") => {
                    let hash = value["oid"].as_str().unwrap_or_default().to_owned();
                    let stored = self.stored.get(&hash).map(|bytes| hexadecimal(&Sha256::digest(bytes)));
                    if stored.as_deref() != Some(hash.as_str()) {
                        return refused(400, "A large file is not stored");
                    }
                    Err(hash)
                }
                _ => return refused(400, "An unknown line"),
            };
            files.insert(path, content);
        }
        self.files = files;
        let url = format!("https://huggingface.co/{NAME}/commit/{COMMIT}");
        plain(200, &json!({"success": true, "commitOid": COMMIT, "commitUrl": url}))
    }
}
