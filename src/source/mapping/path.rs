//! Where a rule looks: JSON Pointer (RFC 6901) or JSONPath (RFC 9535).

use serde_json::Value;
use serde_json_path::JsonPath;
use std::fmt;

/// Longest path, in bytes.
const MAX_PATH: usize = 512;

/// Most descendant segments (`..`) of a path: each may visit every value below every value.
const MAX_DESCENDANTS: usize = 2;

/// A path into a value tree.
///
/// It begins with `/` and is a JSON Pointer, or with `$` and is a JSONPath; the empty text is the whole
/// value.
#[derive(Clone)]
pub struct Path {
    text: String,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// The tokens of a pointer, unescaped.
    Pointer(Vec<String>),
    Query(Box<JsonPath>),
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'v> {
    /// There is no such place.
    Absent,
    /// There is `null`, there or on the way.
    Null,
    /// One value.
    One(&'v Value),
    /// The nodes of a JSONPath that may lead to several, also none or one.
    Many(Vec<&'v Value>),
}

impl Path {
    /// Takes a text as path.
    ///
    /// # Errors
    /// What was expected, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATH {
            let n = text.len();
            return Err(format!("{n} bytes: expected at most {MAX_PATH}"));
        }
        let kind = if text.starts_with('$') {
            Kind::Query(Box::new(query(text)?))
        } else {
            Kind::Pointer(tokens(text)?)
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// The text of the configuration.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Looks in a tree.
    #[must_use]
    pub fn find<'v>(&self, tree: &'v Value) -> Found<'v> {
        match &self.kind {
            Kind::Pointer(tokens) => walk(tree, tokens),
            Kind::Query(path) => Found::Many(path.query(tree).all()),
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

fn query(text: &str) -> Result<JsonPath, String> {
    if text.matches("..").count() > MAX_DESCENDANTS {
        return Err(format!("expected at most {MAX_DESCENDANTS} of .."));
    }
    JsonPath::parse(text).map_err(|e| {
        format!(
            "not a JSONPath, at character {}: expected one such as $.list[?@.state=='called']",
            e.position() + 1
        )
    })
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = || {
        "expected a JSON Pointer such as /list/0/number, or a JSONPath, which begins with $"
            .to_owned()
    };
    let rest = text.strip_prefix('/').ok_or_else(wrong)?;
    rest.split('/')
        .map(|token| {
            let mut parts = token.split('~');
            let escaped = parts.clone().skip(1).all(|p| p.starts_with(['0', '1']));
            let first = parts.next().unwrap_or_default().to_owned();
            if !escaped {
                return Err(wrong());
            }
            Ok(parts.fold(first, |token, part| {
                let (sign, rest) = part.split_at(1);
                token + if sign == "0" { "~" } else { "/" } + rest
            }))
        })
        .collect()
}

fn walk<'v>(tree: &'v Value, tokens: &[String]) -> Found<'v> {
    let mut value = tree;
    for token in tokens {
        let next = match value {
            Value::Null => return Found::Null,
            Value::Object(object) => object.get(token),
            Value::Array(list) => index(token).and_then(|i| list.get(i)),
            _ => None,
        };
        let Some(next) = next else {
            return Found::Absent;
        };
        value = next;
    }
    if value.is_null() {
        Found::Null
    } else {
        Found::One(value)
    }
}

/// An index as RFC 6901 has it: digits, without zeros in front.
fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|b| b.is_ascii_digit());
    let plain = token == "0" || !token.starts_with('0');
    (digits && plain).then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pointers_are_those_of_rfc_6901() {
        // The document and the pointers of section 5.
        let tree = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
            "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8});
        let at = |text: &str| match Path::new(text).unwrap().find(&tree) {
            Found::One(value) => value.clone(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(at(""), tree);
        assert_eq!(at("/foo"), json!(["bar", "baz"]));
        assert_eq!(at("/foo/0"), json!("bar"));
        for (pointer, value) in [
            ("/", 0),
            ("/a~1b", 1),
            ("/c%d", 2),
            ("/e^f", 3),
            ("/g|h", 4),
            ("/i\\j", 5),
            ("/k\"l", 6),
            ("/ ", 7),
            ("/m~0n", 8),
        ] {
            assert_eq!(at(pointer), json!(value), "{pointer}");
            assert_eq!(tree.pointer(pointer), Some(&json!(value)), "{pointer}");
        }
        for absent in ["/foo/2", "/foo/01", "/foo/-", "/foo/0/x", "/none"] {
            assert_eq!(Path::new(absent).unwrap().find(&tree), Found::Absent);
        }
    }

    #[test]
    fn null_on_the_way_is_none_and_not_a_wrong_place() {
        let tree = json!({"data": {"current_call": null}});
        for pointer in ["/data/current_call", "/data/current_call/location"] {
            assert_eq!(Path::new(pointer).unwrap().find(&tree), Found::Null);
        }
    }

    #[test]
    fn queries_filter_and_count() {
        let tree = json!({"citizens": [{"n": "A1", "p": {"s": "Invited"}}, {"n": "A2", "p": {"s": "Waiting"}}]});
        let path = Path::new("$.citizens[?@.p.s=='Waiting'].n").unwrap();
        assert_eq!(path.find(&tree), Found::Many(vec![&json!("A2")]));
    }

    #[test]
    fn what_is_no_path_is_said() {
        for bad in [
            "number",
            "/a~2",
            "/a~",
            "$.[",
            "$[?(@.a",
            "$..a..b..c",
            &format!("/{}", "a".repeat(600)),
        ] {
            let why = Path::new(bad).unwrap_err();
            assert!(
                why.contains("expected") && why.lines().count() == 1,
                "{bad}: {why}"
            );
        }
    }
}
