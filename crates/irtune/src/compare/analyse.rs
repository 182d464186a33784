//! From the figures of cells to those of arms, and to what distinguishes them.

use irtune_metrics::{
    Bootstrap, CALIBRATION_BINS, ClassMetrics, Confusion, LevelMetrics, McNemar, Metrics, MetricsError,
    Predictions, ProbabilityFigures, ReliabilityBins, Resampled, SignFlip, Spread, holm,
};

use super::CompareError;
use super::cell::Cell;
use super::definition::TrainSize;
use super::gather::Gathered;
use super::results::{Arm, ArmProbabilities, CellResults, Comparison, Estimate, LevelFigures};

/// Enough for a p of 2 in 10,001, so that Holm's correction leaves something of many comparisons.
pub const BOOTSTRAP: Bootstrap = Bootstrap { resamples: 10_000, confidence: 0.95, seed: 171 };

/// Cells, arms and comparisons.
pub struct Analysis {
    /// The cells, each with its arm.
    pub cells: Vec<CellResults>,
    /// The arms.
    pub arms: Vec<Arm>,
    /// Every two arms of a corpus and training size, or with a reference those of which one has its method.
    pub comparisons: Vec<Comparison>,
}

/// The predictions of a seed, all folds together.
struct Replica {
    seed: u64,
    predictions: Predictions,
    metrics: Metrics,
    resampled: Resampled,
}

/// Puts cells together. A seed counts once all its folds are finished.
///
/// # Errors
/// When cells of one corpus have other labels or other test pairs, or the bootstrap is impossible.
pub fn analyse(
    cells: &[&Cell],
    gathered: Vec<Gathered>,
    reference: Option<&str>,
    bootstrap: Bootstrap,
) -> Result<Analysis, CompareError> {
    let mut analysis = Analysis { cells: Vec::new(), arms: Vec::new(), comparisons: Vec::new() };
    let mut replicas: Vec<Vec<Replica>> = Vec::new();
    let mut keys: Vec<Key> = cells.iter().map(|cell| Key::of(cell)).collect();
    let order = keys.clone();
    keys.sort_by_key(|key| order.iter().position(|other| other == key));
    keys.dedup();
    check_labels(cells, &gathered)?;
    for key in keys {
        let own: Vec<&Gathered> = gathered.iter().filter(|cell| Key::of(cells[cell.place]) == key).collect();
        let folds = cells
            .iter()
            .find(|cell| Key::of(cell) == key)
            .and_then(|cell| cell.fold)
            .map_or(1, |fold| fold.1);
        let mut seeds: Vec<u64> = own.iter().map(|cell| cell.results.seed).collect();
        seeds.dedup();
        let mut of_arm = Vec::new();
        for seed in seeds {
            let mut parts: Vec<&&Gathered> = own.iter().filter(|cell| cell.results.seed == seed).collect();
            if parts.len() as u64 == folds {
                parts.sort_by_key(|cell| cell.results.fold);
                of_arm.push(replica(seed, &parts, &bootstrap)?);
            }
        }
        if of_arm.is_empty() {
            continue;
        }
        let place = analysis.arms.len();
        analysis.cells.extend(own.iter().map(|cell| CellResults { arm: place, ..cell.results.clone() }));
        let probabilities = probabilities(&own, &of_arm, &bootstrap)?;
        let arm = arm(&key, &own, &of_arm, &bootstrap);
        analysis.arms.extend(arm.map(|arm| Arm { probabilities, ..arm }));
        replicas.push(of_arm);
    }
    for one in 0..analysis.arms.len() {
        for other in one + 1..analysis.arms.len() {
            let arm = |place: usize| &analysis.arms[place];
            let refers = |place| reference.is_none_or(|method| arm(place).method == method);
            let together =
                (&arm(one).corpus, arm(one).train_size) == (&arm(other).corpus, arm(other).train_size);
            if together && (refers(one) || refers(other)) {
                // Others are told against the reference.
                let (first, second) = if refers(one) { (one, other) } else { (other, one) };
                let found = compare(first, second, &replicas[first], &replicas[second], &bootstrap)?;
                analysis.comparisons.extend(found);
            }
        }
    }
    correct(&mut analysis.comparisons);
    Ok(analysis)
}

/// What distinguishes arms.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    corpus: String,
    train_size: TrainSize,
    method: String,
    adapter: String,
}

impl Key {
    fn of(cell: &Cell) -> Self {
        let Cell { corpus, method, adapter, train_size, .. } = cell;
        Self {
            corpus: corpus.clone(),
            train_size: *train_size,
            method: method.clone(),
            adapter: adapter.clone(),
        }
    }
}

fn check_labels(cells: &[&Cell], gathered: &[Gathered]) -> Result<(), CompareError> {
    for cell in gathered {
        let corpus = &cells[cell.place].corpus;
        let first = gathered.iter().find(|other| cells[other.place].corpus == *corpus);
        if let Some(first) = first.filter(|first| first.labels != cell.labels) {
            let name = |cell: &Gathered| cells[cell.place].name.clone();
            return Err(CompareError::OtherLabels { one: name(first), other: name(cell) });
        }
    }
    Ok(())
}

