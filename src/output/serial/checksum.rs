//! Check sums of serial frames.

/// How a check sum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    /// All bytes, exclusive or.
    Xor,
    /// All bytes added, modulo 256.
    Add,
    /// Two's complement of that: with it, all bytes add up to 0 (LRC of Modbus ASCII).
    Lrc,
    /// CRC-16/MODBUS: polynomial 0x8005 reflected, begins with 0xffff.
    Crc16Modbus,
    /// CRC-16/XMODEM, what most number boards call CCITT: polynomial 0x1021, begins with 0.
    Crc16Ccitt,
}

/// The words of templates.
pub(super) const WORDS: [(&str, Sum); 5] = [
    ("xor", Sum::Xor),
    ("sum", Sum::Add),
    ("lrc", Sum::Lrc),
    ("crc16-modbus", Sum::Crc16Modbus),
    ("crc16-ccitt", Sum::Crc16Ccitt),
];

impl Sum {
    /// Whether it has two bytes.
    pub(super) fn is_wide(self) -> bool {
        matches!(self, Self::Crc16Modbus | Self::Crc16Ccitt)
    }

    /// The sum of some bytes; those of one byte are 0 to 255.
    pub(super) fn of(self, bytes: &[u8]) -> u16 {
        let add = || bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        match self {
            Self::Xor => bytes.iter().fold(0u8, |sum, byte| sum ^ byte).into(),
            Self::Add => add().into(),
            Self::Lrc => add().wrapping_neg().into(),
            Self::Crc16Modbus => bytes.iter().fold(0xffff, |crc, byte| {
                (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
                    let out = crc & 1;
                    (crc >> 1) ^ (0xa001 * out) // 0x8005, mirrored
                })
            }),
            Self::Crc16Ccitt => bytes.iter().fold(0, |crc, byte| {
                (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
                    let out = crc >> 15;
                    (crc << 1) ^ (0x1021 * out)
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_that_others_publish() {
        // "Check" of the catalogue of parametrised CRC algorithms (reveng) over "123456789".
        let check = b"123456789";
        assert_eq!(Sum::Crc16Modbus.of(check), 0x4b37);
        assert_eq!(Sum::Crc16Ccitt.of(check), 0x31c3);
        // MODBUS over Serial Line V1.02, 6.2.2, figure 39: 02 07 is sent as 41 12, low byte first.
        assert_eq!(Sum::Crc16Modbus.of(&[0x02, 0x07]), 0x1241);
        // The usual example of Modbus ASCII: the query F7 03 13 89 00 0A ends with 60.
        assert_eq!(Sum::Lrc.of(&[0xf7, 0x03, 0x13, 0x89, 0x00, 0x0a]), 0x60);
        // NMEA 0183: the sum of this sentence is published as 47.
        let sentence = b"GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,";
        assert_eq!(Sum::Xor.of(sentence), 0x47);
        // Intel HEX, as on Wikipedia: the sum of this record's bytes is E2, its complement 1E.
        let record = [0x03, 0x00, 0x30, 0x00, 0x02, 0x33, 0x7a];
        assert_eq!((Sum::Add.of(&record), Sum::Lrc.of(&record)), (0xe2, 0x1e));
    }

    #[test]
    fn a_frame_with_its_lrc_adds_up_to_nothing() {
        for frame in [&b""[..], b"\xff\xff", b"0042"] {
            let lrc = u8::try_from(Sum::Lrc.of(frame)).expect("one byte");
            assert_eq!(Sum::Add.of(&[frame, &[lrc]].concat()), 0);
        }
    }
}
