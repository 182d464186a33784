use std::{fs, path::Path};

use super::*;

fn bytes_of(base: &SyntheticBase, folder: &Path) -> [Vec<u8>; 2] {
    base.write_folder(folder);
    let file = folder.join("model.gguf");
    base.write_gguf(&file).expect("a file");
    [fs::read(folder.join("model.safetensors")), fs::read(file)].map(|bytes| bytes.expect("a file"))
}

#[test]
fn the_same_seed_makes_the_same_files_and_another_makes_others() {
    let place = tempfile::tempdir().unwrap();
    let base = SyntheticBase::of_bytes();
    let first = bytes_of(&base, &place.path().join("first"));
    assert_eq!(first, bytes_of(&base, &place.path().join("second")));
    let values = Values::Random { seed: 2, spread: 0.3 };
    let other = bytes_of(&SyntheticBase { values, ..base }, &place.path().join("other"));
    assert!(first[0] != other[0] && first[1] != other[1]);
    assert_eq!((first[0].len(), first[1].len()), (other[0].len(), other[1].len()));
}

#[test]
fn a_written_file_is_as_long_as_its_header_says() {
    let place = tempfile::tempdir().unwrap();
    for format in Format::ALL {
        let base = SyntheticBase { format, tied: false, ..SyntheticBase::of_bytes() };
        let path = place.path().join("model.gguf");
        base.write_gguf(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), base.gguf().bytes().len() as u64, "{format:?}");
    }
}

#[test]
#[should_panic(expected = "safetensors files hold no Q8_0")]
fn a_folder_holds_no_quantised_weights() {
    let place = tempfile::tempdir().unwrap();
    SyntheticBase { format: Format::Q8_0, ..SyntheticBase::of_bytes() }.write_folder(place.path());
}

#[test]
#[should_panic(expected = "a GGUF file has random weights")]
fn counting_weights_stand_in_folders_only() {
    let place = tempfile::tempdir().unwrap();
    let _ = SyntheticBase::of_letters().write_gguf(&place.path().join("model.gguf"));
}
