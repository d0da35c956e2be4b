//! The newest of every office: numbers, pictures, availability, health.
//!
//! Sync, no I/O, time handed in. Every message is checked whole before anything changes, so a
//! wrong one costs a count and nothing else (invariant 8). Memory is bounded: offices, nodes,
//! boards and picture bytes each have a limit, and what does not fit is refused, never what is
//! there already. Knows no HTTP, no database, no broker.

mod check;
mod images;
mod node;
mod refusal;

pub use images::{IMAGE_BUDGET, Image, Images, MAX_PICTURE};
pub use refusal::Refusal;

use super::view::{BoardView, CameraView, OfficeView, OutputView};
use crate::clock::Now;
use crate::model::{NodeId, OfficeId};
use crate::wire::report::{CallReport, HealthReport, Numbers, OFFLINE, ONLINE};
use crate::wire::{self, WireTime, topic::Topic};
use bytes::Bytes;
use node::Node;
use std::collections::BTreeMap;

/// Most offices: Japan has 1,741 municipalities and 171 wards of designated cities.
pub const MAX_OFFICES: usize = 2_000;

/// Most nodes of one office: one for each floor of a large building, and spares.
pub const MAX_NODES: usize = 16;

/// Most counts one node may report; more are cut.
const MAX_COUNTS: usize = 64;

/// Longest line about an issue, in bytes; some hold what a library said, and more is cut.
const MAX_TEXT: usize = 1024;

/// What a report did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that viewers see.
    Unchanged,
    /// The office's view may differ now.
    Changed,
}

impl Effect {
    fn changed_if(changed: bool) -> Self {
        if changed {
            Self::Changed
        } else {
            Self::Unchanged
        }
    }
}

/// All offices.
#[derive(Debug)]
pub struct Registry {
    offices: BTreeMap<OfficeId, BTreeMap<NodeId, Node>>,
    images: Images,
    line: bool,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// Knows nothing yet; the line to the broker counts as up.
    #[must_use]
    pub fn new() -> Self {
        Self {
            offices: BTreeMap::new(),
            images: Images::new(IMAGE_BUDGET),
            line: true,
        }
    }

    /// Takes one report; a call is only checked, see [`decode_call`]. An empty payload is MQTT's
    /// way to clear a kept topic, so it makes the registry forget the same.
    ///
    /// # Errors
    /// [`Refusal`] when it breaks a rule; nothing has changed then.
    pub fn report(&mut self, topic: &Topic, payload: &Bytes, now: Now) -> Result<Effect, Refusal> {
        match topic {
            Topic::Numbers(office, node) => {
                if payload.is_empty() {
                    return Ok(self.forget(office, node, |n| n.numbers = None));
                }
                let numbers: Numbers = wire::decode(payload)?;
                check::numbers(&numbers, office, now)?;
                self.edit(office, node, |n, images| n.take_numbers(numbers, images))
            }
            Topic::Availability(office, node) => {
                let online = match &payload[..] {
                    b"" => return Ok(self.forget(office, node, |n| n.online = None)),
                    b if b == ONLINE.as_bytes() => true,
                    b if b == OFFLINE.as_bytes() => false,
                    _ => return Err(Refusal::Availability),
                };
                self.edit(office, node, |n, _| {
                    let before = n.is_online();
                    n.online = Some(online);
                    Ok(Effect::changed_if(before != online))
                })
            }
            Topic::Health(office, node) => {
                if payload.is_empty() {
                    return Ok(self.forget(office, node, |n| n.health = None));
                }
                let mut health: HealthReport = wire::decode(payload)?;
                health.counts = health.counts.into_iter().take(MAX_COUNTS).collect();
                for issue in &mut health.issues {
                    let end = issue.text.floor_char_boundary(MAX_TEXT);
                    issue.text.truncate(end);
                }
                check::health(&health)?;
                self.edit(office, node, |n, _| Ok(n.take_health(health)))
            }
            Topic::Board(office, node, board) => {
                check_size(payload)?;
                self.edit(office, node, |n, images| {
                    n.take_board(board, payload, images)
                })
            }
            Topic::Camera(office, node, camera) => {
                check_size(payload)?;
                self.edit(office, node, |n, images| {
                    n.take_camera(camera, payload, images)
                })
            }
            Topic::Calls(..) => decode_call(payload).map(|_| Effect::Unchanged),
            Topic::Feed(..) => Err(Refusal::Topic(topic.to_string())),
        }
    }

    /// Lets `edit` change a node, making it if there is room, and undoing that if it refuses.
    fn edit(
        &mut self,
        office: &OfficeId,
        node: &NodeId,
        edit: impl FnOnce(&mut Node, &mut Images) -> Result<Effect, Refusal>,
    ) -> Result<Effect, Refusal> {
        match self.offices.get(office) {
            None if self.offices.len() >= MAX_OFFICES => return Err(Refusal::Full("office")),
            Some(n) if !n.contains_key(node) && n.len() >= MAX_NODES => {
                return Err(Refusal::Full("node of this office"));
            }
            _ => {}
        }
        let nodes = self.offices.entry(office.clone()).or_default();
        let entry = nodes.entry(node.clone()).or_default();
        let effect = edit(entry, &mut self.images);
        self.prune(office, node);
        effect
    }

