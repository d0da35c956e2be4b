//! Calls in and out of their three tables.
//!
//! | table | holds |
//! |---|---|
//! | `calls` | the first call of each (`day`, `office`, `queue`, `epoch`, `no`) |
//! | `calls_again` | calls that came when their place was taken by another call |
//! | `calls_waiting` | calls of offices that have not reported numbers yet |
//!
//! A call is one and the same by what it says, not by its count alone: its place, ticket, counter,
//! kind, and time within [`SAME_CALL_S`]. So a count that was used by something else, by mistake or
//! with intent, takes no later call with it.

use super::arrival::{Arrival, SAME_CALL_S};
use super::labels::Labels;
use super::predictions::resolve_predictions;
use super::rows::CallRow;
use super::sql::{AnyQuery, ROWS_PER_STATEMENT, Table, insert, places};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use std::collections::HashMap;

/// Others may take the next place at the same moment: so many hubs share no database.
const TRIES: usize = 32;

/// A call's place, as `calls` and `calls_again` know it.
fn place(row: &CallRow) -> (&str, &str, &str, i64, i64) {
    (&row.day, &row.office, &row.queue, row.epoch, row.no)
}

/// The columns of a call, in the order of [`row`].
pub(super) const COLUMNS: &str = "office, queue, day, epoch, no, ticket, counter, at, kind";

/// Reads [`COLUMNS`].
pub(super) fn row(row: &AnyRow) -> Result<CallRow, sqlx::Error> {
    Ok(CallRow {
        office: row.try_get(0)?,
        queue: row.try_get(1)?,
        day: row.try_get(2)?,
        epoch: row.try_get(3)?,
        no: row.try_get(4)?,
        ticket: row.try_get(5)?,
        counter: row.try_get(6)?,
        at: row.try_get(7)?,
        kind: row.try_get(8)?,
    })
}

const CALLS: Table = Table {
    name: "calls",
    columns: &[
        "office", "queue", "day", "epoch", "no", "ticket", "counter", "at", "kind", "at_s",
    ],
    key: "day, office, queue, epoch, no",
};

const WAITING: Table = Table {
    name: "calls_waiting",
    columns: &[
        "office", "queue", "day", "epoch", "no", "ticket", "counter", "at", "kind", "at_s", "id",
        "heard_s",
    ],
    key: "id",
};

fn bind<'q>(query: AnyQuery<'q>, call: &'q Arrival, labels: &Labels) -> AnyQuery<'q> {
    let row = &call.row;
    query
        .bind(&row.office)
        .bind(&row.queue)
        .bind(&row.day)
        .bind(row.epoch)
        .bind(row.no)
        .bind(labels.of(row))
        .bind(&row.counter)
        .bind(&row.at)
        .bind(&row.kind)
        .bind(call.at_s)
}

/// Writes calls; those already there are left as they are. How many were new. Calls of days that
/// are over are written without their label.
pub(super) async fn insert_calls(
    connection: &mut AnyConnection,
    calls: &[&Arrival],
    labels: &Labels,
) -> Result<u64, sqlx::Error> {
    let mut new = 0;
    for calls in calls.chunks(ROWS_PER_STATEMENT) {
        let written = insert(connection, &CALLS, calls, |q, call| bind(q, call, labels)).await?;
        new += written;
        if usize::try_from(written) == Ok(calls.len()) {
            continue;
        }
        // Most of the others are stored already. A call whose place another call has is stored
        // beside it.
        let there = at_places(connection, calls).await?;
        let there: HashMap<_, _> = there.iter().map(|row| (place(row), row)).collect();
        for call in calls {
            let known = there.get(&place(&call.row));
            if !known.is_some_and(|row| call.is(row, labels.of(&call.row))) {
                new += u64::from(insert_again(connection, call, labels).await?);
            }
        }
    }
    Ok(new)
}

/// What `calls` holds where these calls belong.
async fn at_places(
    connection: &mut AnyConnection,
    calls: &[&Arrival],
) -> Result<Vec<CallRow>, sqlx::Error> {
    let text = format!(
        "SELECT {COLUMNS} FROM calls WHERE (day, office, queue, epoch, no) IN (VALUES {})",
        places(calls.len(), 5)
    );
    // Safe: names of this file and placeholders.
    let query = calls
        .iter()
        .fold(sqlx::query(AssertSqlSafe(text)), |query, call| {
            query
                .bind(&call.row.day)
                .bind(&call.row.office)
                .bind(&call.row.queue)
                .bind(call.row.epoch)
                .bind(call.row.no)
        });
    let rows = query.persistent(false).fetch_all(&mut *connection).await?;
    rows.iter().map(row).collect()
}

