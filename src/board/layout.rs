//! A view to a scene: which cell stands where.
//!
//! All lengths come from the design in units of 1/1080 of the short side, so that a board of twice
//! the size has twice the lengths. Cells never overlap and never reach out; tests hold every number
//! of queues and many sizes against that.

use super::design::{Design, Geometry, Rows};
use super::plan::{Plan, Scale};
use super::scene::{Scene, area, cut_left, cut_right, cut_top, edges, inset};
use super::text::Fonts;
use super::theme::Ink;
use super::view::View;
use super::widgets;
use embedded_graphics::geometry::Size;
use embedded_graphics::primitives::Rectangle;

/// Whether a frame is laid out as portrait.
pub(super) fn is_portrait(size: Size) -> bool {
    size.height > size.width
}

/// How a number of queues is arranged.
pub(super) fn arrangement(geometry: &Geometry, queues: usize) -> Rows {
    let fits = |rows: &&Rows| queues <= usize::from(rows.queues);
    let last = geometry.rows[geometry.rows.len() - 1]; // at least one, checked when read
    geometry.rows.iter().find(fits).copied().unwrap_or(last)
}

/// Lays out a board.
pub(super) fn scene(view: &View, design: &Design, size: Size, fonts: &mut Fonts) -> Scene {
    let portrait = is_portrait(size);
    let (geometry, wide, high) = if portrait {
        (&design.portrait, 1080.0, 1920.0)
    } else {
        (&design.landscape, 1920.0, 1080.0)
    };
    #[allow(clippy::cast_precision_loss)] // frames have less than 2^24 pixels a side
    let unit = (size.width as f32 / wide).min(size.height as f32 / high);
    let mut plan = Plan {
        geometry,
        scale: Scale::new(unit),
        fonts,
        scene: Scene::default(),
    };
    let all = Rectangle::new(embedded_graphics::geometry::Point::zero(), size);
    plan.scene.grounds.push((all, Ink::Ground));
    let px = |units| plan.scale.px(units);
    let (header, rest) = cut_top(&all, px(geometry.header));
    let (_, _, _, bottom) = edges(&rest);
    let (_, top, _, _) = edges(&rest);
    let (body, footer) = cut_top(&rest, (bottom - top - px(geometry.footer)).max(0));
    plan.scene.grounds.push((header, Ink::Band));
    plan.scene.grounds.push((footer, Ink::Band));
    let (margin, gap) = (px(geometry.margin), px(geometry.gap));
    let body = inset(&body, 0, gap);
    let (panel, rows) = if portrait {
        let (panel, rest) = cut_top(&inset(&body, margin, 0), px(geometry.panel));
        (panel, cut_top(&rest, gap).1)
    } else {
        let (_, body) = cut_left(&body, margin);
        // The panel stands nearer to the edge than the rows: its own ground is its margin.
        let (rest, panel) = cut_right(&cut_right(&body, margin * 2 / 3).0, px(geometry.panel));
        (panel, cut_right(&rest, gap).0)
    };
    plan.scene.grounds.push((panel, Ink::Panel));
    widgets::header::header(&mut plan, &inset(&header, margin, 0), view);
    widgets::footer::footer(&mut plan, &inset(&footer, margin, 0), view);
    widgets::panel::panel(&mut plan, &panel, view);
    queues(&mut plan, &rows, view);
    plan.scene
}

/// Column headings and rows, in columns one beside the other.
fn queues(plan: &mut Plan<'_>, body: &Rectangle, view: &View) {
    let n = view.lines.len();
    if n == 0 {
        return;
    }
    let rows = arrangement(plan.geometry, n);
    let columns = usize::from(rows.columns).min(n);
    let per_column = n.div_ceil(columns);
    let gap = plan.scale.px(plan.geometry.gap);
    let (left, top, right, bottom) = edges(body);
    let count = to_i32(columns);
    let width = ((right - left - gap * (count - 1)) / count).max(1);
    let heads = plan.scale.px(plan.geometry.heads).min((bottom - top) / 3);
    let limit = plan.scale.px(plan.geometry.row);
    let height = ((bottom - top - heads) / to_i32(per_column)).clamp(1, limit.max(1));
    for (column, lines) in (0..).zip(view.lines.chunks(per_column)) {
        let x = left + (width + gap) * column;
        let head = area(x, top, x + width, top + heads);
        widgets::queue::headings(
            plan,
            &head,
            rows.style,
            (column == 0).then_some(view.page).flatten(),
        );
        for (row, line) in (0..).zip(lines) {
            let y = top + heads + height * row;
            let row = area(x, y, x + width, y + height);
            widgets::queue::queue(plan, &row, rows.style, line);
        }
    }
}

