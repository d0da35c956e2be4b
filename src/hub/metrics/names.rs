//! Which names may become labels.
//!
//! A Prometheus server keeps every series it ever saw, so what counts is not how many names there
//! are at once but how many there ever were: a node that calls its boards, its version or itself
//! something else with every report must not fill the server's disk. Names are therefore admitted
//! first come, first served, and never given back while the hub runs. A node that has used up its
//! share takes nothing from the others.

use super::values::OTHER;
use crate::hub::registry::{MAX_NODES, MAX_OFFICES};
use crate::model::{BoardId, NodeId, OfficeId, QueueId};
use crate::wire::report::MAX_QUEUES;
use std::collections::{HashMap, HashSet};

/// Nodes in all: one for each office that the hub takes.
const NODES: usize = MAX_OFFICES;

/// Boards in all: four a node.
const BOARDS: usize = 4 * NODES;

/// Queues in all: eight an office.
const QUEUES: usize = 8 * MAX_OFFICES;

/// Boards of one node. A report has 16 at most; the rest is for boards that were renamed.
const BOARDS_OF_A_NODE: usize = 32;

/// Versions that one node has while the hub runs. The hub is updated with its nodes, so few.
const VERSIONS_OF_A_NODE: usize = 8;

/// Machines that one node runs on while the hub runs: it may be replaced.
const MODELS_OF_A_NODE: usize = 4;

/// Longest text of a node that becomes a label, in characters.
const MAX_TEXT: usize = 64;

/// Admits names, so many for each owner and so many in all, and keeps what it admitted.
#[derive(Debug)]
struct Share {
    per_owner: usize,
    in_all: usize,
    admitted: HashMap<String, HashSet<String>>,
    len: usize,
}

impl Share {
    fn new(per_owner: usize, in_all: usize) -> Self {
        Self {
            per_owner,
            in_all,
            admitted: HashMap::new(),
            len: 0,
        }
    }

    fn admits(&mut self, owner: &str, name: &str) -> bool {
        let of_owner = self.admitted.get(owner);
        if of_owner.is_some_and(|names| names.contains(name)) {
            return true;
        }
        if self.len >= self.in_all || of_owner.map_or(0, HashSet::len) >= self.per_owner {
            return false;
        }
        let names = self.admitted.entry(owner.to_owned()).or_default();
        names.insert(name.to_owned());
        self.len += 1;
        true
    }
}

/// The names that are labels, for as long as the hub runs.
#[derive(Debug)]
pub(crate) struct Names {
    nodes: Share,
    boards: Share,
    queues: Share,
    versions: Share,
    models: Share,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            // Devices are replaced under new names: twice as many as there may be at once.
            nodes: Share::new(2 * MAX_NODES, NODES),
            boards: Share::new(BOARDS_OF_A_NODE, BOARDS),
            queues: Share::new(2 * MAX_QUEUES, QUEUES),
            versions: Share::new(VERSIONS_OF_A_NODE, VERSIONS_OF_A_NODE * NODES),
            models: Share::new(MODELS_OF_A_NODE, MODELS_OF_A_NODE * NODES),
        }
    }
}

impl Names {
    pub(super) fn node(&mut self, office: &OfficeId, node: &NodeId) -> bool {
        self.nodes.admits(office.as_str(), node.as_str())
    }

    pub(super) fn board(&mut self, office: &OfficeId, node: &NodeId, board: &BoardId) -> bool {
        self.boards.admits(&owner(office, node), board.as_str())
    }

    pub(super) fn queue(&mut self, office: &OfficeId, queue: &QueueId) -> bool {
        self.queues.admits(office.as_str(), queue.as_str())
    }

    /// A node's version as a label.
    pub(super) fn version(&mut self, office: &OfficeId, node: &NodeId, text: &str) -> String {
        admitted(&mut self.versions, office, node, text)
    }

    /// The model of its machine as a label.
    pub(super) fn model(&mut self, office: &OfficeId, node: &NodeId, text: &str) -> String {
        admitted(&mut self.models, office, node, text)
    }
}

fn owner(office: &OfficeId, node: &NodeId) -> String {
    format!("{office}/{node}")
}

/// A node's text in printable ASCII; `unknown` when there is none, `other` when it has had too
/// many.
fn admitted(share: &mut Share, office: &OfficeId, node: &NodeId, text: &str) -> String {
    let printable = text.chars().filter(|c| matches!(c, ' '..='~'));
    let text: String = printable.take(MAX_TEXT).collect();
    match text.trim() {
        "" => "unknown".to_owned(),
        text if share.admits(&owner(office, node), text) => text.to_owned(),
        _ => OTHER.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_admitted_stays_and_others_have_their_own_share() {
        let mut share = Share::new(2, 3);
        assert!(share.admits("a", "1") && share.admits("a", "2"));
        assert!(!share.admits("a", "3"), "its share is used up");
        assert!(share.admits("b", "3"), "not that of others");
        assert!(!share.admits("c", "1"), "no room for more in all");
        assert!(!share.admits("b", "4"));
        assert!(share.admits("a", "1") && share.admits("b", "3"));
        assert_eq!(share.admitted.len(), 2, "who is not admitted takes no room");
    }

    #[test]
    fn a_text_is_cut_to_what_a_label_may_hold() {
        let mut names = Names::default();
        let (office, node) = ("chuo".parse().unwrap(), "n1".parse().unwrap());
        let mut version = |text: &str| names.version(&office, &node, text);
        assert_eq!(version("0.1.0\n\"あ"), "0.1.0\"");
        assert_eq!(version(" \u{7f}"), "unknown");
        assert_eq!(version(&"9".repeat(500)), "9".repeat(MAX_TEXT));
    }
}
