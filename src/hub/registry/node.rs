//! What is known of one node: its numbers, availability, health and pictures.

use super::check::{MAX_PICTURES, queue_without_data};
use super::effect::Effect;
use super::evidence::{
    CURRENT_FOR, ClockCheck, Delivery, MAX_FRESH_AGE, ONLINE_FOR, is_ahead, within,
};
use super::images::{Image, Images};
use super::rejection::Rejection;
use crate::clock::Now;
use crate::health::Instances;
use crate::model::{BoardId, CameraId};
use crate::wire::MediaType;
use crate::wire::WireTime;
use crate::wire::report::ClockState;
use crate::wire::report::{
    BoardPicture, CameraPicture, HealthReport, Numbers, OutputReport, QueueNumbers,
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// One node.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) numbers: Option<Numbers>,
    /// What its availability topic says; `None` before it said anything.
    pub(super) online: Option<bool>,
    pub(super) health: Option<HealthReport>,
    /// The runs of the program that reported as this node.
    pub(super) instances: Instances,
    /// The newest moment at which it is known to have been alive, on the monotonic clock.
    last_alive: Option<SignedDuration>,
    /// The moment that its numbers are proved for.
    proved: Option<SignedDuration>,
    /// The moment by which its numbers are older or newer than others: when they were made, but
    /// never later than when they came. A report that claims to be of the future, or a `seq` near
    /// the end of its range, shuts out nothing that is made after it. `None` where the hub had no
    /// clock.
    made: Option<Timestamp>,
    /// `seq` and time of the last late report, while the hub has no clock.
    late: Option<(u64, Timestamp)>,
    /// How far its clock is ahead; `None` while it is right or unknown.
    pub(super) clock_off: Option<SignedDuration>,
    /// Whether it was online and its numbers were current at the last check.
    status: (bool, bool),
    /// Whether it was logged that its version uses other names.
    pub(super) old_names_logged: bool,
    boards: BTreeMap<BoardId, PictureSlot<BoardPicture>>,
    cameras: BTreeMap<CameraId, PictureSlot<CameraPicture>>,
}

/// One board or camera: bytes and entries come on topics of their own, in any order.
#[derive(Debug)]
struct PictureSlot<L> {
    newest: Option<Image>,
    /// The newest entry whose bytes had arrived, with those bytes.
    matched: Option<(L, Image)>,
}

impl<L> Default for PictureSlot<L> {
    fn default() -> Self {
        Self {
            newest: None,
            matched: None,
        }
    }
}

/// An entry that describes a picture.
trait PictureEntry: Clone + PartialEq {
    fn sha256(&self) -> &str;
}

