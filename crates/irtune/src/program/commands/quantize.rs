//! `irtune quantize`

use irtune_files::shell_path;
use irtune_hub::Reference;
use irtune_model::quantise::{Scheme, UnknownScheme, quantise};

use crate::program::args::QuantizeArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print_json, say_line};
use crate::program::progress::BytesBar;
use irtune::settings::{Origin, Problem, Problems};
use irtune::show::numbers::bytes;

/// Makes a smaller GGUF of a model.
pub fn run(arguments: &QuantizeArguments, environment: &Environment) -> Result<(), Failure> {
    let scheme: Scheme = arguments.to.parse().map_err(|error: UnknownScheme| {
        let origin = Origin::Flag("to".to_owned());
        Failure::Settings(Problems(vec![Problem::at(&origin, error.to_string())]))
    })?;
    let model = super::locate(&arguments.model.parse::<Reference>()?, environment)?;
    let bar = BytesBar::new("quantising");
    let written = quantise(&model, &arguments.out, scheme, &mut |done, of| bar.set(done, of));
    bar.finish();
    let written = written?;
    if arguments.json {
        return print_json(&written);
    }
    let types: Vec<String> = written.types.iter().map(|(name, count)| format!("{count} {name}")).collect();
    say_line(&format!(
        "Quantised to {}: {} of {}, tensors by type: {}\n\nNext:\n  irtune train --base {} --train FILE",
        scheme.name,
        bytes(written.bytes),
        bytes(written.bytes_before),
        types.join(", "),
        shell_path(&arguments.out),
    ));
    Ok(())
}
