//! The machine: clock, disk, power, temperature.

use super::good;
use crate::clock::Now;
use crate::config::NodeConfig;
use crate::machine;
use crate::output::{Finding, Level};
use crate::store::SharedIdentity;
use jiff::tz::TimeZone;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Less than this and a spool of calls and pictures may not fit: 64 MB, and as much again.
const FREE_WANTED: u64 = 128 * 1024 * 1024;

/// From here on a Raspberry Pi lowers its clock (soft limit of the Pi 3B+; 80 °C on others).
const HOT_C: i16 = 75;

/// Whether the wall clock can be believed.
pub(super) async fn clock(now: Now, zone: &TimeZone) -> Finding {
    let time = now.wall.to_zoned(zone.clone());
    let said = time.strftime("%Y-%m-%d %H:%M:%S %Z");
    let wrong = |level, found: String| Finding {
        level,
        what: "clock".into(),
        found,
        advice:
            "the device needs a time server: check the network, or the NTP server in timesyncd.conf"
                .into(),
    };
    if !now.synced {
        return wrong(Level::Failure, format!("{said}, which cannot be true"));
    }
    match synchronised().await {
        Some(true) => good("clock", format!("{said}, synchronised")),
        Some(false) => wrong(Level::Warning, format!("{said}, not synchronised")),
        None => good("clock", format!("{said}; unknown whether synchronised")),
    }
}

/// What the kernel says through systemd-timedated (STA_UNSYNC of adjtimex(2)); `None` when there
/// is no systemd.
async fn synchronised() -> Option<bool> {
    let asked = tokio::process::Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let answer = tokio::time::timeout(Duration::from_secs(2), asked).await;
    match answer.ok()?.ok()?.stdout.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

/// A second machine with this one's identity, as the running node noticed it; `root` is `/`.
pub(super) fn identity(config: &NodeConfig, root: &Path) -> Option<Finding> {
    let noted = SharedIdentity::load(&config.store_dir, root)?;
    Some(Finding {
        level: Level::Failure,
        what: format!("identity {}/{}", config.office, config.node),
        found: format!("since {}: {}", noted.since, noted.text),
        advice: "find the other machine (its broker's log has both addresses) and switch it off, or give one of the two another node.id"
            .into(),
    })
}

/// Whether the folder of the store takes files, and how much.
pub(super) fn store(dir: &Path) -> Finding {
    let what = format!("store {}", dir.display());
    let failed = |found: String, advice: &str| Finding {
        level: Level::Failure,
        what: what.clone(),
        found,
        advice: advice.into(),
    };
    if !dir.exists() {
        let above = dir.ancestors().find(|a| a.is_dir());
        let advice = "make the folder and give it to the user yobiban, or mount the data partition";
        return match above.map_or(Ok(()), try_write) {
            Ok(()) => good(what, "missing: the node creates it"),
            Err(e) => failed(format!("cannot be created: {e}"), advice),
        };
    }
    if let Err(e) = try_write(dir) {
        let advice = "give the folder to the user yobiban; a read-only file system after a power cut needs a check (fsck) or a new card";
        return failed(format!("cannot be written: {e}"), advice);
    }
    match machine::free(dir) {
        Some(bytes) if bytes < FREE_WANTED => Finding {
            level: Level::Warning,
            what,
            found: format!("{} MB free", bytes / 1_000_000),
            advice: "free some space: calls that cannot be sent are stored there".into(),
        },
        Some(bytes) => good(what, format!("writable, {} MB free", bytes / 1_000_000)),
        None => good(what, "writable"),
    }
}

/// Whether a picture file can be written where it is wanted.
pub(super) fn picture_file(path: &Path) -> Finding {
    let what = format!("picture {}", path.display());
    let dir = match path.parent() {
        Some(dir) if dir.as_os_str().is_empty() => Path::new("."),
        Some(dir) => dir,
        None => Path::new("."),
    };
    match try_write(dir) {
        Ok(()) => good(what, "its folder is writable"),
        Err(e) => Finding {
            level: Level::Failure,
            what,
            found: format!("cannot be written: {e}"),
            advice: "make the folder, or give it to the user that runs the node".into(),
        },
    }
}

fn try_write(dir: &Path) -> std::io::Result<()> {
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    let written = fs::write(&probe, b"doctor");
    let _ = fs::remove_file(&probe); // not there when it could not be written
    written
}

/// Supply voltage and temperature, as far as the kernel tells (`sys` is `/sys`).
pub(super) fn power(sys: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    match machine::undervoltage(sys) {
        Some(true) => findings.push(Finding {
            level: Level::Failure,
            what: "power supply".into(),
            found: "the voltage fell below 4.63 V".into(),
            advice: "use the supply made for this Raspberry Pi, and a short thick cable".into(),
        }),
        Some(false) => findings.push(good("power supply", "the voltage is sufficient")),
        None => {}
    }
    if let Some(degrees) = machine::temperature(sys) {
        let found = format!("{degrees} °C");
        findings.push(if degrees >= HOT_C {
            Finding {
                level: Level::Warning,
                what: "temperature".into(),
                found,
                advice: "give the device air, or a heat sink: it runs slower from 80 °C on".into(),
            }
        } else {
            good("temperature", found)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_supply_and_heat_are_found() {
        let sys = tempfile::tempdir().expect("folder");
        let put = |path: &str, text: &str| {
            let path = sys.path().join(path);
            fs::create_dir_all(path.parent().expect("folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        assert_eq!(power(sys.path()), []);
        put("class/hwmon/hwmon0/name", "cpu_thermal\n");
        put("class/hwmon/hwmon1/name", "rpi_volt\n");
        put("class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
        put("class/thermal/thermal_zone0/temp", "48312\n");
        let levels = |found: &[Finding]| found.iter().map(|f| f.level).collect::<Vec<_>>();
        assert_eq!(levels(&power(sys.path())), [Level::Good, Level::Good]);
        put("class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
        put("class/thermal/thermal_zone0/temp", "81000\n");
        let found = power(sys.path());
        assert_eq!(levels(&found), [Level::Failure, Level::Warning]);
        assert_eq!(found[1].found, "81 °C");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_found() {
        let dir = tempfile::tempdir().expect("folder");
        assert_eq!(store(dir.path()).level, Level::Good);
        let file = dir.path().join("file");
        fs::write(&file, "").expect("written");
        let later = dir.path().join("not/yet");
        assert_eq!(store(&later).level, Level::Good);
        assert!(!later.exists(), "an inspection makes nothing");
        // Also for root, who may write anywhere: there is no folder below a file.
        assert_eq!(store(&file).level, Level::Failure);
        assert_eq!(picture_file(&file.join("main.png")).level, Level::Failure);
        assert_eq!(
            picture_file(&dir.path().join("main.png")).level,
            Level::Good
        );
    }
}
