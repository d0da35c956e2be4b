//! Which mode a monitor is driven with.
//!
//! The monitor's own list decides. Without an EDID the list holds guesses of the kernel, or
//! nothing; then what is configured is built by the standard for it.

use crate::config::ModeConfig;
use drm::control::{Mode, ModeFlags, ModeTypeFlags};
use drm_ffi::drm_mode_modeinfo;

/// What a mode is chosen by: the configured mode and the board's size.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModePreference {
    /// From the configuration; `None` is what the monitor prefers.
    pub(super) mode: Option<ModeConfig>,
    /// The size for monitors that do not say what they prefer, in pixels of the monitor.
    pub(super) size: (u32, u32),
}

/// A mode, and whether it is the one that was configured.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModeChoice {
    pub(super) mode: Mode,
    /// Whether something else was configured that this monitor does not list.
    pub(super) is_fallback: bool,
}

/// Rates are compared with this allowance: 59.94 is listed as 60 or as 59.
const RATE_ALLOWANCE: u32 = 1;
/// The rate that every monitor knows.
const USUAL_RATE: u16 = 60;

/// Chooses out of a connector's list; `known` says whether the monitor's EDID was read.
pub(super) fn choose(
    listed: &[Mode],
    known: bool,
    preference: ModePreference,
) -> Option<ModeChoice> {
    let good = |mode: &&Mode| {
        let (width, height) = mode.size();
        width > 0 && height > 0 && !mode.flags().contains(ModeFlags::INTERLACE)
    };
    let listed: Vec<&Mode> = listed.iter().filter(good).collect();
    let choice = |mode: Mode, is_fallback| Some(ModeChoice { mode, is_fallback });
    if let Some(wanted) = preference.mode {
        if let Some(mode) = nearest(&listed, wanted) {
            return choice(*mode, false);
        }
        if !known || listed.is_empty() {
            return choice(build(wanted), false);
        }
    }
    let first = listed.first().copied();
    let mode = if known {
        listed.iter().copied().find(|m| is_preferred(m)).or(first)
    } else {
        let (width, height) = preference.size;
        let equal = |m: &&&Mode| {
            let (w, h) = m.size();
            (u32::from(w), u32::from(h)) == (width, height)
        };
        listed.iter().find(equal).copied().or(first)
    };
    match mode {
        Some(mode) => choice(*mode, preference.mode.is_some()),
        None => {
            let (width, height) = preference.size;
            let wanted = ModeConfig {
                width: u16::try_from(width).ok()?,
                height: u16::try_from(height).ok()?,
                refresh: None,
            };
            choice(build(wanted), false)
        }
    }
}

/// `1920x1080@60`
pub(super) fn title(mode: &Mode) -> String {
    let (width, height) = mode.size();
    format!("{width}x{height}@{}", mode.vrefresh())
}

/// Whether two modes look the same to a monitor.
pub(super) fn same_timing(a: &Mode, b: &Mode) -> bool {
    let timing = |m: &Mode| (m.clock(), m.size(), m.hsync(), m.vsync(), m.flags());
    timing(a) == timing(b)
}

fn is_preferred(mode: &Mode) -> bool {
    mode.mode_type().contains(ModeTypeFlags::PREFERRED)
}

fn nearest<'a>(listed: &[&'a Mode], wanted: ModeConfig) -> Option<&'a Mode> {
    let rate = u32::from(wanted.refresh.unwrap_or(USUAL_RATE));
    let off = |mode: &Mode| mode.vrefresh().abs_diff(rate);
    let fits = |mode: &Mode| {
        mode.size() == (wanted.width, wanted.height)
            && (wanted.refresh.is_none() || off(mode) <= RATE_ALLOWANCE)
    };
    let fitting = listed.iter().copied().filter(|mode| fits(mode));
    // Without a rate the monitor's own preference for the size comes first.
    fitting.min_by_key(|mode| (wanted.refresh.is_none() && !is_preferred(mode), off(mode)))
}

