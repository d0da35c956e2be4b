//! Questions to the history. Each takes a connection for one short query.

use super::calls::{COLUMNS, row};
use super::database::History;
use super::error::HistoryError;
use super::rows::CallRow;
use crate::model::{OfficeId, QueueId};
use jiff::civil::Date;
use sqlx::AssertSqlSafe;

/// Most rows of one page: about 200 kB of CSV.
pub const MAX_PAGE: usize = 2_000;

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
        if self.has_again(day).await? {
            return self.page_with_again(day, after).await;
        }
        let text = format!(
            "SELECT {COLUMNS} FROM calls \
             WHERE day = $1 AND (office, queue, epoch, no) > ($2, $3, $4, $5) \
             ORDER BY office, queue, epoch, no LIMIT $6"
        );
        // Safe, here and below: names of this module and placeholders.
        let rows = sqlx::query(AssertSqlSafe(text))
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

    /// Whether a day has calls that share their place with others; a usual day has none.
    async fn has_again(&self, day: Date) -> Result<bool, HistoryError> {
        let some: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM (SELECT 1 AS one FROM calls_again WHERE day = $1 LIMIT 1) AS found",
        )
        .bind(day.to_string())
        .fetch_one(&self.pool)
        .await?;
        Ok(some > 0)
    }

    /// The same page of a day on which calls share a place: those come after one another, in the
    /// order of what they say.
    async fn page_with_again(
        &self,
        day: Date,
        after: Option<&CallRow>,
    ) -> Result<Vec<CallRow>, HistoryError> {
        const ORDER: &str = "office, queue, epoch, no, at, ticket, counter, kind";
        let of = format!("WHERE day = $1 AND ({ORDER}) > ($2, $3, $4, $5, $6, $7, $8, $9)");
        let text = format!(
            "SELECT {COLUMNS} FROM (SELECT {COLUMNS} FROM calls {of} \
             UNION ALL SELECT {COLUMNS} FROM calls_again {of}) AS found ORDER BY {ORDER} LIMIT $10"
        );
        let of = |get: fn(&CallRow) -> &String| after.map(get).cloned().unwrap_or_default();
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(day.to_string())
            .bind(of(|r| &r.office))
            .bind(of(|r| &r.queue))
            .bind(after.map_or(0, |r| r.epoch))
            .bind(after.map_or(0, |r| r.no))
            .bind(of(|r| &r.at))
            .bind(of(|r| &r.ticket))
            .bind(of(|r| &r.counter))
            .bind(of(|r| &r.kind))
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
        // By time: a count that was poisoned must not hide the calls that are made after it.
        let of = "WHERE day = $1 AND office = $2 AND queue = $3 AND ticket = $4";
        let text = format!(
            "SELECT {COLUMNS} FROM (SELECT {COLUMNS}, at_s FROM calls {of} \
             UNION ALL SELECT {COLUMNS}, at_s FROM calls_again {of}) AS found \
             ORDER BY at_s DESC, epoch DESC, no DESC LIMIT 1"
        );
        let found = sqlx::query(AssertSqlSafe(text))
            .bind(day.to_string())
            .bind(office.to_string())
            .bind(queue.to_string())
            .bind(ticket.to_owned())
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.as_ref().map(row).transpose()?)
    }
}
