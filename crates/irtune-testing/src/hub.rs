//! A server on loopback that speaks the Hugging Face hub's protocol, and fails in the ways that networks do.
//!
//! Large files are handed on to another host name, as the hub hands them on to the servers that store them.

mod written;

pub use written::{Fault, Given, WrittenHub};

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
};

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// The commit that every revision of a served repository is.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one repository.
pub struct HubServer {
    shared: Arc<Shared>,
}

struct Shared {
    port: u16,
    repository: Repository,
    requests: Mutex<Vec<String>>,
}

/// What a hub serves, and how it fails.
pub struct Repository {
    name: String,
    files: BTreeMap<String, Vec<u8>>,
    needs_token: Option<String>,
    breaks: Mutex<Vec<usize>>,
    corrupts: bool,
}

impl Repository {
    /// A repository of all files of a folder; safetensors are large files.
    pub fn of_folder(name: &str, folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(file, fs::read(path).expect("a file"));
        }
        Self { name: name.to_owned(), files, needs_token: None, breaks: Mutex::default(), corrupts: false }
    }

    /// With one more file.
    #[must_use]
    pub fn with_file(mut self, name: &str, content: &[u8]) -> Self {
        self.files.insert(name.to_owned(), content.to_vec());
        self
    }

    /// For those alone who have this token.
    #[must_use]
    pub fn for_token(self, token: &str) -> Self {
        Self { needs_token: Some(token.to_owned()), ..self }
    }

    /// The next transfers of large files break after so many bytes each.
    #[must_use]
    pub fn breaking(self, after: &[usize]) -> Self {
        Self { breaks: Mutex::new(after.to_vec()), ..self }
    }

    /// Large files arrive with another last byte.
    #[must_use]
    pub fn corrupting(self) -> Self {
        Self { corrupts: true, ..self }
    }

    fn is_large(name: &str) -> bool {
        name.ends_with(".safetensors")
    }

    /// As `GET /api/models/{name}/revision/{revision}?blobs=true` tells it.
    fn listing(&self) -> String {
        let siblings = self.files.iter().map(|(name, content)| {
            let git = hexadecimal(&Sha1::digest([format!("blob {}\0", content.len()).as_bytes(), content].concat()));
            let mut sibling = serde_json::json!({"rfilename": name, "size": content.len(), "blobId": git});
            if Self::is_large(name) {
                sibling["lfs"] = serde_json::json!({
                    "sha256": hexadecimal(&Sha256::digest(content)), "size": content.len(), "pointerSize": 134,
                });
            }
            sibling
        });
        let siblings: Vec<_> = siblings.collect();
        serde_json::json!({"id": self.name, "sha": COMMIT, "siblings": siblings}).to_string()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl HubServer {
    /// Serves a repository for as long as the process lives.
    pub fn start(repository: Repository) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared { port, repository, requests: Mutex::default() });
        let serving = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is no failure of the server.
                let _ = serving.serve(stream);
            }
        });
        Self { shared }
    }

    /// Its address, for `HF_ENDPOINT`.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.shared.port)
    }

    /// Every request so far: path, range and token, those that are given.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().expect("no panic").clone()
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        for line in lines {
            let line = line?;
            let Some((key, value)) = line.split_once(": ") else { break };
            headers.insert(key.to_ascii_lowercase(), value.to_owned());
        }
        let (range, token) = (headers.get("range"), headers.get("authorization"));
        let parts = [Some(&path), range, token].into_iter().flatten().cloned();
        self.requests.lock().expect("no panic").push(parts.collect::<Vec<_>>().join(" "));

        let Repository { name, files, needs_token, .. } = &self.repository;
        if let Some(file) = path.strip_prefix("/stored/").filter(|file| files.contains_key(*file)) {
            return self.send(&mut stream, &files[file], range);
        }
        let given = token.and_then(|token| token.strip_prefix("Bearer "));
        if needs_token.is_some() && given != needs_token.as_deref() {
            let told = "X-Error-Code: GatedRepo\r\nX-Error-Message: Access to this model is restricted.\r\n";
            return answer(&mut stream, "401 Unauthorized", told, b"");
        }
        if path.strip_prefix(&format!("/api/models/{name}/revision/")).is_some() {
            return answer(&mut stream, "200 OK", "", self.repository.listing().as_bytes());
        }
        let resolved = path.strip_prefix(&format!("/{name}/resolve/{COMMIT}/"));
        match resolved.filter(|file| files.contains_key(*file)) {
            Some(file) if Repository::is_large(file) => {
                let location = format!("Location: http://localhost:{}/stored/{file}\r\n", self.port);
                answer(&mut stream, "302 Found", &location, b"")
            }
            Some(file) => answer(&mut stream, "200 OK", "", &files[file]),
            None => answer(&mut stream, "404 Not Found", "X-Error-Code: RepoNotFound\r\n", b""),
        }
    }

    /// Sends a large file, or the part of it that is asked for.
    fn send(&self, stream: &mut TcpStream, content: &[u8], range: Option<&String>) -> std::io::Result<()> {
        let from =
            range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        let mut content = content[from.unwrap_or(0)..].to_vec();
        if self.repository.corrupts {
            content.last_mut().into_iter().for_each(|last| *last ^= 1);
        }
        let mut breaks = self.repository.breaks.lock().expect("no panic");
        let sent = if breaks.is_empty() { content.len() } else { breaks.remove(0).min(content.len()) };
        let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\nConnection: close\r\n",
            content.len()
        )?;
        if let Some(from) = from {
            let whole = from + content.len();
            write!(stream, "Content-Range: bytes {from}-{}/{whole}\r\n", whole - 1)?;
        }
        stream.write_all(b"\r\n")?;
        stream.write_all(&content[..sent])
    }
}

fn answer(stream: &mut impl Write, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)
}
