//! Copying into a display's memory: the damage of one call beside the whole frame, with bytes a
//! second to be held against what the memory does at best.

use super::board::states::{call_a042, morning};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use yobiban::config::Rotation;
use yobiban::output::Frame;
use yobiban::output::hdmi::{PIXEL_BYTES, copy_damage};

const CASES: [((u32, u32), u16); 6] = [
    ((1920, 1080), 0),
    ((1920, 1080), 90),
    ((1920, 1080), 180),
    ((3840, 2160), 0),
    ((3840, 2160), 90),
    ((3840, 2160), 180),
];

fn rotation(degrees: u16) -> Rotation {
    match degrees {
        90 => Rotation::Quarter,
        180 => Rotation::Half,
        270 => Rotation::ThreeQuarters,
        _ => Rotation::None,
    }
}

/// A board and what one call changes on it.
fn call(size: (u32, u32)) -> (Frame, Vec<Rectangle>) {
    let mut day = morning(size);
    let before = day.until("10:41:59").moment();
    call_a042(&mut day, "10:42:00", "call");
    let after = day.moment();
    let (mut painter, mut frame) = (before.painter(), Frame::new(size.0, size.1));
    before.redraw(&mut painter, &mut frame);
    let damage = after.redraw(&mut painter, &mut frame);
    (frame, damage)
}

fn bench(bencher: Bencher<'_, '_>, frame: &Frame, damage: &[Rectangle], degrees: u16) {
    let rotation = rotation(degrees);
    let (width, height) = if rotation.swaps() {
        (frame.height(), frame.width())
    } else {
        (frame.width(), frame.height())
    };
    let pitch = width as usize * PIXEL_BYTES;
    let mut memory = vec![0; pitch * height as usize];
    let bytes = copy_damage(frame, damage, rotation, &mut memory, pitch);
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| copy_damage(black_box(frame), damage, rotation, &mut memory, pitch));
}

#[divan::bench(args = CASES)]
fn one_call(bencher: Bencher<'_, '_>, (size, degrees): ((u32, u32), u16)) {
    let (frame, damage) = call(size);
    bench(bencher, &frame, &damage, degrees);
}

#[divan::bench(args = CASES)]
fn whole(bencher: Bencher<'_, '_>, (size, degrees): ((u32, u32), u16)) {
    let (frame, _) = call(size);
    let all = Rectangle::new(Point::zero(), Size::new(size.0, size.1));
    bench(bencher, &frame, &[all], degrees);
}

/// What the memory does: as many bytes as a 4K frame has.
#[divan::bench]
fn memory(bencher: Bencher<'_, '_>) {
    let from = vec![1_u8; 3840 * 2160 * PIXEL_BYTES];
    let mut to = vec![0_u8; from.len()];
    bencher
        .counter(BytesCount::new(from.len()))
        .bench_local(|| black_box(&mut to).copy_from_slice(black_box(&from)));
}
