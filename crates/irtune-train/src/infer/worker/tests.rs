//! A worker over a model that can wait, fail and panic.

use super::*;
use crate::infer::classifier::Question;
use crate::infer::pair_encoder::EncodedPair;
use crate::infer::prediction::{Prediction, Probabilities};
use irtune_data::Example;
use irtune_model::BatchError;
use std::sync::mpsc::{Sender, channel};

/// Says a pair's own text as its label; tells what it is asked, and waits for leave while there is somebody to give it.
struct Echo {
    leave: Receiver<()>,
    asked: Sender<Vec<u32>>,
}

const FAILS: u32 = 90;
const PANICS: u32 = 91;
const NOT_FINITE: u32 = 92;

impl Model for Echo {
    fn answers(
        &mut self,
        questions: &[&Question],
    ) -> Result<Vec<Result<Answer, PredictorError>>, PredictorError> {
        let tokens: Vec<u32> = questions.iter().map(|question| question.example.tokens[0]).collect();
        let _ = self.asked.send(tokens.clone());
        let _ = self.leave.recv();
        assert!(!tokens.contains(&PANICS), "91 is too much");
        if tokens.contains(&FAILS) {
            return Err(irtune_model::ModelError::from(BatchError::Empty).into());
        }
        let answer = |question: &&Question| {
            let (token, place) = (question.example.tokens[0], question.place.clone());
            if token == NOT_FINITE {
                return Err(PredictorError::NotFinite { place });
            }
            let probabilities = Probabilities::new([token.to_string()].into(), vec![1.0]);
            let prediction = Prediction::new(question.id.clone(), probabilities, None);
            Ok(Answer { prediction, place, shortened: false, tokens: 1 })
        };
        Ok(questions.iter().map(answer).collect())
    }
}

struct Stage {
    worker: Worker,
    leave: Sender<()>,
    asked: Receiver<Vec<u32>>,
}

fn stage(options: WorkerOptions) -> Stage {
    let (leave, leaves) = channel();
    let (asks, asked) = channel();
    let encode = |pair: &Pair| {
        let token = pair.revised.parse().expect("a number");
        let example = Example { tokens: vec![token, 0], ..Example::default() };
        Ok(EncodedPair { example, linear: Vec::new() })
    };
    let worker = Worker::over(Echo { leave: leaves, asked: asks }, Arc::new(encode), options);
    Stage { worker, leave, asked }
}

fn options() -> WorkerOptions {
    WorkerOptions { queue: 8, pairs: 100, tokens: 1000, patience: Duration::ZERO }
}

fn rows(numbers: &[u32]) -> Vec<Row> {
    numbers.iter().map(|number| Row::new("", number.to_string())).collect()
}

fn labels(answers: Result<Vec<Answer>, WorkerError>) -> Vec<String> {
    answers.unwrap().into_iter().map(|answer| answer.prediction.label().unwrap().to_owned()).collect()
}

/// A worker that is at a batch of the pair 1, so that what is asked next waits.
fn occupied(options: WorkerOptions) -> (Stage, Pending) {
    let stage = stage(options);
    let pending = stage.worker.caller().ask(rows(&[1])).unwrap();
    assert_eq!(stage.asked.recv().unwrap(), [1]);
    (stage, pending)
}

#[test]
fn what_waits_is_computed_together_and_each_caller_gets_its_own() {
    let (stage, first) = occupied(options());
    let caller = stage.worker.caller();
    let waiting = [&[5, 3][..], &[4], &[3, 5, 5]].map(|numbers| caller.ask(rows(numbers)).unwrap());
    drop(stage.leave);
    assert_eq!(labels(first.wait()), ["1"]);
    // With no patience a batch takes what is there.
    let found = waiting.map(|pending| labels(pending.wait()));
    assert_eq!(found, [vec!["5", "3"], vec!["4"], vec!["3", "5", "5"]]);
    stage.worker.finish();
    let batches: Vec<Vec<u32>> = stage.asked.iter().collect();
    assert_eq!(batches, [[5, 3, 4, 3, 5, 5]]);
}

#[test]
fn a_batch_is_full_at_so_many_pairs_or_tokens() {
    for full in [WorkerOptions { pairs: 3, ..options() }, WorkerOptions { tokens: 6, ..options() }] {
        let (stage, _first) = occupied(full);
        let caller = stage.worker.caller();
        let waiting = [&[2, 3][..], &[4], &[5]].map(|numbers| caller.ask(rows(numbers)).unwrap());
        drop(stage.leave);
        waiting.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
        stage.worker.finish();
        let batches: Vec<Vec<u32>> = stage.asked.iter().collect();
        assert_eq!(batches, [vec![2, 3, 4], vec![5]]);
    }
}

