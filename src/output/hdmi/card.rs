//! The display cards of the machine, each opened once a process.
//!
//! The kernel lets one open file of a card change what is on its connectors (the "DRM master"), so
//! the boards of one process share it. The numbers in `/dev/dri/card0` change from boot to boot;
//! a card is known by its device number.

use super::fd_store;
use drm::Device as _;
use drm::buffer::Handle as BufferHandle;
use drm::control::{Device as _, Event, crtc, framebuffer, from_u32};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// More cards than a machine has; a bound for a folder that is not what it should be.
const MAX_CARDS: usize = 16;
/// A process before this one had at most this many buffers on a card: two a connector, and as many
/// again while a mode changed.
const MAX_LEFT_BUFFERS: u32 = 64;
/// Another thread's wait for its picture holds the card's events at most this long.
const EVENT_SLICE: Duration = Duration::from_millis(20);

/// An open card.
#[derive(Debug)]
pub(super) struct Card {
    file: OwnedFd,
    /// `card0`
    name: String,
    device: u64,
    /// Pictures that came on the screen and were not asked for yet, by the number of their CRTC.
    flipped: Mutex<BTreeSet<u32>>,
    /// Whether it is kept for the next start.
    given: AtomicBool,
    /// What the process before this one left on the screen.
    left: Mutex<Vec<framebuffer::Handle>>,
}

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
impl drm::Device for Card {}
impl drm::control::Device for Card {}

/// The cards that are open in this process. They stay open: whoever keeps a card's file for the next
/// start keeps its ownership too, and a second file of the same card would own nothing.
static OPEN: Mutex<Vec<Arc<Card>>> = Mutex::new(Vec::new());

impl Card {
    /// Every card that can be opened, in the order of their names, and the first reason why one
    /// cannot.
    pub(super) fn all() -> (Vec<Arc<Self>>, Option<(PathBuf, io::Error)>) {
        let mut cards = Vec::new();
        let mut failed = None;
        for path in paths(Path::new("/dev/dri")) {
            match Self::open(&path) {
                Ok(card) => cards.push(card),
                Err(e) => failed = failed.or(Some((path, e))),
            }
        }
        (cards, failed)
    }

    fn open(path: &Path) -> io::Result<Arc<Self>> {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let device = rustix::fs::stat(path)?.st_rdev;
        let mut open = lock(&OPEN);
        // A card that was removed leaves its number to the next one.
        open.retain(|card| !card.resource_handles().is_err_and(|e| is_gone(&e)));
        if let Some(card) = open.iter().find(|card| card.device == device) {
            return Ok(Arc::clone(card));
        }
        let card = match kept(device) {
            Some(file) => Self::adopt(file, name, device),
            None => {
                let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
                let file = rustix::fs::open(path, flags, Mode::empty())?;
                Self::new(file, name, device)
            }
        };
        let card = Arc::new(card);
        open.push(Arc::clone(&card));
        Ok(card)
    }

    fn new(file: OwnedFd, name: String, device: u64) -> Self {
        Self {
            file,
            name,
            device,
            flipped: Mutex::default(),
            given: AtomicBool::new(false),
            left: Mutex::default(),
        }
    }

    /// Takes over a card with what is on its glass.
    fn adopt(file: OwnedFd, name: String, device: u64) -> Self {
        // Whoever kept it may have opened it to wait; this process must not.
        let flags = rustix::fs::fcntl_getfl(&file).unwrap_or(OFlags::empty());
        let _ = rustix::fs::fcntl_setfl(&file, flags | OFlags::NONBLOCK);
        let card = Self::new(file, name, device);
        let left = card
            .resource_handles()
            .map(|r| r.framebuffers().to_vec())
            .unwrap_or_default();
        // Numbers of buffers begin at 1. The pictures themselves stay: they hold their memory.
        for number in 1..=MAX_LEFT_BUFFERS {
            if let Some(handle) = from_u32::<BufferHandle>(number) {
                let _ = card.close_buffer(handle); // most numbers are not taken
            }
        }
        tracing::debug!(
            card = card.name,
            pictures = left.len(),
            "took over a DRM device"
        );
        *lock(&card.left) = left;
        card
    }

