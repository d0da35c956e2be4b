//! What people in the waiting area look at: a view to pixels.
//!
//! Three steps, each a plain function of the one before: [`View`] (strings and flags of one moment)
//! → a scene (which cell stands where, in numbers) → pixels in a [`Frame`]. Same input, same
//! pixels. Time comes in with [`Now`]. Knows no device, no network, no file but its designs.
//!
//! Layouts and colours are data: `assets/boards`, or a file of the installer.

mod design;
mod digits;
mod draw;
mod layout;
mod led;
mod message_screen;
mod missing_glyphs;
mod picture;
mod plan;
mod scene;
mod setup_screen;
mod text;
mod theme;
mod view;
mod widgets;
mod words;

pub use design::{BoardError, NAMES as DESIGNS};
pub use digits::{Digits, MAX_PENDING};
pub use message_screen::MessageScreen;
pub use picture::Caption;
pub use setup_screen::{Line, Mark, SetupScreen};
pub use theme::{MIN_AREA_CONTRAST, MIN_TEXT_CONTRAST};
pub use view::{Row, Setting, TURN, View};

use crate::clock::Now;
use crate::config::BoardConfig;
use crate::frame::Frame;
use crate::model::Name;
use crate::state::{HighlightView, Settings, Snapshot};
use design::Design;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;
use led::Led;
use scene::Scene;
use std::time::Duration;
use text::Fonts;

/// The name of the layout for panels of light points, which are drawn by rules of their own.
const LED: &str = "led";

/// Draws one board, and knows what it drew last.
///
/// Costs about 5 MB of glyph pictures at 4K, which are kept between drawings; the fonts
/// themselves stay in the program's file.
#[derive(Debug)]
pub struct Painter {
    setting: Setting,
    kind: Kind,
    missing_glyphs: missing_glyphs::MissingGlyphs,
}

/// What is drawn on.
#[derive(Debug)]
enum Kind {
    Screen(Box<Screen>),
    Led(Led),
}

/// Draws for a screen of many pixels.
#[derive(Debug)]
struct Screen {
    design: Design,
    fonts: Fonts,
    /// What the frame shows that was drawn last.
    drawn: Option<LastFrame>,
}

/// What a frame shows.
#[derive(Debug)]
struct LastFrame {
    size: Size,
    /// Kept because comparing two views costs microseconds, and laying one out a hundred times that.
    view: View,
    scene: Scene,
}

impl Painter {
    /// Prepares a board of the configuration.
    ///
    /// # Errors
    /// [`BoardError`] when the board's layout cannot be read or is wrong, or a font is not there.
    pub fn new(office: &Name, state: &Settings, board: &BoardConfig) -> Result<Self, BoardError> {
        let (kind, rows) = if board.layout.as_deref() == Some(LED) {
            // All queues have their turn, and each is a page of its own.
            (Kind::Led(Led::new(board.size, board.highlight)), usize::MAX)
        } else {
            let design = Design::load(board.layout.as_deref())?;
            let geometry = if layout::is_portrait(Size::new(board.size.0, board.size.1)) {
                &design.portrait
            } else {
                &design.landscape
            };
            let rows = geometry.rows.iter().map(|r| usize::from(r.queues)).max();
            let screen = Screen {
                design,
                fonts: Fonts::new()?,
                drawn: None,
            };
            (Kind::Screen(Box::new(screen)), rows.unwrap_or(1))
        };
        Ok(Self {
            setting: Setting::new(office, state, board, rows),
            kind,
            missing_glyphs: missing_glyphs::MissingGlyphs::default(),
        })
    }

    /// Says what the board shows at `now`.
    #[must_use]
    pub fn view(&self, snapshot: &Snapshot, panel: &HighlightView, now: Now) -> View {
        View::new(&self.setting, snapshot, panel, now)
    }

    /// Draws a view into a frame, and returns the areas that it repainted: none when nothing
    /// changed, the whole frame the first time.
    ///
    /// The frame must be the one of the last call, as it was left then; after another frame, or
    /// after somebody else drew into it, call [`forget`](Self::forget) first.
    pub fn draw(&mut self, view: &View, frame: &mut Frame) -> Vec<Rectangle> {
        match &mut self.kind {
            Kind::Screen(screen) => screen.draw(view, frame),
            Kind::Led(led) => led.draw(view, frame),
        }
    }

    /// Goes on with another office: what it looks like stays, glyph pictures are kept.
    pub fn rename(&mut self, office: &Name) {
        if self.setting.office != *office {
            self.setting.office = office.clone();
        }
    }

