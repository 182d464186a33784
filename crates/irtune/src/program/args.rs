//! The command line as it is written; what it means is settled in [`irtune::settings`].

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use irtune_data::{Columns, DataError};
use irtune_select::METHODS;

use super::flags::{All, Baseline, Flags, OfMethod, Planned, Shared};
use irtune::compare::TrainSize;

/// Fine-tunes a language model, a few layers at a time, to tell why a text was revised.
#[derive(Debug, Parser)]
#[command(
    name = "irtune",
    version,
    arg_required_else_help = true,
    after_help = "Example:\n  irtune quickstart"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Tell more of what happens; twice for every detail
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 900)]
    pub verbose: u8,
}

/// One command a variant.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See it work: fetch a small base, train it for about three minutes, classify two revisions
    Quickstart(QuickstartArguments),
    /// Fine-tune a base on labelled revisions
    Train(TrainArguments),
    /// List bases that have a short name: their size, licence and the memory that training takes
    Models(ModelsArguments),
    /// Say what a run would take, before it is begun: memory, and time on this machine
    Plan(PlanArguments),
    /// Train a linear model on the words that changed, in seconds: what a fine-tuned model has to beat
    Baseline(BaselineArguments),
    /// Run methods, adapters and seeds side by side and report how they differ
    Compare(CompareArguments),
    /// Show what files of revisions hold: labels, lengths, repeats, agreement, and leaks between splits
    Data(DataArguments),
    /// Write pairs as another kind of file: for a labelling tool, for Hugging Face's datasets, as a table
    Convert(ConvertArguments),
    /// Measure a run on labelled revisions
    Eval(EvalArguments),
    /// Classify revisions
    Predict(PredictArguments),
    /// Tell why each revision between two drafts of a document was made
    Annotate(AnnotateArguments),
    /// Show which change of each revision its label hangs on
    Explain(ExplainArguments),
    /// Answer requests over HTTP, and show a page that takes two drafts
    Serve(ServeArguments),
    /// Let the base classify revisions itself, by how likely it finds each label's words: no training
    Prompt(PromptArguments),
    /// Combine a finished run with the linear model of its pairs, without training it again
    Combine(CombineArguments),
    /// Make a whole model of a run and its base
    Merge(MergeArguments),
    /// Put a model on the Hugging Face hub
    Push(PushArguments),
    /// Write a model in fewer bits: a smaller GGUF of a GGUF
    Quantize(QuantizeArguments),
    /// Show what a run did, or what a base model holds
    Inspect(InspectArguments),
    /// Show which layers a method would have chosen from the scores that a run recorded
    Replay(ReplayArguments),
    /// Write the script with which a shell completes commands, flags and their values
    Completions(CompletionsArguments),
}

/// `irtune quickstart`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  irtune quickstart\n  irtune quickstart --base models/SmolLM2-135M-Instruct --out runs/first"
)]
pub struct QuickstartArguments {
    /// Base model: a folder, a .gguf file, smollm2, or hf:ORG/NAME[@REVISION]
    #[arg(long, value_name = "BASE", default_value = "smollm2")]
    pub base: String,
    /// The run folder to make; must not exist yet [default: runs/quickstart-1, or the next free number]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Change a training setting; may be repeated (`irtune train --help` lists them)
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `irtune train`
#[derive(Debug, Args)]
#[command(after_help = train_help())]
pub struct TrainArguments {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Change a setting; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Continue an interrupted run from its last checkpoint, or a cross-validation, with its own settings; --base says where its base lies now, if that has moved
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "set"])]
    pub resume: Option<PathBuf>,
    /// Cross-validate: train a run for each of N parts of the training pairs, tested on that part, one after the other
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = clap::value_parser!(u16).range(2..))]
    pub folds: Option<u16>,
    /// Print the summary as JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// A flag for each setting.
    #[command(flatten)]
    pub settings: Flags<All>,
}

