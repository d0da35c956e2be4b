//! `[[board]]`: the boards of a node.

use super::check::Check;
use super::doc::At;
use super::hint;
use super::problem::ProblemKind;
use super::raw::{NameTable, RawBoard, RawCalls, RawOffice};
use super::{BoardConfig, OutputConfig};
use crate::model::{BoardId, Name, QueueId};
use crate::state::HighlightSettings;
use std::time::Duration;

/// More boards than a box can have outputs.
const MAX_BOARDS: usize = 16;
/// Full HD, the size of most displays.
const DEFAULT_SIZE: (u32, u32) = (1920, 1080);
/// Fewest pixels a side: two 8 × 8 LED modules.
const MIN_SIDE: u32 = 16;
/// Most pixels a side.
const MAX_SIDE: u32 = 8192;
/// Most pixels in all: 7680 × 4320. A frame of it takes 100 MB.
const MAX_PIXELS: u64 = 7680 * 4320;
/// More notices than anybody reads while waiting.
const MAX_NOTICES: usize = 32;

/// The layouts that come with the program; a test holds them against `assets/boards`.
const LAYOUTS: [&str; 3] = ["dark", "light", "led"];

impl Check<'_> {
    pub(super) fn boards(
        &mut self,
        raw: &[RawBoard],
        office: &RawOffice,
        queues: &[QueueId],
    ) -> Vec<BoardConfig> {
        let at = At::root().key("board");
        let office_at = At::root().key("office");
        let office_notices = self.notices(&office_at.key("notices"), office.notices.as_deref());
        let office_url = office
            .page_url
            .as_deref()
            .and_then(|url| self.page_url(&office_at.key("page_url"), url));
        if raw.len() > MAX_BOARDS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_BOARDS),
                ProblemKind::TooMany,
                format_args!("{n} boards: expected at most {MAX_BOARDS} a node"),
            );
        }
        let mut boards: Vec<BoardConfig> = Vec::new();
        for (i, board) in raw.iter().enumerate().take(MAX_BOARDS) {
            let at = at.index(i);
            let Some(mut board) = self.board(&at, board, queues) else {
                continue;
            };
            if let Some(first) = boards.iter().position(|b| b.id == board.id) {
                self.wrong_as(
                    &at.key("id"),
                    ProblemKind::Duplicate,
                    format_args!("same id as board[{first}]: expected each id once"),
                );
            }
            if let Some(first) = boards
                .iter()
                .position(|b| same_file(&b.output, &board.output))
            {
                self.wrong_as(
                    &at.key("output").key("path"),
                    ProblemKind::Duplicate,
                    format_args!("same file as board[{first}]: expected one file a board"),
                );
            }
            if let Some(first) = boards
                .iter()
                .position(|b| same_connector(&b.output, &board.output))
            {
                self.wrong_as(
                    &at.key("output").key("connector"),
                    ProblemKind::Duplicate,
                    format_args!("same connector as board[{first}]: expected one a board"),
                );
            }
            if raw[i].notices.is_none() {
                board.notices.clone_from(&office_notices);
            }
            if raw[i].page_url.is_none() {
                board.page_url.clone_from(&office_url);
            }
            boards.push(board);
        }
        boards
    }

    fn board(&mut self, at: &At, raw: &RawBoard, queues: &[QueueId]) -> Option<BoardConfig> {
        let id: Option<BoardId> = self.id(&at.key("id"), raw.id.as_deref());
        let output = self.output(&at.key("output"), raw.output.as_ref(), queues);
        let panel_size = output.as_ref().and_then(OutputConfig::panel_size);
        let on_its_side = matches!(&output, Some(OutputConfig::Hdmi(h)) if h.rotate.swaps());
        let size = match (&raw.size, panel_size) {
            (Some(size), Some(panel)) => self.same_size(&at.key("size"), size, panel),
            (None, Some(panel)) => Some(panel),
            (Some(size), None) => self.size(&at.key("size"), size),
            (None, None) if on_its_side => Some((DEFAULT_SIZE.1, DEFAULT_SIZE.0)),
            (None, None) => Some(DEFAULT_SIZE),
        };
        let lit_hours = match &raw.lit_hours {
            Some(hours) => self.hours(&at.key("lit_hours"), hours),
            None => None,
        };
        let led = output.as_ref().is_some_and(OutputConfig::is_led);
        let layout = if led { "led" } else { "dark" };
        let layout = raw.layout.as_deref().unwrap_or(layout);
        let layout = self.named_or_file(&at.key("layout"), layout, &LAYOUTS);
        let shown = raw
            .queues
            .as_deref()
            .map(|ids| self.shown(&at.key("queues"), ids, queues));
        let usual = match layout.as_deref() {
            Some("led") => in_turn(),
            _ => HighlightSettings::default(),
        };
        let highlight = self.highlight(&at.key("calls"), raw.calls.as_ref(), usual);
        let notices = self.notices(&at.key("notices"), raw.notices.as_deref());
        let page_url = raw
            .page_url
            .as_deref()
            .and_then(|url| self.page_url(&at.key("page_url"), url));
        Some(BoardConfig {
            id: id?,
            size: size?,
            layout,
            queues: shown,
            output: output?,
            lit_hours,
            highlight,
            notices,
            page_url,
        })
    }

    /// A size that follows from the panels, and was given all the same.
    fn same_size(&mut self, at: &At, raw: &[i64], panel: (u32, u32)) -> Option<(u32, u32)> {
        let (width, height) = panel;
        let same = *raw == [i64::from(width), i64::from(height)];
        if !same {
            self.wrong(
                at,
                format_args!("expected [{width}, {height}] as its panels have, or no such key"),
            );
        }
        same.then_some(panel)
    }

    fn size(&mut self, at: &At, raw: &[i64]) -> Option<(u32, u32)> {
        let side = |n: i64| {
            u32::try_from(n)
                .ok()
                .filter(|n| (MIN_SIDE..=MAX_SIDE).contains(n))
        };
        let size = match raw {
            [w, h] => side(*w).zip(side(*h)),
            _ => None,
        };
        let Some((w, h)) = size else {
            self.wrong(
                at,
                format_args!("expected width and height in pixels, each from {MIN_SIDE} to {MAX_SIDE}, such as [1920, 1080]"),
            );
            return None;
        };
        if u64::from(w) * u64::from(h) > MAX_PIXELS {
            self.wrong(
                at,
                format_args!("expected at most {MAX_PIXELS} pixels, as in [7680, 4320]"),
            );
            return None;
        }
        Some((w, h))
    }

    pub(super) fn shown(&mut self, at: &At, raw: &[String], queues: &[QueueId]) -> Vec<QueueId> {
        if raw.is_empty() {
            self.wrong(
                at,
                "no queue in it: expected at least one, or no such key for all",
            );
        }
        let mut shown: Vec<QueueId> = Vec::new();
        for (i, id) in raw.iter().enumerate() {
            let at = at.index(i);
            let Some(queue) = self.known_queue(&at, id, queues) else {
                continue;
            };
            if shown.contains(&queue) {
                self.wrong_as(
                    &at,
                    ProblemKind::Duplicate,
                    "twice: expected each queue once",
                );
            } else {
                shown.push(queue);
            }
        }
        shown
    }

    /// A queue that the office has.
    pub(super) fn known_queue(
        &mut self,
        at: &At,
        raw: &str,
        queues: &[QueueId],
    ) -> Option<QueueId> {
        let known = queues.iter().find(|q| q.as_str() == raw).cloned();
        if known.is_none() {
            let words: Vec<&str> = queues.iter().map(QueueId::as_str).collect();
            let hint = hint::nearest(raw, words.iter().copied());
            self.problem(
                at,
                ProblemKind::NoSuch,
                format_args!("no such queue: expected {}", hint::one_of(&words)),
                hint,
            );
        }
        known
    }

    fn highlight(
        &mut self,
        at: &At,
        raw: Option<&RawCalls>,
        defaults: HighlightSettings,
    ) -> HighlightSettings {
        const MINUTES: fn(u64) -> Duration = |n| Duration::from_secs(n * 60);
        let empty = RawCalls::default();
        let raw = raw.unwrap_or(&empty);
        let min_highlight = self.duration(
            &at.key("min_highlight"),
            raw.min_highlight.as_ref(),
            defaults.min_highlight,
            Duration::from_secs(1)..=MINUTES(10),
        );
        let max_highlighted = self.count(
            &at.key("max_highlighted"),
            raw.max_highlighted,
            defaults.max_highlighted,
            1..=12,
        );
        HighlightSettings {
            min_highlight,
            max_highlight: self.duration(
                &at.key("max_highlight"),
                raw.max_highlight.as_ref(),
                defaults.max_highlight.max(min_highlight),
                min_highlight..=MINUTES(60),
            ),
            max_highlighted,
            max_highlighted_peak: self.count(
                &at.key("max_highlighted_peak"),
                raw.max_highlighted_peak,
                defaults.max_highlighted_peak.max(max_highlighted),
                max_highlighted..=24,
            ),
            max_backlog: self.duration(
                &at.key("max_backlog"),
                raw.max_backlog.as_ref(),
                defaults.max_backlog,
                Duration::ZERO..=MINUTES(10),
            ),
            recent_calls: self.count(
                &at.key("recent_calls"),
                raw.recent_calls,
                defaults.recent_calls,
                0..=50,
            ),
        }
    }

    fn notices(&mut self, at: &At, raw: Option<&[NameTable]>) -> Vec<Name> {
        let raw = raw.unwrap_or_default();
        if raw.len() > MAX_NOTICES {
            let n = raw.len();
            self.wrong_as(
                at,
                ProblemKind::TooMany,
                format_args!("{n} notices: expected at most {MAX_NOTICES}"),
            );
        }
        let checked = raw.iter().enumerate().take(MAX_NOTICES);
        checked
            .filter_map(|(i, text)| self.name(&at.index(i), Some(text)))
            .collect()
    }
}

