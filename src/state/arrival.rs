//! How a message came: what may be concluded from its having come now.

use crate::clock::Now;
use crate::model::Source;

/// Whether a broker handed a message on as it was published, or had kept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As it was published.
    Live,
    /// The broker had kept it for whoever subscribes (MQTT 5, 3.3.1.3): it may be of any age.
    Retained,
}

/// How a message reached the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub source: Source,
    /// Live, or kept by a broker.
    pub delivery: Delivery,
    /// Whether the source wrote the time itself; else `at` is the moment of arrival.
    pub timed: bool,
}

impl Arrival {
    /// Whether nothing says how old the message is: a broker had kept it, and it has no time of its
    /// own, or none that could be compared with a clock.
    pub(super) fn is_of_unknown_age(self, now: Now) -> bool {
        self.delivery == Delivery::Retained && !(self.timed && now.synced)
    }

    /// Whether its time means something: the source's own, or that of a clock that can be believed.
    pub(super) fn is_dated(self, now: Now) -> bool {
        self.timed || (now.synced && self.delivery == Delivery::Live)
    }
}

/// A live message with the source's own time.
impl From<Source> for Arrival {
    fn from(source: Source) -> Self {
        Self {
            source,
            delivery: Delivery::Live,
            timed: true,
        }
    }
}
