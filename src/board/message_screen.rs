//! Boards without numbers: black, "out of service", and the last picture before a shutdown.
//!
//! What stays on the screen while nobody draws must not look like live numbers.

use super::layout::is_portrait;
use super::scene::{Cell, Scene, cut_top, inset};
use super::text::{Align, Fit, Run, Text};
use super::theme::Ink;
use super::words;
use crate::clock::Now;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use jiff::tz::TimeZone;

/// What is said large, in Japanese: under adjustment.
const WORD: &str = "調整中";
/// What is said below it.
const LINE: &str = "この表示はただいま休止しています";
/// … and what to do.
const ADVICE: &str = "窓口の案内をお聞きください";
/// The same for those who read no Japanese.
const ENGLISH: &str = "Out of service. Please listen for the announcements.";

/// What is said large while the machine switches off.
const SHUTDOWN: &str = "電源を切っています";

/// A few words where numbers would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageScreen {
    /// What is said large, in a few characters.
    pub word: String,
    /// What is said below it.
    pub line: String,
    /// … and what to do.
    pub advice: String,
    /// The same for those who read no Japanese.
    pub english: String,
}

impl MessageScreen {
    /// What is shown from the moment a node stops until it draws again.
    pub(super) fn out_of_service() -> Self {
        Self {
            word: WORD.into(),
            line: LINE.into(),
            advice: ADVICE.into(),
            english: ENGLISH.into(),
        }
    }

    /// What is shown while the machine switches off or starts again: since when, if the clock can
    /// be believed.
    #[must_use]
    pub fn shutdown(now: Now, zone: &TimeZone) -> Self {
        let (line, since) = if now.synced {
            let clock = words::clock(now.wall, zone);
            (
                format!("{clock}に表示を終了しました"),
                format!(" at {clock}"),
            )
        } else {
            ("表示を終了しました".into(), String::new())
        };
        Self {
            word: SHUTDOWN.into(),
            line,
            advice: ADVICE.into(),
            english: format!("Switched off{since}. Please listen for the announcements."),
        }
    }
}

/// A slate's words in the middle of a board.
pub(super) fn scene(slate: &MessageScreen, size: Size) -> Scene {
    let all = Rectangle::new(Point::zero(), size);
    let height = |share: u32| i32::try_from(size.height * share / 100).unwrap_or(i32::MAX);
    let margin = i32::try_from(size.width / 16).unwrap_or(0);
    let short = size.width.min(size.height);
    #[allow(clippy::cast_precision_loss)] // a side of a frame
    let em = |percent: u32| (short * percent) as f32 / 100.0;
    // In portrait the width is the short side, and the lines need less of the height.
    let (top, word, line) = if is_portrait(size) {
        (34, 14, 5)
    } else {
        (22, 26, 10)
    };
    let (_, rest) = cut_top(&inset(&all, margin, 0), height(top));
    let (word_at, rest) = cut_top(&rest, height(word));
    let (_, rest) = cut_top(&rest, height(line) / 2);
    let (line_at, rest) = cut_top(&rest, height(line));
    let (advice_at, rest) = cut_top(&rest, height(line));
    let (english_at, _) = cut_top(&rest, height(line));
    let text = |area: Rectangle, run: Run| {
        let ground = Ink::Ground;
        Cell::new(area, ground).text(Text {
            area,
            runs: vec![run],
            align: Align::Centre,
            fit: Fit::Shrink,
        })
    };
    Scene {
        grounds: vec![(all, Ink::Ground)],
        cells: vec![
            text(word_at, Run::bold(&slate.word, em(22), Ink::Text)),
            text(line_at, Run::new(&slate.line, em(6), Ink::Text)),
            text(advice_at, Run::new(&slate.advice, em(6), Ink::Text)),
            text(english_at, Run::new(&slate.english, em(4), Ink::Muted)),
        ],
    }
}
