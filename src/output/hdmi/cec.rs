//! Tells a monitor over the HDMI cable to sleep and to wake (CEC, HDMI 1.4 supplement 1).
//!
//! Best effort: many monitors do not listen, and nothing on the board depends on it. A message
//! takes up to a second, so it is sent by a thread of its own.

use cec_linux::{
    CecDevice, CecLogAddrType, CecLogAddrs, CecLogicalAddress, CecModeFollower, CecModeInitiator,
    CecOpcode, CecPrimDevType, VendorID, Version,
};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

/// Sleep and wake are told at most this many times ahead; more are dropped.
const AHEAD: usize = 4;
/// What the monitor calls this source.
const NAME: &str = "yobiban";

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    Sleep,
    Wake,
}

/// The line to one monitor.
#[derive(Debug)]
pub(super) struct Cec(SyncSender<Message>);

impl Cec {
    /// Starts the line of the connector with this number; `None` where there is no such device.
    pub(super) fn open(number: Option<u32>) -> Option<Self> {
        let path = device(number)?;
        let (send, receive) = sync_channel(AHEAD);
        let thread = std::thread::Builder::new().name("cec".into());
        let started = thread.spawn(move || {
            let mut warned = false;
            for message in receive {
                match send_to(&path, message) {
                    Ok(()) => warned = false,
                    Err(e) if !warned => {
                        tracing::warn!("cannot send a CEC message by {}: {e}", path.display());
                        warned = true;
                    }
                    Err(_) => {}
                }
            }
        });
        started.ok().map(|_| Self(send))
    }

    pub(super) fn send(&self, message: Message) {
        if let Err(TrySendError::Disconnected(_)) = self.0.try_send(message) {
            tracing::debug!("the thread for CEC has ended");
        }
    }
}

/// `HDMI-A-2` is `/dev/cec1`; where the numbers differ, the only one there is.
pub(super) fn device(number: Option<u32>) -> Option<PathBuf> {
    let path = |n: u32| PathBuf::from(format!("/dev/cec{n}"));
    let own = number.and_then(|n| n.checked_sub(1)).map(path);
    own.into_iter().chain([path(0)]).find(|path| path.exists())
}

fn send_to(path: &PathBuf, message: Message) -> io::Result<()> {
    let cec = CecDevice::open(path)?;
    cec.set_mode(CecModeInitiator::Send, CecModeFollower::RepliesOnly)?;
    let own = address(&cec)?;
    match message {
        Message::Sleep => cec.transmit(own, CecLogicalAddress::Tv, CecOpcode::Standby),
        Message::Wake => {
            cec.turn_on(own, CecLogicalAddress::Tv)?;
            // Else a monitor with several inputs may wake on another one.
            let [high, low] = cec.get_phys()?.to_bytes();
            cec.transmit_data(
                own,
                CecLogicalAddress::UnregisteredBroadcast,
                CecOpcode::ActiveSource,
                &[high, low],
            )
        }
    }
}

/// The address on the cable, asked for at the first message.
fn address(cec: &CecDevice) -> io::Result<CecLogicalAddress> {
    if let Some(own) = cec.get_log()?.addresses().first() {
        return Ok(*own);
    }
    let name = NAME
        .to_owned()
        .try_into()
        .map_err(|_| io::ErrorKind::InvalidInput)?;
    cec.set_log(CecLogAddrs::new(
        VendorID::NONE,
        Version::V1_4,
        name,
        &[CecPrimDevType::PLAYBACK],
        &[CecLogAddrType::PLAYBACK],
    ))?;
    let found = cec.get_log()?.addresses().first().copied();
    found.ok_or_else(|| io::Error::other("no free address on the cable"))
}
