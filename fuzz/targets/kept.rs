//! What a node finds on its disk at the start: `S` and a state file, or `J` and a journal of calls.
//! The next byte says whether sums are as they stand (`=`), or are made to fit the rest of the file
//! or line.
//!
//! Whatever is there, the node starts; what it reads it can write and read again, and the calls of
//! a journal come in order.

use super::hub::folder;
use jiff::tz::TimeZone;
use std::fs;
use std::path::PathBuf;
use yobiban::store::Store;
use yobiban::uplink::Spool;
use yobiban::wire::sha256_hex;

thread_local! {
    static FOLDER: PathBuf = folder("kept");
}

/// Starts on an input.
pub fn run(data: &[u8]) {
    let [what, sums, rest @ ..] = data else {
        return;
    };
    let as_it_stands = *sums == b'=';
    FOLDER.with(|folder| match what {
        b'S' => {
            let text = if as_it_stands {
                rest.to_vec()
            } else {
                summed(rest)
            };
            store(folder, &text);
        }
        b'J' => {
            let text = if as_it_stands {
                rest.to_vec()
            } else {
                lines(rest)
            };
            journal(folder, &text);
        }
        _ => {}
    });
}

/// The text with the sum that a state file ends with.
fn summed(text: &[u8]) -> Vec<u8> {
    [text, b"\n", sha256_hex(text).as_bytes(), b"\n"].concat()
}

/// Each line with the sum that it begins with in a journal.
fn lines(text: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| {
        [
            format!("{:08x} ", crc32fast::hash(line)).as_bytes(),
            line,
            b"\n",
        ]
        .concat()
    };
    text.split(|b| *b == b'\n').flat_map(line).collect()
}

fn store(folder: &std::path::Path, text: &[u8]) {
    let store = Store::open(folder).expect("a folder");
    fs::write(folder.join("state.json"), text).expect("written");
    let _ = fs::remove_file(folder.join("state.json.old"));
    if let Ok(kept) = store.load() {
        store.save(&kept, &TimeZone::UTC).expect("written");
        assert_eq!(store.load().expect("just written"), kept);
    }
}

fn journal(folder: &std::path::Path, text: &[u8]) {
    let folder = folder.join("spool");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("0000000000000000.calls"), text).expect("written");
    let (spool, _keeper) = Spool::open(&folder, |_| true);
    assert_eq!(spool.trouble(), None);
    let calls = spool.peek(usize::MAX);
    assert!(calls.is_sorted_by(|a, b| a.0 < b.0), "not in order");
    // A new call comes after all of them.
    if let Some((last, call)) = calls.last() {
        spool.push(call.clone());
        let newest = spool.peek(usize::MAX).last().map(|c| c.0);
        assert!(newest > Some(*last), "the count does not go on");
        spool.confirm(*last);
        assert_eq!(spool.peek(2).len(), 1);
    }
}
