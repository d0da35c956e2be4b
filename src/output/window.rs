//! A board in a desktop window, for those who work on it. Needs SDL2.
//!
//! SDL's windows belong to one thread and want their events taken all the time, so the window has a
//! thread of its own and takes the newest frame from a place that is overwritten: a slow desktop
//! never holds up the board.

use super::{Connector, DeviceStatus, Frame, Output, OutputError};
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics_simulator::{
    OutputSettingsBuilder, SimulatorDisplay, SimulatorEvent, Window,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often the window looks for events and a new frame: 50 times a second.
const PACE: Duration = Duration::from_millis(20);

/// What the window's thread and the board's share.
#[derive(Default)]
struct Shared {
    /// The newest frame that was not drawn yet.
    next: Mutex<Option<Frame>>,
    /// The window was closed, by its user or because the output went away.
    closed: AtomicBool,
}

/// Shows frames in a window.
pub struct WindowOutput {
    title: String,
    shared: Arc<Shared>,
    open: bool,
}

impl WindowOutput {
    /// A window with this title; it opens with the first frame.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            shared: Arc::default(),
            open: false,
        }
    }
}

impl Output for WindowOutput {
    fn kind(&self) -> &'static str {
        "window"
    }

    fn present(&mut self, frame: &Frame, _: &[Rectangle]) -> Result<(), OutputError> {
        if self.shared.closed.load(Ordering::Relaxed) {
            return Err(OutputError::Closed);
        }
        *self
            .shared
            .next
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(frame.clone());
        if !self.open {
            self.open = true;
            let (title, shared) = (self.title.clone(), Arc::clone(&self.shared));
            thread::spawn(move || run(&title, &shared));
        }
        Ok(())
    }

    fn connector(&self) -> Connector {
        if self.shared.closed.load(Ordering::Relaxed) {
            Connector::Disconnected
        } else {
            Connector::Connected
        }
    }
}

impl Drop for WindowOutput {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
    }
}

fn run(title: &str, shared: &Shared) {
    let mut shown: Option<(SimulatorDisplay<Rgb888>, Window)> = None;
    while !shared.closed.load(Ordering::Relaxed) {
        let next = shared
            .next
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(frame) = next {
            let (display, window) = shown.get_or_insert_with(|| {
                let settings = OutputSettingsBuilder::new().build();
                (
                    SimulatorDisplay::new(frame.size()),
                    Window::new(title, &settings),
                )
            });
            let all = Rectangle::new(Point::zero(), frame.size());
            let colors = frame.words().iter().map(|&word| {
                let [_, r, g, b] = word.to_be_bytes();
                Rgb888::new(r, g, b)
            });
            let Ok(()) = display.fill_contiguous(&all, colors);
            window.update(display);
        }
        if let Some((_, window)) = &mut shown
            && window.events().any(|e| matches!(e, SimulatorEvent::Quit))
        {
            shared.closed.store(true, Ordering::Relaxed);
        }
        thread::sleep(PACE);
    }
}
