//! Which connector of which card a board is shown on.
//!
//! A connector and the CRTC (the part of the card that reads the picture) belong to one board of
//! this process at a time.

use super::card::Card;
use super::edid::Monitor;
use drm::control::{Device as _, Mode, connector, crtc, property};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What is in use: card, connector, CRTC.
static CLAIMED: Mutex<Vec<(u64, u32, u32)>> = Mutex::new(Vec::new());

/// Holds a connector and a CRTC for one board.
#[derive(Debug)]
pub(super) struct Claim((u64, u32, u32));

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.retain(|claim| *claim != self.0);
    }
}

/// A connector that belongs to one board.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) card: Arc<Card>,
    pub(super) connector: connector::Handle,
    pub(super) crtc: crtc::Handle,
    /// `HDMI-A-1`
    pub(super) name: String,
    properties: HashMap<String, property::Handle>,
    _claim: Claim,
}

/// What a look at a connector found.
#[derive(Debug)]
pub(super) struct ProbedConnector {
    pub(super) plugged: bool,
    pub(super) modes: Vec<Mode>,
    pub(super) monitor: Monitor,
}

/// Says why there is no port for a board.
#[derive(Debug, thiserror::Error)]
pub(super) enum PortError {
    #[error("no display driver is loaded: /dev/dri has no card")]
    NoCard,
    #[error("no card has a connector {0}")]
    NoConnector(String),
    #[error("no monitor is connected to {0}")]
    Unplugged(String),
    #[error("{0} belongs to another board")]
    Taken(String),
    #[error("cannot use {what}")]
    Card { what: String, source: io::Error },
}

/// Who is asked what is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The monitors themselves, which takes a moment.
    Monitors,
    /// The kernel, for what it remembers of them.
    Kernel,
}

impl Port {
    /// Finds the connector of this name, or with `None` the first that has a monitor and no board.
    pub(super) fn find(wanted: Option<&str>, ask: Ask) -> Result<Self, PortError> {
        let (cards, failed) = Card::all();
        if cards.is_empty() {
            return Err(match failed {
                Some((path, source)) => PortError::Card {
                    what: path.display().to_string(),
                    source,
                },
                None => PortError::NoCard,
            });
        }
        let mut why = match (wanted, failed) {
            (Some(name), None) => PortError::NoConnector(name.to_owned()),
            (_, Some((path, source))) => PortError::Card {
                what: path.display().to_string(),
                source,
            },
            (None, None) => PortError::Unplugged("any connector".into()),
        };
        for card in cards {
            let Ok(resources) = card.resource_handles() else {
                continue; // a card without connectors, such as one that only computes
            };
            for handle in resources.connectors() {
                let Ok(info) = card.get_connector(*handle, ask == Ask::Monitors) else {
                    continue; // gone between two questions
                };
                let name = info.to_string();
                if wanted.is_some_and(|wanted| wanted != name) || is_no_monitor(info.interface()) {
                    continue;
                }
                if info.state() == connector::State::Disconnected {
                    if wanted.is_some() {
                        why = PortError::Unplugged(name);
                    }
                    continue;
                }
                match claim(&card, &info) {
                    Some((crtc, claim)) => {
                        return Ok(Self {
                            properties: properties(&card, *handle),
                            connector: *handle,
                            card,
                            crtc,
                            name,
                            _claim: claim,
                        });
                    }
                    None if wanted.is_some() => why = PortError::Taken(name),
                    None => {}
                }
            }
        }
        Err(why)
    }

    /// Looks what is plugged in.
    pub(super) fn probe(&self, ask: Ask) -> io::Result<ProbedConnector> {
        let info = self
            .card
            .get_connector(self.connector, ask == Ask::Monitors)?;
        let plugged = info.state() != connector::State::Disconnected;
        Ok(ProbedConnector {
            plugged,
            modes: info.modes().to_vec(),
            monitor: if plugged {
                self.monitor()
            } else {
                Monitor::default()
            },
        })
    }

    fn monitor(&self) -> Monitor {
        let edid = || {
            let wanted = self.properties.get("EDID")?;
            let all = self.card.get_properties(self.connector).ok()?;
            let (_, blob) = all.iter().find(|(handle, _)| *handle == wanted)?;
            // 0 is no EDID.
            (*blob != 0).then(|| self.card.get_property_blob(*blob).ok())?
        };
        edid()
            .map(|bytes| Monitor::read(&bytes))
            .unwrap_or_default()
    }

    /// Switches the signal on or off.
    pub(super) fn signal(&self, on: bool) -> io::Result<()> {
        /// `DRM_MODE_DPMS_ON` and `DRM_MODE_DPMS_OFF` of the kernel.
        const DPMS: [u64; 2] = [3, 0];
        let Some(dpms) = self.properties.get("DPMS") else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        self.card
            .set_property(self.connector, *dpms, DPMS[usize::from(on)])
    }

    /// The connector's number among those of its kind, from 1: `2` of `HDMI-A-2`.
    pub(super) fn number(&self) -> Option<u32> {
        self.name.rsplit_once('-')?.1.parse().ok()
    }
}

/// Connectors that no monitor is ever plugged into.
fn is_no_monitor(interface: connector::Interface) -> bool {
    interface == connector::Interface::Writeback
}

fn claim(card: &Arc<Card>, info: &connector::Info) -> Option<(crtc::Handle, Claim)> {
    let resources = card.resource_handles().ok()?;
    let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
    let number = u32::from(info.handle());
    if claimed
        .iter()
        .any(|c| (c.0, c.1) == (card.device(), number))
    {
        return None;
    }
    // The one it is driven by already, so that a picture on the screen is followed without a gap.
    let current = info
        .current_encoder()
        .and_then(|encoder| card.get_encoder(encoder).ok()?.crtc());
    let possible = info
        .encoders()
        .iter()
        .filter_map(|encoder| card.get_encoder(*encoder).ok())
        .flat_map(|encoder| resources.filter_crtcs(encoder.possible_crtcs()));
    let free = |crtc: &crtc::Handle| {
        let number = u32::from(*crtc);
        !claimed
            .iter()
            .any(|c| (c.0, c.2) == (card.device(), number))
    };
    let crtc = current.into_iter().chain(possible).find(free)?;
    let entry = (card.device(), number, crtc.into());
    claimed.push(entry);
    Some((crtc, Claim(entry)))
}

fn properties(card: &Card, connector: connector::Handle) -> HashMap<String, property::Handle> {
    let Ok(all) = card.get_properties(connector) else {
        return HashMap::new();
    };
    let named = all.iter().filter_map(|(handle, _)| {
        let info = card.get_property(*handle).ok()?;
        Some((info.name().to_str().ok()?.to_owned(), *handle))
    });
    named.collect()
}
