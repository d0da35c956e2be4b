//! How many files this process may have open at a time.

/// Raises the limit of open files (`RLIMIT_NOFILE`, getrlimit(2)) to `wanted`, as far as the system
/// allows. Returns the limit that holds now.
#[cfg(target_os = "linux")]
#[must_use]
pub fn raise_open_limit(wanted: u64) -> u64 {
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

/// No such limit is known on this system: returns `wanted`.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn raise_open_limit(wanted: u64) -> u64 {
    wanted
}
