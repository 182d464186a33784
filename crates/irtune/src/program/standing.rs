//! What is said of a run beside the linear model.

use super::output::{say, say_plainly};
use super::progress::Progress;
use irtune::show::linear::{Standing, standing};
use irtune_train::Summary;

/// Says on standard error how a run stands against the linear model; what to try in red, where that is a terminal which
/// wants colours.
pub fn say_standing(summary: &Summary) {
    let Some(Standing { text, advice }) = standing(summary) else { return };
    say(&format!("\n{text}"));
    if let Some(advice) = advice {
        let colours = Progress::terminal() && std::env::var_os("NO_COLOR").is_none();
        match colours {
            true => say_plainly(&format!("\x1b[31m{advice}\x1b[0m")),
            false => say(advice),
        }
    }
}