/// Writes a call beside the one in its place; whether it was new.
async fn insert_again(
    connection: &mut AnyConnection,
    call: &Arrival,
    labels: &Labels,
) -> Result<bool, sqlx::Error> {
    let row = &call.row;
    for _ in 0..TRIES {
        let known: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM (SELECT 1 AS one FROM calls_again \
             WHERE day = $1 AND office = $2 AND queue = $3 AND ticket IN ($4, '') \
             AND epoch = $5 AND no = $6 AND counter = $7 AND kind = $8 \
             AND at_s BETWEEN $9 AND $10 LIMIT 1) AS found",
        )
        .bind(&row.day)
        .bind(&row.office)
        .bind(&row.queue)
        .bind(labels.of(row))
        .bind(row.epoch)
        .bind(row.no)
        .bind(&row.counter)
        .bind(&row.kind)
        .bind(call.at_s - SAME_CALL_S)
        .bind(call.at_s + SAME_CALL_S)
        .fetch_one(&mut *connection)
        .await?;
        if known > 0 {
            return Ok(false);
        }
        let last: i64 = sqlx::query_scalar(
            "SELECT COALESCE(MAX(again), 0) FROM calls_again \
             WHERE day = $1 AND office = $2 AND queue = $3 AND epoch = $4 AND no = $5",
        )
        .bind(&row.day)
        .bind(&row.office)
        .bind(&row.queue)
        .bind(row.epoch)
        .bind(row.no)
        .fetch_one(&mut *connection)
        .await?;
        let text = format!(
            "INSERT INTO calls_again ({COLUMNS}, at_s, again) VALUES {} \
             ON CONFLICT (day, office, queue, epoch, no, again) DO NOTHING",
            places(1, 11)
        );
        let insert = bind(sqlx::query(AssertSqlSafe(text)), call, labels).bind(last + 1);
        if insert.execute(&mut *connection).await?.rows_affected() > 0 {
            return Ok(true);
        }
    }
    Err(sqlx::Error::Protocol(
        "cannot store a call whose count is taken: expected fewer hubs on one database".into(),
    ))
}

/// Keeps calls of offices without numbers apart.
pub(super) async fn insert_waiting(
    connection: &mut AnyConnection,
    calls: &[(&Arrival, i64)],
    labels: &Labels,
) -> Result<(), sqlx::Error> {
    insert(connection, &WAITING, calls, |query, (call, received_s)| {
        bind(query, call, labels)
            .bind(fastrand::i64(0..))
            .bind(*received_s)
    })
    .await?;
    Ok(())
}

/// Moves the calls of an office that now has numbers to where they belong. How many were new, and
/// how many were there already.
pub(super) async fn admit(
    connection: &mut AnyConnection,
    office: &str,
    labels: &Labels,
) -> Result<(u64, u64), sqlx::Error> {
    let (mut new, mut known) = (0, 0);
    loop {
        let text = format!(
            "SELECT {COLUMNS}, at_s, id FROM calls_waiting WHERE office = $1 ORDER BY id LIMIT 500"
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(office.to_owned())
            .fetch_all(&mut *connection)
            .await?;
        if rows.is_empty() {
            return Ok((new, known));
        }
        let mut calls = Vec::with_capacity(rows.len());
        let mut last: i64 = 0;
        for found in &rows {
            let at_s = found.try_get(9)?;
            last = found.try_get(10)?;
            calls.push(Arrival {
                row: row(found)?,
                at_s,
            });
        }
        let calls: Vec<&Arrival> = calls.iter().collect();
        let written = insert_calls(connection, &calls, labels).await?;
        new += written;
        known += u64::try_from(calls.len()).unwrap_or(0) - written;
        resolve_predictions(connection, &calls).await?;
        sqlx::query("DELETE FROM calls_waiting WHERE office = $1 AND id <= $2")
            .bind(office.to_owned())
            .bind(last)
            .execute(&mut *connection)
            .await?;
    }
}