/// What stands below the settings: the methods, where else settings can be written, examples.
fn train_help() -> String {
    let methods: Vec<String> =
        METHODS.iter().map(|method| format!("  {}: {}", method.name, method.summary)).collect();
    format!("Methods:\n{}\n\n{TRAIN_HELP}", methods.join("\n"))
}

const TRAIN_HELP: &str = "Every setting can also be a key of the --config file (learning_rate = 1e-4), an environment variable \
(IRTUNE_LEARNING_RATE=1e-4) or --set learning_rate=1e-4. Flags win over the environment, that over the file, that over \
the defaults.\n\nExamples:\n  irtune train --base smollm2 --train train.jsonl --test test.jsonl --out runs/first\n  irtune \
train --config run.toml --set learning_rate=1e-4 --set target_modules=q_proj,v_proj\n  irtune train --base smollm2 --train \
all.jsonl --folds 5 --out runs/folds\n  irtune train --resume runs/first";

/// `irtune models`
#[derive(Debug, Args)]
#[command(
    after_help = "Any other model of a family in docs/families.md works too: a folder, a .gguf file, or hf:ORG/NAME.\n\nExamples:\n  \
irtune models\n  irtune models --json"
)]
pub struct ModelsArguments {
    /// Print the list as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// `irtune plan`
#[derive(Debug, Args)]
#[command(
    after_help = "Reads and encodes the pairs as a run does, then runs a few layers of the base for about two seconds. Nothing \
is trained or written. Takes every setting of `irtune train`.\n\nExamples:\n  irtune plan --base smollm2 --train train.jsonl \
--test test.jsonl\n  irtune plan --base hf:Qwen/Qwen3-1.7B-Base --train train.jsonl --memory 4GB --json"
)]
pub struct PlanArguments {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Change a setting; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Print the plan as JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// A flag for each setting.
    #[command(flatten)]
    pub settings: Flags<Planned>,
}

/// `irtune baseline`
#[derive(Debug, Args)]
#[command(
    after_help = "Logistic regression on counters of the change and on the words that were removed, added or stand beside a \
change. How strongly it is regularised is chosen on the validation pairs. It needs no base model. The run folder is read \
by predict, eval and inspect, which shows the words that speak for each label.\n\nExample:\n  irtune baseline --train \
train.jsonl --validation validation.jsonl --test test.jsonl --out runs/linear"
)]
pub struct BaselineArguments {
    /// Print the summary as JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// A flag for each setting that it reads.
    #[command(flatten)]
    pub settings: Flags<Baseline>,
}

/// `irtune compare`
#[derive(Debug, Args)]
#[command(after_help = COMPARE_HELP)]
pub struct CompareArguments {
    /// The comparison's folder: new, or one to go on with
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What is compared (TOML); the folder's own compare.toml when it has one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Methods, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub methods: Vec<String>,
    /// Adapters, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub adapters: Vec<String>,
    /// Seeds, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seeds: Vec<u64>,
    /// Numbers of training pairs for learning curves, such as 50,100,200,all
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub train_sizes: Vec<TrainSize>,
    /// Test on each of so many parts of the training pairs in turn, documents kept together
    #[arg(long, value_name = "N")]
    pub folds: Option<u64>,
    /// The method that all others are compared with; every method with every other when not given
    #[arg(long, value_name = "NAME")]
    pub reference: Option<String>,
    /// Change a setting of every run; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Run nothing: report on the runs that are finished
    #[arg(long)]
    pub report_only: bool,
    /// Print the results as JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// A flag for each setting that all runs share.
    #[command(flatten)]
    pub settings: Flags<Shared>,
}

