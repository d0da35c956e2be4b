//! The signals of a HUB75 connector: one frame after the other, two rows at a time.
//!
//! While two rows are lit, the next two are shifted in; then all goes dark, the row address changes,
//! the latch takes over, and it is lit again. Row address and latch never change while it is lit,
//! else points of one row glow in another. A line is written only when it changes, because one write
//! is what everything here is counted in. Knows lines as `embedded-hal` has them, and no device.

use super::picture::Picture;
use embedded_hal::digital::OutputPin;

/// The lines of a connector.
#[derive(Debug)]
pub struct Pins<P> {
    /// Red, green and blue of the upper rows, then of the lower ones.
    pub data: [P; 6],
    /// Row address, lowest bit first; as many as the panel has.
    pub address: Vec<P>,
    /// Clock of the shift registers.
    pub clk: P,
    /// Latch.
    pub lat: P,
    /// Output enable, lit while low.
    pub oe: P,
}

/// How long rows stay lit: the time that passes outside of the signals.
pub trait FrameTimer {
    /// A frame begins.
    fn frame(&mut self) {}
    /// Two rows were lit; waits until their light is to go out.
    fn lit(&mut self) {}
    /// Their light is out; waits until the next rows have their turn.
    fn dark(&mut self) {}
    /// A frame is over and everything is dark.
    fn rest(&mut self) {}
}

/// Drives a chain of panels.
#[derive(Debug)]
pub struct Driver<P> {
    pins: Pins<P>,
    /// What the data lines carry, bit by bit; `None` when not known.
    data: Option<u8>,
    /// What the address lines carry.
    address: Option<usize>,
    /// Further writes of each clock edge.
    slowdown: u32,
    /// Columns of the widest picture so far.
    width: usize,
}

impl<P: OutputPin> Driver<P> {
    /// Drives dark panels.
    ///
    /// # Errors
    /// When a line cannot be written.
    pub fn new(mut pins: Pins<P>, slowdown: u32) -> Result<Self, P::Error> {
        pins.oe.set_high()?;
        pins.clk.set_low()?;
        pins.lat.set_low()?;
        Ok(Self {
            pins,
            data: None,
            address: None,
            slowdown,
            width: 0,
        })
    }

    /// Shows a picture once, two rows after the other, and leaves the panels dark.
    ///
    /// # Errors
    /// When a line cannot be written; the panels may be lit then, and [`dark`](Self::dark) is due.
    pub fn frame(&mut self, picture: &Picture, pace: &mut impl FrameTimer) -> Result<(), P::Error> {
        pace.frame();
        let mut lit = false;
        for (row, columns) in picture.rows().enumerate() {
            self.width = self.width.max(columns.len());
            self.shift(columns)?;
            if lit {
                pace.lit();
                self.pins.oe.set_high()?;
                pace.dark();
            }
            self.select(row)?;
            self.pins.lat.set_high()?;
            self.pins.lat.set_low()?;
            self.pins.oe.set_low()?;
            lit = true;
        }
        pace.lit();
        self.pins.oe.set_high()?;
        pace.dark();
        pace.rest();
        Ok(())
    }

    /// Puts everything out, and empties the latches: when nobody drives the lines any more, output
    /// enable may fall, and a row of points must not be lit for hours.
    ///
    /// # Errors
    /// When a line cannot be written.
    pub fn dark(&mut self) -> Result<(), P::Error> {
        self.pins.oe.set_high()?;
        self.shift(&vec![0; self.width])?;
        self.pins.lat.set_high()?;
        self.pins.lat.set_low()
    }

    /// Shifts two rows in: the first column ends up farthest from the connector, at the left.
    fn shift(&mut self, columns: &[u8]) -> Result<(), P::Error> {
        for &bits in columns {
            let changed = self.data.map_or(0x3f, |old| old ^ bits);
            if changed != 0 {
                for (i, pin) in self.pins.data.iter_mut().enumerate() {
                    if changed >> i & 1 == 1 {
                        set(pin, bits >> i & 1 == 1)?;
                    }
                }
                self.data = Some(bits);
            }
            for _ in 0..=self.slowdown {
                self.pins.clk.set_high()?;
            }
            for _ in 0..=self.slowdown {
                self.pins.clk.set_low()?;
            }
        }
        Ok(())
    }

    fn select(&mut self, row: usize) -> Result<(), P::Error> {
        let changed = self.address.map_or(usize::MAX, |old| old ^ row);
        for (i, pin) in self.pins.address.iter_mut().enumerate() {
            if changed >> i & 1 == 1 {
                set(pin, row >> i & 1 == 1)?;
            }
        }
        self.address = Some(row);
        Ok(())
    }
}

#[inline]
fn set<P: OutputPin>(pin: &mut P, high: bool) -> Result<(), P::Error> {
    if high { pin.set_high() } else { pin.set_low() }
}
