//! The pixels of a board, and all that touches each of them: filling, blending, hashing, packing.
//!
//! A crate of its own because a board of 1920×1080 has two million: this little is optimised in every
//! profile, so that the rest need not be. Knows no ticket, no device, no clock; numbers and words come
//! to it as shapes and masks.

pub mod encode;
mod frame;
mod shape;

pub use frame::{COVERAGE_STEPS, Frame, MAX_SIDE, Mask};
pub use shape::{Form, shape};
