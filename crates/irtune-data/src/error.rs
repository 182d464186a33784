//! Everything that can be wrong with data, with the place and the way out.

use std::fmt;
use std::sync::Arc;

use crate::encoding::encode::EncodeError;
use crate::encoding::turns::ChatFailure;
use crate::place::Place;
use crate::votes::VotesError;

/// A list of names, shown as `"a", "b", "c"`; of many only the first, and of long ones the beginnings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted(pub Vec<String>);

/// Names of a list that are shown.
const SHOWN_NAMES: usize = 30;
/// Characters of a name that are shown.
const SHOWN_CHARACTERS: usize = 80;

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, name) in self.0.iter().take(SHOWN_NAMES).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match name.char_indices().nth(SHOWN_CHARACTERS) {
                Some((end, _)) => write!(f, "{comma}{:?}…", &name[..end])?,
                None => write!(f, "{comma}{name:?}")?,
            }
        }
        match self.0.len().saturating_sub(SHOWN_NAMES) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// What can go wrong between a data file and batches of token ids.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file can't be opened.
    #[error("{file}: cannot be opened: {source}")]
    Open {
        /// The file.
        file: Arc<str>,
        /// What the system says.
        source: std::io::Error,
    },
    /// Reading stopped with an error of the system.
    #[error("{file}:{line}: cannot be read: {source}")]
    Read {
        /// The file.
        file: Arc<str>,
        /// The line that was being read.
        line: usize,
        /// What the system says.
        source: std::io::Error,
    },
    /// The bytes aren't UTF-8.
    #[error(
        "{file}:{line}:{column}: not UTF-8; save the file as UTF-8 text, and unpack it first if it is compressed"
    )]
    InvalidUtf8 {
        /// The file.
        file: Arc<str>,
        /// The line of the first wrong byte.
        line: usize,
        /// The column of the first wrong byte, in characters.
        column: usize,
    },
    /// The file is of a kind that holds no rows.
    #[error("{file}: this is {what}; {way}")]
    NoRowsInside {
        /// The file.
        file: Arc<str>,
        /// What it is.
        what: &'static str,
        /// The way out.
        way: &'static str,
    },
    /// An Excel workbook can't be read.
    #[error("{file}: this Excel workbook can't be read: {reason}; save the sheet as CSV UTF-8")]
    Workbook {
        /// The file.
        file: Arc<str>,
        /// What its reader says.
        reason: String,
    },
    /// A compressed file unpacks to more than is read.
    #[error(
        "{file}: unpacked it holds more than {} MiB, which is the most that is read of a compressed file; split it, or \
         save it as CSV or JSON lines",
        limit >> 20
    )]
    Unpacked {
        /// The file.
        file: Arc<str>,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// Several sheets of a workbook could hold the rows.
    #[error(
        "{file}: which of its sheets holds the rows can't be told ({sheets}); keep one, or save it as CSV UTF-8"
    )]
    SeveralSheets {
        /// The file.
        file: Arc<str>,
        /// The sheets that aren't empty.
        sheets: Quoted,
    },
    /// A Parquet file can't be read.
    #[error(
        "{file}: this Parquet file can't be read: {reason}; write it anew{}, or as JSON lines",
        if .reason.contains("ompress") || .reason.contains("feature") { " with snappy or gzip compression or none" } else { "" }
    )]
    Parquet {
        /// The file.
        file: Arc<str>,
        /// What its reader says.
        reason: String,
    },
    /// Several lists in the file's one object could be its rows.
    #[error(
        "{file}: which of the lists {lists} holds the rows can't be told; write one of them as a file of its own, such as \
         with `jq '.{}[]'`",
        .lists.0.first().map_or("", String::as_str)
    )]
    SeveralLists {
        /// The file.
        file: Arc<str>,
        /// Their paths.
        lists: Quoted,
    },
    /// Columns of a file's one object hold other rows.
    #[error(
        "{file}: column {column:?} has no value for row {row:?}, which column {other:?} has; give each column the same rows"
    )]
    UnevenColumns {
        /// The file.
        file: Arc<str>,
        /// The column that lacks a row.
        column: String,
        /// A column that has it.
        other: String,
        /// The row's name.
        row: String,
    },
    /// A cell of a sheet has no value.
    #[error("{place}: column {column:?} holds {what}; {way}")]
    Cell {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// What the cell holds.
        what: String,
        /// The way out.
        way: &'static str,
    },
    /// A value of a row that is needed can't be read.
    #[error("{place}: a value that is needed can't be read: {source}")]
    Unreadable {
        /// The row.
        place: Place,
        /// What the JSON parser says.
        source: serde_json::Error,
    },
    /// An edit of a document lies elsewhere than it says.
    #[error(
        "{place}: edit {edit} of the document doesn't fit before_revision: its text stands not between start_char_pos and \
         end_char_pos"
    )]
    EditMisplaced {
        /// The document's row.
        place: Place,
        /// Which of its edits, counted from 1.
        edit: usize,
    },
    /// Nothing but blanks in the file.
    #[error("{file}: the file is empty; it needs one row per revision pair")]
    EmptyFile {
        /// The file.
        file: Arc<str>,
    },
    /// Neither the name nor the content tells the format.
    #[error(
        "{file}: neither the file's name nor its first line tells the format; name it .jsonl, .json, .csv or .tsv, \
         or start it with a JSON object or a header line with commas or tabs"
    )]
    UnknownFormat {
        /// The file.
        file: Arc<str>,
    },
    /// A row isn't valid JSON.
    #[error(
        "{file}:{line}:{column}: not valid JSON: {reason}; every row is one complete object, in a .jsonl file on one line"
    )]
    Json {
        /// The file.
        file: Arc<str>,
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
        /// What the JSON parser says, without its own position.
        reason: String,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// A row is JSON, but no object.
    #[error(
        "{file}:{line}:{column}: found {found} where a row was expected; write every row as an object, {{\"original\": …, \"revised\": …}}"
    )]
    NotAnObject {
        /// The file.
        file: Arc<str>,
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
        /// What stands there.
        found: &'static str,
    },
    /// Something other than a comma or a bracket between the rows of a JSON array.
    #[error("{file}:{line}:{column}: found {found:?} where {expected} was expected in the array of rows")]
    ArraySyntax {
        /// The file.
        file: Arc<str>,
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
        /// What stands there.
        found: char,
        /// What could stand there.
        expected: &'static str,
    },
    /// The file ends inside its JSON array.
    #[error(
        "{file}:{line}: the file ends inside its array of rows; it seems cut off, the closing \"]\" is missing"
    )]
    UnclosedArray {
        /// The file.
        file: Arc<str>,
        /// The last line.
        line: usize,
    },
    /// A quoted field is never closed.
    #[error(
        "{file}:{line}:{column}: this quoted field is never closed; close it with \", and write a quote inside it as \"\""
    )]
    UnclosedQuote {
        /// The file.
        file: Arc<str>,
        /// The line of the opening quote.
        line: usize,
        /// The column of the opening quote, in characters.
        column: usize,
    },
    /// A quoted field goes on after its closing quote.
    #[error(
        "{file}:{line}:{column}: text after a closing quote; inside a quoted field write a quote as \"\""
    )]
    TextAfterQuote {
        /// The file.
        file: Arc<str>,
        /// The line.
        line: usize,
        /// The column of the first character after the quote, in characters.
        column: usize,
    },
    /// A row has more or fewer fields than the header.
    #[error(
        "{file}:{line}: the row has {found} fields, the header has {expected}; put fields that hold the separator between quotes"
    )]
    RaggedRow {
        /// The file.
        file: Arc<str>,
        /// The line on which the row starts.
        line: usize,
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        found: usize,
    },
    /// A column that is read stands in the header, or in a row's object, twice.
    #[error("{place}: there is more than one column {column:?}; rename one of them")]
    DuplicateColumn {
        /// The header, or the row.
        place: Place,
        /// The name.
        column: String,
    },
    /// The columns found don't tell which one holds the original, revised text, label or document.
    #[error(
        "{file}: which column holds the {role} can't be told (candidates: {candidates}; columns found: {found}); \
         name the column yourself, or choose the preset iterater or re3"
    )]
    UndecidedColumns {
        /// The file.
        file: Arc<str>,
        /// What is looked for: `original`, `revised`, `label` or `group`.
        role: &'static str,
        /// The columns that could be it.
        candidates: Quoted,
        /// All columns of the file.
        found: Quoted,
    },
    /// A column that was asked for isn't there.
    #[error(
        "{place}: no column {column:?} for the {role} (columns found: {found}){}",
        if matches!(*.role, "original" | "revised") { "; an empty side is written as \"\"" } else { "" }
    )]
    MissingColumn {
        /// The row, or the header.
        place: Place,
        /// The column.
        column: String,
        /// What it should hold.
        role: &'static str,
        /// The columns that are there.
        found: Quoted,
    },
    /// A text is a whole document.
    #[error(
        "{place}: a text has {bytes} bytes, and at most {most} are compared; divide it into sentences or paragraphs, as \
         `irtune annotate` does with two drafts"
    )]
    TooLong {
        /// The row.
        place: Place,
        /// Its length.
        bytes: usize,
        /// The greatest length.
        most: usize,
    },
    /// A pair has too many changes for each to be left out once.
    #[error(
        "{place}: the pair has {changes} changes, and at most {most} are left out one by one; divide it into sentences, as \
         `irtune annotate` does with two drafts"
    )]
    ManyChanges {
        /// The row.
        place: Place,
        /// How many.
        changes: usize,
        /// The greatest number.
        most: usize,
    },
    /// A value isn't of the kind that the column holds.
    #[error("{place}: column {column:?} holds {found} where {expected} was expected")]
    WrongType {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// The kind of value that fits.
        expected: &'static str,
        /// The kind of value found.
        found: &'static str,
    },
    /// Neither original nor revised text.
    #[error(
        "{place}: original and revised text are both empty; a revision has at least one of them, so remove the row"
    )]
    BothSidesEmpty {
        /// The row.
        place: Place,
    },
    /// A row without label where one is needed.
    #[error(
        "{place}: the label{} is empty; training and evaluation need one in every row, predicting doesn't; \
         drop_unlabelled leaves such rows out",
        column.as_ref().map_or_else(String::new, |column| format!(" in column {column:?}"))
    )]
    MissingLabel {
        /// The row.
        place: Place,
        /// The label's column, where the row is a file's.
        column: Option<String>,
    },
    /// A row with several labels where a pair has one.
    #[error(
        "{place}: the row has several labels{} ({labels}), and a pair has one; set multi_label, or give the row one label",
        column.as_ref().map_or_else(String::new, |column| format!(" in column {column:?}"))
    )]
    SeveralLabels {
        /// The row.
        place: Place,
        /// The label's column.
        column: Option<String>,
        /// Its labels.
        labels: Quoted,
    },
    /// A row that does not say which labels it has, where it can have several.
    #[error(
        "{place}: the labels{} are empty; write a list, [\"a\", \"b\"], and [] for a pair that has none; \
         drop_unlabelled leaves such rows out",
        column.as_ref().map_or_else(String::new, |column| format!(" in column {column:?}"))
    )]
    MissingLabels {
        /// The row.
        place: Place,
        /// The labels' column, where the row is a file's.
        column: Option<String>,
    },
    /// A labelling tool's tasks answer several questions.
    #[error(
        "{place}: the answers are to several questions, {questions}; name the one that counts with --label-column"
    )]
    SeveralQuestions {
        /// The task.
        place: Place,
        /// The first two.
        questions: Quoted,
    },
    /// A row with weights of labels, where it can have several.
    #[error(
        "{place}: the row has weights of labels, and a pair either has a label or not (multi_label); write the list of \
         its labels, or leave multi_label out and set soft_labels"
    )]
    WeightedLabels {
        /// The row.
        place: Place,
    },
    /// A column of what several annotators said holds something else.
    #[error("{place}: column {column:?} holds {source}")]
    Votes {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// What is wrong.
        source: VotesError,
    },
    /// Soft labels are asked for, and there are none.
    #[error(
        "{name}: no row holds what several annotators said; soft_labels needs it: name the column of lists with \
         label_column, or leave soft_labels out"
    )]
    NoVotes {
        /// The file, or what the rows are called.
        name: Arc<str>,
    },
    /// No row is left.
    #[error("{name}: {}", no_rows(*.dropped, *.unlabelled))]
    NoRows {
        /// The file, or what the rows are called.
        name: Arc<str>,
        /// Rows dropped for their label.
        dropped: usize,
        /// Rows left out because they have none.
        unlabelled: usize,
    },
    /// A label to drop that no row has.
    #[error(
        "drop_labels: no row has the label {label:?}{}; the labels are {known}",
        suggest(.suggestion)
    )]
    NothingToDrop {
        /// The label to drop.
        label: String,
        /// The labels there are.
        known: Quoted,
        /// The label that resembles it most, or a list of several that is one label.
        suggestion: Option<String>,
    },
    /// The name of a preset isn't known.
    #[error("unknown column preset {name:?}; known are auto, iterater and re3")]
    UnknownPreset {
        /// The name given.
        name: String,
    },
    /// A classifier needs two labels or more.
    #[error("a classifier needs at least two different labels, found: {found}")]
    TooFewLabels {
        /// The labels there are.
        found: Quoted,
    },
    /// A label is empty or stands twice in a given set.
    #[error("the label {label:?} is empty or stands twice in the label set; give every label once")]
    BadLabel {
        /// The label.
        label: String,
    },
    /// A row's label isn't in the label set.
    #[error("{place}: unknown label {label:?}{}; known labels: {known}", suggest(.suggestion))]
    UnknownLabel {
        /// The row.
        place: Place,
        /// The label.
        label: String,
        /// The label set.
        known: Quoted,
        /// The known label that resembles it most.
        suggestion: Option<String>,
    },
    /// A template names a placeholder that doesn't exist.
    #[error(
        "{template}:{line}: unknown placeholder {{{placeholder}}}; known are {{labels}}, {{original}}, {{revised}}, {{removed}}, {{added}} and {{marked}}, and {{{{ writes a brace"
    )]
    UnknownPlaceholder {
        /// The template's name or file.
        template: String,
        /// The line.
        line: usize,
        /// The name between the braces.
        placeholder: String,
    },
    /// A template opens a brace and doesn't close it on the line.
    #[error(
        "{template}:{line}: a brace is opened and not closed on its line; write {{{{ for a brace in the text"
    )]
    UnclosedPlaceholder {
        /// The template's name or file.
        template: String,
        /// The line.
        line: usize,
    },
    /// A template that shows neither the revised text nor the change.
    #[error(
        "{template}: the template shows no revision; use {{revised}}, {{marked}}, or both {{removed}} and {{added}}"
    )]
    ShowsNoRevision {
        /// The template's name or file.
        template: String,
    },
    /// The prompt's fixed text leaves no room for a pair.
    #[error("max_length {max_length} is too small: the prompt's fixed text takes {fixed} tokens and a pair needs at least {room} more; set max_length to {} or higher", .fixed + .room)]
    MaxLength {
        /// The limit set, in tokens.
        max_length: usize,
        /// Tokens of the prompt around an empty pair.
        fixed: usize,
        /// Tokens that a pair needs at least.
        room: usize,
    },
    /// The tokenizer refused a row's prompt.
    #[error("{place}: {source}")]
    Row {
        /// The row.
        place: Place,
        /// The tokenizer's error.
        source: EncodeError,
    },
    /// The tokenizer refused the prompt's fixed text.
    #[error("the prompt's fixed text: {source}")]
    Prompt {
        /// The tokenizer's error.
        source: EncodeError,
    },
    /// The file of the labels' words is something else.
    #[error("{file}: {source}; write one JSON object, {{\"label\": \"words\", …}}")]
    VerbalizerFile {
        /// The file.
        file: Arc<str>,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Words for a label that isn't there.
    #[error("{file}: there is no label {label:?}; known labels: {known}")]
    VerbalizerLabel {
        /// The file.
        file: Arc<str>,
        /// The label it names.
        label: String,
        /// The labels there are.
        known: Quoted,
    },
    /// Words that are empty, or another label's too.
    #[error(
        "the label {label:?} has the words {words:?}, which are empty or another label's; change them with label_words"
    )]
    Verbalizer {
        /// The label.
        label: String,
        /// Its words.
        words: String,
    },
    /// A prompt that no answer can follow.
    #[error(
        "the prompt ends with the pair's own text; to name a label, end it with a cue such as \"Intention:\", as the \
         prompt `instruction` does"
    )]
    NoCue,
    /// The base takes no such conversation.
    #[error("the prompt `{template}` can't be put into a chat: {source}; leave the chat out")]
    Chat {
        /// The template.
        template: String,
        /// Why.
        source: ChatFailure,
    },
    /// A text that a chat template leaves out, repeats or writes otherwise.
    #[error(
        "the prompt `{template}` can't be put into a chat: the base's chat template doesn't keep its texts as they are; leave \
         the chat out"
    )]
    ChatChanges {
        /// The template.
        template: String,
    },
    /// Words that can't be told from the beginning of another label's.
    #[error(
        "the tokens of the words {shorter:?} begin those of {longer:?}, another label's, which could therefore never be the \
         likelier; change them with label_words"
    )]
    WordsBegin {
        /// The words that begin others.
        shorter: String,
        /// The words that they begin.
        longer: String,
    },
    /// Tokens that are partly the prompt's and partly the words'.
    #[error(
        "the tokenizer doesn't cut between the prompt's end {cue:?} and {words:?}; end the template without a blank"
    )]
    WordsMerge {
        /// The prompt's end.
        cue: String,
        /// The words.
        words: String,
    },
    /// Not enough pairs to show.
    #[error(
        "{shots} pairs of every label are to be shown, but only {pairs} have the label {label:?}{}; lower shots, or add pairs",
        match asked { 0 => String::new(), asked => format!(" and are not asked about ({asked} are)") }
    )]
    TooFewShots {
        /// The label.
        label: String,
        /// Pairs that have it, and are not asked about.
        pairs: usize,
        /// Pairs that are wanted.
        shots: usize,
        /// Pairs that have it and are asked about, and so aren't shown.
        asked: usize,
    },
    /// A hold-out's fraction isn't between 0 and 1.
    #[error(
        "the validation fraction {fraction} must lie between 0 and 1, both excluded; 0.1 holds out every tenth row"
    )]
    Fraction {
        /// The fraction given.
        fraction: f64,
    },
    /// A hold-out would leave one side without rows.
    #[error(
        "holding out {fraction} of {rows} rows in {groups} documents leaves the {side} side empty; \
         change the fraction, add documents, or give a validation file"
    )]
    EmptyHoldOut {
        /// The side: `training` or `validation`.
        side: &'static str,
        /// Rows there are.
        rows: usize,
        /// Groups there are.
        groups: usize,
        /// The fraction asked for.
        fraction: f64,
    },
    /// Too few documents for a cross-validation.
    #[error(
        "{rows} rows in {groups} documents can't be divided into {parts} parts; use 2 parts or more, and no more than \
         there are documents"
    )]
    FewGroups {
        /// Parts asked for.
        parts: usize,
        /// Rows there are.
        rows: usize,
        /// Groups there are.
        groups: usize,
    },
    /// No such number of training rows.
    #[error(
        "train_size: {size} of {rows} training pairs can't be taken; use a number from 1 to {rows}, or leave it out"
    )]
    SubsetSize {
        /// Rows asked for.
        size: usize,
        /// Rows there are.
        rows: usize,
    },
    /// No examples, or batches of none.
    #[error("cannot make batches of {batch_size} from {examples} examples; both must be at least 1")]
    EmptyBatches {
        /// Examples there are.
        examples: usize,
        /// Examples per batch.
        batch_size: usize,
    },
}

/// Why there is nothing to use.
fn no_rows(dropped: usize, unlabelled: usize) -> String {
    if dropped + unlabelled == 0 {
        return "there are no rows in it; it needs one for each pair".to_owned();
    }
    let without = match unlabelled {
        0 => String::new(),
        rows => format!(", {rows} because they have none"),
    };
    format!("no rows to use ({dropped} were dropped for their label{without}); add labelled rows")
}

fn suggest(suggestion: &Option<String>) -> String {
    let quotes = |label: &str| match label.contains(',') {
        true => "; in a list write a label with a comma between double quotes",
        false => "",
    };
    let suggestion = suggestion.as_ref().map(|label| format!(" (did you mean {label:?}{}?)", quotes(label)));
    suggestion.unwrap_or_default()
}
