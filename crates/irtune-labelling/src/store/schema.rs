//! The tables.

use rusqlite::Connection;

/// The layout of the tables, kept as the file's `user_version`.
pub(super) const VERSION: i64 = 2;

/// What says that a file is a store of labels, kept as its `application_id`: "irla".
pub(super) const APPLICATION: i64 = 0x6972_6C61;

const TABLES: &str = "
CREATE TABLE annotators (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    old_name TEXT NOT NULL,
    new_name TEXT NOT NULL,
    added_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE blocks (
    document INTEGER NOT NULL REFERENCES documents(id),
    side TEXT NOT NULL CHECK (side IN ('old', 'new')),
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (document, side, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE pools (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    added_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE acts (
    id INTEGER PRIMARY KEY,
    annotator INTEGER NOT NULL REFERENCES annotators(id),
    kind TEXT NOT NULL CHECK (kind IN ('label', 'pass', 'decide', 'split', 'join')),
    revision INTEGER REFERENCES revisions(id),
    labels TEXT,
    made_ms INTEGER NOT NULL,
    undone_ms INTEGER
) STRICT;
CREATE INDEX acts_of_revision ON acts(revision);
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY,
    document INTEGER REFERENCES documents(id),
    pool INTEGER REFERENCES pools(id),
    name TEXT,
    group_name TEXT,
    kind TEXT NOT NULL,
    place INTEGER NOT NULL,
    original TEXT,
    original_start INTEGER,
    original_end INTEGER,
    original_block INTEGER,
    original_section TEXT,
    revised TEXT,
    revised_start INTEGER,
    revised_end INTEGER,
    revised_block INTEGER,
    revised_section TEXT,
    made_by INTEGER REFERENCES acts(id),
    gone_by INTEGER REFERENCES acts(id),
    CHECK ((document IS NULL) <> (pool IS NULL))
) STRICT;
CREATE INDEX revisions_of_document ON revisions(document);
CREATE INDEX revisions_of_pool ON revisions(pool);
CREATE TABLE predictions (
    revision INTEGER NOT NULL REFERENCES revisions(id),
    model TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (revision, model)
) STRICT, WITHOUT ROWID;
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    folder TEXT NOT NULL,
    begun_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    pairs INTEGER NOT NULL,
    message TEXT,
    comparison TEXT,
    decision TEXT,
    decided_by INTEGER REFERENCES annotators(id),
    decided_ms INTEGER,
    decided_order INTEGER
) STRICT;
";

/// What version 2 added.
const OUTSIDE: &str = "
CREATE TABLE outside (
    act INTEGER PRIMARY KEY REFERENCES acts(id),
    source TEXT NOT NULL,
    name TEXT NOT NULL
) STRICT;
CREATE INDEX outside_of_name ON outside(source, name);
";

/// Makes all tables, or those that a store of an earlier version lacks; at once or not at all.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let found = transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    if found < 1 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    if found < VERSION {
        transaction.execute_batch(OUTSIDE)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}
