//! The lines to the brokers, and what the broker of the feed has kept for each queue.

use super::good;
use crate::clock::Clock;
use crate::config::{MqttConfig, NodeConfig};
use crate::health::IssueKind;
use crate::mqtt::{self, ConnectionState, Fault, Limits, QOS1_UNAVAILABLE, RETAIN_UNAVAILABLE};
use crate::mqtt::{Session, SessionOptions, Subscription};
use crate::node::{OfficeState, reader::delivery};
use crate::output::{Finding, Level};
use crate::state::Phase;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// A broker that has not answered by then is not usable for a board either.
const CONNECT_LIMIT: Duration = Duration::from_secs(6);

/// Kept messages come at once after the subscription; a slow line is given this long.
const KEPT_LIMIT: Duration = Duration::from_secs(3);

/// So large may the picture of a board be, bytes: one of full HD has 90,000, of a photograph in a
/// layout more.
const PICTURE: u32 = 512 * 1024;

/// Looks at the broker of the feed, and at what it has for each queue.
pub(super) async fn feed(config: &NodeConfig, clock: &dyn Clock) -> Vec<Finding> {
    let mut truth = OfficeState::new(config);
    let what = format!("feed broker {}", address(&config.mqtt));
    let mut options = options(&config.mqtt, config);
    for filter in truth.filters() {
        options = options.subscribe(Subscription::new(filter));
    }
    let stop = CancellationToken::new();
    let mut session = mqtt::spawn(options, stop.clone());
    let line = reach(&mut session, what).await;
    let mut findings = vec![line];
    if let ConnectionState::Connected { limits, .. } = *session.connection.borrow_and_update()
        && config.uplink.is_none()
    {
        findings.extend(limited(limits));
    }
    if session.connection.borrow().is_connected() {
        let until = Instant::now() + KEPT_LIMIT;
        let silent = |truth: &mut OfficeState| {
            let queues = truth.snapshot(clock.now()).queues;
            queues.iter().any(|q| q.reading.is_none())
        };
        while silent(&mut truth) {
            match timeout_at(until, session.inbox.recv()).await {
                Ok(Some(message)) => {
                    truth.apply_message(
                        &message.topic,
                        &message.payload,
                        delivery(&message),
                        clock.now(),
                    );
                }
                Ok(None) | Err(_) => break,
            }
        }
        findings.extend(queues(config, &mut truth, clock));
    }
    stop.cancel();
    let _ = timeout(Duration::from_secs(1), session.task).await; // its own limit is one second
    findings
}

/// One line for each queue, and for what was refused.
fn queues(config: &NodeConfig, truth: &mut OfficeState, clock: &dyn Clock) -> Vec<Finding> {
    let now = clock.now();
    let mut findings = Vec::new();
    for queue in truth.snapshot(now).queues {
        let id = &queue.settings.id;
        let what = format!("queue {id}");
        if queue.reading.is_none() && queue.phase == Phase::NotOpenYet {
            findings.push(Finding {
                level: Level::Warning,
                what,
                found: "retained numbers are of an earlier day".into(),
                advice: "normal before opening; otherwise the ticketing system sends nothing"
                    .into(),
            });
            continue;
        }
        let Some(reading) = &queue.reading else {
            findings.push(Finding {
                level: Level::Warning,
                what,
                found: "no retained message at the broker".into(),
                advice: format!(
                    "the ticketing system must publish {}/{}/feed/{id} with the retain flag, or an [[adapter]] must name the queue",
                    config.mqtt.root, config.office
                ),
            });
            continue;
        };
        let age = reading.age(now).unwrap_or_default().as_secs();
        let found = format!("newest numbers are {age} s old");
        findings.push(match queue.phase {
            Phase::Today(_) if queue.fresh => good(what, found),
            Phase::Today(_) => Finding {
                level: Level::Warning,
                what,
                found,
                advice:
                    "the ticketing system sends nothing: check that it runs and reaches the broker"
                        .into(),
            },
            Phase::NotOpenYet | Phase::Unknown => Finding {
                level: Level::Warning,
                what,
                found: format!("retained numbers are of {}", reading.state.day),
                advice: "normal before opening; otherwise the ticketing system sends nothing"
                    .into(),
            },
        });
    }
    for issue in truth.issues().iter() {
        findings.push(Finding {
            level: Level::Warning,
            what: format!("{} {}", issue.kind, issue.subject)
                .trim()
                .to_owned(),
            found: issue.text.clone(),
            advice: match issue.kind {
                IssueKind::SourceClock => {
                    "set clock, date and time zone of the ticketing system, or of this device if \
                     that is wrong"
                }
                _ => "what the ticketing system sends must follow docs/contract.md",
            }
            .into(),
        });
    }
    findings
}

