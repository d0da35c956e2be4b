//! What those who are no HTTP clients see of a hub: the video.

use super::Hub;
use super::live::Scope;
use super::view::OfficeView;
use tokio::sync::broadcast::error::RecvError;

impl Hub {
    /// All offices now, in the order of the pages, and whether the broker is heard (a reconnection
    /// that takes seconds counts as heard, as on the pages).
    #[must_use]
    pub fn glance(&self) -> (bool, Vec<OfficeView>) {
        let line = self.core().registry.line();
        let current = self.live.current();
        let offices = current.offices.iter().map(|o| o.view.clone()).collect();
        (line, offices)
    }

    /// Tells `to` what [`glance`](Self::glance) says, now and whenever it may have changed, until
    /// the hub stops.
    pub async fn follow(&self, mut to: impl FnMut(bool, Vec<OfficeView>)) {
        let mut news = self.live.follow(&Scope::All);
        loop {
            let (line, offices) = self.glance();
            to(line, offices);
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                // Without an office nothing is published, and the line comes and goes all the same.
                () = tokio::time::sleep(super::TICK) => {}
                told = news.recv() => if matches!(told, Err(RecvError::Closed)) {
                    // A ring is given up when nobody listens; we did, so only the end is left.
                    news = self.live.follow(&Scope::All);
                },
            }
        }
    }
}
