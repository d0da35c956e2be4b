//! What each broker is to let in: an `acl_file` of Mosquitto with nothing but what is needed.

use super::table::Row;
use crate::config::MqttConfig;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The name of the hub's certificate.
const HUB: &str = "hub";

/// The brokers with TLS that a table names, by host.
#[derive(Debug, Default)]
pub(super) struct Brokers {
    brokers: BTreeMap<String, Broker>,
    guests: BTreeSet<String>,
}

/// One broker: who may do what there, by the name of the certificate.
#[derive(Debug, Default)]
pub(super) struct Broker {
    may: BTreeMap<String, BTreeSet<String>>,
}

impl Brokers {
    /// Takes up what a node, its ticketing system and the hub need.
    pub(super) fn add(&mut self, row: &Row) {
        let config = &row.config;
        let (office, node) = (&config.office, &config.node);
        let feed = &config.mqtt;
        let tickets = tickets(office.as_str());
        self.allow(feed, &row.name(), |root| {
            format!("topic read {root}/{office}/feed/+")
        });
        // Foreign systems publish on topics of their own.
        for adapter in &config.adapters {
            let topic = &adapter.topic;
            self.allow(feed, &row.name(), |_| format!("topic read {topic}"));
            self.allow(feed, &tickets, |_| format!("topic write {topic}"));
        }
        self.allow(feed, &tickets, |root| {
            format!("topic write {root}/{office}/feed/+")
        });
        let reports = config.uplink.as_ref().unwrap_or(feed);
        self.allow(reports, &row.name(), |root| {
            format!("topic write {root}/{office}/node/{node}/#")
        });
        self.allow(reports, HUB, |root| format!("topic read {root}/+/node/#"));
        if feed.tls.is_some() {
            self.guests.insert(tickets);
        }
        if reports.tls.is_some() {
            self.guests.insert(HUB.into());
        }
    }

    fn allow(&mut self, broker: &MqttConfig, who: &str, what: impl FnOnce(&str) -> String) {
        if broker.tls.is_some() {
            let may = &mut self.brokers.entry(broker.host.clone()).or_default().may;
            let rules = may.entry(who.to_owned()).or_default();
            rules.insert(what(&broker.root));
        }
    }

    /// Those who are no nodes: ticketing systems and the hub.
    pub(super) fn guests(&self) -> impl Iterator<Item = &String> {
        self.guests.iter()
    }

    /// Each broker with its host.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Broker)> {
        self.brokers.iter()
    }
}

impl Broker {
    /// Its `acl_file`.
    pub(super) fn acl(&self) -> String {
        let mut text =
            "# Who may do what, by the common name of the certificate. All else is denied.\n\
                        # Needs: require_certificate true, use_identity_as_username true\n"
                .to_owned();
        for (who, rules) in &self.may {
            let _ = write!(text, "\nuser {who}\n"); // a String takes everything
            for rule in rules {
                text += rule;
                text.push('\n');
            }
        }
        text
    }
}

/// The name of an office's ticketing system.
pub(super) fn tickets(office: &str) -> String {
    format!("{office}-tickets")
}

/// Whether a name is one of those that nodes may not have.
pub(super) fn is_taken(name: &str, office: &str) -> bool {
    name == HUB || name == tickets(office)
}
