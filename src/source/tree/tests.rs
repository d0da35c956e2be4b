//! Each format against its tree, its bounds, and errors that hold no value.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const CSV: Format = Format::Csv {
    header: false,
    delimiter: b',',
};

fn lines(pattern: &str) -> Format {
    Format::Lines(LinePattern::new(pattern).unwrap())
}

#[test]
fn csv_has_rows_by_place_or_by_name() {
    let text = "20261124,08:35,0,1,1\r\n20261124,08:36,\"1,\"\"x\"\"\",1,2\r\n\r\n";
    assert_eq!(
        parse(text.as_bytes(), &CSV).unwrap(),
        json!([
            ["20261124", "08:35", "0", "1", "1"],
            ["20261124", "08:36", "1,\"x\"", "1", "2"]
        ])
    );
    let named = Format::Csv {
        header: true,
        delimiter: b';',
    };
    assert_eq!(
        parse("\u{feff}番号; 窓口\nA1;3;more\nA2\n".as_bytes(), &named).unwrap(),
        json!([{"番号": "A1", "窓口": "3"}, {"番号": "A2"}])
    );
}

#[test]
fn xml_has_lists_of_children_attributes_and_text() {
    let text = r#"<?xml version="1.0"?><s:status xmlns:s="urn:x" at="10:42"><!-- a comment -->
        <call no="311"><ticket> A042 </ticket><counter>3</counter></call>
        <call no="310"><ticket><![CDATA[A040]]></ticket><counter/></call></s:status>"#;
    assert_eq!(
        parse(text.as_bytes(), &Format::Xml).unwrap(),
        json!({"status": {"@at": "10:42", "call": [
            {"@no": "311", "ticket": [{"#text": "A042"}], "counter": [{"#text": "3"}]},
            {"@no": "310", "ticket": [{"#text": "A040"}], "counter": [{}]}
        ]}})
    );
}

#[test]
fn lines_give_their_named_groups_and_others_are_left_out() {
    let format = lines(r"^(?<time>\d\d:\d\d) CALL (?<ticket>\w+)(?: -> (?<counter>\d+))?$");
    assert_eq!(
        parse(b"09:00 CALL A1 -> 3\r\n# note\n09:01 CALL A2\n", &format).unwrap(),
        json!([{"time": "09:00", "ticket": "A1", "counter": "3"}, {"time": "09:01", "ticket": "A2"}])
    );
    for bad in ["(", "[0-9]+", &"a".repeat(2000), "((a{100}){100}){100}"] {
        let why = LinePattern::new(bad).unwrap_err();
        assert!(!why.is_empty() && why.lines().count() == 1, "{bad}: {why}");
    }
}

#[test]
fn trees_are_bounded() {
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    assert!(parse(deep(MAX_DEPTH).as_bytes(), &Format::Json).is_ok());
    assert_eq!(
        parse(deep(MAX_DEPTH + 1).as_bytes(), &Format::Json),
        Err(TreeError::TooDeep)
    );
    assert!(parse(deep(100_000).as_bytes(), &Format::Json).is_err());
    let xml = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    // An element is an object that holds a list: two levels each, but for the root.
    assert!(parse(xml(MAX_DEPTH / 2).as_bytes(), &Format::Xml).is_ok());
    assert_eq!(
        parse(xml(30_000).as_bytes(), &Format::Xml),
        Err(TreeError::TooDeep)
    );
    let laughs = r#"<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>"#;
    assert!(matches!(
        parse(laughs.as_bytes(), &Format::Xml),
        Err(TreeError::Syntax { format: "XML", .. })
    ));
    let big = vec![b' '; MAX_SOURCE_PAYLOAD + 1];
    for format in [Format::Json, CSV, Format::Xml, lines("(?<a>.)")] {
        assert_eq!(parse(&big, &format), Err(TreeError::TooLarge(big.len())));
    }
}

#[test]
fn errors_say_where_and_never_what() {
    let name = "山田花子";
    for (payload, format) in [
        (format!("{{\"ticket\": \"{name}\", {name}}}"), Format::Json),
        (format!("<a>{name}</{name}>"), Format::Xml),
        (format!("<a>&{name};</a>"), Format::Xml),
        (format!("<{name} a='1' a='2'/>"), Format::Xml),
    ] {
        let error = parse(payload.as_bytes(), &format).unwrap_err().to_string();
        assert!(error.starts_with("line 1, column"), "{error}");
        assert!(!error.contains('山') && !error.contains('花'), "{error}");
    }
    let error = parse(b"ok \xff", &Format::Json).unwrap_err();
    assert_eq!(error, TreeError::NotUtf8(3));
}

proptest! {
    #[test]
    fn any_bytes_are_a_tree_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200),
                                        text in "[<>/a!\\[\\]\"'&;={}:, \n1é]{0,80}") {
        for format in [Format::Json, CSV, Format::Xml, lines("(?<a>.)(?<b>.)?")] {
            let _ = parse(&bytes, &format);
            let _ = parse(text.as_bytes(), &format);
        }
    }
}
