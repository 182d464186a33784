//! `irtune compare`

use irtune::compare::{self, CompareError, Overrides, Plan};
use irtune::settings::Sources;

use super::locate;
use crate::program::args::CompareArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::interrupt;
use crate::program::output::{print, print_json, say_line};
use crate::program::progress::ComparisonProgress;

/// Runs what is not finished, then reports.
pub fn run(arguments: &CompareArguments, environment: &Environment) -> Result<(), Failure> {
    let out = &arguments.out;
    let failure = |error: CompareError| Failure::comparison(error, out);
    let mut definition =
        compare::read(out, arguments.config.as_deref(), overrides(arguments)).map_err(failure)?;
    if !arguments.report_only {
        compare::keep_pipes(&mut definition, out).map_err(failure)?;
    }
    let plan = if arguments.report_only { Plan::to_report } else { Plan::new };
    let plan = plan(definition, out).map_err(failure)?;
    let mut progress = ComparisonProgress::default();
    let (base, failed) = match arguments.report_only {
        true => {
            plan.check(None).map_err(failure)?;
            (None, Vec::new())
        }
        false => {
            let base = locate(plan.base(), environment)?;
            plan.check(Some(&base)).map_err(failure)?;
            let _lock = plan.prepare().map_err(failure)?;
            let interrupt = interrupt::listen("finishing this step and saving")?;
            let failed = plan.run(&base, &mut progress, interrupt).map_err(failure)?;
            (Some(base), failed)
        }
    };
    let results = plan.results(base.as_deref(), &mut progress).map_err(failure)?;
    let written = compare::write(&results, out).map_err(failure)?;
    if arguments.json {
        print_json(&results)?;
    } else {
        print(&compare::tables(&results, 2))?;
        say_line(&format!("\nIn {}:", out.display()));
        for (path, holds) in &written {
            say_line(&format!("  {:<15}{holds}", path.file_name().unwrap_or_default().display()));
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

/// What the flags say about the comparison.
fn overrides(arguments: &CompareArguments) -> Overrides {
    let mut settings = Sources::default();
    for (setting, text) in &arguments.settings.0 {
        settings.flag(setting, text);
    }
    arguments.set.iter().for_each(|assignment| settings.set(assignment));
    Overrides {
        methods: arguments.methods.clone(),
        adapters: arguments.adapters.clone(),
        seeds: arguments.seeds.clone(),
        train_sizes: arguments.train_sizes.clone(),
        folds: arguments.folds,
        reference: arguments.reference.clone(),
        settings,
    }
}
