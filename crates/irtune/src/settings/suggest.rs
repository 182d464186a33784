//! What a misspelt word may have meant.

/// The candidate closest to a word, when it is close enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let plain = candidate.to_ascii_lowercase().replace('-', "_");
            let alike = strsim::jaro_winkler(&word, &plain);
            (alike, candidate)
        })
        .filter(|(alike, _)| *alike > 0.8)
        .max_by(|first, second| first.0.total_cmp(&second.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KEYS: [&str; 4] = ["learning_rate", "rank", "max_steps", "max_length"];

    #[test]
    fn slips_are_recognised() {
        assert_eq!(nearest("lerning_rate", KEYS), Some("learning_rate"));
        assert_eq!(nearest("max-step", KEYS), Some("max_steps"));
        assert_eq!(nearest("Rnak", KEYS), Some("rank"));
    }

    #[test]
    fn other_words_suggest_nothing() {
        assert_eq!(nearest("colour", KEYS), None);
    }
}
