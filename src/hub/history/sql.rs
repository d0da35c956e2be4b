//! The statements, in the words that SQLite and PostgreSQL share.

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _};
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

/// Rows of one statement: 13 parameters each stay far under SQLite's 32,766.
pub(super) const ROWS_PER_STATEMENT: usize = 100;

/// Set once in a file and kept there: readers read while calls are written.
///
/// The rest is as SQLite and its driver have it from the start, and a test holds them to it: a
/// connection that finds the file locked waits 5 s, and `synchronous` is FULL, not the NORMAL usual
/// with WAL: a transaction lost in a power cut would be one whose calls were already acknowledged
/// to the broker, so nobody would send them again. Batches make up for it. Settings that are made
/// with each connection fail while the file is locked, and the pool says so each time.
pub(super) const WAL: &str = "PRAGMA journal_mode = WAL";

/// A query waits for a connection this long at most.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(5);

/// A pool for an address. Connects when first asked.
pub(super) fn pool(url: &str) -> Result<AnyPool, sqlx::Error> {
    sqlx::any::install_default_drivers();
    let sqlite = url.starts_with("sqlite:");
    if !sqlite && !url.starts_with("postgres:") && !url.starts_with("postgresql:") {
        // The address may hold a password: it is not repeated.
        return Err(sqlx::Error::Configuration(
            "unknown kind of database".into(),
        ));
    }
    let memory = sqlite && url.contains(":memory:");
    let url = if sqlite && !memory && !url.contains('?') {
        format!("{url}?mode=rwc") // the first start makes the file
    } else {
        url.to_owned()
    };
    // A slow statement here means a database in trouble, which the writer logs once.
    let options = AnyConnectOptions::from_str(&url)?.disable_statement_logging();
    let pool = AnyPoolOptions::new()
        // One writes, the others read open data and "my number"; every connection to :memory:
        // would be a database of its own.
        .max_connections(if memory { 1 } else { 5 })
        .idle_timeout(if memory {
            None
        } else {
            Some(Duration::from_secs(600))
        })
        .acquire_timeout(ACQUIRE_WITHIN)
        .acquire_slow_threshold(2 * ACQUIRE_WITHIN);
    Ok(pool.connect_lazy_with(options))
}

/// `($1,$2),($3,$4)` for so many rows of so many values.
pub(super) fn places(rows: usize, values: usize) -> String {
    let mut text = String::with_capacity(rows * values * 5);
    for n in 0..rows * values {
        let before = match (n, n % values) {
            (0, _) => "(",
            (_, 0) => "),(",
            _ => ",",
        };
        let _ = write!(text, "{before}${}", n + 1);
    }
    text.push(')');
    text
}

/// A table that rows are added to.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    /// A row that has these in common with one that is there is left out.
    pub(super) key: &'static str,
}

/// Adds rows within one transaction; `bind` gives the values of a row in the order of the columns.
/// How many were new.
pub(super) async fn insert<'q, R>(
    connection: &mut AnyConnection,
    table: &Table,
    rows: &'q [R],
    bind: impl Fn(AnyQuery<'q>, &'q R) -> AnyQuery<'q>,
) -> Result<u64, sqlx::Error> {
    let mut new = 0;
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        let text = format!(
            "INSERT INTO {} ({}) VALUES {} ON CONFLICT ({}) DO NOTHING",
            table.name,
            table.columns.join(", "),
            places(rows.len(), table.columns.len()),
            table.key
        );
        // Safe: the text is made of names in this file and placeholders.
        let query = rows.iter().fold(sqlx::query(AssertSqlSafe(text)), &bind);
        let done = query.persistent(false).execute(&mut *connection).await?;
        new += done.rows_affected();
    }
    Ok(new)
}

pub(super) type AnyQuery<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_to_sqlite_waits_for_the_disk_and_for_locks() {
        let dir = tempfile::tempdir().unwrap();
        let pool = pool(&format!("sqlite:{}", dir.path().join("hub.db").display())).unwrap();
        sqlx::query(WAL).execute(&pool).await.unwrap();
        for (text, wanted) in [
            ("SELECT journal_mode FROM pragma_journal_mode", "wal"),
            (
                "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
                "2",
            ),
            (
                "SELECT CAST(timeout AS TEXT) FROM pragma_busy_timeout",
                "5000",
            ),
        ] {
            let found: String = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
            assert_eq!(found, wanted, "{text}");
        }
    }
}
