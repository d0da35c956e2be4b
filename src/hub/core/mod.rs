//! The hub without its rims: reports in, snapshots and history out.
//!
//! | part | does |
//! |---|---|
//! | `hub` | holds everything together |
//! | `intake` | reports and calls into registry and history |
//! | `publication` | what viewers see, after each burst of reports and as time passes |
//! | `maintenance` | samples, figures, and what is deleted when its time is over |
//! | `summary` | all offices for videos |
//! | `state`, `rate_limit`, `figures` | what the others keep |
//!
//! Knows no HTTP and no broker.

pub(in crate::hub) mod figures;
mod hub;
mod intake;
mod maintenance;
mod publication;
mod rate_limit;
mod state;
mod summary;

pub use hub::Hub;
pub use summary::OfficeSummary;
