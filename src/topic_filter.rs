//! Topic filters of MQTT (4.7 of MQTT 3.1.1 and of MQTT 5).

/// Whether this is a filter: `#` only as the whole last level, `+` only as a whole level.
#[must_use]
pub fn is_valid(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let fine = match level {
            "#" => levels.peek().is_none(),
            "+" => true,
            level => !level.contains(['#', '+', '\0']),
        };
        if !fine {
            return false;
        }
    }
    !filter.is_empty() && filter.len() <= usize::from(u16::MAX)
}

/// Whether a topic is one of those that a filter means. A wildcard at the beginning leaves out
/// topics that begin with `$`: those are the broker's own.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut filters, mut topics) = (filter.split('/'), topic.split('/'));
    loop {
        match (filters.next(), topics.next()) {
            (Some("#"), _) | (None, None) => return true, // `a/#` means `a` as well
            (Some("+"), Some(_)) => {}
            (Some(filter), Some(topic)) if filter == topic => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_alone_in_their_level() {
        for filter in ["a", "a/b", "+", "#", "a/+/c", "a/#", "/", "a//b", "+/+/#"] {
            assert!(is_valid(filter), "{filter}");
        }
        for filter in ["", "a#", "a/b#", "#/a", "a/#/b", "a+", "a/+b", "a\0"] {
            assert!(!is_valid(filter), "{filter:?}");
        }
    }

    /// The examples of MQTT 5, section 4.7, and topics in any script.
    #[test]
    fn a_filter_means_the_topics_that_the_standard_says() {
        for (filter, topic, expected) in [
            ("sport/#", "sport", true),
            ("sport/#", "sport/tennis/player1", true),
            ("sport/#", "sports", false),
            ("#", "sport/tennis", true),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("sport/+", "sport/tennis", true),
            ("sport/+", "sport/tennis/player1", false),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/broker", false),
            ("+/broker", "$SYS/broker", false),
            ("$SYS/#", "$SYS/broker", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
            ("呼番/+/calls", "呼番/chuo/calls", true),
            ("+/calls", "呼番/calls", true),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }
}
