//! What a board is shown on, by its configuration.

use crate::config::{BoardConfig, OutputConfig};
#[cfg(target_os = "linux")]
use crate::output::led::{ReopeningOutput, hub75, max7219};
use crate::output::{Output, PngOutput};

/// What shows a board's frames, and the file that its picture goes to; boards of digits have neither.
type Outputs = (Option<Box<dyn Output>>, Option<PngOutput>);

/// Opens what a board is shown on. A device that is missing now is not an error: it is looked for
/// while the board runs.
///
/// # Errors
/// When this program was built without the board's kind of output, or runs on a system that has none.
pub(crate) fn open(board: &BoardConfig) -> anyhow::Result<Outputs> {
    Ok(match &board.output {
        OutputConfig::None => (None, None),
        OutputConfig::Png { path } => (None, Some(PngOutput::new(path.clone()))),
        #[cfg(feature = "window")]
        OutputConfig::Window => (
            Some(Box::new(crate::output::WindowOutput::new(
                board.id.as_str(),
            ))),
            None,
        ),
        #[cfg(not(feature = "window"))]
        OutputConfig::Window => anyhow::bail!(
            "board {}: this program was built without windows; build it with --features window",
            board.id
        ),
        #[cfg(all(feature = "hdmi", target_os = "linux"))]
        OutputConfig::Hdmi(hdmi) => (
            Some(Box::new(crate::output::hdmi::HdmiOutput::new(
                hdmi, board.size,
            ))),
            None,
        ),
        #[cfg(not(all(feature = "hdmi", target_os = "linux")))]
        OutputConfig::Hdmi(_) => anyhow::bail!(
            "board {}: this program was built without HDMI; build it with --features hdmi on Linux",
            board.id
        ),
        // A board of digits has no frames, and a thread of its own.
        OutputConfig::Serial(_) => (None, None),
        #[cfg(target_os = "linux")]
        OutputConfig::Max7219(led) => {
            let led = led.clone();
            let open = move || max7219::open(&led);
            (
                Some(Box::new(ReopeningOutput::new("max7219", board.size, open))),
                None,
            )
        }
        #[cfg(target_os = "linux")]
        OutputConfig::Hub75(led) => {
            let led = led.clone();
            let open = move || hub75::open(&led);
            (
                Some(Box::new(ReopeningOutput::new("hub75", board.size, open))),
                None,
            )
        }
        #[cfg(not(target_os = "linux"))]
        OutputConfig::Max7219(_) | OutputConfig::Hub75(_) => {
            anyhow::bail!("board {}: LED panels need Linux", board.id)
        }
    })
}
