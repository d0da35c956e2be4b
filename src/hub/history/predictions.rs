//! Predicted waits and samples of queues into their tables, and predictions to actual waits.

use super::arrival::{Arrival, made};
use super::rows::{CallRow, PredictionRow, QueueSample};
use super::sql::{AnyQuery, ROWS_PER_STATEMENT, Table, insert, places};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

/// Nobody waits longer than an office is open; a longer wait is that of another ticket with the
/// same label.
const LONGEST_WAIT_S: i64 = 12 * 3600;

const PREDICTIONS: Table = Table {
    name: "told",
    columns: &[
        "day", "office", "queue", "ticket", "lane", "weekday", "hour", "at", "at_s", "low", "high",
    ],
    key: "day, office, queue, ticket",
};

/// Writes predictions; a ticket that has one already keeps it.
pub(super) async fn insert_predictions(
    connection: &mut AnyConnection,
    rows: &[&PredictionRow],
) -> Result<u64, sqlx::Error> {
    insert(connection, &PREDICTIONS, rows, |query, row| {
        query
            .bind(&row.day)
            .bind(&row.office)
            .bind(&row.queue)
            .bind(&row.ticket)
            .bind(&row.lane)
            .bind(row.weekday)
            .bind(row.hour)
            .bind(&row.at)
            .bind(row.at_s)
            .bind(row.low)
            .bind(row.high)
    })
    .await
}

const QUEUE_SAMPLES: Table = Table {
    name: "slots",
    columns: &[
        "day", "office", "queue", "slot", "lane", "weekday", "hour", "waiting", "low", "high",
    ],
    key: "office, day, queue, slot",
};

/// Writes samples of queues; the first sample of a slot counts.
pub(super) async fn insert_queue_samples(
    connection: &mut AnyConnection,
    rows: &[&QueueSample],
) -> Result<u64, sqlx::Error> {
    insert(connection, &QUEUE_SAMPLES, rows, |query, row| {
        query
            .bind(&row.day)
            .bind(&row.office)
            .bind(&row.queue)
            .bind(row.slot)
            .bind(&row.lane)
            .bind(row.weekday)
            .bind(row.slot / 6) // six of ten minutes are an hour
            .bind(row.waiting)
            .bind(row.low)
            .bind(row.high)
    })
    .await
}

/// Turns the predictions for the tickets of these calls into waits, and deletes them: their labels
/// are not needed any more. A recall ends no wait.
pub(super) async fn resolve_predictions(
    connection: &mut AnyConnection,
    calls: &[&Arrival],
) -> Result<(), sqlx::Error> {
    let calls = calls.iter().map(|arrival| &arrival.row);
    let calls: Vec<&CallRow> = calls.filter(|c| c.kind == "call").collect();
    for calls in calls.chunks(ROWS_PER_STATEMENT) {
        let keys = format!(
            "WHERE (day, office, queue, ticket) IN (VALUES {})",
            places(calls.len(), 4)
        );
        let select = format!(
            "SELECT day, office, queue, ticket, lane, weekday, hour, at, at_s, low, high \
             FROM told {keys}"
        );
        let predictions: Vec<PredictionRow> = bind_keys(sqlx::query(AssertSqlSafe(select)), calls)
            .persistent(false)
            .fetch_all(&mut *connection)
            .await?
            .iter()
            .map(prediction_row)
            .collect::<Result<_, _>>()?;
        if predictions.is_empty() {
            continue;
        }
        let ended: Vec<(&PredictionRow, &CallRow)> = predictions
            .iter()
            .filter_map(|prediction| {
                let mut calls = calls.iter().filter(|call| {
                    let waited = made(call) - prediction.at_s;
                    (&call.day, &call.office, &call.queue, &call.ticket)
                        == (
                            &prediction.day,
                            &prediction.office,
                            &prediction.queue,
                            &prediction.ticket,
                        )
                        && (0..=LONGEST_WAIT_S).contains(&waited)
                });
                Some((prediction, *calls.next()?))
            })
            .collect();
        insert_waits(connection, &ended).await?;
        let delete = format!("DELETE FROM told {keys}");
        bind_keys(sqlx::query(AssertSqlSafe(delete)), calls)
            .persistent(false)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn bind_keys<'q>(mut query: AnyQuery<'q>, calls: &[&'q CallRow]) -> AnyQuery<'q> {
    for call in calls {
        query = query
            .bind(&call.day)
            .bind(&call.office)
            .bind(&call.queue)
            .bind(&call.ticket);
    }
    query
}

fn prediction_row(row: &AnyRow) -> Result<PredictionRow, sqlx::Error> {
    Ok(PredictionRow {
        day: row.try_get(0)?,
        office: row.try_get(1)?,
        queue: row.try_get(2)?,
        ticket: row.try_get(3)?,
        lane: row.try_get(4)?,
        weekday: row.try_get(5)?,
        hour: row.try_get(6)?,
        at: row.try_get(7)?,
        at_s: row.try_get(8)?,
        low: row.try_get(9)?,
        high: row.try_get(10)?,
    })
}

const WAITS: Table = Table {
    name: "waits",
    columns: &[
        "office",
        "day",
        "queue",
        "epoch",
        "no",
        "lane",
        "weekday",
        "hour",
        "told_at",
        "low",
        "high",
        "called_at",
        "wait",
    ],
    key: "day, office, queue, epoch, no",
};

/// Writes how long people waited, and the wait that had been predicted.
async fn insert_waits(
    connection: &mut AnyConnection,
    ended: &[(&PredictionRow, &CallRow)],
) -> Result<u64, sqlx::Error> {
    insert(connection, &WAITS, ended, |query, (prediction, call)| {
        query
            .bind(&prediction.office)
            .bind(&prediction.day)
            .bind(&prediction.queue)
            .bind(call.epoch)
            .bind(call.no)
            .bind(&prediction.lane)
            .bind(prediction.weekday)
            .bind(prediction.hour)
            .bind(&prediction.at)
            .bind(prediction.low)
            .bind(prediction.high)
            .bind(&call.at)
            .bind(made(call) - prediction.at_s)
    })
    .await
}