/// A CTA-861 timing: `pixels` and `lines` are sync start, sync end and total.
struct CeaTiming {
    size: (u16, u16),
    rate: u16,
    clock_khz: u32,
    pixels: [u16; 3],
    lines: [u16; 3],
}

/// Televisions often take no other timings of these sizes (CTA-861, codes 4, 16, 31 and 95).
const CEA_TIMINGS: [CeaTiming; 4] = [
    CeaTiming {
        size: (1280, 720),
        rate: 60,
        clock_khz: 74_250,
        pixels: [1390, 1430, 1650],
        lines: [725, 730, 750],
    },
    CeaTiming {
        size: (1920, 1080),
        rate: 60,
        clock_khz: 148_500,
        pixels: [2008, 2052, 2200],
        lines: [1084, 1089, 1125],
    },
    CeaTiming {
        size: (1920, 1080),
        rate: 50,
        clock_khz: 148_500,
        pixels: [2448, 2492, 2640],
        lines: [1084, 1089, 1125],
    },
    CeaTiming {
        size: (3840, 2160),
        rate: 30,
        clock_khz: 297_000,
        pixels: [4016, 4104, 4400],
        lines: [2168, 2178, 2250],
    },
];

fn build(wanted: ModeConfig) -> Mode {
    let rate = wanted.refresh.unwrap_or(USUAL_RATE);
    let size = (wanted.width, wanted.height);
    let known = CEA_TIMINGS
        .iter()
        .find(|t| (t.size, t.rate) == (size, rate));
    match known {
        Some(t) => {
            let both = ModeFlags::PHSYNC | ModeFlags::PVSYNC;
            modeinfo(
                t.clock_khz,
                (size.0, t.pixels),
                (size.1, t.lines),
                rate,
                both,
            )
        }
        None => reduced(wanted.width, wanted.height, rate),
    }
}

/// Coordinated Video Timings 1.1 with reduced blanking (VESA), made for flat panels.
#[allow(clippy::cast_possible_truncation)] // sides and rates of the configuration fit after rounding
fn reduced(width: u16, height: u16, rate: u16) -> Mode {
    /// Shortest vertical blanking in microseconds.
    const MIN_BLANK_US: f64 = 460.0;
    const FRONT_PORCH: u16 = 3;
    const MIN_BACK_PORCH: u16 = 6;
    const CLOCK_STEP_KHZ: u64 = 250;
    let (w, h, r) = (f64::from(width), f64::from(height), f64::from(rate));
    // The length of the pulse tells the shape, by the standard's table.
    let pulse = match (w / h * 100.0).round() as u16 {
        133 => 4,
        178 => 5,
        160 => 6,
        125 | 167 => 7,
        _ => 10,
    };
    let line_us = (1_000_000.0 / r - MIN_BLANK_US) / h;
    let blank = (MIN_BLANK_US / line_us) as u16 + 1;
    let blank = blank.max(FRONT_PORCH + pulse + MIN_BACK_PORCH);
    let (across, down) = (width + 160, height + blank);
    let clock = u64::from(rate) * u64::from(across) * u64::from(down) / 1000;
    let clock = clock / CLOCK_STEP_KHZ * CLOCK_STEP_KHZ;
    let start = height + FRONT_PORCH;
    modeinfo(
        clock as u32,
        (width, [width + 48, width + 80, across]),
        (height, [start, start + pulse, down]),
        rate,
        ModeFlags::PHSYNC | ModeFlags::NVSYNC,
    )
}

