//! Offices in turn as a video that never ends.
//!
//! ```text
//! StreamContent ─▶ Composer (board's drawing) ─▶ Yuv (BT.709) ─┬▶ ffmpeg (H.264, AAC) ─▶ RTMP · SRT · HLS
//! Speaker ─▶ Sound ──────────────────────────────────┘
//! ```
//! A frame is drawn and converted only when it changes; the encoder is given the same bytes again at
//! the frame rate. Invariants: a number that is not fresh carries its time; without a connection to
//! the broker a slate says so; the key is on no command line and in no log; an encoder that ends or
//! stands still is replaced, for ever. Knows no hub and no broker: [`StreamContent`]
//! comes through a channel.

mod command;
mod compose;
mod content;
mod encoder;
mod hardware;
mod inherited_fds;
mod picture;
mod sound;
mod yuv;

pub use compose::Composer;
pub use content::{PictureKind, StreamContent, StreamOffice, StreamPicture};
pub use picture::letterbox;
pub use sound::{MAX_PIECE, SAMPLE_RATE, Sound, Speaker, sound};
pub use yuv::Yuv;

use crate::backoff::{Backoff, Jitter};
use crate::board::BoardError;
use crate::clock::Clock;
use crate::config::{StreamConfig, StreamEncoder, VideoConfig};
use command::Codec;
use encoder::ExitReason;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// How often content and clock are looked at: a call is in the picture within this, the rest of the
/// delay is the encoder's and the network's.
const UPDATE_INTERVAL: Duration = Duration::from_millis(250);

/// First pause before an encoder is started again, and the longest: a receiver that is back is served
/// again within 10 s, and one that is away costs a connection every few seconds.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// An encoder that ran this long had no trouble at its start.
const RAN_WELL: Duration = Duration::from_secs(20);

/// Sends one video of offices in turn until `shutdown`, then ends within 2 s. `sound` is what is
/// heard in it; without, silence.
///
/// # Errors
/// [`BoardError`] when the board's design cannot be read; nothing else ends it.
pub async fn run(
    config: StreamConfig,
    content: watch::Receiver<Arc<StreamContent>>,
    sound: Option<Sound>,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> Result<(), BoardError> {
    let composer = Composer::new(&config)?;
    let (pictures, newest) = watch::channel(Yuv::black(config.video.size));
    let span = tracing::info_span!("stream", id = %config.video.id);
    tokio::join!(
        compose(composer, content, clock, pictures, &shutdown).instrument(span),
        send(&config.video, newest, sound, &shutdown)
    );
    Ok(())
}

/// Sends pictures that somebody else makes, of the configured size, until `shutdown`, then ends
/// within 2 s.
pub async fn send(
    config: &VideoConfig,
    pictures: watch::Receiver<Yuv>,
    sound: Option<Sound>,
    shutdown: &CancellationToken,
) {
    let span = tracing::info_span!("stream", id = %config.id);
    supervise(config, pictures, sound, shutdown)
        .instrument(span)
        .await;
}

/// Draws and converts what changed, apart from the threads that serve others.
async fn compose(
    mut composer: Composer,
    content: watch::Receiver<Arc<StreamContent>>,
    clock: Arc<dyn Clock>,
    pictures: watch::Sender<Yuv>,
    shutdown: &CancellationToken,
) {
    let size = composer.size();
    let mut tick = tokio::time::interval(UPDATE_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        let current = Arc::clone(&content.borrow());
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
                pictures.send_replace(Yuv::black(size));
                shutdown.cancelled().await;
                return;
            }
        }
    }
}

/// Runs encoders one after the other.
async fn supervise(
    config: &VideoConfig,
    picture: watch::Receiver<Yuv>,
    mut sound: Option<Sound>,
    shutdown: &CancellationToken,
) {
    let first = hardware::choose(config.encoder).await;
    let mut codec = first;
    // Several streams of one machine do not come back as one.
    let mut backoff = Backoff::new(PAUSES, Jitter::Half);
    loop {
        let began = tokio::time::Instant::now();
        let (reason, produced_frame) =
            encoder::run_once(config, codec, picture.clone(), sound.as_mut(), shutdown).await;
        if matches!(reason, ExitReason::Stopped) || shutdown.is_cancelled() {
            tracing::info!("stream stopped");
            return;
        }
        if began.elapsed() >= RAN_WELL {
            backoff.reset();
        }
        if !produced_frame && config.encoder == StreamEncoder::Auto {
            // Either the receiver is away, or the machine's encoder is not what it seems.
            codec = if codec == first { Codec::X264 } else { first };
        }
        let wait = backoff.next(fastrand::f64());
        tracing::warn!(ended = %reason, again_in_ms = wait.as_millis(), "stream interrupted, restarting");
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