const COMPARE_HELP: &str = "Runs every method with every adapter and seed, each into a run folder of its own under DIR/runs, \
and leaves out what is finished: after Ctrl-C the same command goes on. Every setting of `irtune train` that all runs \
share is also a flag here (--max-steps 100); IRTUNE_… variables are not read. DIR then holds table.md, table.csv, \
results.json and report.html, which opens in any browser.\n\nExamples:\n  irtune compare --base smollm2 --train train.jsonl \
--test test.jsonl --methods ir,full --seeds 171,172 --out runs/first\n  irtune compare --config compare.toml --out \
runs/second\n  irtune compare --out runs/second --report-only\n\nA file:\n  base = \"smollm2\"\n  seeds = [171, 172, \
173]\n\n  [settings]\n  max_steps = 100\n\n  [[corpus]]\n  name = \"iterater\"\n  train = \"train.jsonl\"\n  test = \
\"test.jsonl\"\n\n  [[method]]\n  method = \"ir\"\n\n  [[method]]\n  name = \"top 8\"\n  method = \"fixed\"\n  layers = \
\"top:8\"";

/// `irtune data`
#[derive(Debug, Args)]
#[command(
    after_help = "Each file is held against those before it: the same pairs, reversed ones, nearly the same ones, the same \
documents. Where the label column holds a list, one entry an annotator, their agreement is shown.\n\nExamples:\n  irtune \
data pairs.csv\n  irtune data --train train.jsonl --validation validation.jsonl --test test.jsonl\n  irtune data \
annotated.jsonl --label-column raw_intents --json\n  irtune data --suspects runs/folds --out suspects.jsonl"
)]
pub struct DataArguments {
    /// Files of pairs (JSON, CSV, TSV, .xlsx or Parquet)
    #[arg(value_name = "FILE", required_unless_present_any = ["train", "validation", "test", "suspects"])]
    pub files: Vec<PathBuf>,
    /// The pairs to train on
    #[arg(long, value_name = "FILE")]
    pub train: Option<PathBuf>,
    /// The pairs to validate on
    #[arg(long, value_name = "FILE")]
    pub validation: Option<PathBuf>,
    /// The pairs to test on
    #[arg(long, value_name = "FILE")]
    pub test: Option<PathBuf>,
    /// Which columns mean what.
    #[command(flatten)]
    pub columns: ColumnArguments,
    /// Column of the document
    #[arg(long, value_name = "NAME")]
    pub group_column: Option<String>,
    /// A pair can have several labels, or none: its label is a list, which is not what several annotators said
    #[arg(long)]
    pub multi_label: bool,
    /// What becomes of rows without label, which only --multi-label needs.
    #[command(flatten)]
    pub unlabelled: UnlabelledArguments,
    /// Show the pairs whose label the runs of a cross-validation contradict (irtune train --folds), the worst first
    #[arg(long, value_name = "RUN", conflicts_with_all = ["files", "train", "validation", "test", "group_column", "multi_label", "drop_unlabelled"])]
    pub suspects: Option<PathBuf>,
    /// Write all of these pairs to this file, a JSON object a line
    #[arg(long, value_name = "FILE", requires = "suspects")]
    pub out: Option<PathBuf>,
    /// Print everything as JSON to standard output, with every row that is counted
    #[arg(long)]
    pub json: bool,
}

/// `irtune convert`
#[derive(Debug, Args)]
#[command(
    after_help = "Any file of pairs is read. docs/data.md says what each format holds.\n\nExamples:\n  irtune convert pairs.jsonl \
--out pairs.parquet\n  irtune convert tasks.json --out pairs.csv\n  irtune predict --run runs/first --data pairs.jsonl > \
predictions.jsonl\n  irtune convert pairs.jsonl --predictions predictions.jsonl --out tasks.json --to label-studio"
)]
pub struct ConvertArguments {
    /// The pairs
    #[arg(value_name = "FILE")]
    pub data: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What to write: jsonl, csv, parquet, label-studio, doccano, argilla, iterater or re3 [default: by the ending of --out]
    #[arg(long, value_name = "FORMAT")]
    pub to: Option<String>,
    /// What `irtune predict` said of the same pairs; for label-studio and argilla
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// A pair can have several labels, or none
    #[arg(long)]
    pub multi_label: bool,
    /// Which columns mean what.
    #[command(flatten)]
    pub columns: ColumnArguments,
}

