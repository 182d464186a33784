//! Both sides in turn, each run a process of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};

use super::Options;
use super::case::{Case, Examples, Layers, Measure, Peer};
use super::figures::{Figure, number};
use super::work::Workshop;
use crate::programs::{commit, result};

/// Steps of each setting of PyTorch that is tried.
const TRIED_STEPS: usize = 3;

/// A case made ready.
struct Bench<'a> {
    case: &'a Case,
    options: &'a Options,
    shop: &'a Workshop<'a>,
    examples: PathBuf,
    /// irtune's, in an order of their own if they are related, or shortened.
    our_examples: PathBuf,
    layers: Option<PathBuf>,
}

/// Runs a case: PyTorch's settings where the fastest is asked for, then the pairs.
///
/// # Errors
/// When a run fails or both sides didn't do the same work.
pub fn run(case: &Case, options: &Options, shop: &Workshop) -> anyhow::Result<Value> {
    let (examples, layers) = (shop.examples(case)?, shop.layers(case)?);
    let own = case.related || case.max_length.is_some();
    let our_examples = if own { shop.our_examples(case)? } else { examples.clone() };
    let mut bench = Bench { case, options, shop, examples, our_examples, layers };
    if case.layers == Layers::Chosen {
        bench.layers = Some(bench.record_layers()?);
    }
    let (setting, sweep) = match case.peer {
        Peer::Best => bench.swept()?,
        Peer::Setting(setting) => (Some(setting), Map::new()),
        Peer::Llama => (None, Map::new()),
    };
    let mut pairs = Vec::new();
    for pair in 1..=if case.once { 1 } else { options.pairs() } {
        let steps = case.steps(options.quick);
        let ours = bench.ours(steps)?;
        let peer = bench.peer(setting, steps, None)?;
        // In another order or shortened the same number of pairs has other tokens.
        let same = if own { &["examples"][..] } else { &["examples", "tokens"] };
        for &work in same {
            ensure!(ours[work] == peer[work], "{work}: {} here, {} there", ours[work], peer[work]);
        }
        let ratio = case.measure.ratio(&ours, &peer)?;
        eprintln!("{} {pair}: irtune is {ratio:.2} times as fast", case.name);
        pairs.push((ours, peer));
    }
    summary(case, setting, sweep, &pairs)
}

