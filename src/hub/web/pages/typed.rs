//! What people type for the label on their ticket, held against the labels of a queue.
//!
//! Pure. Width, capitals, blanks, hyphens, zeros in front and words around the number do not
//! matter; what a ticket is called is what its queue calls it.

use crate::model::{Label, MAX_LABEL_CHARS, text};

/// Words that people write around a number, in the spelling of [`loose`].
const BEFORE: [&str; 6] = ["受付番号", "整理券番号", "整理券", "番号札", "番号", "NO"];
const AFTER: [&str; 4] = ["番です", "番目", "番", "号"];

/// How surely a label is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sureness {
    /// The queue's labels begin so; this one is in no list.
    Series,
    /// A listed label has the number that was typed, and letters that were not.
    Number,
    /// It is a listed label.
    Listed,
}

/// A text without what does not matter; `None` when nothing is left that a ticket could have.
pub(super) fn loose(typed: &str) -> Option<String> {
    if typed.len() > 200 {
        return None;
    }
    let mut all = letters(typed);
    for word in BEFORE {
        let rest = all.strip_prefix(word);
        if let Some(rest) = rest.filter(|r| r.starts_with(|c: char| c.is_ascii_alphanumeric())) {
            all = rest.to_owned();
            break;
        }
    }
    for word in AFTER {
        let rest = all.strip_suffix(word);
        if let Some(rest) = rest.filter(|r| r.ends_with(|c: char| c.is_ascii_digit())) {
            all = rest.to_owned();
            break;
        }
    }
    (1..=MAX_LABEL_CHARS)
        .contains(&all.chars().count())
        .then_some(all)
}

/// The letters and digits of a text, in capitals.
fn letters(text: &str) -> String {
    let plain = text::plain(text);
    let plain = plain
        .chars()
        .filter(|c| c.is_alphanumeric() || text::is_mark(*c));
    plain.flat_map(char::to_uppercase).collect()
}

/// The last group of digits of a label that ends with one, and what stands before it.
fn split(label: &str) -> Option<(&str, &str)> {
    let before = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &label[before.len()..];
    (!digits.is_empty()).then_some((before, digits))
}

fn number(digits: &str) -> &str {
    digits.trim_start_matches('0')
}

/// The label that a queue with these labels means by a loose text, and how surely. The newest label
/// comes first: its series is the one that goes on. `exact` is what was typed as a label of its
/// own: of several labels that differ only in what does not matter, it is the one.
pub(super) fn meant(
    typed: &str,
    exact: Option<&Label>,
    labels: &[&Label],
) -> Option<(String, Sureness)> {
    let listed = |label: &&&Label| {
        let all = letters(label.as_str());
        all == typed || loose(label.as_str()).as_deref() == Some(typed)
    };
    // The same series and number: `A042` where `A42` is called, if there is but one such.
    let equal = |label: &&&Label| {
        let Some((before, digits)) = split(label.as_str()) else {
            return false;
        };
        let rest = typed.strip_prefix(letters(before).as_str());
        rest.is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_digit())
                && number(rest) == number(digits)
        })
    };
    let only = || {
        let first = labels.iter().find(equal)?;
        let mut all = labels.iter().filter(equal);
        all.all(|label| label == first).then_some(first)
    };
    let known = labels
        .iter()
        .find(|l| exact == Some(**l))
        .or_else(|| labels.iter().find(listed))
        .or_else(only);
    if let Some(label) = known {
        return Some((label.to_string(), Sureness::Listed));
    }
    let series = |label: &&&Label| {
        let (before, digits) = split(label.as_str())?;
        let rest = typed.strip_prefix(letters(before).as_str())?;
        rest.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
        (!rest.is_empty()).then_some((before.to_owned(), digits.len(), rest))
    };
    if let Some((before, width, rest)) = labels.iter().find_map(|l| series(&l)) {
        let of_series = |l: &&&Label| split(l.as_str()).is_some_and(|(b, _)| b == before);
        let width = if labels.iter().filter(of_series).any(|l| is_filled(l)) {
            width
        } else {
            0
        };
        let label = format!(
            "{before}{:0>width$}",
            if width > 0 { number(rest) } else { rest }
        );
        let same = labels.iter().any(|l| l.as_str() == label);
        let sureness = if same {
            Sureness::Listed
        } else {
            Sureness::Series
        };
        return Some((label, sureness));
    }
    if !typed.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut same = labels.iter().filter(|l| {
        split(l.as_str()).is_some_and(|(before, digits)| {
            number(digits) == number(typed) && !before.contains(|c: char| c.is_ascii_digit())
        })
    });
    let first = same.next()?;
    // A queue of two series: nobody knows which is meant.
    same.all(|l| l == first)
        .then(|| (first.to_string(), Sureness::Number))
}

