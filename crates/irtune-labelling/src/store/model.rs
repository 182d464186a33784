//! Models that were trained on what the store holds.

use super::act::annotator_id;
use super::error::StoreError;
use super::ids::ModelId;
use super::open::{Store, now_ms};
use rusqlite::OptionalExtension as _;
use strum::{Display, EnumString};

/// How far a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum ModelState {
    /// It is trained, or was when the program was killed.
    Training,
    /// It was cancelled and can be continued.
    Cancelled,
    /// Its training failed.
    Failed,
    /// It is finished.
    Finished,
}

/// What a person said of a finished model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Decision {
    /// It is used from then on.
    Accepted,
    /// It isn't.
    Declined,
}

/// A model that was trained on what the store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModel {
    /// Its number.
    pub id: ModelId,
    /// Its run folder, below the project's.
    pub folder: String,
    /// When it was begun, in milliseconds since 1970.
    pub begun_ms: i64,
    /// How far it is.
    pub state: ModelState,
    /// Labelled pairs of the store that it learns from.
    pub pairs: usize,
    /// What went wrong, where something did.
    pub message: Option<String>,
    /// How good it is beside the model before it, as the program writes that.
    pub comparison: Option<String>,
    /// What a person said of it.
    pub decision: Option<Decision>,
}

const COLUMNS: &str = "id, folder, begun_ms, state, pairs, message, comparison, decision";

impl Store {
    /// Keeps that a model is trained in a folder, which is named by its number below `parent`.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn begin_model(&mut self, parent: &str, pairs: usize) -> Result<StoredModel, StoreError> {
        let transaction = self.writing()?;
        transaction.execute(
            "INSERT INTO models (folder, begun_ms, state, pairs) VALUES ('', ?1, 'training', ?2)",
            (now_ms(), pairs),
        )?;
        let id = ModelId(transaction.last_insert_rowid());
        transaction.execute("UPDATE models SET folder = ?2 WHERE id = ?1", (id, format!("{parent}/{id}")))?;
        transaction.commit()?;
        self.model(id)
    }

    /// Keeps how far a model is; `message` says what went wrong, `comparison` how good it is.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn set_model(
        &mut self,
        id: ModelId,
        state: ModelState,
        message: Option<&str>,
        comparison: Option<&str>,
    ) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE models SET state = ?2, message = ?3, comparison = ?4 WHERE id = ?1",
            (id, state.to_string(), message, comparison),
        )?;
        Ok(())
    }

    /// Keeps what a person says of a finished model; the last one that was accepted is [`Store::accepted`].
    ///
    /// # Errors
    /// When there is no such model, it isn't finished, the name is none, or SQLite fails.
    pub fn judge(&mut self, id: ModelId, annotator: &str, decision: Decision) -> Result<(), StoreError> {
        if self.model(id)?.state != ModelState::Finished {
            return Err(StoreError::Unfinished(id));
        }
        let transaction = self.writing()?;
        let annotator = annotator_id(&transaction, annotator)?;
        transaction.execute(
            "UPDATE models SET decision = ?2, decided_by = ?3, decided_ms = ?4, \
             decided_order = (SELECT coalesce(max(decided_order), 0) + 1 FROM models) WHERE id = ?1",
            (id, decision.to_string(), annotator, now_ms()),
        )?;
        Ok(transaction.commit()?)
    }

    /// A model.
    ///
    /// # Errors
    /// When there is none, the store is damaged, or SQLite fails.
    pub fn model(&self, id: ModelId) -> Result<StoredModel, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM models WHERE id = ?1");
        let raw = self.connection.query_row(&sql, [id], raw).optional()?;
        read(raw.ok_or(StoreError::NoModel(id))?)
    }

    /// All models, the newest first.
    ///
    /// # Errors
    /// When the store is damaged, or SQLite fails.
    pub fn models(&self) -> Result<Vec<StoredModel>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM models ORDER BY id DESC");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows: Vec<Raw> = statement.query_map([], raw)?.collect::<Result<_, _>>()?;
        rows.into_iter().map(read).collect()
    }

    /// The model that is to be used: the one that was accepted last, if one was.
    ///
    /// # Errors
    /// When the store is damaged, or SQLite fails.
    pub fn accepted(&self) -> Result<Option<StoredModel>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM models WHERE decision = 'accepted' ORDER BY decided_order DESC LIMIT 1"
        );
        self.connection.query_row(&sql, [], raw).optional()?.map(read).transpose()
    }
}

/// A row as it stands there: the model, its state and its decision.
type Raw = (StoredModel, String, Option<String>);

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    let model = StoredModel {
        id: row.get(0)?,
        folder: row.get(1)?,
        begun_ms: row.get(2)?,
        state: ModelState::Training,
        pairs: row.get(4)?,
        message: row.get(5)?,
        comparison: row.get(6)?,
        decision: None,
    };
    Ok((model, row.get(3)?, row.get(7)?))
}

fn read((mut model, state, decision): Raw) -> Result<StoredModel, StoreError> {
    model.state = state.parse().map_err(|_| StoreError::Damaged { what: "models.state", found: state })?;
    model.decision = match decision {
        None => None,
        Some(text) => Some(
            text.parse().map_err(|_| StoreError::Damaged { what: "models.decision", found: text.clone() })?,
        ),
    };
    Ok(model)
}
