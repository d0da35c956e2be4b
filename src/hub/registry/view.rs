//! What is seen of the registry, at the newest moment it was handed.

use super::images::Image;
use super::offices::Registry;
use crate::hub::view::{BoardView, CameraView, OfficeView, OutputView};
use crate::model::{NodeId, OfficeId};
use crate::wire::WireTime;
use crate::wire::report::HealthReport;
use jiff::SignedDuration;

/// One node as operators see it.
#[derive(Debug, Clone, Copy)]
pub struct NodeView<'a> {
    pub office: &'a OfficeId,
    pub node: &'a NodeId,
    /// Whether it is online.
    pub online: bool,
    /// Its newest health report.
    pub health: Option<&'a HealthReport>,
    /// Whether its clock is synchronised, by its own report.
    pub clock_synchronized: bool,
    /// How far its clock is ahead of the hub's (negative: behind, or its reports come late); only
    /// when that is too much to believe its times.
    pub clock_off: Option<SignedDuration>,
    /// Whether two machines report under its identity.
    pub shared: bool,
}

impl Registry {
    /// An office as viewers see it: the numbers of a node that is online before those of one that
    /// is not, then the newest; the pictures of all nodes.
    #[must_use]
    pub fn view(&self, office: &OfficeId) -> Option<OfficeView> {
        let now = self.now;
        let nodes = self.offices.get(office)?;
        let (node, numbers) = nodes
            .values()
            .filter_map(|n| n.numbers.as_ref().map(|numbers| (n, numbers)))
            .max_by_key(|(n, _)| n.rank(now))?;
        let mut queues = node.queues(now);
        for queue in &mut queues {
            queue.fresh &= self.connected;
        }
        let mut boards = Vec::new();
        let mut cameras = Vec::new();
        let mut outputs = Vec::new();
        for (id, n) in nodes {
            if self.connected && n.is_online(now) {
                outputs.extend(n.outputs().map(|o| OutputView::new(id, o)));
            }
            boards.extend(
                n.boards()
                    .map(|(l, i)| BoardView::new(id, l, i.format.as_str())),
            );
            cameras.extend(
                n.cameras()
                    .map(|(l, i)| CameraView::new(id, l, i.format.as_str())),
            );
        }
        Some(OfficeView {
            id: office.clone(),
            name: numbers.office.name.clone(),
            as_of: queues.iter().filter_map(|q| q.as_of).max_by_key(|t| t.at),
            queues,
            boards,
            cameras,
            outputs,
            online: self.connected && nodes.values().any(|n| n.is_online(now)),
        })
    }

    /// The newest bytes of a board.
    #[must_use]
    pub fn board(&self, office: &str, node: &str, board: &str) -> Option<Image> {
        self.offices.get(office)?.get(node)?.newest_board(board)
    }

    /// The pictures of an office that are shown, boards before cameras.
    #[must_use]
    pub fn pictures(&self, office: &OfficeId) -> Vec<ShownPicture> {
        let nodes = || self.offices.get(office).into_iter().flatten();
        let boards = nodes().flat_map(|(_, n)| {
            let online = self.connected && n.is_online(self.now);
            n.boards().map(move |(entry, image)| ShownPicture {
                camera: false,
                image: image.clone(),
                at: entry.shown_at,
                online,
            })
        });
        let cameras = nodes().flat_map(|(_, n)| {
            let online = self.connected && n.is_online(self.now);
            n.cameras().map(move |(entry, image)| ShownPicture {
                camera: true,
                image: image.clone(),
                at: entry.taken_at,
                online,
            })
        });
        boards.chain(cameras).collect()
    }

    /// A picture by its hash, if it is still stored.
    #[must_use]
    pub fn image(&self, sha256: &str) -> Option<Image> {
        self.images.get(sha256)
    }

    /// Memory of all pictures, in bytes.
    #[must_use]
    pub fn image_bytes(&self) -> usize {
        self.images.bytes()
    }

    /// Every node with what is known of it.
    pub fn nodes(&self) -> impl Iterator<Item = NodeView<'_>> {
        self.offices.iter().flat_map(move |(office, nodes)| {
            nodes.iter().map(move |(node, n)| NodeView {
                office,
                node,
                online: n.is_online(self.now),
                health: n.health.as_ref(),
                clock_synchronized: n.believes_its_clock(),
                clock_off: n.clock_off,
                shared: n.instances.is_shared(self.now),
            })
        })
    }
}

/// A picture of a board or a camera with its file.
#[derive(Debug, Clone)]
pub struct ShownPicture {
    /// Whether a camera took it; else a node drew it.
    pub camera: bool,
    pub image: Image,
    /// When it was shown or taken.
    pub at: WireTime,
    /// Whether its node is online.
    pub online: bool,
}
