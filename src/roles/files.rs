//! Open files: how many this process may have.

/// Asks the system for as many open files as are wanted, as far as it gives them; how many there
/// may be now.
#[cfg(target_os = "linux")]
pub(super) fn raise(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let given = getrlimit(Resource::Nofile);
    let soft = given.current.unwrap_or(u64::MAX);
    let raised = given.maximum.unwrap_or(u64::MAX).min(wanted);
    if raised <= soft {
        return soft;
    }
    let limit = Rlimit {
        current: Some(raised),
        maximum: given.maximum,
    };
    if setrlimit(Resource::Nofile, limit).is_ok() {
        raised
    } else {
        soft
    }
}

/// Asks nobody: there is no such limit that is known here.
#[cfg(not(target_os = "linux"))]
pub(super) fn raise(wanted: u64) -> u64 {
    wanted
}
