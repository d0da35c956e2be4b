//! A thread that takes whatever a camera sends, as fast as it comes, and keeps the newest picture.
//!
//! Cameras that send by themselves must be listened to without a pause: what waits in pipes and
//! sockets is old. Only the newest picture is kept, coded as it came; whoever is slow misses pictures.

use super::jpeg_splitter::complete;
use super::{Frame, PATIENCE, SLICE, Source, SourceError};
use crate::backoff::{Backoff, Jitter};
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

/// Produces the pictures of one camera.
pub(super) trait FrameProducer: Send + 'static {
    /// Hands out pictures until it fails, and says why, or until `stop`; then nothing of it is left.
    fn run_once(
        &mut self,
        latest: &LatestFrame,
        stop: &CancellationToken,
    ) -> impl Future<Output = String>;
}

#[derive(Default)]
struct State {
    /// The newest picture and when it came.
    picture: Option<(Vec<u8>, Instant)>,
    /// Why there is none.
    failed: Option<String>,
    /// Ends the current run; the next one begins at once.
    run_token: CancellationToken,
    /// Pictures since the producer's start.
    count: u64,
}

/// Hands the newest picture to the reader. The lock is held only to move it in or out.
#[derive(Default)]
pub(super) struct LatestFrame {
    state: Mutex<State>,
    came: Condvar,
    wanted: Notify,
}

impl LatestFrame {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out a picture.
    pub(super) fn put(&self, jpeg: Vec<u8>) {
        let mut state = self.lock();
        state.picture = Some((jpeg, Instant::now()));
        state.count += 1;
        self.came.notify_all();
    }

    /// Waits until somebody wants a picture.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Begins a run of the producer; it ends with the token.
    fn begin(&self, stop: &CancellationToken) -> CancellationToken {
        let mut state = self.lock();
        state.failed = None;
        state.count = 0;
        state.run_token = stop.child_token();
        state.run_token.clone()
    }

    /// Notes why it ended; whether it had sent anything.
    fn end(&self, why: String) -> bool {
        let mut state = self.lock();
        state.picture = None;
        state.failed = Some(why);
        self.came.notify_all();
        state.count > 0
    }

    /// The newest picture or why there is none, if one of them comes in time.
    fn take(&self, limit: Duration) -> Option<Result<Vec<u8>, String>> {
        let state = self.lock();
        let fresh = |state: &State| {
            let picture = state.picture.as_ref();
            picture.is_some_and(|(_, came)| came.elapsed() < STALE)
        };
        let nothing = |state: &mut State| !fresh(state) && state.failed.is_none();
        let waited = self.came.wait_timeout_while(state, limit, nothing);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if fresh(&state) {
            return state.picture.take().map(|(jpeg, _)| Ok(jpeg));
        }
        state.failed.clone().map(Err)
    }
}

/// A source that listens to a [`FrameProducer`] all the time.
pub(super) struct FrameReader {
    /// Names it in messages.
    what: String,
    latest: Arc<LatestFrame>,
    /// Since when a picture is waited for.
    waiting: Option<Duration>,
    stop: CancellationToken,
}

impl FrameReader {
    /// Starts the thread. It ends when the reader is dropped.
    ///
    /// # Errors
    /// [`SourceError::Io`] when no thread can be had.
    pub(super) fn start(what: &str, producer: impl FrameProducer) -> Result<Self, SourceError> {
        let (latest, stop) = (Arc::new(LatestFrame::default()), CancellationToken::new());
        let failed = |error: io::Error| SourceError::Io {
            what: what.to_owned(),
            error,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (to, until) = (Arc::clone(&latest), stop.clone());
        std::thread::Builder::new()
            .name("camera-source".into())
            .spawn(move || {
                runtime.block_on(run(producer, &to, &until));
                // Names that are still being looked up need not be waited for.
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self {
            what: what.to_owned(),
            latest,
            waiting: None,
            stop,
        })
    }
}

/// Runs the producer again and again.
async fn run(mut producer: impl FrameProducer, latest: &LatestFrame, stop: &CancellationToken) {
    let mut backoff = Backoff::new(PAUSES, Jitter::None);
    while !stop.is_cancelled() {
        let run_token = latest.begin(stop);
        let why = producer.run_once(latest, &run_token).await;
        tracing::debug!("camera source ended: {why}");
        if latest.end(why) {
            backoff.reset();
        }
        if run_token.is_cancelled() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(backoff.next(1.0)) => {}
        }
    }
}

impl Source for FrameReader {
    fn next(&mut self, now: Duration) -> Result<Option<Frame>, SourceError> {
        let since = *self.waiting.get_or_insert_with(|| {
            self.latest.wanted.notify_one();
            now
        });
        let taken = self.latest.take(SLICE);
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
        self.latest.lock().run_token.cancel();
    }
}

impl Drop for FrameReader {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
