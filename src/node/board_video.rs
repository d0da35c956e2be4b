//! A board as a video: the copies that become pictures also become frames of a stream.
//!
//! So a number is in the video as soon as in the board's picture, within a second, and the thread
//! that draws knows nothing of it. What the voice announces is heard in it at once.

use crate::config::{BoardStreamConfig, StreamAudio};
use crate::model::BoardId;
use crate::output::Frame;
use crate::stream::{Speaker, Yuv, letterbox, send, sound};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The end of a stream that takes a board's frames.
#[derive(Debug, Clone)]
pub(crate) struct BoardVideo {
    board: BoardId,
    size: (u32, u32),
    to: watch::Sender<Yuv>,
}

impl BoardVideo {
    /// Shows a frame from now on, with black beside it where the board has another shape.
    pub(crate) fn show(&self, frame: &Frame) {
        self.to
            .send_replace(Yuv::from_frame(&letterbox(frame, self.size)));
    }
}

/// The films of a board.
pub(crate) fn of(boards: &[BoardVideo], board: &BoardId) -> Vec<BoardVideo> {
    boards
        .iter()
        .filter(|f| f.board == *board)
        .cloned()
        .collect()
}

/// The configured videos, running.
#[derive(Debug, Default)]
pub(crate) struct BoardVideos {
    pub(crate) boards: Vec<BoardVideo>,
    /// Ends of those in which calls are heard.
    pub(crate) speakers: Vec<Speaker>,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

/// Starts the configured videos.
pub(crate) fn start(configs: &[BoardStreamConfig], shutdown: &CancellationToken) -> BoardVideos {
    let mut started = BoardVideos::default();
    for config in configs {
        let (to, pictures) = watch::channel(Yuv::black(config.video.size));
        started.boards.push(BoardVideo {
            board: config.board.clone(),
            size: config.video.size,
            to,
        });
        let heard = (config.video.audio == StreamAudio::Calls).then(|| {
            let (speaker, heard) = sound();
            started.speakers.push(speaker);
            heard
        });
        let (video, shutdown) = (config.video.clone(), shutdown.clone());
        let task = async move { send(&video, pictures, heard, &shutdown).await };
        started.tasks.push(tokio::spawn(task));
    }
    started
}