fn replica(seed: u64, folds: &[&&Gathered], bootstrap: &Bootstrap) -> Result<Replica, MetricsError> {
    let labels = &folds[0].labels;
    let parts: Vec<&Predictions> = folds.iter().map(|cell| &cell.predictions).collect();
    let predictions = Predictions::joined(&parts)?;
    Ok(Replica {
        seed,
        metrics: Metrics::of(&predictions, labels.names(), None)?,
        resampled: bootstrap.resample(&predictions)?,
        predictions,
    })
}

/// The arm of some cells; `None` without any.
fn arm(key: &Key, cells: &[&Gathered], replicas: &[Replica], bootstrap: &Bootstrap) -> Option<Arm> {
    let estimate = |figure: fn(&Metrics) -> f64, list: fn(&Resampled) -> &Vec<f64>| {
        let figures: Vec<f64> = replicas.iter().map(|replica| figure(&replica.metrics)).collect();
        let runs: Vec<&[f64]> = replicas.iter().map(|replica| list(&replica.resampled).as_slice()).collect();
        Some(Estimate { spread: Spread::of(&figures)?, interval: bootstrap.interval_over_runs(&runs) })
    };
    let spread = |figure: fn(&CellResults) -> f64| {
        Spread::of(&cells.iter().map(|cell| figure(&cell.results)).collect::<Vec<f64>>())
    };
    let peaks: Option<Vec<f64>> =
        cells.iter().map(|cell| cell.results.peak_bytes.map(|peak| peak as f64)).collect();
    Some(Arm {
        corpus: key.corpus.clone(),
        train_size: match key.train_size {
            TrainSize::Pairs(pairs) => Some(pairs),
            TrainSize::All => None,
        },
        method: key.method.clone(),
        adapter: key.adapter.clone(),
        train_examples: cells.first()?.results.train_examples,
        seeds: replicas.iter().map(|replica| replica.seed).collect(),
        test_examples: replicas.first()?.predictions.examples(),
        accuracy: estimate(|metrics| metrics.accuracy, |resampled| &resampled.accuracy)?,
        macro_f1: estimate(|metrics| metrics.macro_f1, |resampled| &resampled.macro_f1)?,
        average_precision: estimate(
            |metrics| metrics.macro_average_precision,
            |resampled| &resampled.macro_average_precision,
        )?,
        step_seconds: spread(|cell| cell.step_seconds)?,
        examples_per_second: spread(|cell| cell.examples_per_second)?,
        peak_bytes: peaks.and_then(|peaks| Spread::of(&peaks)),
        trained_share: spread(|cell| cell.trained_share)?,
        parameters: cells.first()?.results.parameters,
        classes: classes(replicas),
        confusion: confusion(replicas),
        levels: levels(replicas),
        probabilities: None,
    })
}

/// How far the probabilities of some cells can be trusted; `None` without any.
fn probabilities(
    cells: &[&Gathered],
    replicas: &[Replica],
    bootstrap: &Bootstrap,
) -> Result<Option<ArmProbabilities>, MetricsError> {
    let figures: Vec<ProbabilityFigures> = replicas
        .iter()
        .map(|replica| ProbabilityFigures::of(&replica.predictions, None))
        .collect::<Result<_, _>>()?;
    let spread = |figure: fn(&ProbabilityFigures) -> f64| {
        Spread::of(&figures.iter().map(figure).collect::<Vec<f64>>())
    };
    let [Some(log_loss), Some(brier), Some(calibration_error), Some(risk_coverage_area)] = [
        spread(|figures| figures.log_loss),
        spread(|figures| figures.brier),
        spread(|figures| figures.calibration_error),
        spread(|figures| figures.risk_coverage_area),
    ] else {
        return Ok(None);
    };
    let bins: Vec<ReliabilityBins> = replicas
        .iter()
        .map(|replica| ReliabilityBins::equal_width(&replica.predictions, CALIBRATION_BINS))
        .collect();
    let all = Predictions::joined(&replicas.iter().map(|replica| &replica.predictions).collect::<Vec<_>>())?;
    let all = ProbabilityFigures::of(&all, None)?;
    let plain: Option<Vec<f64>> = cells
        .iter()
        .map(|cell| cell.results.plain_macro_f1.filter(|_| cell.results.fold.is_none()))
        .collect();
    Ok(Some(ArmProbabilities {
        log_loss,
        brier,
        calibration_error,
        calibration_error_interval: bootstrap.calibration_error(&bins.iter().collect::<Vec<_>>())?,
        risk_coverage_area,
        reliability: all.reliability,
        by_coverage: all.by_coverage,
        plain_macro_f1: plain.and_then(|plain| Spread::of(&plain)),
    }))
}

