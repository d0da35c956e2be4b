//! Questions to the history. Each takes a connection for one short query.

use super::{CallRow, History, HistoryError};
use crate::model::{OfficeId, QueueId};
use jiff::civil::Date;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Most rows of one page: about 200 kB of CSV.
pub const MAX_PAGE: usize = 2_000;

fn row(row: &AnyRow) -> Result<CallRow, sqlx::Error> {
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

impl History {
    /// The calls of a day by office, queue, epoch and `no`, after the given one; at most
    /// [`MAX_PAGE`]. By pages, so that a slow download holds no connection.
    ///
    /// # Errors
    /// [`HistoryError::Query`] when the database does not answer.
    pub async fn page(
        &self,
        day: Date,
        after: Option<&CallRow>,
    ) -> Result<Vec<CallRow>, HistoryError> {
        let (office, queue, epoch, no) = after.map_or(("", "", 0, 0), |r| {
            (r.office.as_str(), r.queue.as_str(), r.epoch, r.no)
        });
        let rows = sqlx::query(
            "SELECT office, queue, day, epoch, no, ticket, counter, at, kind FROM calls \
             WHERE day = $1 AND (office, queue, epoch, no) > ($2, $3, $4, $5) \
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
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// The newest call of a ticket that day; a series that wraps calls the same label twice.
    ///
    /// # Errors
    /// [`HistoryError::Query`] when the database does not answer.
    pub async fn newest_call(
        &self,
        office: &OfficeId,
        queue: &QueueId,
        day: Date,
        ticket: &str,
    ) -> Result<Option<CallRow>, HistoryError> {
        let found = sqlx::query(
            "SELECT office, queue, day, epoch, no, ticket, counter, at, kind FROM calls \
             WHERE day = $1 AND office = $2 AND queue = $3 AND ticket = $4 \
             ORDER BY epoch DESC, no DESC LIMIT 1",
        )
        .bind(day.to_string())
        .bind(office.to_string())
        .bind(queue.to_string())
        .bind(ticket.to_owned())
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.as_ref().map(row).transpose()?)
    }
}
