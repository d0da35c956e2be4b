//! The last picture: what stands on a node's boards while the machine switches off.
//!
//! Started by `yobiban-goodbye.service` once the node has stopped. The node left "out of service"
//! on its boards, but the kernel takes that off a monitor as soon as nobody holds the display, and
//! a node that was killed left numbers. So each board gets the words again, and a monitor is held
//! until the machine's last signal. Needs no network, no store, no broker, and not the configuration
//! either, whose partition is taken off meanwhile: the node leaves an extract of it in memory
//! ([`leave`]).

use crate::board::{Digits, MessageScreen, Painter};
use crate::clock::Clock;
use crate::config::{BoardConfig, NodeConfig, OutputConfig, SerialConfig};
use crate::errors;
use crate::health::with_causes;
use crate::node::{digit_board::leave_dashes, outputs, rest};
use crate::output::serial::SerialBoard;
use crate::output::{Frame, Output};
use anyhow::Context;
use embedded_graphics::prelude::Dimensions;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The machine waits this long for the pictures before it goes on switching off: a monitor whose
/// driver starts anew shows its first one within two seconds.
const READY_WITHIN: Duration = Duration::from_secs(3);

/// How often each board's device is looked after.
const TEND_EVERY: Duration = Duration::from_millis(100);

/// The boards are given this long to end.
const STOP_WITHIN: Duration = Duration::from_millis(1500);

/// The name of the extract in the node's runtime directory (`RuntimeDirectory=` of its unit).
const EXTRACT: &str = "boards.toml";

/// Leaves what [`run`] needs in the runtime directory that systemd made, if it did. What fails is
/// logged: a node works without.
pub fn leave(config: &Path) {
    let Some(dir) = std::env::var_os("RUNTIME_DIRECTORY") else {
        return;
    };
    let path = Path::new(&dir).join(EXTRACT);
    let left = std::fs::read_to_string(config)
        .map_err(anyhow::Error::from)
        .and_then(|text| extract(&text, config.parent().unwrap_or(Path::new(""))))
        .and_then(|text| Ok(std::fs::write(&path, text)?));
    if let Err(e) = left {
        tracing::warn!("cannot prepare the last picture: {}: {e:#}", path.display());
    }
}

/// The part of a node's configuration that its boards need, without secrets, with whole paths.
fn extract(text: &str, dir: &Path) -> anyhow::Result<String> {
    let mut whole: toml::Table = text.trim_start_matches('\u{feff}').parse()?;
    let mut part = toml::Table::new();
    for key in ["office", "node", "queue", "board"] {
        if let Some(value) = whole.remove(key) {
            part.insert(key.into(), value);
        }
    }
    // A broker must be named, and is never asked.
    let mut mqtt = toml::Table::new();
    mqtt.insert("url".into(), "mqtt://localhost".into());
    part.insert("mqtt".into(), mqtt.into());
    let boards = part.get_mut("board").and_then(toml::Value::as_array_mut);
    for board in boards.into_iter().flatten() {
        whole_path(board.get_mut("layout"), dir);
        let output = board.get_mut("output");
        whole_path(output.and_then(|o| o.get_mut("template")), dir);
    }
    Ok(part.to_string())
}

/// Makes the path of an own file one that is whole, wherever the extract is; names stay.
fn whole_path(value: Option<&mut toml::Value>, dir: &Path) {
    if let Some(toml::Value::String(path)) = value
        && path.ends_with(".toml")
    {
        let whole = std::path::absolute(dir.join(&*path)).unwrap_or_else(|_| dir.join(&*path));
        if let Some(whole) = whole.to_str() {
            *path = whole.to_owned();
        }
    }
}

/// Shows the last picture until shutdown.
///
/// # Errors
/// When the threads of boards cannot be started. A board that cannot be built or reached is logged
/// and left alone: nothing may hold up a machine that switches off.
pub async fn run(
    config: NodeConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let slate = MessageScreen::shutdown(clock.now(), &config.state.timezone);
    let (to_shown, mut shown) = mpsc::channel(config.boards.len().max(1));
    let mut threads = Vec::new();
    for board in &config.boards {
        let work = match prepare(&config, board, &slate) {
            Ok(Some(work)) => work,
            Ok(None) => continue,
            Err(e) => {
                tracing::warn!("cannot show the last picture on board {}: {e:#}", board.id);
                continue;
            }
        };
        threads.push(start(work, board, to_shown.clone(), &shutdown)?);
    }
    drop(to_shown);
    let all = async { while shown.recv().await.is_some() {} };
    tokio::select! {
        () = all => {}
        () = tokio::time::sleep(READY_WITHIN) => tracing::warn!("some boards do not show the last picture yet"),
        () = shutdown.cancelled() => {}
    }
    ready();
    shutdown.cancelled().await;
    let joined = tokio::task::spawn_blocking(|| {
        threads.into_iter().for_each(|thread| {
            errors::join(thread);
        });
    });
    let _ = tokio::time::timeout(STOP_WITHIN, joined).await; // the machine ends what does not
    Ok(())
}

/// What a board's thread does.
enum Work {
    Picture(Box<Picture>),
    Dashes(Box<SerialBoard>, Box<Digits>),
}

