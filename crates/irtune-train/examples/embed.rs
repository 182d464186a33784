//! irtune inside another program: rows from memory, progress on a channel, answers for many callers.
#![allow(clippy::disallowed_macros, reason = "an example prints what it shows")]
use irtune_data::{Columns, CorpusSource, Row};
use irtune_train::{
    Observer, Prediction, Predictor, PredictorOptions, StepReport, TrainRequest, TrainSettings, Worker,
    WorkerOptions, train,
};
use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Tells another thread the loss of every step.
struct Losses(Sender<f64>);

impl Observer for Losses {
    fn on_step(&mut self, report: &StepReport) {
        // Whoever listened may be gone.
        let _ = self.0.send(report.loss);
    }
}

/// Trains on labelled rows, and shows how the loss falls.
pub fn learn(base: &Path, rows: Vec<Row>, settings: TrainSettings, out: &Path) -> Result<(), Box<dyn Error>> {
    let request = TrainRequest {
        base: base.to_owned(),
        base_name: base.display().to_string(),
        train: CorpusSource::rows("training rows", rows),
        validation: None,
        test: None,
        columns: Columns::default(),
        out: out.to_owned(),
        settings,
    };
    // Another thread may set this to interrupt the run, which `resume` then continues from `out` alone.
    let interrupt = AtomicBool::new(false);
    let (sender, losses) = channel();
    thread::scope(|scope| {
        let run = scope.spawn(|| train(&request, &mut Losses(sender), &interrupt));
        losses.into_iter().for_each(|loss| println!("loss {loss:.3}"));
        run.join().expect("training does not panic")
    })?;
    Ok(())
}

/// Classifies rows that come from several threads, which share one model.
pub fn serve(run: &Path, requests: Vec<Vec<Row>>) -> Result<Vec<Prediction>, Box<dyn Error>> {
    let worker = Worker::start(Predictor::open(run, &PredictorOptions::default())?, WorkerOptions::default());
    let callers: Vec<_> = requests
        .into_iter()
        .map(|rows| {
            let caller = worker.caller();
            thread::spawn(move || caller.classify(rows))
        })
        .collect();
    let mut predictions = Vec::new();
    for caller in callers {
        let answers = caller.join().expect("a caller does not panic")?;
        predictions.extend(answers.into_iter().map(|answer| answer.prediction));
    }
    worker.finish();
    Ok(predictions)
}

#[allow(dead_code, reason = "a test runs the two functions on a small model")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, rows, out] = arguments.as_slice() else {
        return Err("say where the base, a file of labelled rows and a folder for the run are".into());
    };
    let rows = std::fs::read_to_string(rows)?;
    let rows: Vec<Row> = rows.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    learn(Path::new(base), rows, TrainSettings::default(), Path::new(out))?;
    let revision = Row::new("It was a car.", "It was a red car.");
    for prediction in serve(Path::new(out), vec![vec![revision]])? {
        println!("{}", serde_json::to_string(&prediction)?);
    }
    Ok(())
}
