//! The thread that keeps panels lit, and the figures it leaves behind.
//!
//! It never waits for the drawing side: if the newest picture cannot be had at once, the one before
//! is shown once more.

use super::driver::{Driver, FrameTimer};
use super::picture::Picture;
use embedded_hal::digital::OutputPin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Share of a frame in which the thread sleeps, in sixteenths. The kernel takes a real-time thread
/// off its core for 5 % of every second if it does not leave it on its own
/// (`sched_rt_runtime_us`), and the panels would be seen to flicker.
const REST: u32 = 1;

/// Real-time priority, above the threads of interrupts (50).
const PRIORITY: u8 = 60;

/// What the drawing side and the thread share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    picture: Mutex<Option<Arc<Picture>>>,
    pub(super) stop: AtomicBool,
    /// Frames in the last whole second; 0 before.
    pub(super) refresh_hz: AtomicU32,
    /// The fewest of any second since the start.
    pub(super) lowest_hz: AtomicU32,
    /// Whether it has real-time priority.
    pub(super) realtime: AtomicBool,
    /// Whether it has its core.
    pub(super) own_cpu: AtomicBool,
    /// Why it ended on its own.
    pub(super) failed: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn publish(&self, picture: Picture) {
        let mut place = self.picture.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Arc::new(picture));
    }

    /// The newest picture, if there is one and nobody is just putting it there.
    fn newest(&self) -> Option<Arc<Picture>> {
        self.picture.try_lock().ok()?.clone()
    }
}

/// Runs until it is told to stop or a line cannot be written; the panels are dark afterwards.
pub(super) fn run<P: OutputPin>(mut driver: Driver<P>, shared: &Shared, mut pace: Timed) {
    let mut shown: Option<Arc<Picture>> = None;
    let mut meter = Meter::new(Instant::now());
    while !shared.stop.load(Ordering::Relaxed) {
        if let Some(picture) = shared.newest() {
            shown = Some(picture);
        }
        let Some(picture) = &shown else {
            std::thread::park_timeout(Duration::from_millis(5));
            meter = Meter::new(Instant::now());
            continue;
        };
        if let Err(e) = driver.frame(picture, &mut pace) {
            let mut failed = shared.failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed = Some(format!("{e:?}"));
            break;
        }
        if let Some(frames) = meter.frame(Instant::now()) {
            shared.refresh_hz.store(frames, Ordering::Relaxed);
            let lowest = shared.lowest_hz.load(Ordering::Relaxed);
            if lowest == 0 || frames < lowest {
                shared.lowest_hz.store(frames, Ordering::Relaxed);
            }
        }
    }
    let _ = driver.dark(); // nothing more can be done where this fails
}

/// Takes real-time priority and a core of its own, each if it may.
pub(super) fn settle(cpu: usize, shared: &Shared) {
    use rustix::thread::{CpuSet, sched_setaffinity};
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 {
        return; // the only core is everybody's
    }
    if cpu < cores {
        let mut set = CpuSet::new();
        set.set(cpu);
        let own = sched_setaffinity(None, &set).is_ok();
        shared.own_cpu.store(own, Ordering::Relaxed);
    }
    let realtime = ThreadPriorityValue::try_from(PRIORITY).is_ok_and(|value| {
        set_thread_priority_and_policy(
            thread_native_id(),
            ThreadPriority::Crossplatform(value),
            ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
        )
        .is_ok()
    });
    shared.realtime.store(realtime, Ordering::Relaxed);
}

/// Counts frames by the second.
struct Meter {
    since: Instant,
    frames: u32,
}

impl Meter {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            frames: 0,
        }
    }

    /// Counts a frame; tells how many a second there were when a second is over.
    fn frame(&mut self, now: Instant) -> Option<u32> {
        self.frames += 1;
        let passed = now.saturating_duration_since(self.since);
        if passed < Duration::from_secs(1) {
            return None;
        }
        let micros = passed.as_micros().max(1);
        let hz = u128::from(self.frames) * 1_000_000 / micros;
        *self = Self::new(now);
        u32::try_from(hz).ok()
    }
}

/// Gives every two rows the same time, of which they are lit for a share.
#[derive(Debug)]
pub(super) struct Timed {
    frame: Duration,
    row: Duration,
    lit: Duration,
    began: Instant,
    next: Instant,
}

impl Timed {
    /// `addresses` pairs of rows, `brightness` percent of their time.
    pub(super) fn new(refresh_hz: u32, addresses: u32, brightness: u8) -> Self {
        let frame = Duration::from_secs(1) / refresh_hz.max(1);
        let row = frame / 16 * (16 - REST) / addresses.max(1);
        let now = Instant::now();
        Self {
            frame,
            row,
            lit: row * u32::from(brightness.min(100)) / 100,
            began: now,
            next: now,
        }
    }
}

/// Waits without giving the core away: a sleep is longer than it says by about what a row has.
fn spin(until: Instant) {
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

impl FrameTimer for Timed {
    fn frame(&mut self) {
        self.began = Instant::now();
        self.next = self.began;
    }

    fn lit(&mut self) {
        spin(self.next + self.lit);
    }

    fn dark(&mut self) {
        spin(self.next + self.row);
        self.next = Instant::now();
    }

    #[allow(clippy::disallowed_methods)] // a thread of its own, no worker of the runtime
    fn rest(&mut self) {
        let rest = (self.began + self.frame).saturating_duration_since(Instant::now());
        // Where signals alone take longer than a frame should, a little is left to others all the
        // same.
        std::thread::sleep(rest.max(self.frame / 16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_by_the_second() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(meter.frame(at(400)), None);
        assert_eq!(meter.frame(at(800)), None);
        assert_eq!(meter.frame(at(1200)), Some(2));
        assert_eq!(meter.frame(at(2199)), None);
        assert_eq!(meter.frame(at(2200)), Some(2));
    }

    #[test]
    fn rows_share_the_frame_and_leave_a_rest() {
        let pace = Timed::new(300, 16, 60);
        assert!(pace.row * 16 <= pace.frame * 15 / 16);
        assert!(pace.row * 16 >= pace.frame * 14 / 16);
        assert_eq!(pace.lit, pace.row * 60 / 100);
    }
}
