//! A hub without a network, which fails as it is told.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use irtune_hub::{Event, Fetch, FetchError, HubConfig, Observer, Package, Reference};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// SHA-256 of `abc`: FIPS 180-2's first example.
pub const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A model in one file, and something else.
pub const MODEL: [(&str, &str); 5] = [
    ("config.json", "{}"),
    ("tokenizer.json", "{\"version\": \"1.0\"}"),
    ("tokenizer_config.json", "{}\n"),
    ("model.safetensors", "abcdefghij"),
    ("pytorch_model.bin", "not wanted"),
];

/// What goes wrong with a transfer.
#[derive(Clone)]
pub enum Fault {
    /// The connection breaks after so many more bytes.
    BreaksAfter(usize),
    /// Other bytes arrive.
    Sends(&'static str),
    /// The rest of a file can't be had.
    NoRanges,
    /// The server refuses.
    Status(u16, Option<&'static str>),
}

/// Answers as a hub does; what it doesn't have is refused.
#[derive(Default)]
pub struct Fake {
    /// Listings by address.
    pub listings: BTreeMap<String, Result<String, Fault>>,
    /// Files by address.
    pub files: BTreeMap<String, String>,
    /// Of the next transfers of a file, by its name.
    pub faults: RefCell<BTreeMap<&'static str, Vec<Fault>>>,
    /// The program whose installer works.
    pub installs: Option<&'static str>,
    /// Everything that was asked for.
    pub asked: RefCell<Vec<String>>,
    pub pauses: RefCell<usize>,
}

impl Fake {
    /// A hub that has these files of `someone/tiny` at `revision`; safetensors and GGUF are large files.
    pub fn hub(files: &[(&str, &str)], revision: &str) -> Fake {
        let mut fake = Fake::default();
        fake.add(files, revision, COMMIT);
        fake
    }

    /// One more commit.
    pub fn add(&mut self, files: &[(&str, &str)], revision: &str, commit: &str) {
        let names = files.iter().map(|(name, _)| *name);
        let large: Vec<&str> =
            names.filter(|name| name.ends_with(".safetensors") || name.ends_with(".gguf")).collect();
        self.add_with(files, &large, revision, commit);
    }

    /// One more commit, of whose files these are large.
    pub fn add_with(&mut self, files: &[(&str, &str)], large: &[&str], revision: &str, commit: &str) {
        let siblings: Vec<_> = files
            .iter()
            .map(|(name, text)| {
                let git = hexadecimal(&Sha1::digest(format!("blob {}\0{text}", text.len())));
                let mut sibling = serde_json::json!({"rfilename": name, "size": text.len(), "blobId": git});
                if large.contains(name) {
                    sibling["lfs"] = serde_json::json!({
                        "sha256": hexadecimal(&Sha256::digest(text)), "size": text.len(), "pointerSize": 134,
                    });
                }
                sibling
            })
            .collect();
        let listing = serde_json::json!({"sha": commit, "siblings": siblings}).to_string();
        self.listings.insert(listing_at(revision), Ok(listing));
        for (name, text) in files {
            self.files.insert(format!("http://hub/someone/tiny/resolve/{commit}/{name}"), (*text).to_owned());
        }
    }

    /// A hub that answers a listing so.
    pub fn refusing(status: u16, code: Option<&'static str>) -> Fake {
        let mut fake = Fake::default();
        fake.listings.insert(listing_at("main"), Err(Fault::Status(status, code)));
        fake
    }

    /// With faults of the next transfers of a file.
    pub fn failing(self, file: &'static str, faults: &[Fault]) -> Fake {
        self.faults.borrow_mut().insert(file, faults.to_vec());
        self
    }

    /// Transfers that were asked for, as `FILE from BYTE`.
    pub fn transfers(&self) -> Vec<String> {
        self.asked.borrow().iter().filter(|asked| asked.contains(" from ")).cloned().collect()
    }
}

fn listing_at(revision: &str) -> String {
    format!("http://hub/api/models/someone/tiny/revision/{revision}?blobs=true")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(status: u16, code: Option<&str>) -> FetchError {
    let message = code.map(|code| format!("the hub's words about {code}"));
    FetchError::Status { status, code: code.map(str::to_owned), message }
}

impl Fetch for Fake {
    fn text(&self, url: &str, token: Option<&str>) -> Result<String, FetchError> {
        self.asked.borrow_mut().push(format!("{url} {}", token.unwrap_or("-")));
        match self.listings.get(url) {
            Some(Ok(text)) => Ok(text.clone()),
            Some(Err(Fault::Status(status, code))) => Err(refused(*status, *code)),
            Some(Err(_)) | None => Err(FetchError::Broken { message: format!("no answer from {url}") }),
        }
    }

    fn file(
        &self,
        url: &str,
        token: Option<&str>,
        target: &Path,
        arrived: &mut dyn FnMut(u64),
    ) -> Result<(), FetchError> {
        assert_eq!(token, Some("secret"));
        let name = url.rsplit('/').next().unwrap();
        let begun = fs::metadata(target).map_or(0, |found| found.len() as usize);
        self.asked.borrow_mut().push(format!("{name} from {begun}"));
        arrived(begun as u64);
        let text = self.files.get(url).ok_or_else(|| refused(404, Some("EntryNotFound")))?;
        let mut faults = self.faults.borrow_mut();
        let faults = faults.get_mut(name).filter(|faults| !faults.is_empty());
        let mut file = fs::OpenOptions::new().create(true).append(true).open(target).unwrap();
        let rest = &text.as_bytes()[begun.min(text.len())..];
        match faults.map(|faults| faults.remove(0)) {
            None => file.write_all(rest).unwrap(),
            Some(Fault::BreaksAfter(bytes)) => {
                file.write_all(&rest[..bytes]).unwrap();
                return Err(FetchError::Broken { message: "the connection was reset".to_owned() });
            }
            Some(Fault::Sends(text)) => file.write_all(text.as_bytes()).unwrap(),
            Some(Fault::NoRanges) => return Err(FetchError::NoRanges),
            Some(Fault::Status(status, code)) => return Err(refused(status, code)),
        }
        Ok(())
    }

    fn pause(&self) {
        *self.pauses.borrow_mut() += 1;
    }

    fn installers(&self) -> &'static [&'static [&'static str]] {
        &[&["first", "-m", "pip"], &["second"]]
    }

    fn install(
        &self,
        package: &Package,
        installer: &[&'static str],
        folder: &Path,
    ) -> Result<(), FetchError> {
        self.asked.borrow_mut().push(installer.join(" "));
        if self.installs != Some(installer[0]) {
            return Err(FetchError::NoProgram { program: installer[0] });
        }
        let path = folder.join(package.file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "abc").unwrap();
        Ok(())
    }
}

/// Keeps what it is told.
#[derive(Default)]
pub struct Told(pub Vec<String>);

impl Observer for Told {
    fn event(&mut self, event: Event<'_>) {
        self.0.push(match event {
            Event::Package(package) => format!("package {}", package.name),
            Event::Downloading { file, done, total } => format!("{file} {done} of {total:?}"),
            Event::Sending { file, done, total } => format!("{file} {done} of {total} sent"),
            Event::TransferEnded => "ended".to_owned(),
        });
    }
}

pub fn config(place: &Path) -> HubConfig {
    HubConfig {
        hub_cache: Some(place.join("hub")),
        own_cache: Some(place.join("own")),
        endpoint: "http://hub".to_owned(),
        token: Some("secret".to_owned()),
        offline: false,
    }
}

/// The model's reference, with what follows its name.
pub fn tiny(rest: &str) -> Reference {
    format!("hf:someone/tiny{rest}").parse().unwrap()
}

/// Every file below a folder but locks, by its path from there.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|end| end == "lock") => {}
                path => found.push(path.strip_prefix(folder).unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}
