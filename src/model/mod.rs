//! The things of the trade as plain values: offices, queues, tickets, calls, days and waits.
//!
//! Total functions only: every constructor checks its input and says what was expected, and no
//! value can be changed into a wrong one afterwards. Knows no JSON, no network and no clock.

mod call;
mod id;
mod intervals;
mod label;
mod name;
mod pattern;
mod queue;
mod status;
pub mod text;
mod wait;

pub use call::{Call, CallKey, CallKind, NowServing};
pub use id::{BoardId, CameraId, IdError, MAX_ID_LEN, NodeId, OfficeId, QueueId};
pub use intervals::Intervals;
pub use label::{Label, LabelError, MAX_LABEL_CHARS};
pub use name::{Name, NameError};
pub use pattern::{Pattern, STANDARD_PATTERN};
pub use queue::{Lane, QueueState, Source};
pub use status::Status;
pub use wait::{CALLED_AT_OPENING, MAX_WAIT_S, QueueNow, WaitError, WaitRange};