fn same_connector(a: &OutputConfig, b: &OutputConfig) -> bool {
    matches!((a, b), (OutputConfig::Hdmi(a), OutputConfig::Hdmi(b))
        if a.connector.is_some() && a.connector == b.connector)
}

/// On a panel of light points calls have turns instead of places: as many as have two seconds each
/// of the shortest time, and never so many at once that nobody can read them.
fn in_turn() -> HighlightSettings {
    let usual = HighlightSettings::default();
    HighlightSettings {
        max_highlighted: usual.max_highlighted_peak,
        max_backlog: Duration::from_secs(600),
        ..usual
    }
}

fn same_file(a: &OutputConfig, b: &OutputConfig) -> bool {
    matches!((a, b), (OutputConfig::Png { path: a }, OutputConfig::Png { path: b }) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_layouts_are_those_that_come_along() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/boards");
        let files = std::fs::read_dir(folder).expect("assets/boards");
        let names: BTreeSet<String> = files
            .map(|f| f.expect("file").file_name().into_string().expect("UTF-8"))
            .filter_map(|f| f.strip_suffix(".toml").map(str::to_owned))
            .collect();
        let wanted = LAYOUTS.iter().filter(|l| **l != "led"); // drawn by its own rules
        assert_eq!(names, wanted.map(|l| (*l).to_owned()).collect());
    }

    fn board(output: &str) -> BoardConfig {
        let text = format!(
            "office = {{ id = \"chuo\", name = {{ ja = \"中央区\" }} }}\nnode = {{ id = \"n1\" }}
            mqtt = {{ url = \"mqtt://127.0.0.1\" }}
            queue = [{{ id = \"moving\", name = {{ ja = \"住所変更\" }} }}]
            board = [{{ id = \"main\", output = {output} }}]"
        );
        let config = crate::config::parse_node(&text, "node.toml", std::path::Path::new("/"));
        config.expect("valid").boards.remove(0)
    }

    #[test]
    fn a_board_of_led_panels_has_their_size_and_shows_calls_in_turn() {
        for (output, size) in [
            ("{ kind = \"max7219\", modules = [8, 2] }", (64, 16)),
            ("{ kind = \"hub75\", chain = 2 }", (128, 32)),
            ("{ kind = \"hub75\", rows = 64 }", (64, 64)),
        ] {
            let board = board(output);
            assert_eq!(board.size, size, "{output}");
            assert_eq!(board.layout.as_deref(), Some("led"));
            assert_eq!(
                board.highlight.max_highlighted,
                board.highlight.max_highlighted_peak
            );
        }
        let board = board("{ kind = \"none\" }");
        assert_eq!(board.size, DEFAULT_SIZE);
        assert_eq!(board.highlight, HighlightSettings::default());
    }
}
