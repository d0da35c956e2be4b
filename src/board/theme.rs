//! The colours of a board, as data, and the proof that they can be read.
//!
//! A theme whose colours are too close is refused: the promise of contrast holds for the themes of
//! installers too.

use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use serde::{Deserialize, Deserializer, de};

/// Least contrast of text (WCAG 2.2, success criterion 1.4.6, level AAA).
pub const MIN_TEXT_CONTRAST: f64 = 7.0;

/// Least contrast of areas that mean something (WCAG 2.2, success criterion 1.4.11).
pub const MIN_AREA_CONTRAST: f64 = 3.0;

/// What a colour is for.
#[allow(clippy::enum_variant_names)] // ink upon a ground: `CallInk` is what is written on `Call`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Ink {
    /// Behind the rows.
    Ground,
    /// Behind head and foot.
    Band,
    /// Behind the panel of calls.
    Panel,
    /// Names and numbers.
    Text,
    /// What is second in rank: English names, units, headings.
    Muted,
    /// Lines between rows; says nothing by itself.
    Line,
    /// A call that stands out.
    Call,
    /// On a call that stands out.
    CallInk,
    /// The mark of the fast lane.
    Fast,
    /// On the mark of the fast lane.
    FastInk,
    /// The mark of numbers that are not fresh.
    Alert,
    /// On that mark.
    AlertInk,
    /// The light modules and margin of the QR code, whatever the theme.
    QrLight,
    QrDark,
}

/// A colour for each [`Ink`], as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Theme {
    ground: Hex,
    band: Hex,
    panel: Hex,
    text: Hex,
    muted: Hex,
    line: Hex,
    call: Hex,
    call_ink: Hex,
    fast: Hex,
    fast_ink: Hex,
    alert: Hex,
    alert_ink: Hex,
}

/// Two colours of a theme that lie on each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// Key of the upper colour.
    pub(super) ink: &'static str,
    /// Key of the lower colour.
    pub(super) ground: &'static str,
    pub(super) contrast: f64,
    pub(super) least: f64,
}

impl Theme {
    /// The colour of an ink.
    pub(super) fn color(&self, ink: Ink) -> Rgb888 {
        match ink {
            Ink::Ground => self.ground.0,
            Ink::Band => self.band.0,
            Ink::Panel => self.panel.0,
            Ink::Text => self.text.0,
            Ink::Muted => self.muted.0,
            Ink::Line => self.line.0,
            Ink::Call => self.call.0,
            Ink::CallInk => self.call_ink.0,
            Ink::Fast => self.fast.0,
            Ink::FastInk => self.fast_ink.0,
            Ink::Alert => self.alert.0,
            Ink::AlertInk => self.alert_ink.0,
            Ink::QrLight => Rgb888::WHITE,
            Ink::QrDark => Rgb888::BLACK,
        }
    }

    /// Every pair of colours that lies on each other somewhere on a board.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        let mut pair = |ink, a: Hex, ground, b: Hex, least| {
            pairs.push(Pair {
                ink,
                ground,
                contrast: contrast(a.0, b.0),
                least,
            });
        };
        let grounds = [
            ("ground", self.ground),
            ("band", self.band),
            ("panel", self.panel),
        ];
        for (name, ground) in grounds {
            pair("text", self.text, name, ground, MIN_TEXT_CONTRAST);
            pair("muted", self.muted, name, ground, MIN_TEXT_CONTRAST);
        }
        pair(
            "call_ink",
            self.call_ink,
            "call",
            self.call,
            MIN_TEXT_CONTRAST,
        );
        pair(
            "fast_ink",
            self.fast_ink,
            "fast",
            self.fast,
            MIN_TEXT_CONTRAST,
        );
        pair(
            "alert_ink",
            self.alert_ink,
            "alert",
            self.alert,
            MIN_TEXT_CONTRAST,
        );
        pair("call", self.call, "panel", self.panel, MIN_AREA_CONTRAST);
        pair("fast", self.fast, "ground", self.ground, MIN_AREA_CONTRAST);
        pair("alert", self.alert, "band", self.band, MIN_AREA_CONTRAST);
        pair(
            "alert",
            self.alert,
            "ground",
            self.ground,
            MIN_AREA_CONTRAST,
        );
        pairs
    }
}

/// A colour as it is written in a theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hex(Rgb888);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let wrong =
            || de::Error::custom(format_args!("{text:?}: expected a colour as \"#rrggbb\""));
        let digits = text
            .strip_prefix('#')
            .filter(|d| d.len() == 6)
            .ok_or_else(wrong)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let word = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [_, r, g, b] = word.to_be_bytes();
        Ok(Self(Rgb888::new(r, g, b)))
    }
}

/// Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(a: Rgb888, b: Rgb888) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance").
fn luminance(color: Rgb888) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::pixelcolor::RgbColor;

    #[test]
    fn contrast_is_that_of_the_standard() {
        let near = |a: f64, b: f64| (a - b).abs() < 0.01;
        assert!(near(contrast(Rgb888::WHITE, Rgb888::BLACK), 21.0));
        assert!(near(contrast(Rgb888::RED, Rgb888::RED), 1.0));
        // #767676 on white is the well-known edge of 4.5.
        assert!(near(
            contrast(Rgb888::new(0x76, 0x76, 0x76), Rgb888::WHITE),
            4.54
        ));
    }
}
