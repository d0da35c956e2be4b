//! The box's own settings, in the words of the programs that act on them.
//!
//! All of it lies below `/run` and is made anew at each start: the system itself stays read-only.

use crate::config::{MachineConfig, NodeConfig, Wifi, Wired};
use crate::files::replace_synced;
use std::fmt::Write as _;
use std::path::Path;

/// Writes everything below `run`.
pub(super) fn apply(node: &NodeConfig, machine: &MachineConfig, run: &Path) -> anyhow::Result<()> {
    let put =
        |path: &str, text: &str, mode: u32| replace_synced(&run.join(path), text.as_bytes(), mode);
    let radio = machine.wifi.is_some();
    put(
        "systemd/network/20-yobiban-cable.network",
        &network(
            "en* eth* end*",
            (!radio)
                .then_some(&machine.address)
                .and_then(Option::as_ref),
            10,
        ),
        0o644,
    )?;
    if let Some(wifi) = &machine.wifi {
        put(
            "systemd/network/20-yobiban-radio.network",
            &network("wl*", machine.address.as_ref(), 20),
            0o644,
        )?;
        put("yobiban-box/wifi.conf", &supplicant(wifi), 0o600)?;
    }
    put(
        "systemd/timesyncd.conf.d/yobiban.conf",
        &format!("[Time]\nNTP={}\n", machine.time_servers.join(" ")),
        0o644,
    )?;
    if let Some(url) = &machine.time_http {
        put("yobiban-box/time-url", &format!("{url}\n"), 0o644)?;
    }
    if let Some(url) = &machine.update_url {
        put("yobiban-box/update-url", &format!("{url}\n"), 0o644)?;
    }
    if !machine.ssh_keys.is_empty() {
        put(
            "yobiban-box/authorized_keys",
            &(machine.ssh_keys.join("\n") + "\n"),
            0o644,
        )?;
    }
    put("yobiban-box/hostname", &(hostname(node) + "\n"), 0o644)
}

/// A name for lists of addresses: at most 63 characters (RFC 1123).
fn hostname(node: &NodeConfig) -> String {
    let mut name = format!("yobiban-{}-{}", node.office, node.node);
    name.truncate(63);
    name.trim_end_matches('-').to_owned()
}

/// For systemd-networkd (systemd.network(5)). Where cable and radio are there, the cable is used.
fn network(interfaces: &str, fixed: Option<&Wired>, metric: u32) -> String {
    let mut text = format!("[Match]\nName={interfaces}\n\n[Network]\nIPv6PrivacyExtensions=no\n");
    // Writing to a text cannot fail.
    let mut line = |key: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(text, "{key}={value}");
    };
    match fixed {
        None => line("DHCP", &"yes"),
        Some(fixed) => {
            line("Address", &format!("{}/{}", fixed.address, fixed.prefix));
            for server in &fixed.dns {
                line("DNS", server);
            }
        }
    }
    let _ = write!(
        text,
        "\n[DHCPv4]\nClientIdentifier=mac\nRouteMetric={metric}\nUseDomains=yes\n"
    );
    if let Some(gateway) = fixed.and_then(|f| f.gateway) {
        let _ = write!(text, "\n[Route]\nGateway={gateway}\nMetric={metric}\n");
    }
    text
}

/// For wpa_supplicant (wpa_supplicant.conf(5)). Texts are given in hexadecimal or checked for what
/// would end a quotation.
fn supplicant(wifi: &Wifi) -> String {
    let ssid = hex::encode(&wifi.ssid);
    let mut text = format!(
        "country={}\nnetwork={{\n  ssid={ssid}\n  scan_ssid={}\n",
        wifi.country,
        u8::from(wifi.hidden)
    );
    match &wifi.password {
        // WPA2 and WPA3; the quotation ends at the last quote of the line, so that one inside is
        // part of it.
        Some(password) => {
            let _ = write!(
                text,
                "  key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n  ieee80211w=1\n  psk=\"{}\"\n",
                password.reveal()
            );
        }
        None => text.push_str("  key_mgmt=NONE\n"),
    }
    text + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{example, parse_box};
    use std::fs;

    fn boxed(more: &str) -> (NodeConfig, MachineConfig) {
        let text = format!("{}\n{more}", example::NODE);
        parse_box(&text, "yobiban.toml", Path::new("/nowhere")).expect("in order")
    }

    #[test]
    fn each_program_finds_its_settings() {
        let (node, machine) = boxed(
            "[wifi]\nssid = \"区役所\"\npassword = 'a \"b\" c d'\n\
             [network]\naddress = \"192.0.2.20/24\"\ngateway = \"192.0.2.1\"\ndns = [\"192.0.2.53\"]\n\
             [ssh]\nkeys = [\"ssh-ed25519 AAAAC3 someone\"]\n[time]\nhttp = \"http://hub.example.jp/\"\n",
        );
        let run = tempfile::tempdir().expect("folder");
        apply(&node, &machine, run.path()).expect("written");
        let text = |path: &str| fs::read_to_string(run.path().join(path)).expect(path);
        let radio = text("systemd/network/20-yobiban-radio.network");
        for line in [
            "Name=wl*",
            "Address=192.0.2.20/24",
            "DNS=192.0.2.53",
            "Gateway=192.0.2.1",
        ] {
            assert!(radio.lines().any(|l| l == line), "{radio}");
        }
        let cable = text("systemd/network/20-yobiban-cable.network");
        assert!(
            cable.contains("DHCP=yes") && !cable.contains("192.0.2"),
            "{cable}"
        );
        let wifi = text("yobiban-box/wifi.conf");
        assert!(wifi.contains("ssid=e58cbae5bdb9e68980\n"), "{wifi}");
        assert!(wifi.contains("psk=\"a \"b\" c d\"\n"), "{wifi}");
        assert_eq!(
            text("yobiban-box/authorized_keys"),
            "ssh-ed25519 AAAAC3 someone\n"
        );
        assert_eq!(
            text("systemd/timesyncd.conf.d/yobiban.conf"),
            "[Time]\nNTP=ntp.nict.jp ntp.jst.mfeed.ad.jp\n"
        );
        assert_eq!(text("yobiban-box/hostname"), "yobiban-chuo-n1\n");
    }

    #[test]
    fn nobody_may_log_in_unless_the_file_says_who() {
        let (node, machine) = boxed("");
        let run = tempfile::tempdir().expect("folder");
        apply(&node, &machine, run.path()).expect("written");
        for path in [
            "yobiban-box/authorized_keys",
            "yobiban-box/wifi.conf",
            "yobiban-box/update-url",
        ] {
            assert!(!run.path().join(path).exists(), "{path}");
        }
    }
}
