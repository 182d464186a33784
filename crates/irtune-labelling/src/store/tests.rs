use super::*;
use irtune_data::{Columns, CorpusSource, Labels};
use irtune_documents::{Document, Format, Revision, RevisionKind, align, join, read, take_apart};
use std::path::Path;

/// A store in a folder of its own.
struct Kept {
    store: Store,
    folder: tempfile::TempDir,
}

impl Kept {
    fn new() -> Kept {
        let folder = tempfile::tempdir().unwrap();
        Kept { store: Store::open(&folder.path().join("labels.sqlite")).unwrap(), folder }
    }

    /// Leaves the store as a killed program does, and opens it again.
    fn killed(self) -> Kept {
        let Kept { store, folder } = self;
        std::mem::forget(store);
        Kept { store: Store::open(&folder.path().join("labels.sqlite")).unwrap(), folder }
    }

    fn document(&mut self) -> DocumentId {
        let (old, new) = drafts();
        let revisions = align(&old, &new);
        let new =
            NewDocument { old_name: "a.md", new_name: "b.md", old: &old, new: &new, revisions: &revisions };
        self.store.add_document(&new).unwrap()
    }
}

fn drafts() -> (Document, Document) {
    let read = |text: &str| read("draft.md", text.as_bytes(), Format::Markdown).unwrap();
    let old = "# Boats\n\nIt is late. Every boat came home before the storm began. He go home.";
    (read(old), read("# Boats\n\nIt is late. Nobody sailed that day. He goes home."))
}

