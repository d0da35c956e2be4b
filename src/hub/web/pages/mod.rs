//! What people read. A page whose figures programs want too answers both from the same values.

pub(crate) mod about;
pub(crate) mod accuracy;
pub(crate) mod find;
pub(crate) mod fleet;
mod fleet_labels;
mod fleet_token;
pub(crate) mod forecast;
pub(crate) mod front;
pub(crate) mod install;
pub(crate) mod lite;
pub(crate) mod office;
pub(crate) mod procedures;
mod ticket;
pub(crate) mod ticket_page;
mod typed;
pub(crate) mod video;