/// `irtune eval`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  irtune eval --run runs/first --data test.jsonl --json\n  irtune eval --run runs/first --data \
test.jsonl --abstain-below 0.7"
)]
pub struct EvalArguments {
    /// Which run, how to read the data, and where it runs.
    #[command(flatten)]
    pub inference: InferenceArguments,
    /// What becomes of rows without label.
    #[command(flatten)]
    pub unlabelled: UnlabelledArguments,
    /// Print the figures as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// What becomes of rows without label, of commands that need one.
#[derive(Debug, Args)]
pub struct UnlabelledArguments {
    /// Leave out rows without label, instead of ending with an error
    #[arg(long)]
    pub drop_unlabelled: bool,
}

/// `irtune annotate`
#[derive(Debug, Args)]
#[command(
    after_help = "Drafts are plain text, Markdown (.md), LaTeX (.tex) or Word documents (.docx); one Word document with \
tracked changes is two drafts in one. Without --out every revision is shown in the terminal.\n\nExamples:\n  irtune annotate \
draft1.docx draft2.docx --run runs/first --out revisions.html\n  irtune annotate tracked.docx --run runs/first --out \
revisions.html --out revisions.csv\n  irtune annotate paper.tex --git v1..v2 --run runs/first\n  irtune annotate first/ \
second/ --run runs/first --out revisions.jsonl\n  irtune annotate first/ second/ --run runs/first --out pages/ --to html,m2"
)]
pub struct AnnotateArguments {
    /// The old draft, or a folder of old drafts
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The new draft, or a folder of new drafts with the names of the old ones; left out for Word documents with tracked changes, or with --git
    #[arg(value_name = "NEW", conflicts_with = "git")]
    pub new: Option<PathBuf>,
    /// Take both drafts of the file OLD from git: the revisions before and after the two dots
    #[arg(long, value_name = "REV1..REV2")]
    pub git: Option<String>,
    /// How the drafts are written, where their names don't say it: text, markdown, latex or docx
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Which run, and where it runs.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Write the revisions to this file: .html is a page to look at, .docx a Word document with tracked changes and comments, .jsonl and .csv a row a revision, .json IteraTeR's layout of documents, .m2 sentences with their edits; may be repeated. Of folders: one .jsonl file, or a folder
    #[arg(long, value_name = "FILE")]
    pub out: Vec<PathBuf>,
    /// Of folders: what is written of each document into the folder --out: html, docx, jsonl, csv, json or m2, with commas between several [default: html]
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub to: Vec<String>,
    /// Print every revision as a JSON object a line to standard output
    #[arg(long)]
    pub json: bool,
}

/// `irtune explain`
#[derive(Debug, Args)]
#[command(
    after_help = "Each change is left out once: the number before it says by how much the probability of the revision's label \
falls without it.\n\nExamples:\n  irtune explain --run runs/first --data new.jsonl\n  irtune explain --run runs/first \
--data new.jsonl --json > explained.jsonl"
)]
pub struct ExplainArguments {
    /// Which run, how to read the data, and where it runs.
    #[command(flatten)]
    pub inference: InferenceArguments,
    /// Print a JSON object a pair: its prediction, and its changes with their effects
    #[arg(long)]
    pub json: bool,
}

/// `irtune serve`
#[derive(Debug, Args)]
#[command(
    after_help = "Only this machine is answered unless --listen says otherwise, and then only who shows the token. docs/serve.md \
has the requests, docs/labelling.md the page on which labels are corrected.\n\nExamples:\n  irtune serve --run runs/first\n  \
irtune serve --run runs/first --project essays\n  irtune serve --run runs/first --listen 0.0.0.0:8420 \
--token-file token.txt\n  curl -s localhost:8420/v1/classify -H 'content-type: application/json' -d '{\"pairs\": \
[{\"original\": \"He go home.\", \"revised\": \"He goes home.\"}]}'"
)]
pub struct ServeArguments {
    /// Which run, and where it runs.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Where to listen: an address of this machine and a port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8420")]
    pub listen: String,
    /// A file with the token that requests have to show; needed where other machines can ask
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Keep drafts, corrected labels and models trained on them in this folder, which is made where it isn't there; without
    /// it nothing is kept
    #[arg(long, value_name = "FOLDER")]
    pub project: Option<PathBuf>,
    /// Pairs of a request, at most
    #[arg(long, value_name = "N", default_value = "4096", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_pairs: u32,
    /// Megabytes of a request, at most
    #[arg(long, value_name = "MB", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_body: u32,
    /// Requests that may wait for the model; further ones are told to come again
    #[arg(long, value_name = "N", default_value = "256", value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub queue: u32,
    /// The keys of a Label Studio task's data that hold the original and the revised text, if they aren't found by themselves
    #[arg(long, value_name = "ORIGINAL,REVISED")]
    pub label_studio_keys: Option<String>,
    /// Seconds that a request may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u32).range(1..))]
    pub timeout: u32,
}