    fn forget(&mut self, office: &OfficeId, node: &NodeId, edit: impl FnOnce(&mut Node)) -> Effect {
        let Some(entry) = self.offices.get_mut(office).and_then(|n| n.get_mut(node)) else {
            return Effect::Unchanged;
        };
        edit(entry);
        self.prune(office, node);
        Effect::Changed
    }

    /// Drops a node, and an office, of which nothing is known.
    fn prune(&mut self, office: &OfficeId, node: &NodeId) {
        let Some(nodes) = self.offices.get_mut(office) else {
            return;
        };
        if nodes.get(node).is_some_and(Node::is_empty)
            && let Some(mut gone) = nodes.remove(node)
        {
            gone.unpin_all(&mut self.images);
        }
        if nodes.is_empty() {
            self.offices.remove(office);
        }
    }

    /// Says whether the hub hears the broker; while it does not, no number is current. Whether
    /// that is news.
    pub fn set_line(&mut self, up: bool) -> bool {
        std::mem::replace(&mut self.line, up) != up
    }

    /// Whether the hub hears the broker.
    #[must_use]
    pub fn line(&self) -> bool {
        self.line
    }

    /// The offices that have numbers, by id.
    pub fn offices(&self) -> impl Iterator<Item = &OfficeId> {
        let has_numbers =
            |nodes: &BTreeMap<NodeId, Node>| nodes.values().any(|n| n.numbers.is_some());
        self.offices
            .iter()
            .filter(move |(_, nodes)| has_numbers(nodes))
            .map(|(id, _)| id)
    }

    /// An office as viewers see it: the numbers of a node that is online before those of one that
    /// is not, then the newest; the pictures of all nodes.
    #[must_use]
    pub fn view(&self, office: &OfficeId) -> Option<OfficeView> {
        let nodes = self.offices.get(office)?;
        let (node, numbers) = nodes
            .values()
            .filter_map(|n| n.numbers.as_ref().map(|numbers| (n, numbers)))
            .max_by_key(|(n, numbers)| (n.is_online(), numbers.at.at, numbers.seq))?;
        let current = self.line && node.is_online();
        let mut queues = numbers.queues.clone();
        for queue in &mut queues {
            queue.fresh &= current;
        }
        let mut boards = Vec::new();
        let mut cameras = Vec::new();
        let mut outputs = Vec::new();
        for (id, n) in nodes {
            if self.line && n.is_online() {
                outputs.extend(n.outputs().map(|o| OutputView::new(id, o)));
            }
            boards.extend(n.boards().map(|(l, i)| BoardView::new(id, l, i.format)));
            cameras.extend(n.cameras().map(|(l, i)| CameraView::new(id, l, i.format)));
        }
        Some(OfficeView {
            id: office.clone(),
            name: numbers.office.name.clone(),
            as_of: queues.iter().filter_map(|q| q.as_of).max_by_key(|t| t.at),
            queues,
            boards,
            cameras,
            outputs,
            online: self.line && nodes.values().any(Node::is_online),
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
            let heard = self.line && n.is_online();
            n.boards().map(move |(line, image)| ShownPicture {
                camera: false,
                image: image.clone(),
                at: line.shown_at,
                heard,
            })
        });
        let cameras = nodes().flat_map(|(_, n)| {
            let heard = self.line && n.is_online();
            n.cameras().map(move |(line, image)| ShownPicture {
                camera: true,
                image: image.clone(),
                at: line.taken_at,
                heard,
            })
        });
        boards.chain(cameras).collect()
    }

    /// A picture by its hash, if it is still kept.
    #[must_use]
    pub fn image(&self, sha256: &str) -> Option<Image> {
        self.images.get(sha256)
    }

    /// Memory of all pictures, in bytes.
    #[must_use]
    pub fn image_bytes(&self) -> usize {
        self.images.bytes()
    }

    /// Every node with its availability and health.
    pub fn nodes(&self) -> impl Iterator<Item = (&OfficeId, &NodeId, bool, Option<&HealthReport>)> {
        self.offices.iter().flat_map(|(office, nodes)| {
            nodes
                .iter()
                .map(move |(id, n)| (office, id, n.is_online(), n.health.as_ref()))
        })
    }
}

fn check_size(payload: &Bytes) -> Result<(), Refusal> {
    if payload.len() > MAX_PICTURE {
        Err(Refusal::Picture(payload.len()))
    } else {
        Ok(())
    }
}

/// A picture of a board or a camera with its file.
#[derive(Debug, Clone)]
pub struct ShownPicture {
    /// Whether a camera took it; else a node drew it.
    pub camera: bool,
    /// The file.
    pub image: Image,
    /// When it was shown or taken.
    pub at: WireTime,
    /// Whether its node is heard.
    pub heard: bool,
}

/// Reads one call of an office.
///
/// # Errors
/// [`Refusal`] when it breaks the contract or its `no` does not fit the history.
pub fn decode_call(payload: &[u8]) -> Result<CallReport, Refusal> {
    let call: CallReport = wire::decode(payload)?;
    if call.no == 0 || i64::try_from(call.no).is_err() {
        return Err(Refusal::CallNo(call.no));
    }
    if !check::is_near(call.day, call.at.zoned().date()) {
        return Err(Refusal::Time(call.day.to_string()));
    }
    Ok(call)
}
