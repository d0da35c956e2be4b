//! Waiting for what must come: until it is there, however slow the machine is.
//!
//! Tests of the whole program and those beside the code wait with these three, so that no test has
//! a limit of its own which a busy machine outruns.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// How long to wait for what must come. A guard against tests that hang, not a measure: only a test
/// that fails waits it out, therefore it allows for any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Between two questions.
const STEP: Duration = Duration::from_millis(5);

/// What a question may be answered with: whether it is so, the thing itself, or why not yet.
pub(crate) trait Answer {
    /// What was waited for.
    type Value;

    /// It, or what to say of its not being there.
    fn found(self) -> Result<Self::Value, String>;
}

impl Answer for bool {
    type Value = ();

    fn found(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("not so".into()) }
    }
}

impl<T> Answer for Option<T> {
    type Value = T;

    fn found(self) -> Result<T, String> {
        self.ok_or_else(|| "not there".into())
    }
}

impl<T, E: Debug> Answer for Result<T, E> {
    type Value = T;

    fn found(self) -> Result<T, String> {
        self.map_err(|last| format!("{last:?}"))
    }
}

/// One wait: what for, since when, for how long at most.
struct Wait<'a> {
    what: &'a str,
    begin: Instant,
    limit: Duration,
}

impl<'a> Wait<'a> {
    fn new(what: &'a str, limit: Duration) -> Self {
        let begin = Instant::now();
        Self { what, begin, limit }
    }

    /// What was waited for, if it is there.
    fn over<A: Answer>(&self, answer: A) -> Option<A::Value> {
        let why = match answer.found() {
            Ok(value) => return Some(value),
            Err(why) => why,
        };
        let Self { what, limit, .. } = self;
        assert!(
            self.begin.elapsed() < *limit,
            "not within {limit:?}: {what}: {why}"
        );
        None
    }
}

/// Asks until the answer is there, for at most `limit`.
pub(crate) async fn eventually<A: Answer>(
    limit: Duration,
    what: &str,
    mut ask: impl FnMut() -> A,
) -> A::Value {
    let wait = Wait::new(what, limit);
    loop {
        if let Some(found) = wait.over(ask()) {
            return found;
        }
        tokio::time::sleep(STEP).await;
    }
}

/// Asks until the answer is there, where asking takes time itself.
pub(crate) async fn until<A: Answer>(what: &str, mut ask: impl AsyncFnMut() -> A) -> A::Value {
    let wait = Wait::new(what, PATIENCE);
    loop {
        if let Some(found) = wait.over(ask().await) {
            return found;
        }
        tokio::time::sleep(STEP).await;
    }
}

/// Asks until the answer is there, in a test without a runtime.
pub(crate) fn wait_for<A: Answer>(what: &str, mut ask: impl FnMut() -> A) -> A::Value {
    let wait = Wait::new(what, PATIENCE);
    loop {
        if let Some(found) = wait.over(ask()) {
            return found;
        }
        std::thread::park_timeout(STEP);
    }
}
