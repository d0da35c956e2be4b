//! Keeps the last picture on the screen while the service restarts.
//!
//! The kernel blanks the screen when the last process closes the DRM device. systemd's file descriptor
//! store (`FileDescriptorStoreMax=4` in the unit) keeps it open: the card's descriptor is stored under
//! the name `drm-CONNECTOR` and comes back at the next start as `LISTEN_FDS` with `LISTEN_FDNAMES`.
//! Any other process that starts the service can do the same. Without such a store the screen is
//! blank until the service is back.

use sd_notify::NotifyState;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Names of ours begin with this; files of other names are for somebody else.
const PREFIX: &str = "drm-";

/// What was stored to this process, read once.
static STORED: OnceLock<Mutex<Vec<OwnedFd>>> = OnceLock::new();

/// Takes the first stored descriptor that fits; each is returned once.
pub(super) fn take(fits: impl Fn(&OwnedFd) -> bool) -> Option<OwnedFd> {
    let mut stored = STORED
        .get_or_init(|| Mutex::new(read()))
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let at = stored.iter().position(fits)?;
    Some(stored.swap_remove(at))
}

/// Gives a card's file to the service manager, if there is one.
pub(super) fn give(file: impl AsFd, connector: &str) {
    let name = format!("{PREFIX}{connector}");
    let state = [NotifyState::FdStore, NotifyState::FdName(&name)];
    if let Err(e) = sd_notify::notify_with_fds(&state, &[file.as_fd()]) {
        tracing::warn!("cannot store {name} in the service manager's file descriptor store: {e}");
    }
}

/// Takes a file back from the service manager: what it kept cannot be used.
pub(super) fn forget(connector: &str) {
    let name = format!("{PREFIX}{connector}");
    // Best effort: it would only be offered again at the next start.
    let _ = sd_notify::notify(&[NotifyState::FdStoreRemove, NotifyState::FdName(&name)]);
}

fn read() -> Vec<OwnedFd> {
    let files = match sd_notify::listen_fds_with_names() {
        Ok(files) => files,
        Err(e) => {
            tracing::warn!("cannot take over stored file descriptors: {e}");
            return Vec::new();
        }
    };
    files
        .filter(|(_, name)| name.starts_with(PREFIX))
        .map(|(file, _)| {
            #[allow(unsafe_code)]
            // SAFETY: whoever started this process opened the file for it under this number and
            // name and says so by LISTEN_PID; nothing else in the process takes files of this name,
            // and this runs once.
            unsafe {
                OwnedFd::from_raw_fd(file)
            }
        })
        .collect()
}
