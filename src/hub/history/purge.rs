//! What is dropped when its time is over: labels with their day, rows with `retention_days`.

use super::labels::Labels;
use super::sql::ROWS_PER_STATEMENT;
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
    for (day, offices) in labels.by_day() {
        // Those whose day is the same as when labels were dropped last have nothing to drop.
        let news = offices.iter().filter(|o| {
            let before = purged.offices.get(**o);
            before.is_none_or(|before| before != day)
        });
        let offices: Vec<&str> = news.copied().collect();
        for offices in offices.chunks(ROWS_PER_STATEMENT) {
            for table in LABELLED {
                let text = format!(
                    "UPDATE {table} SET ticket = '' WHERE ticket <> '' AND office IN ({}) \
                     AND day >= ${} AND day < ${}",
                    list(offices.len()),
                    offices.len() + 1,
                    offices.len() + 2
                );
                let query = offices
                    .iter()
                    .fold(sqlx::query(AssertSqlSafe(text)), |q, o| {
                        q.bind((*o).to_owned())
                    });
                let done = query
                    .bind(purged.at_least.clone())
                    .bind(day.to_owned())
                    .persistent(false)
                    .execute(&mut *connection)
                    .await?;
                dropped += done.rows_affected();
            }
            let text = format!(
                "DELETE FROM told WHERE office IN ({}) AND day < ${}",
                list(offices.len()),
                offices.len() + 1
            );
            let query = offices
                .iter()
                .fold(sqlx::query(AssertSqlSafe(text)), |q, o| {
                    q.bind((*o).to_owned())
                });
            query
                .bind(day.to_owned())
                .persistent(false)
                .execute(&mut *connection)
                .await?;
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

/// `$1,$2,$3` for so many values.
fn list(values: usize) -> String {
    let each: Vec<String> = (1..=values).map(|n| format!("${n}")).collect();
    each.join(",")
}
