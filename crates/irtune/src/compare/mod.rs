//! Runs side by side: what is to be compared, the runs, their figures, and the reports on them.

mod analyse;
mod cell;
mod check;
mod definition;
mod definition_file;
mod figures;
mod gather;
mod layer_code;
mod markdown;
mod overall;
mod reading;
mod report;
mod results;
mod runner;
mod table_csv;

use std::path::{Path, PathBuf};

use toml::Table;

pub use definition::TrainSize;

use crate::args::CompareArguments;
use crate::commands::{locate, print};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::interrupt;
use crate::show::write_beside;
use analyse::{Analysis, BOOTSTRAP, analyse};
use cell::Cell;
use definition::Definition;
use results::{FORMAT, Results};
use runner::Planned;

/// Runs what is not finished, then reports.
pub fn run(arguments: &CompareArguments, environment: &Environment) -> Result<(), Failure> {
    let out = &arguments.out;
    let definition = definition_file::read(arguments, out)?;
    let cells = cell::cells(&definition)
        .map_err(|problems| Failure::Settings(crate::settings::Problems(problems)))?;
    let planned = runner::plan(cells, out)?;
    let (base, failed) = match arguments.report_only {
        true => {
            runner::check(&planned, None)?;
            (None, Vec::new())
        }
        false => {
            let base = locate(&planned[0].resolved.base, environment)?;
            runner::check(&planned, Some(&base))?;
            std::fs::create_dir_all(out).map_err(|error| {
                anyhow::Error::new(error).context(format!("{} cannot be made", out.display()))
            })?;
            definition_file::write(&definition, out)?;
            let interrupt = interrupt::listen("finishing this step and saving")?;
            let failed = runner::run(&planned, &base, out, interrupt)?;
            (Some(base), failed)
        }
    };
    let results = results(&definition, &planned, base.as_deref())?;
    if results.arms.is_empty() {
        let message = format!("no run in {} is finished, so there is nothing to report", out.display());
        return Err(anyhow::anyhow!(message).into());
    }
    let written = write(&results, out)?;
    if arguments.json {
        print(&(serde_json::to_string_pretty(&results)? + "\n"))?;
    } else {
        print(&markdown::tables(&results, 2))?;
        eprintln!("\nIn {}:", out.display());
        for (path, holds) in &written {
            eprintln!("  {:<15}{holds}", path.file_name().unwrap_or_default().display());
        }
    }
    match failed.as_slice() {
        [] => Ok(()),
        failed => {
            let message = format!("{} of the runs failed: {}", failed.len(), failed.join(", "));
            Err(anyhow::anyhow!(message).into())
        }
    }
}

/// Everything that the finished runs say.
fn results(definition: &Definition, planned: &[Planned], base: Option<&Path>) -> Result<Results, Failure> {
    let (mut gathered, mut missing) = (Vec::new(), Vec::new());
    for (place, plan) in planned.iter().enumerate() {
        match gather::gather(plan, place, base)? {
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
    let cells: Vec<&Cell> = planned.iter().map(|plan| &plan.cell).collect();
    let Analysis { cells, arms, comparisons } =
        analyse(&cells, gathered, definition.reference.as_deref(), BOOTSTRAP)?;
    Ok(Results {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        definition: public(definition)?,
        bootstrap: BOOTSTRAP,
        machines,
        cells,
        missing,
        arms,
        comparisons,
    })
}

/// The definition without the folders of this machine, since results are passed on.
fn public(definition: &Definition) -> Result<Table, Failure> {
    let mut definition = definition.clone();
    let name = |path: &str| Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    for corpus in &mut definition.corpus {
        for key in ["train", "validation", "test"] {
            if let Some(toml::Value::String(text)) = corpus.settings.get_mut(key) {
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

/// Writes the tables and the report; where, and what each holds.
fn write(results: &Results, out: &Path) -> Result<Vec<(PathBuf, &'static str)>, Failure> {
    let files = [
        ("report.html", report::page(results), "everything, with curves; opens in any browser"),
        ("table.md", markdown::tables(results, 2), "the tables"),
        ("table.csv", table_csv::csv(results)?, "a row a method and adapter, for spreadsheets"),
        ("results.json", serde_json::to_string(results)? + "\n", "everything, for programs"),
    ];
    let mut written = Vec::new();
    for (name, text, holds) in files {
        let path = out.join(name);
        write_beside(&path, text.as_bytes())?;
        written.push((path, holds));
    }
    Ok(written)
}
