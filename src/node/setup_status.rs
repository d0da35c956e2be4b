//! What a box says of itself while there are no numbers, and what is wrong with its file: sheets
//! for installers.
//!
//! The sheets stand on the glass alone: addresses never leave the node with a report.

use super::card::{CardFile, CardStatus};
use crate::board::{Line, Mark, SetupScreen};
use crate::clock::Now;
use crate::config::{MqttConfig, NodeConfig};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

/// More than any box has.
const MAX_LISTED: usize = 4;

/// What is known of the node at one moment.
#[derive(Debug)]
pub struct SetupStatus<'a> {
    /// What it works by.
    pub config: &'a NodeConfig,
    /// What the start of the box found out.
    pub card: &'a CardStatus,
    /// Why there is no line to the broker of the feed; `None` while there is.
    pub disconnected: Option<&'a str>,
    pub now: Now,
    pub zone: &'a TimeZone,
    pub addresses: &'a [IpAddr],
    /// Where the kernel's files are: `/`.
    pub root: &'a Path,
}

/// The setup screen of a node that has no numbers yet.
#[must_use]
pub fn screen(status: &SetupStatus<'_>) -> SetupScreen {
    let (addresses, links) = (reachable(status.addresses), links(status.root));
    let (next, next_in_english) = next_step(status.card);
    SetupScreen {
        title: "設置の確認".into(),
        english: "Installation: how this box is doing".into(),
        alert: false,
        lines: vec![
            office_line(status.config),
            node_line(status.config),
            link_line(&links),
            address_line(&addresses),
            broker_line(&status.config.mqtt, status.disconnected),
            clock_line(status),
        ],
        code: code(status, &addresses, &links),
        next,
        next_in_english,
    }
}

fn office_line(config: &NodeConfig) -> Line {
    let value = format!("{}  {}", config.office_name.best("ja"), config.office);
    line(Mark::Good, ("区役所", "Office"), value, "")
}

fn node_line(config: &NodeConfig) -> Line {
    let value = format!("{}   {}", config.node, env!("CARGO_PKG_VERSION"));
    line(Mark::Good, ("端末", "Node, version"), value, "")
}

fn link_line(links: &[Link]) -> Line {
    let plugged: Vec<String> = links.iter().filter(|l| l.up).map(Link::say).collect();
    let none = (
        Mark::Wrong,
        "つながっていません",
        "LANケーブルか無線LANの設定を確かめてください · not connected: check the cable or [wifi]",
    );
    listed(("回線", "Link"), &plugged, none)
}

fn address_line(addresses: &[String]) -> Line {
    let none = (
        Mark::Waiting,
        "まだありません",
        "ネットワークからの割り当てを待っています · waiting for one from the network",
    );
    listed(("アドレス", "Address"), addresses, none)
}

fn broker_line(broker: &MqttConfig, disconnected: Option<&str>) -> Line {
    let (mark, value, detail) = match disconnected {
        None => (
            Mark::Good,
            "つながりました",
            "番号はまだ届いていません · connected, no numbers yet",
        ),
        Some(why) => (Mark::Waiting, "つながっていません", why),
    };
    let detail = format!("{} · {detail}", at(broker));
    line(mark, ("番号の送り元", "Broker"), value.into(), &detail)
}

fn clock_line(status: &SetupStatus<'_>) -> Line {
    let label = ("時計", "Clock");
    if status.now.synced {
        let time = status.now.wall.to_zoned(status.zone.clone());
        let time = time.strftime("%Y-%m-%d %H:%M").to_string();
        line(Mark::Good, label, time, "")
    } else {
        let detail = "時刻サーバーの返事を待っています · waiting for a time server";
        line(Mark::Waiting, label, "まだ合っていません".into(), detail)
    }
}

/// What the QR code holds, for whoever is asked on the telephone.
fn code(status: &SetupStatus<'_>, addresses: &[String], links: &[Link]) -> String {
    let config = status.config;
    let links: Vec<String> = links.iter().map(Link::short).collect();
    let broker = format!("{} {}", at(&config.mqtt), short(status.disconnected));
    let clock = if status.now.synced { "ok" } else { "not set" };
    format!(
        "yobiban {}\noffice {}\nnode {}\naddress {}\nlink {}\nbroker {broker}\nclock {clock}\n",
        env!("CARGO_PKG_VERSION"),
        config.office,
        config.node,
        addresses.join(" "),
        links.join(" "),
    )
}

