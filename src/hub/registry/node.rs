//! What is known of one node: its numbers, availability, health and pictures.

use super::check::{MAX_PICTURES, unheard};
use super::evidence::{CURRENT_FOR, FRESH_AT_MOST, HEARD_FOR, Measured, Way, is_ahead, within};
use super::images::{Image, Images};
use super::{Effect, Refusal};
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
    /// The newest moment that it is known to have lived, on the monotonic clock.
    alive: Option<SignedDuration>,
    /// The moment that its numbers are proved for.
    proved: Option<SignedDuration>,
    /// The moment by which its numbers are older or newer than others: when they were made, but
    /// never later than when they came. A report that claims to be of the future, or a `seq` near
    /// the end of its range, shuts out nothing that is made after it. `None` where the hub had no
    /// clock to tell.
    made: Option<Timestamp>,
    /// `seq` and time of the report that was late last, while there is no clock to tell.
    late: Option<(u64, Timestamp)>,
    /// How far its clock is ahead; `None` while it is right or unknown.
    pub(super) clock_off: Option<SignedDuration>,
    /// Whether it was heard and its numbers were current when that was last looked at.
    seen: (bool, bool),
    /// Whether the log says already that its version has other names.
    pub(super) old_names_logged: bool,
    boards: BTreeMap<BoardId, Pane<BoardPicture>>,
    cameras: BTreeMap<CameraId, Pane<CameraPicture>>,
}

/// One board or camera: bytes and lines come on topics of their own, in any order.
#[derive(Debug)]
struct Pane<L> {
    /// The newest bytes.
    newest: Option<Image>,
    /// The newest line whose bytes were there, and those bytes.
    matched: Option<(L, Image)>,
}

impl<L> Default for Pane<L> {
    fn default() -> Self {
        Self {
            newest: None,
            matched: None,
        }
    }
}

/// A line that describes a picture.
trait Line: Clone + PartialEq {
    fn sha256(&self) -> &str;
}

