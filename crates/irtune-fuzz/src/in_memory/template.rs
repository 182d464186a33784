use std::path::Path;

use irtune_data::{LabelSet, Template};

use super::refused;

/// A template of prompts.
pub fn template(name: &Path, bytes: &[u8]) -> Result<(), String> {
    let text = str::from_utf8(bytes).map_err(|error| format!("{}: {error}", name.display()))?;
    let template = Template::parse(&name.display().to_string(), text).map_err(refused)?;
    let labels = LabelSet::new(["fluency", "clarity {original}"]).map_err(refused)?;
    template.prompt(&labels);
    Ok(())
}
