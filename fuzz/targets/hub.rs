//! A hub without broker and socket, used again by every input of a process.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use yobiban::clock::{Clock as _, ManualClock, Now};
use yobiban::config;
use yobiban::hub::{Ack, Hub, Incoming, router};

/// Between two reports.
const PACE: Duration = Duration::from_millis(200);

/// A folder of this process alone, in memory where the system has such a place.
pub(super) fn folder(name: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = base.join(format!("yobiban-fuzz-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}

/// What a path answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the hub writes UTF-8")
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        let found = self.headers.get("content-type");
        found.is_some_and(|found| found.to_str().is_ok_and(|found| found.starts_with(kind)))
    }
}

/// A hub that listens to one sender.
pub(super) struct Town {
    hub: Arc<Hub>,
    clock: ManualClock,
    reports: mpsc::Sender<Incoming>,
    runtime: tokio::runtime::Runtime,
    folder: PathBuf,
}

impl Town {
    pub(super) fn new(name: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let folder = folder(name);
        let text = format!(
            "[mqtt]\nurl = \"mqtt://127.0.0.1\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
             [store]\nurl = \"sqlite:{}\"\n",
            folder.join("hub.db").display()
        );
        let config = config::parse_hub(&text, "hub.toml", Path::new("/")).expect("valid");
        let (reports, inbox) = mpsc::channel(64);
        let clock = ManualClock::new(super::start());
        let hub = runtime.block_on(async {
            let clock = clock.clone();
            let (hub, mut writer) =
                Hub::open(&config, clock, CancellationToken::new()).expect("opened");
            writer.prepare().await.expect("a database");
            hub.set_connected(true);
            let feeder = Arc::clone(&hub);
            tokio::spawn(async move { feeder.feed(inbox).await });
            hub
        });
        Self {
            hub,
            clock,
            reports,
            runtime,
            folder,
        }
    }

    /// Reports something, and waits until the hub has taken it.
    pub(super) fn tell(&self, tail: &str, payload: impl Into<Bytes>) {
        // An office that reports more often than ten times a second is told later. The wall clock
        // stays: reports are of one day.
        let now = self.clock.now();
        self.clock.set(Now {
            mono: now.mono + PACE,
            ..now
        });
        let (tell, told) = oneshot::channel();
        let mut incoming = Incoming::new(format!("yobiban/v1/{tail}"), payload);
        incoming.ack = Some(Ack::new(move || {
            let _ = tell.send(());
        }));
        self.runtime.block_on(async {
            self.reports.send(incoming).await.expect("it listens");
            told.await.expect("taken");
            // What was taken is published when the hub has nothing else to take.
            tokio::task::yield_now().await;
        });
    }

    /// Asks for a path; of an endless answer the first part.
    pub(super) fn ask(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let response: Response = match router(Arc::clone(&self.hub)).oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (parts, mut body) = response.into_parts();
            let mut answer = Answer {
                status: parts.status,
                headers: parts.headers,
                body: Bytes::new(),
            };
            answer.body = if answer.is("text/event-stream") {
                let frame = body
                    .frame()
                    .await
                    .expect("a first part")
                    .expect("in memory");
                frame.into_data().expect("bytes")
            } else {
                body.collect().await.expect("in memory").to_bytes()
            };
            answer
        })
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).expect("a path"))
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
