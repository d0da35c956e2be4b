//! Speaks how tickets are called, with the function that the hub was given for it.

use crate::model::{Label, Name, QueueId};
use axum::http::StatusCode;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A request waits for its turn this long: a sentence takes a tenth of a second.
const TURN_WITHIN: Duration = Duration::from_secs(3);

/// The call of a ticket that is to be spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncementRequest {
    pub ticket: Label,
    /// Where to, when it was called.
    pub counter: Option<Label>,
    pub queue: QueueId,
    pub queue_name: Name,
    /// Whether the queue is a fast lane.
    pub fast: bool,
    pub lang: String,
}

/// Makes a WAV file of a call; blocks for as long as that takes. `None` when it cannot be spoken.
type Make = dyn Fn(&AnnouncementRequest) -> Option<Bytes> + Send + Sync;

/// Speaks how tickets are called.
#[derive(Clone)]
pub struct Speaker {
    make: Arc<Make>,
    turn: Arc<Semaphore>,
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Speaker").finish_non_exhaustive()
    }
}

impl Speaker {
    /// Speaks with this.
    #[must_use]
    pub fn new(
        make: impl Fn(&AnnouncementRequest) -> Option<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self {
            make: Arc::new(make),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Makes the sound, when it is this request's turn; `None` when it cannot be spoken.
    ///
    /// # Errors
    /// The status of the answer: 503 while others are spoken, 500 when making it failed.
    pub(crate) async fn speak(
        &self,
        request: AnnouncementRequest,
    ) -> Result<Option<Bytes>, StatusCode> {
        let turn = Arc::clone(&self.turn).acquire_owned();
        let turn = match tokio::time::timeout(TURN_WITHIN, turn).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) | Err(_) => return Err(StatusCode::SERVICE_UNAVAILABLE),
        };
        let make = Arc::clone(&self.make);
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn; // until it is made, also when the viewer has gone
            make(&request)
        });
        made.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
}
