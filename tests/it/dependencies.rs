//! What the program is built from: the lock file against the profiles and the advisories.

use crate::support::root;
use semver::{Version, VersionReq};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Version,
}

fn lock() -> Vec<Package> {
    let text = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    toml::from_str::<Lock>(&text).unwrap().package
}

#[test]
fn every_crate_that_a_profile_names_is_in_the_lock() {
    #[derive(Deserialize)]
    struct Manifest {
        profile: BTreeMap<String, Profile>,
    }
    #[derive(Deserialize)]
    struct Profile {
        #[serde(default)]
        package: BTreeMap<String, toml::Value>,
    }
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: Manifest = toml::from_str(&text).unwrap();
    let names: BTreeSet<_> = lock().into_iter().map(|p| p.name).collect();
    let mut count = 0;
    for (profile, settings) in manifest.profile {
        for name in settings.package.into_keys().filter(|name| name != "*") {
            // A version may stand behind: `rand@0.8`.
            let bare = name.split('@').next().unwrap_or_default();
            assert!(
                names.contains(bare),
                "[profile.{profile}.package.{name}]: not in Cargo.lock"
            );
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

/// Advisories as [`advisories.toml`](../../advisories.toml) has them.
#[derive(Deserialize)]
struct Advisories {
    date: String,
    advisory: Vec<Advisory>,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    #[serde(rename = "crate")]
    name: String,
    kind: String,
    title: String,
    patched: Vec<VersionReq>,
    unaffected: Vec<VersionReq>,
    /// Why it is lived with.
    stays: Option<String>,
}

impl Advisory {
    fn concerns(&self, package: &Package) -> bool {
        let mut fine = self.patched.iter().chain(&self.unaffected);
        package.name == self.name && !fine.any(|v| v.matches(&package.version))
    }
}

/// What is to be done about the advisories of a lock.
fn complaints(lock: &[Package], known: &Advisories) -> Vec<String> {
    let mut all = Vec::new();
    for advisory in &known.advisory {
        let Advisory {
            id, kind, title, ..
        } = advisory;
        let found = lock.iter().find(|package| advisory.concerns(package));
        match (found, &advisory.stays) {
            (Some(Package { name, version }), None) => all.push(format!(
                "{id}: {name} {version}: {kind}: {title}: expected another version, or why it stays"
            )),
            (None, Some(_)) => all.push(format!(
                "{id}: {}: expected no reason, the lock has no such version",
                advisory.name
            )),
            _ => {}
        }
    }
    all
}

#[test]
fn every_advisory_that_the_lock_has_stays_with_its_reason() {
    let text = fs::read_to_string(root().join("advisories.toml")).unwrap();
    let known: Advisories = toml::from_str(&text).unwrap();
    assert!(known.date.as_str() >= "2026-08-21" && known.advisory.len() > 50);
    assert_eq!(complaints(&lock(), &known), [""; 0]);
}

#[test]
fn an_advisory_without_a_reason_and_a_reason_without_one_are_said() {
    let known: Advisories = toml::from_str(
        r#"
        date = "2026-08-21"
        [[advisory]]
        id = "ONE"
        crate = "wolf"
        kind = "vulnerability"
        title = "it bites"
        patched = [">= 0.103.10, < 0.104.0-alpha.1", ">= 0.104.2"]
        unaffected = ["< 0.102.0"]
        [[advisory]]
        id = "OTHER"
        crate = "sheep"
        kind = "unmaintained"
        title = "nobody shears it"
        patched = []
        unaffected = []
        stays = "it is warm"
        "#,
    )
    .unwrap();
    let with = |packages: &[(&str, &str)]| {
        let packages: Vec<_> = packages
            .iter()
            .map(|(name, version)| Package {
                name: (*name).into(),
                version: version.parse().unwrap(),
            })
            .collect();
        complaints(&packages, &known)
    };
    for (version, bites) in [
        ("0.101.9", false),
        ("0.102.8", true),
        ("0.103.9", true),
        ("0.103.10", false),
        ("0.104.1", true),
        ("0.104.2", false),
    ] {
        let said = with(&[("wolf", version), ("sheep", "1.0.0")]);
        assert_eq!(said.len(), usize::from(bites), "{version}: {said:?}");
    }
    let said = with(&[("wolf", "0.103.16"), ("wolf", "0.102.8")]);
    assert!(
        said[0].starts_with("ONE: wolf 0.102.8: vulnerability: it bites"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("OTHER: sheep: expected no reason"),
        "{said:?}"
    );
}
