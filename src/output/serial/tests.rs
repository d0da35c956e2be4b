//! Templates as installers write them, right and wrong. The line itself is tested on
//! pseudo-terminals, in the integration tests.

use super::fault::FaultDebouncer;
use super::template::Template;
use crate::config::{
    FieldSource, Framing, IdleDigits, Parity, Rs485, SerialConfig, SerialDevice, SerialField,
    StaleDigits,
};
use crate::model::Label;
use std::time::{Duration, Instant};

/// A board with one field at address 1.
pub(super) fn config(template: &str, options: &[&str]) -> SerialConfig {
    SerialConfig {
        device: SerialDevice::Port("/dev/null".into()),
        baud: 9600,
        framing: Framing {
            data_bits: 8,
            parity: Parity::None,
            stop_bits: 1,
        },
        rs485: Rs485::Adapter,
        template: template.into(),
        options: options.iter().map(|o| (*o).to_owned()).collect(),
        digits: None,
        refresh: Duration::from_secs(10),
        fields: vec![SerialField {
            address: 1,
            source: FieldSource::Counter(Label::new("1").expect("label")),
        }],
        blink: true,
        stale: StaleDigits::Alternate,
        idle: IdleDigits::Blank,
    }
}

/// A ready template.
pub(super) fn template(name: &str, options: &[&str]) -> Template {
    Template::load(&config(name, options)).expect(name)
}

/// What an own file with this text answers.
fn own(text: &str, change: impl FnOnce(&mut SerialConfig)) -> Result<Template, String> {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("my.toml");
    std::fs::write(&path, text).expect("file");
    let mut config = config(path.to_str().expect("UTF-8"), &[]);
    change(&mut config);
    Template::load(&config).map_err(|e| {
        let text = e.to_string();
        text.replace(&dir.path().display().to_string(), "")
    })
}

#[test]
fn wrong_templates_name_file_key_and_what_is_expected() {
    let check = |text: &str, key: &str, expected: &str| {
        let error = own(text, |_| {}).expect_err(text);
        assert!(
            error.starts_with(&format!("frame template /my.toml: at {key}: ")),
            "{error}"
        );
        assert!(error.contains(expected), "{error}");
    };
    let digits = "[[part]]\ndigits = 4\n";
    check("", ".", "expected [[part]] or [modbus]");
    check("part = 3", "part", "expected");
    check("[[part]", ".", "");
    check(
        "[[part]]\nbyte = \"02\"",
        "part[0].byte",
        "unknown field `byte`",
    );
    check(
        "[[part]]\nbytes = \"2\"",
        "part[0].bytes",
        "\"2\": expected bytes in hexadecimal",
    );
    check(
        "[[part]]\nbytes = \"??\"",
        "part[0].bytes",
        "expected bytes in hexadecimal",
    );
    check("[[part]]\nbytes = \"02\"", "part", "no digits in it");
    check(
        "[[part]]\nbytes = \"02\"\ntext = \"x\"",
        "part[0]",
        "expected one of bytes, text",
    );
    check(
        "[[part]]\ntext = \"号\"",
        "part[0].text",
        "characters of ASCII",
    );
    check(
        "[[part]]\ndigits = 13",
        "part[0].digits",
        "13: expected a whole number from 1 to 12",
    );
    check(
        &format!("{digits}width = 2"),
        "part[0].width",
        "only with address",
    );
    check(
        &format!("{digits}blank = \"ab\""),
        "part[0].blank",
        "one printable character",
    );
    check(
        &format!("{digits}letters = \"map\""),
        "part[0].map",
        "expected with letters",
    );
    check(
        &format!("{digits}[[part]]\nchecksum = \"crc\""),
        "part[1].checksum",
        "expected one of xor",
    );
    check(
        &format!("{digits}[[part]]\nchecksum = \"xor\"\nto = 2"),
        "part[1].from",
        "expected parts before this one, from 1 to 1",
    );
    check(
        &format!("{digits}[[part]]\nchecksum = \"crc16-modbus\"\nas = \"byte\""),
        "part[1].as",
        "crc16-modbus expected as hex, lo-hi or hi-lo",
    );
    check(
        &format!("{digits}when = \"x\""),
        "part[0].when",
        "expected an [option.x]",
    );
    check(
        &format!("timeout = \"2s\"\n{digits}"),
        "timeout",
        "up to 1 s",
    );
    check(
        &format!("timeout = \"0s\"\n{digits}"),
        "timeout",
        "more than 0 s",
    );
    check(
        &format!("repeats = 11\n{digits}"),
        "repeats",
        "from 0 to 10",
    );
    check(
        &format!("reply = \"0\"\n{digits}"),
        "reply",
        "expected none, or bytes",
    );
    let modbus = "[modbus]\nunit = 1\nfirst = 0\n";
    check(
        &format!("{modbus}[modbus.digits]\nalign = \"left\""),
        "modbus.digits.digits",
        "missing",
    );
    check(
        &format!("{modbus}function = 5\n[modbus.digits]\ndigits = 4"),
        "modbus.function",
        "6 or 16",
    );
    check(
        "[modbus]\nunit = \"all\"\nfirst = 0\n",
        "modbus.unit",
        "expected \"address\" or a unit",
    );
    check(
        &format!("{modbus}[modbus.digits]\ndigits = 4\nletters = \"keep\""),
        "modbus.coding",
        "no code for 'A'",
    );
    check(
        &format!("reply = \"06\"\n{modbus}[modbus.digits]\ndigits = 4"),
        "reply",
        "expected no such key",
    );
}

