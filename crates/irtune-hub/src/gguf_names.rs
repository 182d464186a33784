//! Which of a repository's GGUF files is meant.

/// Why no GGUF file is chosen; each with the GGUF files that there are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotChosen {
    /// There is none.
    NoFile,
    /// Several, and nothing says which.
    Several(Vec<String>),
    /// None has the quantisation.
    NoneOf(Vec<String>),
}

/// The file of a quantisation, or without one the only file.
///
/// A name's end says how a file is quantised: `Q4_K_M` means `model-Q4_K_M.gguf` and `model.q4_k_m.gguf`.
pub(crate) fn choose<'a>(
    names: impl Iterator<Item = &'a str>,
    quantisation: Option<&str>,
) -> Result<&'a str, NotChosen> {
    // A file beside a model of images or sounds turns those into tokens; it is no model of text.
    let mut files: Vec<&str> = names.filter(|name| is_gguf(name) && !name.starts_with("mmproj")).collect();
    files.sort_unstable();
    let owned = |files: &[&str]| files.iter().map(|&file| file.to_owned()).collect();
    if files.is_empty() {
        return Err(NotChosen::NoFile);
    }
    let fitting: Vec<&str> = match quantisation {
        Some(quantisation) => files.iter().copied().filter(|name| ends_with(name, quantisation)).collect(),
        None => files.clone(),
    };
    match *fitting {
        [only] => Ok(only),
        [] => Err(NotChosen::NoneOf(owned(&files))),
        _ => Err(NotChosen::Several(owned(&fitting))),
    }
}

fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

fn ends_with(name: &str, quantisation: &str) -> bool {
    let stem = name[..name.len() - ".gguf".len()].to_ascii_lowercase();
    let before = stem.strip_suffix(&quantisation.to_ascii_lowercase());
    before.is_some_and(|before| before.is_empty() || before.ends_with(['-', '.', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantisation_chooses_by_the_end_of_the_name() {
        let names = ["m-IQ4_XS.gguf", "m-Q4_K_M.gguf", "m.q8_0.GGUF", "mmproj-m-F16.gguf", "README.md"];
        let choose = |quantisation| choose(names.iter().copied(), quantisation);
        assert_eq!(choose(Some("q4_k_m")), Ok("m-Q4_K_M.gguf"));
        assert_eq!(choose(Some("Q8_0")), Ok("m.q8_0.GGUF"));
        let all: Vec<String> = names[..3].iter().map(|&name| name.to_owned()).collect();
        // The end of a word is no quantisation, and neither is a file for images.
        assert_eq!(choose(Some("K_M")).unwrap(), "m-Q4_K_M.gguf");
        assert_eq!(choose(Some("XS")).unwrap(), "m-IQ4_XS.gguf");
        assert_eq!(choose(Some("4_XS")), Err(NotChosen::NoneOf(all.clone())));
        assert_eq!(choose(Some("F16")), Err(NotChosen::NoneOf(all.clone())));
        assert_eq!(choose(None), Err(NotChosen::Several(all)));
    }

    #[test]
    fn the_only_file_needs_no_quantisation() {
        assert_eq!(choose(["a.gguf", "b.txt"].into_iter(), None), Ok("a.gguf"));
        assert_eq!(choose(["b.txt"].into_iter(), Some("Q8_0")), Err(NotChosen::NoFile));
    }
}
