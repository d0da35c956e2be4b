//! The simulated ticketing systems at their broker.

use super::meter::Meter;
use super::simulator::{Kind, Simulator};
use crate::clock::Clock;
use crate::mqtt::{Publish, Publisher};
use crate::wire::topic::Topic;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Publishes what the simulator says, when it says it, until the session ends.
pub(super) async fn run(
    mut simulator: Simulator,
    publisher: Publisher,
    root: String,
    clock: Arc<dyn Clock>,
    meter: Arc<Mutex<Meter>>,
) {
    loop {
        let now = clock.now().wall;
        let wait = simulator.next_event_at().duration_since(now);
        if let Ok(wait) = Duration::try_from(wait) {
            tokio::time::sleep(wait).await;
        }
        for emission in simulator.step(clock.now().wall) {
            let topic = Topic::Feed(emission.office.clone(), emission.queue.clone()).name(&root);
            // A broken or late message is passed on but not kept: a node that comes later gets
            // the state.
            let publish = match emission.kind {
                Kind::State(_) => Publish::retained(topic, emission.payload),
                _ => Publish::new(topic, emission.payload),
            };
            {
                let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
                match emission.kind {
                    Kind::State(seq) => meter.published(
                        emission.office,
                        emission.queue,
                        seq,
                        emission.new_calls,
                        Instant::now(),
                    ),
                    _ => meter.unkind(),
                }
            }
            // Whether it arrived is not asked: a ticketing system says everything again soon.
            if publisher.enqueue(publish).await.is_err() {
                return;
            }
        }
    }
}