fn labels(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn pool_pair(original: &str, revised: &str) -> PoolPair {
    PoolPair { original: original.into(), revised: revised.into(), ..PoolPair::default() }
}

#[test]
fn drafts_come_back_as_they_were_with_what_was_said() {
    let mut kept = Kept::new();
    let id = kept.document();
    let (old, new) = drafts();
    let document = kept.store.document(id, "first").unwrap();
    assert_eq!((&document.old, &document.new), (&old, &new));
    let revisions: Vec<Revision> = document.revisions.iter().map(|own| own.revision.clone()).collect();
    assert_eq!(revisions, align(&old, &new));
    let changed = kept.store.unanswered("first", Some(id), 10).unwrap();
    assert_eq!(changed.len(), 3);
    let answers: Vec<_> = changed.iter().map(|(id, ..)| (*id, format!("\"{id}\""))).collect();
    kept.store.keep_answers("first", &answers[..2]).unwrap();
    kept.store.say(answers[0].0, "Ann", Some(&labels(&["tone"]))).unwrap();
    let mut kept = kept.killed();
    let document = kept.store.document(id, "first").unwrap();
    let own = document.revisions.iter().find(|own| own.id == answers[0].0).unwrap();
    assert_eq!(own.answer.as_ref().unwrap().text, answers[0].1);
    assert_eq!(own.opinions.settled().unwrap(), labels(&["tone"]));
    assert_eq!(kept.store.unanswered("first", None, 10).unwrap().len(), 1);
    assert_eq!(kept.store.unanswered("second", None, 2).unwrap().len(), 2);
    let entry = &kept.store.documents().unwrap()[0];
    assert_eq!((entry.revisions, entry.labelled, entry.old_name.as_str()), (3, 1, "a.md"));
    let nowhere = kept.store.document(DocumentId(9), "first").unwrap_err();
    assert_eq!(nowhere.to_string(), "there is no document 9");
    // What was said is about a revision that is there, by somebody with a name.
    let refused = kept.store.say(RevisionId(99), "Ann", None).unwrap_err();
    assert!(refused.to_string().contains("no revision 99"), "{refused}");
    for name in ["  ", &"a".repeat(81)] {
        assert!(matches!(kept.store.say(answers[0].0, name, None), Err(StoreError::Name)));
    }
}

#[test]
fn the_latest_word_counts_and_can_be_undone() {
    let mut kept = Kept::new();
    assert_eq!(kept.store.add_pool("pool.jsonl", [pool_pair("a", "b"), pool_pair("c", "d")]).unwrap(), 2);
    let ids: Vec<RevisionId> = kept.store.items("").unwrap().iter().map(|item| item.id).collect();
    let settled = |store: &Store| {
        let items = store.items("").unwrap();
        items.iter().map(|item| item.opinions.settled().map(|labels| labels.join("|"))).collect::<Vec<_>>()
    };
    for said in ["x", "y"] {
        kept.store.say(ids[0], "Ann", Some(&labels(&[said]))).unwrap();
    }
    kept.store.say(ids[1], "Ben", None).unwrap();
    assert_eq!(settled(&kept.store), [Some("y".into()), None]);
    assert_eq!(kept.store.undo("Ann").unwrap(), Some(ids[0]));
    assert_eq!(settled(&kept.store), [Some("x".into()), None]);
    assert_eq!(kept.store.undo("Ann").unwrap(), Some(ids[0]));
    assert_eq!((kept.store.undo("Ann").unwrap(), kept.store.undo("Eve").unwrap()), (None, None));
    assert_eq!(settled(&kept.store), [None, None]);
    assert!(kept.store.items("").unwrap()[1].opinions.of("Ben").unwrap().labels.is_none());
    // Two who disagree, and what is decided then.
    for (name, label) in [("Ben", "y"), ("Ann", "x")] {
        kept.store.say(ids[0], name, Some(&labels(&[label]))).unwrap();
    }
    assert!(kept.store.items("").unwrap()[0].opinions.disputed());
    assert_eq!(settled(&kept.store)[0].as_deref(), Some("x"), "of equals the annotator who came first");
    kept.store.decide(ids[0], "Eve", &labels(&["z"])).unwrap();
    kept.store.decide(ids[0], "Ann", &labels(&["y"])).unwrap();
    let item = &kept.store.items("").unwrap()[0];
    assert_eq!((item.opinions.disputed(), settled(&kept.store)[0].as_deref()), (false, Some("y")));
    assert_eq!(kept.store.undo("Ann").unwrap(), Some(ids[0]));
    assert_eq!(settled(&kept.store)[0].as_deref(), Some("z"));
}

#[test]
fn sentences_that_were_joined_and_taken_apart_can_be_put_back() {
    let mut kept = Kept::new();
    let id = kept.document();
    let before = kept.store.document(id, "").unwrap();
    let find = |kind: RevisionKind| before.revisions.iter().find(|own| own.revision.kind == kind).unwrap();
    let (deleted, added) = (find(RevisionKind::Deleted), find(RevisionKind::Added));
    let one = join((&before.old, &before.new), (&deleted.revision, &added.revision), &[]).unwrap();
    kept.store.say(added.id, "Ann", Some(&labels(&["tone"]))).unwrap();
    let made = kept.store.realign(id, "Ann", &[deleted.id, added.id], std::slice::from_ref(&one)).unwrap();
    let mut kept = kept.killed();
    let joined = kept.store.document(id, "").unwrap();
    let kinds: Vec<RevisionKind> = joined.revisions.iter().map(|own| own.revision.kind).collect();
    use RevisionKind::{Modified, Unchanged};
    assert_eq!(kinds, [Unchanged, Unchanged, Modified, Modified]);
    assert_eq!(joined.revisions[2].revision, one);
    // What was said of a sentence that is joined now is no training pair.
    assert!(kept.store.training_pairs(LabelKind::One).unwrap().is_empty());
    assert!(matches!(kept.store.say(added.id, "Ann", None), Err(StoreError::NoRevision(_))));
    let apart = take_apart((&before.old, &before.new), &one).unwrap();
    kept.store.realign(id, "Ben", &made, &apart).unwrap();
    assert!(matches!(kept.store.undo("Ann"), Err(StoreError::Superseded)));
    assert!(kept.store.undo("Ben").unwrap().is_some());
    assert!(kept.store.undo("Ann").unwrap().is_some());
    let after = kept.store.document(id, "").unwrap();
    assert_eq!(kept.store.training_pairs(LabelKind::One).unwrap().len(), 1);
    let without = |document: &StoredDocument| document.revisions.iter().map(|own| own.id).collect::<Vec<_>>();
    assert_eq!(without(&after), without(&before));
    let other = kept.document();
    assert!(matches!(
        kept.store.realign(other, "Ann", &[deleted.id], &apart),
        Err(StoreError::NoRevision(_))
    ));
}

#[test]
fn pairs_that_are_there_already_are_imported_once() {
    let mut kept = Kept::new();
    let named = PoolPair { group: Some("essay".into()), name: Some("p1".into()), ..pool_pair("", "new") };
    let pairs = [pool_pair("a", "b"), named, pool_pair("a", "b")];
    assert_eq!(kept.store.add_pool("one.csv", pairs.clone()).unwrap(), 2);
    assert_eq!(kept.store.add_pool("two.csv", pairs).unwrap(), 0);
    let pools = kept.store.pools().unwrap();
    assert_eq!(
        (pools.len(), pools[0].name.as_str(), pools[0].pairs, pools[0].labelled),
        (1, "one.csv", 2, 0)
    );
    let item = &kept.store.items("").unwrap()[1];
    assert_eq!(
        (item.original.as_str(), item.group.as_deref(), item.name.as_deref()),
        ("", Some("essay"), Some("p1"))
    );
    assert_eq!(item.origin, Origin::Pool(pools[0].id));
}

#[test]
fn what_people_said_is_what_training_reads() {
    let mut kept = Kept::new();
    let pairs = (0..5).map(|number| pool_pair(&format!("old {number}"), &format!("new {number}")));
    kept.store.add_pool("pool.csv", pairs).unwrap();
    let ids: Vec<RevisionId> = kept.store.items("").unwrap().iter().map(|item| item.id).collect();
    let mut say = |id: usize, name: &str, label: &[&str]| {
        kept.store.say(ids[id], name, Some(&labels(label))).unwrap();
    };
    say(0, "Ben", &["x"]);
    say(1, "Ann", &["x"]);
    say(2, "Ann", &["x"]);
    say(2, "Ben", &["y"]);
    say(2, "Eve", &["y"]);
    say(3, "Ann", &["x"]);
    say(3, "Ben", &["y"]);
    kept.store.decide(ids[3], "Eve", &labels(&["z"])).unwrap();
    kept.store.say(ids[4], "Ann", None).unwrap();
    let pairs = kept.store.training_pairs(LabelKind::One).unwrap();
    let told: Vec<TrainingLabel> = pairs.iter().map(|pair| pair.label.clone()).collect();
    let one = |label: &str| TrainingLabel::One(label.into());
    let votes = TrainingLabel::Votes(vec![Some("y".into()), Some("x".into()), Some("y".into())]);
    assert_eq!(told, [one("x"), one("x"), votes, one("z")]);
    let lines = json_lines(&pairs);
    assert_eq!(lines, json_lines(&kept.killed().store.training_pairs(LabelKind::One).unwrap()));
    let content = CorpusSource::Content { name: "export.jsonl".into(), bytes: lines.into_bytes().into() };
    let read = content.pairs(&Columns::default(), Labels::Required).unwrap();
    let majority: Vec<_> = read.map(|pair| pair.unwrap().label.unwrap()).collect();
    assert_eq!(majority, ["x", "x", "y", "z"]);
}

#[test]
fn of_several_labels_those_count_that_most_annotators_gave() {
    let mut kept = Kept::new();
    kept.store.add_pool("pool.csv", [pool_pair("a", "b"), pool_pair("c", "d")]).unwrap();
    let ids: Vec<RevisionId> = kept.store.items("").unwrap().iter().map(|item| item.id).collect();
    for (name, own) in [("Ann", &["x", "y"][..]), ("Ben", &["y", "z"]), ("Eve", &["z", "y"])] {
        kept.store.say(ids[0], name, Some(&labels(own))).unwrap();
    }
    kept.store.say(ids[1], "Ann", Some(&[])).unwrap();
    let pairs = kept.store.training_pairs(LabelKind::Several).unwrap();
    let told: Vec<TrainingLabel> = pairs.into_iter().map(|pair| pair.label).collect();
    assert_eq!(told, [TrainingLabel::Several(labels(&["y", "z"])), TrainingLabel::Several(Vec::new())]);
}

#[test]
fn the_model_that_was_accepted_last_is_the_one() {
    let mut kept = Kept::new();
    assert_eq!(kept.store.accepted().unwrap(), None);
    let (first, second) =
        (kept.store.begin_model("runs", 3).unwrap(), kept.store.begin_model("runs", 5).unwrap());
    assert_eq!((first.folder.as_str(), second.folder.as_str(), second.pairs), ("runs/1", "runs/2", 5));
    let early = kept.store.judge(first.id, "Ann", Decision::Accepted).unwrap_err();
    assert_eq!(early.to_string(), "model 1 isn't finished");
    for model in [&first, &second] {
        kept.store.set_model(model.id, ModelState::Finished, None, Some("{}")).unwrap();
    }
    kept.store.judge(second.id, "Ann", Decision::Accepted).unwrap();
    kept.store.judge(first.id, "Ann", Decision::Accepted).unwrap();
    let kept = kept.killed();
    assert_eq!(kept.store.accepted().unwrap().unwrap().id, first.id);
    let newest = &kept.store.models().unwrap()[0];
    assert_eq!((newest.id, newest.decision), (second.id, Some(Decision::Accepted)));
    assert!(matches!(kept.store.model(ModelId(7)), Err(StoreError::NoModel(_))));
}

#[test]
fn what_is_no_store_of_this_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str| Store::open(&folder.path().join(name)).unwrap_err().to_string();
    std::fs::write(folder.path().join("text"), "no database, but long enough to be looked at").unwrap();
    assert!(refused("text").contains("can't be opened as a store of labels"));
    let other = rusqlite::Connection::open(folder.path().join("other")).unwrap();
    other.execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(refused("other").contains("a database of another program"));
    let path = folder.path().join("later");
    let later = Store::open(&path).unwrap();
    later.connection.pragma_update(None, "user_version", 3).unwrap();
    drop(later);
    assert!(refused("later").contains("its layout is 3, this version knows 2"));
    assert!(Store::open(Path::new("/nowhere/at/all")).is_err());
}

