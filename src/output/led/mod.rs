//! Panels of light points: how they are driven, and what they look like.

pub mod preview;
