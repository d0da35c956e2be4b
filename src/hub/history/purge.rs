//! What is dropped when its time is over: labels with their day, rows with `retention_days`.

use super::labels::Labels;
use super::sql::{AnyQuery, ROWS_PER_STATEMENT};
use sqlx::{AnyConnection, AssertSqlSafe};

/// The tables that name tickets of calls.
const LABELLED: [&str; 3] = ["calls", "calls_again", "calls_waiting"];

/// Drops the labels of days that are over, the rows of days before `rows_from`, and the calls that
/// wait for numbers since before `waiting_from` (seconds since 1970). Days before `purged` bear no
/// label any more. How many labels went.
pub(super) async fn purge(
    connection: &mut AnyConnection,
    purged: &Labels,
    labels: &Labels,
    rows_from: &str,
    waiting_from: i64,
) -> Result<u64, sqlx::Error> {
    let mut dropped = purge_all_offices(connection, purged, labels).await?;
    for (day, offices) in labels.by_day() {
        // Those whose day is the same as when labels were dropped last have nothing to drop.
        let news = offices.iter().filter(|o| {
            let before = purged.offices.get(**o);
            before.is_none_or(|before| before != day)
        });
        let offices: Vec<&str> = news.copied().collect();
        for offices in offices.chunks(ROWS_PER_STATEMENT) {
            dropped += purge_offices(connection, offices, day, &purged.at_least).await?;
        }
    }
    for table in ["calls", "calls_again", "calls_waiting", "waits", "slots"] {
        let text = format!("DELETE FROM {table} WHERE day < $1");
        sqlx::query(AssertSqlSafe(text))
            .bind(rows_from.to_owned())
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("DELETE FROM calls_waiting WHERE heard_s < $1")
        .bind(waiting_from)
        .execute(&mut *connection)
        .await?;
    Ok(dropped)
}

/// Drops the labels of days that are over at every office. Returns how many went.
async fn purge_all_offices(
    connection: &mut AnyConnection,
    purged: &Labels,
    labels: &Labels,
) -> Result<u64, sqlx::Error> {
    let mut dropped = 0;
    for table in LABELLED {
        let text =
            format!("UPDATE {table} SET ticket = '' WHERE day >= $1 AND day < $2 AND ticket <> ''");
        // Safe, here and below: names of this file and placeholders.
        let done = sqlx::query(AssertSqlSafe(text))
            .bind(purged.at_least.clone())
            .bind(labels.at_least.clone())
            .execute(&mut *connection)
            .await?;
        dropped += done.rows_affected();
    }
    sqlx::query("DELETE FROM told WHERE day < $1")
        .bind(labels.at_least.clone())
        .execute(&mut *connection)
        .await?;
    Ok(dropped)
}

/// Drops the labels of days before `day` at these offices; none is left of days before `from`.
/// Returns how many went.
async fn purge_offices(
    connection: &mut AnyConnection,
    offices: &[&str],
    day: &str,
    from: &str,
) -> Result<u64, sqlx::Error> {
    let mut dropped = 0;
    let (n, names) = (offices.len(), list(offices.len()));
    for table in LABELLED {
        let text = format!(
            "UPDATE {table} SET ticket = '' WHERE ticket <> '' AND office IN ({names}) \
             AND day >= ${} AND day < ${}",
            n + 1,
            n + 2
        );
        let done = bind(&text, offices)
            .bind(from.to_owned())
            .bind(day.to_owned())
            .persistent(false)
            .execute(&mut *connection)
            .await?;
        dropped += done.rows_affected();
    }
    let text = format!(
        "DELETE FROM told WHERE office IN ({names}) AND day < ${}",
        n + 1
    );
    bind(&text, offices)
        .bind(day.to_owned())
        .persistent(false)
        .execute(&mut *connection)
        .await?;
    Ok(dropped)
}

/// A statement whose first placeholders are these offices.
fn bind<'q>(text: &str, offices: &[&str]) -> AnyQuery<'q> {
    let query = sqlx::query(AssertSqlSafe(text.to_owned()));
    offices
        .iter()
        .fold(query, |query, office| query.bind((*office).to_owned()))
}

/// `$1,$2,$3` for so many values.
fn list(values: usize) -> String {
    let each: Vec<String> = (1..=values).map(|n| format!("${n}")).collect();
    each.join(",")
}