fn next_step(card: &CardStatus) -> (String, String) {
    if card.card == CardFile::Failed {
        return (
            "設定ファイルを取り込めません。前の設定で動いています".into(),
            format!(
                "The card's file could not be kept, the former one is used: {}",
                card.failed
            ),
        );
    }
    (
        "番号が届くと、この画面は自動で番号の表示に替わります".into(),
        "The numbers take the place of this page as soon as they arrive.".into(),
    )
}

/// What stands in place of numbers when there is nothing to work by, or the card's file is wrong;
/// `None` when neither is so.
#[must_use]
pub fn trouble(card: &CardStatus) -> Option<SetupScreen> {
    match card.card {
        CardFile::Wrong => Some(wrong(card)),
        CardFile::Failed if !card.configured => Some(failed(card)),
        _ if !card.configured => Some(missing()),
        _ => None,
    }
}

fn wrong(card: &CardStatus) -> SetupScreen {
    /// More do not fit in a size that is read from a ladder.
    const SHOWN: usize = 4;
    let problems = card.problems.iter().take(SHOWN);
    let lines = problems
        .map(|p| {
            let (ja, en) = match p.position {
                Some((line, column)) => (
                    format!("{line} 行目  {column} 文字目"),
                    format!("line {line}, column {column}"),
                ),
                None => ("ファイル全体".into(), "the whole file".into()),
            };
            let value = match (&p.key, &p.found) {
                (key, _) if key.is_empty() => "読み取れません".to_owned(),
                (key, Some(found)) => format!("{key} = {found}"),
                (key, None) => key.clone(),
            };
            Line {
                mark: Mark::Wrong,
                label: ja,
                english: en,
                value,
                detail: p.in_japanese(),
            }
        })
        .collect();
    let mut code = String::from("yobiban.toml\n");
    for problem in card.problems.iter().take(8) {
        let position = problem.position.map(|(l, c)| format!("{l}:{c} "));
        let text = format!(
            "{}{}: {}\n",
            position.unwrap_or_default(),
            problem.key,
            problem.in_english()
        );
        // A code of more can no longer be photographed from the floor.
        if code.len() + text.len() > 600 {
            break;
        }
        code.push_str(&text);
    }
    let more = card.problems.len().saturating_sub(SHOWN);
    let more = match more {
        0 => String::new(),
        n => format!("（ほか {n} か所）"),
    };
    let (next, next_in_english) = if card.configured {
        (
            "このあと前の設定で動きます。直すには：SDカードの yobiban.toml を書き直し、電源を入れ直す",
            "The box goes on with its former settings in two minutes. To correct the file: edit it on the card, then switch off and on.",
        )
    } else {
        (
            "電源を切り、SDカードをパソコンで開いて yobiban.toml を直し、戻して電源を入れる",
            "Switch off, correct yobiban.toml on the card with a computer, put the card back, switch on.",
        )
    };
    SetupScreen {
        title: format!("設定ファイルに誤りがあります {more}"),
        english: "yobiban.toml: something in it cannot be used".into(),
        alert: true,
        lines,
        code,
        next: next.into(),
        next_in_english: next_in_english.into(),
    }
}

fn missing() -> SetupScreen {
    let step = |n, label: &str, english: &str, value: &str, detail: &str| Line {
        mark: Mark::Step(n),
        label: label.into(),
        english: english.into(),
        value: value.into(),
        detail: detail.into(),
    };
    SetupScreen {
        title: "設定ファイルがありません".into(),
        english: "There is no file yobiban.toml on the card".into(),
        alert: true,
        lines: vec![
            step(
                1,
                "電源を切る",
                "Switch off",
                "SDカードを抜いてパソコンに入れる",
                "Take the card out and put it into a computer",
            ),
            step(
                2,
                "ファイルを置く",
                "Put the file there",
                "「YOBIBAN」に yobiban.toml を入れる",
                "Copy yobiban.toml to the drive YOBIBAN; yobiban-example.toml there is a template to fill in",
            ),
            step(
                3,
                "電源を入れる",
                "Switch on",
                "SDカードを戻して電源を入れる",
                "Put the card back and switch on: this page goes away by itself",
            ),
        ],
        code: String::new(),
        next: "設定ファイルは市の担当者から受け取ってください".into(),
        next_in_english: format!(
            "The file comes from the city's IT department. yobiban {}",
            env!("CARGO_PKG_VERSION")
        ),
    }
}

