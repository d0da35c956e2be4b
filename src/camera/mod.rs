//! camera
mod field;
mod glyphs;
mod parts;
mod picture;
mod quad;
mod read;
mod reading;
mod segments;
mod text;
pub use picture::{Picture, PictureError, Rectified};
pub use quad::{Quad, Rect};
pub use read::{DigitKind, FieldSpec, Reading, read};
pub use reading::Doubt;
