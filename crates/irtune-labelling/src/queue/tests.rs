use strum::IntoEnumIterator as _;

use super::*;

fn candidate(probabilities: [f64; 3], feature: usize) -> Candidate {
    Candidate { probabilities: probabilities.to_vec(), features: vec![(feature, 1.0)] }
}

/// A model that is sure of most, unsure of some, and gives the last label little.
fn pool() -> Vec<Candidate> {
    vec![
        candidate([0.98, 0.01, 0.01], 0),
        candidate([0.50, 0.49, 0.01], 1),
        candidate([0.40, 0.30, 0.30], 2),
        candidate([0.10, 0.20, 0.70], 3),
        candidate([0.01, 0.98, 0.01], 4),
        candidate([0.51, 0.48, 0.01], 1),
    ]
}

const LABELLED: [usize; 3] = [60, 40, 0];

#[test]
fn each_queue_begins_with_its_own_pair() {
    let first = |queue| next(queue, &pool(), &LABELLED, 1, 7)[0];
    assert_eq!(first(Queue::Margin), 1, "the two best are .01 apart");
    assert_eq!(first(Queue::Entropy), 2, "nearest to a third each");
    assert_eq!(first(Queue::Rare), 3, "no pair has the third label yet");
    assert_eq!(first(Queue::Diverse), 2, "the longest gradient: .36 + .09 + .09, against .25 + .24");
}

#[test]
fn a_queue_holds_every_candidate_once_and_is_the_same_each_time() {
    for queue in Queue::iter() {
        let order = next(queue, &pool(), &LABELLED, 100, 7);
        assert_eq!(order, next(queue, &pool(), &LABELLED, 100, 7), "{queue}");
        let mut sorted = order;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..6).collect::<Vec<_>>(), "{queue}");
        assert!(next(queue, &[], &LABELLED, 5, 7).is_empty(), "{queue}");
    }
}

#[test]
fn the_first_labels_come_in_random_order() {
    for queue in Queue::iter() {
        let begun = next(queue, &pool(), &[RANDOM_FIRST - 1, 0, 0], 6, 7);
        assert_eq!(begun, next(Queue::Random, &pool(), &[RANDOM_FIRST - 1, 0, 0], 6, 7), "{queue}");
    }
    let orders: std::collections::BTreeSet<_> =
        (0..20).map(|seed| next(Queue::Random, &pool(), &LABELLED, 6, seed)).collect();
    assert!(orders.len() > 15, "{}", orders.len());
}

#[test]
fn a_label_is_wanted_less_once_pairs_were_chosen_for_it() {
    let pool = vec![
        candidate([0.0, 0.0, 1.0], 0),
        candidate([0.0, 0.0, 1.0], 1),
        candidate([0.0, 1.0, 0.0], 2),
        candidate([1.0, 0.0, 0.0], 3),
    ];
    // 1/1, then 1/2 of the third label; the second label at 1/3 comes before its third pair would.
    assert_eq!(next(Queue::Rare, &pool, &[60, 2, 0], 4, 7), [0, 1, 2, 3]);
    assert_eq!(next(Queue::Rare, &pool, &[60, 0, 0], 4, 7), [0, 2, 1, 3]);
}

#[test]
fn like_pairs_are_not_drawn_together() {
    // Two kinds of pairs that the model is equally unsure of, many of one and one of the other.
    let mut pool = vec![candidate([0.5, 0.5, 0.0], 0); 30];
    pool.push(candidate([0.5, 0.5, 0.0], 1));
    for seed in 0..10 {
        let chosen = next(Queue::Diverse, &pool, &LABELLED, 2, seed);
        assert!(chosen.contains(&30), "{chosen:?}: others are at no distance of the first");
    }
}
