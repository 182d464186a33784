//! What is said of a run before it is begun.

use irtune_testing::corpus::{WORD_LABELS, Words};
use irtune_train::{
    Batches, Every, HeadKind, Objective, Plan, Silent, TrainError, TrainSettings, Tune, plan,
};

use crate::runs::{Place, failure, finish};

fn place() -> Place {
    // Labels that are words which the tiny tokenizer tells apart.
    let rows = |count, first| {
        let rows = Words { count, first, documents: Some(7), labels: &[0, 1, 2] }.rows();
        ["w10", "w20", "w30"].iter().zip(WORD_LABELS).fold(rows, |rows, (new, old)| rows.replace(old, new))
    };
    Place::new(&rows(40, 0), &rows(9, 500))
}

fn planned(place: &Place, change: impl FnOnce(&mut TrainSettings)) -> Plan {
    plan(&place.request("planned", change), 0.0, &mut Silent).unwrap()
}

#[test]
fn a_plan_knows_the_tokens_of_every_step() {
    let place = place();
    let changes: [fn(&mut TrainSettings); 6] = [
        |_| {},
        |settings| settings.micro_batch_tokens = 40,
        |settings| settings.batches = Batches::Related,
        |settings| {
            settings.batch_tokens = Some(90);
            settings.gradient_accumulation = 1;
        },
        |settings| {
            settings.max_steps = Some(5);
            settings.eval_every = Every::Never;
        },
        |settings| {
            settings.prompt = "changes".into();
            settings.objective = Objective::Words;
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let said = planned(&place, change);
        let (summary, _) = finish(&place.request(&format!("run-{number}"), change));
        let time = said.time.expect("it fits");
        assert_eq!(time.steps, summary.steps);
        let tokens = time.tokens_per_step * time.steps as f64;
        assert!((tokens - summary.tokens as f64).abs() < 1e-6, "{number}: {tokens}, {}", summary.tokens);
        assert!(time.step_seconds > 0.0 && time.evaluation_seconds > 0.0);
    }
    assert!(!place.path("planned").exists(), "nothing is written");
}

#[test]
fn memory_follows_what_trains_and_what_is_kept() {
    let place = place();
    let memory = |change: fn(&mut TrainSettings)| planned(&place, change).memory;
    let usual = memory(|_| {});
    assert_eq!((usual.kept_layers, usual.recomputed_layers), (6, 0));
    assert_eq!(usual.parameter_bytes, usual.moment_bytes);
    // Adapters double with their rank, the head doesn't.
    let (double, fourfold) = (memory(|settings| settings.rank = 8), memory(|settings| settings.rank = 16));
    let more = double.parameter_bytes - usual.parameter_bytes;
    assert_eq!(fourfold.parameter_bytes - double.parameter_bytes, 2 * more);
    let some = memory(|settings| settings.rank_pattern = "down_proj=8".parse().unwrap());
    assert!(usual.parameter_bytes < some.parameter_bytes && some.parameter_bytes < double.parameter_bytes);
    assert!(memory(|settings| settings.micro_batch_tokens = 1).activation_bytes < usual.activation_bytes);
    let edit = memory(|settings| settings.head = HeadKind::Edit);
    assert!(edit.activation_bytes > usual.activation_bytes && edit.parameter_bytes > usual.parameter_bytes);
    let weights = memory(|settings| {
        settings.tune = Tune::Weights;
        settings.adapter = irtune_train::Adapter::None;
    });
    assert!(weights.parameter_bytes > usual.parameter_bytes);
}

#[test]
fn what_cannot_fit_is_refused_with_what_would() {
    let place = place();
    let request = place.request("run", |settings| settings.rank = 1 << 30);
    let TrainError::DoesNotFit { needed, available, remedies } = failure(&request) else {
        panic!("it fits");
    };
    assert!(needed > available);
    let [remedy] = remedies.as_slice() else { panic!("{remedies:?}") };
    assert_eq!(remedy.setting, "rank");
    assert!(remedy.peak_bytes <= available);
    let rank: usize = remedy.value.parse().unwrap();
    // What is free changes all the time, but not by so much.
    assert!(planned(&place, |settings| settings.rank = rank / 4).memory.fits());
    assert!(!planned(&place, |settings| settings.rank = 8 * rank).memory.fits());
    assert!(!place.path("run").exists());

    let message = failure(&request).to_string();
    assert!(
        message.contains(&format!("--rank {rank}")) && message.contains("--check-memory false"),
        "{message}"
    );
    type Change = fn(&mut TrainSettings);
    let bottleneck: Change = |settings| {
        (settings.adapter, settings.bottleneck_size) = (irtune_train::Adapter::Bottleneck, 1 << 40);
    };
    let pattern: Change = |settings| settings.rank_pattern = "q_proj=1099511627776".parse().unwrap();
    for (change, flag) in [(bottleneck, "--bottleneck-size "), (pattern, "--rank-pattern \"\"")] {
        let message = failure(&place.request("run", change)).to_string();
        assert!(message.contains(flag), "{message}");
    }
    assert_eq!("".parse(), Ok(irtune_model::Patterns::<usize>::default()));
    // Begun anyway, it fails where the engine asks for its memory.
    let request = place.request("run", |settings| {
        settings.rank = 1 << 40;
        settings.check_memory = false;
    });
    assert!(matches!(failure(&request), TrainError::Model(_)));
}
