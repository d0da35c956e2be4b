//! The edge service of one office.

mod truth;

pub use truth::{Outcome, Truth};
