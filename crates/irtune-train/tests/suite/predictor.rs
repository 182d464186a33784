//! A trained model whose base is not what it was, or is asked for more than it was made for.

use crate::runs::{Place, finish};
use irtune_data::{Columns, CorpusSource, Labels, Row};
use irtune_testing::corpus;
use irtune_train::{BeyondPositions, Predictor, PredictorError, PredictorOptions, Reading};
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};

fn options() -> PredictorOptions {
    PredictorOptions { threads: Some(1), ..PredictorOptions::default() }
}

fn ask(predictor: &mut Predictor) -> Result<usize, PredictorError> {
    let rows = [Row::new("The river are old.", "The river is old."), Row::new("", "It rains.")];
    let pairs = CorpusSource::rows("asked", rows).pairs(&Columns::default(), Labels::Optional).unwrap();
    Ok(predictor.predict(pairs, Reading::Batch).collect::<Result<Vec<_>, _>>()?.len())
}

#[test]
fn answers_over_another_base_are_not_given_out() {
    let place = Place::new(&corpus::sentences("train", 24), &corpus::sentences("test", 6));
    let mut request = place.request("run", |settings| settings.max_steps = Some(2));
    let base = place.path("base");
    fs::create_dir(&base).unwrap();
    for entry in fs::read_dir(&request.base).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, base.join(path.file_name().unwrap())).unwrap();
    }
    request.base = base.clone();
    finish(&request);
    let mut predictor = Predictor::open(&request.out, &options()).unwrap();
    assert_eq!(ask(&mut predictor).unwrap(), 2);
    let weights = base.join("model.safetensors");
    let mut file = OpenOptions::new().write(true).open(&weights).unwrap();
    file.seek(SeekFrom::End(-2)).unwrap();
    file.write_all(&[7, 7]).unwrap();
    file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(5)).unwrap();
    let error = ask(&mut predictor).unwrap_err().to_string();
    assert!(error.contains("model.safetensors: the file was changed, replaced or cut short"), "{error}");
}

#[test]
fn a_length_beyond_the_positions_is_told_by_who_uses_the_model() {
    let place = Place::new(&corpus::sentences("train", 24), &corpus::sentences("test", 6));
    let beyond = |out: &str, max_length| {
        let request = place.request(out, |settings| {
            settings.max_steps = Some(1);
            settings.max_length = max_length;
        });
        finish(&request);
        Predictor::open(&request.out, &options()).unwrap().beyond_positions()
    };
    assert_eq!(beyond("within", 60), None);
    let told = beyond("beyond", 5000).unwrap();
    assert!(told.max_length == 5000 && told.positions < 5000, "{told:?}");
    let BeyondPositions { positions, .. } = told;
    assert!(told.to_string().ends_with(&format!("train with a max_length of at most {positions}")), "{told}");
}
