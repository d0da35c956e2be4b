//! Counts of a session, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts since the start of a session's task. Shared; only ever grow.
        #[derive(Debug, Default)]
        pub struct Stats { $(pub(super) $name: AtomicU64),* }

        /// The counts of a [`Stats`] at one moment.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        pub struct StatsView { $($(#[$doc])* pub $name: u64),* }

        impl Stats {
            /// Reads all counts.
            #[must_use]
            pub fn view(&self) -> StatsView {
                StatsView { $($name: self.$name.load(Ordering::Relaxed)),* }
            }
        }

        impl StatsView {
            /// Every count with its name.
            #[must_use]
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

stats! {
    /// Messages received.
    received,
    /// Bytes of their payloads.
    received_bytes,
    /// Publishes that were confirmed (QoS 0: handed to the connection).
    published,
    /// Bytes of their payloads.
    published_bytes,
    /// Values replaced by a newer one before they were sent.
    replaced,
    /// Publishes that found no room.
    dropped,
    /// Publishes the broker rejected or that were too large for it.
    rejected,
    /// Publishes whose confirmation was lost with the connection.
    lost,
    /// Sessions made with the broker.
    sessions,
    /// Sessions of which the broker said that another client took them over (MQTT 5 only).
    taken_over,
    /// Attempts that made no session.
    failed_attempts,
    /// Times a full inbox made the session stop reading.
    stalls,
    /// Turns of the session's task: it is alive as long as they grow.
    beats,
}

impl Stats {
    /// Counts a turn of the session's task.
    pub(crate) fn heartbeat(&self) {
        add(&self.beats, 1);
    }
}

pub(super) fn add(count: &AtomicU64, n: usize) {
    count.fetch_add(n as u64, Ordering::Relaxed);
}
