//! One queue while no call stands out: its name, its last call, who waits and how long.
//!
//! A number that is not fresh never stands without its time (invariants 1 and 4): beside it where
//! there is room, above it or just before it where there is not.

use super::fit::{self, Alternatives, Part, Priority};
use super::glyphs::Kanji;
use super::pieces::{Cell, Ink, Line, Piece, signed};
use super::scene::{Scene, TALL, cut_bottom, cut_top, moving_name, name_time, placed};
use super::turns::{Turn, part};
use crate::board::view::{self, Service};
use crate::board::words::AsOf;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use std::time::Duration;

/// Shortest turn of a queue: three things at 2.7 s each.
const SHORTEST: Duration = Duration::from_secs(8);
/// Turns of boards with a single row last whole multiples of this, so that a number that gets a
/// digit more does not upset everybody's turn.
const STEP: Duration = Duration::from_secs(4);
/// Rows from which on there is a row for two and three things at a time.
const ROW: u32 = 13;
/// Columns between two things in one row.
const APART: u32 = 8;

/// What stands before the name of a queue for people who applied online.
const FAST: &str = "ファスト";

/// How long a queue's turn is. On boards of several rows it depends on the name alone.
pub(super) fn length(queue: &view::Line, size: Size) -> Duration {
    let Size { width, height } = size;
    if let Some(kanji) = name_size(height) {
        return SHORTEST.max(name_time(&name(queue, kanji, width), width));
    }
    let time = name_time(&all(queue, height), width).max(SHORTEST);
    let steps = time.as_nanos().div_ceil(STEP.as_nanos());
    STEP * u32::try_from(steps).unwrap_or(1)
}

/// What a board shows of a queue, `spent` into its turn.
pub(super) fn scene(queue: &view::Line, size: Size, turn: Turn, spent: Duration) -> Scene {
    let mut scene = Scene::until(turn.length());
    let area = Rectangle::new(Point::zero(), size);
    let Some(kanji) = name_size(size.height) else {
        moving_name(&mut scene, area, all(queue, size.height), spent);
        return scene;
    };
    let name = name(queue, kanji, size.width);
    let (head, rest) = cut_top(&area, kanji.size());
    let old = queue.as_of.as_ref().filter(|_| has_numbers(queue));
    match old {
        None => {
            moving_name(&mut scene, head, name, spent);
            pages(&mut scene, rest, queue, turn.length(), spent, 0);
        }
        Some(time) if size.height >= TALL => {
            moving_name(&mut scene, head, name, spent);
            let (rest, foot) = cut_bottom(&rest, if size.height >= 48 { 12 } else { 8 });
            scene.cells.extend(mark(time, foot));
            pages(&mut scene, rest, queue, turn.length(), spent, 0);
        }
        // Two rows: first whose numbers and of when, then the numbers under their time.
        Some(time) => {
            let half = part(turn.length(), 2, spent);
            if half.index == 0 {
                moving_name(&mut scene, head, name, spent);
                scene.cells.extend(mark(time, rest));
                scene.changes_at(half.end);
            } else {
                scene.cells.extend(mark(time, head));
                pages(&mut scene, rest, queue, turn.length(), spent, 1);
            }
        }
    }
    scene
}

/// The size of the row for the name; `None` where there is only one row for all.
fn name_size(height: u32) -> Option<Kanji> {
    match height {
        48.. => Some(Kanji::Sixteen),
        24.. => Some(Kanji::Twelve),
        16.. => Some(Kanji::Eight),
        _ => None,
    }
}

/// The name, with the fast lane's word before it and in English behind it when it moves anyway.
fn name(queue: &view::Line, kanji: Kanji, width: u32) -> Line {
    let name = named(queue, kanji);
    if name.width() <= width || queue.english.is_empty() || kanji == Kanji::Eight {
        return name;
    }
    name.with(Piece::Gap(APART))
        .then(Line::words(kanji, &queue.english, Ink::Word))
}

fn named(queue: &view::Line, kanji: Kanji) -> Line {
    let name = Line::words(kanji, &queue.name, Ink::Word);
    if !queue.fast {
        return name;
    }
    Line::words(kanji, FAST, Ink::Fast)
        .with(Piece::Gap(kanji.size() / 2))
        .then(name)
}

/// Whether its service lets numbers be shown.
fn has_numbers(queue: &view::Line) -> bool {
    matches!(
        queue.service,
        Service::Open(_) | Service::LastCalls(_) | Service::Paused
    )
}

