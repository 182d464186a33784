//! Reads LaTeX from left to right.

use super::accents::{accented, is_accent};
use super::commands::{Environment, Meaning, environment, meaning};
use crate::block::BlockKind;
use crate::document::Document;

/// How deep commands may stand in each other's arguments; what is deeper is left out.
const DEEPEST: usize = 40;

/// Reads one text; arguments that are blocks of their own get a scanner of their own.
pub(super) struct Scanner<'a> {
    /// What is left to read.
    rest: &'a str,
    document: Document,
    /// The text of the block at hand.
    text: String,
    /// Whether that is an item of a list.
    item: bool,
    /// Footnotes and captions of the block at hand, which follow it.
    later: Vec<(BlockKind, String)>,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Scanner::within(text, 0)
    }

    fn within(text: &'a str, depth: usize) -> Self {
        let (document, later) = (Document::default(), Vec::new());
        Scanner { rest: text, document, text: String::new(), item: false, later, depth }
    }

    pub fn scan(mut self) -> Document {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '%' => self.comment(),
                '\n' if self.is_empty_line() => {
                    self.flush();
                    self.rest = self.rest.trim_start();
                }
                '\\' => self.command(),
                '$' => self.dollar(),
                '{' | '}' => self.skip(1),
                '~' | '&' => self.replace(1, " "),
                _ => self.mark(next),
            }
        }
        self.flush();
        self.document
    }

    /// Quotation marks and dashes, or a letter as it is.
    fn mark(&mut self, next: char) {
        let marks = [("---", "—"), ("--", "–"), ("``", "\""), ("''", "\""), ("`", "'")];
        match marks.iter().find(|(typed, _)| self.rest.starts_with(typed)) {
            Some((typed, text)) => self.replace(typed.len(), text),
            None => {
                self.text.push(next);
                self.skip(next.len_utf8());
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn replace(&mut self, bytes: usize, text: &str) {
        self.text.push_str(text);
        self.skip(bytes);
    }

    /// Skips up to and with `end`, and gives what stands before it; all that is left where there is none.
    fn until(&mut self, end: &str) -> &'a str {
        match self.rest.find(end) {
            Some(at) => {
                let found = &self.rest[..at];
                self.skip(at + end.len());
                found
            }
            None => std::mem::take(&mut self.rest),
        }
    }

    /// A comment goes on to the end of its line, and takes the line's end with it.
    fn comment(&mut self) {
        self.until("\n");
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn is_empty_line(&self) -> bool {
        self.rest[1..].trim_start_matches([' ', '\t']).starts_with('\n')
    }

    fn flush(&mut self) {
        let kind = if std::mem::take(&mut self.item) { BlockKind::ListItem } else { BlockKind::Paragraph };
        self.document.push(kind, &std::mem::take(&mut self.text));
        for (kind, text) in self.later.drain(..) {
            self.document.push(kind, &text);
        }
    }

    fn dollar(&mut self) {
        let fence = if self.rest.starts_with("$$") { "$$" } else { "$" };
        let inner = &self.rest[fence.len()..];
        let mut escaped = false;
        let end = inner.char_indices().find(|&(at, letter)| {
            let ends = !escaped && inner[at..].starts_with(fence);
            escaped = letter == '\\' && !escaped;
            ends
        });
        match end.filter(|(at, _)| !inner[..*at].contains("\n\n")) {
            Some((at, _)) => {
                self.replace(fence.len() + at + fence.len(), &format!("{fence}{}{fence}", &inner[..at]))
            }
            None => self.replace(1, "$"),
        }
    }

    /// The argument that comes next: a group without its braces, or one letter or command; nothing at the end.
    fn argument(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start_matches([' ', '\t']);
        let first = rest.chars().next()?;
        let length = match first {
            '{' => matching(rest, '{', '}')?,
            '\\' => 1 + name_length(&rest[1..]),
            letter => letter.len_utf8(),
        };
        self.rest = &rest[length..];
        let whole = &rest[..length];
        Some(whole.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(whole))
    }

    /// Skips what stands in brackets, directly after a command.
    fn options(&mut self) {
        while self.rest.starts_with('[')
            && let Some(length) = matching(self.rest, '[', ']')
        {
            self.skip(length);
        }
    }

    /// Skips options and groups that follow directly, and gives the last group.
    fn arguments(&mut self) -> Option<&'a str> {
        let mut last = None;
        loop {
            self.options();
            match self.rest.starts_with('{') && matching(self.rest, '{', '}').is_some() {
                true => last = self.argument(),
                false => return last,
            }
        }
    }

    /// The text of an argument, on one line.
    fn text_of(&self, argument: &str) -> String {
        if self.depth >= DEEPEST {
            return String::new();
        }
        let document = Scanner::within(argument, self.depth + 1).scan();
        document.blocks.into_iter().map(|block| block.text).collect::<Vec<_>>().join(" ")
    }

    fn command(&mut self) {
        let after = &self.rest[1..];
        let length = name_length(after);
        let name = &after[..length];
        self.skip(1 + length);
        if name.is_empty() {
            return;
        }
        if name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && !self.rest.starts_with('\n') {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
        }
        match name {
            "begin" => self.begin(),
            "end" => {
                self.argument();
                self.flush();
            }
            "[" | "(" => {
                let (end, fence) = if name == "[" { ("\\]", "$$") } else { ("\\)", "$") };
                let inner = self.until(end).trim();
                self.text.push_str(&format!("{fence}{inner}{fence}"));
            }
            "verb" => {
                let fence = self.rest.chars().next().unwrap_or(' ');
                self.skip(self.rest.chars().next().map_or(0, char::len_utf8));
                let typed = self.until(fence.encode_utf8(&mut [0; 4]));
                self.text.push_str(typed);
            }
            _ if is_accent(name) => {
                let letter = self.argument().unwrap_or_default();
                let letter = self.text_of(letter);
                self.text.push_str(&accented(name, &letter));
            }
            _ => self.act(name),
        }
    }

    fn act(&mut self, name: &str) {
        match meaning(name) {
            Meaning::Block(kind) => {
                self.options();
                let text = self.argument().map(|argument| self.text_of(argument)).unwrap_or_default();
                match kind {
                    BlockKind::Heading => {
                        self.flush();
                        self.document.push(kind, &text);
                    }
                    _ => self.later.push((kind, text)),
                }
            }
            Meaning::Reference => {
                let target = self.arguments().unwrap_or_default();
                let words: Vec<&str> = target.split_whitespace().collect();
                self.text.push_str(&format!("[{}]", words.concat()));
            }
            Meaning::Literal => {
                let typed = self.argument().unwrap_or_default();
                self.text.push_str(typed);
            }
            Meaning::Definition => {
                if self.rest.starts_with('\\') {
                    self.argument();
                }
                if self.rest.starts_with('#') {
                    self.skip(self.rest.find('{').unwrap_or(self.rest.len()));
                }
                self.arguments();
            }
            Meaning::After(skipped) => {
                for _ in 0..skipped {
                    self.options();
                    self.argument();
                }
            }
            Meaning::Nothing => drop(self.arguments()),
            Meaning::Blank => {
                self.options();
                self.text.push(' ');
            }
            Meaning::Break => self.flush(),
            Meaning::Item => {
                self.flush();
                self.item = true;
            }
            Meaning::Text(text) => self.text.push_str(text),
            Meaning::Transparent => {
                if matching(self.rest, '[', ']').is_some_and(|length| self.rest[length..].starts_with('{')) {
                    self.options();
                }
            }
        }
    }

    fn begin(&mut self) {
        let Some(name) = self.argument() else { return };
        match environment(name) {
            Environment::Prose => {
                self.flush();
                self.arguments();
            }
            Environment::Math => {
                let inner = self.inside(name);
                self.text.push_str(&format!(" $${}$$ ", inner.trim()));
            }
            Environment::Float => {
                let inner = self.inside(name);
                let mut float = Scanner::within(inner, self.depth);
                while let Some(at) = float.rest.find("\\caption") {
                    float.skip(at + "\\caption".len());
                    float.rest =
                        float.rest.trim_start_matches(|letter: char| letter.is_alphabetic() || letter == '*');
                    float.options();
                    if let Some(caption) = float.argument() {
                        self.later.push((BlockKind::Caption, self.text_of(caption)));
                    }
                }
            }
            Environment::Verbatim | Environment::Nothing => drop(self.inside(name)),
        }
    }

    /// What stands in an environment that has begun; those of the same name in it are part of it.
    fn inside(&mut self, name: &str) -> &'a str {
        let (begin, end) = (format!("\\begin{{{name}}}"), format!("\\end{{{name}}}"));
        let whole = self.rest;
        let mut open = 1;
        while open > 0 {
            let Some(at) = self.rest.find(&end) else {
                self.rest = "";
                return whole;
            };
            let begun = environment(name) != Environment::Verbatim;
            open += if begun { self.rest[..at].matches(&begin).count() } else { 0 };
            open -= 1;
            self.skip(at + end.len());
        }
        &whole[..whole.len() - self.rest.len() - end.len()]
    }
}

/// How long a command's name is: letters and a star, or one other character.
fn name_length(text: &str) -> usize {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    match letters {
        0 => text.chars().next().map_or(0, char::len_utf8),
        _ => letters + usize::from(text[letters..].starts_with('*')),
    }
}

/// How long a text in braces or brackets is, they included; nothing where it doesn't begin with one or none closes it.
fn matching(text: &str, open: char, close: char) -> Option<usize> {
    let (mut depth, mut escaped) = (0usize, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == open => depth += 1,
            _ if letter == close => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + letter.len_utf8());
                }
            }
            _ => {}
        }
        if depth == 0 {
            return None;
        }
    }
    None
}
