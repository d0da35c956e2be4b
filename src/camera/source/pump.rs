//! A thread that takes whatever a camera sends, as fast as it comes, and keeps the newest picture.
//!
//! Cameras that send by themselves must be listened to without a pause: what waits in pipes and
//! sockets is old. Only the newest picture is kept, coded as it came; whoever is slow misses pictures.

use super::cut::complete;
use super::{Frame, PATIENCE, SLICE, Source, SourceError};
use crate::camera::picture::Picture;
use std::future::Future;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A picture that nobody wanted for this long is not shown as one of now.
const STALE: Duration = Duration::from_secs(1);

/// Pauses before the next attempt: the first, and the longest. Cameras take some seconds to start.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// What sends pictures, from its start to its end.
pub(super) trait Sender: Send + 'static {
    /// Hands out pictures until it fails, and says why, or until `stop`; then nothing of it is left.
    fn run_once(
        &mut self,
        outlet: &Outlet,
        stop: &CancellationToken,
    ) -> impl Future<Output = String>;
}

#[derive(Default)]
struct Slot {
    /// The newest picture and when it came.
    picture: Option<(Vec<u8>, Instant)>,
    /// Why there is none.
    failed: Option<String>,
    /// Ends what sends now; the next one begins at once.
    life: CancellationToken,
    /// Pictures since the sender's start.
    count: u64,
}

/// Where pictures are handed out. The lock guards the newest one, held to move it in or out.
#[derive(Default)]
pub(super) struct Outlet {
    slot: Mutex<Slot>,
    came: Condvar,
    wanted: Notify,
}

impl Outlet {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out a picture.
    pub(super) fn put(&self, jpeg: Vec<u8>) {
        let mut slot = self.lock();
        slot.picture = Some((jpeg, Instant::now()));
        slot.count += 1;
        self.came.notify_all();
    }

    /// Waits until somebody wants a picture.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Begins a life of the sender; ends with the token.
    fn begin(&self, stop: &CancellationToken) -> CancellationToken {
        let mut slot = self.lock();
        slot.failed = None;
        slot.count = 0;
        slot.life = stop.child_token();
        slot.life.clone()
    }

    /// Notes why it ended; whether it had sent anything.
    fn end(&self, why: String) -> bool {
        let mut slot = self.lock();
        slot.picture = None;
        slot.failed = Some(why);
        self.came.notify_all();
        slot.count > 0
    }

    /// The newest picture or why there is none, if one of them comes in time.
    fn take(&self, limit: Duration) -> Option<Result<Vec<u8>, String>> {
        let slot = self.lock();
        let fresh = |slot: &Slot| {
            let picture = slot.picture.as_ref();
            picture.is_some_and(|(_, came)| came.elapsed() < STALE)
        };
        let nothing = |slot: &mut Slot| !fresh(slot) && slot.failed.is_none();
        let waited = self.came.wait_timeout_while(slot, limit, nothing);
        let (mut slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if fresh(&slot) {
            return slot.picture.take().map(|(jpeg, _)| Ok(jpeg));
        }
        slot.failed.clone().map(Err)
    }
}

/// A source that listens to a [`Sender`] all the time.
pub(super) struct Pump {
    /// Names it in messages.
    what: String,
    outlet: Arc<Outlet>,
    /// Since when a picture is waited for.
    waiting: Option<Duration>,
    stop: CancellationToken,
}

impl Pump {
    /// Starts the thread. It ends when the pump is dropped.
    ///
    /// # Errors
    /// [`SourceError::Io`] when no thread can be had.
    pub(super) fn start(what: &str, sender: impl Sender) -> Result<Self, SourceError> {
        let (outlet, stop) = (Arc::new(Outlet::default()), CancellationToken::new());
        let failed = |error: io::Error| SourceError::Io {
            what: what.to_owned(),
            error,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (to, until) = (Arc::clone(&outlet), stop.clone());
        std::thread::Builder::new()
            .name("camera-source".into())
            .spawn(move || {
                runtime.block_on(run(sender, &to, &until));
                // Names that are still being looked up need not be waited for.
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self {
            what: what.to_owned(),
            outlet,
            waiting: None,
            stop,
        })
    }
}

/// One life of the sender after the other.
async fn run(mut sender: impl Sender, outlet: &Outlet, stop: &CancellationToken) {
    let mut pause = PAUSES.0;
    while !stop.is_cancelled() {
        let life = outlet.begin(stop);
        let why = sender.run_once(outlet, &life).await;
        tracing::debug!("camera source ended: {why}");
        if outlet.end(why) {
            pause = PAUSES.0;
        }
        if life.is_cancelled() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSES.1);
    }
}

impl Source for Pump {
    fn next(&mut self, now: Duration) -> Result<Option<Frame>, SourceError> {
        let since = *self.waiting.get_or_insert_with(|| {
            self.outlet.wanted.notify_one();
            now
        });
        let taken = self.outlet.take(SLICE);
        let waited = now.saturating_sub(since);
        if taken.is_none() && waited < PATIENCE {
            return Err(SourceError::NotYet);
        }
        self.waiting = None;
        match taken {
            Some(Ok(jpeg)) => {
                let picture = Picture::from_jpeg(&complete(jpeg))?;
                Ok(Some(Frame { picture, mono: now }))
            }
            Some(Err(why)) => Err(SourceError::Fails(why)),
            None => {
                self.restart();
                let (what, waited) = (&self.what, waited.as_secs());
                Err(SourceError::Fails(format!(
                    "{what}: no picture for {waited} s"
                )))
            }
        }
    }

    fn restart(&mut self) {
        self.outlet.lock().life.cancel();
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
