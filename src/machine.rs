//! What the kernel knows about the machine: temperature, power supply, storage, memory.
//!
//! Reads `/proc` and `/sys` below a given root; what is not there is not known.

use crate::wire::report::MachineReport;
use std::fs;
use std::path::{Path, PathBuf};

/// Everything that is known of the machine whose files are below `root`, and of the medium that
/// holds `store`.
pub fn look(root: &Path, store: &Path) -> MachineReport {
    let sys = root.join("sys");
    let device = device(root, store);
    MachineReport {
        model: model(root),
        temperature_c: temperature(&sys),
        throttled: throttled(&sys),
        undervoltage: undervoltage(&sys),
        disk_free: free(store),
        disk_written: device.as_deref().and_then(|d| written(&sys, d)),
        disk_worn: device.as_deref().and_then(worn),
        memory_free: memory(root),
    }
}

fn text(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn number(path: &Path) -> Option<i64> {
    text(path)?.parse().ok()
}

/// The entries of a folder whose file `key` says `wanted`.
fn named<'a>(dir: &Path, key: &'a str, wanted: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(move |path| text(&path.join(key)).is_some_and(|name| name.starts_with(wanted)))
}

/// The machine's name from its device tree.
pub fn model(root: &Path) -> Option<String> {
    let name = fs::read_to_string(root.join("proc/device-tree/model")).ok()?;
    Some(name.trim_end_matches(['\0', '\n']).to_owned())
}

/// Degrees Celsius of the processor (thermal sysfs: thousandths).
pub fn temperature(sys: &Path) -> Option<i16> {
    let milli = number(&sys.join("class/thermal/thermal_zone0/temp"))?;
    i16::try_from(milli / 1000).ok()
}

/// Whether the supply of a Raspberry Pi fell below 4.63 V since the start (driver
/// raspberrypi-hwmon: the alarm stays set).
pub fn undervoltage(sys: &Path) -> Option<bool> {
    let monitor = named(&sys.join("class/hwmon"), "name", "rpi_volt").next()?;
    Some(number(&monitor.join("in0_lcrit_alarm"))? == 1)
}

/// Whether a processor is held back by the kernel's cooling (thermal sysfs: `cur_state`).
fn throttled(sys: &Path) -> Option<bool> {
    let mut coolers = named(&sys.join("class/thermal"), "type", "cpufreq").peekable();
    coolers.peek()?;
    Some(coolers.any(|cooler| number(&cooler.join("cur_state")).is_some_and(|n| n > 0)))
}

/// Bytes that could still be written to a folder.
#[cfg(target_os = "linux")]
pub fn free(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// What is free is not known on this system.
#[cfg(not(target_os = "linux"))]
pub fn free(_: &Path) -> Option<u64> {
    None
}

/// The folder of the kernel that describes the block device of a path.
#[cfg(target_os = "linux")]
fn device(root: &Path, path: &Path) -> Option<PathBuf> {
    let dev = rustix::fs::stat(path).ok()?.st_dev;
    let (major, minor) = (rustix::fs::major(dev), rustix::fs::minor(dev));
    let link = root.join(format!("sys/dev/block/{major}:{minor}"));
    fs::canonicalize(link).ok()
}

#[cfg(not(target_os = "linux"))]
fn device(_: &Path, _: &Path) -> Option<PathBuf> {
    None
}

/// Bytes written to an ext4 file system since it was made (ext4 sysfs: in units of 1024).
fn written(sys: &Path, device: &Path) -> Option<u64> {
    let name = device.file_name()?;
    let file = sys.join("fs/ext4").join(name).join("lifetime_write_kbytes");
    u64::try_from(number(&file)?).ok()?.checked_mul(1024)
}

/// The worse of the two life times that an eMMC estimates: 0x01 is up to 10 % used, 0x0b over 100 %.
fn worn(device: &Path) -> Option<u8> {
    // A partition's device is the folder above.
    let folders = [Some(device), device.parent()].into_iter().flatten();
    let life = folders
        .filter_map(|folder| text(&folder.join("device/life_time")))
        .next()?;
    let steps = life
        .split_whitespace()
        .filter_map(|word| u8::from_str_radix(word.trim_start_matches("0x"), 16).ok());
    steps.max().filter(|n| (1..=11).contains(n)).map(|n| n * 10)
}

/// Memory that could be had without swapping (`MemAvailable` of proc(5)).
fn memory(root: &Path) -> Option<u64> {
    let info = text(&root.join("proc/meminfo"))?;
    let line = info.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    #[test]
    fn what_the_kernel_tells_is_read_and_the_rest_is_not_known() {
        let dir = tempfile::tempdir().expect("folder");
        let root = dir.path();
        let bare = look(root, root);
        assert!(bare.disk_free.is_some());
        assert_eq!(
            MachineReport {
                disk_free: None,
                ..bare
            },
            MachineReport::default()
        );
        let name = "Raspberry Pi 4 Model B Rev 1.4\0";
        put(root, "proc/device-tree/model", name);
        put(
            root,
            "proc/meminfo",
            "MemTotal:  900000 kB\nMemAvailable:   307200 kB\n",
        );
        put(root, "sys/class/thermal/thermal_zone0/temp", "81499\n");
        put(
            root,
            "sys/class/thermal/cooling_device0/type",
            "cpufreq-cpu0\n",
        );
        put(root, "sys/class/thermal/cooling_device0/cur_state", "2\n");
        put(root, "sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
        put(root, "sys/class/hwmon/hwmon1/name", "rpi_volt\n");
        put(root, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
        let found = look(root, root);
        assert_eq!(found.model.as_deref(), Some(name.trim_end_matches('\0')));
        assert_eq!(found.temperature_c, Some(81));
        assert_eq!(found.throttled, Some(true));
        assert_eq!(found.undervoltage, Some(true));
        assert_eq!(found.memory_free, Some(300 << 20));
        put(root, "sys/class/thermal/cooling_device0/cur_state", "0\n");
        assert_eq!(look(root, root).throttled, Some(false));
    }

    #[test]
    fn the_life_of_a_medium_is_read_from_its_device() {
        let dir = tempfile::tempdir().expect("folder");
        let root = dir.path();
        let block = root.join("sys/devices/mmc0/block/mmcblk0");
        let partition = block.join("mmcblk0p3");
        fs::create_dir_all(&partition).expect("made");
        assert_eq!(worn(&partition), None);
        put(&block, "device/life_time", "0x02 0x01\n");
        assert_eq!((worn(&block), worn(&partition)), (Some(20), Some(20)));
        put(&block, "device/life_time", "0x00 0x00\n");
        assert_eq!(worn(&block), None, "not defined");
        let kib = "sys/fs/ext4/mmcblk0p3/lifetime_write_kbytes";
        put(root, kib, "2048\n");
        assert_eq!(written(&root.join("sys"), &partition), Some(2 << 20));
    }
}