#[test]
fn what_the_configuration_asks_for_must_be_in_the_template() {
    let text = "[[part]]\naddress = \"ascii\"\nwidth = 2\n[[part]]\ndigits = 4\n[option.a]\n";
    let error = own(text, |c| c.options = vec!["ack".into()]).expect_err("option");
    assert!(
        error.ends_with("unknown option ack: expected some of a"),
        "{error}"
    );
    let error = own(text, |c| c.fields[0].address = 100).expect_err("address");
    assert!(
        error.ends_with("a field has address 100: expected 0 to 99"),
        "{error}"
    );
    own(text, |c| c.fields[0].address = 99).expect("fits");
    let error = own(
        "[modbus]\nunit = \"address\"\nfirst = 0\n[modbus.digits]\ndigits = 4\n",
        |c| {
            c.fields[0].address = 0;
        },
    );
    assert!(error.expect_err("broadcast").ends_with("expected 1 to 247"));
    let missing = Template::load(&config("/no/such.toml", &[])).expect_err("no file");
    assert!(
        missing
            .to_string()
            .contains("/no/such.toml: expected a path, or one of stx")
    );
}

#[test]
fn the_worked_example_of_the_manual_works() {
    let manual = include_str!("../../../docs/serial.md");
    let (_, example) = manual.split_once("### A worked example").expect("there");
    let toml = example
        .split("```")
        .nth(1)
        .and_then(|code| code.strip_prefix("toml"));
    let template = own(toml.expect("an example"), |_| {}).expect("valid");
    let encoded = template.encode(&super::Field {
        address: 3,
        face: super::Face::Text("A042".into()),
        blink: false,
    });
    let bytes = super::line::spaced(&encoded.bytes);
    assert!(example.contains(&format!("`{bytes}`")), "{bytes}");
    assert_eq!(encoded.reply, Some([0x1b, 3, 0x4b].map(Some).to_vec()));
}

#[test]
fn a_bad_contact_is_one_trouble() {
    let begin = Instant::now();
    let mut trouble = FaultDebouncer::default();
    let mut changes = 0;
    // Ten minutes of one bad second in five.
    for second in 0..600u64 {
        let before = trouble.text.is_some();
        let wrong = second.is_multiple_of(5).then(|| "no answer".to_owned());
        trouble.update(wrong, begin + Duration::from_secs(second));
        changes += u32::from(before != trouble.text.is_some());
    }
    assert!(changes <= 4, "{changes} lines in the log");
    let well = begin + Duration::from_secs(1300);
    trouble.update(None, well);
    assert_eq!(trouble.text, None, "it ends when the trouble does");
}

#[test]
fn a_first_trouble_ends_at_once() {
    let begin = Instant::now();
    let mut trouble = FaultDebouncer::default();
    trouble.update(Some("no answer".into()), begin);
    assert!(trouble.text.is_some());
    trouble.update(None, begin + Duration::from_millis(1));
    assert_eq!(trouble.text, None);
}