impl PictureEntry for BoardPicture {
    fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl PictureEntry for CameraPicture {
    fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl<L: PictureEntry> PictureSlot<L> {
    /// Takes newer bytes; whether anything visible changed.
    fn bytes(&mut self, image: Image, entry: Option<&L>, images: &mut Images) -> bool {
        if let Some(old) = self.newest.replace(image.clone()) {
            images.unpin(&old.sha256);
        }
        match entry {
            Some(entry) if entry.sha256() == &*image.sha256 => self.matches(entry, images),
            _ => false,
        }
    }

    /// Takes an entry if its bytes are here; whether anything visible changed.
    fn matches(&mut self, entry: &L, images: &mut Images) -> bool {
        if self.matched.as_ref().is_some_and(|(old, _)| old == entry) {
            return false;
        }
        let Some(image) = images.pin_stored(entry.sha256()) else {
            return false;
        };
        if let Some((_, old)) = self.matched.replace((entry.clone(), image)) {
            images.unpin(&old.sha256);
        }
        true
    }

    fn unpin(self, images: &mut Images) {
        for image in self.newest.into_iter().chain(self.matched.map(|m| m.1)) {
            images.unpin(&image.sha256);
        }
    }
}

/// Matches every entry with its slot and drops what is no longer listed.
fn match_entries<I: Ord + Clone, L: PictureEntry>(
    slots: &mut BTreeMap<I, PictureSlot<L>>,
    entries: &[L],
    id: impl Fn(&L) -> &I,
    images: &mut Images,
) {
    for (key, slot) in slots.iter_mut() {
        if !entries.iter().any(|l| id(l) == key)
            && let Some((_, image)) = slot.matched.take()
        {
            images.unpin(&image.sha256);
        }
    }
    for entry in entries {
        if let Some(slot) = slots.get_mut(id(entry)) {
            slot.matches(entry, images);
        }
    }
}

/// Takes the bytes of one picture into its slot.
fn store_picture<I: Ord + Clone, L: PictureEntry>(
    slots: &mut BTreeMap<I, PictureSlot<L>>,
    key: &I,
    entry: Option<&L>,
    bytes: &Bytes,
    images: &mut Images,
) -> Result<bool, Rejection> {
    if !slots.contains_key(key) && slots.len() >= MAX_PICTURES {
        return Err(Rejection::Full("picture of this node"));
    }
    let format = MediaType::of(bytes).ok_or(Rejection::Picture(bytes.len()))?;
    let image = images
        .pin(bytes, format)
        .ok_or(Rejection::Full("picture"))?;
    Ok(slots
        .entry(key.clone())
        .or_default()
        .bytes(image, entry, images))
}

impl Node {
    /// Whether it is online: it did not announce that it stops, and showed a sign of life not long
    /// ago.
    pub(super) fn is_online(&self, now: Now) -> bool {
        self.online != Some(false) && within(ONLINE_FOR, self.last_alive, now)
    }

    /// Whether its numbers are what its board shows now.
    pub(super) fn is_current(&self, now: Now) -> bool {
        let ahead = |n: &Numbers| is_ahead(n.at.at, now);
        self.is_online(now)
            && within(CURRENT_FOR, self.proved, now)
            && self.numbers.as_ref().is_some_and(|n| !ahead(n))
    }

    /// What its numbers are worth beside those of the other nodes of its office: current before
    /// old, with a source before without, then the newest.
    pub(super) fn rank(&self, now: Now) -> impl Ord + use<> {
        let numbers = self.numbers.as_ref();
        let fresh = numbers.is_some_and(|n| n.queues.iter().any(|q| self.is_fresh(q, now)));
        (
            self.is_online(now),
            self.is_current(now),
            fresh,
            self.proved,
            self.made,
            numbers.map(|n| n.seq),
        )
    }

    /// Whether a queue's numbers are those of now.
    fn is_fresh(&self, queue: &QueueNumbers, now: Now) -> bool {
        let known = queue.as_of.is_some_and(|as_of| {
            let old = now.synced && now.wall.duration_since(as_of.at) > MAX_FRESH_AGE;
            !old && !is_ahead(as_of.at, now)
        });
        queue.fresh && known && self.is_current(now)
    }

    /// Its queues as viewers may see them now.
    pub(super) fn queues(&self, now: Now) -> Vec<QueueNumbers> {
        let all = self.numbers.iter().flat_map(|n| &n.queues);
        let seen = |q: &QueueNumbers| {
            // Taken while the hub had no clock to compare it with.
            if q.as_of.is_some_and(|as_of| is_ahead(as_of.at, now)) {
                return queue_without_data(q);
            }
            QueueNumbers {
                fresh: self.is_fresh(q, now),
                ..q.clone()
            }
        };
        all.map(seen).collect()
    }

    /// Checks whether it is still online and its numbers are current; whether that changed.
    pub(super) fn update_status(&mut self, now: Now) -> bool {
        let status = (self.is_online(now), self.is_current(now));
        std::mem::replace(&mut self.status, status) != status
    }

    /// Counts a message without a time as a sign of life, if it came live.
    pub(super) fn mark_alive(&mut self, delivery: Delivery) {
        self.last_alive = self.last_alive.max(delivery.proves_by_arrival());
    }

    /// Notes what a report shows of the node's clock.
    pub(super) fn check_clock(&mut self, at: WireTime, delivery: Delivery) {
        match delivery.check_clock(at.at) {
            ClockCheck::Unknown => {}
            ClockCheck::Right => self.clock_off = None,
            ClockCheck::Off(off) => self.clock_off = Some(off),
        }
    }

    /// Whether the node itself believes its clock; also as long as it did not say.
    pub(super) fn believes_its_clock(&self) -> bool {
        self.health
            .as_ref()
            .is_none_or(|h| h.clock != ClockState::Unknown)
    }

    /// Applies the availability topic.
    pub(super) fn set_availability(&mut self, online: bool, delivery: Delivery) -> Effect {
        if online {
            self.mark_alive(delivery);
        }
        self.online = Some(online);
        Effect::Unchanged // but for what `update_status` finds
    }

    /// Applies a newer health report; viewers see its outputs.
    pub(super) fn set_health(&mut self, new: HealthReport, delivery: Delivery) -> Effect {
        let at = new.at;
        let before = self.health.replace(new);
        self.check_clock(at, delivery);
        let proved = delivery.proves(at.at, self.believes_its_clock());
        self.last_alive = self.last_alive.max(proved);
        let outputs = |h: &HealthReport| {
            let seen = h.outputs.iter();
            // The hash too: it is compared with the picture to prove what a screen showed.
            let seen = seen.map(|o| (o.board.clone(), o.state, o.frame_sha256.clone()));
            seen.collect::<Vec<_>>()
        };
        Effect::changed_if(before.as_ref().map(outputs) != self.health.as_ref().map(outputs))
    }

    pub(super) fn outputs(&self) -> impl Iterator<Item = &OutputReport> {
        self.health.iter().flat_map(|h| &h.outputs)
    }

    pub(super) fn apply_numbers(
        &mut self,
        new: Numbers,
        delivery: Delivery,
        images: &mut Images,
    ) -> Result<Effect, Rejection> {
        if let Some(old) = &self.numbers
            && new.seq <= old.seq
            && self.is_made_before(old, new.at.at, delivery.now)
        {
            let order = (new.seq, new.at.at);
            let before = self.late.replace(order).filter(|_| !delivery.retained);
            // Without a clock the hub cannot know which of two is wrong: one that goes on is right.
            let goes_on = before.is_some_and(|(seq, at)| new.seq > seq && new.at.at > at);
            if delivery.now.synced || !goes_on {
                return Err(Rejection::Late);
            }
        }
        self.late = None;
        match_entries(&mut self.boards, &new.boards, |l| &l.id, images);
        match_entries(&mut self.cameras, &new.cameras, |l| &l.id, images);
        self.check_clock(new.at, delivery);
        // A node whose own clock is behind may have a source whose clock is right.
        let of_queues = new.queues.iter().filter_map(|q| q.as_of);
        let newest = of_queues.map(|t| t.at).fold(new.at.at, Timestamp::max);
        self.proved = delivery.proves(newest, self.believes_its_clock());
        self.last_alive = self.last_alive.max(self.proved);
        let synced = delivery.now.synced;
        self.made = synced.then(|| new.at.at.min(delivery.now.wall));
        self.numbers = Some(new);
        Ok(Effect::Changed)
    }

    /// Whether a report made `at` is not newer than the one that is known.
    fn is_made_before(&self, old: &Numbers, at: Timestamp, now: Now) -> bool {
        if !now.synced {
            return at <= old.at.at;
        }
        let Some(made) = self.made else {
            return false; // taken without a clock: nothing is known of its order
        };
        // One that came before it was made says only that it was made before it came.
        let claimed = old.at.at > made;
        at < made || (at == made && !claimed)
    }

    /// Forgets its numbers.
    pub(super) fn clear_numbers(&mut self) {
        self.numbers = None;
        self.proved = None;
    }

    pub(super) fn set_board_picture(
        &mut self,
        id: &BoardId,
        bytes: &Bytes,
        images: &mut Images,
    ) -> Result<Effect, Rejection> {
        if bytes.is_empty() {
            return Ok(remove(&mut self.boards, id, images));
        }
        let entries = self.numbers.as_ref().map_or(&[][..], |n| &n.boards);
        let entry = entries.iter().find(|l| l.id == *id);
        store_picture(&mut self.boards, id, entry, bytes, images).map(Effect::changed_if)
    }

    pub(super) fn set_camera_picture(
        &mut self,
        id: &CameraId,
        bytes: &Bytes,
        images: &mut Images,
    ) -> Result<Effect, Rejection> {
        if bytes.is_empty() {
            return Ok(remove(&mut self.cameras, id, images));
        }
        let entries = self.numbers.as_ref().map_or(&[][..], |n| &n.cameras);
        let entry = entries.iter().find(|l| l.id == *id);
        store_picture(&mut self.cameras, id, entry, bytes, images).map(Effect::changed_if)
    }

    /// The newest bytes of a board, whether or not its entry has come yet.
    pub(super) fn newest_board(&self, id: &str) -> Option<Image> {
        self.boards.get(id)?.newest.clone()
    }

    pub(super) fn boards(&self) -> impl Iterator<Item = (&BoardPicture, &Image)> {
        self.boards
            .values()
            .filter_map(|p| p.matched.as_ref().map(|(l, i)| (l, i)))
    }

    pub(super) fn cameras(&self) -> impl Iterator<Item = (&CameraPicture, &Image)> {
        self.cameras
            .values()
            .filter_map(|p| p.matched.as_ref().map(|(l, i)| (l, i)))
    }

    /// Forgets its pictures.
    pub(super) fn unpin_all(&mut self, images: &mut Images) {
        for slot in std::mem::take(&mut self.boards).into_values() {
            slot.unpin(images);
        }
        for slot in std::mem::take(&mut self.cameras).into_values() {
            slot.unpin(images);
        }
    }

    /// Whether nothing is known of it any more.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_none()
            && self.online.is_none()
            && self.health.is_none()
            && self.instances.is_empty()
            && self.boards.is_empty()
            && self.cameras.is_empty()
    }
}

fn remove<I: Ord, L: PictureEntry>(
    slots: &mut BTreeMap<I, PictureSlot<L>>,
    id: &I,
    images: &mut Images,
) -> Effect {
    slots.remove(id).map_or(Effect::Unchanged, |slot| {
        slot.unpin(images);
        Effect::Changed
    })
}
