//! What programs read.

pub(crate) mod api;
pub(crate) mod ngsi;
pub(crate) mod opendata;
pub(crate) mod ops;
pub(crate) mod pictures;
pub(crate) mod sound;
pub(crate) mod widgets;
