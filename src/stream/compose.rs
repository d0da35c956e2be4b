//! What the video shows at one moment: a board of one office, a picture of one, or a slate.
//!
//! Pure but for its memory of whose turn it is: same content at the same times, same pixels.

use super::content::{PictureKind, StreamContent, StreamOffice, StreamPicture};
use super::picture;
use crate::board::{BoardError, Caption, MessageScreen, Painter, TURN};
use crate::clock::Now;
use crate::config::{BoardConfig, OutputConfig, StreamConfig, StreamShow};
use crate::frame::Frame;
use crate::model::{Name, OfficeId};
use crate::state::{HighlightSettings, Settings};
use jiff::civil::Time;
use std::sync::Arc;
use std::time::Duration;

/// Draws offices in turn into one frame.
#[derive(Debug)]
pub struct Composer {
    offices: Option<Vec<OfficeId>>,
    show: Vec<StreamShow>,
    turn: Duration,
    painter: Painter,
    frame: Frame,
    shown: FrameContent,
    /// Whose turn it is, and since when (monotonic).
    current_office: Option<(OfficeId, Duration)>,
}

/// What the frame holds.
#[derive(Debug, PartialEq, Eq)]
enum FrameContent {
    /// Numbers, which the painter knows.
    Numbers,
    MessageScreen(MessageScreen),
    /// A picture by its hash, and what is said around it.
    Picture(Arc<str>, Caption),
}

