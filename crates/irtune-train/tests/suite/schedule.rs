//! The schedules against transformers' values.

use irtune_train::Schedule;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    tolerance: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    schedule: Schedule,
    warmup_steps: u64,
    total_steps: u64,
    factors: Vec<f64>,
}

fn golden() -> Golden {
    irtune_testing::golden::case_json("schedule")
}

/// The largest difference of a case; the number of values compared.
fn compare(case: &Case) -> (f64, usize) {
    let differences = case.factors.iter().enumerate().map(|(step, expected)| {
        (case.schedule.factor(step as u64, case.warmup_steps, case.total_steps) - expected).abs()
    });
    (differences.fold(0.0, f64::max), case.factors.len())
}

#[test]
fn factors_equal_transformers() {
    let golden = golden();
    let mut compared = 0;
    for case in &golden.cases {
        let (difference, values) = compare(case);
        assert!(
            difference <= golden.tolerance,
            "{} {} {}: {difference}",
            case.schedule,
            case.warmup_steps,
            case.total_steps
        );
        compared += values;
    }
    assert!(compared > 100, "only {compared} values compared");
}

#[test]
fn a_perturbed_golden_is_noticed() {
    let mut golden = golden();
    for case in &mut golden.cases {
        *case.factors.last_mut().unwrap() += 1e-9;
        assert!(compare(case).0 > golden.tolerance);
    }
}
