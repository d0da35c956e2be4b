//! How well a camera's pictures are read: one by one, and one after the other.

use crate::camera::{FieldSpec, Picture, Quad, Reader, Rect, load, read as read_board};
use crate::clock::Now;
use crate::config::{CameraConfig, CameraField, CameraShow, CameraSource, DigitKind};
use crate::model::QueueId;
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// More fields than a board has: a larger file is not one of truths.
const MAX_TRUTH_BYTES: u64 = 1024 * 1024;

/// What is true of a picture: `NAME.json` beside `NAME.jpg`.
#[derive(Debug, Deserialize)]
struct Truth {
    /// `seg` or `lcd`, or a word of the configuration.
    board: String,
    /// Pictures that one camera took of one board one after the other, in the order of their names.
    #[serde(default)]
    sequence: Option<String>,
    corners: [(f32, f32); 4],
    fields: Vec<TrueField>,
}

impl Truth {
    fn load(file: &Path) -> anyhow::Result<Self> {
        let text = crate::config::asset::read(file, MAX_TRUTH_BYTES)?;
        Ok(serde_json::from_str(&text)?)
    }

    fn kind(&self) -> anyhow::Result<DigitKind> {
        Ok(match self.board.as_str() {
            "seg" | "seven-segment" => DigitKind::SevenSegment,
            "lcd" | "text-digits" => DigitKind::TextDigits,
            other => bail!("board is {other:?}: expected seg or lcd"),
        })
    }

    /// A camera with a queue for each field.
    fn camera(&self, size: (u32, u32)) -> anyhow::Result<CameraConfig> {
        let kind = self.kind()?;
        let field = |(i, f): (usize, &TrueField)| {
            Ok(CameraField {
                queue: queue(i)?,
                show: CameraShow::Ticket,
                rect: f.rect,
                kind,
                max_digits: 6,
                prefix: String::new(),
            })
        };
        Ok(CameraConfig {
            id: "truth".parse()?,
            source: CameraSource::Folder { path: ".".into() },
            size,
            corners: self.corners,
            max_drift_px: 12,
            interval: Duration::from_secs(1),
            confirmations: 3,
            picture_interval: Duration::from_secs(5),
            fields: self
                .fields
                .iter()
                .enumerate()
                .map(field)
                .collect::<anyhow::Result<_>>()?,
        })
    }
}

fn queue(field: usize) -> anyhow::Result<QueueId> {
    Ok(format!("field-{field}").parse()?)
}

#[derive(Debug, Deserialize)]
struct TrueField {
    id: String,
    rect: [f32; 4],
    /// `null` when nobody could read it.
    truth: Option<String>,
}

/// Counts of a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All fields.
    pub n: usize,
    /// Those that can be read at all.
    pub readable: usize,
    /// Read as they are.
    pub right: usize,
    /// Said to be unknown.
    pub unknown: usize,
    /// Read as something else, or read although nobody could.
    pub wrong: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            n,
            readable,
            right,
            unknown,
            wrong,
        } = self;
        write!(
            f,
            "n={n} readable={readable} right={right} unknown={unknown} wrong={wrong}"
        )
    }
}

/// Reads every picture of a folder by itself and compares it with what is true: a line for each
/// field that is not right, and the counts last. Pictures that belong together are read again in
/// their order, as a running camera does; the counts of that are the line before.
///
/// # Errors
/// When the folder holds no pictures with their truth, or one of them cannot be used.
pub fn score(dir: &Path, out: &mut impl Write) -> anyhow::Result<Tally> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") && path.with_extension("jpg").is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        bail!(
            "no pictures in {}: expected NAME.jpg with NAME.json",
            dir.display()
        );
    }
    let mut tally = Tally::default();
    let mut sequences: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in &files {
        let sequence = score_one(file, &mut tally, out)
            .with_context(|| format!("cannot use {}", file.display()))?;
        if let Some(sequence) = sequence {
            sequences.entry(sequence).or_default().push(file.clone());
        }
    }
    let mut reported = Tally::default();
    for (name, files) in &sequences {
        follow(files, &mut reported, out).with_context(|| format!("cannot use sequence {name}"))?;
    }
    if !sequences.is_empty() {
        writeln!(out, "temporal sequences={} {reported}", sequences.len())?;
    }
    writeln!(out, "fields {tally}")?;
    Ok(tally)
}

