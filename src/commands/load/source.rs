//! Who makes the calls that are timed.

use super::viewers::marker;
use crate::clock::{Clock as _, SystemClock};
use crate::commands::broker_url;
use crate::config::MqttConfig;
use crate::model::{Label, Lane, Name, OfficeId, QueueId, Source as Origin, Status};
use crate::mqtt::{self, Publish, Session, SessionOptions};
use crate::wire::report::{LastCall, Numbers, OfficeName, QueueNumbers};
use crate::wire::time::WireTime;
use anyhow::{Context as _, ensure};
use jiff::tz::TimeZone;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Queues of an office, so that its event is about a kilobyte, as in a city.
const QUEUES: usize = 3;

/// Where the calls go.
#[derive(Debug, Clone)]
pub enum Target {
    /// The broker of a hub.
    Mqtt(Box<MqttConfig>),
    /// An address that sends on what is posted to it.
    Post(Url),
}

/// Makes calls.
pub(super) enum Source {
    Nodes(Box<Nodes>),
    Post(Post),
}

impl Source {
    pub(super) async fn open(target: &Target, offices: usize) -> anyhow::Result<Self> {
        Ok(match target {
            Target::Mqtt(broker) => Self::Nodes(Box::new(Nodes::open(broker, offices).await?)),
            Target::Post(url) => Self::Post(Post::open(url).await?),
        })
    }

    /// Makes a call; call 0 is made by all offices.
    pub(super) async fn call(&mut self, no: usize) -> anyhow::Result<()> {
        match self {
            Self::Nodes(nodes) if no == 0 => {
                for office in 0..nodes.offices {
                    nodes.call(office, 0).await?;
                }
                Ok(())
            }
            Self::Nodes(nodes) => nodes.call(no % nodes.offices, no).await,
            Self::Post(post) => post.call(no).await,
        }
    }

    pub(super) async fn close(self) {
        if let Self::Nodes(nodes) = self {
            nodes.stop.cancel();
            let _ = nodes.session.task.await; // it never panics by contract
        }
    }
}

/// The nodes of some offices.
pub(super) struct Nodes {
    session: Session,
    stop: CancellationToken,
    root: String,
    offices: usize,
    /// Grows through runs, as a node's does.
    seq: u64,
}

impl Nodes {
    async fn open(broker: &MqttConfig, offices: usize) -> anyhow::Result<Self> {
        let id = format!("yobiban-load-{}", std::process::id());
        let stop = CancellationToken::new();
        let session = mqtt::spawn(SessionOptions::new(broker, "load", id), stop.clone());
        broker_url::up(&session, broker).await?;
        let now = SystemClock::new().now().wall.as_millisecond();
        let nodes = Self {
            session,
            stop,
            root: broker.root.clone(),
            offices: offices.max(1),
            seq: u64::try_from(now).unwrap_or_default(),
        };
        for office in 0..nodes.offices {
            let topic = nodes.topic(office, "availability");
            nodes
                .session
                .publisher
                .publish(Publish::new(topic, "online"))
                .await?;
        }
        Ok(nodes)
    }

    fn topic(&self, office: usize, what: &str) -> String {
        format!("{}/load-{}/node/load/{what}", self.root, office + 1)
    }

    async fn call(&mut self, office: usize, no: usize) -> anyhow::Result<()> {
        self.seq += 1;
        let report = serde_json::to_vec(&numbers(office, no, self.seq)?)?;
        let publish = Publish::new(self.topic(office, "numbers"), report);
        // Only handed over: the broker's answer is not what is timed.
        self.session.publisher.enqueue(publish).await?;
        Ok(())
    }
}

/// What an office reports when a ticket is called.
fn numbers(office: usize, no: usize, seq: u64) -> anyhow::Result<Numbers> {
    let wrong = "a made-up name is no name";
    let zone = TimeZone::fixed(jiff::tz::offset(9));
    let now = SystemClock::new().now().wall;
    let at = WireTime::new(now, &zone);
    let name = |text: String| Name::new([("ja", text)]);
    let queues = (1..=QUEUES).map(|n| {
        Ok(QueueNumbers {
            id: QueueId::new(&format!("queue-{n}")).context(wrong)?,
            name: name(format!("手続き{n}")),
            lane: Lane::Standard,
            status: Status::Open,
            as_of: Some(at),
            fresh: true,
            source: Origin::Feed,
            last_call: Some(LastCall {
                no: no as u64 + 1,
                ticket: Label::new(&marker(no)).context(wrong)?,
                counter: Some(Label::new("3").context(wrong)?),
                at,
            }),
            next: Vec::new(),
            waiting: Some(12),
            on_hold: Some(1),
            now_serving: None,
            wait: None,
        })
    });
    Ok(Numbers {
        seq,
        at,
        day: now.to_zoned(zone.clone()).date(),
        office: OfficeName {
            id: OfficeId::new(&format!("load-{}", office + 1)).context(wrong)?,
            name: name(format!("試験{}", office + 1)),
        },
        queues: queues.collect::<anyhow::Result<_>>()?,
        boards: Vec::new(),
        cameras: Vec::new(),
    })
}

/// A connection to a server that sends on what is posted.
pub(super) struct Post {
    stream: TcpStream,
    head: String,
}

impl Post {
    async fn open(url: &Url) -> anyhow::Result<Self> {
        let (address, host) = super::viewers::address(url).await?;
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {url}"))?;
        stream.set_nodelay(true)?;
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n");
        Ok(Self { stream, head })
    }

    /// Posts what a hub would tell its viewers.
    async fn call(&mut self, no: usize) -> anyhow::Result<()> {
        let text = serde_json::to_string(&numbers(0, no, 1)?)?;
        let request = format!("{}content-length: {}\r\n\r\n{text}", self.head, text.len());
        self.stream.write_all(request.as_bytes()).await?;
        // One answer to one request, and no server answers this at length.
        let mut answer = [0; 4096];
        let n = self.stream.read(&mut answer).await?;
        let answer = answer.get(..n).unwrap_or_default();
        let ok = answer.starts_with(b"HTTP/1.1 2");
        ensure!(
            ok,
            "the target answered {:?}",
            String::from_utf8_lossy(answer).lines().next()
        );
        Ok(())
    }
}
