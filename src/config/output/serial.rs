//! A board of digits on a serial line: its keys checked.

use super::RawOutput;
use super::digits::{
    FieldShow, FieldSource, Framing, IdleDigits, Parity, Rs485, SerialConfig, SerialDevice,
    SerialField, StaleDigits,
};
use crate::config::check::Check;
use crate::config::doc::At;
use crate::config::hint;
use crate::config::problem::ProblemKind;
use crate::config::raw::RawField;
use crate::model::{Label, QueueId};
use std::time::Duration;

/// More fields than a line of numbers has.
const MAX_FIELDS: usize = 64;
/// More digits than a label has characters.
const MAX_DIGITS: usize = 12;
/// Rates that serial converters and boards know (POSIX `termios` and Linux).
const BAUDS: [u32; 12] = [
    300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200, 230_400, 460_800,
];
/// The port that Modbus TCP has at IANA.
const MODBUS_TCP_PORT: u16 = 502;
/// The templates that come with the program; a test holds them against `assets/serial`.
const TEMPLATES: [&str; 3] = ["stx", "pipe", "modbus"];

impl Check<'_> {
    pub(super) fn serial(
        &mut self,
        at: &At,
        raw: &RawOutput,
        queues: &[QueueId],
    ) -> Option<SerialConfig> {
        let device = self.line_of(&at.key("device"), raw.device.as_deref());
        let template = self.template(&at.key("template"), raw.template.as_deref());
        let word = |text: &Option<String>, usual: &str| text.clone().unwrap_or(usual.to_owned());
        let rs485 = self.word(
            &at.key("rs485"),
            &word(&raw.rs485, "adapter"),
            &[
                ("adapter", Rs485::Adapter),
                ("rts", Rs485::Rts),
                ("rts-inverted", Rs485::RtsInverted),
            ],
        );
        let stale = self.word(
            &at.key("stale"),
            &word(&raw.stale, "alternate"),
            &[
                ("alternate", StaleDigits::Alternate),
                ("dashes", StaleDigits::Dashes),
            ],
        );
        let idle = self.word(
            &at.key("idle"),
            &word(&raw.idle, "blank"),
            &[("blank", IdleDigits::Blank), ("dashes", IdleDigits::Dashes)],
        );
        let baud = self.baud(&at.key("baud"), raw.baud);
        let framing = raw.framing.as_deref().unwrap_or("8N1");
        let framing = self.framing(&at.key("framing"), framing);
        let digits = raw
            .digits
            .map(|n| self.count(&at.key("digits"), Some(n), 1, 1..=MAX_DIGITS));
        let refresh = self.duration(
            &at.key("refresh"),
            raw.refresh.as_ref(),
            Duration::from_secs(10),
            Duration::from_secs(1)..=Duration::from_secs(600),
        );
        let fields = self.fields(&at.key("field"), raw.field.as_deref(), queues);
        Some(SerialConfig {
            device: device?,
            baud: baud?,
            framing: framing?,
            rs485: rs485?,
            template: template?,
            options: raw.options.clone().unwrap_or_default(),
            digits,
            refresh,
            fields,
            blink: raw.blink.unwrap_or(true),
            stale: stale?,
            idle: idle?,
        })
    }

    fn line_of(&mut self, at: &At, raw: Option<&str>) -> Option<SerialDevice> {
        let Some(device) = raw else {
            let example = "\"/dev/serial/by-id/…\", \"/dev/ttyUSB0\" or \"tcp://HOST:502\"";
            self.missing(at, format_args!("one such as {example}"));
            return None;
        };
        self.serial_device(at, device)
    }

    fn template(&mut self, at: &At, raw: Option<&str>) -> Option<String> {
        let Some(template) = raw else {
            let words = hint::one_of(&TEMPLATES);
            let expected = format_args!("{words}, or a file ending in .toml");
            self.missing(at, expected);
            return None;
        };
        self.named_or_file(at, template, &TEMPLATES)
    }

    fn serial_device(&mut self, at: &At, raw: &str) -> Option<SerialDevice> {
        let Some(address) = raw.strip_prefix("tcp://") else {
            return self.path(at, raw).map(SerialDevice::Port);
        };
        let parsed = url::Url::parse(&format!("tcp://{address}")).ok();
        let plain = |url: &url::Url| {
            url.username().is_empty()
                && url.password().is_none()
                && matches!(url.path(), "" | "/")
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let port = parsed.filter(plain).and_then(|url| {
            let port = url.port().unwrap_or(MODBUS_TCP_PORT);
            (url.has_host() && port != 0).then_some(port)
        });
        let Some(port) = port else {
            self.wrong(
                at,
                "expected tcp://HOST:PORT, such as \"tcp://192.168.1.50:502\"",
            );
            return None;
        };
        let host = self.host_of(at, raw)?;
        Some(SerialDevice::Tcp { host, port })
    }

    fn baud(&mut self, at: &At, raw: Option<i64>) -> Option<u32> {
        let raw = raw.unwrap_or(9600);
        let found = BAUDS.into_iter().find(|baud| i64::from(*baud) == raw);
        if found.is_none() {
            let words = BAUDS.map(|baud| baud.to_string());
            self.wrong(at, format_args!("expected {}", hint::one_of(&words)));
        }
        found
    }

    fn framing(&mut self, at: &At, raw: &str) -> Option<Framing> {
        let found = match raw.as_bytes() {
            [bits @ (b'7' | b'8'), parity, stop @ (b'1' | b'2')] => {
                let parity = match parity {
                    b'N' => Some(Parity::None),
                    b'E' => Some(Parity::Even),
                    b'O' => Some(Parity::Odd),
                    _ => None,
                };
                parity.map(|parity| Framing {
                    data_bits: bits - b'0',
                    parity,
                    stop_bits: stop - b'0',
                })
            }
            _ => None,
        };
        if found.is_none() {
            self.wrong(
                at,
                "expected data bits (7 or 8), parity (N, E or O) and stop bits (1 or 2), such as \"8N1\" or \"7E1\"",
            );
        }
        found
    }

    fn fields(
        &mut self,
        at: &At,
        raw: Option<&[RawField]>,
        queues: &[QueueId],
    ) -> Vec<SerialField> {
        let raw = raw.unwrap_or_default();
        if raw.is_empty() {
            self.missing(at, "at least one [[board.output.field]]");
        }
        if raw.len() > MAX_FIELDS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_FIELDS),
                ProblemKind::TooMany,
                format_args!("{n} fields: expected at most {MAX_FIELDS}"),
            );
        }
        let mut fields: Vec<SerialField> = Vec::new();
        for (i, field) in raw.iter().enumerate().take(MAX_FIELDS) {
            let at = at.index(i);
            let Some(field) = self.field(&at, field, queues) else {
                continue;
            };
            if let Some(first) = fields.iter().position(|f| f.address == field.address) {
                self.wrong_as(
                    &at.key("address"),
                    ProblemKind::Duplicate,
                    format_args!("same address as field[{first}]: expected each address once"),
                );
            }
            fields.push(field);
        }
        fields
    }

    fn field(&mut self, at: &At, raw: &RawField, queues: &[QueueId]) -> Option<SerialField> {
        let address = match raw.address {
            Some(n) => u16::try_from(n).ok().or_else(|| {
                self.wrong(
                    &at.key("address"),
                    "expected a whole number from 0 to 65535",
                );
                None
            }),
            None => {
                self.missing(&at.key("address"), "the field's address on the line");
                None
            }
        };
        let shows = [
            ("ticket", FieldShow::Ticket),
            ("counter", FieldShow::Counter),
            ("waiting", FieldShow::Waiting),
            ("on-hold", FieldShow::OnHold),
            ("wait", FieldShow::Wait),
        ];
        let source = match (raw.queue.as_deref(), raw.counter.as_deref()) {
            (Some(queue), None) => {
                let show = raw.show.as_deref().unwrap_or("ticket");
                let show = self.word(&at.key("show"), show, &shows);
                let queue = self.known_queue(&at.key("queue"), queue, queues);
                queue
                    .zip(show)
                    .map(|(queue, show)| FieldSource::Queue(queue, show))
            }
            (None, Some(counter)) => {
                if raw.show.is_some() {
                    self.wrong_as(
                        &at.key("show"), ProblemKind::Unwanted,
                        "only with queue: expected no such key, for a counter's field shows its newest ticket",
                    );
                }
                match Label::new(counter) {
                    Ok(label) => Some(FieldSource::Counter(label)),
                    Err(e) => {
                        self.wrong(&at.key("counter"), e);
                        None
                    }
                }
            }
            (Some(_), Some(_)) => {
                self.wrong_as(
                    &at.key("counter"),
                    ProblemKind::Unwanted,
                    "expected queue or counter, not both",
                );
                None
            }
            (None, None) => {
                self.missing(&at.key("queue"), "queue or counter");
                None
            }
        };
        Some(SerialField {
            address: address?,
            source: source?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_those_that_come_along() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/serial");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("assets/serial")
            .map(|f| f.expect("file").file_name().into_string().expect("UTF-8"))
            .filter_map(|f| f.strip_suffix(".toml").map(str::to_owned))
            .collect();
        names.sort();
        let mut wanted = TEMPLATES;
        wanted.sort_unstable();
        assert_eq!(names, wanted);
    }

    #[test]
    fn devices_are_written_as_they_are_typed() {
        for text in ["tcp://10.0.0.5:502", "tcp://[::1]:4001"] {
            let url = url::Url::parse(text).expect("url");
            let device = SerialDevice::Tcp {
                host: url
                    .host_str()
                    .expect("host")
                    .trim_matches(['[', ']'])
                    .into(),
                port: url.port().expect("port"),
            };
            assert_eq!(device.to_string(), text);
        }
    }
}
