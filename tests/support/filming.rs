//! Cameras of tests: what they film, how a node is told of them, and marks beside the board that
//! must go nowhere.

use super::filmed::{self, Filmed, Style, Trouble, ahead};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use yobiban::config::{CameraConfig, CameraField, CameraShow, CameraSource, DigitKind};

pub fn kind(style: Style) -> DigitKind {
    match style {
        Style::Segments => DigitKind::SevenSegment,
        Style::Text => DigitKind::TextDigits,
    }
}

pub fn jpeg(filmed: &Filmed) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (w, h) = (filmed.width as u16, filmed.height as u16);
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder
        .encode(&filmed.rgb, w, h, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    bytes
}

pub fn config(filmed: &Filmed) -> CameraConfig {
    let field = |(i, f): (usize, &filmed::Field)| CameraField {
        queue: format!("q{}", i / 2).parse().unwrap(),
        show: if i % 2 == 0 {
            CameraShow::Counter
        } else {
            CameraShow::Ticket
        },
        rect: f.rect,
        kind: kind(filmed.style),
        max_digits: 4,
        prefix: String::new(),
    };
    CameraConfig {
        id: "hall".parse().unwrap(),
        source: CameraSource::Folder { path: ".".into() },
        size: (filmed.width, filmed.height),
        corners: filmed.corners,
        max_drift_px: 12,
        interval: Duration::from_secs(1),
        confirmations: 3,
        picture_interval: Duration::from_secs(5),
        fields: filmed.fields.iter().enumerate().map(field).collect(),
    }
}

pub fn film(calls: usize) -> Filmed {
    ahead(7, Style::Text, Trouble::None, calls)
}

/// A folder of pictures, each of these boards several times in turn.
pub fn folder(dir: &Path, name: &str, boards: &[&[u8]]) -> CameraSource {
    let path = dir.join(name);
    fs::create_dir(&path).unwrap();
    for (i, board) in boards.iter().enumerate() {
        for n in 0..5 {
            fs::write(path.join(format!("{i}-{n}.jpg")), board).unwrap();
        }
    }
    CameraSource::Folder { path }
}

pub fn camera(source: CameraSource) -> CameraConfig {
    CameraConfig {
        source,
        interval: Duration::from_millis(200),
        picture_interval: Duration::from_secs(2),
        ..config(&film(0))
    }
}

/// What is around the board in these pictures: a colour that no board has, a row of pixels, a
/// comment in the file.
pub struct Marks {
    comment: String,
    pixels: Vec<u8>,
}

pub fn marked(filmed: &mut Filmed) -> (Vec<u8>, Marks) {
    let c = filmed.corners;
    let (left, right) = (c[0].0.min(c[3].0), c[1].0.max(c[2].0));
    let (top, bottom) = (c[0].1.min(c[1].1), c[2].1.max(c[3].1));
    // Blocks of a JPEG are up to 16 pixels: those that touch the board stay as they are.
    let far =
        |x: f32, y: f32| x < left - 34.0 || x > right + 34.0 || y < top - 34.0 || y > bottom + 34.0;
    let mut marks = 0;
    for (i, pixel) in filmed.rgb.chunks_exact_mut(3).enumerate() {
        let (x, y) = (i % filmed.width as usize, i / filmed.width as usize);
        if far(x as f32, y as f32) {
            pixel.copy_from_slice(&[255, 0, 255]);
            marks += 1;
        }
    }
    assert!(
        marks > 10_000,
        "{marks}: the board leaves no room for marks"
    );
    let comment = format!("mark-{:016x}", fastrand::Rng::with_seed(11).u64(..));
    let plain = jpeg(filmed);
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xff, 0xfe, 0, comment.len() as u8 + 2]);
    bytes.extend(comment.as_bytes());
    bytes.extend(&plain[2..]);
    let pixels = [255, 0, 255].repeat(16);
    (bytes, Marks { comment, pixels })
}

impl Marks {
    pub fn are_in(&self, bytes: &[u8]) -> bool {
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|w| w == part);
        holds(self.comment.as_bytes()) || holds(&self.pixels)
    }
}

pub fn toml(broker: SocketAddr, camera: &CameraConfig, folder: &Path) -> String {
    let mut text = super::node_toml(broker, "");
    for (i, field) in camera.fields.iter().enumerate() {
        if i % 2 == 0 {
            let id = &field.queue;
            text += &format!("[[queue]]\nid = \"{id}\"\nname = {{ ja = \"窓口\" }}\n");
        }
    }
    let corners: Vec<String> = camera
        .corners
        .iter()
        .map(|(x, y)| format!("[{x:.1}, {y:.1}]"))
        .collect();
    text += &format!(
        "[[camera]]\nid = \"hall\"\nsource = {{ kind = \"folder\", path = \"{}\" }}\ncorners = [{}]\n\
         every = \"200ms\"\npicture_every = \"2s\"\n",
        folder.display(),
        corners.join(", ")
    );
    for f in &camera.fields {
        text += &format!(
            "[[camera.field]]\nqueue = \"{}\"\nshow = \"{}\"\nrect = {:?}\nkind = \"text-digits\"\nmax_digits = 4\n",
            f.queue,
            f.show.as_str(),
            f.rect
        );
    }
    text
}

pub fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
