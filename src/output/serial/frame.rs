//! A field to the bytes of a frame.

use super::raw::{AddressForm, Expect, Function, SumForm};
use super::template::{Body, Modbus, Part, Template};
use super::{Face, Field};

/// What goes to the line for one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    /// The bytes as they are sent; those of Modbus without transaction number and check sum.
    pub(super) bytes: Vec<u8>,
    /// What must come back; a byte of `None` is any.
    pub(super) reply: Option<Vec<Option<u8>>>,
    /// The registers, with Modbus.
    pub(super) write: Option<Write>,
    /// Why dashes stand there in place of what was wanted.
    pub(super) unfit: Option<String>,
}

/// Registers to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) unit: u8,
    pub(super) first: u16,
    pub(super) words: Vec<u16>,
    pub(super) function: Function,
}

impl Template {
    /// Makes the frame of a field, whose address was checked when the template was read.
    pub(super) fn encode(&self, field: &Field) -> Encoded {
        match &self.body {
            Body::Frame(parts) => self.frame(parts, field),
            Body::Modbus(modbus) => registers(modbus, field.address, &field.face),
        }
    }

    fn frame(&self, parts: &[Part], field: &Field) -> Encoded {
        let mut bytes = Vec::new();
        let mut starts = Vec::with_capacity(parts.len());
        let mut unfit = None;
        for part in parts {
            starts.push(bytes.len());
            match part {
                Part::Literal {
                    bytes: usual,
                    blink,
                } => {
                    let blink = blink.as_ref().filter(|_| field.blink);
                    bytes.extend(blink.unwrap_or(usual));
                }
                Part::Address(form, width) => bytes.extend(address(*form, *width, field.address)),
                Part::Digits(digits) => {
                    let (shown, why) = digits.render(&field.face);
                    bytes.extend(shown);
                    unfit = unfit.or(why);
                }
                Part::Sum(sum, form, first, last) => {
                    let end = starts.get(last + 1).copied().unwrap_or(bytes.len());
                    let sum = sum.of(&bytes[starts[*first]..end]);
                    bytes.extend(sum_bytes(*form, sum, part));
                }
            }
        }
        let reply = self.reply.as_ref().map(|reply| {
            let one = |expect: &Expect| match expect {
                Expect::Byte(byte) => vec![Some(*byte)],
                Expect::Any => vec![None],
                Expect::Address => sent_address(parts, field.address),
            };
            reply.iter().flat_map(one).collect()
        });
        Encoded {
            bytes,
            reply,
            write: None,
            unfit,
        }
    }
}

/// The bytes of the first address in a frame.
fn sent_address(parts: &[Part], number: u16) -> Vec<Option<u8>> {
    let first = parts.iter().find_map(|part| match part {
        Part::Address(form, width) => Some(address(*form, *width, number)),
        _ => None,
    });
    first.unwrap_or_default().into_iter().map(Some).collect()
}

fn address(form: AddressForm, width: u8, address: u16) -> Vec<u8> {
    let width = usize::from(width);
    match form {
        AddressForm::Ascii => format!("{address:0width$}").into_bytes(),
        AddressForm::Hex => format!("{address:0width$X}").into_bytes(),
        AddressForm::Byte => vec![address.to_be_bytes()[1]],
    }
}

fn sum_bytes(form: SumForm, sum: u16, part: &Part) -> Vec<u8> {
    let [high, low] = sum.to_be_bytes();
    let wide = matches!(part, Part::Sum(kind, ..) if kind.is_wide());
    match form {
        SumForm::Byte => vec![low],
        SumForm::LoHi => vec![low, high],
        SumForm::HiLo => vec![high, low],
        SumForm::Hex if wide => format!("{sum:04X}").into_bytes(),
        SumForm::Hex => format!("{sum:02X}").into_bytes(),
    }
}

fn registers(modbus: &Modbus, address: u16, face: &Face) -> Encoded {
    let (shown, unfit) = modbus.digits.render(face);
    // Every character has a code: checked when the template was read.
    let code = |c: &u8| modbus.codes.get(c).copied().unwrap_or_default();
    let words: Vec<u16> = shown.iter().map(code).collect();
    let (unit, offset) = match modbus.unit {
        Some(unit) => (
            unit,
            address.saturating_sub(1).saturating_mul(modbus.stride),
        ),
        // Bounded by the highest unit of a line.
        None => (address.to_be_bytes()[1], 0),
    };
    let write = Write {
        unit,
        first: modbus.first.saturating_add(offset),
        words,
        function: modbus.function,
    };
    Encoded {
        bytes: write.request(),
        reply: None,
        unfit,
        write: Some(write),
    }
}

