//! What the wait estimator learned on earlier days, and today so far. A file of its own, rarely written.

use super::{Store, StoreError, file};
use crate::model::QueueId;
use crate::state::wait::{RateHistory, ServiceRate, WaitHistory};
use crate::wire::text;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
struct Document {
    /// Weekdays of the past.
    usual: Vec<Hour<i8>>,
    /// The day that is not over.
    today: Vec<Hour<Date>>,
}

impl file::Document for Document {
    const FILE: &'static str = "learnt.json";
    const VERSION: u32 = 1;
}

/// One hour of a weekday (0 Monday to 6 Sunday) or date.
#[derive(Serialize, Deserialize)]
struct Hour<D> {
    #[serde(with = "text::plain")]
    queue: QueueId,
    day: D,
    hour: usize,
    busy_s: f64,
    calls: f64,
}

impl<D> Hour<D> {
    fn new(queue: &QueueId, day: D, hour: usize, pace: ServiceRate) -> Self {
        Self {
            queue: queue.clone(),
            day,
            hour,
            busy_s: pace.busy_s,
            calls: pace.calls,
        }
    }

    /// As one of a day's hours; of what is no hour or no pace, nothing.
    fn put(&self, hours: &mut [ServiceRate; 24]) {
        let good = |x: f64| x.is_finite() && x >= 0.0;
        if let Some(place) = hours.get_mut(self.hour)
            && good(self.busy_s)
            && good(self.calls)
        {
            *place = ServiceRate {
                busy_s: self.busy_s,
                calls: self.calls,
            };
        }
    }
}

/// Days out of hours.
fn days<D: Copy + Ord>(hours: &[Hour<D>]) -> BTreeMap<(QueueId, D), [ServiceRate; 24]> {
    let mut days: BTreeMap<(QueueId, D), [ServiceRate; 24]> = BTreeMap::new();
    for hour in hours {
        let day = days.entry((hour.queue.clone(), hour.day)).or_default();
        hour.put(day);
    }
    days
}

impl Store {
    /// Replaces what is kept of it. Blocks until the medium has it.
    ///
    /// # Errors
    /// [`StoreError::Io`]; what was kept before is still there then.
    pub fn save_wait_history(&self, learnt: &WaitHistory) -> Result<(), StoreError> {
        let usual = learnt.history.entries();
        let today = learnt.today.iter().flat_map(|(queue, day, hours)| {
            let known = hours.iter().enumerate();
            let known = known.filter(|(_, pace)| **pace != ServiceRate::default());
            known.map(move |(hour, pace)| Hour::new(queue, *day, hour, *pace))
        });
        let document = Document {
            usual: usual
                .map(|(queue, weekday, hour, pace)| Hour::new(queue, weekday, hour, pace))
                .collect(),
            today: today.collect(),
        };
        file::replace(&self.dir, &document)
    }

    /// Reads what was kept; nothing when there is no file.
    ///
    /// # Errors
    /// [`StoreError`] when neither the file nor its copy can be read.
    pub fn load_wait_history(&self) -> Result<WaitHistory, StoreError> {
        let document = file::load::<Document>(&self.dir)?;
        let Some(document) = document else {
            return Ok(WaitHistory::default());
        };
        let mut history = RateHistory::default();
        for ((queue, weekday), hours) in days(&document.usual) {
            if let Ok(weekday) = Weekday::from_monday_zero_offset(weekday) {
                history.add(&queue, weekday, &hours);
            }
        }
        let today = days(&document.today).into_iter();
        Ok(WaitHistory {
            history,
            today: today
                .map(|((queue, day), hours)| (queue, day, hours))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn learnt(calls: f64) -> WaitHistory {
        let queue = QueueId::new("certificates").unwrap();
        let mut hours = [ServiceRate::default(); 24];
        hours[9] = ServiceRate {
            busy_s: 3600.0,
            calls,
        };
        let mut learnt = WaitHistory::default();
        learnt.history.add(&queue, Weekday::Tuesday, &hours);
        hours[10] = hours[9];
        let day = "2026-11-24".parse().unwrap();
        learnt.today.push((queue, day, hours));
        learnt
    }

    #[test]
    fn what_was_learnt_comes_back_and_a_damaged_file_falls_back() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.load_wait_history().unwrap(), WaitHistory::default());
        store.save_wait_history(&learnt(30.0)).unwrap();
        assert_eq!(store.load_wait_history().unwrap(), learnt(30.0));
        store.save_wait_history(&learnt(31.0)).unwrap();
        let path = dir.path().join("learnt.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert_eq!(
            store.load_wait_history().unwrap(),
            learnt(30.0),
            "the one before"
        );
        fs::write(dir.path().join("learnt.json.old"), "nonsense").unwrap();
        assert!(store.load_wait_history().is_err());
    }
}