    /// Draws a few words instead of numbers, and returns the areas that it repainted. Panels of
    /// light points, which have no room for sentences, say that they are out of service.
    pub fn message_screen(&mut self, slate: &MessageScreen, frame: &mut Frame) -> Vec<Rectangle> {
        match &mut self.kind {
            Kind::Screen(screen) => screen.message_screen(slate, frame),
            Kind::Led(led) => led.out_of_service(frame),
        }
    }

    /// Draws a sheet for whoever installs the board, and returns the areas that it repainted. Panels
    /// of light points, which have no room for it, say that they are out of service.
    pub fn setup_screen(&mut self, sheet: &SetupScreen, frame: &mut Frame) -> Vec<Rectangle> {
        match &mut self.kind {
            Kind::Screen(screen) => screen.setup_screen(sheet, frame),
            Kind::Led(led) => led.out_of_service(frame),
        }
    }

    /// Draws what is said around a picture, and returns the area that is left for it, which is
    /// cleared. Panels of light points have no room for pictures: nothing is drawn, none is left.
    pub fn frame(&mut self, caption: &Caption, frame: &mut Frame) -> Rectangle {
        match &mut self.kind {
            Kind::Screen(screen) => screen.frame(caption, frame),
            Kind::Led(_) => Rectangle::zero(),
        }
    }

    /// Draws what stands on the screen from the moment a node stops until it draws again: that the
    /// board is out of service. Returns the areas that it repainted.
    pub fn out_of_service(&mut self, frame: &mut Frame) -> Vec<Rectangle> {
        match &mut self.kind {
            Kind::Screen(screen) => screen.out_of_service(frame),
            Kind::Led(led) => led.out_of_service(frame),
        }
    }

    /// Draws nothing but black, and returns the areas that it repainted: none when it was black.
    pub fn black(&mut self, frame: &mut Frame) -> Vec<Rectangle> {
        self.forget();
        if frame.words().iter().all(|word| *word == 0) {
            return Vec::new();
        }
        let all = Rectangle::new(Point::zero(), frame.size());
        let Ok(()) = frame.fill_solid(&all, Rgb888::BLACK);
        vec![all]
    }

    /// Draws everything the next time.
    pub fn forget(&mut self) {
        match &mut self.kind {
            Kind::Screen(screen) => screen.drawn = None,
            Kind::Led(led) => led.forget(),
        }
    }

    /// How long after `now` the board changes though no message comes: the clock, a blink, a turn
    /// of notices or pages, a name that moves. `None` is never. The panel of calls and the
    /// freshness of numbers have times of their own, in `state`.
    #[must_use]
    pub fn next_change(&self, view: &View, now: Now) -> Option<Duration> {
        match &self.kind {
            Kind::Screen(_) => view.next_change(now),
            Kind::Led(led) => Some(led.next_change(view, now)),
        }
    }
}

impl Screen {
    fn draw(&mut self, view: &View, frame: &mut Frame) -> Vec<Rectangle> {
        let size = frame.size();
        let drawn = self.drawn.as_ref().filter(|d| d.size == size);
        if drawn.is_some_and(|d| d.view == *view) {
            return Vec::new();
        }
        let scene = layout::scene(view, &self.design, size, &mut self.fonts);
        let theme = &self.design.theme;
        let damage = match drawn {
            Some(old) if old.scene.grounds == scene.grounds => {
                draw::difference(&old.scene, &scene, theme, &mut self.fonts, frame)
            }
            _ => {
                draw::whole(&scene, theme, &mut self.fonts, frame);
                vec![Rectangle::new(Point::zero(), size)]
            }
        };
        self.drawn = Some(LastFrame {
            size,
            view: view.clone(),
            scene,
        });
        damage
    }

    fn out_of_service(&mut self, frame: &mut Frame) -> Vec<Rectangle> {
        self.message_screen(&MessageScreen::out_of_service(), frame)
    }

    fn frame(&mut self, caption: &Caption, frame: &mut Frame) -> Rectangle {
        let (scene, left) = picture::scene(caption, frame.size());
        draw::whole(&scene, &self.design.theme, &mut self.fonts, frame);
        self.drawn = None;
        left
    }

    fn setup_screen(&mut self, sheet: &SetupScreen, frame: &mut Frame) -> Vec<Rectangle> {
        let size = frame.size();
        let scene = setup_screen::scene(sheet, size);
        draw::whole(&scene, &self.design.theme, &mut self.fonts, frame);
        self.drawn = None;
        vec![Rectangle::new(Point::zero(), size)]
    }

    fn message_screen(&mut self, slate: &MessageScreen, frame: &mut Frame) -> Vec<Rectangle> {
        let size = frame.size();
        let scene = message_screen::scene(slate, size);
        draw::whole(&scene, &self.design.theme, &mut self.fonts, frame);
        self.drawn = None;
        vec![Rectangle::new(Point::zero(), size)]
    }
}
