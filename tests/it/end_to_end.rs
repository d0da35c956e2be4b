//! The real parts together: Mosquitto, six nodes with boards, the hub, a recorded day at speed.

use crate::support::{self, day, mosquitto::Mosquitto};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock, SystemClock};
use yobiban::config;
use yobiban::model::{OfficeId, QueueId};
use yobiban::roles;
use yobiban::wire::topic::Topic;

const ROOT: &str = "yobiban/v1";
