//! A monitor at an HDMI port.

use super::RawOutput;
use crate::config::check::Check;
use crate::config::doc::At;

/// A monitor at an HDMI port.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HdmiConfig {
    /// The connector by the kernel's name, such as `HDMI-A-1`; `None` is the first with a monitor.
    pub connector: Option<String>,
    /// What the monitor is driven with; `None` is what it prefers.
    pub mode: Option<ModeConfig>,
    /// How the picture is turned on its way to the monitor.
    pub rotate: Rotation,
    /// What follows when nobody is to see the board.
    pub standby: Standby,
}

/// A mode by its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeConfig {
    /// Width in pixels, before rotation.
    pub width: u16,
    /// Height in pixels, before rotation.
    pub height: u16,
    /// Pictures a second; `None` takes what the monitor lists for the size.
    pub refresh: Option<u16>,
}

/// Degrees by which a picture is turned clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// Not at all.
    #[default]
    None,
    /// To the right by a quarter: the picture's top is at the monitor's right side.
    Quarter,
    /// Upside down.
    Half,
    /// To the left by a quarter: the picture's top is at the monitor's left side.
    ThreeQuarters,
}

impl Rotation {
    /// 0, 90, 180 or 270.
    #[must_use]
    pub fn degrees(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Quarter => 90,
            Self::Half => 180,
            Self::ThreeQuarters => 270,
        }
    }

    /// Whether width and height change places.
    #[must_use]
    pub fn swaps(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }
}

/// What follows when nobody is to see a board; black comes first in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standby {
    /// A black picture, the signal stays.
    #[default]
    Black,
    /// The signal ends, so that the monitor sleeps.
    Dpms,
    /// As `Dpms`, and the monitor is told over the cable (CEC).
    Cec,
}

/// The kernel's limits are wider; no monitor is.
const SIDES: std::ops::RangeInclusive<u16> = 320..=8192;
/// Slower is no picture, faster is not for numbers.
const REFRESH: std::ops::RangeInclusive<u16> = 20..=240;
/// The kernel's names are `HDMI-A-1`, `DP-2`, `DSI-1`, `Composite-1`.
const LONGEST_CONNECTOR: usize = 32;

impl Check<'_> {
    pub(super) fn hdmi(&mut self, at: &At, raw: &RawOutput) -> Option<HdmiConfig> {
        Some(HdmiConfig {
            connector: self.connector(&at.key("connector"), raw.connector.as_deref())?,
            mode: self.mode(&at.key("mode"), raw.mode.as_deref())?,
            rotate: self.rotate(&at.key("rotate"), raw.rotate)?,
            standby: self.standby(&at.key("standby"), raw.standby.as_deref())?,
        })
    }

    #[allow(clippy::option_option)] // the outer one says whether it is in order
    fn connector(&mut self, at: &At, raw: Option<&str>) -> Option<Option<String>> {
        let Some(raw) = raw.filter(|raw| *raw != "auto") else {
            return Some(None);
        };
        let number = raw.rsplit_once('-').map(|(_, n)| n);
        let good = raw.len() <= LONGEST_CONNECTOR
            && number.is_some_and(|n| n.parse::<u8>().is_ok_and(|n| n > 0))
            && raw.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !good {
            self.wrong(
                at,
                "not a connector: expected \"auto\" or a name such as \"HDMI-A-1\"",
            );
        }
        good.then(|| Some(raw.to_owned()))
    }

    #[allow(clippy::option_option)] // the outer one says whether it is in order
    fn mode(&mut self, at: &At, raw: Option<&str>) -> Option<Option<ModeConfig>> {
        let Some(raw) = raw.filter(|raw| *raw != "preferred") else {
            return Some(None);
        };
        let mode = mode(raw);
        if mode.is_none() {
            self.wrong(
                at,
                "not a mode: expected \"preferred\", \"1920x1080\" or \"1920x1080@60\"",
            );
        }
        mode.map(Some)
    }

    fn rotate(&mut self, at: &At, raw: Option<i64>) -> Option<Rotation> {
        match raw.unwrap_or(0) {
            0 => Some(Rotation::None),
            90 => Some(Rotation::Quarter),
            180 => Some(Rotation::Half),
            270 => Some(Rotation::ThreeQuarters),
            _ => {
                self.wrong(at, "expected 0, 90, 180 or 270 degrees to the right");
                None
            }
        }
    }

    fn standby(&mut self, at: &At, raw: Option<&str>) -> Option<Standby> {
        let words = [
            ("black", Standby::Black),
            ("dpms", Standby::Dpms),
            ("cec", Standby::Cec),
        ];
        self.word(at, raw.unwrap_or("black"), &words)
    }
}

fn mode(raw: &str) -> Option<ModeConfig> {
    let (size, refresh) = match raw.split_once('@') {
        Some((size, refresh)) => (size, Some(number(refresh, &REFRESH)?)),
        None => (raw, None),
    };
    let (width, height) = size.split_once('x')?;
    Some(ModeConfig {
        width: number(width, &SIDES)?,
        height: number(height, &SIDES)?,
        refresh,
    })
}

/// A number without sign or spaces.
fn number(raw: &str, bounds: &std::ops::RangeInclusive<u16>) -> Option<u16> {
    let digits = !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_digit());
    raw.parse().ok().filter(|n| digits && bounds.contains(n))
}

#[cfg(all(test, feature = "hdmi", target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_monitor_on_its_side_has_a_board_on_its_side() {
        let size = |output: &str, size: &str| {
            let text = format!(
                r#"[office]
                id = "chuo"
                name = {{ ja = "中央区" }}
                [node]
                id = "n1"
                [mqtt]
                url = "mqtt://127.0.0.1:1883"
                [[queue]]
                id = "certificates"
                name = {{ ja = "証明書の交付" }}
                [[board]]
                id = "main"
                {size}
                output = {output}"#
            );
            let config = crate::config::parse_node(&text, "node.toml", std::path::Path::new("/"));
            config.expect("valid").boards[0].size
        };
        let turned = r#"{ kind = "hdmi", rotate = 90 }"#;
        assert_eq!(size(turned, ""), (1080, 1920));
        assert_eq!(size(turned, "size = [720, 1280]"), (720, 1280));
        let upside_down = r#"{ kind = "hdmi", rotate = 180 }"#;
        assert_eq!(size(upside_down, ""), (1920, 1080));
    }

    #[test]
    fn modes_are_sizes_with_or_without_a_rate() {
        let check = |raw: &str, expected: Option<(u16, u16, Option<u16>)>| {
            let found = mode(raw).map(|m| (m.width, m.height, m.refresh));
            assert_eq!(found, expected, "{raw}");
        };
        check("1920x1080", Some((1920, 1080, None)));
        check("3840x2160@30", Some((3840, 2160, Some(30))));
        for wrong in [
            "",
            "x",
            "1920",
            "1920x",
            "x1080",
            "1920x1080@",
            "1920x1080@0",
            "1920x1080@60Hz",
            "+1920x1080",
            "1920x1080@+60",
            "100x100",
            "99999x1080",
            "1920 x 1080",
        ] {
            check(wrong, None);
        }
    }
}
