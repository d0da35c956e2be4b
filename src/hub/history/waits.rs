//! Queries for waits: how accurate predictions were, and how busy queues usually are.
//!
//! Only rows of the table `told`, the predictions, name a ticket; they are deleted when the ticket
//! is called or its day is over.

use super::database::History;
use super::error::HistoryError;
use super::read::MAX_PAGE;
use super::rows::{Accuracy, Usual, WaitRow};
use jiff::civil::Date;
use sqlx::Row as _;
use sqlx::any::AnyRow;

fn count(row: &AnyRow, i: usize) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>(i)?).unwrap_or(0))
}

fn small(row: &AnyRow, i: usize) -> Result<i8, sqlx::Error> {
    Ok(i8::try_from(row.try_get::<i64, _>(i)?).unwrap_or(0))
}

impl History {
    /// How good the ranges of an office's queues were since a day.
    ///
    /// # Errors
    /// [`HistoryError::Query`] when the database does not answer.
    pub async fn accuracy(&self, office: &str, since: Date) -> Result<Vec<Accuracy>, HistoryError> {
        let rows = sqlx::query(
            "SELECT queue, COUNT(*), \
             SUM(CASE WHEN wait >= low AND wait <= high THEN 1 ELSE 0 END), \
             SUM(CASE WHEN wait > high THEN 1 ELSE 0 END), \
             CAST(AVG(ABS(2 * wait - low - high)) AS DOUBLE PRECISION), \
             CAST(AVG(wait) AS DOUBLE PRECISION) \
             FROM waits WHERE office = $1 AND day >= $2 GROUP BY queue ORDER BY queue",
        )
        .bind(office.to_owned())
        .bind(since.to_string())
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &AnyRow| -> Result<Accuracy, sqlx::Error> {
            Ok(Accuracy {
                queue: row.try_get(0)?,
                tickets: count(row, 1)?,
                inside: count(row, 2)?,
                above: count(row, 3)?,
                mean_error_s: row.try_get::<f64, _>(4)? / 2.0, // twice the middle was summed
                mean_wait_s: row.try_get(5)?,
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// How an office's queues usually stand, since a day, by queue, weekday and hour.
    ///
    /// # Errors
    /// [`HistoryError::Query`] when the database does not answer.
    pub async fn usual(&self, office: &str, since: Date) -> Result<Vec<Usual>, HistoryError> {
        let rows = sqlx::query(
            "SELECT queue, weekday, hour, \
             CAST(AVG(CASE WHEN waiting >= 0 THEN waiting ELSE 0 END) AS DOUBLE PRECISION), \
             SUM(CASE WHEN waiting >= 0 THEN 1 ELSE 0 END), \
             CAST(AVG(low) AS DOUBLE PRECISION), CAST(AVG(high) AS DOUBLE PRECISION), \
             COUNT(DISTINCT day) \
             FROM slots WHERE office = $1 AND day >= $2 \
             GROUP BY queue, weekday, hour ORDER BY queue, weekday, hour",
        )
        .bind(office.to_owned())
        .bind(since.to_string())
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &AnyRow| -> Result<Usual, sqlx::Error> {
            let waiting: f64 = row.try_get(3)?;
            Ok(Usual {
                queue: row.try_get(0)?,
                weekday: small(row, 1)?,
                hour: small(row, 2)?,
                waiting: (count(row, 4)? > 0).then_some(waiting),
                low_s: row.try_get(5)?,
                high_s: row.try_get(6)?,
                days: u32::try_from(row.try_get::<i64, _>(7)?).unwrap_or(0),
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// The waits of a day by office, queue, epoch and `no`, after the given one; at most
    /// [`MAX_PAGE`].
    ///
    /// # Errors
    /// [`HistoryError::Query`] when the database does not answer.
    pub async fn waits_page(
        &self,
        day: Date,
        after: Option<&WaitRow>,
    ) -> Result<Vec<WaitRow>, HistoryError> {
        let (office, queue, epoch, no) = after.map_or(("", "", 0, 0), |r| {
            (r.office.as_str(), r.queue.as_str(), r.epoch, r.no)
        });
        let rows = sqlx::query(
            "SELECT office, queue, day, lane, epoch, no, told_at, low, high, called_at, wait \
             FROM waits WHERE day = $1 AND (office, queue, epoch, no) > ($2, $3, $4, $5) \
             ORDER BY office, queue, epoch, no LIMIT $6",
        )
        .bind(day.to_string())
        .bind(office.to_owned())
        .bind(queue.to_owned())
        .bind(epoch)
        .bind(no)
        .bind(i64::try_from(MAX_PAGE).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &AnyRow| -> Result<WaitRow, sqlx::Error> {
            Ok(WaitRow {
                office: row.try_get(0)?,
                queue: row.try_get(1)?,
                day: row.try_get(2)?,
                lane: row.try_get(3)?,
                epoch: row.try_get(4)?,
                no: row.try_get(5)?,
                told_at: row.try_get(6)?,
                low_s: row.try_get(7)?,
                high_s: row.try_get(8)?,
                called_at: row.try_get(9)?,
                wait_s: row.try_get(10)?,
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// What changes whenever a day's rows change: how many calls there are, how many of
    /// them still bear a label, and how many waits.
    ///
    /// # Errors
    /// [`HistoryError::Query`] when the database does not answer.
    pub async fn stamp(&self, day: Date) -> Result<[u64; 3], HistoryError> {
        let row = sqlx::query(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN ticket <> '' THEN 1 ELSE 0 END), 0), \
             (SELECT COUNT(*) FROM waits WHERE day = $1) FROM \
             (SELECT ticket FROM calls WHERE day = $1 \
              UNION ALL SELECT ticket FROM calls_again WHERE day = $1) AS called",
        )
        .bind(day.to_string())
        .fetch_one(&self.pool)
        .await?;
        Ok([count(&row, 0)?, count(&row, 1)?, count(&row, 2)?])
    }
}
