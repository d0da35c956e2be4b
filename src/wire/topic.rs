//! The topics of the contract: made and understood in one place.

use crate::model::{BoardId, CameraId, NodeId, OfficeId, QueueId};
use std::fmt;

/// The root that all topics share unless the configuration says otherwise.
pub const DEFAULT_ROOT: &str = "yobiban/v1";

/// What a topic under the root stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// `{office}/feed/{queue}`: the whole state of a queue, from the ticketing system.
    Feed(OfficeId, QueueId),
    /// `{office}/node/{node}/numbers`
    Numbers(OfficeId, NodeId),
    /// `{office}/node/{node}/calls`
    Calls(OfficeId, NodeId),
    /// `{office}/node/{node}/board/{board}`
    Board(OfficeId, NodeId, BoardId),
    /// `{office}/node/{node}/camera/{camera}`
    Camera(OfficeId, NodeId, CameraId),
    /// `{office}/node/{node}/availability`
    Availability(OfficeId, NodeId),
    /// `{office}/node/{node}/health`
    Health(OfficeId, NodeId),
    /// `{office}/node/{node}/instance`
    Instance(OfficeId, NodeId),
}

impl Topic {
    /// Understands a full topic name; `None` when it is not one of the contract's.
    #[must_use]
    pub fn parse(root: &str, name: &str) -> Option<Self> {
        let rest = name.strip_prefix(root)?.strip_prefix('/')?;
        let mut levels = rest.split('/');
        let office = OfficeId::new(levels.next()?).ok()?;
        let topic = match (levels.next()?, levels.next()?) {
            ("feed", queue) => Self::Feed(office, QueueId::new(queue).ok()?),
            ("node", node) => {
                let node = NodeId::new(node).ok()?;
                match (levels.next()?, levels.next()) {
                    ("numbers", None) => Self::Numbers(office, node),
                    ("calls", None) => Self::Calls(office, node),
                    ("availability", None) => Self::Availability(office, node),
                    ("health", None) => Self::Health(office, node),
                    ("instance", None) => Self::Instance(office, node),
                    ("board", Some(id)) => Self::Board(office, node, BoardId::new(id).ok()?),
                    ("camera", Some(id)) => Self::Camera(office, node, CameraId::new(id).ok()?),
                    _ => return None,
                }
            }
            _ => return None,
        };
        levels.next().is_none().then_some(topic)
    }

    /// The full topic name under a root.
    #[must_use]
    pub fn name(&self, root: &str) -> String {
        format!("{root}/{self}")
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed(o, q) => write!(f, "{o}/feed/{q}"),
            Self::Numbers(o, n) => write!(f, "{o}/node/{n}/numbers"),
            Self::Calls(o, n) => write!(f, "{o}/node/{n}/calls"),
            Self::Board(o, n, b) => write!(f, "{o}/node/{n}/board/{b}"),
            Self::Camera(o, n, c) => write!(f, "{o}/node/{n}/camera/{c}"),
            Self::Availability(o, n) => write!(f, "{o}/node/{n}/availability"),
            Self::Health(o, n) => write!(f, "{o}/node/{n}/health"),
            Self::Instance(o, n) => write!(f, "{o}/node/{n}/instance"),
        }
    }
}

/// The filter that holds the feed of one office.
#[must_use]
pub fn feed_filter(root: &str, office: &OfficeId) -> String {
    format!("{root}/{office}/feed/+")
}

/// The filters that hold what every node reports of now: each message replaces the one before.
#[must_use]
pub fn report_filters(root: &str) -> Vec<String> {
    ["numbers", "availability", "health", "board/+", "camera/+"]
        .iter()
        .map(|tail| format!("{root}/+/node/+/{tail}"))
        .collect()
}

/// The filter that holds which run of the program each node is. Apart from the others because an
/// access list of an earlier version may not allow it.
#[must_use]
pub fn instances_filter(root: &str) -> String {
    format!("{root}/+/node/+/instance")
}

/// The filter that holds the calls of every node, of which each counts.
#[must_use]
pub fn calls_filter(root: &str) -> String {
    format!("{root}/+/node/+/calls")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_go_both_ways() {
        for tail in [
            "chuo/feed/certificates",
            "chuo/node/n1/numbers",
            "chuo/node/n1/calls",
            "chuo/node/n1/board/main",
            "chuo/node/n1/camera/hall",
            "chuo/node/n1/availability",
            "chuo/node/n1/health",
            "chuo/node/n1/instance",
        ] {
            let name = format!("yobiban/v1/{tail}");
            let topic = Topic::parse(DEFAULT_ROOT, &name).expect(tail);
            assert_eq!(topic.name(DEFAULT_ROOT), name);
        }
    }

    #[test]
    fn other_topics_are_not_understood() {
        for name in [
            "yobiban/v1",
            "yobiban/v1/chuo/feed",
            "yobiban/v1/chuo/feed/a/b",
            "yobiban/v1/chuo/feed/..",
            "yobiban/v1/chuo/node/n1/board",
            "yobiban/v1/chuo/node/n1/numbers/x",
            "yobiban/v2/chuo/feed/a",
            "yobiban/v1x/chuo/feed/a",
        ] {
            assert_eq!(Topic::parse(DEFAULT_ROOT, name), None, "{name}");
        }
    }
}
