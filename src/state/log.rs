//! The newest calls of an office in the order in which it learnt of them.

use super::saved::SavedCall;
use super::times::horizon;
use crate::clock::Now;
use crate::model::{Call, QueueId};
use jiff::civil::Date;
use std::collections::VecDeque;
use std::time::Duration;

/// How many of the newest calls a snapshot carries: enough for the longest backlog of a board.
const LOG_LEN: usize = 128;

/// Calls that every board had shown are kept through a power cut for the list of earlier ones: as
/// many as a panel lists.
const SAVED_SHOWN_CALLS: usize = 8;

/// A call and its place in the order in which the office learnt of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCall {
    /// Grows by one with every call since the process started, from 1.
    pub index: u64,
    pub queue: QueueId,
    pub day: Date,
    /// Its epoch as counted by this node.
    pub epoch: u32,
    pub call: Call,
    /// Whether to show and speak it as new; calls that were old when first seen are only listed.
    pub announce: bool,
    /// Monotonic moment at which it became known.
    pub received_at: Duration,
}

/// The calls themselves, oldest first; at most 128.
#[derive(Debug, Clone, Default)]
pub(super) struct CallLog {
    calls: VecDeque<LoggedCall>,
    /// Index of the newest call ever logged.
    newest: u64,
}

impl CallLog {
    /// Gives a call its index and lets go of the oldest one when there are too many.
    pub(super) fn push(&mut self, mut call: LoggedCall) -> LoggedCall {
        self.newest += 1;
        call.index = self.newest;
        self.calls.push_back(call.clone());
        if self.calls.len() > LOG_LEN {
            self.calls.pop_front();
        }
        call
    }

    /// Those that can have been made at `now`, oldest first. The others stay: a clock may be wrong
    /// once more, and what was reported is not to be reported again.
    pub(super) fn at(&self, now: Now) -> Vec<LoggedCall> {
        let made = |logged: &&LoggedCall| !now.synced || logged.call.at <= horizon(now);
        self.calls.iter().filter(made).cloned().collect()
    }

    /// What a power cut must not take: every call after `shown`, the index of the newest one that
    /// all boards have shown for its time, and a few before.
    pub(super) fn saved(&self, shown: u64) -> Vec<SavedCall> {
        let unshown = self.calls.iter().filter(|c| c.index > shown).count();
        let skip = self.calls.len().saturating_sub(unshown + SAVED_SHOWN_CALLS);
        let kept = |logged: &LoggedCall| SavedCall {
            queue: logged.queue.clone(),
            day: logged.day,
            epoch: logged.epoch,
            call: logged.call.clone(),
            shown: logged.index <= shown || !logged.announce,
        };
        self.calls.iter().skip(skip).map(kept).collect()
    }
}
