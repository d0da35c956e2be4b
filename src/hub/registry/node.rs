//! What is known of one node: its numbers, availability, health and pictures.

use super::check::MAX_PICTURES;
use super::images::{Image, Images};
use super::{Effect, Refusal};
use crate::model::{BoardId, CameraId};
use crate::wire::report::{BoardPicture, CameraPicture, HealthReport, Numbers, OutputReport};
use bytes::Bytes;
use std::collections::BTreeMap;

/// One node.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) numbers: Option<Numbers>,
    /// What its availability topic says; `None` before it said anything.
    pub(super) online: Option<bool>,
    pub(super) health: Option<HealthReport>,
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
    let format = super::images::sniff(bytes).ok_or(Refusal::Picture(bytes.len()))?;
    let image = images.pin(bytes, format).ok_or(Refusal::Full("picture"))?;
    Ok(panes
        .entry(key.clone())
        .or_default()
        .bytes(image, line, images))
}

impl Node {
    /// Whether its numbers may be believed to be current.
    pub(super) fn is_online(&self) -> bool {
        self.online.unwrap_or(self.numbers.is_some())
    }

    /// Takes a newer health report; viewers see what it says of the outputs.
    pub(super) fn take_health(&mut self, new: HealthReport) -> Effect {
        let before = self.health.replace(new);
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
        images: &mut Images,
    ) -> Result<Effect, Refusal> {
        if let Some(old) = &self.numbers
            && new.seq <= old.seq
            && new.at.at <= old.at.at
        {
            return Err(Refusal::Late);
        }
        rematch(&mut self.boards, &new.boards, |l| &l.id, images);
        rematch(&mut self.cameras, &new.cameras, |l| &l.id, images);
        self.numbers = Some(new);
        Ok(Effect::Changed)
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