/// Looks at the broker of the reports, where there is one of its own.
pub(super) async fn uplink(config: &NodeConfig) -> Vec<Finding> {
    let Some(broker) = &config.uplink else {
        return vec![good("uplink", "reports go to the broker of the feed")];
    };
    let stop = CancellationToken::new();
    let mut session = mqtt::spawn(options(broker, config), stop.clone());
    let line = reach(&mut session, format!("uplink broker {}", address(broker))).await;
    let mut findings = vec![line];
    if let ConnectionState::Connected { limits, .. } = *session.connection.borrow() {
        findings.extend(limited(limits));
    }
    stop.cancel();
    let _ = timeout(Duration::from_secs(1), session.task).await; // its own limit is one second
    findings
}

/// What the broker of the reports takes too little of.
fn limited(limits: Limits) -> Vec<Finding> {
    let finding = |level: Level, found: String, advice: &str| Finding {
        level,
        what: "reports".into(),
        found,
        advice: advice.into(),
    };
    let mut findings = Vec::new();
    for (allowed, why) in [
        (limits.retain_available, RETAIN_UNAVAILABLE),
        (limits.qos1_available, QOS1_UNAVAILABLE),
    ] {
        if !allowed {
            findings.push(finding(Level::Failure, why.into(), advice(Fault::Limits)));
        }
    }
    if let Some(max) = limits.max_packet.filter(|max| *max < PICTURE) {
        findings.push(finding(
            Level::Warning,
            format!(
                "the broker accepts messages of at most {max} bytes: enough for numbers, \
                perhaps not for pictures of boards"
            ),
            "allow 1 MB there, in Mosquitto with `max_packet_size 1048576` or without that line",
        ));
    }
    findings
}

/// A session that does not throw the running node out: brokers end the older of two clients with
/// one identifier.
fn options(broker: &MqttConfig, config: &NodeConfig) -> SessionOptions {
    let broker = MqttConfig {
        client_id: None,
        ..broker.clone()
    };
    let id = format!(
        "yobiban-{}-{}-doctor-{}",
        config.office,
        config.node,
        std::process::id()
    );
    SessionOptions::new(&broker, "doctor", id)
}

async fn reach(session: &mut Session, what: String) -> Finding {
    // Whether it came up is in the link itself; a session that ended says so there, too.
    let _ = timeout(
        CONNECT_LIMIT,
        session.connection.wait_for(ConnectionState::is_connected),
    )
    .await;
    let reason = match &*session.connection.borrow() {
        ConnectionState::Connected { version, .. } => {
            return good(what, format!("connected, MQTT {version}"));
        }
        ConnectionState::Disconnected { reason } => reason.to_string(),
    };
    Finding {
        level: Level::Failure,
        what,
        advice: advice(*session.fault.borrow()).into(),
        found: reason,
    }
}

/// What to do about a line that does not come up.
fn advice(fault: Fault) -> &'static str {
    match fault {
        Fault::BrokerCertificate => {
            "check the broker's certificate (its dates, names and authority), ca in the \
             configuration, and this device's clock"
        }
        Fault::ClientCertificate => {
            "check cert and key in the configuration, their dates, this device's clock, and the \
             broker's authorities"
        }
        Fault::TlsFiles => "check ca, cert and key in the configuration",
        Fault::Access => "check username and password, and the broker's access list",
        Fault::SessionTakenOver => {
            "a second machine has this identity: switch it off, or give one of the two another node id"
        }
        Fault::Limits => "the broker's configuration forbids it, not this device's",
        Fault::HostName => "check the host name in url, and the network's DNS",
        Fault::PortClosed => {
            "nothing listens there: check host and port in url, and that the broker runs"
        }
        Fault::NotABroker => {
            "something else listens there: check the port in url, and whether it is one for mqtt:// \
             or mqtts://"
        }
        Fault::Network => {
            "check the network cable, the address in url, and the firewall on the way"
        }
    }
}

fn address(broker: &MqttConfig) -> String {
    let tls = if broker.tls.is_some() { " (TLS)" } else { "" };
    format!("{}:{}{tls}", broker.host, broker.port)
}