impl Bench<'_> {
    fn ours(&self, steps: Option<usize>) -> anyhow::Result<Value> {
        let mut command = self.shop.programs.command("peer_driver");
        command.arg("--base").arg(self.shop.base()).arg("--data").arg(&self.our_examples);
        command.arg(format!("--set=batch_size={}", self.shop.batch_size(self.case)));
        command.arg(format!("--set=threads={}", self.options.threads()));
        command.args(self.options.set.iter().map(|assignment| format!("--set={assignment}")));
        command.arg(format!("--warmup-steps={}", self.case.warmup_steps));
        command.args(steps.map(|steps| format!("--steps={steps}")));
        command.args(self.case.precision.map(|precision| format!("--precision={precision}")));
        command.args((self.case.examples == Examples::Test).then_some("--task=infer"));
        match (self.case.layers, &self.layers) {
            (Layers::Drawn { .. } | Layers::Top { .. }, Some(path)) => command.arg("--layers").arg(path),
            (Layers::Chosen, _) => command.arg("--set=method=ir"),
            _ => command.arg("--set=method=full"),
        };
        result(&mut command, &self.shop.folder.join("ours.json"))
    }

    /// Lets irtune choose the layers once, for the peer to train the same; the same seed chooses the same again.
    fn record_layers(&self) -> anyhow::Result<PathBuf> {
        let chosen = self.ours(self.case.steps(self.options.quick))?;
        let sets = chosen["active_layers"].as_array().context("irtune tells the layers that trained")?;
        let path = self.shop.folder.join(format!("{}-layers.jsonl", self.case.name));
        fs::write(&path, sets.iter().map(|set| format!("{set}\n")).collect::<String>())?;
        Ok(path)
    }

    fn peer(
        &self,
        setting: Option<&str>,
        steps: Option<usize>,
        at_most: Option<f64>,
    ) -> anyhow::Result<Value> {
        let mut command = match setting {
            Some(setting) => {
                let mut command = self.shop.python.script("train_peer.py");
                command.arg("--base").arg(self.shop.peer_base(setting)?).args(["--setting", setting]);
                command.args((self.case.examples == Examples::Test).then_some("--task=infer"));
                command.args(self.layers.as_ref().map(|path| format!("--method=replay:{}", path.display())));
                command.args(at_most.map(|seconds| format!("--at-most={seconds}")));
                command
            }
            None => {
                let mut command = self.shop.python.script("llama_peer.py");
                command.arg("--base").arg(self.shop.base());
                command
            }
        };
        command.arg("--data").arg(&self.examples);
        command.arg(format!("--batch-size={}", self.shop.batch_size(self.case)));
        command.arg(format!("--threads={}", self.options.threads()));
        command.arg(format!("--warmup-steps={}", self.case.warmup_steps));
        command.args(steps.map(|steps| format!("--steps={steps}")));
        result(&mut command, &self.shop.folder.join("peer.json"))
    }

    /// The fastest setting of PyTorch, found by the first case that trains or classifies: which one it is depends on
    /// the processor, not on the layers that train.
    fn swept(&self) -> anyhow::Result<(Option<&'static str>, Map<String, Value>)> {
        let kind = usize::from(self.case.examples == Examples::Test);
        if let Some((setting, tried)) = self.shop.sweeps.borrow()[kind].clone() {
            return Ok((Some(setting), tried));
        }
        let (setting, tried) = self.sweep()?;
        self.shop.sweeps.borrow_mut()[kind] = setting.map(|setting| (setting, tried.clone()));
        Ok((setting, tried))
    }

    /// A few steps in every setting of PyTorch: the fastest, and what each reached. One that has taken longer than the
    /// best so far begins no further step; one that doesn't run here is told.
    fn sweep(&self) -> anyhow::Result<(Option<&'static str>, Map<String, Value>)> {
        let steps = self.case.steps(self.options.quick).unwrap_or(TRIED_STEPS).min(TRIED_STEPS);
        let given = &self.options.settings;
        let all = self.case.settings(self.options.quick).iter().copied();
        let wanted: Vec<&str> =
            all.filter(|name| given.is_empty() || given.iter().any(|one| one == name)).collect();
        if let [only] = wanted[..] {
            return Ok((Some(only), Map::new()));
        }
        let (mut best, mut tried, mut at_most) = (None, Map::new(), None);
        for setting in wanted {
            match self.peer(Some(setting), Some(steps), at_most) {
                Ok(result) => {
                    let figure = number(&result, self.case.measure.key())?;
                    tried.insert(setting.to_owned(), json!(figure));
                    if best.is_none_or(|(_, other)| self.case.measure.is_better(figure, other)) {
                        best = Some((setting, figure));
                        let seconds = result["step_seconds"].as_array().into_iter().flatten();
                        at_most = Some(seconds.filter_map(Value::as_f64).sum::<f64>());
                    }
                    eprintln!(
                        "{}: PyTorch in {setting}: {figure:.3} {}",
                        self.case.name,
                        self.case.measure.unit()
                    );
                }
                Err(error) => {
                    eprintln!("{}: PyTorch in {setting} doesn't run here: {error:#}", self.case.name);
                    tried.insert(setting.to_owned(), Value::Null);
                }
            }
        }
        let (setting, _) = best.context("PyTorch runs in no setting")?;
        Ok((Some(setting), tried))
    }
}

impl Measure {
    /// Where it stands in a run's result.
    pub fn key(self) -> &'static str {
        match self {
            Measure::Speed => "examples_per_second",
            Measure::Tokens => "tokens_per_second",
            Measure::FirstStep => "time_to_first_step_seconds",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Measure::Speed => "examples/s",
            Measure::Tokens => "tokens/s",
            Measure::FirstStep => "s to the first step",
        }
    }

    fn is_better(self, figure: f64, other: f64) -> bool {
        (figure > other) == (self != Measure::FirstStep)
    }

    /// How many times as fast as the peer irtune is.
    fn ratio(self, ours: &Value, peer: &Value) -> anyhow::Result<f64> {
        let (ours, peer) = (number(ours, self.key())?, number(peer, self.key())?);
        Ok(if self == Measure::FirstStep { peer / ours } else { ours / peer })
    }
}

fn summary(
    case: &Case,
    setting: Option<&str>,
    sweep: Map<String, Value>,
    pairs: &[(Value, Value)],
) -> anyhow::Result<Value> {
    let figure = |of: &dyn Fn(&(Value, Value)) -> anyhow::Result<f64>| {
        pairs.iter().map(of).collect::<anyhow::Result<Vec<f64>>>().map(Figure::of)
    };
    let key = case.measure.key();
    Ok(json!({
        "commit": commit(),
        "measure": key,
        "setting": setting,
        "sweep": sweep,
        "ratio": figure(&|(ours, peer)| case.measure.ratio(ours, peer))?,
        "ours": figure(&|(ours, _)| number(ours, key))?,
        "peer": figure(&|(_, peer)| number(peer, key))?,
        "ours_peak_bytes": figure(&|(ours, _)| number(ours, "peak_bytes"))?,
        "peer_peak_bytes": figure(&|(_, peer)| number(peer, "peak_bytes"))?,
        "pairs": pairs.iter().map(|(ours, peer)| json!({"ours": ours, "peer": peer})).collect::<Vec<_>>(),
    }))
}
