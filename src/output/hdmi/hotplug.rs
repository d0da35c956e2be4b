//! Hears from the kernel when something was plugged in or pulled.
//!
//! The kernel sends a text to everybody who listens (`NETLINK_KOBJECT_UEVENT`, group 1). It only
//! says that something happened; what it was, a look at the connector tells.

use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use std::io;
use std::os::fd::OwnedFd;

/// The kernel's own group; group 2 is that of udev.
const KERNEL_GROUP: u32 = 1;
/// The kernel's buffer for one event is 2 KiB; what is longer is not from it.
const MAX_EVENT: usize = 8192;
/// Events read in one go: the rest is read a second later.
const MAX_EVENTS: usize = 64;

/// An open ear for events.
#[derive(Debug)]
pub(super) struct Events(OwnedFd);

impl Events {
    pub(super) fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            flags,
            Some(KOBJECT_UEVENT),
        )?;
        bind(&socket, &SocketAddrNetlink::new(0, KERNEL_GROUP))?;
        Ok(Self(socket))
    }

    /// Whether something happened to a display since the last question. Never waits.
    pub(super) fn has_event(&self) -> bool {
        let mut heard = false;
        let mut event = vec![0; MAX_EVENT];
        for _ in 0..MAX_EVENTS {
            match recv(&self.0, event.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((length, _)) => heard |= is_display(&event[..length.min(MAX_EVENT)]),
                Err(rustix::io::Errno::INTR) => {}
                // Events were lost: better one look too many.
                Err(rustix::io::Errno::NOBUFS) => heard = true,
                Err(_) => break,
            }
        }
        heard
    }
}

/// Whether an event is about a display: it has a line `SUBSYSTEM=drm`.
fn is_display(event: &[u8]) -> bool {
    event
        .split(|b| *b == 0)
        .any(|line| line == b"SUBSYSTEM=drm")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::PATIENCE;

    #[test]
    fn only_events_of_displays_count() {
        let plug = b"change@/devices/x/drm/card0\0ACTION=change\0SUBSYSTEM=drm\0HOTPLUG=1\0";
        assert!(is_display(plug));
        assert!(!is_display(
            b"add@/devices/x\0ACTION=add\0SUBSYSTEM=usb\0X=SUBSYSTEM=drm\0"
        ));
        assert!(!is_display(&[0; 100]));
        assert!(!is_display(&[]));
    }

    #[test]
    fn silence_is_not_waited_for() {
        // Where the sandbox forbids such sockets, there is nothing to try.
        if let Ok(events) = Events::open() {
            let (tell, told) = std::sync::mpsc::channel();
            std::thread::spawn(move || tell.send(events.has_event()));
            // Nothing is plugged in here: what waited would wait for ever.
            told.recv_timeout(PATIENCE).expect("an answer");
        }
    }
}
