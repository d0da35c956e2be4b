//! The fuzz targets without a fuzzer: every seed goes through its target in the usual test run, so
//! that seeds stay valid and what was found once stays found.

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use crate::support::root;
use std::fs;

/// Changes of each seed in the usual run; `YOBIBAN_FUZZ` makes more.
const CHANGES: u32 = 20;

/// A seed with some bytes changed, lost, doubled or moved.
fn changed(seed: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..rng.u32(1..6) {
        let len = bytes.len();
        if len == 0 {
            break;
        }
        let at = rng.usize(..len);
        let end = (at + rng.usize(1..24)).min(len);
        match rng.u8(..6) {
            0 => bytes[at] ^= 1 << rng.u8(..8),
            1 => bytes[at] = rng.u8(..),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = rng.usize(..=len);
                bytes.splice(to..to, piece);
            }
            4 => bytes[at..end].reverse(),
            _ => bytes[at] = *rng.choice(b"0919-\"\\<>&,=\n\x1e \xff").unwrap(),
        }
    }
    bytes
}

#[test]
fn every_seed_and_changes_of_it_pass_their_target() {
    let changes = std::env::var("YOBIBAN_FUZZ").map_or(CHANGES, |n| n.parse().unwrap());
    let mut folders: Vec<String> = fs::read_dir(root().join("fuzz/seeds"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let names: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(folders, names, "a folder of seeds for each target");
    for (name, run) in targets::ALL {
        let folder = root().join("fuzz/seeds").join(name);
        let mut seeds: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        seeds.sort();
        assert!(!seeds.is_empty(), "{name} has no seed");
        run(b"");
        // The same changes every time: a failure is one for everybody.
        let mut rng = fastrand::Rng::with_seed(7);
        for path in seeds {
            let seed = fs::read(&path).unwrap();
            println!("{}", path.display()); // the last one printed is the one that fails
            run(&seed);
            for _ in 0..changes {
                let bytes = changed(&seed, &mut rng);
                let outcome = std::panic::catch_unwind(|| run(&bytes));
                assert!(outcome.is_ok(), "{}", bytes.escape_ascii());
            }
        }
    }
}
