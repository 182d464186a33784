//! Bytes changed, taken away, doubled and put in.

use crate::random::Random;

/// Whole numbers at which something ends.
pub const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    3,
    31,
    32,
    127,
    255,
    256,
    65_535,
    65_536,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// The same as text, with what is no whole number.
const NUMERALS: [&str; 20] = [
    "0",
    "1",
    "2",
    "-1",
    "-0",
    "0.5",
    "1e308",
    "1e-320",
    "1e999",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e9",
    "null",
    "true",
    "\"1\"",
    "[]",
    "NaN",
];

/// Text that means something to a reader.
const TEXTS: [&str; 32] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    ";",
    "|",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[31m",
    "\\u0000",
    "\\ud800",
    "\"\"",
    "null",
    "\"label\":",
    "{original}",
    "{revised}",
    "{labels}",
    "../",
    "/dev/zero",
    "é",
    "😀",
    "=",
    "#",
];

/// One or a few changes.
pub fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    let end = bytes.len();
    within(random, bytes, end);
}

/// One or a few changes that begin before `end`.
pub fn within(random: &mut Random, bytes: &mut Vec<u8>, end: usize) {
    let changes = if random.one_in(3) { 1 + random.below(4) } else { 1 };
    for _ in 0..changes {
        if bytes.is_empty() {
            bytes.push(random.bits() as u8);
        }
        let end = end.clamp(1, bytes.len());
        one(random, bytes, end);
    }
}

/// Text with one or a few changes; what is no text any more is replaced.
pub fn text(random: &mut Random, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    change(random, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn one(random: &mut Random, bytes: &mut Vec<u8>, end: usize) {
    let at = random.below(end);
    let width = *random.one_of(&[1, 2, 4, 8]);
    let stretch =
        |random: &mut Random, longest: usize, length: usize| (at + 1 + random.below(longest)).min(length);
    match random.below(10) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.bits() as u8,
        2 => {
            let number = random.one_of(&NUMBERS).to_le_bytes();
            for (byte, new) in bytes[at..].iter_mut().zip(&number[..width]) {
                *byte = *new;
            }
        }
        3 => drop(bytes.drain(at..stretch(random, 16, bytes.len()))),
        4 => {
            let copied = bytes[at..stretch(random, 64, bytes.len())].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, copied);
        }
        5 => bytes.truncate(at),
        6 => drop(bytes.splice(at..at, random.bits().to_le_bytes()[..width].iter().copied())),
        7 => {
            let by = 1 + random.below(16) as u8;
            bytes[at] =
                if random.one_in(2) { bytes[at].wrapping_add(by) } else { bytes[at].wrapping_sub(by) };
        }
        8 => numeral(random, bytes, at),
        _ => drop(bytes.splice(at..at, random.one_of(&TEXTS).bytes())),
    }
}

/// Puts another number in the place of the first one from `at` on.
fn numeral(random: &mut Random, bytes: &mut Vec<u8>, at: usize) {
    let Some(begin) = bytes[at..].iter().position(u8::is_ascii_digit).map(|found| at + found) else { return };
    let digits = bytes[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.splice(begin..begin + digits, random.one_of(&NUMERALS).bytes());
}
