//! All offices with their nodes: what each report changes.

use super::call::decode_call;
use super::check;
use super::effect::Effect;
use super::evidence::Delivery;
use super::images::{IMAGE_BUDGET, Images, MAX_PICTURE};
use super::node::Node;
use super::rejection::Rejection;
use crate::clock::Now;
use crate::health::Instances;
use crate::model::{NodeId, OfficeId};
use crate::wire::report::{HealthReport, Instance, Numbers, OFFLINE, ONLINE};
use crate::wire::{self, WireTime, old_names, topic::Topic};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Most offices: Japan has 1,741 municipalities and 171 wards of designated cities.
pub const MAX_OFFICES: usize = 2_000;

/// Most nodes of one office: one for each floor of a large building, and spares.
pub const MAX_NODES: usize = 16;

/// Most counts one node may report; more are cut.
const MAX_COUNTS: usize = 64;

/// Longest text of an issue, in bytes; some quote a library, and longer ones are cut.
const MAX_TEXT: usize = 1024;

/// All offices.
#[derive(Debug)]
pub struct Registry {
    pub(super) offices: BTreeMap<OfficeId, BTreeMap<NodeId, Node>>,
    /// Offices that have reported numbers, even if those are too old to be shown.
    known: BTreeSet<OfficeId>,
    pub(super) images: Images,
    pub(super) connected: bool,
    /// The newest moment that was handed in.
    pub(super) now: Now,
    /// What was left out of the last report.
    omitted: Option<Rejection>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// Knows nothing yet; counts as connected to the broker.
    #[must_use]
    pub fn new() -> Self {
        Self {
            offices: BTreeMap::new(),
            known: BTreeSet::new(),
            images: Images::new(IMAGE_BUDGET),
            connected: true,
            now: Now {
                wall: Timestamp::UNIX_EPOCH,
                mono: Duration::ZERO,
                synced: false,
            },
            omitted: None,
        }
    }

    /// Applies one report that came live, so not a retained one. See
    /// [`Registry::apply`].
    ///
    /// # Errors
    /// [`Rejection`] when it breaks a rule; nothing has changed then.
    pub fn report(
        &mut self,
        topic: &Topic,
        payload: &Bytes,
        now: Now,
    ) -> Result<Effect, Rejection> {
        self.apply(topic, payload, false, now)
    }

    /// Applies one report, which may be a retained message; a call is only checked, see
    /// [`decode_call`]. An empty payload is MQTT's way to clear a retained message, so the registry
    /// drops what it knew from that topic.
    ///
    /// # Errors
    /// [`Rejection`] when it breaks a rule; nothing has changed then, but that the node's clock may
    /// be known to be wrong.
    pub fn apply(
        &mut self,
        topic: &Topic,
        payload: &Bytes,
        retained: bool,
        now: Now,
    ) -> Result<Effect, Rejection> {
        self.now = now;
        self.omitted = None;
        let delivery = Delivery { retained, now };
        match topic {
            Topic::Numbers(office, node) => self.apply_numbers(office, node, payload, delivery),
            Topic::Availability(office, node) => {
                self.apply_availability(office, node, payload, delivery)
            }
            Topic::Health(office, node) => self.apply_health(office, node, payload, delivery),
            Topic::Instance(office, node) => self.apply_instance(office, node, payload, now),
            Topic::Board(office, node, board) => {
                check_size(payload)?;
                self.edit(office, node, |n, images| {
                    let effect = n.set_board_picture(board, payload, images)?;
                    n.mark_alive(delivery);
                    Ok(effect)
                })
            }
            Topic::Camera(office, node, camera) => {
                check_size(payload)?;
                self.edit(office, node, |n, images| {
                    let effect = n.set_camera_picture(camera, payload, images)?;
                    n.mark_alive(delivery);
                    Ok(effect)
                })
            }
            Topic::Calls(..) => decode_call(payload, now, u16::MAX).map(|_| Effect::Unchanged),
            Topic::Feed(..) => Err(Rejection::Topic(topic.to_string())),
        }
    }

    fn apply_numbers(
        &mut self,
        office: &OfficeId,
        node: &NodeId,
        payload: &Bytes,
        delivery: Delivery,
    ) -> Result<Effect, Rejection> {
        if payload.is_empty() {
            return Ok(self.forget_numbers(office, node));
        }
        let now = delivery.now;
        let mut numbers: Numbers = wire::decode(payload)?;
        check::numbers(&numbers, office)?;
        let timely = check::timely(&numbers, now);
        if matches!(
            timely,
            Ok(()) | Err(Rejection::Time(_) | Rejection::Ahead { .. })
        ) {
            self.add_known(office);
        }
        if let Err(rejection) = timely {
            self.check_clock(office, node, numbers.at, delivery);
            return Err(rejection.with_node(office, node));
        }
        let before = self.node(office, node).and_then(|n| n.numbers.as_ref());
        self.omitted = check::drop_future_entries(&mut numbers, before, now)
            .map_err(|rejection| rejection.with_node(office, node))?;
        self.edit(office, node, |n, images| {
            n.apply_numbers(numbers, delivery, images)
        })
    }