fn to_i32(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::scene::Part;
    use super::super::view::Setting;
    use super::*;
    use crate::clock::Now;
    use crate::model::WaitRange;
    use crate::model::{Call, CallKind, Label, Lane, Name, QueueId, QueueState, Source, Status};
    use crate::state::{
        HighlightView, HighlightedCall, LoggedCall, Phase, QueueSettings, QueueView, Reading,
        Snapshot,
    };
    use jiff::civil::date;
    use std::time::Duration;

    /// A view of `n` queues and `calls` that stand out, with every mark there is somewhere.
    fn view(n: usize, calls: usize, long: bool) -> View {
        let now = Now::at("2026-11-24T10:42:00+09:00".parse().expect("time"));
        let label =
            |short: &str, all: &str| Label::new(if long { all } else { short }).expect("label");
        let call = |index: u64| LoggedCall {
            index,
            queue: QueueId::new("q0").expect("id"),
            day: date(2026, 11, 24),
            epoch: 0,
            call: Call {
                no: index,
                ticket: label(&format!("A{index:03}"), &format!("WWWWWWWWW{index:03}")),
                counter: Some(label("11", "窓口番号百二十三番左側奥")),
                at: now.wall,
                kind: if index.is_multiple_of(2) {
                    CallKind::Recall
                } else {
                    CallKind::Call
                },
            },
            announce: true,
            received_at: now.mono,
        };
        let queue = |i: usize| QueueView {
            settings: QueueSettings {
                id: QueueId::new(&format!("q{i}")).expect("id"),
                name: if long {
                    Name::new([
                        ("ja", "国民健康保険・後期高齢者医療・介護保険".repeat(2)),
                        (
                            "en",
                            "National health insurance and long-term care".repeat(2),
                        ),
                    ])
                } else {
                    Name::new([("ja", "証明書の交付"), ("en", "Certificates")])
                },
                lane: if i % 3 == 1 {
                    Lane::Fast
                } else {
                    Lane::Standard
                },
            },
            reading: Some(Reading {
                state: QueueState {
                    seq: 1,
                    at: now.wall,
                    day: date(2026, 11, 24),
                    epoch: 0,
                    status: Status::Open,
                    waiting: Some(999),
                    on_hold: Some(9),
                    next: vec![label("A043", "WWWWWWWWWWWW"); 4],
                    held: Vec::new(),
                    calls: vec![call(100).call],
                    now_serving: None,
                    wait: None,
                },
                epoch: 0,
                source: Source::Feed,
                received_at: Some(now.mono),
                age_at_arrival: Duration::ZERO,
                dated: true,
            }),
            phase: match i % 5 {
                0 | 1 => Phase::Today(Status::Open),
                2 => Phase::Today(Status::Paused),
                3 => Phase::Today(Status::Closed),
                _ => Phase::NotOpenYet,
            },
            fresh: i % 4 != 1,
            wait: Some(WaitRange::from_estimate(3300.0, 4800.0)),
        };
        let snapshot = Snapshot {
            queues: (0..n).map(queue).collect(),
            log: Vec::new(),
            issues: if calls > 3 {
                vec!["uplink-down", "storage-failed"]
            } else {
                Vec::new()
            },
            today: date(2026, 11, 24),
            zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(9)),
        };
        let panel = HighlightView {
            active: (1..=calls as u64)
                .map(|i| HighlightedCall {
                    call: call(i),
                    since: now.mono,
                })
                .collect(),
            recent: (50..58).map(call).collect(),
            waiting: 2,
        };
        let setting = Setting {
            office: Name::new([("ja", "中央区役所"), ("en", "Chuo Ward Office")]),
            queues: None,
            opens: jiff::civil::time(9, 0, 0, 0),
            notices: vec![Name::new([("ja", "お知らせ"), ("en", "Notice")])],
            page_url: Some("https://yobiban.example.jp/offices/chuo".into()),
            blink_for: Duration::from_secs(12),
            rows: 16,
        };
        View::new(&setting, &snapshot, &panel, now)
    }

    fn overlap(a: &Rectangle, b: &Rectangle) -> bool {
        !a.intersection(b).is_zero_sized()
    }

    fn inside(a: &Rectangle, whole: &Rectangle) -> bool {
        a.is_zero_sized() || a.intersection(whole) == *a
    }

    #[test]
    fn nothing_overlaps_and_nothing_reaches_out() {
        let mut fonts = Fonts::new().expect("fonts");
        let design = Design::load(None).expect("built in");
        let sizes = [
            (1920, 1080),
            (3840, 2160),
            (1080, 1920),
            (2160, 3840),
            (1280, 720),
            (1366, 768),
            (1280, 1024),
            (800, 480),
            (768, 1366),
            (1920, 540),
            (3440, 1440),
            (1200, 1920),
        ];
        for (width, height) in sizes {
            let size = Size::new(width, height);
            let all = Rectangle::new(embedded_graphics::geometry::Point::zero(), size);
            for n in 1..=16 {
                let long = n % 2 == 0;
                let scene = scene(&view(n, n % 7, long), &design, size, &mut fonts);
                let what = format!("{n} queues on {width}x{height}");
                for (i, cell) in scene.cells.iter().enumerate() {
                    assert!(inside(&cell.area, &all), "{what}: {:?}", cell.area);
                    for other in &scene.cells[i + 1..] {
                        assert!(
                            !overlap(&cell.area, &other.area),
                            "{what}: {cell:?} {other:?}"
                        );
                    }
                    let boxes: Vec<&Rectangle> = cell
                        .parts
                        .iter()
                        .filter_map(|part| match part {
                            Part::Text(text) => Some(&text.area),
                            Part::Shape { .. } | Part::Qr { .. } => None,
                        })
                        .collect();
                    for (i, text) in boxes.iter().enumerate() {
                        assert!(
                            inside(text, &cell.area),
                            "{what}: {text:?} in {:?}",
                            cell.area
                        );
                        for other in &boxes[i + 1..] {
                            assert!(
                                !overlap(text, other),
                                "{what}: {text:?} {other:?} in {cell:?}"
                            );
                        }
                    }
                    for part in &cell.parts {
                        if let Part::Shape { area, .. } | Part::Qr { area, .. } = part {
                            assert!(
                                inside(area, &cell.area),
                                "{what}: {area:?} in {:?}",
                                cell.area
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn twice_the_size_has_twice_the_lengths() {
        let mut fonts = Fonts::new().expect("fonts");
        let design = Design::load(None).expect("built in");
        let mut scene = |w, h| scene(&view(5, 1, false), &design, Size::new(w, h), &mut fonts);
        let (full, double) = (scene(1920, 1080), scene(3840, 2160));
        assert_eq!(full.cells.len(), double.cells.len());
        for (one, two) in full.cells.iter().zip(&double.cells) {
            let near = |a: i32, b: i32| (a * 2 - b).abs() <= 8;
            let (a, b) = (edges(&one.area), edges(&two.area));
            assert!(
                near(a.0, b.0) && near(a.1, b.1) && near(a.2, b.2) && near(a.3, b.3),
                "{a:?} {b:?}"
            );
        }
    }

    #[test]
    fn what_must_be_read_from_ten_metres_is_a_fourteenth_high() {
        // Capitals of the fonts have 0.8 em; the share is that of the screen's short side.
        let mut fonts = Fonts::new().expect("fonts");
        let design = Design::load(None).expect("built in");
        for (size, name) in [
            (Size::new(1920, 1080), "landscape"),
            (Size::new(1080, 1920), "portrait"),
        ] {
            for calls in 1..=3 {
                let scene = scene(&view(5, calls, false), &design, size, &mut fonts);
                let tickets: Vec<f32> = scene
                    .cells
                    .iter()
                    .filter(|c| c.ground == Ink::Call)
                    .filter_map(|cell| {
                        let run = cell.parts.iter().find_map(|part| match part {
                            Part::Text(text) => text
                                .runs
                                .iter()
                                .find(|r| r.text.starts_with("A0"))
                                .map(|r| (text, r)),
                            _ => None,
                        })?;
                        let wish = super::super::text::Text::wish(&run.0.runs, &mut fonts);
                        #[allow(clippy::cast_precision_loss)]
                        let room = run.0.area.size.width as f32;
                        Some(0.8 * run.1.size * (room / wish).min(1.0))
                    })
                    .collect();
                assert_eq!(tickets.len(), calls, "{name}");
                assert!(
                    tickets.iter().all(|t| *t >= 1080.0 / 14.0),
                    "{name}, {calls} calls: {tickets:?}"
                );
            }
        }
    }
}
