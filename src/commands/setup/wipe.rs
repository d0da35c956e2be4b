//! What computers left on the card: clusters of its FAT32 file system that no file has any more.
//!
//! Whoever saves a file anew leaves the text of before in free clusters, with its passwords. They are
//! overwritten on the device itself, beside a file system that is mounted read-only: only clusters
//! that the table calls free are written, so that a power cut at any moment harms nothing. The card is
//! anybody's, so every number of its header is checked before one is believed.
//!
//! Offsets and the count of clusters: Microsoft, "FAT32 File System Specification", version 1.03,
//! pages 9 to 16.

use anyhow::{Context, bail, ensure};
use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// What the header fills of the first sector.
const HEADER: usize = 512;
/// An entry of the table: the next cluster of a file in its low 28 bits, 0 for one that is free.
const ENTRY: usize = 4;
const NEXT: u32 = 0x0fff_ffff;
/// The first entries of the table stand for no clusters.
const FIRST: u64 = 2;
/// How many entries are looked at at once: a sector of the table on every card.
const AT_ONCE: usize = 128;

/// Where things are, in bytes from the start of the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    table: u64,
    data: u64,
    cluster: u64,
    /// Number of clusters.
    clusters: u64,
}

/// Overwrites every free cluster with zeros; how many there were.
///
/// # Errors
/// When the device cannot be read or written, or holds no FAT32 file system that fits on it.
pub fn wipe(device: &Path) -> anyhow::Result<u64> {
    let place = || format!("cannot overwrite the free space on {}", device.display());
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(device)
        .with_context(place)?;
    let size = file.seek(SeekFrom::End(0)).with_context(place)?;
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0).with_context(place)?;
    let layout = Layout::read(&header, size).with_context(place)?;
    let free = layout.wipe(&file).with_context(place)?;
    file.sync_all().with_context(place)?;
    Ok(free)
}

impl Layout {
    fn read(header: &[u8; HEADER], size: u64) -> anyhow::Result<Self> {
        let two = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let four = |at: usize| two(at) | two(at + 2) << 16;
        let (sector, per_cluster) = (two(11), u64::from(header[13]));
        let (reserved, tables, per_table) = (two(14), u64::from(header[16]), four(36));
        let total = four(32);
        ensure!(header[510..] == [0x55, 0xaa], "expected a boot sector");
        ensure!(
            two(17) == 0 && two(19) == 0 && two(22) == 0 && per_table > 0,
            "expected FAT32, which has no fixed root directory and no short table"
        );
        ensure!(
            matches!(sector, 512 | 1024 | 2048 | 4096) && per_cluster.is_power_of_two(),
            "sectors of {sector} bytes, clusters of {per_cluster} sectors: expected powers of two from 512 and 1"
        );
        ensure!(
            reserved > 0 && tables > 0,
            "{reserved} reserved sectors and {tables} tables: expected some"
        );
        // At most 2^16 + 2^8 * 2^32 sectors of 2^12 bytes: none of this overflows.
        let before = reserved + tables * per_table;
        let Some(sectors) = total.checked_sub(before) else {
            bail!("{total} sectors, {before} of them before the first cluster");
        };
        let clusters = sectors / per_cluster;
        ensure!(
            (clusters + FIRST) * ENTRY as u64 <= per_table * sector,
            "{clusters} clusters do not fit in a table of {per_table} sectors"
        );
        ensure!(
            total * sector <= size,
            "{total} sectors of {sector} bytes on a device of {size} bytes"
        );
        Ok(Self {
            table: reserved * sector,
            data: before * sector,
            cluster: per_cluster * sector,
            clusters,
        })
    }