fn modeinfo(
    clock: u32,
    (hdisplay, [hsync_start, hsync_end, htotal]): (u16, [u16; 3]),
    (vdisplay, [vsync_start, vsync_end, vtotal]): (u16, [u16; 3]),
    rate: u16,
    flags: ModeFlags,
) -> Mode {
    Mode::from(drm_mode_modeinfo {
        clock,
        hdisplay,
        hsync_start,
        hsync_end,
        htotal,
        vdisplay,
        vsync_start,
        vsync_end,
        vtotal,
        vrefresh: u32::from(rate),
        flags: flags.bits(),
        type_: ModeTypeFlags::USERDEF.bits(),
        ..drm_mode_modeinfo::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(width: u16, height: u16, rate: u16, preferred: bool) -> Mode {
        let mut raw = drm_mode_modeinfo::from(reduced(width, height, rate));
        raw.type_ = ModeTypeFlags::DRIVER.bits();
        if preferred {
            raw.type_ |= ModeTypeFlags::PREFERRED.bits();
        }
        Mode::from(raw)
    }

    fn wanted(width: u16, height: u16, refresh: Option<u16>) -> Option<ModeConfig> {
        Some(ModeConfig {
            width,
            height,
            refresh,
        })
    }

    #[test]
    fn reduced_blanking_follows_the_standard() {
        // As printed by the standard's own sheet and by `cvt -r`.
        let check = |w, h, clock, hs, vs| {
            let mode = reduced(w, h, 60);
            assert_eq!(
                (mode.clock(), mode.hsync(), mode.vsync()),
                (clock, hs, vs),
                "{w}x{h}"
            );
        };
        check(1920, 1080, 138_500, (1968, 2000, 2080), (1083, 1088, 1111));
        check(1920, 1200, 154_000, (1968, 2000, 2080), (1203, 1209, 1235));
        check(1024, 768, 56_000, (1072, 1104, 1184), (771, 775, 790));
        check(1280, 1024, 91_000, (1328, 1360, 1440), (1027, 1034, 1054));
    }

    #[test]
    fn the_monitors_list_decides() {
        let list = [
            listed(1280, 720, 60, false),
            listed(1920, 1080, 60, true),
            listed(1920, 1080, 50, false),
            listed(1024, 768, 60, false),
        ];
        let check = |mode, known, expected: &str, instead| {
            let preference = ModePreference {
                mode,
                size: (1024, 768),
            };
            let choice = choose(&list, known, preference).expect("a mode");
            assert_eq!(
                (title(&choice.mode).as_str(), choice.is_fallback),
                (expected, instead)
            );
        };
        check(None, true, "1920x1080@60", false);
        check(None, false, "1024x768@60", false);
        check(wanted(1920, 1080, None), true, "1920x1080@60", false);
        check(wanted(1920, 1080, Some(50)), true, "1920x1080@50", false);
        check(wanted(1920, 1080, Some(59)), true, "1920x1080@60", false);
        check(wanted(1920, 1080, Some(30)), true, "1920x1080@60", true);
        check(wanted(3840, 2160, None), true, "1920x1080@60", true);
        check(wanted(3840, 2160, Some(30)), false, "3840x2160@30", false);
    }

    #[test]
    fn without_a_preference_the_first_is_taken_and_without_a_list_one_is_built() {
        let list = [listed(800, 600, 60, false), listed(640, 480, 60, false)];
        let preference = ModePreference {
            mode: None,
            size: (1920, 1080),
        };
        for known in [true, false] {
            let choice = choose(&list, known, preference).expect("a mode");
            assert_eq!(title(&choice.mode), "800x600@60");
            let choice = choose(&[], known, preference).expect("a mode");
            assert_eq!(
                (title(&choice.mode).as_str(), choice.mode.clock()),
                ("1920x1080@60", 148_500)
            );
        }
        let too_large = ModePreference {
            mode: None,
            size: (100_000, 10),
        };
        assert!(choose(&[], false, too_large).is_none());
    }

    #[test]
    fn half_pictures_are_never_chosen() {
        let mut raw = drm_mode_modeinfo::from(listed(1920, 1080, 60, true));
        raw.flags |= ModeFlags::INTERLACE.bits();
        let list = [Mode::from(raw), listed(1280, 720, 60, false)];
        let preference = ModePreference {
            mode: None,
            size: (1920, 1080),
        };
        let choice = choose(&list, true, preference).expect("a mode");
        assert_eq!(title(&choice.mode), "1280x720@60");
        assert!(!same_timing(&list[0], &list[1]) && same_timing(&list[1], &list[1].clone()));
    }
}