/// `irtune predict`
#[derive(Debug, Args)]
#[command(
    after_help = "Writes one JSON object a pair to standard output, in input order.\n\nExamples:\n  irtune predict \
--run runs/first --data new.jsonl > predictions.jsonl\n  echo '{\"original\": \"He go home.\", \"revised\": \"He \
goes home.\"}' | irtune predict --run runs/first --data -\n  irtune predict --run runs/first --data new.jsonl \
--abstain-below 0.7"
)]
pub struct PredictArguments {
    /// Which run, how to read the data, and where it runs.
    #[command(flatten)]
    pub inference: InferenceArguments,
    /// Write what the model reads of each pair (token ids, changed tokens, counters) instead of its answer, for modeling_irtune.py
    #[arg(long)]
    pub inputs: bool,
}

/// What `eval` and `predict` share.
#[derive(Debug, Args)]
pub struct InferenceArguments {
    /// Which run, and where it runs.
    #[command(flatten)]
    pub model: ModelArguments,
    /// The pairs (JSON, CSV, TSV, .xlsx or Parquet); predict and explain also read JSONL from standard input with -
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Which columns mean what.
    #[command(flatten)]
    pub columns: ColumnArguments,
}

/// A run that is used, and how.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// The run folder, or a merged model
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// The base model, if it is no longer where the run found it
    #[arg(long, value_name = "BASE")]
    pub base: Option<String>,
    /// Pairs in a batch, at most; batches of long pairs have fewer
    #[arg(long, value_name = "N", default_value = "32")]
    pub batch_size: String,
    /// auto, bf16, int16, int8 or f32
    #[arg(long, value_name = "PRECISION", default_value = "auto")]
    pub precision: String,
    /// Threads; all cores when not given
    #[arg(long, value_name = "N")]
    pub threads: Option<String>,
    /// Give no label where the most probable one is less probable than P (docs/probabilities.md)
    #[arg(long, value_name = "P")]
    pub abstain_below: Option<String>,
    /// Leave the run's calibration.json alone: the model's plain outputs, the highest of them is the label
    #[arg(long)]
    pub uncalibrated: bool,
}

/// Which columns mean what, of a command that doesn't train.
#[derive(Debug, Args)]
pub struct ColumnArguments {
    /// A known layout of columns: auto, iterater or re3
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Column of the original text; in JSON also inside of another: data.original
    #[arg(long, value_name = "NAME")]
    original_column: Option<String>,
    /// Column of the revised text
    #[arg(long, value_name = "NAME")]
    revised_column: Option<String>,
    /// Column of the label, or of a list of several annotators' labels
    #[arg(long, value_name = "NAME")]
    label_column: Option<String>,
    /// Column of the pair's own name, kept in predictions
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
}

impl ColumnArguments {
    /// The columns that are named; the others are found by their usual names.
    ///
    /// # Errors
    /// When the preset is unknown.
    pub fn read(&self) -> Result<Columns, DataError> {
        Ok(Columns {
            preset: self.preset.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
            original: self.original_column.clone(),
            revised: self.revised_column.clone(),
            label: self.label_column.clone(),
            id: self.id_column.clone(),
            ..Columns::default()
        })
    }
}

