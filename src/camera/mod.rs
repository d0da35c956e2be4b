//! Old boards filmed, cut out and read: pictures to numbers, and to pictures for viewers.
//!
//! ```text
//! Source ──Frame──▶ Reader::observe ──▶ readings with confidence ──▶ queue states
//!                       └──▶ RectifiedBoard ──▶ ViewerPicture (JPEG)
//! ```
//! Invariants: a [`Picture`] has no way out of memory but [`Picture::rectify`], which leaves nothing
//! outside the board's corners; a field that is not clear is unknown, never guessed; a number is
//! shown once several pictures agree and it follows from the one before. Does not know topics,
//! brokers, boards or who looks at the pictures. `docs/camera.md` tells how reading works.

mod calibrate;
mod columns;
mod components;
mod evidence;
mod field;
mod found;
mod freeze;
mod glyphs;
mod light;
mod lines;
mod picture;
mod quad;
mod rank;
mod read;
mod reader;
mod reading;
mod segments;
mod source;
mod text;
mod viewer;

pub use calibrate::{Calibration, calibrate};
pub use found::FoundField;
pub use freeze::FreezeDetector;
pub use picture::{Picture, PictureError, RectifiedBoard};
pub use quad::{Quad, Rect};
pub use read::{FieldSpec, Reading, read};
pub use reader::{FieldReading, Observation, Reader};
pub use reading::Doubt;
pub use source::{FolderSource, Frame, Source, SourceError, device_formats, load, open};
pub use viewer::{MAX_BYTES, ViewerPicture, ViewerSchedule};
