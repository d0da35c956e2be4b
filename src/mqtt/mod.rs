//! A session with a broker that comes back by itself.
//!
//! [`spawn`] gives four things that outlive every connection: a [`Publisher`], an inbox of
//! [`Message`]s, a watch on the [`ConnectionState`] and [`Stats`]. Behind them one task connects, subscribes,
//! and reconnects when the connection is lost.
//!
//! Invariants:
//! - Nobody waits for the broker unless they ask to: [`Publisher::publish_latest`] only stores a
//!   value, [`Publisher::try_enqueue`] only takes a place in a bounded queue.
//! - Nothing grows: queue and inbox are bounded, a value that only counts when newest is replaced
//!   in place, at most [`WINDOW`] publishes are unconfirmed. What is dropped or replaced is counted.
//! - Every new session subscribes again, says `online` before anything else, and publishes every
//!   newest value again, so that a broker that forgot everything is complete at once.
//! - A subscription that the broker rejects is retried, so that no connection stays without messages.
//! - What was sent and not confirmed when the connection broke is answered with [`PublishError::Lost`]:
//!   a sender that needs it to arrive sends it again. Nothing is sent twice on its own.
//! - A full inbox slows the broker down, first by leaving messages unacknowledged (pings go on),
//!   then, when a broker ignores that, by not reading from the connection. Nothing is dropped here.
//! - One warning when the connection is lost or cannot be made, one message when it is back; one for
//!   all of it while it is unstable.
//!
//! MQTT 5 is tried first, 3.1.1 when a broker refuses it; nothing here needs properties of MQTT 5.
//! A [`LocalBroker`] within the process may replace the broker: all of the above holds there too.
//! Knows no tickets, no JSON and no topic but those it is given.

mod client;
mod connection;
mod event;
mod fault;
mod inbox;
mod limits;
mod local_broker;
mod options;
mod outage;
mod outbox;
mod session;
mod session_task;
mod stats;
mod subscriptions;
pub mod tls;
mod version_fallback;

pub use client::Version;
pub use fault::Fault;
pub use inbox::Message;
pub use limits::{Limits, QOS1_UNAVAILABLE, RETAIN_UNAVAILABLE};
pub use local_broker::LocalBroker;
pub use options::{Availability, SessionOptions, Subscription};
pub use outbox::{Confirmation, Publish, PublishError, Publisher, Qos, WINDOW};
pub use session::{Session, spawn};
pub use session_task::ConnectionState;
pub use stats::{Stats, StatsView};
