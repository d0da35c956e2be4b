//! What a broker takes, and what to say where that is too little.

/// What a broker takes (MQTT 5, 3.2.2.3); one of MQTT 3.1.1 says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Whether it keeps messages for those who come later.
    pub keeps: bool,
    /// Whether it confirms messages (QoS 1).
    pub confirms: bool,
    /// Its largest packet in bytes, if it said so.
    pub max_packet: Option<u32>,
}

impl Limits {
    /// Those of a broker that says nothing.
    pub const NONE: Self = Self {
        keeps: true,
        confirms: true,
        max_packet: None,
    };
}

/// What the operator of a broker that does not retain messages has to change.
pub const KEEPS_NOTHING: &str = "the broker does not retain messages (MQTT: retain), so later \
    subscribers see no numbers: allow it there, in Mosquitto with `retain_available true`";

/// What the operator of a broker that does not acknowledge messages has to change.
pub const CONFIRMS_NOTHING: &str = "the broker does not acknowledge messages (MQTT: QoS 1), so \
    calls could be lost: allow it there, in Mosquitto with `max_qos 2`";
