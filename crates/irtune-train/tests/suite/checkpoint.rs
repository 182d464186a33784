//! Checkpoints: what is written comes back, damage is named, leftovers are tidied away.

use crate::test_files::{Fate, TestFiles};
use irtune_files::{Disk, Files};
use irtune_model::HostTensor;
use irtune_select::PolicyState;
use irtune_train::checkpoint::{self, Checkpoint, CheckpointError};
use irtune_train::state::{Best, DataPrints, LogLengths, RunState, Totals};
use irtune_train::tensor_file::FileSeal;
use std::fs;
use std::path::{Path, PathBuf};

fn checkpoint(step: u64) -> Checkpoint {
    let third = 1.0 / 3.0;
    Checkpoint {
        state: RunState {
            step,
            policy: PolicyState::new("ir").with("scores", &[Some(0.1 + 0.2), None]),
            layer_steps: vec![step, 0],
            best: Some(Best {
                step: 3,
                value: third,
                file: FileSeal { name: "best-00000003.safetensors".into(), bytes: 7, sha256: "ab".into() },
            }),
            evaluated_step: Some(3),
            evaluations_without_improvement: 2,
            totals: Totals { examples: 5, tokens: 6, step_seconds: 0.1 + 0.7, evaluation_seconds: 1e-300 },
            logs: LogLengths { metrics: 1, evaluations: 2, events: 3 },
            data: DataPrints { train: "a".into(), validation: "b".into(), test: "c".into() },
        },
        parameters: vec![HostTensor::new("a", vec![2, 2], vec![0.1, -0.0, f32::MIN_POSITIVE, 3.4e38])],
        optimizer: vec![
            HostTensor::new("a.first_moment", vec![2, 2], vec![1e-30; 4]),
            HostTensor::new("a.steps", vec![1], vec![16_777_215.0]),
        ],
    }
}

fn saved(directory: &Path) -> PathBuf {
    checkpoint::save(&Disk, directory, &checkpoint(12)).unwrap()
}

#[test]
fn a_checkpoint_comes_back_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = saved(directory.path());
    assert_eq!(path, directory.path().join("step-00000012"));
    assert_eq!(checkpoint::load(&path).unwrap(), checkpoint(12));
}

#[test]
fn a_newer_one_takes_the_place_of_the_older() {
    let directory = tempfile::tempdir().unwrap();
    saved(directory.path());
    let newer = checkpoint::save(&Disk, directory.path(), &checkpoint(13)).unwrap();
    assert_eq!(checkpoint::list(directory.path()).unwrap(), [newer]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_step_is_saved_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = saved(directory.path());
    let mut other = checkpoint(12);
    other.parameters[0].data[0] = 7.0;
    assert_eq!(checkpoint::save(&Disk, directory.path(), &other).unwrap(), path);
    assert_eq!(checkpoint::load(&path).unwrap(), checkpoint(12));
}

#[test]
fn the_newest_is_listed_first_and_other_names_are_not_checkpoints() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["step-00000002", "step-00000010", "step-x", ".writing", "best-00000002.safetensors"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    let found = checkpoint::list(directory.path()).unwrap();
    assert_eq!(found, [directory.path().join("step-00000010"), directory.path().join("step-00000002")]);
    checkpoint::clean(&Disk, directory.path()).unwrap();
    assert!(!directory.path().join(".writing").exists());
    assert!(checkpoint::list(&directory.path().join("none")).unwrap().is_empty());
}

#[test]
fn every_changed_or_missing_byte_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = saved(directory.path());
    let mut damaged = 0;
    for name in ["parameters.safetensors", "optimizer.safetensors", "state.json", "manifest.json"] {
        let file = path.join(name);
        let whole = fs::read(&file).unwrap();
        for position in (0..whole.len()).step_by(5) {
            let mut changed = whole.clone();
            changed[position] = if changed[position] == b'7' { b'8' } else { b'7' };
            fs::write(&file, &changed).unwrap();
            let same = checkpoint::load(&path).is_ok_and(|found| found == checkpoint(12));
            // White space in the manifest may be lost, or a digit of no consequence; the content may not change.
            assert!(name == "manifest.json" || !same, "{name} byte {position}");
            damaged += 1;
            fs::write(&file, &whole[..position]).unwrap();
            let message = checkpoint::load(&path).unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
            assert!(message.contains("no earlier checkpoint, so train into a new folder"), "{message}");
        }
        fs::remove_file(&file).unwrap();
        let message = checkpoint::load(&path).unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
        fs::write(&file, &whole).unwrap();
    }
    assert!(damaged > 100);
    checkpoint::load(&path).unwrap();
}

#[test]
fn damage_points_to_the_checkpoint_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = saved(directory.path());
    fs::create_dir(directory.path().join("step-00000004")).unwrap();
    fs::write(path.join("state.json"), "{}").unwrap();
    let error = checkpoint::load(&path).unwrap_err();
    assert!(matches!(error, CheckpointError::Damaged { .. }));
    let message = error.to_string();
    assert!(message.contains("state.json: 2 bytes, but"), "{message}");
    assert!(message.contains("step-00000012 to fall back to step-00000004"), "{message}");
}

#[test]
fn a_manifest_that_does_not_parse_and_one_of_another_format_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = saved(directory.path());
    fs::write(path.join("manifest.json"), "{").unwrap();
    let error = checkpoint::load(&path).unwrap_err();
    assert!(matches!(error, CheckpointError::Unparsable { .. }), "{error}");
    fs::write(path.join("manifest.json"), r#"{"format": 2}"#).unwrap();
    let error = checkpoint::load(&path).unwrap_err();
    assert!(matches!(error, CheckpointError::Format { found: 2, .. }), "{error}");
    assert!(error.to_string().contains("resume with the version that wrote it"), "{error}");
}

#[test]
fn a_full_disk_leaves_the_checkpoint_before() {
    for operation in 0.. {
        let directory = tempfile::tempdir().unwrap();
        let path = saved(directory.path());
        let filling = TestFiles::new(Fate::Fills(operation));
        match checkpoint::save(&filling, directory.path(), &checkpoint(13)) {
            Ok(_) => {
                assert!(operation > 8, "only {operation} operations were tried");
                break;
            }
            Err(error) => {
                assert!(error.to_string().contains("the disk is full"), "{error}");
                assert!(!directory.path().join(".writing").exists(), "operation {operation}");
                let newest = checkpoint::list(directory.path()).unwrap().remove(0);
                let found = checkpoint::load(&newest).unwrap();
                assert!(found == checkpoint(12) && newest == path || found == checkpoint(13));
            }
        }
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    let error = checkpoint::list(&path).unwrap_err();
    assert!(matches!(error, CheckpointError::Directory { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_hold_its_content_is_an_error() {
    // A device that is always full, as the operating system reports it.
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let error = Disk.write(full, &mut |writer| writer.write_all(&[0; 100])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    let error = Disk.append(full, b"line\n").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}