/// Means over the seeds, of counts too.
fn classes(replicas: &[Replica]) -> Vec<ClassMetrics> {
    let mean = |class: usize, figure: fn(&ClassMetrics) -> f64| {
        let sum: f64 = replicas.iter().map(|replica| figure(&replica.metrics.classes[class])).sum();
        sum / replicas.len() as f64
    };
    let first = replicas.first().map_or(&[][..], |replica| &replica.metrics.classes);
    let class = |(class, of_first): (usize, &ClassMetrics)| ClassMetrics {
        label: of_first.label.clone(),
        precision: mean(class, |class| class.precision),
        recall: mean(class, |class| class.recall),
        f1: mean(class, |class| class.f1),
        average_precision: mean(class, |class| class.average_precision),
        support: mean(class, |class| class.support as f64).round() as u64,
        predicted: mean(class, |class| class.predicted as f64).round() as u64,
    };
    first.iter().enumerate().map(class).collect()
}

fn levels(replicas: &[Replica]) -> Vec<LevelFigures> {
    let mean = |place: usize, figure: fn(&Metrics) -> f64| {
        let sum: f64 = replicas.iter().map(|replica| figure(&replica.metrics.levels[place].metrics)).sum();
        sum / replicas.len() as f64
    };
    let first = replicas.first().map_or(&[][..], |replica| &replica.metrics.levels);
    let level = |(place, of_first): (usize, &LevelMetrics)| LevelFigures {
        level: of_first.level,
        labels: of_first.metrics.classes.iter().map(|class| class.label.clone()).collect(),
        accuracy: mean(place, |metrics| metrics.accuracy),
        macro_f1: mean(place, |metrics| metrics.macro_f1),
    };
    first.iter().enumerate().map(level).collect()
}

fn confusion(replicas: &[Replica]) -> Confusion {
    let mut rows: Vec<Vec<u64>> = Vec::new();
    for replica in replicas {
        let counts = &replica.metrics.confusion.rows;
        rows.resize(counts.len(), vec![0; counts.len()]);
        for (row, counts) in rows.iter_mut().zip(counts) {
            row.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
    Confusion { rows }
}

/// Two arms on the seeds that both have; `None` when there is none.
fn compare(
    first: usize,
    second: usize,
    of_first: &[Replica],
    of_second: &[Replica],
    bootstrap: &Bootstrap,
) -> Result<Option<Comparison>, CompareError> {
    let pair = |one: &'_ Replica| of_second.iter().position(|other| other.seed == one.seed);
    let pairs: Vec<(&Replica, &Replica)> =
        of_first.iter().filter_map(|one| Some((one, &of_second[pair(one)?]))).collect();
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut mcnemar = Vec::new();
    for (one, other) in &pairs {
        let Some(test) = McNemar::of(&one.predictions, &other.predictions) else {
            return Err(CompareError::OtherTestPairs);
        };
        mcnemar.push(test);
    }
    let differences = |figure: fn(&Metrics) -> f64| -> Vec<f64> {
        pairs.iter().map(|(one, other)| figure(&other.metrics) - figure(&one.metrics)).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let f1 = differences(|metrics| metrics.macro_f1);
    let one: Vec<&[f64]> = pairs.iter().map(|(one, _)| one.resampled.macro_f1.as_slice()).collect();
    let other: Vec<&[f64]> = pairs.iter().map(|(_, other)| other.resampled.macro_f1.as_slice()).collect();
    Ok(Some(Comparison {
        first,
        second,
        seeds: pairs.iter().map(|(one, _)| one.seed).collect(),
        accuracy: mean(&differences(|metrics| metrics.accuracy)),
        macro_f1: mean(&f1),
        bootstrap: bootstrap.difference(&one, &other),
        bootstrap_adjusted: 1.0,
        mcnemar_p: together(&mcnemar.iter().map(|test| test.p).collect::<Vec<f64>>()),
        mcnemar,
        mcnemar_adjusted: 1.0,
        seeds_test: SignFlip::of(&f1),
        seeds_adjusted: 1.0,
    }))
}

/// The p of several tests of one hypothesis that depend on each other in whatever way: twice their mean; of one test
/// its own.
///
/// # Source
/// Rüschendorf 1982; Vovk & Wang 2020, "Combining p-values via averaging".
fn together(p: &[f64]) -> f64 {
    match p {
        [only] => *only,
        all => (2.0 * all.iter().sum::<f64>() / all.len() as f64).min(1.0),
    }
}

/// Corrects each kind of test for the number of comparisons.
fn correct(comparisons: &mut [Comparison]) {
    let adjusted = |p: fn(&Comparison) -> f64| holm(&comparisons.iter().map(p).collect::<Vec<f64>>());
    let bootstrap = adjusted(|comparison| comparison.bootstrap.p);
    let mcnemar = adjusted(|comparison| comparison.mcnemar_p);
    let seeds = adjusted(|comparison| comparison.seeds_test.p);
    for (place, comparison) in comparisons.iter_mut().enumerate() {
        comparison.bootstrap_adjusted = bootstrap[place];
        comparison.mcnemar_adjusted = mcnemar[place];
        comparison.seeds_adjusted = seeds[place];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_p_are_put_together_whatever_their_dependence() {
        assert_eq!(together(&[0.03]), 0.03);
        assert_eq!(together(&[0.01, 0.03]), 0.04);
        assert_eq!(together(&[0.9, 0.8]), 1.0);
    }
}
