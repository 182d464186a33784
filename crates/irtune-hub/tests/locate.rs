//! Finding and fetching bases, with a network that the tests make up.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use irtune_hub::{
    Alias, Event, Fetch, FetchError, HubConfig, LocateError, Observer, Origin, Package, Reference, Silent,
    locate,
};

const COMMIT: &str = "0123456789abcdef";
/// SHA-256 of `abc`: FIPS 180-2's first example.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Answers by address, and by the first word of an installer; everything else is refused.
#[derive(Default)]
struct Fake {
    answers: BTreeMap<String, String>,
    installs: Option<&'static str>,
    asked: RefCell<Vec<String>>,
}

impl Fake {
    /// A hub that has these files of `someone/tiny`, the weights with a checksum.
    fn hub(files: &[(&str, &str)], checksum: &str) -> Fake {
        let siblings: Vec<_> = files
            .iter()
            .map(|(name, text)| match name.ends_with(".safetensors") {
                true => {
                    serde_json::json!({"rfilename": name, "size": text.len(), "lfs": {"sha256": checksum}})
                }
                false => serde_json::json!({"rfilename": name, "size": text.len()}),
            })
            .collect();
        let listing = serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string();
        let mut answers = BTreeMap::new();
        answers.insert("http://hub/api/models/someone/tiny/revision/main?blobs=true".to_owned(), listing);
        for (name, text) in files {
            answers.insert(format!("http://hub/someone/tiny/resolve/{COMMIT}/{name}"), (*text).to_owned());
        }
        Fake { answers, ..Fake::default() }
    }
}

impl Fetch for Fake {
    fn text(&self, url: &str, token: Option<&str>) -> Result<String, FetchError> {
        self.asked.borrow_mut().push(format!("{url} {}", token.unwrap_or("-")));
        let refused = || FetchError::Refused { message: format!("no answer from {url}") };
        self.answers.get(url).cloned().ok_or_else(refused)
    }

