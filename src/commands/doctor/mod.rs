//! `yobiban doctor`: what an installer on a ladder needs to know, and what to do about it.
//!
//! Looks at everything a node would use, and drives nothing: no picture is shown, no digit moves,
//! nothing is published. Of a camera's picture nothing is kept. The node may be running meanwhile. Bounded: each look has a limit of a few
//! seconds, and all of them together take no longer than the slowest and the devices one by one.

mod broker;
mod camera;
mod machine;
mod voice;

use crate::clock::Clock;
use crate::config::{NodeConfig, OutputConfig};
#[cfg(target_os = "linux")]
use crate::output::led::{hub75, max7219};
use crate::output::{Finding, Level, serial};
use std::io::{self, Write};
use std::path::Path;

/// Looks at everything, prints it, and says whether nothing has failed.
///
/// # Errors
/// When the answer cannot be printed.
pub async fn run(
    config: &NodeConfig,
    clock: &dyn Clock,
    out: &mut impl Write,
) -> anyhow::Result<bool> {
    let now = clock.now();
    let (feed, uplink, cameras) = tokio::join!(
        broker::feed(config, clock),
        broker::uplink(config),
        camera::cameras(config)
    );
    let mut findings = boards(config);
    findings.extend(cameras);
    findings.extend(feed);
    findings.extend(uplink);
    findings.extend(config.voice.iter().flat_map(voice::inspect));
    findings.push(machine::clock(now, &config.state.timezone).await);
    findings.extend(machine::identity(config, Path::new("/")));
    findings.push(machine::store(&config.store_dir));
    findings.extend(machine::power(Path::new("/sys")));
    print(config, &findings, out)?;
    Ok(findings.iter().all(|f| f.level < Level::Failure))
}

/// What each board is shown on.
fn boards(config: &NodeConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.boards.is_empty() {
        findings.push(Finding {
            level: Level::Warning,
            what: "boards".into(),
            found: "none configured".into(),
            advice: "add a [[board]] to the configuration, or ignore this on a device without one"
                .into(),
        });
    }
    #[cfg(target_os = "linux")]
    for relay in &config.relays {
        findings.extend(crate::output::relay::inspect(relay));
    }
    for board in &config.boards {
        for finding in inspect(&board.output) {
            findings.push(Finding {
                what: format!("board {}: {}", board.id, finding.what),
                ..finding
            });
        }
    }
    findings
}

/// What is known of one kind of output.
fn inspect(output: &OutputConfig) -> Vec<Finding> {
    match output {
        OutputConfig::Png { path } => vec![machine::picture_file(path)],
        OutputConfig::None => vec![good("none", "only reported to the hub")],
        OutputConfig::Window => vec![good("window", "on the desktop of this machine")],
        #[cfg(target_os = "linux")]
        OutputConfig::Max7219(led) => max7219::inspect(led),
        #[cfg(target_os = "linux")]
        OutputConfig::Hub75(led) => hub75::inspect(led),
        #[cfg(not(target_os = "linux"))]
        OutputConfig::Max7219(_) | OutputConfig::Hub75(_) => Vec::new(),
        OutputConfig::Serial(config) => serial::inspect(config),
        #[cfg(all(feature = "hdmi", target_os = "linux"))]
        OutputConfig::Hdmi(hdmi) => crate::output::hdmi::inspect(hdmi),
        #[cfg(not(all(feature = "hdmi", target_os = "linux")))]
        OutputConfig::Hdmi(_) => Vec::new(),
    }
}

/// A line about something that is well.
fn good(what: impl Into<String>, found: impl Into<String>) -> Finding {
    Finding {
        level: Level::Good,
        what: what.into(),
        found: found.into(),
        advice: String::new(),
    }
}

/// Longest column of what was looked at; longer ones push theirs aside.
const COLUMN: usize = 44;

fn print(config: &NodeConfig, findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    let machine = crate::machine::model(Path::new("/")).unwrap_or_else(|| "this machine".into());
    writeln!(
        out,
        "yobiban {}, office {}, node {}, on {machine}\n",
        env!("CARGO_PKG_VERSION"),
        config.office,
        config.node
    )?;
    let longest = findings.iter().map(|f| f.what.chars().count()).max();
    let column = longest.unwrap_or(0).min(COLUMN);
    for finding in findings {
        let mark = match finding.level {
            Level::Good => "ok  ",
            Level::Warning => "warn",
            Level::Failure => "FAIL",
        };
        writeln!(out, "{mark}  {:column$}  {}", finding.what, finding.found)?;
        if !finding.advice.is_empty() {
            writeln!(out, "      → {}", finding.advice)?;
        }
    }
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    match (count(Level::Failure), count(Level::Warning)) {
        (0, 0) => writeln!(out, "\nAll checks passed."),
        (failed, warned) => writeln!(out, "\nfailed: {failed}, warnings: {warned}"),
    }?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_read_on_a_phone() {
        let config = crate::config::parse_node(
            crate::config::example::NODE,
            "node.toml",
            Path::new("/nowhere"),
        )
        .expect("the example is valid");
        let findings = [
            good("clock", "synchronised"),
            Finding {
                level: Level::Failure,
                what: "store /x".into(),
                found: "read-only".into(),
                advice: "mount it writable".into(),
            },
        ];
        let mut text = Vec::new();
        print(&config, &findings, &mut text).expect("printed");
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("ok    clock     synchronised\n"), "{text}");
        assert!(
            text.contains("FAIL  store /x  read-only\n      → mount it writable\n"),
            "{text}"
        );
        assert!(text.ends_with("failed: 1, warnings: 0\n"), "{text}");
    }
}