    fn wipe(&self, file: &File) -> std::io::Result<u64> {
        let zeros = vec![0; usize::try_from(self.cluster).unwrap_or(0)];
        let end = self.clusters + FIRST;
        let (mut free, mut number) = (0, 0);
        while number < end {
            let mut entries = [0; AT_ONCE * ENTRY];
            file.read_exact_at(&mut entries, self.table + number * ENTRY as u64)?;
            for entry in entries.chunks_exact(ENTRY) {
                let next = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]) & NEXT;
                if next == 0 && (FIRST..end).contains(&number) {
                    file.write_all_at(&zeros, self.data + (number - FIRST) * self.cluster)?;
                    free += 1;
                }
                number += 1;
            }
        }
        Ok(free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    const SECTOR: usize = 512;
    const RESERVED: usize = 32;
    const TABLE: usize = 3; // sectors, for 384 entries
    const CLUSTERS: usize = 300; // of two sectors

    /// A card on which every byte outside header and tables is 0xee; `used` entries lead somewhere.
    fn card(used: impl Fn(usize) -> bool) -> Vec<u8> {
        let total = RESERVED + 2 * TABLE + 2 * CLUSTERS + 1; // one sector fills no cluster
        let mut card = vec![0xee; (total + 9) * SECTOR]; // the partition is a bit larger
        card[..RESERVED * SECTOR].fill(0);
        let mut put = |at: usize, bytes: &[u8]| card[at..at + bytes.len()].copy_from_slice(bytes);
        put(11, &512u16.to_le_bytes());
        put(13, &[2]);
        put(14, &32u16.to_le_bytes());
        put(16, &[2]);
        put(32, &u32::try_from(total).expect("small").to_le_bytes());
        put(36, &3u32.to_le_bytes());
        put(510, &[0x55, 0xaa]);
        for table in 0..2 {
            for entry in 0..TABLE * SECTOR / 4 {
                // The high bits of a free entry belong to nobody, and entries behind the last cluster
                // look free.
                let taken = entry < 2 || (entry < CLUSTERS + 2 && used(entry));
                let value: u32 = if taken { 0x0fff_ffff } else { 0xf000_0000 };
                put(
                    (RESERVED + table * TABLE) * SECTOR + entry * 4,
                    &value.to_le_bytes(),
                );
            }
        }
        card
    }

    fn wiped(card: &[u8]) -> (anyhow::Result<u64>, Vec<u8>) {
        let file = tempfile::NamedTempFile::new().expect("file");
        fs::write(file.path(), card).expect("written");
        let found = wipe(file.path());
        (found, fs::read(file.path()).expect("read"))
    }

    #[test]
    fn free_clusters_become_zeros_and_no_other_byte_changes() {
        let used = |entry: usize| entry.is_multiple_of(3) || entry == CLUSTERS + 1;
        let before = card(used);
        let mut wanted = before.clone();
        let free: Vec<usize> = (2..CLUSTERS + 2).filter(|e| !used(*e)).collect();
        for entry in &free {
            let start = (RESERVED + 2 * TABLE + 2 * (entry - 2)) * SECTOR;
            wanted[start..start + 2 * SECTOR].fill(0);
        }
        let (found, after) = wiped(&before);
        assert_eq!(
            found.expect("wiped"),
            u64::try_from(free.len()).expect("small")
        );
        assert!(after == wanted);
    }

    #[test]
    fn the_last_cluster_is_the_last_one_written() {
        let (found, after) = wiped(&card(|_| false));
        assert_eq!(found.expect("wiped"), 300);
        let end = (RESERVED + 2 * TABLE + 2 * CLUSTERS) * SECTOR;
        assert!(after[end - 1] == 0 && after[end..].iter().all(|byte| *byte == 0xee));
    }

    #[test]
    fn what_is_no_card_is_left_alone_and_said() {
        let good = card(|_| true);
        for (at, bytes, said) in [
            (510, &[0, 0][..], "boot sector"),
            (22, &[9, 0], "expected FAT32"),
            (11, &[0, 1], "sectors of 256 bytes"),
            (13, &[0], "clusters of 0 sectors"),
            (16, &[0], "0 tables"),
            (32, &[9, 0, 0, 0], "9 sectors"),
            (36, &[2, 0, 0, 0], "do not fit in a table of 2 sectors"),
            (36, &[255; 4], "before the first cluster"),
            (32, &[0, 3, 0, 0], "on a device of"),
        ] {
            let mut bad = good.clone();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            let (found, after) = wiped(&bad);
            let text = format!("{:#}", found.expect_err(said));
            assert!(text.contains(said), "{text}");
            assert!(after == bad, "{said}");
        }
        assert!(wiped(&good[..100]).0.is_err());
    }

    proptest! {
        /// Whoever wrote the header: it is refused, or what is written lies behind the tables.
        #[test]
        fn a_header_of_any_numbers_never_reaches_a_table(
            flips in proptest::collection::vec((11usize..40, any::<u8>()), 1..4),
        ) {
            let mut any = card(|entry| entry % 2 == 0);
            for (at, byte) in flips {
                any[at] = byte;
            }
            let (found, after) = wiped(&any);
            if found.is_err() {
                prop_assert!(after == any);
            } else {
                let size = u64::try_from(any.len()).expect("small");
                let header = any[..HEADER].try_into().expect("long enough");
                let data = usize::try_from(Layout::read(header, size).expect("read").data).expect("small");
                prop_assert!(after[..data] == any[..data] && after.len() == any.len());
            }
        }
    }
}
