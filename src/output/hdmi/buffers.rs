//! Two pictures in the card's memory: one on the screen, the other one drawn.

use super::card::Card;
use super::copy::copy_damage;
use crate::config::Rotation;
use crate::frame::Frame;
use drm::buffer::{Buffer as _, DrmFourcc};
use drm::control::dumbbuffer::DumbBuffer;
use drm::control::{Device as _, framebuffer};
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use std::io;

/// Bits of a pixel, and those of them that carry colour.
const BITS: u32 = 32;
const DEPTH: u32 = 24;
/// More areas than this are copied as a whole picture: a board draws some tens at most.
const MAX_AREAS: usize = 256;

#[derive(Debug)]
struct Buffer {
    memory: DumbBuffer,
    picture: framebuffer::Handle,
    /// Where the frame has changed since it was last copied here.
    behind: Vec<Rectangle>,
}

/// The two buffers of one connector.
///
/// They outlive this value on purpose: at the end of the process the last picture stays for whoever
/// keeps the card open. [`release`](Self::release) frees them.
#[derive(Debug)]
pub(super) struct Buffers {
    each: [Buffer; 2],
    /// The one on the screen, or next to be.
    front: usize,
}

impl Buffers {
    pub(super) fn new(card: &Card, (width, height): (u16, u16)) -> io::Result<Self> {
        let size = (u32::from(width), u32::from(height));
        let first = Buffer::new(card, size)?;
        let second = Buffer::new(card, size).inspect_err(|_| first.release(card))?;
        let mut buffers = Self {
            each: [first, second],
            front: 0,
        };
        buffers.forget();
        Ok(buffers)
    }

    /// Copies what the drawn buffer lacks, and returns its picture, to be put on the screen.
    pub(super) fn draw(
        &mut self,
        card: &Card,
        frame: &Frame,
        damage: &[Rectangle],
        rotation: Rotation,
    ) -> io::Result<framebuffer::Handle> {
        for buffer in &mut self.each {
            if buffer.behind.len() + damage.len() > MAX_AREAS {
                buffer.behind = vec![everything()];
            } else {
                buffer.behind.extend_from_slice(damage);
            }
        }
        let back = &mut self.each[1 - self.front];
        let pitch = back.memory.pitch() as usize;
        let mut memory = card.map_dumb_buffer(&mut back.memory)?;
        copy_damage(frame, &back.behind, rotation, memory.as_mut(), pitch);
        drop(memory);
        back.behind.clear();
        Ok(back.picture)
    }

    /// Notes that the drawn buffer is on the screen now.
    pub(super) fn swap(&mut self) {
        self.front = 1 - self.front;
    }

    /// Takes both buffers for unknown: the next frame is copied whole.
    pub(super) fn forget(&mut self) {
        for buffer in &mut self.each {
            buffer.behind = vec![everything()];
        }
    }

    /// The picture on the screen.
    pub(super) fn front(&self) -> framebuffer::Handle {
        self.each[self.front].picture
    }

    /// Frees both; what shows one of them goes dark.
    pub(super) fn release(self, card: &Card) {
        for buffer in self.each {
            buffer.release(card);
        }
    }
}

impl Buffer {
    fn new(card: &Card, size: (u32, u32)) -> io::Result<Self> {
        let memory = card.create_dumb_buffer(size, DrmFourcc::Xrgb8888, BITS)?;
        let picture = card
            .add_framebuffer(&memory, DEPTH, BITS)
            .inspect_err(|_| {
                // Best effort: the card is out of memory or gone already.
                let _ = card.destroy_dumb_buffer(memory);
            })?;
        Ok(Self {
            memory,
            picture,
            behind: Vec::new(),
        })
    }

    fn release(&self, card: &Card) {
        // Best effort: where the card is gone, so are its buffers.
        let _ = card.destroy_framebuffer(self.picture);
        let _ = card.destroy_dumb_buffer(self.memory);
    }
}

/// An area that holds every frame.
fn everything() -> Rectangle {
    let side = crate::frame::MAX_SIDE;
    Rectangle::new(Point::zero(), Size::new(side, side))
}