impl Line for BoardPicture {
    fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl Line for CameraPicture {
    fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl<L: Line> Pane<L> {
    /// Takes newer bytes; whether anything visible changed.
    fn bytes(&mut self, image: Image, line: Option<&L>, images: &mut Images) -> bool {
        if let Some(old) = self.newest.replace(image.clone()) {
            images.unpin(&old.sha256);
        }
        match line {
            Some(line) if line.sha256() == &*image.sha256 => self.matches(line, images),
            _ => false,
        }
    }

    /// Takes a line if its bytes are here; whether anything visible changed.
    fn matches(&mut self, line: &L, images: &mut Images) -> bool {
        if self.matched.as_ref().is_some_and(|(old, _)| old == line) {
            return false;
        }
        let Some(image) = images.pin_kept(line.sha256()) else {
            return false;
        };
        if let Some((_, old)) = self.matched.replace((line.clone(), image)) {
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

/// Matches every line with its pane and drops what is no longer listed.
fn rematch<I: Ord + Clone, L: Line>(
    panes: &mut BTreeMap<I, Pane<L>>,
    lines: &[L],
    id: impl Fn(&L) -> &I,
    images: &mut Images,
) {
    for (key, pane) in panes.iter_mut() {
        if !lines.iter().any(|l| id(l) == key)
            && let Some((_, image)) = pane.matched.take()
        {
            images.unpin(&image.sha256);
        }
    }
    for line in lines {
        if let Some(pane) = panes.get_mut(id(line)) {
            pane.matches(line, images);
        }
    }
}

/// Takes the bytes of one picture into its pane.
fn take<I: Ord + Clone, L: Line>(
    panes: &mut BTreeMap<I, Pane<L>>,
    key: &I,
    line: Option<&L>,
    bytes: &Bytes,
    images: &mut Images,
) -> Result<bool, Refusal> {
    if !panes.contains_key(key) && panes.len() >= MAX_PICTURES {
        return Err(Refusal::Full("picture of this node"));
    }
    let format = MediaType::of(bytes).ok_or(Refusal::Picture(bytes.len()))?;
    let image = images.pin(bytes, format).ok_or(Refusal::Full("picture"))?;
    Ok(panes
        .entry(key.clone())
        .or_default()
        .bytes(image, line, images))
}

impl Node {
    /// Whether it is there: it did not say that it goes, and gave a sign of life not long ago.
    pub(super) fn is_online(&self, now: Now) -> bool {
        self.online != Some(false) && within(HEARD_FOR, self.alive, now)
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
            let old = now.synced && now.wall.duration_since(as_of.at) > FRESH_AT_MOST;
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
                return unheard(q);
            }
            QueueNumbers {
                fresh: self.is_fresh(q, now),
                ..q.clone()
            }
        };
        all.map(seen).collect()
    }

    /// Looks whether it is still heard and its numbers are current; whether that is news.
    pub(super) fn ages(&mut self, now: Now) -> bool {
        let seen = (self.is_online(now), self.is_current(now));
        std::mem::replace(&mut self.seen, seen) != seen
    }

    /// Takes a message without a time as a sign of life, if it came live.
    pub(super) fn lives(&mut self, way: Way) {
        self.alive = self.alive.max(way.proves_by_coming());
    }

    /// Notes what a report tells of the node's clock.
    pub(super) fn measure(&mut self, at: WireTime, way: Way) {
        match way.clock_off(at.at) {
            Measured::Nothing => {}
            Measured::Right => self.clock_off = None,
            Measured::Off(off) => self.clock_off = Some(off),
        }
    }

    /// Whether the node itself believes its clock; also as long as it did not say.
    pub(super) fn believes_its_clock(&self) -> bool {
        self.health
            .as_ref()
            .is_none_or(|h| h.clock != ClockState::Unknown)
    }

    /// Takes what the availability topic says.
    pub(super) fn take_availability(&mut self, online: bool, way: Way) -> Effect {
        if online {
            self.lives(way);
        }
        self.online = Some(online);
        Effect::Unchanged // but for what `ages` finds
    }

    /// Takes a newer health report; viewers see what it says of the outputs.
    pub(super) fn take_health(&mut self, new: HealthReport, way: Way) -> Effect {
        let at = new.at;
        let before = self.health.replace(new);
        self.measure(at, way);
        let proved = way.proves(at.at, self.believes_its_clock());
        self.alive = self.alive.max(proved);
        let outputs = |h: &HealthReport| {
            let seen = h.outputs.iter();
            // The hash too: who proves what was on the glass compares it with the picture.
            let seen = seen.map(|o| (o.board.clone(), o.state, o.frame_sha256.clone()));
            seen.collect::<Vec<_>>()
        };
        Effect::changed_if(before.as_ref().map(outputs) != self.health.as_ref().map(outputs))
    }

    pub(super) fn outputs(&self) -> impl Iterator<Item = &OutputReport> {
        self.health.iter().flat_map(|h| &h.outputs)
    }

    pub(super) fn take_numbers(
        &mut self,
        new: Numbers,
        way: Way,
        images: &mut Images,
    ) -> Result<Effect, Refusal> {
        if let Some(old) = &self.numbers
            && new.seq <= old.seq
            && self.is_made_before(old, new.at.at, way.now)
        {
            let order = (new.seq, new.at.at);
            let before = self.late.replace(order).filter(|_| !way.retained);
            // Without a clock it cannot be told which of two is wrong: one that goes on is right.
            let goes_on = before.is_some_and(|(seq, at)| new.seq > seq && new.at.at > at);
            if way.now.synced || !goes_on {
                return Err(Refusal::Late);
            }
        }
        self.late = None;
        rematch(&mut self.boards, &new.boards, |l| &l.id, images);
        rematch(&mut self.cameras, &new.cameras, |l| &l.id, images);
        self.measure(new.at, way);
        // A node whose own clock is behind may have a source whose clock is right.
        let of_queues = new.queues.iter().filter_map(|q| q.as_of);
        let newest = of_queues.map(|t| t.at).fold(new.at.at, Timestamp::max);
        self.proved = way.proves(newest, self.believes_its_clock());
        self.alive = self.alive.max(self.proved);
        let synced = way.now.synced;
        self.made = synced.then(|| new.at.at.min(way.now.wall));
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

    pub(super) fn take_board(
        &mut self,
        id: &BoardId,
        bytes: &Bytes,
        images: &mut Images,
    ) -> Result<Effect, Refusal> {
        if bytes.is_empty() {
            return Ok(remove(&mut self.boards, id, images));
        }
        let lines = self.numbers.as_ref().map_or(&[][..], |n| &n.boards);
        let line = lines.iter().find(|l| l.id == *id);
        take(&mut self.boards, id, line, bytes, images).map(Effect::changed_if)
    }

    pub(super) fn take_camera(
        &mut self,
        id: &CameraId,
        bytes: &Bytes,
        images: &mut Images,
    ) -> Result<Effect, Refusal> {
        if bytes.is_empty() {
            return Ok(remove(&mut self.cameras, id, images));
        }
        let lines = self.numbers.as_ref().map_or(&[][..], |n| &n.cameras);
        let line = lines.iter().find(|l| l.id == *id);
        take(&mut self.cameras, id, line, bytes, images).map(Effect::changed_if)
    }

    /// The newest bytes of a board, whether or not its line has come yet.
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
        for pane in std::mem::take(&mut self.boards).into_values() {
            pane.unpin(images);
        }
        for pane in std::mem::take(&mut self.cameras).into_values() {
            pane.unpin(images);
        }
    }

    /// Whether there is nothing left to know of it.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_none()
            && self.online.is_none()
            && self.health.is_none()
            && self.instances.is_empty()
            && self.boards.is_empty()
            && self.cameras.is_empty()
    }
}

fn remove<I: Ord, L: Line>(
    panes: &mut BTreeMap<I, Pane<L>>,
    id: &I,
    images: &mut Images,
) -> Effect {
    panes.remove(id).map_or(Effect::Unchanged, |pane| {
        pane.unpin(images);
        Effect::Changed
    })
}