/// Whether a label's number is filled with zeros; three digits and more are taken to be so.
fn is_filled(label: &Label) -> bool {
    split(label.as_str()).is_some_and(|(_, digits)| digits.len() >= 3 || digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(typed: &str, labels: &[&str]) -> Option<(String, Sureness)> {
        let labels: Vec<Label> = labels.iter().map(|l| Label::new(l).unwrap()).collect();
        let labels: Vec<&Label> = labels.iter().collect();
        meant(&loose(typed)?, Label::new(typed).ok().as_ref(), &labels)
    }

    #[test]
    fn a_ticket_is_found_however_it_is_typed() {
        let labels = ["A042", "A043", "A050"];
        for typed in [
            "A042",
            "a042",
            "a-042",
            "A 042",
            "Ａ０４２",
            "ａ－０４２番",
            "A42",
            "a-42",
            "A042番",
            "No. A042",
            "№A042",
            "受付番号 A042",
            "番号札A042番",
            "A0042",
            "Ａ‐０４２",
            "A042\u{200b}",
            "A042です",
        ] {
            let found = find(typed, &labels);
            if typed == "A042です" {
                assert_eq!(found, None, "{typed}");
            } else {
                assert_eq!(found, Some(("A042".into(), Sureness::Listed)), "{typed}");
            }
        }
        for typed in ["42", "042", "０４２番", "042番です", "４２"] {
            assert_eq!(
                find(typed, &labels),
                Some(("A042".into(), Sureness::Number)),
                "{typed}"
            );
        }
    }

    #[test]
    fn of_labels_that_differ_in_little_the_one_that_was_typed_is_found() {
        let labels = ["a042", "A042", "A42", "A-42", "0042", "42"];
        for typed in labels {
            let found = find(typed, &labels);
            assert_eq!(found, Some((typed.into(), Sureness::Listed)), "{typed}");
        }
        for (typed, labels, label) in [
            ("A042", &["A42", "A43"][..], "A42"),
            ("042", &["42", "43"], "42"),
            ("0042番", &["42", "41"], "42"),
            ("b-07", &["B 7"], "B 7"),
        ] {
            assert_eq!(
                find(typed, labels),
                Some((label.into(), Sureness::Listed)),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_number_alone_is_no_ticket_where_two_could_be_meant() {
        assert_eq!(find("42", &["A042", "B042"]), None);
        assert_eq!(
            find("43", &["A042", "B043"]),
            Some(("B043".into(), Sureness::Number))
        );
        assert_eq!(find("99", &["A042"]), None, "in no list, and of no series");
        assert_eq!(find("8", &["M1 008"]), None, "M1 and M2 may both have one");
    }

    #[test]
    fn a_ticket_in_no_list_is_written_as_its_queue_writes_them() {
        for (typed, labels, label) in [
            ("a-99", &["A042", "A043"][..], "A099"),
            ("A１００", &["A042"], "A100"),
            ("a1000", &["A042"], "A1000"),
            ("b12", &["B-007"], "B-012"),
            ("b 12", &["B 317"], "B 012"),
            ("m1-9", &["M1 008"], "M1 009"),
            ("380", &["0379"], "0380"),
            ("12", &["7", "8"], "12"),
            ("c12", &["C7"], "C12"),
            ("a-07", &["A6"], "A07"),
        ] {
            assert_eq!(
                find(typed, labels),
                Some((label.into(), Sureness::Series)),
                "{typed}"
            );
        }
        assert_eq!(find("C001", &["A042"]), None);
        assert_eq!(find("A042B", &["A042"]), None);
    }

    #[test]
    fn labels_that_are_names_are_found_too() {
        for (typed, label) in [
            ("窓口三番", "窓口三番"),
            ("が42", "か\u{3099}42"),
            ("<script>", "<script>"),
        ] {
            let one = Label::new(label).unwrap().to_string();
            assert_eq!(
                find(typed, &[label]),
                Some((one, Sureness::Listed)),
                "{typed}"
            );
        }
        for nothing in ["", " ", "-", "1234567890123", "\0", "\u{fffd}", "番"] {
            if nothing != "番" {
                assert_eq!(loose(nothing), None, "{nothing:?}");
            }
            assert_eq!(find(nothing, &["A042"]), None, "{nothing:?}");
        }
    }
}
