//! What answers are made of: the words of each language, finished pages, packed events.

pub(crate) mod event;
pub(crate) mod lang;
pub(crate) mod page;
