//! Many requests to a server over sockets, right ones and wrong ones, and whether each got its answer.

mod connection;
mod wrong;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

pub use connection::{Connection, Reply};
pub use wrong::{WRONG, Wrong};

/// A request that is right, and its answer.
#[derive(Debug, Clone)]
pub struct Right {
    /// The path that it is posted to.
    pub path: &'static str,
    /// What is sent.
    pub body: String,
    /// What must come back; nothing where any answer will do.
    pub answer: Option<String>,
}

/// What is sent to a server.
#[derive(Debug, Clone, Copy)]
pub struct Traffic<'a> {
    /// Its address, without `http://`.
    pub address: &'a str,
    /// Connections, each of which sends a request when the one before is answered.
    pub connections: usize,
    /// Requests in all.
    pub requests: usize,
    /// Every so manieth request is a wrong one, of each kind in turn; with 0 none is.
    pub wrong_every: usize,
    /// The right ones, in turn.
    pub right: &'a [Right],
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Right requests that got their answers.
    pub right: usize,
    /// Wrong ones that were refused as they have to be, by the code.
    pub refused: BTreeMap<u16, usize>,
    /// Those with another answer than they have to get, or none; the first few in words.
    pub failed: usize,
    /// What was wrong with the first of these.
    pub failures: Vec<String>,
    /// Seconds that each right request took, in no order.
    pub latencies: Vec<f64>,
    /// Seconds that all of it took.
    pub seconds: f64,
}

/// Failures that are told in words.
const TOLD: usize = 20;

impl Traffic<'_> {
    /// Sends all of it. `sent` is told the number of each request before it is sent.
    pub fn send(&self, sent: &(dyn Fn(usize) + Sync)) -> Outcome {
        let (next, all) = (AtomicUsize::new(0), Mutex::new(Outcome::default()));
        let begun = Instant::now();
        thread::scope(|scope| {
            for _ in 0..self.connections {
                scope.spawn(|| {
                    let own = self.work(&next, sent);
                    all.lock().unwrap_or_else(PoisonError::into_inner).add(own);
                });
            }
        });
        let mut outcome = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.seconds = begun.elapsed().as_secs_f64();
        outcome
    }

    /// One connection's share.
    fn work(&self, next: &AtomicUsize, sent: &(dyn Fn(usize) + Sync)) -> Outcome {
        let mut connection = Connection::to(self.address);
        let mut outcome = Outcome::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.requests {
                return outcome;
            }
            sent(number);
            let wrong = number.checked_rem(self.wrong_every).filter(|rest| rest + 1 == self.wrong_every);
            match wrong.map(|_| &WRONG[number / self.wrong_every % WRONG.len()]) {
                Some(wrong) => outcome.wrong(wrong, wrong.send(&mut connection)),
                None => {
                    let right = &self.right[number % self.right.len()];
                    let begun = Instant::now();
                    let reply = connection.post(right.path, &right.body);
                    outcome.latencies.push(begun.elapsed().as_secs_f64());
                    outcome.right(right, reply);
                }
            }
        }
    }
}

impl Outcome {
    fn right(&mut self, right: &Right, reply: std::io::Result<Reply>) {
        match reply {
            Ok(Reply { status: 200, body, .. })
                if right.answer.as_ref().is_none_or(|answer| *answer == body) =>
            {
                self.right += 1;
            }
            other => self.fail(format!("{}: {other:?} instead of {:?}", right.body, right.answer)),
        }
    }

    fn wrong(&mut self, wrong: &Wrong, reply: std::io::Result<Reply>) {
        match reply {
            Ok(reply) if reply.status == wrong.status && reply.is_json_error() => {
                *self.refused.entry(reply.status).or_default() += 1;
            }
            other => self.fail(format!("{}: {other:?} instead of {}", wrong.name, wrong.status)),
        }
    }

    fn fail(&mut self, told: String) {
        self.failed += 1;
        if self.failures.len() < TOLD {
            self.failures.push(told);
        }
    }

    fn add(&mut self, other: Outcome) {
        self.right += other.right;
        self.failed += other.failed;
        self.failures.extend(other.failures);
        self.latencies.extend(other.latencies);
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
    }
}
