//! What an installer needs to know about the displays, read from the kernel's files: the card is
//! not opened, so that whoever shows something on it goes on.

use super::cec;
use super::edid::Monitor;
use crate::config::{HdmiConfig, Standby};
use crate::output::{Finding, Level};
use std::fs;
use std::path::{Path, PathBuf};

/// More than an EDID with all its extensions, and more than a list of modes.
const MAX_FILE: usize = 64 * 1024;
/// Programs that own displays; the name as in `/proc/PID/comm`.
const OWNERS: [&str; 16] = [
    "Xorg",
    "X",
    "Xwayland",
    "weston",
    "labwc",
    "wayfire",
    "sway",
    "cage",
    "kwin_wayland",
    "gnome-shell",
    "mutter",
    "lightdm",
    "gdm",
    "sddm",
    "plymouthd",
    "kodi",
];

/// Where the kernel's files are.
struct Kernel {
    sys: PathBuf,
    proc: PathBuf,
    dev: PathBuf,
}

/// Says what is there for a monitor, what is wrong with it and what to do. Drives nothing.
#[must_use]
pub fn inspect(config: &HdmiConfig) -> Vec<Finding> {
    let root = Path::new("/");
    Kernel::below(root).inspect(config)
}

impl Kernel {
    fn below(root: &Path) -> Self {
        Self {
            sys: root.join("sys/class/drm"),
            proc: root.join("proc"),
            dev: root.join("dev"),
        }
    }

    fn inspect(&self, config: &HdmiConfig) -> Vec<Finding> {
        let cards = super::card::paths(&self.sys);
        let cards: Vec<&PathBuf> = cards.iter().collect();
        if cards.is_empty() {
            return vec![finding(
                Level::Failure,
                "display",
                "no display driver is loaded",
                "add dtoverlay=vc4-kms-v3d to config.txt and start the machine again",
            )];
        }
        let mut findings = Vec::new();
        let mut seen = Vec::new();
        for card in cards {
            let name = file_name(card);
            findings.push(self.permission(&name));
            for connector in self.connectors(&name) {
                findings.push(self.connector(&name, &connector, config));
                seen.push(connector);
            }
        }
        findings.extend(self.wanted(&seen, config));
        findings.extend(self.owner());
        findings.extend(self.forced());
        if config.standby == Standby::Cec && cec::device(None).is_none() {
            findings.push(finding(
                Level::Warning,
                "CEC",
                "no /dev/cec0: the monitor gets no standby command, only its signal ends",
                "set standby = \"dpms\", or connect the monitor to a port with CEC",
            ));
        }
        findings
    }

    /// Whether this user may open the card.
    fn permission(&self, card: &str) -> Finding {
        let path = self.dev.join("dri").join(card);
        let both = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
        let what = format!("/dev/dri/{card}");
        match rustix::fs::access(&path, both) {
            Ok(()) => finding(Level::Good, what, "can be used", ""),
            Err(rustix::io::Errno::NOENT) => finding(
                Level::Failure,
                what,
                "is missing, although its driver is loaded",
                "start the service outside of a container, or give it /dev/dri",
            ),
            Err(_) => finding(
                Level::Failure,
                what,
                "permission denied for this user",
                "add the user yobiban to the group video",
            ),
        }
    }

