//! What several pages and answers share.

pub(crate) mod assets;
pub(crate) mod base;
pub(crate) mod cards;
pub(crate) mod json;
pub(crate) mod labels;
pub(crate) mod missing;
pub(crate) mod office_body;
