//! `yobiban camera`: reads pictures, scores a folder of them, finds a board in one.
//!
//! Nothing but the rectified board is ever written.

mod score;

use crate::camera::{
    Calibration, Doubt, FoundField, Reader, Reading, Rect, calibrate as find, load,
};
use crate::config::{CameraConfig, NodeConfig};
use crate::model::CameraId;
use anyhow::{Context, bail};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

pub use score::{Tally, score};

/// A field in an answer.
#[derive(Debug, Serialize)]
struct Answer {
    id: String,
    text: Option<String>,
    confidence: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

impl Answer {
    fn new(id: String, reading: &Reading) -> Self {
        Self {
            id,
            text: reading.text.clone().ok(),
            // Two digits are all that is meant.
            confidence: (reading.confidence * 100.0).round() / 100.0,
            why: reading.text.as_ref().err().map(|d: &Doubt| d.as_str()),
        }
    }
}

/// Reads one picture with a camera of a node's configuration (the first unless named) and prints
/// the fields as JSON.
///
/// # Errors
/// When there is no such camera, or the picture cannot be read.
pub fn read(
    config: &NodeConfig,
    camera: Option<&CameraId>,
    picture: &Path,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let camera = choose(config, camera)?;
    let reader = Reader::new(camera, config.state.timezone.clone())?;
    let loaded = load(picture).with_context(|| format!("cannot use {}", picture.display()))?;
    let (_, fields) = reader
        .read_once(&loaded)
        .with_context(|| format!("cannot use {}", picture.display()))?;
    let fields: Vec<Answer> = fields
        .iter()
        .map(|f| Answer::new(format!("{}.{}", f.queue, f.show.as_str()), &f.reading))
        .collect();
    let answer = serde_json::json!({ "camera": camera.id.to_string(), "fields": fields });
    serde_json::to_writer_pretty(&mut *out, &answer)?;
    writeln!(out)?;
    Ok(())
}

fn choose<'a>(config: &'a NodeConfig, id: Option<&CameraId>) -> anyhow::Result<&'a CameraConfig> {
    let Some(id) = id else {
        return config
            .cameras
            .first()
            .context("the configuration has no [[camera]]");
    };
    let found = config.cameras.iter().find(|c| c.id == *id);
    found.with_context(|| format!("no camera {id} in the configuration"))
}

/// Finds the board and its fields in a picture, draws them on the board's picture (PNG), and prints
/// the block for the configuration.
///
/// # Errors
/// When nothing is found, or the picture cannot be read or written.
pub fn calibrate(picture: &Path, drawn: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let loaded = load(picture).with_context(|| format!("cannot use {}", picture.display()))?;
    let Some(found) = find(&loaded) else {
        bail!(
            "no board with digits in {}: expected one that differs in brightness from what is around it",
            picture.display()
        );
    };
    paint(&found, drawn).with_context(|| format!("cannot write {}", drawn.display()))?;
    let (width, height) = loaded.size();
    writeln!(
        out,
        "# {} fields found; look at {} and fill in the queues.",
        found.fields.len(),
        drawn.display()
    )?;
    writeln!(
        out,
        "[[camera]]\nid = \"hall\"\nsource = {{ kind = \"folder\", path = \"pictures\" }}"
    )?;
    writeln!(out, "size = [{width}, {height}]")?;
    let corners: Vec<String> = found
        .quad
        .points()
        .iter()
        .map(|(x, y)| format!("[{x:.1}, {y:.1}]"))
        .collect();
    writeln!(out, "corners = [{}]", corners.join(", "))?;
    for (i, field) in found.fields.iter().enumerate() {
        let Rect { x, y, w, h } = field.rect;
        let text = field.reading.text.as_deref().unwrap_or("?");
        writeln!(out, "\n[[camera.field]] # {}: reads {text}", i + 1)?;
        writeln!(out, "queue = \"queue-{}\"\nshow = \"ticket\"", i + 1)?;
        writeln!(out, "rect = [{x:.4}, {y:.4}, {w:.4}, {h:.4}]")?;
        writeln!(out, "kind = \"{}\"", field.kind.as_str())?;
        writeln!(out, "max_digits = {}", text.len().clamp(1, 6))?;
    }
    Ok(())
}

/// Draws the fields as frames on the rectified board.
fn paint(found: &Calibration, path: &Path) -> anyhow::Result<()> {
    let (width, height) = found.board.size();
    let mut rgb = found.board.rgb().to_vec();
    let mut dot = |x: u32, y: u32| {
        if x < width && y < height {
            let i = (y as usize * width as usize + x as usize) * 3;
            // Magenta is on no board.
            rgb[i..i + 3].copy_from_slice(&[255, 0, 255]);
        }
    };
    for FoundField { rect, .. } in &found.fields {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // shares of the board
        let at = |share: f32, len: u32| (share * len as f32).round().max(0.0) as u32;
        let (x0, y0) = (at(rect.x, width), at(rect.y, height));
        let (x1, y1) = (at(rect.x + rect.w, width), at(rect.y + rect.h, height));
        for line in 0..2 {
            (x0..x1).for_each(|x| {
                [y0 + line, y1.saturating_sub(line)]
                    .into_iter()
                    .for_each(|y| dot(x, y))
            });
            (y0..y1).for_each(|y| {
                [x0 + line, x1.saturating_sub(line)]
                    .into_iter()
                    .for_each(|x| dot(x, y))
            });
        }
    }
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&rgb)?;
    Ok(())
}
