//! Who a monitor says it is (EDID 1.3 and 1.4, VESA): only its name and maker are read, and only
//! to be shown to people.
//!
//! An EDID comes from outside over a cable: whatever is wrong in it is left out.

use sha2::{Digest, Sha256};

/// The first eight bytes of every EDID.
const MAGIC: [u8; 8] = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
/// The four descriptors of 18 bytes begin here.
const DESCRIPTORS: usize = 54;
/// A descriptor with the name of the monitor.
const NAME_TAG: u8 = 0xfc;

/// A monitor as it introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Monitor {
    /// Its name, such as `QEMU Monitor`; empty when it says none.
    pub(super) name: String,
    /// Three letters of its maker, such as `SHP`; empty when unknown.
    pub(super) maker: String,
    /// Tells monitors apart: changes with every byte it says.
    pub(super) fingerprint: Option<[u8; 32]>,
}

impl Monitor {
    /// Reads an EDID; an empty or broken one is an unknown monitor.
    pub(super) fn read(edid: &[u8]) -> Self {
        if edid.len() < 128 || edid[..8] != MAGIC {
            return Self::default();
        }
        let descriptors = edid[DESCRIPTORS..126].chunks_exact(18);
        let name = descriptors
            .filter(|d| d[..3] == [0, 0, 0] && d[3] == NAME_TAG)
            .map(|d| {
                let text = d[5..].iter().take_while(|b| **b != b'\n');
                let text: String = text
                    .filter(|b| (0x20..0x7f).contains(*b))
                    .map(|b| char::from(*b))
                    .collect();
                text.trim().to_owned()
            })
            .next();
        Self {
            name: name.unwrap_or_default(),
            maker: maker(u16::from_be_bytes([edid[8], edid[9]])),
            fingerprint: Some(Sha256::digest(edid).into()),
        }
    }

    /// Whether it said anything.
    pub(super) fn is_known(&self) -> bool {
        self.fingerprint.is_some()
    }

    /// Maker and name for people; `unknown monitor` when it says neither.
    pub(super) fn title(&self) -> String {
        let title = format!("{} {}", self.maker, self.name);
        match title.trim() {
            "" => "unknown monitor".into(),
            title => title.into(),
        }
    }
}

/// Three letters of five bits each, `A` is 1.
fn maker(word: u16) -> String {
    let letter = |shift: u16| {
        let n = u8::try_from(word >> shift & 0x1f).ok()?;
        (1..=26).contains(&n).then(|| char::from(b'A' + n - 1))
    };
    let letters: Option<String> = [10, 5, 0].into_iter().map(letter).collect();
    letters.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edid(name: &[u8; 13]) -> Vec<u8> {
        let mut edid = vec![0; 128];
        edid[..8].copy_from_slice(&MAGIC);
        edid[8..10].copy_from_slice(&[0x4d, 0x10]); // SHP
        edid[72..77].copy_from_slice(&[0, 0, 0, NAME_TAG, 0]);
        edid[77..90].copy_from_slice(name);
        edid
    }

    #[test]
    fn a_monitor_has_a_name_and_a_maker() {
        let monitor = Monitor::read(&edid(b"LC-40\x07\x1b[31m\n "));
        assert_eq!(
            (monitor.maker.as_str(), monitor.name.as_str()),
            ("SHP", "LC-40[31m")
        );
        assert_eq!(monitor.title(), "SHP LC-40[31m");
        assert!(monitor.is_known());
        assert_ne!(monitor, Monitor::read(&edid(b"LC-41        ")));
    }

    #[test]
    fn a_broken_edid_is_an_unknown_monitor() {
        let whole = edid(b"LC-40\n       ");
        for broken in [&[][..], &whole[..127], &[0; 128], &[0xff; 256]] {
            let monitor = Monitor::read(broken);
            assert_eq!(monitor, Monitor::default());
            assert_eq!(monitor.title(), "unknown monitor");
        }
        let mut no_letters = whole.clone();
        no_letters[8..10].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(Monitor::read(&no_letters).maker, "");
    }
}
