//! Which file of a crate takes names from which other one.

use std::collections::{BTreeMap, BTreeSet};

use syn::{UseTree, visit::Visit};

use crate::tree::{Crate, is_for_tests};

/// From each module's file to the files that define what it imports.
pub fn edges(one: &Crate) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges = BTreeMap::new();
    let modules = one.files.keys().cloned().collect();
    for (module, file) in &one.files {
        let own: Vec<String> =
            module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let mut targets = BTreeSet::new();
        for path in paths(&file.syntax, &own, &modules) {
            targets.extend(definer(one, &path, 0));
        }
        targets.remove(module);
        edges.insert(module.clone(), targets);
    }
    edges
}

/// The module that defines what a path names, followed through the modules that hand it on.
fn definer(one: &Crate, path: &[String], depth: usize) -> Option<String> {
    let length = (0..=path.len()).rev().find(|&length| one.files.contains_key(&path[..length].join("::")))?;
    let module = path[..length].join("::");
    let Some(name) = path.get(length) else { return Some(module) };
    let (own, modules) = (&path[..length], one.files.keys().cloned().collect());
    let mut handed = Vec::new();
    for item in &one.files[&module].syntax.items {
        if let syn::Item::Use(item) = item {
            leaves(&item.tree, &mut Vec::new(), &mut |path, shown| {
                if shown == name || shown == "*" {
                    handed.push(absolute(path, own, &modules));
                }
            });
        }
    }
    let followed = handed.into_iter().flatten().find_map(|mut target| {
        if target.last().is_some_and(|last| last == "*") {
            target.pop();
            target.push(name.clone());
            let found = definer(one, &target, depth + 1)?;
            return defines(one, &found, name).then_some(found);
        }
        (depth < 8).then(|| definer(one, &target, depth + 1)).flatten()
    });
    followed.or(Some(module))
}

/// Whether a module's file has an item of this name.
fn defines(one: &Crate, module: &str, name: &str) -> bool {
    one.files[module].syntax.items.iter().any(|item| match item {
        syn::Item::Struct(item) => item.ident == name,
        syn::Item::Enum(item) => item.ident == name,
        syn::Item::Trait(item) => item.ident == name,
        syn::Item::Type(item) => item.ident == name,
        syn::Item::Const(item) => item.ident == name,
        syn::Item::Static(item) => item.ident == name,
        syn::Item::Fn(item) => item.sig.ident == name,
        _ => false,
    })
}

/// A path as it stands in a module, from the crate's root on; none when it leads into another crate.
fn absolute(path: &[String], own: &[String], modules: &BTreeSet<String>) -> Option<Vec<String>> {
    let mut own = own.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            own.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                own.pop();
                rest = &rest[1..];
            }
        }
        first => {
            let child = own.iter().map(String::as_str).chain([first]).collect::<Vec<_>>().join("::");
            if !modules.contains(&child) {
                return None;
            }
        }
    }
    own.extend(rest.iter().cloned());
    Some(own)
}

/// Every path of a file into its own crate, from the root on; names that it only hands on are none.
pub fn paths(file: &syn::File, own: &[String], modules: &BTreeSet<String>) -> BTreeSet<Vec<String>> {
    let mut collector = Collector { modules, own: own.to_vec(), found: BTreeSet::new() };
    collector.visit_file(file);
    collector.found
}

struct Collector<'a> {
    modules: &'a BTreeSet<String>,
    own: Vec<String>,
    found: BTreeSet<Vec<String>>,
}

impl Collector<'_> {
    fn add(&mut self, path: &[String]) {
        self.found.extend(absolute(path, &self.own, self.modules));
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) && item.content.is_some() {
            self.own.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.own.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_handed_on = !matches!(item.vis, syn::Visibility::Inherited);
        if !is_handed_on && !is_for_tests(&item.attrs) {
            let mut found = Vec::new();
            leaves(&item.tree, &mut Vec::new(), &mut |path, _| found.push(path.to_vec()));
            found.iter().for_each(|path| self.add(path));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if parts.len() > 1 {
            self.add(&parts);
        }
        syn::visit::visit_path(self, path);
    }
}

/// Calls `each` with every path of an import and the name it has here; `*` for all names.
fn leaves(tree: &UseTree, path: &mut Vec<String>, each: &mut impl FnMut(&[String], &str)) {
    match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            leaves(&inner.tree, path, each);
            path.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            each(path, path.last().map_or("", String::as_str));
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            path.push(name.clone());
            each(path, &name);
            path.pop();
        }
        UseTree::Rename(renamed) => {
            path.push(renamed.ident.to_string());
            each(path, &renamed.rename.to_string());
            path.pop();
        }
        UseTree::Glob(_) => {
            path.push("*".to_owned());
            each(path, "*");
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|item| leaves(item, path, each)),
    }
}
