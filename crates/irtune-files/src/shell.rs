//! Paths in commands that a person may copy.

use std::borrow::Cow;
use std::path::Path;

/// A path as a shell and the program behind it take it: quoted where it holds blanks or other signs, and never read as
/// an option.
pub fn shell_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if text.starts_with('-') { Cow::Owned(format!("./{text}")) } else { text };
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_a_shell_would_cut_them() {
        for (path, shown) in [
            ("runs/first", "runs/first"),
            ("my runs/first", "'my runs/first'"),
            ("-x", "./-x"),
            ("- x", "'./- x'"),
            ("it's", "\"it's\""),
            ("", "''"),
        ] {
            assert_eq!(shell_path(Path::new(path)), shown);
        }
    }
}
