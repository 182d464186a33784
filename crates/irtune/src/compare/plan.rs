//! A comparison from its definition to its results.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use irtune_files::FolderLock;
use irtune_hub::Reference;
use irtune_train::RunFolder;
use toml::{Table, Value};

use super::analyse::{Analysis, BOOTSTRAP, analyse};
use super::cell::{Cell, cells};
use super::definition::Definition;
use super::gather::gather;
use super::results::{FORMAT, Results};
use super::runner::{self, Planned};
use super::{CompareError, CompareObserver, definition_file};
use crate::settings::{Problems, Resolved, Sources, resolve, resolve_finished};

/// A comparison whose runs are known and whose settings are checked.
#[derive(Debug)]
pub struct Plan {
    definition: Definition,
    out: PathBuf,
    planned: Vec<Planned>,
}

impl Plan {
    /// The runs of a definition, in a folder that need not be there yet.
    ///
    /// # Errors
    /// [`CompareError::Settings`] with every problem of every run, each said once.
    pub fn new(definition: Definition, out: &Path) -> Result<Plan, CompareError> {
        Plan::resolved(definition, out, resolve)
    }

    /// The same where nothing is to be run any more, so that the runs' files may be gone.
    ///
    /// # Errors
    /// As [`Plan::new`], but for these files.
    pub fn to_report(definition: Definition, out: &Path) -> Result<Plan, CompareError> {
        Plan::resolved(definition, out, resolve_finished)
    }

    fn resolved(
        definition: Definition,
        out: &Path,
        resolve: fn(Sources) -> Result<Resolved, Problems>,
    ) -> Result<Plan, CompareError> {
        if RunFolder::open(out).is_ok() {
            return Err(CompareError::RunFolder { path: out.to_owned() });
        }
        let cells = cells(&definition).map_err(Problems)?;
        let planned = runner::plan(cells, out, resolve)?;
        Ok(Plan { definition, out: out.to_owned(), planned })
    }

    /// The base of all runs.
    pub fn base(&self) -> &Reference {
        &self.planned[0].resolved.base
    }

    /// Confirms that every run already in the folder is the one that is asked for; its base only when that is given.
    ///
    /// # Errors
    /// [`CompareError::Settings`] with everything in which they differ.
    pub fn check(&self, base: Option<&Path>) -> Result<(), CompareError> {
        runner::check(&self.planned, base)
    }

    /// Makes the folder, with the definition in it, so that the comparison goes on from there. No other process compares in
    /// it as long as the lock lives.
    ///
    /// # Errors
    /// When it can't be written, or another process has it.
    pub fn prepare(&self) -> Result<FolderLock, CompareError> {
        std::fs::create_dir_all(&self.out)
            .map_err(|source| CompareError::Folder { path: self.out.clone(), source })?;
        let lock = FolderLock::take(&self.out).map_err(|_| CompareError::InUse { path: self.out.clone() })?;
        definition_file::write(&self.definition, &self.out)?;
        Ok(lock)
    }

    /// Trains what is not finished; gives the names of the runs that failed.
    ///
    /// # Errors
    /// [`CompareError::Interrupted`] on an interrupt, after saving.
    pub fn run(
        &self,
        base: &Path,
        observer: &mut dyn CompareObserver,
        interrupt: &AtomicBool,
    ) -> Result<Vec<String>, CompareError> {
        runner::run(&self.planned, base, observer, interrupt)
    }

    /// Everything that the finished runs say; a base is needed for runs that kept no predictions.
    ///
    /// # Errors
    /// [`CompareError::NothingFinished`], or when a run folder can't be used.
    pub fn results(
        &self,
        base: Option<&Path>,
        observer: &mut dyn CompareObserver,
    ) -> Result<Results, CompareError> {
        let (mut gathered, mut missing) = (Vec::new(), Vec::new());
        for (place, plan) in self.planned.iter().enumerate() {
            match gather(plan, place, base, observer)? {
                Some(cell) => gathered.push(cell),
                None => missing.push(plan.cell.name.clone()),
            }
        }
        let mut machines: Vec<String> = Vec::new();
        for cell in &gathered {
            if !machines.contains(&cell.machine) {
                machines.push(cell.machine.clone());
            }
        }
        let cells: Vec<&Cell> = self.planned.iter().map(|plan| &plan.cell).collect();
        let Analysis { cells, arms, comparisons } =
            analyse(&cells, gathered, self.definition.reference.as_deref(), BOOTSTRAP)?;
        if arms.is_empty() {
            return Err(CompareError::NothingFinished { path: self.out.clone() });
        }
        Ok(Results {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            definition: public(&self.definition)?,
            bootstrap: BOOTSTRAP,
            machines,
            cells,
            missing,
            arms,
            comparisons,
        })
    }
}

/// The definition without the folders of this machine, since results are passed on.
fn public(definition: &Definition) -> Result<Table, CompareError> {
    let mut definition = definition.clone();
    let name = |path: &str| Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    for corpus in &mut definition.corpus {
        for key in ["train", "validation", "test"] {
            if let Some(Value::String(text)) = corpus.settings.get_mut(key) {
                *text = name(text).unwrap_or_default();
            }
        }
    }
    if let Some(base) = &mut definition.base
        && !base.starts_with("hf:")
    {
        *base = name(base).unwrap_or_default();
    }
    Ok(Table::try_from(definition)?)
}
