//! The edge node of one office: what it knows, the threads and tasks that work with it, and what it
//! says of itself.
//!
//! A number travels from `reader`, the task that receives the messages, through [`OfficeState`],
//! the only owner of the numbers, to a `Snapshot`, from which every board's thread (`screen`,
//! `digit_board`), every relay and the voice take what they need. `crate::services::node` joins
//! the parts.
//!
//! | part | does |
//! |---|---|
//! | `office_state` | messages in, snapshots and issues out; no I/O |
//! | `reader` | receives messages, saves the state, publishes snapshots, spools calls |
//! | `screen`, `digit_board`, `hours`, `pictures`, `board_video` | one board each: pixels or digits, when it is lit, its picture, its video |
//! | `voice`, `loudspeaker`, `announcement_status` | announcements |
//! | `relay` | one contact that closes for a call |
//! | `camera` | one camera that reads another board |
//! | `report`, `status`, `status_file`, `watchdog`, `source_clock`, `duplicate` | what the node says of itself: to the hub, to scripts, to the service manager |
//! | `card`, `setup_status`, `setup_notice` | setup screens for installers |

pub(crate) mod announcement_status;
pub(crate) mod board_video;
pub(crate) mod camera;
mod card;
pub(crate) mod digit_board;
pub(crate) mod duplicate;
mod hours;
mod loudspeaker;
mod office_state;
pub(crate) mod outputs;
mod pause;
pub(crate) mod pictures;
mod probe;
pub(crate) mod reader;
#[cfg(target_os = "linux")]
pub(crate) mod relay;
pub(crate) mod report;
pub(crate) mod screen;
mod setup_notice;
pub mod setup_status;
mod source_clock;
pub(crate) mod status;
pub(crate) mod status_file;
pub(crate) mod voice;
pub(crate) mod watchdog;

pub use card::{CardFile, CardStatus};
pub use office_state::{OfficeState, Outcome};
pub(crate) use pause::rest;
pub use probe::{BoardContents, FrameDrawn, MessageApplied, Probe};
pub use setup_notice::run as setup_notice;
