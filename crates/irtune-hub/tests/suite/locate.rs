//! The ways to a base, in order.

use std::path::{Path, PathBuf};

use irtune_hub::{Alias, HubConfig, LocateError, Origin, Package, Reference, Silent, locate};

use crate::fake::{ABC, COMMIT, Fake, MODEL, Told, config, files, tiny};

static ALIAS: Alias = Alias {
    names: &["small"],
    organisation: "someone",
    name: "small",
    licence: "MIT",
    gated: false,
    config: "{}",
    package: Some(Package {
        name: "carrier",
        version: "1.0",
        file: "carrier/small.gguf",
        bytes: 3,
        sha256: ABC,
    }),
};

#[test]
fn a_repository_is_downloaded_once_and_told_of() {
    let place = tempfile::tempdir().unwrap();
    let (config, hub, mut told) = (config(place.path()), Fake::hub(&MODEL, "main"), Told::default());
    let located = locate(&tiny(""), &config, &hub, &mut told).unwrap();
    let repository = place.path().join("hub/models--someone--tiny");
    assert_eq!(
        (located.path.clone(), located.origin),
        (repository.join("snapshots").join(COMMIT), Origin::Hub)
    );
    assert_eq!(told.0[6..], ["model.safetensors 0 of Some(10)".to_owned(), "ended".to_owned()]);
    assert!(hub.asked.borrow()[0].ends_with(" secret"));

    let silent = Fake::default();
    let again = locate(&tiny(""), &config, &silent, &mut Silent).unwrap();
    assert_eq!((again.path, again.origin), (located.path, Origin::HubCache));
    assert!(silent.asked.borrow().is_empty());
}

#[test]
fn offline_the_hub_is_not_asked() {
    let place = tempfile::tempdir().unwrap();
    let (config, hub) = (HubConfig { offline: true, ..config(place.path()) }, Fake::hub(&MODEL, "main"));
    let error = locate(&tiny("@v1"), &config, &hub, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("not asked, because HF_HUB_OFFLINE is set"), "{error}");
    assert!(error.contains("someone/tiny@v1 is not in "), "{error}");
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