#[test]
fn a_store_of_the_first_version_is_taken_on() {
    let mut kept = Kept::new();
    kept.store.add_pool("pool", [pool_pair("a", "b")]).unwrap();
    let id = kept.store.items("").unwrap()[0].id;
    kept.store.say(id, "Ann", Some(&labels(&["style"]))).unwrap();
    kept.store.connection.execute_batch("DROP TABLE outside; PRAGMA user_version = 1").unwrap();
    let mut kept = kept.killed();
    assert_eq!(kept.store.items("").unwrap()[0].opinions.settled(), Some(&labels(&["style"])[..]));
    kept.store.say_outside("Label Studio", &[outside("1", "Bo", ("c", "d"), Some("style"))]).unwrap();
    assert_eq!(kept.store.items("").unwrap().len(), 2);
}

fn outside(name: &str, annotator: &str, pair: (&str, &str), label: Option<&str>) -> OutsideWord {
    OutsideWord {
        name: name.into(),
        annotator: annotator.into(),
        pair: pool_pair(pair.0, pair.1),
        labels: label.map(|label| labels(&[label])),
    }
}

#[test]
fn what_another_program_tells_counts_until_it_is_changed_or_taken_back() {
    let mut kept = Kept::new();
    kept.store.add_pool("pool", [pool_pair("a", "b")]).unwrap();
    let tell =
        |kept: &mut Kept, words: &[OutsideWord]| kept.store.say_outside("Label Studio", words).unwrap();
    // Each pair with who said what of it; - is who passed.
    let said = |kept: &Kept| -> Vec<String> {
        let items = kept.store.items("").unwrap().into_iter();
        items
            .map(|item| {
                let word = |said: &Said| {
                    let labels =
                        said.labels.as_ref().map_or_else(|| "-".to_owned(), |labels| labels.join("+"));
                    format!("{} {labels}", said.annotator)
                };
                let words: Vec<String> = item.opinions.said.iter().map(word).collect();
                format!("{}>{}: {}", item.original, item.revised, words.join(", "))
            })
            .collect()
    };
    // One pair is there, an added sentence is new.
    tell(&mut kept, &[outside("1", "Ann", ("a", "b"), Some("style")), outside("2", "Bo", ("", "c"), None)]);
    assert_eq!(said(&kept), ["a>b: Ann style", ">c: Bo -"]);
    let pools: Vec<_> = kept.store.pools().unwrap().into_iter().map(|pool| (pool.name, pool.pairs)).collect();
    assert_eq!(pools, [("Label Studio".to_owned(), 1), ("pool".to_owned(), 1)]);
    // Changed, by somebody else too; another program's word of the same name is another one.
    tell(&mut kept, &[outside("1", "Cy", ("a", "b"), Some("fluency"))]);
    kept.store.say_outside("other", &[outside("1", "Dee", ("a", "b"), Some("style"))]).unwrap();
    assert_eq!(said(&kept)[0], "a>b: Cy fluency, Dee style");
    let kept_names = ["1", "2", "7"].map(str::to_owned);
    assert_eq!(kept.store.retract_outside("Label Studio", &kept_names).unwrap(), 2);
    assert_eq!(said(&kept)[0], "a>b: Dee style");
    assert_eq!(kept.store.retract_outside("Label Studio", &kept_names).unwrap(), 0);
    // All of it or nothing.
    let bad = [outside("3", "Ann", ("a", "b"), Some("style")), outside("4", " ", ("a", "b"), Some("style"))];
    assert!(matches!(kept.store.say_outside("Label Studio", &bad), Err(StoreError::Name)));
    assert_eq!(said(&kept)[0], "a>b: Dee style");
}

#[test]
fn two_programs_may_write() {
    let kept = Kept::new();
    let path = kept.folder.path().join("labels.sqlite");
    let write = |name: &str| {
        let mut store = Store::open(&path).unwrap();
        for number in 0..20 {
            store.add_pool(name, [pool_pair(name, &number.to_string())]).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            scope.spawn(move || write(name));
        }
    });
    assert_eq!(kept.store.items("").unwrap().len(), 40);
}
