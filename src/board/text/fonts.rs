//! Shapes text with our own fonts and keeps glyph pictures.
//!
//! Only the fonts in `assets/fonts` are ever used, so that a board looks the same on every machine.
//! Both caches are bounded; a full one starts anew, which costs one slower drawing.

use super::faces;
use crate::board::BoardError;
use crate::frame::{COVERAGE_STEPS, Mask};
use crate::model::text::is_invisible;
use cosmic_text::fontdb::ID;
use cosmic_text::{
    Attrs, AttrsList, CacheKey, CacheKeyFlags, Family, FontSystem, ShapeGlyph, ShapeLine, Shaping,
    SubpixelBin, SwashCache, SwashContent, Weight,
};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use unicode_bidi::{BidiInfo, Direction, Level, get_base_direction};

/// Put before a line that would else be laid out from the right: boards read from the left.
const LEFT_TO_RIGHT: &str = "\u{200e}";

/// Most shaped texts that are kept: a board of 16 queues shows about 200 at a time, and an hour's
/// numbers fit beside them.
const MAX_SHAPED: usize = 2048;

/// Most bytes of glyph pictures that are kept. A 1080p board needs about 1 MB, one of 4K about 4.
const MAX_GLYPH_BYTES: usize = 12 << 20;

/// A text as glyphs of size 1, whatever size it is drawn in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shaped {
    glyphs: Vec<Glyph>,
    /// Advance of the whole in em.
    pub(super) width: f32,
    /// Characters that no font has; a box stands for them.
    missing: Box<[char]>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Glyph {
    font: ID,
    id: u16,
    /// Offset from the start of the text in em.
    x: f32,
    /// Offset above the baseline in em.
    y: f32,
}

/// The picture of one glyph.
#[derive(Debug)]
pub(super) struct Picture {
    left: i32,
    top: i32,
    width: u32,
    coverage: Box<[u8]>,
}

impl Picture {
    /// Its coverage.
    pub(super) fn mask(&self) -> Mask<'_> {
        Mask {
            width: self.width,
            coverage: &self.coverage,
        }
    }
}

/// A glyph's picture and the place of its upper left corner.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// Pixels right of the start of the text.
    pub(super) x: i32,
    /// Pixels below the baseline; negative is above.
    pub(super) y: i32,
    pub(super) picture: Arc<Picture>,
}

/// The fonts with their caches.
pub(in crate::board) struct Fonts {
    system: FontSystem,
    raster: SwashCache,
    /// By weight: regular and bold, so that a look-up needs no owned key.
    shaped: [HashMap<Box<str>, Arc<Shaped>>; 2],
    /// Width of a digit in em, by weight.
    digit_widths: [Option<f32>; 2],
    pictures: HashMap<(ID, u16, u16), Arc<Picture>>,
    picture_bytes: usize,
}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fonts")
            .field("picture_bytes", &self.picture_bytes)
            .finish_non_exhaustive()
    }
}

impl Fonts {
    /// Reads the tables of the fonts; their bytes stay where the file is mapped that holds them.
    ///
    /// # Errors
    /// [`BoardError::Font`] when a font is not there.
    pub(in crate::board) fn new() -> Result<Self, BoardError> {
        let fonts = faces::load()?;
        Ok(Self {
            system: FontSystem::new_with_locale_and_db("ja-JP".into(), fonts),
            raster: SwashCache::new(),
            shaped: [HashMap::new(), HashMap::new()],
            digit_widths: [None, None],
            pictures: HashMap::new(),
            picture_bytes: 0,
        })
    }

    /// Shapes one line of text. What would break a line or print nothing is left out.
    pub(super) fn shape(&mut self, text: &str, bold: bool) -> Arc<Shaped> {
        if let Some(shaped) = self.shaped[usize::from(bold)].get(text) {
            return Arc::clone(shaped);
        }
        let shaped = Arc::new(self.shape_anew(text, bold));
        let cache = &mut self.shaped[usize::from(bold)];
        if cache.len() >= MAX_SHAPED {
            cache.clear();
        }
        cache.insert(text.into(), Arc::clone(&shaped));
        shaped
    }