    fn file(
        &self,
        url: &str,
        token: Option<&str>,
        target: &Path,
        arrived: &mut dyn FnMut(u64),
    ) -> Result<(), FetchError> {
        let text = self.text(url, token)?;
        arrived(1);
        fs::write(target, text).unwrap();
        Ok(())
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
struct Told(Vec<String>);

impl Observer for Told {
    fn event(&mut self, event: Event<'_>) {
        self.0.push(match event {
            Event::Package(package) => format!("package {}", package.name),
            Event::Downloading { file, done, total } => format!("{file} {done} of {total:?}"),
            Event::DownloadEnded => "ended".to_owned(),
        });
    }
}

const MODEL: [(&str, &str); 4] = [
    ("config.json", "{}"),
    ("tokenizer.json", "{}"),
    ("model.safetensors", "abc"),
    ("pytorch_model.bin", "not wanted"),
];

fn config(place: &Path) -> HubConfig {
    HubConfig {
        hub_cache: Some(place.join("hub")),
        own_cache: Some(place.join("own")),
        endpoint: "http://hub".to_owned(),
        token: Some("secret".to_owned()),
        offline: false,
    }
}

fn tiny() -> Reference {
    "hf:someone/tiny".parse().unwrap()
}

static ALIAS: Alias = Alias {
    names: &["small"],
    summary: "a base for tests",
    organisation: "someone",
    name: "small",
    package: Some(Package {
        name: "carrier",
        version: "1.0",
        file: "carrier/small.gguf",
        bytes: 3,
        sha256: ABC,
    }),
};

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => found.push(path.strip_prefix(folder).unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_repository_is_downloaded_once_and_told_of() {
    let place = tempfile::tempdir().unwrap();
    let (config, hub, mut told) = (config(place.path()), Fake::hub(&MODEL, ABC), Told::default());
    let located = locate(&tiny(), &config, &hub, &mut told).unwrap();
    let repository = place.path().join("hub/models--someone--tiny");
    assert_eq!(
        (located.path.clone(), located.origin),
        (repository.join("snapshots").join(COMMIT), Origin::Hub)
    );
    assert_eq!(fs::read_to_string(repository.join("refs/main")).unwrap(), COMMIT);
    assert_eq!(fs::read_dir(&located.path).unwrap().count(), 3, "only what is wanted");
    assert_eq!(fs::read_dir(&repository).unwrap().count(), 2, "nothing is left beside");
    assert_eq!(told.0[4..], ["model.safetensors 1 of Some(3)".to_owned(), "ended".to_owned()]);
    assert!(hub.asked.borrow().iter().all(|asked| asked.ends_with(" secret")));

    let silent = Fake::default();
    let again = locate(&tiny(), &config, &silent, &mut Silent).unwrap();
    assert_eq!((again.path, again.origin), (located.path, Origin::HubCache));
    assert!(silent.asked.borrow().is_empty());
}

#[test]
fn what_arrives_damaged_is_not_kept() {
    let place = tempfile::tempdir().unwrap();
    let hub = Fake::hub(&MODEL, &ABC.replace('b', "c"));
    let error = locate(&tiny(), &config(place.path()), &hub, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("model.safetensors arrived damaged"), "{error}");
    assert_eq!(files(place.path()), Vec::<PathBuf>::new());
}

#[test]
fn names_that_leave_the_repository_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let hub = Fake::hub(&[("../up.gguf", "abc")], ABC);
    let error = locate(&tiny(), &config(place.path()), &hub, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("the hub names a file outside the repository: ../up.gguf"), "{error}");
    assert_eq!(hub.asked.borrow().len(), 1, "nothing was downloaded");
}

#[test]
fn offline_the_hub_is_not_asked() {
    let place = tempfile::tempdir().unwrap();
    let (config, hub) = (HubConfig { offline: true, ..config(place.path()) }, Fake::hub(&MODEL, ABC));
    let error = locate(&tiny(), &config, &hub, &mut Silent).unwrap_err();
    assert!(error.to_string().contains("not asked, because HF_HUB_OFFLINE is set"), "{error}");
    assert!(hub.asked.borrow().is_empty());
}

#[test]
fn a_package_is_the_way_when_the_hub_is_out_of_reach() {
    let place = tempfile::tempdir().unwrap();
    let (config, mut told) = (config(place.path()), Told::default());
    let fake = Fake { installs: Some("second"), ..Fake::default() };
    let located = locate(&Reference::Alias(&ALIAS), &config, &fake, &mut told).unwrap();
    assert_eq!(located.origin, Origin::Package);
    assert_eq!(located.path, place.path().join("own/carrier-1.0/small.gguf"));
    assert_eq!(files(place.path()), [PathBuf::from("own/carrier-1.0/small.gguf")]);
    assert_eq!(told.0, ["package carrier"]);

    let silent = Fake::default();
    let again = locate(&Reference::Alias(&ALIAS), &config, &silent, &mut Silent).unwrap();
    assert_eq!(again.origin, Origin::OwnCache);
    assert!(silent.asked.borrow().is_empty());
}

#[test]
fn every_way_that_failed_is_listed() {
    let place = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let error = locate(&Reference::Alias(&ALIAS), &config(place.path()), &fake, &mut Silent).unwrap_err();
    let LocateError::Unavailable { base, attempts } = &error else { panic!("{error}") };
    let ways: Vec<&str> = attempts.iter().map(|attempt| attempt.way.as_str()).collect();
    assert_eq!(base, "small");
    assert_eq!(ways, ["the Hugging Face cache", "the Hugging Face hub", "first -m pip", "second"]);
    assert!(error.to_string().contains("\n  - second: there is no `second` here"), "{error}");
    assert_eq!(files(place.path()), Vec::<PathBuf>::new());
}

#[test]
fn without_caches_nothing_can_be_fetched() {
    let fake = Fake { installs: Some("first"), ..Fake::default() };
    let error = locate(&Reference::Alias(&ALIAS), &HubConfig::default(), &fake, &mut Silent).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("there is no cache folder to download to"), "{message}");
    assert!(message.contains("no home folder for the cache"), "{message}");
    let missing = locate(&Reference::Path("nowhere".into()), &HubConfig::default(), &fake, &mut Silent);
    assert!(matches!(missing, Err(LocateError::Missing { path }) if path == Path::new("nowhere")));
}
