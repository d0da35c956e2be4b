//! How long a message takes from its publisher to the pixels of a board.
//!
//! A frame holds the newest message of a queue and with it all before: what was overtaken on the
//! way counts with the frame that made it superfluous.

use crate::model::{OfficeId, QueueId};
use crate::node::FrameDrawn;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

/// Messages of a queue that may be under way; older ones are not measured any more.
const UNDER_WAY: usize = 1000;

/// Latencies that are kept; past this, chance decides which stay (reservoir sampling).
const SAMPLES: usize = 100_000;

/// A message that was published.
#[derive(Debug)]
struct Published {
    seq: u64,
    calls: u64,
    at: Instant,
}

/// Counts and latencies of a demo.
#[derive(Debug, Default)]
pub(super) struct Meter {
    under_way: HashMap<(OfficeId, QueueId), VecDeque<Published>>,
    latencies: Vec<Duration>,
    /// Latencies of messages published before this are not kept.
    counted_from: Option<Instant>,
    /// Every message of the ticketing systems, also doubled, late and broken ones.
    messages: u64,
    drawn: u64,
    calls_shown: u64,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) messages: u64,
    pub(super) drawn: u64,
    pub(super) calls_shown: u64,
    /// Median and 99th percentile; `None` before anything was drawn.
    pub(super) latency: Option<(Duration, Duration)>,
}

impl Meter {
    /// Counts a message that says nothing new.
    pub(super) fn unkind(&mut self) {
        self.messages += 1;
    }

    /// Notes a message that is being published now, with the number of its new calls.
    pub(super) fn published(
        &mut self,
        office: OfficeId,
        queue: QueueId,
        seq: u64,
        calls: u64,
        at: Instant,
    ) {
        self.messages += 1;
        let queue = self.under_way.entry((office, queue)).or_default();
        if queue.len() == UNDER_WAY {
            queue.pop_front();
        }
        queue.push_back(Published { seq, calls, at });
    }

    /// Forgets the latencies so far: before the page was complete every board drew its first
    /// picture at the same time, on a machine that stands for six.
    pub(super) fn warm(&mut self, now: Instant) {
        self.counted_from = Some(now);
        self.latencies.clear();
    }

    /// Notes that a frame holds a message.
    pub(super) fn drawn(&mut self, drawn: FrameDrawn) {
        let Some(queue) = self.under_way.get_mut(&(drawn.office, drawn.queue)) else {
            return;
        };
        while let Some(message) = queue.pop_front_if(|m| m.seq <= drawn.seq) {
            self.drawn += 1;
            self.calls_shown += message.calls;
            if self.counted_from.is_some_and(|from| message.at < from) {
                continue;
            }
            let latency = drawn.at.saturating_duration_since(message.at);
            if self.latencies.len() < SAMPLES {
                self.latencies.push(latency);
            } else {
                let place = fastrand::u64(..self.drawn);
                if let Some(old) = usize::try_from(place)
                    .ok()
                    .and_then(|i| self.latencies.get_mut(i))
                {
                    *old = latency;
                }
            }
        }
    }

    pub(super) fn figures(&self) -> Figures {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let at = |percent: usize| sorted.get((last * percent).div_ceil(100)).copied();
        Figures {
            messages: self.messages,
            drawn: self.drawn,
            calls_shown: self.calls_shown,
            latency: at(50).zip(at(99)),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages, {} of them drawn, {} calls shown",
            self.messages, self.drawn, self.calls_shown
        )?;
        if let Some((median, high)) = self.latency {
            let ms = |d: Duration| d.as_secs_f64() * 1000.0;
            write!(
                f,
                ", publish to pixels {:.1} ms median, {:.1} ms 99th percentile",
                ms(median),
                ms(high)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> (OfficeId, QueueId) {
        (
            OfficeId::new("chuo").unwrap(),
            QueueId::new("moving").unwrap(),
        )
    }

    fn drawn(seq: u64, at: Instant) -> FrameDrawn {
        let (office, queue) = ids();
        FrameDrawn {
            office,
            queue,
            seq,
            at,
        }
    }

    #[test]
    fn an_overtaken_message_counts_with_the_frame_that_holds_it() {
        let (office, queue) = ids();
        let begin = Instant::now();
        let ms = Duration::from_millis;
        let mut meter = Meter::default();
        assert_eq!(meter.figures().latency, None);
        for (seq, after) in [(1, 0), (2, 10), (3, 20)] {
            meter.published(office.clone(), queue.clone(), seq, 1, begin + ms(after));
        }
        meter.unkind();
        meter.drawn(drawn(2, begin + ms(30)));
        meter.drawn(drawn(2, begin + ms(40)));
        let figures = meter.figures();
        assert_eq!(
            (figures.messages, figures.drawn, figures.calls_shown),
            (4, 2, 2)
        );
        assert_eq!(figures.latency, Some((ms(30), ms(30))));
        meter.drawn(drawn(3, begin + ms(25)));
        assert_eq!(meter.figures().latency, Some((ms(20), ms(30))));
        let said = meter.figures().to_string();
        assert_eq!(
            said,
            "4 messages, 3 of them drawn, 3 calls shown, publish to pixels 20.0 ms median, 30.0 ms 99th percentile"
        );
    }

    #[test]
    fn a_queue_that_is_never_drawn_does_not_grow() {
        let (office, queue) = ids();
        let mut meter = Meter::default();
        for seq in 0..5000 {
            meter.published(office.clone(), queue.clone(), seq, 0, Instant::now());
        }
        assert_eq!(meter.under_way[&ids()].len(), UNDER_WAY);
    }
}