/// Why there is no wait, in words; shorter ones for narrow boards.
fn reason(service: &Service) -> Option<[&'static str; 2]> {
    match service {
        Service::Open(_) => None,
        Service::Paused => Some(["休止中", "休止"]),
        Service::Closed | Service::LastCalls(_) => Some(["受付終了", "終了"]),
        Service::NotOpenYet => Some(["まもなく開庁", "開庁前"]),
        Service::Unknown => Some(["準備中", "準備"]),
    }
}

/// One thing to be said of a queue.
enum Item<'a> {
    Words([&'a str; 2]),
    Numbers(Alternatives<'a>, Priority),
}

/// A waiting count as text.
fn waiting(queue: &view::Line) -> Option<String> {
    queue.waiting.map(|n| n.to_string())
}

fn items<'a>(queue: &'a view::Line, waiting: Option<&'a str>) -> Vec<Item<'a>> {
    let mut items: Vec<Item<'_>> = reason(&queue.service)
        .map(Item::Words)
        .into_iter()
        .collect();
    if !has_numbers(queue) {
        return items;
    }
    items.extend(last_call(queue).map(|ways| Item::Numbers(ways, Priority::Digits)));
    items.extend(waiting.map(|n| Item::Numbers(people(n), Priority::Words)));
    items.extend(wait(queue).map(|ways| Item::Numbers(ways, Priority::Words)));
    if items.is_empty() {
        items.push(Item::Words(["受付中", "受付"]));
    }
    items
}

fn last_call(queue: &view::Line) -> Option<Alternatives<'_>> {
    let ticket = || Part::Number(queue.ticket.as_deref().unwrap_or_default(), Ink::Ticket);
    queue.ticket.as_ref()?;
    let Some(counter) = &queue.counter else {
        return Some(vec![vec![ticket()]]);
    };
    let number = || Part::Number(&counter.label, Ink::Counter);
    let way = || vec![ticket(), Part::Arrow(Ink::Counter), number()];
    let word = Part::Words(counter.short, Ink::Word);
    Some(vec![[way(), vec![word]].concat(), way()])
}

fn people(n: &str) -> Alternatives<'_> {
    let number = || Part::Number(n, Ink::Word);
    let word = |text| Part::Words(text, Ink::Word);
    vec![
        vec![word("待ち"), number(), word("人")],
        vec![word("待"), number(), word("人")],
        vec![number(), word("人")],
    ]
}

/// The wait, if it is predicted and the prediction is fresh: of somebody who comes now, or of the
/// last who waits.
fn wait(queue: &view::Line) -> Option<Alternatives<'_>> {
    let (figure, befores) = match &queue.service {
        Service::Open(Some(figure)) => (figure, ["待ち時間", "待ち", "待", ""].as_slice()),
        // Without its word it would be the wait of somebody who comes now.
        Service::LastCalls(Some(figure)) => (figure, ["最後の方", "最後"].as_slice()),
        _ => return None,
    };
    if queue.as_of.is_some() {
        return None;
    }
    let word = |text| Part::Words(text, Ink::Word);
    let (about, number) = match figure.number.strip_prefix('約') {
        Some(number) => ("約", number),
        None => ("", figure.number.as_str()),
    };
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        // すぐに: who is called at once needs no word before it.
        return Some(vec![vec![word(number)]]);
    }
    let said = |before| {
        let mut way = vec![
            word(before),
            word(about),
            Part::Number(number, Ink::Word),
            word(figure.unit),
        ];
        way.retain(|part| !matches!(part, Part::Words("", _)));
        way
    };
    Some(befores.iter().map(|before| said(before)).collect())
}

/// The time of numbers that are not fresh, if any of its ways fits; the shortest always does on
/// boards that are no narrower than 32 points.
fn mark(as_of: &AsOf, area: Rectangle) -> Option<Cell> {
    let ways = ways_of(as_of);
    let line = fit::line(&ways, Priority::Words, area.size.width, area.size.height);
    let line = line.unwrap_or_else(|| fit::smallest(&ways, area.size.height));
    Some(Cell::centred(area, line))
}

/// The ways of saying when numbers are of, the longest first.
fn ways_of(as_of: &AsOf) -> Alternatives<'_> {
    let word = Part::Words(as_of.word(), Ink::Old);
    match as_of.time() {
        Some(time) => {
            let number = || Part::Number(time, Ink::Old);
            vec![vec![number(), word], vec![number()]]
        }
        None => vec![vec![word], vec![Part::Words("不明", Ink::Old)]],
    }
}

