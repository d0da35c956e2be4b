//! The whole product in one process: broker, simulated ticketing systems, nodes and the hub.

pub mod broker;
pub mod simulator;
