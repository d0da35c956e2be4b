//! Drawing and encoding of boards. Limits: whole 1080p 8 ms, one call 2 ms, whole 4K 30 ms, lossless
//! picture of 1080p 20 ms and 90 kB.

use divan::{Bencher, black_box};
use yobiban::output::{Frame, encode};

#[path = "../tests/it/board_states.rs"]
#[allow(dead_code, unreachable_pub)] // shared with the golden boards
pub(crate) mod states;

use states::{call_a042, morning, normal};

const FULL_HD: (u32, u32) = (1920, 1080);
const UHD: (u32, u32) = (3840, 2160);

fn frame(size: (u32, u32)) -> Frame {
    Frame::new(size.0, size.1)
}

/// Everything anew, glyphs known.
#[divan::bench(args = [FULL_HD, UHD])]
fn whole(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    let moment = normal(size);
    let (mut painter, mut frame) = (moment.painter(), frame(size));
    black_box(moment.redraw(&mut painter, &mut frame));
    bencher.bench_local(|| {
        painter.forget();
        black_box(moment.redraw(&mut painter, &mut frame));
    });
}

/// A new painter's first picture: fonts read, glyphs drawn for the first time.
#[divan::bench(args = [FULL_HD, UHD], sample_count = 20)]
fn first(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    let moment = normal(size);
    bencher.bench_local(|| {
        let (mut painter, mut frame) = (moment.painter(), frame(size));
        black_box(moment.redraw(&mut painter, &mut frame));
        frame
    });
}

/// One call comes in: its row and the panel.
#[divan::bench(args = [FULL_HD, UHD])]
fn one_call(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    let mut day = morning(size);
    let before = day.until("10:41:59").moment();
    call_a042(&mut day, "10:42:00", "call");
    let after = day.moment();
    let (mut painter, mut frame) = (before.painter(), frame(size));
    black_box(after.redraw(&mut painter, &mut frame));
    let mut turn = false;
    // Forth and back, which redraws the same cells.
    bencher.bench_local(|| {
        turn = !turn;
        let moment = if turn { &before } else { &after };
        black_box(moment.redraw(&mut painter, &mut frame));
    });
}

/// A look at a board on which nothing changed.
#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    let moment = normal(FULL_HD);
    let (mut painter, mut frame) = (moment.painter(), frame(FULL_HD));
    bencher.bench_local(|| black_box(moment.redraw(&mut painter, &mut frame)));
}

#[divan::bench(args = [FULL_HD, UHD])]
fn lossless(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    let moment = normal(size);
    let mut frame = frame(size);
    moment.redraw(&mut moment.painter(), &mut frame);
    bencher.bench_local(|| encode::lossless(black_box(&frame)));
}

#[divan::bench]
fn preview(bencher: Bencher<'_, '_>) {
    let moment = normal(FULL_HD);
    let mut frame = frame(FULL_HD);
    moment.redraw(&mut moment.painter(), &mut frame);
    bencher.bench_local(|| encode::preview(black_box(&frame)));
}

#[divan::bench]
fn sha256(bencher: Bencher<'_, '_>) {
    let frame = frame(FULL_HD);
    bencher.bench_local(|| black_box(&frame).sha256());
}
