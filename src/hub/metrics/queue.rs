//! What viewers see of each queue. Figures of people are there only while they are fresh: a stale
//! number is none.

use super::names::Names;
use super::values::signed;
use crate::hub::view::OfficeView;
use crate::model::{OfficeId, Status};
use crate::wire::report::QueueNumbers;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    office: String,
    queue: String,
}

/// Metrics of all queues.
#[derive(Debug, Default)]
pub(super) struct QueueMetrics {
    open: Family<QueueLabels, Gauge>,
    fresh: Family<QueueLabels, Gauge>,
    last_update: Family<QueueLabels, Gauge>,
    people: Family<QueueLabels, Gauge>,
    wait: Family<QueueLabels, Gauge>,
}

impl QueueMetrics {
    /// Adds the queues of an office; how many were not admitted.
    pub(super) fn add(&mut self, office: &OfficeView, names: &mut Names) -> i64 {
        let mut omitted = 0;
        for queue in &office.queues {
            if names.queue(&office.id, &queue.id) {
                self.add_one(&office.id, queue);
            } else {
                omitted += 1;
            }
        }
        omitted
    }

    fn add_one(&mut self, office: &OfficeId, queue: &QueueNumbers) {
        let of = QueueLabels {
            office: office.to_string(),
            queue: queue.id.to_string(),
        };
        let open = queue.status == Status::Open;
        self.open.get_or_create(&of).set(open.into());
        self.fresh.get_or_create(&of).set(queue.fresh.into());
        if let Some(as_of) = queue.as_of {
            self.last_update
                .get_or_create(&of)
                .set(as_of.at.as_second());
        }
        if !queue.fresh {
            return;
        }
        if let Some(waiting) = queue.waiting {
            self.people.get_or_create(&of).set(signed(waiting));
        }
        if let Some(wait) = &queue.wait {
            self.wait.get_or_create(&of).set(signed(wait.high));
        }
    }

    pub(super) fn register(self, r: &mut Registry) {
        for (name, help, family) in [
            (
                "yobiban_queue_open",
                "Whether the queue is open; what was reported last",
                self.open,
            ),
            (
                "yobiban_queue_fresh",
                "Whether the queue's numbers are current",
                self.fresh,
            ),
            (
                "yobiban_queue_last_update_timestamp_seconds",
                "The moment the queue's numbers are of",
                self.last_update,
            ),
            (
                "yobiban_queue_people_waiting",
                "People waiting; missing while the numbers are stale",
                self.people,
            ),
            (
                "yobiban_queue_wait_upper_seconds",
                "Upper end of the wait predicted for somebody who takes a ticket now; missing while the numbers are stale",
                self.wait,
            ),
        ] {
            r.register(name, help, family);
        }
    }
}