    fn apply_availability(
        &mut self,
        office: &OfficeId,
        node: &NodeId,
        payload: &[u8],
        delivery: Delivery,
    ) -> Result<Effect, Rejection> {
        let online = match payload {
            b"" => return Ok(self.forget(office, node, |n| n.online = None)),
            b if b == ONLINE.as_bytes() => true,
            b if b == OFFLINE.as_bytes() => false,
            _ => return Err(Rejection::Availability),
        };
        self.edit(
            office,
            node,
            |n, _| Ok(n.set_availability(online, delivery)),
        )
    }

    fn apply_health(
        &mut self,
        office: &OfficeId,
        node: &NodeId,
        payload: &[u8],
        delivery: Delivery,
    ) -> Result<Effect, Rejection> {
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
        let old = old_names::first_in(payload);
        self.edit(office, node, |n, _| {
            if let Some((old, new)) = old.filter(|_| !n.old_names_logged) {
                n.old_names_logged = true;
                tracing::warn!(
                    %office, %node,
                    "health report with names of an earlier version, such as {old} for {new}: \
                     accepted until 0.2, update the node"
                );
            }
            Ok(n.set_health(health, delivery))
        })
    }

    fn apply_instance(
        &mut self,
        office: &OfficeId,
        node: &NodeId,
        payload: &[u8],
        now: Now,
    ) -> Result<Effect, Rejection> {
        if payload.is_empty() {
            return Ok(self.forget(office, node, |n| n.instances = Instances::default()));
        }
        let Instance { id, seq } = wire::decode(payload)?;
        self.edit(office, node, |n, _| {
            n.instances.hear(&id, seq, now);
            Ok(Effect::Unchanged) // visitors see numbers, whichever machine reports them
        })
    }

    /// Lets time pass: from now on everything is answered for this moment. The offices of which
    /// something that viewers see may have grown old.
    pub fn advance(&mut self, now: Now) -> Vec<OfficeId> {
        self.now = now;
        let mut aged = Vec::new();
        for (office, nodes) in &mut self.offices {
            let each = nodes.values_mut().map(|n| n.update_status(now));
            if each.fold(false, |any, one| any | one) {
                aged.push(office.clone());
            }
        }
        aged
    }

    /// Takes what was left out of the last report, if anything was.
    pub fn take_omitted(&mut self) -> Option<Rejection> {
        self.omitted.take()
    }

    /// Whether an office has reported numbers, even if they are too old to be shown. Only then are
    /// its calls published.
    #[must_use]
    pub fn knows(&self, office: &OfficeId) -> bool {
        self.known.contains(office)
    }

    fn add_known(&mut self, office: &OfficeId) {
        if !self.known.contains(office) && self.known.len() < MAX_OFFICES {
            self.known.insert(office.clone());
        }
    }

    fn node(&self, office: &OfficeId, node: &NodeId) -> Option<&Node> {
        self.offices.get(office)?.get(node)
    }

    /// Notes how far off the clock of a node is whose report is rejected because of its time.
    fn check_clock(&mut self, office: &OfficeId, node: &NodeId, at: WireTime, delivery: Delivery) {
        let nodes = self.offices.get_mut(office);
        if let Some(node) = nodes.and_then(|nodes| nodes.get_mut(node)) {
            node.check_clock(at, delivery);
        }
    }

    /// Lets `edit` change a node, making it if there is room, and undoing that if it refuses.
    fn edit(
        &mut self,
        office: &OfficeId,
        node: &NodeId,
        edit: impl FnOnce(&mut Node, &mut Images) -> Result<Effect, Rejection>,
    ) -> Result<Effect, Rejection> {
        match self.offices.get(office) {
            None if self.offices.len() >= MAX_OFFICES => return Err(Rejection::Full("office")),
            Some(n) if !n.contains_key(node) && n.len() >= MAX_NODES => {
                return Err(Rejection::Full("node of this office"));
            }
            _ => {}
        }
        let nodes = self.offices.entry(office.clone()).or_default();
        let entry = nodes.entry(node.clone()).or_default();
        let mut effect = edit(entry, &mut self.images);
        if let Ok(effect) = &mut effect {
            *effect = effect.and(Effect::changed_if(entry.update_status(self.now)));
        }
        self.prune(office, node);
        effect
    }

    fn forget(&mut self, office: &OfficeId, node: &NodeId, edit: impl FnOnce(&mut Node)) -> Effect {
        let Some(entry) = self.offices.get_mut(office).and_then(|n| n.get_mut(node)) else {
            return Effect::Unchanged;
        };
        edit(entry);
        entry.update_status(self.now);
        self.prune(office, node);
        Effect::Changed
    }

    /// Drops the numbers of a node, and its office from those with numbers if no other node has
    /// any.
    fn forget_numbers(&mut self, office: &OfficeId, node: &NodeId) -> Effect {
        let effect = self.forget(office, node, Node::clear_numbers);
        let mut nodes = self.offices.get(office).into_iter().flatten();
        if nodes.all(|(_, n)| n.numbers.is_none()) {
            self.known.remove(office);
        }
        effect
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

    /// Sets whether the hub is connected to the broker; while it is not, no number is current.
    /// Whether that changed.
    pub fn set_connected(&mut self, connected: bool) -> bool {
        std::mem::replace(&mut self.connected, connected) != connected
    }

    /// Whether the hub is connected to the broker.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
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
}

fn check_size(payload: &Bytes) -> Result<(), Rejection> {
    if payload.len() > MAX_PICTURE {
        Err(Rejection::Picture(payload.len()))
    } else {
        Ok(())
    }
}