/// `irtune prompt`
#[derive(Debug, Args)]
#[command(
    after_help = "The score of a label is the log-probability of its words after the prompt. Without --train the labels are \
those of the test pairs. See docs/prompting.md.\n\nExamples:\n  irtune prompt --base smollm2 --test test.jsonl\n  irtune \
prompt --base smollm2 --test test.jsonl --train train.jsonl --shots 2 --out predictions.jsonl"
)]
pub struct PromptArguments {
    /// Base model: a folder, a .gguf file, smollm2, or hf:ORG/NAME[@REVISION]
    #[arg(long, value_name = "BASE")]
    pub base: String,
    /// The labelled pairs to classify (JSON, CSV, TSV, .xlsx or Parquet)
    #[arg(long, value_name = "FILE")]
    pub test: PathBuf,
    /// Labelled pairs that the shown ones are drawn from
    #[arg(long, value_name = "FILE")]
    pub train: Option<PathBuf>,
    /// Pairs of every label that the prompt shows with their answers
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub shots: usize,
    /// Seed of the draw of the shown pairs
    #[arg(long, value_name = "N", default_value_t = 171)]
    pub seed: u64,
    /// instruction, or the path of a template file that ends with a cue for the answer; chat: in front puts it into a
    /// chat, whatever --chat says
    #[arg(long, value_name = "PROMPT", default_value = "instruction")]
    pub prompt: String,
    /// JSON file of the labels' words, {"label": "words"} [default: the labels' names, - and _ as blanks]
    #[arg(long, value_name = "FILE")]
    pub label_words: Option<PathBuf>,
    /// What is made of the scores: none, tokens (the mean over the words' tokens) or prior (minus the score after a
    /// neutral pair)
    #[arg(long, value_name = "WAY", default_value = "none")]
    pub normalise: String,
    /// Write the prompt in the base's chat template: auto (if it has one), on or off
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub chat: String,
    /// System turn of a chat [default: the chat template's own, if it has one]
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Longest pair with its instruction, and longest shown pair; longer ones are shortened around what changed
    #[arg(long, value_name = "TOKENS", default_value_t = 256)]
    pub max_length: usize,
    /// Write one prediction a line to this file, as predict does
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the figures as JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// Which columns mean what.
    #[command(flatten)]
    pub columns: ColumnArguments,
    /// What becomes of rows without label.
    #[command(flatten)]
    pub unlabelled: UnlabelledArguments,
    /// Pairs in a batch, which computes what they share once
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub batch_size: usize,
    /// auto, bf16, int16, int8 or f32
    #[arg(long, value_name = "PRECISION", default_value = "auto")]
    pub precision: String,
    /// Threads; all cores when not given
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// What makes a folder of a run.
#[derive(Debug, Args)]
pub struct OfRunArguments {
    /// The run folder
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// The folder to make; must not exist yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The base model, if it is no longer where the run found it
    #[arg(long, value_name = "BASE")]
    pub base: Option<String>,
}

/// `irtune combine`
#[derive(Debug, Args)]
#[command(
    after_help = "Runs are combined as they end, unless --stack false was given. This does it afterwards: a copy of the run learns \
on the validation pairs how both models answer together, and is tested anew. It comes out as if it had been trained so.\n\n\
Example:\n  irtune combine --run runs/alone --out runs/both"
)]
pub struct CombineArguments {
    /// The run, and where to.
    #[command(flatten)]
    pub of: OfRunArguments,
    /// Print the summary as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// `irtune merge`
#[derive(Debug, Args)]
#[command(
    after_help = "Writes a transformers folder of a sequence classifier: config.json with the labels, model.safetensors, the base's \
tokenizer. eval and predict take it as a run.\n\nExample:\n  irtune merge --run runs/first --out models/first --dtype bf16"
)]
pub struct MergeArguments {
    /// The run, and where to.
    #[command(flatten)]
    pub of: OfRunArguments,
    /// How values are stored: f32 or bf16
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub dtype: String,
    /// Print what was written as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// `irtune push`
#[derive(Debug, Args)]
#[command(
    after_help = "Makes the repository where it isn't there, and one commit. What is sent of a run is its adapter folder with the \
model card, and what says how the model is asked; of a merged model all of it. Neither pairs nor paths of this machine are. \
docs/push.md says more.\n\nExamples:\n  irtune push hf:someone/revisions --run runs/first --dry-run\n  irtune push \
hf:someone/revisions --run models/first --private --message \"Trained on 400 more pairs\""
)]
pub struct PushArguments {
    /// The repository
    #[arg(value_name = "hf:ORG/NAME")]
    pub to: String,
    /// The run folder, or that of a merged model
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// Nobody else may see the repository
    #[arg(long)]
    pub private: bool,
    /// The branch, made where it isn't there
    #[arg(long, value_name = "BRANCH", default_value = "main")]
    pub revision: String,
    /// What the commit is called
    #[arg(long, value_name = "TEXT", default_value = concat!("A model of text revisions, by irtune ", env!("CARGO_PKG_VERSION")))]
    pub message: String,
    /// Send the linear model too that answers are combined with: it holds words of the training pairs
    #[arg(long)]
    pub linear: bool,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print what was sent as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// `irtune quantize`
#[derive(Debug, Args)]
#[command(
    after_help = "Types, largest files first: f32, bf16, f16, q8_0, q6_k, q5_1, q5_k_m, q5_k_s, q5_0, q4_1, q4_k_m, q4_k_s, q4_0. \
They are llama.cpp's, which reads such files too.\n\nExample:\n  irtune quantize models/qwen3-0.6b-bf16.gguf --to q4_k_m \
--out models/qwen3-0.6b-q4_k_m.gguf"
)]
pub struct QuantizeArguments {
    /// The model: a .gguf file in F32, F16, BF16 or Q8_0, or a folder with one
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// The type of most matrices
    #[arg(long, value_name = "TYPE", default_value = "q4_k_m")]
    pub to: String,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Print what was written as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// `irtune inspect`
#[derive(Debug, Args)]
#[command(
    after_help = "For a run, also writes layers.svg and probabilities.svg into its folder.\n\nExamples:\n  irtune inspect runs/first\n  \
irtune inspect runs/first --html run.html\n  irtune inspect smollm2 --json"
)]
pub struct InspectArguments {
    /// A run folder, or a base model: a folder, a .gguf file, smollm2, or hf:ORG/NAME[@REVISION]
    #[arg(value_name = "DIR|MODEL")]
    pub target: String,
    /// Write a page of a run: its curves, layers, figures and mistakes, in one HTML file
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub html: Option<PathBuf>,
    /// Print everything as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// `irtune replay`
#[derive(Debug, Args)]
#[command(
    after_help = "Needs no model. Each line of the file is a step: a line of a run's metrics.jsonl, or a list with a \
number for each layer. The numbers stand in for what the method would measure in that step; one that is null is taken \
from the next line that has it.\n\nExamples:\n  irtune replay --scores runs/first/metrics.jsonl --method ir-cost \
--budget 0.3\n  irtune replay --scores scores.jsonl --method ir --metric cosine --json"
)]
pub struct ReplayArguments {
    /// The recorded scores (JSONL)
    #[arg(long, value_name = "FILE")]
    pub scores: PathBuf,
    /// The method that is to choose (see `irtune train --help`)
    #[arg(long, value_name = "METHOD")]
    pub method: String,
    /// Seed of the method's random numbers, as in training
    #[arg(long, value_name = "N", default_value_t = 171)]
    pub seed: u64,
    /// Print everything as JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// A flag for each option of a method.
    #[command(flatten)]
    pub options: Flags<OfMethod>,
}

/// `irtune completions`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  irtune completions bash > ~/.local/share/bash-completion/completions/irtune\n  irtune completions \
zsh > ~/.zfunc/_irtune\n  irtune completions fish > ~/.config/fish/completions/irtune.fish"
)]
pub struct CompletionsArguments {
    /// The shell: bash, zsh, fish, powershell or elvish
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: clap_complete::Shell,
}
