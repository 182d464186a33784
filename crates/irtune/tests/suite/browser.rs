//! A real browser, by WebDriver: Chromium with its driver, where they are installed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

/// What an element is called in WebDriver's answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How often a page is looked at for what should come, a tenth of a second apart.
const LOOKS: usize = 600;

/// A browser with a window.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    pictures: PathBuf,
}

impl Browser {
    /// Starts one; nothing where none is installed. `home` is a folder of its own for what it writes.
    pub fn start(home: &Path) -> Option<Browser> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .envs([("HOME", home), ("TMPDIR", home)])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines =
            BufReader::new(driver.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let said = lines.find(|line| line.contains("successfully on port ")).expect("it says its port");
        // Whatever else it says is read, so that it can go on.
        thread::spawn(move || lines.for_each(drop));
        let port = said.rsplit("on port ").next().unwrap().trim_end_matches('.').parse().unwrap();
        let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("labelling");
        std::fs::create_dir_all(&pictures).unwrap();
        let mut browser = Browser { driver, port, session: String::new(), pictures };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1200,1000",
        ];
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": arguments } } } });
        let session = browser.ask("POST", "/session", &wanted);
        browser.session = session["sessionId"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned();
        Some(browser)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let body = body.to_string();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close");
        write!(
            stream,
            "{head}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        // The driver keeps connections open: an answer ends where its head says.
        let (mut answer, mut length) = (BufReader::new(stream), 0);
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()["value"].clone()
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        let value = self.ask("POST", &format!("/session/{}{path}", self.session), body);
        assert!(value.get("error").is_none(), "{path} {body}: {value}");
        value
    }

    /// Opens a page.
    pub fn open(&self, address: &str) {
        self.command("/url", &json!({ "url": address }));
    }

    /// What a script returns.
    pub fn script(&self, script: &str) -> Value {
        self.command("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The text of the page.
    pub fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page has a text.
    pub fn wait_for(&self, text: &str) {
        for _ in 0..LOOKS {
            if self.text().contains(text) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the page never had {text:?}:\n{}", self.text());
    }

    fn element(&self, selector: &str) -> String {
        let found = self.command("/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
    }

    /// Clicks what a CSS selector finds.
    pub fn click(&self, selector: &str) {
        self.command(&format!("/element/{}/click", self.element(selector)), &json!({}));
    }

    /// Types into what a CSS selector finds; a file's path into a field for files.
    pub fn type_into(&self, selector: &str, text: &str) {
        self.command(&format!("/element/{}/value", self.element(selector)), &json!({ "text": text }));
    }

    /// Makes the window so large.
    pub fn resize(&self, width: u64, height: u64) {
        self.command("/window/rect", &json!({ "width": width, "height": height }));
    }

    /// The window as it looks now, as a PNG.
    pub fn png(&self) -> Vec<u8> {
        let picture = self.ask("GET", &format!("/session/{}/screenshot", self.session), &json!({}));
        base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    /// Keeps a picture of the page as it looks now.
    pub fn picture(&self, name: &str) {
        std::fs::write(self.pictures.join(format!("{name}.png")), self.png()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.ask("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
