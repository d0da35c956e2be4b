//! Parses a template file and checks it.

use super::checksum;
use super::digits::Digits;
use super::raw::{AddressForm, Coding, OneChar, RawModbus, RawPart, RawTemplate, SumForm, hex};
use super::template::{Body, Modbus, Part, Template, TemplateError, wrong};
use std::collections::BTreeMap;
use std::time::Duration;

/// More parts than a frame has.
const MAX_PARTS: usize = 64;
/// Longest fixed text in a part, in bytes.
const MAX_LITERAL: usize = 64;

/// A template being checked.
pub(super) struct TemplateParser<'a> {
    pub(super) file: &'a str,
    pub(super) options: &'a [String],
}

impl TemplateParser<'_> {
    fn wrong<T>(&self, key: &str, problem: impl Into<String>) -> Result<T, TemplateError> {
        Err(wrong(self.file, key, problem))
    }

    fn on(&self, option: &str) -> bool {
        self.options.iter().any(|on| on == option)
    }

    /// Makes a template of what a file says.
    pub(super) fn template(&self, raw: RawTemplate) -> Result<Template, TemplateError> {
        let known: Vec<&str> = raw.option.keys().map(String::as_str).collect();
        for option in self.options {
            if !raw.option.contains_key(option) {
                let known = match known.as_slice() {
                    [] => "no options".to_owned(),
                    known => format!("some of {}", known.join(", ")),
                };
                return self.wrong(
                    "option",
                    format!("unknown option {option}: expected {known}"),
                );
            }
        }
        let by_option = raw
            .option
            .iter()
            .filter(|(name, _)| self.on(name))
            .find_map(|(_, option)| option.reply.clone());
        let has_reply = raw.reply.is_some();
        let body = match (raw.modbus, raw.part.is_empty()) {
            (Some(_), false) => {
                return self.wrong("part", "expected [[part]] or [modbus], not both");
            }
            (Some(_), true) if has_reply => {
                return self.wrong(
                    "reply",
                    "expected no such key: Modbus has answers of its own",
                );
            }
            (Some(modbus), true) => Body::Modbus(self.modbus(modbus)?),
            (None, true) => return self.wrong(".", "missing: expected [[part]] or [modbus]"),
            (None, false) => Body::Frame(self.parts(raw.part, &known)?),
        };
        let timeout = raw.timeout.map_or(Duration::from_millis(300), |t| t.0);
        if timeout.is_zero() {
            return self.wrong("timeout", "expected more than 0 s");
        }
        Ok(Template {
            reply: by_option.or(raw.reply).and_then(|pattern| pattern.0),
            timeout,
            repeats: raw.repeats.map_or(2, |n| n.0),
            pause: raw.pause.map_or(Duration::from_millis(20), |p| p.0),
            body,
        })
    }

    /// The parts that are on, with check sums over what is left of theirs.
    fn parts(&self, raw: Vec<RawPart>, known: &[&str]) -> Result<Vec<Part>, TemplateError> {
        if raw.len() > MAX_PARTS {
            return self.wrong("part", format!("expected at most {MAX_PARTS} parts"));
        }
        let mut places = Vec::new();
        for (i, part) in raw.iter().enumerate() {
            for (key, option) in [("when", &part.when), ("unless", &part.unless)] {
                if let Some(option) = option
                    && !known.contains(&option.as_str())
                {
                    let problem = format!("no such option {option}: expected an [option.{option}]");
                    return self.wrong(&format!("part[{i}].{key}"), problem);
                }
            }
            let on = part.when.as_ref().is_none_or(|o| self.on(o))
                && part.unless.as_ref().is_none_or(|o| !self.on(o));
            places.push(on);
        }
        let mut parts = Vec::new();
        for (i, part) in raw.into_iter().enumerate() {
            let part = self.part(&format!("part[{i}]"), i, part, &places)?;
            if places[i] {
                parts.push(part);
            }
        }
        if !parts.iter().any(|p| matches!(p, Part::Digits(_))) {
            return self.wrong(
                "part",
                "no digits in it: expected a part with digits = 4 or so",
            );
        }
        Ok(parts)
    }

    fn part(
        &self,
        at: &str,
        index: usize,
        raw: RawPart,
        places: &[bool],
    ) -> Result<Part, TemplateError> {
        let kinds = [
            raw.bytes.is_some(),
            raw.text.is_some(),
            raw.address.is_some(),
            raw.digits.is_some(),
            raw.checksum.is_some(),
        ];
        if kinds.iter().filter(|is| **is).count() != 1 {
            return self.wrong(
                at,
                "expected one of bytes, text, address, digits and checksum",
            );
        }
        self.only_with(at, &raw)?;
        if let Some(bytes) = raw.bytes {
            let blink = match raw.blink {
                Some(text) => match hex(&text) {
                    Some(bytes) => Some(bytes),
                    None => {
                        return self.wrong(&format!("{at}.blink"), "expected bytes in hexadecimal");
                    }
                },
                None => None,
            };
            return Ok(Part::Literal {
                bytes: bytes.0,
                blink,
            });
        }
        if let Some(text) = raw.text {
            let blink = raw.blink;
            let good = |text: &str| text.is_ascii() && (1..=MAX_LITERAL).contains(&text.len());
            if !good(&text) || !blink.as_deref().is_none_or(good) {
                let problem = format!("expected 1 to {MAX_LITERAL} characters of ASCII");
                return self.wrong(&format!("{at}.text"), problem);
            }
            return Ok(Part::Literal {
                bytes: text.into_bytes(),
                blink: blink.map(String::into_bytes),
            });
        }
        if let Some(form) = raw.address {
            let width = match (form, raw.width) {
                (AddressForm::Byte, Some(_)) => {
                    return self
                        .wrong(&format!("{at}.width"), "expected none: a byte has no width");
                }
                (_, width) => width.map_or(2, |w| w.0),
            };
            return Ok(Part::Address(form, width));
        }
        if let Some(word) = &raw.checksum {
            return self.sum(at, index, word, &raw, places);
        }
        Digits::checked(raw)
            .map(Part::Digits)
            .or_else(|(key, problem)| self.wrong(&format!("{at}.{key}"), problem))
    }

    /// Answers keys that say nothing about this kind of part.
    fn only_with(&self, at: &str, raw: &RawPart) -> Result<(), TemplateError> {
        let literal = raw.bytes.is_some() || raw.text.is_some();
        let digits = raw.digits.is_some();
        let (address, sum) = (raw.address.is_some(), raw.checksum.is_some());
        let keys = [
            ("blink", raw.blink.is_some(), literal, "bytes or text"),
            ("width", raw.width.is_some(), address, "address"),
            ("align", raw.align.is_some(), digits, "digits"),
            ("blank", raw.blank.is_some(), digits, "digits"),
            ("dash", raw.dash.is_some(), digits, "digits"),
            ("letters", raw.letters.is_some(), digits, "digits"),
            ("map", raw.map.is_some(), digits, "digits"),
            ("charset", raw.charset.is_some(), digits, "digits"),
            ("from", raw.from.is_some(), sum, "checksum"),
            ("to", raw.to.is_some(), sum, "checksum"),
            ("as", raw.form.is_some(), sum, "checksum"),
        ];
        match keys.iter().find(|(_, there, fits, _)| *there && !fits) {
            Some((key, _, _, with)) => self.wrong(
                &format!("{at}.{key}"),
                format!("only with {with}: expected no such key"),
            ),
            None => Ok(()),
        }
    }

    fn sum(
        &self,
        at: &str,
        index: usize,
        word: &str,
        raw: &RawPart,
        places: &[bool],
    ) -> Result<Part, TemplateError> {
        let Some((_, sum)) = checksum::WORDS.iter().find(|(known, _)| *known == word) else {
            let known: Vec<&str> = checksum::WORDS.iter().map(|(known, _)| *known).collect();
            let problem = format!("{word:?}: expected one of {}", known.join(", "));
            return self.wrong(&format!("{at}.checksum"), problem);
        };
        // Typed from 1, as people count the parts of the file.
        let from = raw.from.map_or(0, |n| usize::from(n.0) - 1);
        let to = raw
            .to
            .map_or(index.saturating_sub(1), |n| usize::from(n.0) - 1);
        if from > to || to >= index {
            let problem = format!("expected parts before this one, from 1 to {index}, in order");
            return self.wrong(&format!("{at}.from"), problem);
        }
        let usual = if sum.is_wide() {
            SumForm::LoHi
        } else {
            SumForm::Byte
        };
        let form = raw.form.unwrap_or(usual);
        let fits = match form {
            SumForm::Byte => !sum.is_wide(),
            SumForm::LoHi | SumForm::HiLo => sum.is_wide(),
            SumForm::Hex => true,
        };
        if !fits {
            let expected = if sum.is_wide() {
                "hex, lo-hi or hi-lo"
            } else {
                "byte or hex"
            };
            let problem = format!("{word} expected as {expected}");
            return self.wrong(&format!("{at}.as"), problem);
        }
        // Where those parts are among the ones that are on.
        let on_before = |i: usize| places[..i].iter().filter(|on| **on).count();
        let (first, end) = (on_before(from), on_before(to + 1));
        if places[index] && first >= end {
            return self.wrong(&format!("{at}.from"), "none of these parts is on");
        }
        Ok(Part::Sum(*sum, form, first, end.saturating_sub(1)))
    }

    fn modbus(&self, raw: RawModbus) -> Result<Modbus, TemplateError> {
        let at = "modbus.digits";
        if raw.digits.digits.is_none() {
            return self.wrong(&format!("{at}.digits"), "missing: expected how many digits");
        }
        self.only_with(at, &raw.digits)?;
        let digits = Digits::checked(raw.digits)
            .or_else(|(key, problem)| self.wrong(&format!("{at}.{key}"), problem))?;
        let value = raw.coding == Coding::Value;
        if !value && (raw.blank_value.is_some() || raw.dash_value.is_some()) {
            return self.wrong("modbus.blank_value", "only with coding = \"value\"");
        }
        if raw.coding != Coding::Segments && raw.segments.is_some() {
            return self.wrong("modbus.segments", "only with coding = \"segments\"");
        }
        let mut codes = match raw.coding {
            Coding::Value => (b'0'..=b'9').map(|c| (c, u16::from(c - b'0'))).collect(),
            Coding::Ascii => (0x20..0x7f).map(|c| (c, u16::from(c))).collect(),
            Coding::Segments => segments(raw.segments),
        };
        if value {
            codes.insert(digits.blank, raw.blank_value.unwrap_or(15));
            if let Some(dash) = digits.dash {
                codes.insert(dash, raw.dash_value.unwrap_or(14));
            }
        }
        let mut used = digits.characters();
        if let Some(c) = used.find(|c| !codes.contains_key(c)) {
            let problem = format!("no code for {:?}: expected one for each", char::from(c));
            return self.wrong("modbus.coding", problem);
        }
        drop(used);
        let width = u16::try_from(digits.width).unwrap_or(u16::MAX);
        if raw.stride == Some(0) {
            return self.wrong("modbus.stride", "expected at least 1");
        }
        Ok(Modbus {
            unit: raw.unit.0,
            first: raw.first,
            stride: raw.stride.unwrap_or(width),
            function: raw.function,
            codes,
            digits,
        })
    }
}

/// The usual digits of seven segments, bit 0 being segment a at the top, and what a file changes.
fn segments(own: Option<BTreeMap<OneChar, u16>>) -> BTreeMap<u8, u16> {
    const USUAL: [(u8, u16); 12] = [
        (b'0', 0x3f),
        (b'1', 0x06),
        (b'2', 0x5b),
        (b'3', 0x4f),
        (b'4', 0x66),
        (b'5', 0x6d),
        (b'6', 0x7d),
        (b'7', 0x07),
        (b'8', 0x7f),
        (b'9', 0x6f),
        (b' ', 0x00),
        (b'-', 0x40),
    ];
    let own = own
        .unwrap_or_default()
        .into_iter()
        .map(|(c, code)| (c.0, code));
    USUAL.into_iter().chain(own).collect()
}