impl Write {
    /// Unit and request of MODBUS Application Protocol V1.1b3, 6.6 and 6.12: what RTU and TCP have
    /// in common, and what the proof of a board is made of.
    pub(super) fn request(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.function {
            Function::Many => {
                let count = u8::try_from(self.words.len()).unwrap_or(u8::MAX);
                bytes.extend([self.unit, 16]);
                bytes.extend(self.first.to_be_bytes());
                bytes.extend([0, count, count.saturating_mul(2)]);
                bytes.extend(self.words.iter().flat_map(|word| word.to_be_bytes()));
            }
            Function::Single => {
                for (register, word) in (self.first..).zip(&self.words) {
                    bytes.extend([self.unit, 6]);
                    bytes.extend(register.to_be_bytes());
                    bytes.extend(word.to_be_bytes());
                }
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, template};
    use super::*;

    fn bytes(template: &Template, address: u16, text: &str, blink: bool) -> Vec<u8> {
        let field = Field {
            address,
            face: Face::Text(text.into()),
            blink,
        };
        template.encode(&field).bytes
    }

    #[test]
    fn the_ready_templates_make_the_frames_their_comments_show() {
        let stx = template("stx", &[]);
        assert_eq!(bytes(&stx, 3, "A042", false), b"\x0203 042\x03");
        let xor = template("stx", &["xor"]);
        let sum = b'0' ^ b'3' ^ b' ' ^ b'0' ^ b'4' ^ b'2' ^ 3;
        assert_eq!(
            bytes(&xor, 3, "A042", false),
            [b"\x0203 042\x03".as_slice(), &[sum]].concat()
        );
        let pipe = template("pipe", &[]);
        assert_eq!(bytes(&pipe, 3, "042", true), b"|0301 042!");
        let blink = template("pipe", &["blink"]);
        assert!(blink.blinks() && !pipe.blinks());
        assert_eq!(bytes(&blink, 3, "A042", true), b"|0302A042!");
        assert_eq!(bytes(&blink, 3, "A042", false), b"|0301A042!");
        let modbus = template("modbus", &[]);
        assert_eq!(
            bytes(&modbus, 3, "A042", false),
            [3, 16, 0, 0, 0, 4, 8, 0, 15, 0, 0, 0, 4, 0, 2]
        );
    }

    #[test]
    fn answers_hold_the_address_where_the_template_says_so() {
        let pipe = template("pipe", &["ok"]);
        let field = Field {
            address: 12,
            face: Face::Blank,
            blink: false,
        };
        let reply = pipe.encode(&field).reply.expect("a reply");
        assert_eq!(reply, b"|12!".map(Some));
        assert_eq!(
            template("stx", &["ack"]).encode(&field).reply,
            Some(vec![Some(6)])
        );
        assert_eq!(template("stx", &[]).encode(&field).reply, None);
    }

    #[test]
    fn the_width_of_the_configuration_wins() {
        let mut config = config("stx", &[]);
        config.digits = Some(3);
        let template = Template::load(&config).expect("valid");
        assert_eq!(bytes(&template, 1, "42", false), b"\x0201 42\x03");
    }

    #[test]
    fn a_number_is_shown_whole_or_not_at_all() {
        let stx = template("stx", &[]);
        for (text, shown, why) in [
            ("A042", " 042", None),
            ("42", "  42", None),
            ("Ａ０４２", " 042", None),
            ("A12345", "----", Some("does not fit into 4 digits")),
            ("3-12", "----", Some("cannot show: -")),
            ("証明書", "----", Some("has no digit")),
            ("12B", "----", Some("cannot show: B")),
        ] {
            let field = Field {
                address: 1,
                face: Face::Text(text.into()),
                blink: false,
            };
            let encoded = stx.encode(&field);
            assert_eq!(&encoded.bytes[3..7], shown.as_bytes(), "{text}");
            match (&encoded.unfit, why) {
                (None, None) => {}
                (Some(said), Some(why)) => assert!(said.contains(why), "{said}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
