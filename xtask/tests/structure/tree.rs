//! A crate's source files by their modules.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// One source file.
pub struct SourceFile {
    pub text: String,
    pub syntax: syn::File,
    /// The folder that the file belongs to: its own for a folder's `mod.rs` and for the file named after a folder.
    folder: PathBuf,
}

/// A crate of the workspace.
pub struct Crate {
    pub name: String,
    /// By module path without the crate's name; the root is the empty path.
    pub files: BTreeMap<String, SourceFile>,
}

impl Crate {
    /// Reads all files under `src`; a file whose module is for tests alone is left out.
    pub fn read(folder: PathBuf) -> Self {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let mut files = BTreeMap::new();
        collect(&folder.join("src"), &mut Vec::new(), &mut files);
        let tests: Vec<String> = files.iter().flat_map(|(module, file)| test_modules(module, file)).collect();
        files.retain(|module, _| {
            !tests.iter().any(|test| module == test || module.starts_with(&format!("{test}::")))
        });
        Self { name, files }
    }

    /// The folder that a module's file belongs to.
    pub fn folder(&self, module: &str) -> &Path {
        &self.files[module].folder
    }
}

fn collect(folder: &Path, module: &mut Vec<String>, files: &mut BTreeMap<String, SourceFile>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            module.push(stem);
            collect(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let own = folder.join(&stem);
            let (name, folder) = match stem.as_str() {
                "mod" | "lib" | "main" => (module.join("::"), folder.to_owned()),
                _ => {
                    let name = module.iter().chain([&stem]).cloned().collect::<Vec<_>>().join("::");
                    (name, if own.is_dir() { own } else { folder.to_owned() })
                }
            };
            // A binary beside a library is a thin root of its own.
            let name =
                if stem == "main" && folder.join("lib.rs").is_file() { "main".to_owned() } else { name };
            files.insert(name, SourceFile { text, syntax, folder });
        }
    }
}

/// Modules that a file declares for tests alone.
fn test_modules(module: &str, file: &SourceFile) -> Vec<String> {
    let inside = |name: String| if module.is_empty() { name } else { format!("{module}::{name}") };
    let items = file.syntax.items.iter();
    items
        .filter_map(|item| match item {
            syn::Item::Mod(declared) if is_for_tests(&declared.attrs) => {
                Some(inside(declared.ident.to_string()))
            }
            _ => None,
        })
        .collect()
}

/// Whether an item is compiled for tests only.
pub fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}