fn failed(card: &CardStatus) -> SetupScreen {
    SetupScreen {
        title: "設定ファイルを取り込めません".into(),
        english: "The card's file could not be kept".into(),
        alert: true,
        lines: vec![Line {
            mark: Mark::Wrong,
            label: "設定の取り込み".into(),
            english: "Taking the file over".into(),
            value: "できませんでした".into(),
            detail: card.failed.clone(),
        }],
        code: format!("yobiban {}\n{}\n", env!("CARGO_PKG_VERSION"), card.failed),
        next: "電源を入れ直す。続くときは、新しいSDカードに書き込み直す".into(),
        next_in_english:
            "Switch off and on. If this comes again, the card may be full or worn out: \
            write the image to a new one."
                .into(),
    }
}

/// What there is of something that a box has to have, or what is said where there is none.
fn listed(
    label: (&str, &str),
    found: &[String],
    (mark, value, detail): (Mark, &str, &str),
) -> Line {
    if found.is_empty() {
        line(mark, label, value.into(), detail)
    } else {
        line(Mark::Good, label, found.join("、"), "")
    }
}

fn line(mark: Mark, (label, english): (&str, &str), value: String, detail: &str) -> Line {
    Line {
        mark,
        label: label.into(),
        english: english.into(),
        value,
        detail: detail.into(),
    }
}

fn at(broker: &MqttConfig) -> String {
    format!("{}:{}", broker.host, broker.port)
}

/// The state of a line in a few letters.
fn short(disconnected: Option<&str>) -> String {
    match disconnected {
        None => "ok".into(),
        Some(why) => why.chars().take(80).collect(),
    }
}

/// A network interface.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    name: String,
    radio: bool,
    up: bool,
    /// Megabits a second, where the kernel knows.
    speed: Option<u32>,
}

impl Link {
    fn say(&self) -> String {
        let kind = if self.radio { "無線" } else { "有線" };
        match self.speed {
            Some(speed) => format!("{kind}  {speed} Mbit/s"),
            None => format!("{kind}  接続中"),
        }
    }

    fn short(&self) -> String {
        let state = if self.up { "up" } else { "down" };
        format!("{} {state}", self.name)
    }
}

/// The interfaces that a cable or a radio hangs on.
fn links(root: &Path) -> Vec<Link> {
    let folder = root.join("sys/class/net");
    let mut links: Vec<Link> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let path = entry.path();
            let text = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
            // Only what has a device behind it: not the loop, no bridges.
            if !path.join("device").exists() {
                return None;
            }
            Some(Link {
                radio: path.join("wireless").exists() || path.join("phy80211").exists(),
                up: text("carrier").trim() == "1",
                speed: text("speed").trim().parse().ok().filter(|s| *s > 0),
                name,
            })
        })
        .take(MAX_LISTED)
        .collect();
    links.sort_by(|a, b| a.name.cmp(&b.name));
    links
}

/// All addresses of this machine; none where the system does not tell.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().map(if_addrs::Interface::ip).collect()
}

/// The IPv4 addresses that others reach a machine by, and IPv6 ones where there is no other.
fn reachable(own: &[IpAddr]) -> Vec<String> {
    let (mut four, mut six) = (BTreeSet::new(), BTreeSet::new());
    for address in own.iter().filter(|a| !a.is_loopback()) {
        match address {
            IpAddr::V4(address) => drop(four.insert(*address)),
            IpAddr::V6(address) if !address.is_unicast_link_local() => drop(six.insert(*address)),
            IpAddr::V6(_) => {}
        }
    }
    let four: Vec<String> = four
        .iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect();
    if !four.is_empty() {
        return four;
    }
    six.iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
#[path = "setup_status_tests.rs"]
mod tests;
