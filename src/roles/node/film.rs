//! A board as a video: the copies that become pictures also become frames of a stream.
//!
//! So a number is in the video as soon as in the board's picture, within a second, and the thread
//! that draws knows nothing of it.

use crate::config::BoardStreamConfig;
use crate::model::BoardId;
use crate::output::Frame;
use crate::stream::{Yuv, letterboxed, send};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The end of a stream that takes a board's frames.
#[derive(Debug, Clone)]
pub(super) struct Film {
    board: BoardId,
    size: (u32, u32),
    to: watch::Sender<Yuv>,
}

impl Film {
    /// Shows a frame from now on, with black beside it where the board has another shape.
    pub(super) fn show(&self, frame: &Frame) {
        self.to
            .send_replace(Yuv::from_frame(&letterboxed(frame, self.size)));
    }
}

/// The films of a board.
pub(super) fn of(films: &[Film], board: &BoardId) -> Vec<Film> {
    films
        .iter()
        .filter(|f| f.board == *board)
        .cloned()
        .collect()
}

/// Starts the configured videos.
pub(super) fn start(
    configs: &[BoardStreamConfig],
    shutdown: &CancellationToken,
) -> (Vec<Film>, Vec<JoinHandle<()>>) {
    let each = configs.iter().map(|config| {
        let (to, pictures) = watch::channel(Yuv::black(config.video.size));
        let film = Film {
            board: config.board.clone(),
            size: config.video.size,
            to,
        };
        let (video, shutdown) = (config.video.clone(), shutdown.clone());
        let task = tokio::spawn(async move { send(&video, pictures, None, &shutdown).await });
        (film, task)
    });
    each.unzip()
}