fn score_one(
    file: &Path,
    tally: &mut Tally,
    out: &mut impl Write,
) -> anyhow::Result<Option<String>> {
    let truth = Truth::load(file)?;
    let kind = truth.kind()?;
    let quad = Quad::new(truth.corners).context("the corners enclose no board")?;
    let specs: Vec<FieldSpec> = truth
        .fields
        .iter()
        .map(|f| {
            let [x, y, w, h] = f.rect;
            let rect = Rect::new(x, y, w, h)
                .with_context(|| format!("field {} is not on the board", f.id))?;
            Ok(FieldSpec {
                id: f.id.clone(),
                rect,
                kind,
                max_digits: 6,
            })
        })
        .collect::<anyhow::Result<_>>()?;
    let picture: Picture = load(&file.with_extension("jpg"))?;
    let readings = read_board(&picture.rectify(&quad)?, &specs);
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    for (field, reading) in truth.fields.iter().zip(&readings) {
        tally.n += 1;
        tally.readable += usize::from(field.truth.is_some());
        let shown = field.truth.as_deref().unwrap_or("null");
        match (&reading.text, &field.truth) {
            (Ok(text), Some(true_text)) if text == true_text => tally.right += 1,
            (Ok(text), _) => {
                tally.wrong += 1;
                writeln!(
                    out,
                    "wrong    {name} {}: read {text}, truth {shown}",
                    field.id
                )?;
            }
            (Err(doubt), truth) => {
                tally.unknown += 1;
                if truth.is_some() {
                    writeln!(out, "unknown  {name} {}: {doubt}, truth {shown}", field.id)?;
                }
            }
        }
    }
    Ok(truth.sequence)
}

/// Reads pictures in their order, one a second, and compares what the camera would have told by then.
/// A number that was true in an earlier picture is unknown: it takes some pictures to be believed.
fn follow(files: &[PathBuf], tally: &mut Tally, out: &mut impl Write) -> anyhow::Result<()> {
    let mut reader: Option<Reader> = None;
    let mut reported: BTreeMap<usize, String> = BTreeMap::new();
    let mut been: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (second, file) in (0_i64..).zip(files) {
        let truth = Truth::load(file)?;
        let picture = load(&file.with_extension("jpg"))?;
        let reader = match &mut reader {
            Some(reader) => reader,
            none => none.insert(Reader::new(
                &truth.camera(picture.size())?,
                jiff::tz::TimeZone::UTC,
            )?),
        };
        let now = Now::at(Timestamp::from_second(second)?);
        let states = reader.observe(&picture, now)?.states;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        for (i, field) in truth.fields.iter().enumerate() {
            let id = queue(i)?;
            let mut mine = states.iter().filter(|(queue, _)| *queue == id);
            let newest = mine.next_back();
            if let Some((ticket, _)) = newest.and_then(|(_, state)| state.last_shown()) {
                reported.insert(i, ticket.to_string());
            }
            tally.n += 1;
            let been = been.entry(i).or_default();
            been.extend(field.truth.clone());
            tally.readable += usize::from(field.truth.is_some());
            match reported.get(&i) {
                Some(text) if Some(text) == field.truth.as_ref() => tally.right += 1,
                Some(text) if !been.contains(text) => {
                    tally.wrong += 1;
                    let shown = field.truth.as_deref().unwrap_or("null");
                    writeln!(
                        out,
                        "wrong    {name} {}: told {text}, truth {shown}",
                        field.id
                    )?;
                }
                _ => tally.unknown += 1,
            }
        }
    }
    Ok(())
}
