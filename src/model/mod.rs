//! The things of the trade as plain values: offices, queues, tickets, calls, days and waits.
//!
//! Total functions only: every constructor checks its input and says what was expected, and no
//! value can be changed into a wrong one afterwards. Knows no JSON, no network and no clock.

mod call;
mod id;
mod label;
mod name;
mod queue;
mod wait;

pub use call::{Call, CallKey, CallKind};
pub use id::{BoardId, CameraId, IdError, MAX_ID_LEN, NodeId, OfficeId, QueueId};
pub use label::{Label, LabelError, MAX_LABEL_CHARS};
pub use name::Name;
pub use queue::{Lane, QueueState, Source, Status};
pub use wait::{MAX_WAIT_S, WaitError, WaitRange};