    /// Closes a card as soon as no board uses it, so that it is opened anew.
    pub(super) fn discard(self: &Arc<Self>) {
        lock(&OPEN).retain(|card| !Arc::ptr_eq(card, self));
    }

    /// Has the card kept open while the service restarts; asked for once a card.
    pub(super) fn store_fd(&self, connector: &str) {
        if !self.given.swap(true, Ordering::Relaxed) {
            fd_store::give(&self.file, connector);
        }
    }

    /// `card0`
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The device number: equal for what is the same card.
    pub(super) fn device(&self) -> u64 {
        self.device
    }

    /// Whether this process may change what is shown.
    pub(super) fn is_master(&self) -> bool {
        // Asks for something that only the owner may, with a number that no picture has: the owner
        // hears that there is no such picture, everybody else that it is not for them.
        let Some(nothing) = from_u32::<framebuffer::Handle>(u32::MAX) else {
            return true;
        };
        !self
            .dirty_framebuffer(nothing, &[])
            .is_err_and(|e| is_refused(&e))
    }

    /// Asks to be the one that may change what is shown.
    pub(super) fn acquire(&self) -> io::Result<()> {
        if self.is_master() {
            return Ok(());
        }
        self.acquire_master_lock()
    }

    /// Waits until the picture asked for is on the screen; `false` when it is not in time.
    pub(super) fn wait_flip(&self, crtc: crtc::Handle, limit: Duration) -> io::Result<bool> {
        let until = Instant::now() + limit;
        let crtc = u32::from(crtc);
        loop {
            let mut flipped = lock(&self.flipped);
            if flipped.remove(&crtc) {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let mut fds = [PollFd::new(self, PollFlags::IN)];
            let slice = Timespec::try_from(left.min(EVENT_SLICE)).ok();
            match poll(&mut fds, slice.as_ref()) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(e) => return Err(e.into()),
            }
            let events = match self.receive_events() {
                Ok(events) => events,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
                Err(e) => return Err(e),
            };
            for event in events {
                if let Event::PageFlip(event) = event {
                    flipped.insert(event.crtc.into());
                }
            }
        }
    }

    /// Forgets a picture that came too late.
    pub(super) fn forget_flip(&self, crtc: crtc::Handle) {
        lock(&self.flipped).remove(&u32::from(crtc));
    }

    /// Frees what the process before left, except what is still on a glass.
    pub(super) fn release_left(&self) {
        let mut left = lock(&self.left);
        if left.is_empty() {
            return;
        }
        let Ok(resources) = self.resource_handles() else {
            return;
        };
        let on_glass: Vec<_> = resources
            .crtcs()
            .iter()
            .filter_map(|crtc| self.get_crtc(*crtc).ok()?.framebuffer())
            .collect();
        left.retain(|picture| {
            on_glass.contains(picture) || self.destroy_framebuffer(*picture).is_err()
        });
    }
}

/// Whether somebody else owns the display.
pub(super) fn is_refused(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Whether the device itself is gone.
pub(super) fn is_gone(error: &io::Error) -> bool {
    let gone = [
        rustix::io::Errno::NODEV,
        rustix::io::Errno::BADF,
        rustix::io::Errno::NXIO,
    ];
    rustix::io::Errno::from_io_error(error).is_some_and(|e| gone.contains(&e))
}

/// `card0`, `card1`, … of a folder, by number.
pub(super) fn paths(folder: &Path) -> Vec<PathBuf> {
    let number = |path: &PathBuf| -> Option<u32> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("card")?.parse().ok()
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| number(path).is_some())
        .collect();
    paths.sort_by_key(number);
    paths.truncate(MAX_CARDS);
    paths
}

/// The open file of a card that was kept for this process.
fn kept(device: u64) -> Option<OwnedFd> {
    fd_store::take(|file| rustix::fs::fstat(file).is_ok_and(|stat| stat.st_rdev == device))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
