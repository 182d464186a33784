//! What the shape of the code must stay: data flows one way, files are small, functions take few arguments.

mod imports;
mod tree;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use tree::Crate;

/// Most lines of a file.
const LONGEST_FILE: usize = 800;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn crates() -> Vec<Crate> {
    let folders =
        fs::read_dir(root().join("crates")).expect("crates").map(|entry| entry.expect("a folder").path());
    let mut crates: Vec<Crate> = folders
        .chain([root().join("xtask")])
        .filter(|path| path.join("src").is_dir())
        .map(Crate::read)
        .collect();
    crates.sort_by(|left, right| left.name.cmp(&right.name));
    crates
}

/// Files that reach each other through imports, as lists of their modules.
fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reach = |start: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(module) = open.pop() {
            for next in edges.get(module).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        edges.keys().map(|module| (module, reach(module))).collect();
    let mut circles = BTreeSet::new();
    for (module, seen) in &reached {
        if seen.contains(*module) {
            let both = |other: &&String| reached.get(*other).is_some_and(|back| back.contains(*module));
            circles.insert(seen.iter().filter(both).cloned().collect::<BTreeSet<_>>());
        }
    }
    circles.into_iter().collect()
}

#[test]
fn no_import_circle_leaves_its_folder() {
    let mut found = Vec::new();
    for one in crates() {
        let edges = imports::edges(&one);
        for circle in circles(&edges) {
            let folders: BTreeSet<&Path> = circle.iter().map(|module| one.folder(module)).collect();
            if folders.len() > 1 {
                let arrows: Vec<String> = circle
                    .iter()
                    .flat_map(|from| {
                        let inside = edges[from].iter().filter(|to| circle.contains(*to));
                        inside.map(move |to| format!("    {from} -> {to}"))
                    })
                    .collect();
                found.push(format!("  {}:\n{}", one.name, arrows.join("\n")));
            }
        }
    }
    assert!(found.is_empty(), "files of different folders import each other:\n{}", found.join("\n"));
}

#[test]
fn a_circle_is_found_where_there_is_one() {
    let edge = |from: &str, to: &str| (from.to_owned(), BTreeSet::from([to.to_owned()]));
    let edges = BTreeMap::from([edge("a", "b::c"), edge("b::c", "d"), edge("d", "a"), edge("e", "a")]);
    assert_eq!(circles(&edges), [BTreeSet::from(["a", "b::c", "d"].map(str::to_owned))]);
    assert!(circles(&BTreeMap::from([edge("a", "b"), edge("b", "c")])).is_empty());
}

#[test]
fn imports_are_found_in_every_form() {
    let source = "use crate::{first::One, second::{self, Two}};\nuse super::sister::Three;\nuse std::fmt;\n\
                  use child::Six; pub use crate::handed::On; fn body() { crate::third::call(); super::super::fourth::FOUR; }\n\
                  #[cfg(test)] mod tests { use crate::unseen::Five; }";
    let file = syn::parse_file(source).expect("the sample parses");
    let modules = BTreeSet::from(["folder::file::child".to_owned()]);
    let found = imports::paths(&file, &["folder".to_owned(), "file".to_owned()], &modules);
    let found: BTreeSet<String> = found.iter().map(|path| path.join("::")).collect();
    let wanted = [
        "first::One",
        "second",
        "second::Two",
        "folder::sister::Three",
        "third::call",
        "fourth::FOUR",
        "folder::file::child::Six",
    ]
    .map(str::to_owned);
    assert_eq!(found, BTreeSet::from(wanted));
}

#[test]
fn files_are_short_and_functions_take_few_arguments() {
    let mut found = Vec::new();
    for one in crates() {
        for (module, file) in &one.files {
            let lines = file.text.lines().count();
            if lines > LONGEST_FILE {
                found.push(format!("{}: {module} has {lines} lines, {LONGEST_FILE} are the most", one.name));
            }
            if file.text.contains("too_many_arguments") {
                found.push(format!("{}: {module} allows functions with more than seven arguments", one.name));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
