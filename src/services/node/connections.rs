//! A node's connections to its brokers.

use crate::config::NodeConfig;
use crate::mqtt::{self, LocalBroker, Session, SessionOptions, Subscription};
use crate::node::OfficeState;
use crate::node::duplicate::DuplicateWatch;
use crate::uplink::Identity;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest pause between two attempts to reach the broker of the feed: it is in the same house, and
/// people wait for its numbers.
const FEED_BACKOFF: Duration = Duration::from_secs(5);

pub(super) struct Connections {
    pub(super) identity: Identity,
    pub(super) feed: Session,
    /// `None` when reports go to the broker of the feed: then one session does both.
    pub(super) uplink: Option<Session>,
}

impl Connections {
    pub(super) fn open(
        config: &NodeConfig,
        local_broker: Option<&LocalBroker>,
        state: &OfficeState,
        shutdown: &CancellationToken,
    ) -> Self {
        let broker = config.uplink.as_ref().unwrap_or(&config.mqtt);
        let identity = Identity {
            root: broker.root.clone(),
            office: config.office.clone(),
            name: config.office_name.clone(),
            node: config.node.clone(),
            zone: config.state.timezone.clone(),
        };
        let client_id = format!("yobiban-{}-{}", config.office, config.node);
        let mut feed = SessionOptions::new(&config.mqtt, "feed", client_id.clone())
            .on_local_broker(local_broker);
        feed.backoff.1 = FEED_BACKOFF;
        for filter in state.filters() {
            feed = feed.subscribe(Subscription::new(filter));
        }
        let uplink = config.uplink.as_ref().map(|broker| {
            let up = SessionOptions::new(broker, "uplink", format!("{client_id}-up"));
            let mut up = up.on_local_broker(local_broker);
            up.availability = Some(identity.availability());
            up = up.subscribe(Subscription::optional(identity.instance_topic()));
            mqtt::spawn(up, shutdown.clone())
        });
        if uplink.is_none() {
            feed.availability = Some(identity.availability());
            feed = feed.subscribe(Subscription::optional(identity.instance_topic()));
        }
        Self {
            identity,
            feed: mqtt::spawn(feed, shutdown.clone()),
            uplink,
        }
    }

    /// The session that reports go out on.
    pub(super) fn reports(&self) -> &Session {
        self.uplink.as_ref().unwrap_or(&self.feed)
    }

    /// Watches for a second machine with this node's identity, where this one reports.
    pub(super) fn duplicates(&self) -> DuplicateWatch {
        let reports = self.reports();
        let sessions = std::iter::once(&self.feed).chain(&self.uplink);
        DuplicateWatch::new(
            &self.identity,
            reports.publisher.clone(),
            reports.connection.clone(),
            sessions.map(|s| Arc::clone(&s.stats)).collect(),
        )
    }
}
