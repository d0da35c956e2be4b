//! Messages as a real ticketing system sometimes sends them: twice, too late, broken.

use super::Kind;

/// One message in so many is doubled, late, broken (recorded day: 96, 25 and 43 of 28,099).
const DOUBLED: u32 = 300;
const LATE: u32 = 1000;
const BROKEN: u32 = 650;

/// What goes wrong with a message, if anything.
pub(super) fn trouble(rng: &mut fastrand::Rng) -> Option<Kind> {
    [
        (DOUBLED, Kind::Doubled),
        (LATE, Kind::Late),
        (BROKEN, Kind::Broken),
    ]
    .into_iter()
    .find(|(one_in, _)| rng.u32(0..*one_in) == 0)
    .map(|(_, kind)| kind)
}

/// A broken message, the likes of which the recorded day holds.
pub(super) fn broken(payload: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    let text = String::from_utf8_lossy(payload);
    match rng.u32(0..6) {
        0 => b"[]".to_vec(),
        1 => b"{\"seq\": -1, \"waiting\": \"many\"}".to_vec(),
        2 => vec![0x00, 0xff, 0xfe],
        3 => payload[..payload.len() / 2].to_vec(),
        4 => text
            .replacen("\"at\":\"", "\"at\":\"yesterday ", 1)
            .into_bytes(),
        _ => text
            .replacen("\"next\":[", "\"next\":[\"A0000000000042\",", 1)
            .replace(",]", "]")
            .into_bytes(),
    }
}
