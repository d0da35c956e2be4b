//! Labels that an earlier version wrote, in the one spelling that labels have now.
//!
//! A label is a key: "my number" asks for it, and a call that comes again is known by it. Only rows
//! that still name their ticket are looked at, so this is today's, once a start.

use crate::model::Label;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

/// Most spellings that are changed at a start; an office has not so many tickets a day.
const MOST: usize = 10_000;

/// The columns that hold labels, table by table; in `told` a label is part of the key.
const PLACES: [(&str, &str); 7] = [
    ("calls", "ticket"),
    ("calls", "counter"),
    ("calls_again", "ticket"),
    ("calls_again", "counter"),
    ("calls_waiting", "ticket"),
    ("calls_waiting", "counter"),
    ("told", "ticket"),
];

/// The spelling that a text has as label now; as it is where nothing of it can be one.
pub(super) fn spelling(text: &str) -> String {
    Label::from_older_version(text).map_or_else(|| text.to_owned(), |label| label.to_string())
}

/// Whether two texts are the same label.
pub(super) fn same(one: &str, other: &str) -> bool {
    one == other || spelling(one) == spelling(other)
}

/// Spells the labels of all rows from a day on. How many spellings were changed.
pub(super) async fn renew(
    connection: &mut AnyConnection,
    from: &str,
) -> Result<usize, sqlx::Error> {
    let mut changed = 0;
    for (table, column) in PLACES {
        // Safe, here and below: names of this file and placeholders.
        let text = format!("SELECT DISTINCT {column} FROM {table} WHERE day >= $1");
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(from.to_owned())
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            let old: String = row.try_get(0)?;
            let new = spelling(&old);
            if new == old || changed == MOST {
                continue;
            }
            changed += 1;
            if table == "told" {
                // The prediction under the new spelling stays: it is the newer one.
                let twice = "DELETE FROM told WHERE day >= $1 AND ticket = $2 AND EXISTS \
                     (SELECT 1 FROM told AS other WHERE other.day = told.day \
                      AND other.office = told.office AND other.queue = told.queue \
                      AND other.ticket = $3)";
                sqlx::query(twice)
                    .bind(from.to_owned())
                    .bind(old.clone())
                    .bind(new.clone())
                    .execute(&mut *connection)
                    .await?;
            }
            let text =
                format!("UPDATE {table} SET {column} = $1 WHERE day >= $2 AND {column} = $3");
            sqlx::query(AssertSqlSafe(text))
                .bind(new)
                .bind(from.to_owned())
                .bind(old)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(changed)
}
