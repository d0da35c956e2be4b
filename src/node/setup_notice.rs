//! A sheet on every monitor in place of a node: there is nothing to work by, or the card's file is
//! wrong.

use super::card::CardStatus;
use super::pause::rest;
use super::setup_status;
use crate::board::{Painter, SetupScreen};
use crate::config::{BoardConfig, OutputConfig};
use crate::errors::panic_text;
use crate::model::{BoardId, Name};
use crate::output::{Frame, Output};
use crate::state::{HighlightSettings, Settings};
use anyhow::Context;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a wrong file is said where the box has older settings to work by: long enough to be
/// read and photographed, short enough for those who wait for a number.
const SHOWN_FOR: Duration = Duration::from_secs(120);

/// How often the device is looked after; within the watchdog's time.
const TEND_EVERY: Duration = Duration::from_secs(1);

/// The size of a sheet where the monitor does not say.
const SIZE: (u32, u32) = (1920, 1080);

/// Shows what stands in the way, if anything. Ends when the node may go on: at once where all is
/// well, after two minutes where there are older settings; else at shutdown alone.
///
/// # Errors
/// When the sheet cannot be drawn at all.
pub async fn run(card: &CardStatus, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let Some(sheet) = setup_status::trouble(card) else {
        return Ok(());
    };
    tracing::warn!("{}: shown on the boards instead of numbers", sheet.english);
    let until = card.configured.then_some(SHOWN_FOR);
    let stop = shutdown.child_token();
    let end = stop.clone();
    let thread = std::thread::Builder::new().name("sheet".into());
    let screen = thread
        .spawn(move || show(&sheet, &end))
        .context("cannot start the setup screen")?;
    match until {
        Some(time) => {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(time) => {}
            }
        }
        None => shutdown.cancelled().await,
    }
    stop.cancel();
    match tokio::task::spawn_blocking(move || screen.join()).await {
        Ok(Ok(result)) => result,
        Ok(Err(payload)) => {
            let said = panic_text(payload.as_ref());
            anyhow::bail!("the thread of the setup screen panicked: {said}")
        }
        Err(error) => Err(error).context("cannot wait for the setup screen"),
    }
}

fn show(sheet: &SetupScreen, stop: &CancellationToken) -> anyhow::Result<()> {
    let board = BoardConfig {
        id: BoardId::new("sheet")?,
        size: SIZE,
        layout: None,
        queues: None,
        output: OutputConfig::None,
        lit_hours: None,
        highlight: HighlightSettings::default(),
        notices: Vec::new(),
        page_url: None,
    };
    let mut painter = Painter::new(&Name::default(), &Settings::new(Vec::new()), &board)?;
    let mut output = monitor();
    let mut frame = Frame::new(SIZE.0, SIZE.1);
    let mut shown = false;
    let mut said: Option<String> = None;
    while !stop.is_cancelled() {
        let again = output.poll_device().unwrap_or(true);
        let (width, height) = output.size().unwrap_or(SIZE);
        let resized = (width, height) != (frame.width(), frame.height());
        if resized {
            frame = Frame::new(width, height);
        }
        if again || resized || !shown {
            let damage = painter.setup_screen(sheet, &mut frame);
            let result = output.present(&frame, &damage);
            shown = result.is_ok();
            let failed = result.err().map(|e| crate::health::with_causes(&e));
            if let Some(failed) = failed.as_ref().filter(|f| said.as_ref() != Some(*f)) {
                tracing::warn!("the setup screen is not shown: {failed}");
            }
            said = failed;
        }
        super::watchdog::notify_alone(&sheet.english);
        rest(stop, TEND_EVERY);
    }
    Ok(())
}

#[cfg(all(feature = "hdmi", target_os = "linux"))]
fn monitor() -> Box<dyn Output> {
    let config = crate::config::HdmiConfig::default();
    Box::new(crate::output::hdmi::HdmiOutput::new(&config, SIZE))
}

#[cfg(not(all(feature = "hdmi", target_os = "linux")))]
fn monitor() -> Box<dyn Output> {
    Box::new(crate::output::NoOutput)
}
