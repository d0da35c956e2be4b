//! The fuzz targets without a fuzzer: every seed goes through its target in the usual test run, so
//! that seeds stay valid and what was found once stays found.

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use crate::support::root;
use std::fs;

#[test]
fn every_seed_passes_its_target() {
    let mut folders: Vec<String> = fs::read_dir(root().join("fuzz/seeds"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let names: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(folders, names, "a folder of seeds for each target");
    for (name, run) in targets::ALL {
        let folder = root().join("fuzz/seeds").join(name);
        let mut seeds = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display()); // the last one printed is the one that fails
            run(&fs::read(&path).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "{name} has no seed");
        run(b"");
    }
}
