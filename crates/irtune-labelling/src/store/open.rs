//! The store itself.

use super::error::StoreError;
use super::schema;
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a call waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// What is to be labelled and what was said of it.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
}

impl Store {
    /// Opens a store, or makes an empty one where there is no file. Several processes may have it open.
    ///
    /// # Errors
    /// When the file can't be opened, is no store, or one of a later version.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        let number = |connection: &Connection, name: &str| {
            connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed)
        };
        let (application, version) =
            (number(&connection, "application_id")?, number(&connection, "user_version")?);
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(failed)?;
        if tables > 0 && application != schema::APPLICATION {
            return Err(StoreError::Foreign { path: path.to_owned() });
        }
        if version > schema::VERSION {
            return Err(StoreError::Newer { path: path.to_owned(), found: version, known: schema::VERSION });
        }
        // A commit is on the disk before it is answered.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
        if version < schema::VERSION {
            schema::create(&mut connection).map_err(failed)?;
        }
        Ok(Store { connection })
    }
}

/// Now, in milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
