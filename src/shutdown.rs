//! Shutdown by signal: the first asks all tasks to stop, the second ends the process at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code after a second signal: 128 + 2 (SIGINT), the convention of shells.
const FORCED_EXIT: i32 = 130;

/// Cancels `token` at the first SIGTERM or SIGINT, and ends the process with exit code 130 at the second.
/// Must be called within a Tokio runtime.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn on_signals(token: CancellationToken) -> std::io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for round in 0.. {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            if round > 0 {
                #[allow(clippy::disallowed_methods)] // "at once" is what was asked for
                std::process::exit(FORCED_EXIT);
            }
            token.cancel();
        }
    });
    Ok(())
}
