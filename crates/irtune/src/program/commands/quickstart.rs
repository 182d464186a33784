//! `irtune quickstart`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use irtune_data::{Columns, CorpusSource, Labels, Row};
use irtune_files::{Disk, replace_file};
use irtune_train::{Predictor, PredictorOptions, Reading, RunFolder};
use toml::Table;

use crate::program::args::QuickstartArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{say, say_line};
use crate::program::standing::say_standing;
use irtune::inspect;
use irtune::settings::{self, Sources, unused};
use irtune::show::report;

/// The demonstration corpus, as it ships with the project.
const CORPUS: [(&str, &str); 3] = [
    ("train", include_str!("../../../../../corpora/revisions/train.jsonl")),
    ("validation", include_str!("../../../../../corpora/revisions/validation.jsonl")),
    ("test", include_str!("../../../../../corpora/revisions/test.jsonl")),
];

/// About three minutes on two cores, and enough for the small corpus.
const SETTINGS: &str = "
batch_size = 8
warmup_steps = 10
eval_every = 45
";

/// Two revisions that are in no part of the corpus.
const EXAMPLES: [(&str, &str); 2] = [
    (
        "The committee have decided that it's members must attends every meetings.",
        "The committee has decided that its members must attend every meeting.",
    ),
    (
        "Due to the fact that the road was closed, it was necessary for us to make use of the ferry.",
        "Because the road was closed, we had to take the ferry.",
    ),
];

/// Shows everything once: base, training, measuring, classifying.
pub fn run(arguments: &QuickstartArguments, environment: &Environment) -> Result<(), Failure> {
    let out = arguments.out.clone().unwrap_or_else(|| unused(Path::new("runs"), "quickstart"));
    let corpus = write_corpus(&environment.cache().unwrap_or_else(|| PathBuf::from("runs")))?;

    let mut preferred: Table = SETTINGS.parse()?;
    for (part, path) in &corpus {
        preferred.insert((*part).to_owned(), path.display().to_string().into());
    }
    preferred.insert("base".to_owned(), arguments.base.clone().into());
    preferred.insert("out".to_owned(), out.display().to_string().into());
    let mut sources = Sources::default();
    sources.prefer(preferred);
    sources.variables(environment.iter());
    arguments.set.iter().for_each(|assignment| sources.set(assignment));
    let resolved = settings::resolve(sources).map_err(Failure::Settings)?;
    let threads = resolved.training.threads;
    say_line(
        "This trains a language model to tell why a text was revised. Ctrl-C stops it tidily; nothing is lost.\n",
    );

    let (folder, summary) = super::train::start(resolved, environment)?;
    let run = RunFolder::open(&folder)?;
    inspect::write_picture(&run)?;
    say(&report::summary(&run, &summary)?);
    say_standing(&summary);

    let mut predictor =
        Predictor::open(&folder, &PredictorOptions { threads, ..PredictorOptions::default() })?;
    let examples =
        CorpusSource::rows("examples", EXAMPLES.map(|(original, revised)| Row::new(original, revised)));
    let pairs = examples.pairs(&Columns::default(), Labels::Optional)?;
    say_line("\nTwo revisions it has not seen:");
    for (answer, (original, revised)) in predictor.predict(pairs, Reading::Batch).zip(EXAMPLES) {
        say(&report::example(original, revised, &answer?.prediction));
    }
    say(&report::next_steps(&folder, None));
    Ok(())
}

/// Puts the corpus where an interrupted run finds it again.
fn write_corpus(cache: &Path) -> Result<[(&'static str, PathBuf); 3], Failure> {
    let folder = cache.join("revisions");
    let told = |error: io::Error| {
        anyhow::Error::new(error).context(format!("{} cannot be written", folder.display()))
    };
    fs::create_dir_all(&folder).map_err(told)?;
    let mut written = CORPUS.map(|(part, _)| (part, PathBuf::new()));
    for ((part, text), place) in CORPUS.iter().zip(&mut written) {
        place.1 = folder.join(format!("{part}.jsonl"));
        if fs::read_to_string(&place.1).is_ok_and(|found| found == *text) {
            continue;
        }
        replace_file(&Disk, &place.1, &mut |writer| writer.write_all(text.as_bytes()))?;
    }
    Ok(written)
}
