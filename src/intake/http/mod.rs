//! An address that is asked again and again: JSON, XML, CSV or text over HTTP.
//!
//! One connection is kept open. Redirects are not followed, only status 200 with the expected media type is
//! an answer, and a body that is the same as before is not handed on. After a failure the pause grows from one
//! second to half a minute.

mod answer;
mod cookies;
#[cfg(test)]
mod server;
mod session;
#[cfg(test)]
mod tests;

pub use answer::Expected;
pub use session::{Access, Auth, Login, LoginBody, TIMEOUT};

#[cfg(test)]
pub(super) use server::{Reply, TestServer};
pub(super) use session::Session;

use super::{Detail, Fault, MAX_PAYLOAD, MIN_EVERY, Outlet, decode, retry};
use crate::config::Secret;
use crate::source::Seen;
use answer::Validators;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;

/// An address to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// The server, and who asks.
    pub access: Access,
    /// Path with query.
    pub path: Secret,
    /// How often, at least [`MIN_EVERY`].
    pub every: Duration,
    /// What it answers.
    pub expect: Expected,
}

/// Asks an address until it is stopped.
pub async fn run(config: HttpConfig, mut outlet: Outlet) {
    let every = config.every.max(MIN_EVERY);
    let mut poller = Poller::new(&config);
    let stop = outlet.stop();
    let mut backoff = retry::backoff();
    loop {
        let begin = Instant::now();
        let polled = tokio::select! {
            polled = poller.poll() => polled,
            () = stop.cancelled() => return,
        };
        let pause = match polled {
            Ok(new) => {
                backoff.reset();
                if let Some((payload, detail)) = new {
                    if !outlet.hand_over(payload, Seen::Live, detail).await {
                        return;
                    }
                } else {
                    outlet.contact();
                }
                // A slow server is not asked without a pause.
                every.saturating_sub(begin.elapsed()).max(every / 4)
            }
            Err(fault) => {
                outlet.fault(fault.at(&poller.session.server()));
                backoff.next(fastrand::f64()).max(every)
            }
        };
        if !outlet.pause(pause).await {
            return;
        }
    }
}

/// Asks one address, and knows its last answer.
pub(super) struct Poller {
    session: Session,
    path: Secret,
    expect: Expected,
    validators: Validators,
    last: Option<Vec<u8>>,
}

impl Poller {
    pub(super) fn new(config: &HttpConfig) -> Self {
        Self {
            session: Session::new(&config.access),
            path: config.path.clone(),
            expect: config.expect.clone(),
            validators: Validators::default(),
            last: None,
        }
    }

    /// Asks once; `None` when the answer is the same as before.
    pub(super) async fn poll(&mut self) -> Result<Option<(Bytes, Detail)>, Fault> {
        let conditions = self.validators.header();
        let conditions = conditions.map(|(name, value)| (name, value.to_owned()));
        let headers = conditions.into_iter().collect();
        let Some(answer) = self.session.get(&self.path, &self.expect, headers).await? else {
            return Ok(None);
        };
        let body = self.session.body(answer, MAX_PAYLOAD).await?;
        let validators = body.validators.clone();
        if self.last.as_ref() == Some(&body.bytes) {
            self.validators = validators;
            return Ok(None);
        }
        let bytes = body.bytes.clone();
        let document = document(body, &self.expect)?;
        // What cannot be read is looked at again, and stays a fault.
        (self.last, self.validators) = (Some(bytes), validators);
        Ok(Some(document))
    }
}

/// A body as UTF-8 with its type.
pub(super) fn document(body: session::Body, expect: &Expected) -> Result<(Bytes, Detail), Fault> {
    let json = *expect == Expected::Json;
    let text =
        decode::body(body.bytes, body.charset.as_deref(), json).map_err(Fault::unreadable)?;
    if text.len() > MAX_PAYLOAD {
        let most = MAX_PAYLOAD / 1024;
        return Err(Fault::unreadable(format!(
            "more than {most} KiB as UTF-8: expected at most so many"
        )));
    }
    let detail = Detail::Document {
        media_type: body.media_type,
    };
    Ok((Bytes::from(text), detail))
}
