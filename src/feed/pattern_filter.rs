//! Drops labels that are not tickets: they may be anything, including a visitor's name.

use crate::config::NodeConfig;
use crate::model::{Label, Pattern, QueueId, QueueState, Source};
use crate::state::SavedState;

/// Says what is wrong with the tickets of a message that do not look as configured. A label is told
/// by its length alone.
#[must_use]
pub fn pattern_mismatch(state: &QueueState, pattern: &Pattern) -> Option<String> {
    let ticket = tickets(state).find(|ticket| !pattern.fits(ticket.as_str()))?;
    let chars = ticket.as_str().chars().count();
    Some(format!(
        "a ticket of {chars} characters: expected one that matches `pattern` of its [[queue]]"
    ))
}

fn tickets(state: &QueueState) -> impl Iterator<Item = &Label> {
    let serving = state.now_serving.iter().map(|s| &s.ticket);
    let calls = state.calls.iter().map(|c| &c.ticket);
    serving.chain(calls).chain(&state.next).chain(&state.held)
}

/// Filters saved state by the current ticket patterns: an older version, or another configuration,
/// may have saved anything.
#[derive(Debug)]
pub struct PatternFilter<'a> {
    config: &'a NodeConfig,
    /// Where the numbers of each queue came from.
    sources: Vec<(QueueId, Source)>,
}

impl<'a> PatternFilter<'a> {
    /// Holds labels against this configuration, with the sources of what was kept.
    #[must_use]
    pub fn new(kept: &SavedState, config: &'a NodeConfig) -> Self {
        let sources = kept.queues.iter().map(|k| (k.queue.clone(), k.source));
        Self {
            config,
            sources: sources.collect(),
        }
    }

    /// Whether a queue's ticket would be taken today. A queue of which nothing was kept is held
    /// against its pattern, where it has one.
    #[must_use]
    pub fn takes(&self, queue: &QueueId, ticket: &Label) -> bool {
        let (config, ticket) = (self.config, ticket.as_str());
        let rules = || {
            let all = config.adapters.iter().flat_map(|a| &a.rules);
            all.filter(|rule| rule.queue == *queue)
        };
        let source = self.sources.iter().find(|(id, _)| id == queue);
        match source.map_or(Source::Feed, |(_, source)| *source) {
            // Where its adapter was taken away, what is kept is held against what is left.
            Source::Adapter if rules().next().is_none() => config
                .patterns
                .get(queue)
                .map_or_else(|| Pattern::is_standard(ticket), |p| p.fits(ticket)),
            Source::Adapter => rules().any(|rule| rule.fits(ticket)),
            Source::Feed => config.patterns.get(queue).is_none_or(|p| p.fits(ticket)),
            Source::Camera => true,
        }
    }

    /// Leaves out of what was kept whatever would not be taken today.
    #[must_use]
    pub fn of(&self, mut kept: SavedState) -> SavedState {
        kept.calls.retain(|k| self.takes(&k.queue, &k.call.ticket));
        for k in &mut kept.queues {
            let fits = |ticket: &Label| self.takes(&k.queue, ticket);
            let state = &mut k.state;
            state.calls.retain(|call| fits(&call.ticket));
            state.next.retain(fits);
            state.held.retain(fits);
            state.now_serving = state.now_serving.take().filter(|s| fits(&s.ticket));
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_node;
    use crate::state::{SavedCall, SavedQueue};
    use crate::wire::feed::FeedMessage;
    use std::path::Path;

    fn config(pattern: &str) -> NodeConfig {
        let text = format!(
            r#"office = {{ id = "chuo", name = {{ ja = "中央区" }} }}
            node = {{ id = "n1" }}
            mqtt = {{ url = "mqtt://127.0.0.1" }}
            [[queue]]
            id = "a"
            name = {{ ja = "あ" }}
            {pattern}
            [[adapter]]
            topic = "hall"
            [[adapter.queue]]
            queue = "a"
            number = "/now""#
        );
        parse_node(&text, "node.toml", Path::new(".")).unwrap()
    }

    fn fitting(kept: SavedState, config: &NodeConfig) -> SavedState {
        PatternFilter::new(&kept, config).of(kept)
    }

    fn state() -> QueueState {
        let json = r#"{"seq":1,"at":"2026-11-24T10:42:07+09:00","day":"2026-11-24","status":"open",
            "waiting":2,"on_hold":0,"next":["山田花子","A043"],"calls":[
            {"no":2,"ticket":"山田太郎","counter":"3","at":"2026-11-24T10:42:00+09:00","kind":"call"},
            {"no":1,"ticket":"A042","counter":"3","at":"2026-11-24T10:41:00+09:00","kind":"call"}],
            "now_serving":{"ticket":"山田太郎","counter":"3"}}"#;
        FeedMessage::decode(json.as_bytes()).unwrap().into()
    }

    fn kept(source: Source) -> SavedState {
        let (queue, state) = (QueueId::new("a").unwrap(), state());
        let call = |call: &crate::model::Call| SavedCall {
            queue: queue.clone(),
            day: state.day,
            epoch: 0,
            call: call.clone(),
            shown: true,
        };
        SavedState {
            calls: state.calls.iter().rev().map(call).collect(),
            queues: vec![SavedQueue {
                queue: queue.clone(),
                epoch: 0,
                source,
                last_no: 2,
                dated: true,
                state,
            }],
        }
    }

    #[test]
    fn a_name_that_was_kept_comes_back_on_no_board_and_in_no_report() {
        let after = fitting(kept(Source::Adapter), &config(""));
        let all = format!("{after:?}");
        assert!(
            !all.contains("山田") && all.contains("A042") && all.contains("A043"),
            "{all}"
        );
        assert_eq!(after.queues[0].last_no, 2, "counts go on where they were");
    }

    #[test]
    fn the_offices_own_feed_is_held_against_a_pattern_where_one_is_set() {
        assert_eq!(fitting(kept(Source::Feed), &config("")), kept(Source::Feed));
        let strict = config(r#"pattern = "[A-Z][0-9]{3}""#);
        assert_ne!(fitting(kept(Source::Feed), &strict), kept(Source::Feed));
        let pattern = &strict.patterns[&QueueId::new("a").unwrap()];
        let told = pattern_mismatch(&state(), pattern).expect("a misfit");
        assert!(
            told.contains("4 characters") && !told.contains("山田"),
            "{told}"
        );
    }
}