    fn shape_anew(&mut self, text: &str, bold: bool) -> Shaped {
        let text: String = text
            .chars()
            .filter(|&c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
            .collect();
        // The fonts' "1" is narrower than the other digits, and they have no table figures: every
        // digit gets the width of "0", so that a number does not move while it counts.
        let digit = match self.digit_widths[usize::from(bold)] {
            Some(width) => width,
            None => {
                let zero = self.shape_words("0", bold);
                let width = zero.iter().map(|g| g.x_advance).sum();
                *self.digit_widths[usize::from(bold)].insert(width)
            }
        };
        let mut shaped = Shaped {
            glyphs: Vec::new(),
            width: 0.0,
            missing: Box::default(),
        };
        let mut missing = Vec::new();
        for glyph in self.shape_words(&text, bold) {
            let cluster = text.get(glyph.start..glyph.end).unwrap_or_default();
            let is_digit = matches!(cluster.as_bytes(), [b'0'..=b'9']);
            if glyph.glyph_id == 0 {
                missing.extend(cluster.chars().filter(|c| !is_invisible(*c)));
            }
            let advance = if is_digit { digit } else { glyph.x_advance };
            shaped.glyphs.push(Glyph {
                font: glyph.font_id,
                id: glyph.glyph_id,
                x: shaped.width + glyph.x_offset + (advance - glyph.x_advance) / 2.0,
                y: glyph.y_offset,
            });
            shaped.width += advance;
        }
        missing.sort_unstable();
        missing.dedup();
        shaped.missing = missing.into();
        shaped
    }

    /// The characters of a text that no font has.
    pub(in crate::board) fn missing(&mut self, text: &str) -> Vec<char> {
        self.shape(text, false).missing.to_vec()
    }

    /// The glyphs of a line from left to right (UAX #9), the line itself running so: on every
    /// output a label is laid out as in a page of ours.
    fn shape_words(&mut self, text: &str, bold: bool) -> Vec<ShapeGlyph> {
        let turned = get_base_direction(text) == Direction::Rtl;
        let lead = if turned { LEFT_TO_RIGHT } else { "" };
        let text = format!("{lead}{text}");
        let attrs = Attrs::new()
            .family(Family::Name("BIZ UDPGothic"))
            .weight(if bold { Weight::BOLD } else { Weight::NORMAL });
        let list = AttrsList::new(&attrs);
        let line = ShapeLine::new(&mut self.system, &text, &list, Shaping::Advanced, 4);
        // Within a span the glyphs are in the order of the eye, the spans in that of the text.
        let levels: Vec<Level> = line.spans.iter().map(|span| span.level).collect();
        let mut glyphs = Vec::new();
        for at in BidiInfo::reorder_visual(&levels) {
            let words = line.spans.get(at).into_iter().flat_map(|span| &span.words);
            for glyph in words.flat_map(|word| &word.glyphs) {
                if glyph.end > lead.len() {
                    let mut glyph = glyph.clone();
                    glyph.start = glyph.start.saturating_sub(lead.len());
                    glyph.end -= lead.len();
                    glyphs.push(glyph);
                }
            }
        }
        glyphs
    }

    /// The pictures of a shaped text in a size in pixels.
    pub(super) fn stamps(&mut self, shaped: &Shaped, size: u16) -> Vec<Stamp> {
        let scale = f32::from(size);
        shaped
            .glyphs
            .iter()
            .filter_map(|glyph| {
                let picture = self.picture(glyph, size)?;
                // Whole pixels: all digits of a size share one picture, and `as` saturates.
                #[allow(clippy::cast_possible_truncation)]
                let (x, y) = (
                    (glyph.x * scale).round() as i32,
                    (glyph.y * scale).round() as i32,
                );
                Some(Stamp {
                    x: x.saturating_add(picture.left),
                    y: -y - picture.top,
                    picture,
                })
            })
            .collect()
    }

    fn picture(&mut self, glyph: &Glyph, size: u16) -> Option<Arc<Picture>> {
        let key = (glyph.font, glyph.id, size);
        if let Some(picture) = self.pictures.get(&key) {
            return Some(Arc::clone(picture));
        }
        let picture = Arc::new(self.rasterise(glyph, size)?);
        if self.picture_bytes + picture.coverage.len() > MAX_GLYPH_BYTES {
            self.pictures.clear();
            self.picture_bytes = 0;
        }
        self.picture_bytes += picture.coverage.len();
        self.pictures.insert(key, Arc::clone(&picture));
        Some(picture)
    }

    fn rasterise(&mut self, glyph: &Glyph, size: u16) -> Option<Picture> {
        let key = CacheKey {
            font_id: glyph.font,
            glyph_id: glyph.id,
            font_size_bits: f32::from(size).to_bits(),
            x_bin: SubpixelBin::Zero,
            y_bin: SubpixelBin::Zero,
            font_weight: Weight::NORMAL, // chooses an instance of a variable font; ours are not
            flags: CacheKeyFlags::empty(),
        };
        let image = self.raster.get_image_uncached(&mut self.system, key)?;
        if image.content != SwashContent::Mask || image.placement.width == 0 {
            return None;
        }
        let step = |&alpha: &u8| {
            let step = (u16::from(alpha) * u16::from(COVERAGE_STEPS) + 127) / 255;
            u8::try_from(step).unwrap_or(COVERAGE_STEPS)
        };
        Some(Picture {
            left: image.placement.left,
            top: image.placement.top,
            width: image.placement.width,
            coverage: image.data.iter().map(step).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_equally_wide_so_that_numbers_do_not_jump() {
        let mut fonts = Fonts::new().expect("fonts");
        for bold in [false, true] {
            let widths: Vec<f32> = ('0'..='9')
                .map(|c| fonts.shape(&c.to_string(), bold).width)
                .collect();
            assert!(widths.iter().all(|w| *w == widths[0]), "{widths:?}");
        }
    }

    /// A text as the eye meets it.
    fn seen(text: &str) -> String {
        let mut fonts = Fonts::new().expect("fonts");
        let glyphs = fonts.shape_words(text, false);
        let clusters = glyphs.iter().map(|g| &text[g.start..g.end]);
        clusters.collect()
    }

    #[test]
    fn digits_beside_letters_of_another_direction_keep_their_order() {
        for (text, eye) in [
            ("A042", "A042"),
            ("012א", "012א"),
            ("א-012", "012-א"),
            ("אב12", "12בא"),
            ("A-012ب", "A-012ب"),
            ("٠١٢", "٠١٢"),
            ("שלום・旅券", "םולש・旅券"),
            ("旅券・שלום 12・届", "旅券・12 םולש・届"),
            ("12 שלום 34", "12 34 םולש"),
        ] {
            assert_eq!(seen(text), eye, "{text}");
        }
        // All that can stand around a number, on both sides.
        for before in ["", "א", "ب", "A", "旅", "-", "א-", "א ", "٣"] {
            for after in ["", "א", "ب", "A", "旅", "-", "-א", " ب", "٣"] {
                let eye = seen(&format!("{before}0123{after}"));
                assert!(eye.contains("0123"), "{before}0123{after} is {eye}");
            }
        }
    }

    #[test]
    fn what_no_font_has_is_known() {
        let mut fonts = Fonts::new().expect("fonts");
        for (text, missing) in [
            ("証明書の交付 A042", ""),
            ("が\u{fe0f}葛\u{e0100}飾\u{200d}", ""),
            ("𠮷042ש", "ש𠮷"),
            ("\u{e000}1", "\u{e000}"),
        ] {
            let found: String = fonts.missing(text).into_iter().collect();
            assert_eq!(found, missing, "{text}");
        }
    }

    #[test]
    fn any_text_is_shaped_and_the_caches_stay_bounded() {
        let mut fonts = Fonts::new().expect("fonts");
        for text in [
            "",
            " ",
            "\n\r\u{2029}",
            "שלום A042",
            "👪👍🏽",
            "\u{301}\u{200d}",
            "𠮷野家",
        ] {
            let shaped = fonts.shape(text, true);
            fonts.stamps(&shaped, 24);
        }
        for n in 0..3000 {
            fonts.shape(&format!("A{n:04}"), true);
        }
        assert!(fonts.shaped[1].len() <= MAX_SHAPED);
        let shaped = fonts.shape("証明書0123456789", true);
        for size in (500..1000).step_by(25) {
            fonts.stamps(&shaped, size);
            assert!(fonts.picture_bytes <= MAX_GLYPH_BYTES);
        }
    }

    #[test]
    fn what_the_board_says_has_its_glyphs() {
        let mut fonts = Fonts::new().expect("fonts");
        for bold in [false, true] {
            for c in "番窓口へ人分すぐに約保留再呼出休止中受付終了まもなく開庁準備現在更新が止まって – … ▶".chars() {
                let shaped = fonts.shape(&c.to_string(), bold);
                assert!(shaped.glyphs.iter().all(|g| g.id != 0), "{c}");
            }
        }
    }
}
