//! A session with a broker that comes back by itself.
//!
//! [`spawn`] gives four things that outlive every connection: a [`Publisher`], an inbox of
//! [`Message`]s, a watch on the [`Link`] and [`Stats`]. Behind them one task connects, subscribes,
//! and begins again when the line is lost.
//!
//! Invariants:
//! - Nobody waits for the broker unless they ask to: [`Publisher::publish_latest`] only stores a
//!   value, [`Publisher::try_enqueue`] only takes a place in a bounded queue.
//! - Nothing grows: queue and inbox are bounded, a value that only counts when newest is replaced
//!   in place, at most [`WINDOW`] publishes are unconfirmed. What is dropped or replaced is counted.
//! - Every new session subscribes again, says `online` before anything else, and publishes every
//!   newest value again, so that a broker that forgot everything is complete at once.
//! - A subscription that the broker refuses is asked for again, so that no line is there and deaf.
//! - What was sent and not confirmed when the line broke is answered with [`PublishError::Lost`]:
//!   who needs it to arrive sends it again. Nothing is sent a second time behind the sender's back.
//! - A full inbox slows the broker down, first by leaving messages unacknowledged (pings go on),
//!   then, when a broker ignores that, by not reading from the line. Nothing is dropped here.
//! - One warning when the line is lost or cannot be made, one note when it is back; one for all of it
//!   while it comes and goes.
//!
//! MQTT 5 is tried first, 3.1.1 when a broker refuses it; nothing here needs properties of MQTT 5.
//! Instead of a broker there may be an [`Exchange`] within the process: all above holds there too.
//! Knows no tickets, no JSON and no topic but those it is given.

mod asked;
mod backoff;
mod connection;
mod dialect;
mod exchange;
mod fault;
mod filter;
mod inbox;
mod limits;
mod options;
mod outage;
mod outbox;
mod session;
mod stats;
pub mod tls;
mod wire;

pub use exchange::Exchange;
pub use fault::Fault;
pub use inbox::Message;
pub use limits::{CONFIRMS_NOTHING, KEEPS_NOTHING, Limits};
pub use options::{Availability, SessionOptions, Subscription};
pub use outbox::{Confirmation, Publish, PublishError, Publisher, Qos, WINDOW};
pub use session::{Link, Session, spawn};
pub use stats::{Stats, StatsView};
pub use wire::Version;