    /// The connectors of a card by name.
    fn connectors(&self, card: &str) -> Vec<String> {
        let prefix = format!("{card}-");
        let entries = fs::read_dir(&self.sys).into_iter().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned))
            .filter(|name| !name.starts_with("Writeback"))
            .collect();
        names.sort();
        names
    }

    fn connector(&self, card: &str, name: &str, config: &HdmiConfig) -> Finding {
        let folder = self.sys.join(format!("{card}-{name}"));
        let what = format!("{card} {name}");
        let status = text(&folder.join("status"));
        let modes = text(&folder.join("modes"));
        let modes: Vec<&str> = modes.lines().collect();
        let monitor = Monitor::read(&bytes(&folder.join("edid")));
        if status.trim() == "disconnected" {
            let wanted = config.connector.as_deref() == Some(name);
            let level = if wanted { Level::Failure } else { Level::Good };
            let advice = if wanted {
                "plug the monitor in, switch it on, check the cable"
            } else {
                ""
            };
            return finding(level, what, "no monitor is connected", advice);
        }
        let listed = match (modes.first(), modes.len()) {
            (Some(first), n) => format!("{first} first of {n} modes"),
            (None, _) => "no mode".into(),
        };
        if !monitor.is_known() {
            return finding(
                Level::Warning,
                what,
                format!("a monitor without identification (EDID); {listed}"),
                "try another cable, or set mode = \"1920x1080@60\"",
            );
        }
        let found = format!("{}; {listed}", monitor.title());
        if let Some(mode) = config.mode {
            let size = format!("{}x{}", mode.width, mode.height);
            if !modes.iter().any(|m| *m == size) {
                return finding(
                    Level::Warning,
                    what,
                    format!("{found}, but not {size}"),
                    "set mode = \"preferred\", or one that the monitor lists",
                );
            }
        }
        finding(Level::Good, what, found, "")
    }

    /// Whether the configured connector exists, and any monitor for `auto`.
    fn wanted(&self, seen: &[String], config: &HdmiConfig) -> Option<Finding> {
        match &config.connector {
            Some(name) if !seen.contains(name) => {
                let known = if seen.is_empty() {
                    "none".to_owned()
                } else {
                    seen.join(", ")
                };
                Some(finding(
                    Level::Failure,
                    name.as_str(),
                    format!("no such connector; there are: {known}"),
                    "set connector to one of them, or to \"auto\"",
                ))
            }
            None if !self.any_plugged() => Some(finding(
                Level::Failure,
                "monitor",
                "no monitor is connected to any connector",
                "plug the monitor in, switch it on, check the cable",
            )),
            _ => None,
        }
    }

    fn any_plugged(&self) -> bool {
        let entries = fs::read_dir(&self.sys).into_iter().flatten().flatten();
        entries
            .map(|entry| text(&entry.path().join("status")))
            .any(|status| status.trim() == "connected")
    }

    /// A program that owns the display.
    fn owner(&self) -> Option<Finding> {
        let entries = fs::read_dir(&self.proc).into_iter().flatten().flatten();
        let comm = entries
            .filter(|e| {
                e.file_name()
                    .to_string_lossy()
                    .bytes()
                    .all(|b| b.is_ascii_digit())
            })
            .map(|entry| text(&entry.path().join("comm")));
        let owner = comm
            .map(|c| c.trim().to_owned())
            .find(|c| OWNERS.contains(&c.as_str()))?;
        let advice = if owner == "plymouthd" {
            "remove \"splash\" from cmdline.txt and start the machine again"
        } else {
            "switch the desktop off: sudo systemctl set-default multi-user.target, then start again"
        };
        Some(finding(
            Level::Failure,
            "display",
            format!("{owner} is running and may own the display"),
            advice,
        ))
    }

    /// Settings that hide whether a cable is plugged in.
    fn forced(&self) -> Option<Finding> {
        let line = text(&self.proc.join("cmdline"));
        let forced = line.split_whitespace().find(|word| {
            word.strip_prefix("vc4.force_hotplug=")
                .is_some_and(|v| v != "0")
                || word
                    .strip_prefix("video=HDMI")
                    .is_some_and(|v| v.ends_with(['D', 'e']))
        })?;
        Some(finding(
            Level::Warning,
            "display",
            format!("{forced} hides when the cable is pulled"),
            "remove it from cmdline.txt unless the monitor is only found with it",
        ))
    }
}

