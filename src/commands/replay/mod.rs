//! A recorded day, published as if it happened now.
//!
//! Everything is published retained with QoS 1, as ticketing systems do, in the order and at the
//! pace of the recording, and confirmed before the end. What is changed on the way is said in
//! [`moved`].

pub mod moved;

use crate::clock::{Clock, SystemClock};
use crate::commands::broker_url;
use crate::config::MqttConfig;
use crate::feed::recording::{Line, Payload, Recording};
use crate::model::OfficeId;
use crate::mqtt::{self, Confirmation, Publish, SessionOptions};
use anyhow::{Context, ensure};
use jiff::Timestamp;
use moved::{Mover, Ranks};
use std::collections::{BTreeSet, VecDeque};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Confirmations that may be open; more than the session's queue and window hold together.
const OPEN: usize = 512;

/// What to replay, and how.
#[derive(Debug, Clone)]
pub struct ReplayArgs {
    /// The recording, gzip or plain.
    pub file: PathBuf,
    /// The broker, see [`broker_url::parse`].
    pub mqtt: MqttConfig,
    /// How many recorded seconds pass in one.
    pub speed: f64,
    /// Only this office.
    pub office: Option<OfficeId>,
    /// Leaves times, days and `seq` as recorded.
    pub keep_times: bool,
}

/// What a replay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Messages published.
    pub published: u64,
    /// Those the broker confirmed.
    pub confirmed: u64,
    /// Those that were recorded as raw bytes: meant to be broken.
    pub raw: u64,
    /// Topics.
    pub topics: usize,
}

/// Publishes a recording and prints one line at the end.
///
/// # Errors
/// When the recording cannot be read, the broker is not there within ten seconds, or did not
/// confirm every message.
pub async fn run(
    args: ReplayArgs,
    out: &mut (impl Write + Send),
    shutdown: CancellationToken,
) -> anyhow::Result<Summary> {
    ensure!(
        args.speed > 0.0,
        "speed {}: expected a number over 0",
        args.speed
    );
    // Read before anything is sent: ranks need the whole, and a damaged file should send nothing.
    let file = args.file.clone();
    let (first, ranks) = tokio::task::spawn_blocking(move || survey(&file))
        .await
        .context("reading ended early")??;

    let id = format!("yobiban-replay-{}", std::process::id());
    let options = SessionOptions::new(&args.mqtt, "replay", id);
    let stop = shutdown.child_token();
    let session = mqtt::spawn(options, stop.clone());
    tokio::select! {
        up = broker_url::up(&session, &args.mqtt) => up?,
        () = shutdown.cancelled() => return Ok(Summary::default()),
    }

    let begin = Instant::now();
    let start = SystemClock::new().now().wall;
    let mover = (!args.keep_times).then(|| Mover::new(first, start, args.speed, ranks));
    let mut play = Play {
        first: first.at,
        mover,
        args,
        begin,
        publisher: session.publisher.clone(),
        open: VecDeque::new(),
        topics: BTreeSet::new(),
        summary: Summary::default(),
    };
    let result = tokio::select! {
        result = play.all() => result,
        () = shutdown.cancelled() => Ok(()),
    };
    let summary = play.finish();
    stop.cancel();
    session.task.await.context("the MQTT session failed")?;
    result?;
    writeln!(
        out,
        "replayed {} messages on {} topics in {:.1} s: {} confirmed, {} of them raw bytes",
        summary.published,
        summary.topics,
        begin.elapsed().as_secs_f64(),
        summary.confirmed,
        summary.raw
    )?;
    let missing = summary.published - summary.confirmed;
    ensure!(
        missing == 0 || shutdown.is_cancelled(),
        "the broker did not confirm {missing} of {} messages",
        summary.published
    );
    Ok(summary)
}

/// Reads a recording for its first moment and its sequence numbers.
fn survey(file: &std::path::Path) -> anyhow::Result<(crate::wire::WireTime, Ranks)> {
    let mut first = None;
    let mut ranks = Ranks::default();
    for line in Recording::open(file)? {
        let line = line?;
        first.get_or_insert(line.at);
        ranks.note(&line);
    }
    let first = first.with_context(|| format!("recording {} is empty", file.display()))?;
    Ok((first, ranks))
}

/// A replay under way.
struct Play {
    args: ReplayArgs,
    first: Timestamp,
    begin: Instant,
    mover: Option<Mover>,
    publisher: mqtt::Publisher,
    open: VecDeque<Confirmation>,
    topics: BTreeSet<String>,
    summary: Summary,
}

impl Play {
    async fn all(&mut self) -> anyhow::Result<()> {
        let mut recording = Recording::open(&self.args.file)?;
        // A chunk at a time off the runtime: a gzip block takes a while.
        loop {
            let (rest, lines) = tokio::task::spawn_blocking(move || {
                let lines: Vec<_> = recording.by_ref().take(256).collect();
                (recording, lines)
            })
            .await
            .context("reading ended early")?;
            recording = rest;
            if lines.is_empty() {
                break;
            }
            for line in lines {
                self.one(line?).await?;
            }
        }
        while let Some(answer) = self.open.pop_front() {
            self.summary.confirmed += u64::from(answer.wait().await.is_ok());
        }
        Ok(())
    }

    async fn one(&mut self, line: Line) -> anyhow::Result<()> {
        if self
            .args
            .office
            .as_ref()
            .is_some_and(|o| office_of(&line.topic) != Some(o.as_str()))
        {
            return Ok(());
        }
        let after = line.at.at.duration_since(self.first).as_secs_f64().max(0.0) / self.args.speed;
        tokio::time::sleep_until(self.begin + Duration::from_secs_f64(after)).await;
        let payload = match &self.mover {
            Some(mover) => mover.payload(&line),
            None => line.payload.bytes().into_owned(),
        };
        self.summary.raw += u64::from(matches!(line.payload, Payload::Raw(_)));
        self.summary.published += 1;
        let publish = Publish::retained(line.topic.as_str(), payload);
        self.topics.insert(line.topic);
        self.open.push_back(self.publisher.enqueue(publish).await?);
        while self.open.len() > OPEN {
            if let Some(answer) = self.open.pop_front() {
                self.summary.confirmed += u64::from(answer.wait().await.is_ok());
            }
        }
        Ok(())
    }

    fn finish(self) -> Summary {
        Summary {
            topics: self.topics.len(),
            ..self.summary
        }
    }
}

/// The office of a feed topic, whatever its root: `…/{office}/feed/{queue}`.
fn office_of(topic: &str) -> Option<&str> {
    let mut levels = topic.rsplit('/');
    let (_queue, feed, office) = (levels.next()?, levels.next()?, levels.next()?);
    (feed == "feed").then_some(office)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_office_is_found_under_any_root() {
        assert_eq!(office_of("yobiban/v1/chuo/feed/moving"), Some("chuo"));
        assert_eq!(office_of("chuo/feed/moving"), Some("chuo"));
        assert_eq!(office_of("yobiban/v1/chuo/node/n1/numbers"), None);
    }
}
