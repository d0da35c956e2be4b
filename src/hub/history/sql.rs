//! The statements, in the words that SQLite and PostgreSQL share.

use super::CallRow;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Executor as _};
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

/// Rows of one INSERT: 9 parameters each stay far under SQLite's 32,766.
const ROWS_PER_INSERT: usize = 100;

/// SQLite's settings. WAL lets readers read while calls are written. `synchronous` is FULL, not
/// the NORMAL usual with WAL: a transaction lost in a power cut would be one whose calls were
/// already acknowledged to the broker, so nobody would send them again. Batches make up for it.
const PRAGMAS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

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
    let options = AnyConnectOptions::from_str(&url)?;
    let pool = AnyPoolOptions::new()
        // One writes, the others read open data and "my number"; every connection to :memory:
        // would be a database of its own.
        .max_connections(if memory { 1 } else { 5 })
        .idle_timeout(if memory {
            None
        } else {
            Some(Duration::from_secs(600))
        })
        .acquire_timeout(Duration::from_secs(5))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if sqlite {
                    connection.execute(PRAGMAS).await?;
                }
                Ok(())
            })
        });
    Ok(pool.connect_lazy_with(options))
}

/// Writes calls within one transaction; those already there are left as they are. How many were
/// new.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    rows: &[&CallRow],
) -> Result<u64, sqlx::Error> {
    let mut new = 0;
    for rows in rows.chunks(ROWS_PER_INSERT) {
        let mut text = String::from(
            "INSERT INTO calls (office, queue, day, epoch, no, ticket, counter, at, kind) VALUES ",
        );
        for i in 0..rows.len() {
            let n = 9 * i;
            let _ = write!(
                text,
                "{}(${},${},${},${},${},${},${},${},${})",
                if i == 0 { "" } else { "," },
                n + 1,
                n + 2,
                n + 3,
                n + 4,
                n + 5,
                n + 6,
                n + 7,
                n + 8,
                n + 9
            );
        }
        text.push_str(" ON CONFLICT (day, office, queue, epoch, no) DO NOTHING");
        // Safe: the text is made of nothing but the placeholders above.
        let mut query = sqlx::query(AssertSqlSafe(text));
        for row in rows {
            query = query
                .bind(&row.office)
                .bind(&row.queue)
                .bind(&row.day)
                .bind(row.epoch)
                .bind(row.no)
                .bind(&row.ticket)
                .bind(&row.counter)
                .bind(&row.at)
                .bind(&row.kind);
        }
        new += query
            .persistent(false)
            .execute(&mut *connection)
            .await?
            .rows_affected();
    }
    Ok(new)
}
