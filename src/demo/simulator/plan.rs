//! Who comes to which office for what: the figures behind the simulation.
//!
//! Read off the recorded day (six offices of one city, a Tuesday in November): arrivals an hour,
//! service times as log-normal distributions, counters shared by the two moving lanes, how many do
//! not come when called. Loads are a little lighter than that day's, whose longest line waited
//! until 20:00.

use crate::model::{Lane, Name, OfficeId, QueueId};

/// One simulated office.
pub(super) struct OfficePlan {
    pub(super) id: &'static str,
    pub(super) ja: &'static str,
    pub(super) en: &'static str,
    /// People who come, relative to the largest office.
    pub(super) load: f64,
    /// First number of the certificates' series: the largest office's wraps in the morning.
    pub(super) first_certificate: u16,
}

/// The six offices, in the order of the city's own list.
pub(super) const OFFICES: [OfficePlan; 6] = [
    office("chuo", "中央区", "Chuo Ward", 1.0, 930),
    office("hanamigawa", "花見川区", "Hanamigawa Ward", 0.9, 1),
    office("inage", "稲毛区", "Inage Ward", 0.82, 1),
    office("wakaba", "若葉区", "Wakaba Ward", 0.68, 1),
    office("midori", "緑区", "Midori Ward", 0.66, 1),
    office("mihama", "美浜区", "Mihama Ward", 0.88, 1),
];

const fn office(
    id: &'static str,
    ja: &'static str,
    en: &'static str,
    load: f64,
    first_certificate: u16,
) -> OfficePlan {
    OfficePlan {
        id,
        ja,
        en,
        load,
        first_certificate,
    }
}

/// One simulated queue; the same in every office but for the load.
pub(super) struct QueuePlan {
    pub(super) id: &'static str,
    pub(super) ja: &'static str,
    pub(super) en: &'static str,
    pub(super) lane: Lane,
    pub(super) prefix: char,
    pub(super) first: u16,
    /// Arrivals an hour at the largest office, in a usual hour.
    pub(super) per_hour: f64,
    /// Median of the service time in seconds, and the deviation of its logarithm.
    pub(super) service: (f64, f64),
    /// Share of people whose papers are incomplete: they are set aside and called again.
    pub(super) hold: f64,
    /// First and last counter that serves it.
    pub(super) counters: (u8, u8),
}

/// The five queues. Where two share counters, the one that is listed first is called first.
pub(super) const QUEUES: [QueuePlan; 5] = [
    QueuePlan {
        id: "certificates",
        ja: "証明書の交付",
        en: "Certificates",
        lane: Lane::Standard,
        prefix: 'A',
        first: 1,
        per_hour: 40.0,
        service: (190.0, 0.7),
        hold: 0.02,
        counters: (1, 3),
    },
    QueuePlan {
        id: "moving-fast",
        ja: "住所の異動",
        en: "Change of address",
        lane: Lane::Fast,
        prefix: 'F',
        first: 1,
        per_hour: 5.0,
        service: (400.0, 0.6),
        hold: 0.03,
        counters: (5, 8),
    },
    QueuePlan {
        id: "moving",
        ja: "住所の異動",
        en: "Change of address",
        lane: Lane::Standard,
        prefix: 'B',
        first: 301,
        per_hour: 13.0,
        service: (700.0, 0.6),
        hold: 0.1,
        counters: (5, 8),
    },
    QueuePlan {
        id: "mynumber",
        ja: "マイナンバーカード",
        en: "My Number Card",
        lane: Lane::Standard,
        prefix: 'C',
        first: 501,
        per_hour: 12.0,
        service: (620.0, 0.6),
        hold: 0.06,
        counters: (10, 12),
    },
    QueuePlan {
        id: "koseki",
        ja: "戸籍の届出",
        en: "Family register",
        lane: Lane::Standard,
        prefix: 'D',
        first: 701,
        per_hour: 5.5,
        service: (800.0, 0.7),
        hold: 0.12,
        counters: (13, 14),
    },
];

/// The order of the queues on a board: fast lane after its standard one.
pub(super) const BOARD_ORDER: [usize; 5] = [0, 2, 1, 3, 4];

impl OfficePlan {
    pub(super) fn office(&self) -> OfficeId {
        OfficeId::new(self.id).expect("ids of the plan are valid")
    }

    pub(super) fn name(&self) -> Name {
        Name::new([("ja", self.ja), ("en", self.en)])
    }
}

impl QueuePlan {
    pub(super) fn queue(&self) -> QueueId {
        QueueId::new(self.id).expect("ids of the plan are valid")
    }

    pub(super) fn name(&self) -> Name {
        Name::new([("ja", self.ja), ("en", self.en)])
    }
}

/// One minute in the unit of simulated time, milliseconds.
pub(super) const MINUTE: u64 = 60_000;

const fn clock(hours: u64, minutes: u64) -> u64 {
    (hours * 60 + minutes) * MINUTE
}

/// A simulated day begins: the ticket machine is switched on.
pub(super) const DAWN: u64 = clock(8, 35);
/// Counters begin to call.
pub(super) const OPEN: u64 = clock(9, 0);
/// Nobody gets a ticket any more; those who wait are served.
pub(super) const CLOSE: u64 = clock(17, 0);
/// What the first viewer sees: lines have formed.
pub(super) const CURTAIN: u64 = clock(10, 20);
/// Half of the counters have their break in each of these hours.
pub(super) const LUNCH: [(u64, u64); 2] = [
    (clock(11, 30), clock(12, 30)),
    (clock(12, 30), clock(13, 30)),
];

/// Arrivals by hour of the day, from 8:00, relative to a usual hour.
const BY_HOUR: [f64; 9] = [0.5, 1.1, 1.2, 0.9, 0.85, 1.05, 1.2, 0.95, 0.7];

/// The highest of [`BY_HOUR`], for thinning.
pub(super) const BUSIEST: f64 = 1.2;

/// How many come at a time of day, relative to a usual hour.
pub(super) fn profile(time_of_day: u64) -> f64 {
    if !(DAWN..CLOSE).contains(&time_of_day) {
        return 0.0;
    }
    let hour = usize::try_from(time_of_day / clock(1, 0)).unwrap_or(0);
    hour.checked_sub(8)
        .and_then(|i| BY_HOUR.get(i))
        .copied()
        .unwrap_or(0.0)
}
