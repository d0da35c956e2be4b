//! Why the history cannot be used.

/// Says why the history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The address is none that a driver knows, or its database cannot be opened.
    #[error("cannot open the history database: expected sqlite:FILE or postgres://…")]
    Open(#[source] sqlx::Error),
    /// The tables cannot be made.
    #[error("cannot prepare the tables of the history database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A query failed.
    #[error("cannot query the history database")]
    Query(#[from] sqlx::Error),
    /// The writer has stopped.
    #[error("the history database is closed")]
    Closed,
}

impl HistoryError {
    /// Whether waiting may help: the database is locked, full, or away. A file that cannot be
    /// opened or is no database is a mistake, to be reported at once.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        use sqlx::migrate::MigrateError as M;
        let (Self::Open(error)
        | Self::Query(error)
        | Self::Migrate(M::Execute(error) | M::ExecuteMigration(error, _))) = self
        else {
            return false;
        };
        match error {
            sqlx::Error::PoolTimedOut => true,
            // The low byte is the kind (https://sqlite.org/rescode.html): BUSY, LOCKED, IOERR,
            // FULL.
            sqlx::Error::Database(e) => e
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .is_some_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13)),
            _ => false,
        }
    }
}
