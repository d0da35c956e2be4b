//! What each broker is to let in: an `acl_file` of Mosquitto with nothing but what is needed.

use super::row::Row;
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

/// Who a row needs beside its node, by the names of their certificates.
pub(super) fn guests(row: &Row) -> Vec<String> {
    let feed = &row.config.mqtt;
    let reports = row.config.uplink.as_ref().unwrap_or(feed);
    let mut guests = Vec::new();
    if feed.tls.is_some() {
        guests.push(tickets(row.config.office.as_str()));
    }
    if reports.tls.is_some() {
        guests.push(HUB.into());
    }
    guests
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
        // To notice a second machine with its identity.
        self.allow(reports, &row.name(), |root| {
            format!("topic read {root}/{office}/node/{node}/instance")
        });
        self.allow(reports, HUB, |root| format!("topic read {root}/+/node/#"));
        self.guests.extend(guests(row));
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

/// Whether a filter of a foreign system takes in topics of this product that are another office's:
/// a right for it would be one for them.
pub(super) fn reaches_others(filter: &str, row: &Row, others: &BTreeSet<String>) -> bool {
    let config = &row.config;
    let roots = [Some(&config.mqtt), config.uplink.as_ref()];
    roots.into_iter().flatten().any(|broker| {
        let own = config.office.as_str();
        let mut others = others.iter().filter(|office| *office != own);
        others.any(|office| overlap(filter, &format!("{}/{office}/#", broker.root)))
    })
}

/// Whether a topic is there that both filters match (MQTT 5.0, 4.7).
fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('/'), other.split('/'));
    loop {
        match (one.next(), other.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "+" || b == "+" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_overlap_where_one_topic_matches_both() {
        for (one, other, common) in [
            ("a/b", "a/#", true),
            ("#", "a/b/#", true),
            ("+/+/feed/x", "a/b/#", true),
            ("a", "a/#", true),
            ("a/+/x", "a/b/y", false),
            ("a/b", "a/b/c", false),
            ("hall/+/now", "yobiban/v1/chuo/#", false),
        ] {
            assert_eq!(overlap(one, other), common, "{one} {other}");
            assert_eq!(overlap(other, one), common, "{other} {one}");
        }
    }
}
