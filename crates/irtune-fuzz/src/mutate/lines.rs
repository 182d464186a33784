//! JSON documents one a line.

use super::json;
use crate::random::Random;

/// Changes one line, or a few.
pub fn change(random: &mut Random, whole: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = whole.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..1 + random.below(3) {
        let at = random.below(lines.len());
        match random.below(6) {
            0 => lines.push(lines[at].clone()),
            1 => drop(lines.swap_remove(at)),
            _ => {
                if let Some(changed) = json::document(random, &lines[at]) {
                    lines[at] = changed;
                }
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join(&b'\n')
}
