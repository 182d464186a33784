//! `ir-cost` against a search of all sets.

use irtune_select::{Evidence, GradientNorms, IrCostConfig, LayerPolicy, LayerSet, StepDraws};
use proptest::prelude::*;

/// What a set of layers costs, counted layer by layer.
fn cost(config: IrCostConfig, layers: usize, set: &[usize]) -> f64 {
    let input_gradients = (0..layers).filter(|&layer| layer > set[0]).count();
    input_gradients as f64 + set.iter().map(|_| config.adapter_cost).sum::<f64>()
}

/// The highest worth of all sets within the budget, by trying each.
fn best_of_all(config: IrCostConfig, scores: &[Option<f64>]) -> (usize, f64) {
    let layers = scores.len();
    let all: Vec<usize> = (0..layers).collect();
    let limit = config.budget * cost(config, layers, &all) + 1e-9;
    let mut best = worth(&[layers - 1], scores);
    for bits in 1u32..1 << layers {
        let set: Vec<usize> = (0..layers).filter(|layer| bits >> layer & 1 == 1).collect();
        if cost(config, layers, &set) <= limit {
            let found = worth(&set, scores);
            if found.0 > best.0 || found.0 == best.0 && found.1 > best.1 {
                best = found;
            }
        }
    }
    best
}

fn worth(set: &[usize], scores: &[Option<f64>]) -> (usize, f64) {
    let unscored = set.iter().filter(|&&layer| scores[layer].is_none()).count();
    (unscored, set.iter().filter_map(|&layer| scores[layer]).sum())
}

fn select(config: IrCostConfig, scores: &[Option<f64>]) -> LayerSet {
    let layers = scores.len();
    let mut policy = config.init(layers).unwrap();
    let mut norms = GradientNorms::new(layers);
    for (layer, score) in scores.iter().enumerate() {
        if let Some(score) = score {
            norms.measure(layer).push(*score);
        }
    }
    let (mut before, mut now) = (StepDraws::new(1, 0), StepDraws::new(1, 1));
    // Layers that have a score are shown as measured before the choice.
    policy.observe(&Evidence::new(0, layers, &mut before).with_gradient_norms(&norms)).unwrap();
    assert_eq!(policy.scores(), scores);
    policy.select(&mut Evidence::new(1, layers, &mut now)).unwrap()
}

proptest! {
    #[test]
    fn no_affordable_set_is_better(
        scores in prop::collection::vec(
            prop_oneof![4 => (0.0..9.0f64).prop_map(Some), 1 => Just(None), 2 => Just(Some(1.0))], 1..12),
        budget in 0.01..=1.0f64,
        adapter_cost in prop_oneof![Just(0.0), Just(0.1), Just(1.0), 0.0..5.0f64],
    ) {
        let config = IrCostConfig { budget, adapter_cost };
        let set: Vec<usize> = select(config, &scores).iter().collect();
        let layers = scores.len();
        let all: Vec<usize> = (0..layers).collect();
        prop_assert!((config.cost(layers, set[0], set.len()) - cost(config, layers, &set)).abs() < 1e-9);
        prop_assert!(
            set == [layers - 1] || cost(config, layers, &set) <= budget * cost(config, layers, &all) + 1e-9
        );
        let (found, best) = (worth(&set, &scores), best_of_all(config, &scores));
        prop_assert_eq!(found.0, best.0);
        prop_assert!((found.1 - best.1).abs() <= 1e-9 * best.1.max(1.0), "{:?} {:?}", found, best);
    }
}

#[test]
fn a_low_layer_is_worth_its_way_only_if_it_scores_enough() {
    let config = IrCostConfig { budget: 0.6, adapter_cost: 0.5 };
    // Training all of 6 costs 5 + 3 = 8, so 4.8 are there: layer 1 alone costs 4.5, layers 3 and above 3.5.
    let choose = |scores: [f64; 6]| select(config, &scores.map(Some)).iter().collect::<Vec<_>>();
    assert_eq!(
        choose([9.0, 2.0, 1.0, 1.0, 1.0, 1.0]),
        [3, 4, 5],
        "layer 0 cannot be paid for, and 2 costs more"
    );
    assert_eq!(choose([9.0, 7.0, 1.0, 1.0, 1.0, 1.0]), [1]);
}

#[test]
fn everything_trains_on_a_full_budget_and_the_top_layer_on_none() {
    let scores: Vec<_> = (0..20).map(|layer| Some(f64::from(layer) + 0.5)).collect();
    let set = |budget| select(IrCostConfig { budget, adapter_cost: 0.1 }, &scores);
    assert_eq!(set(1.0), LayerSet::all(20).unwrap());
    assert_eq!(set(1e-6), LayerSet::new(20, [19]).unwrap());
}

#[test]
fn every_layer_that_can_be_paid_for_is_scored_before_long() {
    let config = IrCostConfig { budget: 0.5, adapter_cost: 1.0 };
    let mut policy = config.init(30).unwrap();
    let mut norms = GradientNorms::new(30);
    for step in 0..8 {
        let mut draws = StepDraws::new(1, step);
        let mut evidence = Evidence::new(step, 30, &mut draws);
        let set = policy.select(&mut evidence).unwrap();
        norms.clear();
        set.iter().for_each(|layer| norms.measure(layer).push(1.0 + layer as f64));
        policy.observe(&evidence.with_gradient_norms(&norms)).unwrap();
    }
    // 29.5 of 59 units: layer 0 alone would cost 30.
    let unscored: Vec<usize> = (0..30).filter(|&layer| policy.scores()[layer].is_none()).collect();
    assert_eq!(unscored, [0]);
}
