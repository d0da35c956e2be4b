//! TLS settings from files.
//!
//! Read anew for every attempt to connect, so that a certificate that was renewed on disk is used
//! without a restart. The files are read by the very loader that checks a configuration.

pub use crate::config::tls::{TlsError, client_config};
