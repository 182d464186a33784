//! Full stops that end no sentence.

/// Abbreviations that a name, a number or more of the sentence follows, in lower case, without their last full stop.
const ALWAYS: &[&str] = &[
    // Titles.
    "dr", "mr", "mrs", "ms", "prof", "st", "rev", "gen", "col", "lt", "sgt", "capt", "sen", "rep", "hon",
    "mme", "mlle", // References.
    "fig", "figs", "eq", "eqs", "eqn", "sec", "secs", "sect", "ch", "chap", "tab", "ref", "refs", "vol",
    "vols", "nr", "pp", "art", "par", "thm", "lem", "cor", "def", "prop", "app", "alg", "ed", "eds", "abb",
    "kap", "abschn", "cf", "vgl", "vs", "viz", "resp", "approx", "e.g", "i.e", "eg", "ie", "z.b", "d.h",
    "u.a", "bzw", "p.ex", "al", "ca", "s.o", "s.u",
];

/// Those that may end a sentence too: they don't when a number or a name's month follows.
const BEFORE_NUMBERS: &[&str] = &[
    "no", "p", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "art",
    "line", "ver",
];

/// Whether a text ends in an abbreviation that the sentence goes on after; `next` is what follows, blanks aside.
pub(super) fn ends_in_abbreviation(text: &str, next: char) -> bool {
    let Some(text) = text.strip_suffix('.') else { return false };
    let word = text.rsplit(|letter: char| letter.is_whitespace() || "([{“\"'‘~".contains(letter)).next();
    let word = word.unwrap_or_default();
    let lower = word.to_lowercase();
    // An initial, or several: J., J.R., U.S.
    let letters: Vec<&str> = word.split('.').collect();
    let initials =
        letters.iter().all(|part| part.chars().count() == 1 && part.chars().all(char::is_uppercase));
    let is_name = initials && next.is_alphabetic() && word != "I";
    // Of day time: p.m. Tuesday.
    let is_time = matches!(lower.as_str(), "a.m" | "p.m");
    is_name
        || is_time
        || ALWAYS.contains(&lower.as_str())
        || next.is_ascii_digit() && BEFORE_NUMBERS.contains(&lower.as_str())
}