#[test]
fn a_full_queue_holds_callers_back() {
    let (stage, _first) = occupied(WorkerOptions { queue: 2, ..options() });
    let caller = stage.worker.caller();
    let waiting = [2, 3].map(|number| caller.try_ask(rows(&[number])).unwrap());
    let error = caller.try_ask(rows(&[4])).err().unwrap();
    assert_eq!(error.to_string(), "the worker is busy: 2 requests wait already; ask again later");
    // Asked from another thread, it waits until there is room.
    let patient = std::thread::spawn(move || caller.classify(rows(&[5])));
    drop(stage.leave);
    assert_eq!(labels(patient.join().unwrap()), ["5"]);
    assert_eq!(waiting.map(|pending| labels(pending.wait())), [["2"], ["3"]]);
}

#[test]
fn a_dropped_request_is_not_computed() {
    let (stage, _first) = occupied(options());
    let caller = stage.worker.caller();
    drop(caller.ask(rows(&[2])).unwrap());
    let kept = caller.ask(rows(&[3])).unwrap();
    drop(stage.leave);
    assert_eq!(labels(kept.wait()), ["3"]);
    stage.worker.finish();
    let batches: Vec<Vec<u32>> = stage.asked.iter().collect();
    assert_eq!(batches, [[3]]);
}

#[test]
fn what_goes_wrong_is_told_to_the_caller_at_fault_alone() {
    for (fault, message) in [
        (FAILS, "a batch needs at least one example"),
        (PANICS, "the model panicked over this request: 91 is too much"),
        (NOT_FINITE, "request, row 1: the model's output is not finite"),
    ] {
        let (stage, _first) = occupied(options());
        let caller = stage.worker.caller();
        let [before, wrong, after] = [2, fault, 3].map(|number| caller.ask(rows(&[number])).unwrap());
        drop(stage.leave);
        assert_eq!([labels(before.wait()), labels(after.wait())], [["2"], ["3"]], "{fault}");
        let error = wrong.wait().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert_eq!(labels(caller.classify(rows(&[4]))), ["4"], "{fault}: it goes on");
    }
}

#[test]
fn rows_that_cannot_be_used_are_refused_before_they_are_sent() {
    let (stage, first) = occupied(options());
    let caller = stage.worker.caller();
    let refused = |rows| caller.ask(rows).err().unwrap().to_string();
    assert!(
        refused(vec![Row::new("", "2"), Row::default()]).starts_with("request, row 2: original and revised")
    );
    assert!(refused(Vec::new()).starts_with("request: there are no rows in it"));
    drop(stage.leave);
    assert_eq!(labels(first.wait()), ["1"]);
    stage.worker.finish();
    assert_eq!(stage.asked.iter().count(), 0);
}

#[test]
fn a_worker_that_finishes_computes_what_waits_and_takes_no_more() {
    let (stage, first) = occupied(options());
    let caller = stage.worker.caller();
    let waiting = caller.ask(rows(&[2])).unwrap();
    drop(stage.leave);
    stage.worker.finish();
    assert_eq!([labels(first.wait()), labels(waiting.wait())], [["1"], ["2"]]);
    assert!(matches!(caller.classify(rows(&[3])), Err(WorkerError::Stopped)));
    assert!(matches!(caller.try_ask(rows(&[3])), Err(WorkerError::Stopped)));
}

#[test]
fn a_dropped_worker_ends_its_batch_and_refuses_what_waits() {
    let (stage, first) = occupied(options());
    let caller = stage.worker.caller();
    let waiting = caller.ask(rows(&[2])).unwrap();
    let Stage { worker, leave, asked } = stage;
    let stopping = worker.stopping.clone();
    let dropped = std::thread::spawn(move || drop(worker));
    while !stopping.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
    drop(leave);
    dropped.join().unwrap();
    assert_eq!(labels(first.wait()), ["1"]);
    assert!(matches!(waiting.wait(), Err(WorkerError::Stopped)));
    assert_eq!(asked.iter().count(), 0);
}

#[test]
fn many_callers_lose_and_swap_nothing() {
    let stage = stage(WorkerOptions { queue: 4, pairs: 7, ..options() });
    drop(stage.leave);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let caller = stage.worker.caller();
            scope.spawn(move || {
                for request in 0..200 {
                    let numbers: Vec<u32> =
                        (0..=request % 5).map(|row| 1000 * (thread + 1) + request * 5 + row).collect();
                    let found = labels(caller.classify(rows(&numbers)));
                    let expected: Vec<String> = numbers.iter().map(u32::to_string).collect();
                    assert_eq!(found, expected);
                }
            });
        }
    });
    stage.worker.finish();
    let asked: usize = stage.asked.iter().map(|batch| batch.len()).sum();
    assert_eq!(asked, 8 * 200 * 3);
}
