//! Shapes that stand beside words.

use crate::frame::{COVERAGE_STEPS, Frame, Mask};
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;

/// Shapes that go with the words, so that no colour has to be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A filled rectangle.
    Box,
    /// A filled rectangle with round corners.
    Plate,
    /// The outline of a rectangle, with the line's width in pixels.
    Outline(u32),
    /// A triangle that points to the right.
    Arrow,
    /// Two triangles that point to the right: the fast lane.
    Fast,
    /// Two bars: paused.
    Pause,
    /// A square: closed.
    Stop,
    /// A ring with hands: not open yet, or not fresh.
    Clock,
    /// A ring of dots: nothing heard yet.
    Dots,
}

/// Fills a shape in a box with a colour, within `clip` only; edges are soft.
pub fn shape(frame: &mut Frame, area: &Rectangle, form: Form, color: Rgb888, clip: &Rectangle) {
    let (w, h) = (area.size.width, area.size.height);
    if w == 0 || h == 0 {
        return;
    }
    let unit = |x: f32, y: f32| (x / px(w), y / px(h));
    match form {
        Form::Box => fill(frame, &area.intersection(clip), color),
        Form::Plate => {
            let radius = px(h.min(w)) * 0.16;
            let inside = |x: f32, y: f32| {
                let dx = (radius - x).max(x - (px(w) - radius)).max(0.0);
                let dy = (radius - y).max(y - (px(h) - radius)).max(0.0);
                dx * dx + dy * dy <= radius * radius
            };
            cover(frame, area, color, clip, inside);
        }
        Form::Outline(line) => {
            let line = line.min(w / 2).min(h / 2);
            let right = area.top_left + Size::new(w - line, 0);
            let bottom = area.top_left + Size::new(0, h - line);
            for (at, size) in [
                (area.top_left, Size::new(w, line)),
                (bottom, Size::new(w, line)),
                (area.top_left, Size::new(line, h)),
                (right, Size::new(line, h)),
            ] {
                fill(frame, &Rectangle::new(at, size).intersection(clip), color);
            }
        }
        Form::Arrow => cover(frame, area, color, clip, |x, y| {
            let (x, y) = unit(x, y);
            (y - 0.5).abs() * 2.0 <= 1.0 - x
        }),
        Form::Fast => cover(frame, area, color, clip, |x, y| {
            let (x, y) = unit(x, y);
            let x = if x < 0.5 { x } else { x - 0.5 } * 2.0;
            (y - 0.5).abs() * 2.0 <= 1.0 - x
        }),
        Form::Pause => cover(frame, area, color, clip, |x, y| {
            let (x, _) = unit(x, y);
            !(0.34..0.66).contains(&x)
        }),
        Form::Stop => cover(frame, area, color, clip, |x, y| {
            let (x, y) = unit(x, y);
            (0.06..0.94).contains(&x) && (0.06..0.94).contains(&y)
        }),
        Form::Clock => cover(frame, area, color, clip, |x, y| {
            let (x, y) = unit(x, y);
            let (x, y) = (x - 0.5, y - 0.5);
            let r = x.hypot(y);
            let ring = (0.38..0.5).contains(&r);
            let up = x.abs() < 0.055 && (-0.28..0.05).contains(&y);
            let side = y.abs() < 0.055 && (-0.05..0.22).contains(&x);
            ring || up || side
        }),
        Form::Dots => cover(frame, area, color, clip, |x, y| {
            let (x, y) = unit(x, y);
            let x = (x * 3.0).fract() - 0.5;
            x.hypot((y - 0.5) * 3.0) <= 0.34
        }),
    }
}

/// Points a pixel is looked at with, each way.
const SAMPLES: u8 = 4;

/// Fills what lies `inside`, with soft edges, given in pixels from the area's corner.
fn cover(
    frame: &mut Frame,
    area: &Rectangle,
    color: Rgb888,
    clip: &Rectangle,
    inside: impl Fn(f32, f32) -> bool,
) {
    let at = |pixel: u32, sample: u8| px(pixel) + (f32::from(sample) + 0.5) / f32::from(SAMPLES);
    // Row by row, so that a large shape needs no large mask.
    let mut row = vec![0; area.size.width as usize];
    for y in 0..area.size.height {
        for (x, step) in (0..area.size.width).zip(&mut row) {
            let hits = (0..SAMPLES)
                .flat_map(|sy| (0..SAMPLES).map(move |sx| (sx, sy)))
                .filter(|&(sx, sy)| inside(at(x, sx), at(y, sy)))
                .count();
            let all = usize::from(SAMPLES) * usize::from(SAMPLES);
            let hits = (hits * usize::from(COVERAGE_STEPS) + all / 2) / all;
            *step = u8::try_from(hits).unwrap_or(COVERAGE_STEPS);
        }
        let mask = Mask {
            width: area.size.width,
            coverage: &row,
        };
        frame.blend_mask(area.top_left + Point::new(0, to_i32(y)), mask, color, clip);
    }
}

fn fill(frame: &mut Frame, area: &Rectangle, color: Rgb888) {
    let Ok(()) = frame.fill_solid(area, color);
}

fn to_i32(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

#[allow(clippy::cast_precision_loss)] // frames have less than 2^24 pixels a side
fn px(length: u32) -> f32 {
    length as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::geometry::OriginDimensions;
    use embedded_graphics::pixelcolor::RgbColor;

    fn check(form: Form, pattern: &[&str]) {
        let width = pattern[0].chars().count();
        let mut frame = Frame::new(
            u32::try_from(width).expect("small"),
            u32::try_from(pattern.len()).expect("small"),
        );
        let all = Rectangle::new(Point::zero(), frame.size());
        shape(&mut frame, &all, form, Rgb888::WHITE, &all);
        let got: Vec<String> = (0..frame.height())
            .map(|y| {
                let sign = |p: &u32| match p & 0xff {
                    0 => ' ',
                    0xff => '#',
                    _ => '+',
                };
                frame.row(y).iter().map(sign).collect()
            })
            .collect();
        assert_eq!(got, pattern, "{form:?}");
    }

    #[test]
    fn shapes_look_like_what_they_say() {
        check(Form::Outline(1), &["#####", "#   #", "#####"]);
        check(Form::Box, &["###", "###"]);
        check(Form::Pause, &["##  ##", "##  ##"]);
        check(Form::Arrow, &["++  ", "##++", "##++", "++  "]);
        check(
            Form::Fast,
            &["++  ++  ", "##++##++", "##++##++", "++  ++  "],
        );
    }
}
