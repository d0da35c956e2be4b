//! A filmed board to numbers, on one core. Limit: 25 ms for 1280 × 720.

#[path = "../tests/support/filmed/mod.rs"]
#[allow(clippy::cast_possible_truncation, dead_code, unreachable_pub)] // tests' own
mod filmed;

use divan::{Bencher, black_box};
use filmed::{Style, Trouble, make};
use yobiban::camera::{FieldSpec, Picture, Quad, Rect, read};
use yobiban::config::DigitKind;

/// From the bytes of a JPEG to the readings of all fields.
#[divan::bench(args = [Style::Segments, Style::Text])]
fn jpeg_to_fields(bencher: Bencher<'_, '_>, style: Style) {
    let filmed = make(7, style, Trouble::None);
    let mut jpeg = Vec::new();
    let size = (
        u16::try_from(filmed.width).ok(),
        u16::try_from(filmed.height).ok(),
    );
    let (Some(w), Some(h)) = size else { return };
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 85);
    if encoder
        .encode(&filmed.rgb, w, h, jpeg_encoder::ColorType::Rgb)
        .is_err()
    {
        return;
    }
    let kind = match style {
        Style::Segments => DigitKind::SevenSegment,
        Style::Text => DigitKind::TextDigits,
    };
    let specs: Vec<FieldSpec> = filmed
        .fields
        .iter()
        .filter_map(|f| {
            let rect = Rect::new(f.rect[0], f.rect[1], f.rect[2], f.rect[3])?;
            let id = f.id.clone();
            Some(FieldSpec {
                id,
                rect,
                kind,
                max_digits: 6,
            })
        })
        .collect();
    let Some(quad) = Quad::new(filmed.corners) else {
        return;
    };
    bencher.bench_local(|| {
        let board = Picture::from_jpeg(black_box(&jpeg)).and_then(|p| p.rectify(&quad));
        board.map(|board| read(&board, &specs)).map_err(|_| ())
    });
}
