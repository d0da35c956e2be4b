//! What the video shows at one moment: a board of one office, or a slate.
//!
//! Pure but for its memory of whose turn it is: same news at the same times, same pixels.

use super::news::{News, StreamOffice};
use crate::board::{BoardError, Painter, Slate, TURN};
use crate::clock::Now;
use crate::config::{BoardConfig, OutputConfig, StreamConfig};
use crate::model::{Name, OfficeId};
use crate::output::Frame;
use crate::state::{PanelSettings, Settings};
use jiff::civil::Time;
use std::time::Duration;

/// Draws offices in turn into one frame.
#[derive(Debug)]
pub struct Composer {
    offices: Option<Vec<OfficeId>>,
    turn: Duration,
    painter: Painter,
    frame: Frame,
    /// The slate that is shown, if it is one.
    slate: Option<Slate>,
    /// Whose turn it is, and since when (monotonic).
    on_show: Option<(OfficeId, Duration)>,
}

impl Composer {
    /// Prepares the picture of a stream.
    ///
    /// # Errors
    /// [`BoardError`] when the board's design cannot be read.
    pub fn new(config: &StreamConfig) -> Result<Self, BoardError> {
        let mut state = Settings::new(Vec::new());
        // Whether an office is not open yet is decided by what it reports.
        state.hours.0 = Time::midnight();
        let board = board(config);
        Ok(Self {
            offices: config.offices.clone(),
            turn: config.turn,
            painter: Painter::new(&Name::default(), &state, &board)?,
            frame: Frame::new(config.size.0, config.size.1),
            slate: None,
            on_show: None,
        })
    }

    /// Draws what is to be seen at `now`; `None` when that is what was drawn before.
    pub fn compose(&mut self, news: &News, now: Now) -> Option<&Frame> {
        if !news.line {
            return self.show_slate(lost(news, now));
        }
        let offices = self.eligible(news);
        let Some((office, page)) = self.choose(&offices, now) else {
            return self.show_slate(nothing());
        };
        self.painter.rename(&office.name);
        let view = self.painter.view(
            &office.snapshot(now),
            &office.panel(now),
            at_page(now, page),
        );
        if self.slate.take().is_some() {
            self.painter.forget();
        }
        let damage = self.painter.draw(&view, &mut self.frame);
        (!damage.is_empty()).then_some(&self.frame)
    }

    /// Offices that may be shown, in the order of their turns.
    fn eligible<'a>(&self, news: &'a News) -> Vec<&'a StreamOffice> {
        let there = |o: &&StreamOffice| !o.queues.is_empty();
        match &self.offices {
            None => news.offices.iter().filter(there).collect(),
            Some(ids) => ids
                .iter()
                .filter_map(|id| news.offices.iter().find(|o| o.id == *id))
                .filter(there)
                .collect(),
        }
    }

    /// The office whose turn it is, and the page of its queues. Every page has a whole turn.
    fn choose<'a>(
        &mut self,
        offices: &[&'a StreamOffice],
        now: Now,
    ) -> Option<(&'a StreamOffice, u32)> {
        let known = self
            .on_show
            .as_ref()
            .and_then(|(id, since)| Some((offices.iter().position(|o| o.id == *id)?, *since)));
        let (mut index, mut since) = known.unwrap_or((0, now.mono));
        let office = offices.get(index)?;
        let mut pages = self.pages(office, now);
        let mut turns = turns(now.since(since), self.turn);
        if turns >= pages && offices.len() > 1 {
            index = (index + 1) % offices.len();
            since = now.mono;
            turns = 0;
            pages = self.pages(offices[index], now);
        }
        let office = offices[index];
        self.on_show = Some((office.id.clone(), since));
        Some((office, turns % pages))
    }

    fn pages(&self, office: &StreamOffice, now: Now) -> u32 {
        let view = self
            .painter
            .view(&office.snapshot(now), &office.panel(now), at_page(now, 0));
        u32::try_from(view.pages()).unwrap_or(1).max(1)
    }

    fn show_slate(&mut self, slate: Slate) -> Option<&Frame> {
        self.on_show = None;
        if self.slate.as_ref() == Some(&slate) {
            return None;
        }
        self.painter.slate(&slate, &mut self.frame);
        self.slate = Some(slate);
        Some(&self.frame)
    }
}

/// The board that a stream looks like.
fn board(config: &StreamConfig) -> BoardConfig {
    BoardConfig {
        id: config.id.clone(),
        size: config.size,
        layout: None,
        queues: None,
        output: OutputConfig::None,
        on: None,
        panel: PanelSettings {
            min_show: Duration::ZERO, // nothing blinks: each blink would cost a conversion
            ..PanelSettings::default()
        },
        notices: Vec::new(),
        page_url: config.page_url.clone(),
    }
}

/// A board turns its pages by the monotonic time; here each has a turn of its own.
fn at_page(now: Now, page: u32) -> Now {
    Now {
        mono: TURN * page,
        ..now
    }
}

/// How many whole turns have passed.
fn turns(passed: Duration, turn: Duration) -> u32 {
    let turns = passed.as_millis() / turn.as_millis().max(1);
    u32::try_from(turns).unwrap_or(u32::MAX)
}

/// Said while the broker is not heard: no number is current, so none is shown.
fn lost(news: &News, now: Now) -> Slate {
    let newest = news
        .offices
        .iter()
        .flat_map(|o| &o.queues)
        .filter_map(|q| q.as_of)
        .max_by_key(|t| t.at);
    let (line, english) = match newest {
        Some(at) => {
            let at = at.zoned();
            let today = now.synced && now.wall.to_zoned(at.time_zone().clone()).date() == at.date();
            let time = format!("{}:{:02}", at.hour(), at.minute());
            let (day, day_in_english) = if today {
                (String::new(), String::new())
            } else {
                (
                    format!("{}月{}日 ", at.month(), at.day()),
                    at.strftime(" on %B %-d").to_string(),
                )
            };
            (
                format!("最後の情報は {day}{time} のものです"),
                format!("No numbers are coming in; the last ones were of {time}{day_in_english}."),
            )
        }
        None => (
            "各窓口からの情報を受信できません".to_owned(),
            "No numbers are coming in.".to_owned(),
        ),
    };
    Slate {
        word: "受信待ち".into(),
        line,
        advice: "復旧するまでこのままお待ちください".into(),
        english,
    }
}

/// Said while no office has numbers.
fn nothing() -> Slate {
    Slate {
        word: "準備中".into(),
        line: "表示できる窓口の情報がまだありません".into(),
        advice: "情報が届くと表示を始めます".into(),
        english: "No office has sent numbers yet.".into(),
    }
}
