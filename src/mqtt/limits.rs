//! What a broker accepts, and what to report where that is too little.

/// What a broker accepts (MQTT 5, 3.2.2.3); one of MQTT 3.1.1 says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Whether it retains messages for later subscribers.
    pub retain_available: bool,
    /// Whether it acknowledges messages (QoS 1).
    pub qos1_available: bool,
    /// Its largest packet in bytes, if it said so.
    pub max_packet: Option<u32>,
}

impl Limits {
    /// Those of a broker that says nothing.
    pub const NONE: Self = Self {
        retain_available: true,
        qos1_available: true,
        max_packet: None,
    };
}

/// What the operator of a broker that does not retain messages has to change.
pub const RETAIN_UNAVAILABLE: &str = "the broker does not retain messages (MQTT: retain), so later \
    subscribers see no numbers: allow it there, in Mosquitto with `retain_available true`";

/// What the operator of a broker that does not acknowledge messages has to change.
pub const QOS1_UNAVAILABLE: &str = "the broker does not acknowledge messages (MQTT: QoS 1), so \
    calls could be lost: allow it there, in Mosquitto with `max_qos 2`";