/// A board that is drawn.
struct Picture {
    output: Box<dyn Output>,
    painter: Painter,
    slate: MessageScreen,
    size: (u32, u32),
}

/// Opens what a board is shown on; `None` for boards that are files only.
fn prepare(
    config: &NodeConfig,
    board: &BoardConfig,
    slate: &MessageScreen,
) -> anyhow::Result<Option<Work>> {
    if let OutputConfig::Serial(serial) = &board.output {
        return dashes(serial, board).map(Some);
    }
    let (Some(output), _) = outputs::open(board)? else {
        return Ok(None);
    };
    let painter = Painter::new(&config.office_name, &config.state, board).or_else(|_| {
        // The partition with the own layout may be away already.
        let mut plain = board.clone();
        plain.layout = None;
        Painter::new(&config.office_name, &config.state, &plain)
    })?;
    Ok(Some(Work::Picture(Box::new(Picture {
        output,
        painter,
        slate: slate.clone(),
        size: board.size,
    }))))
}

fn dashes(serial: &SerialConfig, config: &BoardConfig) -> anyhow::Result<Work> {
    let mut board = SerialBoard::new(serial)?;
    let digits = Digits::new(serial, config, board.blinks());
    board.poll_device(); // opens its device
    Ok(Work::Dashes(Box::new(board), Box::new(digits)))
}

fn start(
    work: Work,
    board: &BoardConfig,
    shown: mpsc::Sender<()>,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    let shutdown = shutdown.clone();
    std::thread::Builder::new()
        .name(format!("board-{}", board.id))
        .spawn(move || match work {
            Work::Dashes(mut board, digits) => leave_dashes(&mut board, &digits),
            Work::Picture(picture) => picture.hold(shown, &shutdown),
        })
        .with_context(|| format!("cannot start board {}", board.id))
}

impl Picture {
    /// Shows the words and holds the device until shutdown; lets go of `shown` when they are seen.
    fn hold(mut self, shown: mpsc::Sender<()>, shutdown: &CancellationToken) {
        let mut shown = Some(shown);
        let mut frame = Frame::new(self.size.0, self.size.1);
        let mut drawn = false;
        let mut behind = true;
        let mut told = String::new();
        self.output.set_lit(true);
        while !shutdown.is_cancelled() {
            let tended = self.output.poll_device();
            let (width, height) = self.output.size().unwrap_or(self.size);
            if (width, height) != (frame.width(), frame.height()) {
                frame = Frame::new(width, height);
                drawn = false;
            }
            if !drawn {
                self.painter.message_screen(&self.slate, &mut frame);
                drawn = true;
                behind = true;
            }
            behind |= !matches!(tended, Ok(false));
            let result = match tended {
                Ok(_) if behind => self.output.present(&frame, &[frame.bounding_box()]),
                tended => tended.map(drop),
            };
            match result {
                Ok(()) => {
                    behind = false;
                    shown = None;
                }
                Err(e) => {
                    let why = with_causes(&e);
                    if told != why {
                        tracing::warn!("{why}");
                        told = why;
                    }
                }
            }
            rest(shutdown, TEND_EVERY);
        }
        drop(shown);
    }
}

/// Tells systemd that the machine may go on switching off.
fn ready() {
    #[cfg(target_os = "linux")]
    if let Err(e) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::debug!("cannot notify the service manager: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_extract_is_a_configuration_without_secrets() {
        let text = r#"
            [office]
            id = "chuo"
            name = { ja = "中央区" }
            [node]
            id = "n1"
            [mqtt]
            url = "mqtts://broker.example.jp"
            username = "n1"
            password = "geheim"
            key = "away.key"
            cert = "away.crt"
            [[queue]]
            id = "koseki"
            name = { ja = "戸籍" }
            [[board]]
            id = "main"
            layout = "own.toml"
            output = { kind = "hdmi", rotate = 90 }
            [[board]]
            id = "second"
            layout = "light"
            output = { kind = "none" }
        "#;
        let dir = tempfile::tempdir().expect("folder");
        let own = dir.path().join("own.toml");
        std::fs::write(&own, include_str!("../../assets/boards/light.toml")).expect("written");
        let part = extract(text, dir.path()).expect("a configuration");
        assert!(!part.contains("geheim") && !part.contains("away"), "{part}");
        let config = config::parse_node(&part, "boards.toml", Path::new("/run")).expect(&part);
        let layouts: Vec<_> = config.boards.iter().map(|b| b.layout.as_deref()).collect();
        assert_eq!(layouts, [own.to_str(), Some("light")]);
        // A board whose layout has gone since gets the words all the same.
        std::fs::remove_file(&own).expect("removed");
        let slate = MessageScreen::shutdown(clock_at_noon(), &config.state.timezone);
        assert!(slate.line.starts_with("12:00"), "{slate:?}");
        let work = prepare(&config, &config.boards[0], &slate).expect("a board");
        assert!(matches!(work, Some(Work::Picture(_))));
        let file = prepare(&config, &config.boards[1], &slate).expect("a board");
        assert!(file.is_none());
    }

    fn clock_at_noon() -> crate::clock::Now {
        crate::clock::Now::at("2026-11-24T12:00:00+09:00".parse().expect("time"))
    }
}