/// What has a turn.
#[derive(Debug, Clone, Copy)]
enum Page<'a> {
    /// A page of an office's queues.
    Numbers(u32),
    Picture(&'a StreamPicture),
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
        let (width, height) = config.video.size;
        Ok(Self {
            offices: config.offices.clone(),
            show: config.show.clone(),
            turn: config.turn,
            painter: Painter::new(&Name::default(), &state, &board)?,
            frame: Frame::new(width, height),
            shown: FrameContent::Numbers,
            current_office: None,
        })
    }

    /// Width and height of the picture in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.frame.width(), self.frame.height())
    }

    /// Draws what is to be seen at `now`; `None` when that is what was drawn before.
    pub fn compose(&mut self, content: &StreamContent, now: Now) -> Option<&Frame> {
        if !content.broker_connected {
            return self.show_slate(disconnected_slate(content, now));
        }
        let Some((office, page)) = self.choose(content, now) else {
            return self.show_slate(empty_slate());
        };
        match page {
            Page::Numbers(page) => self.show_numbers(office, page, now),
            Page::Picture(picture) => self.show_picture(office, picture, now),
        }
    }

    /// Offices that may be shown with their pages, in the order of their turns.
    fn eligible<'a>(
        &self,
        content: &'a StreamContent,
        now: Now,
    ) -> Vec<(&'a StreamOffice, Vec<Page<'a>>)> {
        let offices: Vec<&StreamOffice> = match &self.offices {
            None => content.offices.iter().collect(),
            Some(ids) => ids
                .iter()
                .filter_map(|id| content.offices.iter().find(|o| o.id == *id))
                .collect(),
        };
        offices
            .into_iter()
            .map(|office| (office, self.pages(office, now)))
            .filter(|(_, pages)| !pages.is_empty())
            .collect()
    }

    /// The office whose turn it is, and its page. Every page has a whole turn.
    fn choose<'a>(
        &mut self,
        content: &'a StreamContent,
        now: Now,
    ) -> Option<(&'a StreamOffice, Page<'a>)> {
        let offices = self.eligible(content, now);
        let known = self
            .current_office
            .as_ref()
            .and_then(|(id, since)| Some((offices.iter().position(|(o, _)| o.id == *id)?, *since)));
        let (mut index, mut since) = known.unwrap_or((0, now.mono));
        let pages = offices.get(index)?.1.len();
        let mut turns = turns(now.since(since), self.turn);
        if turns >= pages && offices.len() > 1 {
            index = (index + 1) % offices.len();
            since = now.mono;
            turns = 0;
        }
        let (office, pages) = &offices[index];
        self.current_office = Some((office.id.clone(), since));
        Some((office, pages[turns % pages.len()]))
    }

    fn pages<'a>(&self, office: &'a StreamOffice, now: Now) -> Vec<Page<'a>> {
        let mut pages = Vec::new();
        for show in &self.show {
            let kind = match show {
                StreamShow::Numbers if office.queues.is_empty() => continue,
                StreamShow::Numbers => {
                    let at = at_page(now, 0);
                    let view = self
                        .painter
                        .view(&office.snapshot(now), &office.panel(now), at);
                    let n = u32::try_from(view.pages()).unwrap_or(1).max(1);
                    pages.extend((0..n).map(Page::Numbers));
                    continue;
                }
                StreamShow::Boards => PictureKind::Board,
                StreamShow::Cameras => PictureKind::Camera,
            };
            let of_kind = office.pictures.iter().filter(|p| p.kind == kind);
            pages.extend(of_kind.map(Page::Picture));
        }
        pages
    }

    fn show_numbers(&mut self, office: &StreamOffice, page: u32, now: Now) -> Option<&Frame> {
        self.painter.rename(&office.name);
        let view = self.painter.view(
            &office.snapshot(now),
            &office.panel(now),
            at_page(now, page),
        );
        self.shown = FrameContent::Numbers;
        let damage = self.painter.draw(&view, &mut self.frame);
        (!damage.is_empty()).then_some(&self.frame)
    }

    fn show_picture(
        &mut self,
        office: &StreamOffice,
        picture: &StreamPicture,
        now: Now,
    ) -> Option<&Frame> {
        // What it is called depends on whether it can be decoded, which costs more than to ask
        // whether it is still the same.
        let same = |there| {
            let caption = picture::caption(&office.name, picture, there, now);
            self.shown == FrameContent::Picture(Arc::clone(&picture.sha256), caption)
        };
        if same(true) || same(false) {
            return None;
        }
        let decoded = picture::decode(picture);
        let caption = picture::caption(&office.name, picture, decoded.is_some(), now);
        let area = self.painter.frame(&caption, &mut self.frame);
        if let Some(decoded) = decoded {
            picture::draw_fitted(&decoded, &area, &mut self.frame);
        }
        self.shown = FrameContent::Picture(Arc::clone(&picture.sha256), caption);
        Some(&self.frame)
    }

    fn show_slate(&mut self, slate: MessageScreen) -> Option<&Frame> {
        self.current_office = None;
        let shown = FrameContent::MessageScreen(slate);
        if self.shown == shown {
            return None;
        }
        if let FrameContent::MessageScreen(slate) = &shown {
            self.painter.message_screen(slate, &mut self.frame);
        }
        self.shown = shown;
        Some(&self.frame)
    }
}

/// The board that a stream looks like.
fn board(config: &StreamConfig) -> BoardConfig {
    BoardConfig {
        id: config.video.id.clone(),
        size: config.video.size,
        layout: None,
        queues: None,
        output: OutputConfig::None,
        lit_hours: None,
        highlight: HighlightSettings {
            min_highlight: Duration::ZERO, // nothing blinks: each blink would cost a conversion
            ..HighlightSettings::default()
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
fn turns(passed: Duration, turn: Duration) -> usize {
    let turns = passed.as_millis() / turn.as_millis().max(1);
    usize::try_from(turns).unwrap_or(usize::MAX)
}

/// Shown while there is no connection to the broker: no number is current, so none is shown.
fn disconnected_slate(content: &StreamContent, now: Now) -> MessageScreen {
    let newest = content
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
    MessageScreen {
        word: "受信待ち".into(),
        line,
        advice: "復旧するまでこのままお待ちください".into(),
        english,
    }
}

/// Said while no office has numbers.
fn empty_slate() -> MessageScreen {
    MessageScreen {
        word: "準備中".into(),
        line: "表示できる窓口の情報がまだありません".into(),
        advice: "情報が届くと表示を始めます".into(),
        english: "No office has sent numbers yet.".into(),
    }
}