/// The rows for a queue's things: the first is the highest.
fn rows(area: &Rectangle) -> Vec<Rectangle> {
    let height = area.size.height;
    let further = (height.saturating_sub(18) / ROW).min(2);
    let (first, mut rest) = cut_bottom(area, further * ROW);
    let mut rows = vec![first];
    for _ in 0..further {
        let (row, below) = cut_top(&rest, ROW);
        rows.push(cut_bottom(&row, 12).1);
        rest = below;
    }
    rows
}

/// The queue's things, as many at a time as there are rows and room in them, the others in turn.
/// The first `skip` of two halves of the turn are for something else.
fn pages(
    scene: &mut Scene,
    area: Rectangle,
    queue: &view::Line,
    turn: Duration,
    spent: Duration,
    skip: u32,
) {
    let waiting = waiting(queue);
    let rows = rows(&area);
    let mut pages: Vec<Vec<(usize, Vec<Line>)>> = Vec::new();
    for item in items(queue, waiting.as_deref()) {
        let row = pages.last().and_then(|p| p.last());
        if let Some((row, lines)) = row.filter(|(_, lines)| !lines.is_empty()) {
            // Beside the one before, if there it can be read as well.
            let used: u32 = lines.iter().map(|l| l.width() + APART).sum();
            let space = rows[*row].size.width.saturating_sub(used);
            let least = if rows[*row].size.height >= 12 { 10 } else { 7 };
            let beside =
                sized(&item, space, rows[*row].size.height).filter(|line| line.height() >= least);
            if let Some(line) = beside
                && let Some((_, lines)) = pages.last_mut().and_then(|p| p.last_mut())
            {
                lines.push(line);
                continue;
            }
        }
        let next = pages.last().map_or(rows.len(), Vec::len);
        let (page, row) = if next < rows.len() {
            (pages.len() - 1, next)
        } else {
            pages.push(Vec::new());
            (pages.len() - 1, 0)
        };
        let area = rows[row];
        let line = sized(&item, area.size.width, area.size.height)
            .unwrap_or_else(|| smallest(&item, area.size.height));
        pages[page].push((row, vec![line]));
    }
    let begin = turn / 2 * skip;
    let shown = part(
        turn.saturating_sub(begin),
        pages.len(),
        spent.saturating_sub(begin),
    );
    scene.changes_at(begin + shown.end);
    let Some(page) = pages.into_iter().nth(shown.index) else {
        return;
    };
    scene.shifted(begin + shown.start, |scene| {
        let spent = spent.saturating_sub(begin + shown.start);
        for (row, lines) in page {
            spread(scene, rows[row], lines, spent);
        }
    });
}

fn sized(item: &Item<'_>, width: u32, height: u32) -> Option<Line> {
    match item {
        Item::Words(choices) => fit::words(choices, Ink::Word, width, height),
        Item::Numbers(ways, dear) => fit::line(ways, *dear, width, height),
    }
}

fn smallest(item: &Item<'_>, height: u32) -> Line {
    match item {
        Item::Words([_, short]) => Line::words(Kanji::within(height), short, Ink::Word),
        Item::Numbers(ways, _) => fit::smallest(ways, height),
    }
}

/// One line in the middle of a row, or several with equal space around them; what is wider than
/// the row moves.
fn spread(scene: &mut Scene, row: Rectangle, lines: Vec<Line>, spent: Duration) {
    if lines.len() < 2 {
        for line in lines {
            moving_name(scene, row, line, spent);
        }
        return;
    }
    let used: u32 = lines.iter().map(Line::width).sum();
    let spaces = u32::try_from(lines.len()).unwrap_or(1) + 1;
    let space = row.size.width.saturating_sub(used) / spaces;
    let mut left = space / 2;
    for line in lines {
        let right = left + space + line.width();
        let area = placed(row, signed(left), signed(right));
        scene.cells.push(Cell::centred(area, line));
        left = right;
    }
}

/// All of a queue in one row, for boards that have no more: its time stands before its numbers.
fn all(queue: &view::Line, height: u32) -> Line {
    let mut line = named(queue, Kanji::Eight);
    let waiting = waiting(queue);
    let old = queue.as_of.as_ref().filter(|_| has_numbers(queue));
    let mark = old.map(|as_of| {
        let fullest: Alternatives<'_> = ways_of(as_of).into_iter().take(1).collect();
        fit::smallest(&fullest, height)
    });
    let items = items(queue, waiting.as_deref());
    for said in mark.into_iter().chain(items.iter().map(|item| match item {
        Item::Words([long, _]) => Line::words(Kanji::Eight, long, Ink::Word),
        Item::Numbers(ways, _) => {
            let fullest = ways.iter().take(1).cloned().collect();
            fit::smallest(&fullest, height.min(8))
        }
    })) {
        line = line.with(Piece::Gap(APART)).then(said);
    }
    line
}
