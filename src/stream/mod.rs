//! Offices in turn as a video that never ends.
//!
//! ```text
//! News ─▶ Composer (board's drawing) ─▶ Yuv (BT.709) ─▶ ffmpeg (H.264, AAC) ─▶ RTMP · SRT · HLS
//! ```
//! A frame is drawn and converted only when it changes; the encoder is given the same bytes again at
//! the frame rate. Invariants: a number that is not fresh carries its time; without a line to the
//! broker a slate says so; the key is on no command line and in no log; an encoder that ends or
//! stands still is replaced, for ever. Knows no hub and no broker: [`News`] come through a channel.

mod child;
mod command;
mod compose;
mod news;
mod yuv;

pub use compose::Composer;
pub use news::{News, StreamOffice};
pub use yuv::Yuv;

use crate::board::BoardError;
use crate::clock::Clock;
use crate::config::StreamConfig;
use child::Ended;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// How often news and clock are looked at: a call is in the picture within this, the rest of the
/// delay is the encoder's and the network's.
const LOOK: Duration = Duration::from_millis(250);

/// First pause before an encoder is started again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Longest pause: a receiver that is back is served again within 10 s, and one that is away costs
/// a connection every few seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// An encoder that ran this long had no trouble at its start.
const RAN_WELL: Duration = Duration::from_secs(20);

/// Sends one video until `shutdown`, then ends within 2 s.
///
/// # Errors
/// [`BoardError`] when the board's design cannot be read; nothing else ends it.
pub async fn run(
    config: StreamConfig,
    news: watch::Receiver<Arc<News>>,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> Result<(), BoardError> {
    let span = tracing::info_span!("stream", id = %config.id);
    let composer = Composer::new(&config)?;
    let (pictures, newest) = watch::channel(Yuv::black(config.size));
    let task = async {
        tokio::join!(
            compose(composer, news, clock, pictures, &shutdown),
            supervise(&config, newest, &shutdown)
        );
    };
    task.instrument(span).await;
    Ok(())
}

/// Draws and converts what changed, apart from the threads that serve others.
async fn compose(
    mut composer: Composer,
    news: watch::Receiver<Arc<News>>,
    clock: Arc<dyn Clock>,
    pictures: watch::Sender<Yuv>,
    shutdown: &CancellationToken,
) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = look.tick() => {}
        }
        let current = Arc::clone(&news.borrow());
        let now = clock.now();
        let drawn = tokio::task::spawn_blocking(move || {
            let picture = composer.compose(&current, now).map(Yuv::from_frame);
            (composer, picture)
        });
        match drawn.await {
            Ok((back, picture)) => {
                composer = back;
                if let Some(picture) = picture {
                    pictures.send_replace(picture);
                }
            }
            Err(error) => {
                // Drawing does not panic; were it to, the last picture must not pass for current.
                tracing::error!(%error, "drawing ended");
                shutdown.cancelled().await;
                return;
            }
        }
    }
}

/// Runs encoders one after the other.
async fn supervise(
    config: &StreamConfig,
    picture: watch::Receiver<Yuv>,
    shutdown: &CancellationToken,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let began = tokio::time::Instant::now();
        let ended = child::run_once(config, picture.clone(), shutdown).await;
        if matches!(ended, Ended::Stopped) || shutdown.is_cancelled() {
            tracing::info!("stream stopped");
            return;
        }
        if began.elapsed() >= RAN_WELL {
            pause = FIRST_PAUSE;
        }
        // Between the half and the whole, so that several streams do not come back as one.
        let wait = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        tracing::warn!(%ended, again_in_ms = wait.as_millis(), "the stream is interrupted");
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