fn finding(
    level: Level,
    what: impl Into<String>,
    found: impl Into<String>,
    advice: impl Into<String>,
) -> Finding {
    Finding {
        level,
        what: what.into(),
        found: found.into(),
        advice: advice.into(),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn bytes(path: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap_or_default();
    bytes.truncate(MAX_FILE);
    bytes
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&bytes(path)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ModeConfig;

    /// A machine made of files.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new(files: &[(&str, &[u8])]) -> Self {
            let machine = Self(tempfile::tempdir().expect("folder"));
            for (path, content) in files {
                let path = machine.0.path().join(path);
                fs::create_dir_all(path.parent().expect("parent")).expect("folder");
                fs::write(path, content).expect("file");
            }
            machine
        }

        fn says(&self, config: &HdmiConfig) -> Vec<String> {
            let findings = Kernel::below(self.0.path()).inspect(config);
            let line = |f: Finding| format!("{:?} {}: {} ({})", f.level, f.what, f.found, f.advice);
            findings.into_iter().map(line).collect()
        }
    }

    fn edid() -> Vec<u8> {
        let mut edid = vec![0; 128];
        edid[1..7].fill(0xff);
        edid[8..10].copy_from_slice(&[0x4d, 0x10]);
        edid[72..90].copy_from_slice(b"\0\0\0\xfc\0LC-40\n       ");
        edid
    }

    #[test]
    fn a_machine_without_a_driver_says_what_to_add() {
        let says =
            Machine::new(&[("sys/class/drm/version", b"drm 1.1.0")]).says(&HdmiConfig::default());
        assert_eq!(says.len(), 1);
        assert!(
            says[0].starts_with("Failure display: no display driver"),
            "{says:?}"
        );
        assert!(says[0].contains("dtoverlay=vc4-kms-v3d"), "{says:?}");
    }

    #[test]
    fn a_machine_in_order_has_nothing_to_advise() {
        let edid = edid();
        let machine = Machine::new(&[
            ("dev/dri/card1", b""),
            ("sys/class/drm/card1/dev", b"226:1"),
            ("sys/class/drm/card1-HDMI-A-1/status", b"connected\n"),
            (
                "sys/class/drm/card1-HDMI-A-1/modes",
                b"1920x1080\n1280x720\n",
            ),
            ("sys/class/drm/card1-HDMI-A-1/edid", &edid),
            ("sys/class/drm/card1-HDMI-A-2/status", b"disconnected\n"),
            ("sys/class/drm/card1-Writeback-1/status", b"unknown\n"),
            ("proc/cmdline", b"console=tty1 quiet vc4.force_hotplug=0\n"),
            ("proc/1/comm", b"systemd\n"),
        ]);
        let expected = [
            "Good /dev/dri/card1: can be used ()",
            "Good card1 HDMI-A-1: SHP LC-40; 1920x1080 first of 2 modes ()",
            "Good card1 HDMI-A-2: no monitor is connected ()",
        ];
        assert_eq!(machine.says(&HdmiConfig::default()), expected);
        let other = HdmiConfig {
            connector: Some("HDMI-A-2".into()),
            ..HdmiConfig::default()
        };
        assert!(machine.says(&other)[2].starts_with("Failure card1 HDMI-A-2: no monitor"));
        let none = HdmiConfig {
            connector: Some("DP-1".into()),
            mode: Some(ModeConfig {
                width: 3840,
                height: 2160,
                refresh: None,
            }),
            ..HdmiConfig::default()
        };
        let says = machine.says(&none);
        assert!(says[1].contains("but not 3840x2160"), "{says:?}");
        assert!(
            says[3].contains("there are: HDMI-A-1, HDMI-A-2"),
            "{says:?}"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_do() {
        let machine = Machine::new(&[
            ("sys/class/drm/card0/dev", b"226:0"),
            ("sys/class/drm/card0-HDMI-A-1/status", b"connected\n"),
            ("sys/class/drm/card0-HDMI-A-1/edid", b""),
            ("proc/cmdline", b"console=tty1 vc4.force_hotplug=1 splash\n"),
            ("proc/77/comm", b"plymouthd\n"),
        ]);
        let says = machine.says(&HdmiConfig::default());
        let expected = [
            "Failure /dev/dri/card0: is missing",
            "Warning card0 HDMI-A-1: a monitor without identification (EDID); no mode",
            "Failure display: plymouthd is running",
            "Warning display: vc4.force_hotplug=1 hides",
        ];
        assert_eq!(says.len(), expected.len(), "{says:?}");
        for (line, expected) in says.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}");
        }
    }
}
