//! The parts of a box's image that need no image: its slots, its scripts, what its updates take.
//! The image itself is started by `tests/emulation/image`.

use crate::support::{root, tool};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The two slots as files in a folder.
struct Slots(tempfile::TempDir);

impl Slots {
    fn new() -> Self {
        let slots = Self(tempfile::tempdir().unwrap());
        for folder in ["boot", "rauc"] {
            fs::create_dir(slots.0.path().join(folder)).unwrap();
        }
        for file in ["boot/slot.txt", "boot/try.txt"] {
            fs::write(slots.0.path().join(file), "os_prefix=a/\n").unwrap();
        }
        slots
    }

    /// Runs the script as in a box that started from `booted`.
    fn run(&self, booted: &str, arguments: &[&str]) -> Output {
        let place = |name: &str| self.0.path().join(name);
        fs::write(place("cmdline"), format!("ro rauc.slot={booted} quiet\n")).unwrap();
        Command::new("sh")
            .arg(root().join("image/root/usr/lib/yobiban/slots"))
            .args(arguments)
            .env("YOBIBAN_BOOT", place("boot"))
            .env("YOBIBAN_RAUC", place("rauc"))
            .env("YOBIBAN_CMDLINE", place("cmdline"))
            .env("YOBIBAN_CONSOLE", place("console"))
            .output()
            .unwrap()
    }

    fn good(&self, booted: &str, arguments: &[&str]) -> String {
        let output = self.run(booted, arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.path().join(path)).ok()
    }
}

#[test]
fn a_slot_is_tried_once_and_kept_only_when_it_is_good() {
    let slots = Slots::new();
    assert_eq!(slots.good("a", &["get-primary"]), "a");
    slots.good("a", &["try", "1.2"]);
    // What starts from now on without the firmware's word is the old one.
    assert_eq!(
        slots.text("boot/slot.txt").as_deref(),
        Some("os_prefix=a/\n")
    );
    assert_eq!(
        slots.text("boot/try.txt").as_deref(),
        Some("os_prefix=b/\n")
    );
    assert_eq!(slots.text("rauc/trial").as_deref(), Some("b 1.2\n"));
    slots.good("b", &["back"]);
    assert_eq!(slots.good("a", &["get-primary"]), "a");
    assert_eq!(slots.text("rauc/failed").as_deref(), Some("1.2\n"));
    assert_eq!(slots.text("rauc/trial"), None);
    slots.good("a", &["try", "1.3"]);
    slots.good("b", &["commit"]);
    assert_eq!(slots.good("b", &["get-primary"]), "b");
    assert_eq!(
        (slots.text("rauc/failed"), slots.text("rauc/trial")),
        (None, None)
    );
    // The next one goes to the slot that is free now.
    slots.good("b", &["try", "1.4"]);
    assert_eq!(
        slots.text("boot/try.txt").as_deref(),
        Some("os_prefix=a/\n")
    );
}

#[test]
fn rauc_is_told_what_it_asks() {
    let slots = Slots::new();
    assert_eq!(slots.good("b", &["get-current"]), "b");
    assert_eq!(slots.good("a", &["get-state", "b"]), "good");
    slots.good("a", &["set-state", "b", "bad"]);
    assert_eq!(slots.good("a", &["get-state", "b"]), "bad");
    slots.good("a", &["set-state", "b", "good"]);
    assert_eq!(slots.good("a", &["get-state", "b"]), "good");
    assert_eq!(slots.run("a", &["sing"]).status.code(), Some(64));
}

#[test]
fn every_script_is_one() {
    let scripts = root().join("image/root/usr/lib/yobiban");
    for entry in fs::read_dir(scripts).unwrap() {
        let path = entry.unwrap().path();
        let output = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(output.status.success(), "{}: {output:?}", path.display());
    }
    for script in ["image/build", "image/base", "tests/emulation/image"] {
        let output = Command::new("bash")
            .arg("-n")
            .arg(root().join(script))
            .output();
        assert!(output.unwrap().status.success(), "{script}");
    }
}

#[test]
fn a_bundle_of_somebody_else_is_refused() {
    let (Some(rauc), Some(openssl), Some(mksquashfs)) =
        (tool("rauc"), tool("openssl"), tool("mksquashfs"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let good = |command: &mut Command| {
        let output = command.current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    fs::create_dir(at("bundle")).unwrap();
    // Nothing that packs well: a bundle of one block is none.
    let mut noise = vec![0; 64 * 1024];
    fastrand::Rng::with_seed(7).fill(&mut noise);
    fs::write(at("bundle/slot.img"), noise).unwrap();
    let manifest = "[update]\ncompatible=yobiban-arm64\nversion=1.2\n\n[bundle]\nformat=verity\n\n\
        [image.rootfs]\nfilename=slot.img\n";
    fs::write(at("bundle/manifest.raucm"), manifest).unwrap();
    for who in ["ours", "other"] {
        let (key, cert) = (format!("{who}.key"), format!("{who}.pem"));
        good(Command::new(&openssl).args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &cert,
            "-subj",
            "/CN=updates",
            "-days",
            "30",
        ]));
        good(
            Command::new(&rauc)
                .args([
                    "bundle",
                    &format!("--cert={cert}"),
                    &format!("--key={key}"),
                    "bundle",
                ])
                .arg(format!("{who}.raucb")),
        );
    }
    good(Command::new(mksquashfs).args(["bundle", "unsigned.raucb", "-quiet", "-noappend"]));
    let takes = |bundle: &Path| {
        let mut command = Command::new(&rauc);
        command.args(["info", "--keyring=ours.pem"]).arg(bundle);
        command
            .current_dir(dir.path())
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(takes(&at("ours.raucb")));
    assert!(!takes(&at("other.raucb")));
    assert!(!takes(&at("unsigned.raucb")));
}
