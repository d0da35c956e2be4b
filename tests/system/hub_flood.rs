//! Too many, too slow, too much: viewers who do not read, a node that does not stop.

use crate::alone::{alone, few};
use crate::support::city::OFFICES;
use crate::support::mosquitto::Mosquitto;
use crate::support::process::{Process, metric};
use crate::support::reports::{fresh, report, today};
use crate::support::sessions::{options, start, up};
use crate::support::{PATIENCE, http, until, yobiban};
use futures_util::future::join_all;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use yobiban::model::Label;
use yobiban::mqtt::{Publish, Session};
use yobiban::wire::report::Numbers;

/// A hub as a process, with a city that reports to it.
struct House {
    hub: Process,
    address: SocketAddr,
    broker: Mosquitto,
    nodes: Session,
    seq: u64,
    /// Labels that each queue lists as next.
    listed: usize,
    #[allow(dead_code)] // held for its drop
    dir: tempfile::TempDir,
}

impl House {
    async fn open(http: &str) -> Option<Self> {
        let broker = Mosquitto::start().await?;
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("hub.toml");
        let text = format!(
            "[mqtt]\nurl = \"mqtt://{}\"\n[http]\nlisten = \"127.0.0.1:0\"\n{http}\n",
            broker.address()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = yobiban();
        command.args(["hub", "--config"]).arg(&config);
        let hub = Process::start(command);
        let address = hub.pages().await;
        let mut nodes = start(options(broker.address(), "nodes"));
        up(&mut nodes).await;
        let mut house = Self {
            hub,
            address,
            broker,
            nodes,
            seq: 0,
            listed: 3,
            dir,
        };
        for (office, ..) in OFFICES {
            let online = format!("yobiban/v1/{office}/node/n1/availability");
            let online = Publish::retained(online, "online");
            house.nodes.publisher.publish(online).await.unwrap();
            house.say(office).await;
        }
        Some(house)
    }

    /// An office reports something new; returns when the hub shows it.
    async fn say(&mut self, office: &str) -> Numbers {
        self.seq += 1;
        let mut numbers = fresh(office, self.seq);
        numbers.queues[0].waiting = Some(u32::try_from(1_000_000 + self.seq).unwrap());
        for queue in &mut numbers.queues {
            queue.next = (0..self.listed)
                .map(|n| Label::new(&format!("A{n:04}")).unwrap())
                .collect();
        }
        report(&self.nodes, &numbers).await;
        let wanted = format!("\"waiting\":{}", numbers.queues[0].waiting.unwrap());
        let path = format!("/api/v1/offices/{office}");
        let address = self.address;
        until("the hub shows an office's newest numbers", async || {
            http::get(address, &path).await.text().contains(&wanted)
        })
        .await;
        numbers
    }
}

/// A viewer who asks for the events of all offices and may not read them.
async fn viewer(hub: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(hub).await.unwrap();
    let request = b"GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    stream
}

/// Reads events until one holds a text; what was read, and whether it was in it before the hub
/// closed the stream.
async fn read(stream: &mut TcpStream, text: &str) -> (String, bool) {
    let mut heard = Vec::new();
    let mut bytes = [0; 16 * 1024];
    let reading = async {
        loop {
            let n = stream.read(&mut bytes).await.unwrap_or(0);
            if n == 0 {
                return false;
            }
            heard.extend_from_slice(&bytes[..n]);
            if heard.windows(text.len()).any(|w| w == text.as_bytes()) {
                return true;
            }
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, reading).await;
    let there = in_time.unwrap_or_else(|_| panic!("never heard {text}"));
    (String::from_utf8_lossy(&heard).into_owned(), there)
}

/// The same on a stream that is not to be closed.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let (heard, there) = read(stream, text).await;
    assert!(there, "closed before {text}");
    heard
}

/// Memory that the kernel's TCP holds, in KiB; of all processes.
fn kernel_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/net/sockstat").unwrap();
    let tcp = text.lines().find(|l| l.starts_with("TCP:")).unwrap();
    let pages: u64 = tcp.split(' ').next_back().unwrap().parse().unwrap();
    pages * 4
}

/// As many files as the system allows this process.
#[cfg(target_os = "linux")]
fn raise_files(wanted: u64) -> bool {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    limit.maximum.is_none_or(|n| n >= wanted)
}

/// How often each of six offices changes: 96 changes of 12 kB; the kernel keeps a few of them for
/// each viewer, and the ring holds 64.
const ROUNDS: usize = 16;

/// What holds with any number of viewers who take nothing while the city goes on.
#[cfg(target_os = "linux")]
async fn nobody_waits_for_slow_viewers(count: usize) {
    if !raise_files(count as u64 + 200) {
        return crate::support::skip("the system allows too few open files");
    }
    let Some(mut house) = House::open("").await else {
        return;
    };
    let hub = house.address;
    let (before, kernel_before) = (house.hub.memory_kib(), kernel_kib());
    let mut slow = Vec::with_capacity(count);
    while slow.len() < count {
        let some = (count - slow.len()).min(500);
        slow.extend(join_all((0..some).map(|_| viewer(hub))).await);
        until("all follow", async || {
            metric(hub, "yobiban_hub_sse_clients").await == slow.len() as u64
        })
        .await;
    }
    let idle = house.hub.memory_kib().saturating_sub(before);
    let mut quick = viewer(hub).await;
    // More than the kernel keeps for each, and then more than the ring holds.
    house.listed = 300;
    for round in 0..ROUNDS {
        for (office, ..) in OFFICES {
            let said = house.say(office).await;
            let text = format!("\"waiting\":{}", said.queues[0].waiting.unwrap());
            read_until(&mut quick, &text).await;
        }
        if round == 0 {
            assert_eq!(http::get(hub, "/").await.status, 200);
        }
    }
    let busy = house.hub.memory_kib().saturating_sub(before);
    let kernel = kernel_kib().saturating_sub(kernel_before);
    let each = |kib: u64| kib as f64 / count as f64;
    println!(
        "{count} slow viewers: {:.1} KiB each when they came, {:.1} KiB each after 96 changes, \
         {:.0} KiB each in the kernel",
        each(idle),
        each(busy),
        each(kernel)
    );
    assert!(each(busy) < 48.0, "{} KiB each", each(busy));
    // Now they read: the newest state comes, not all that they missed.
    let last = house.say("chuo").await;
    let text = format!("\"waiting\":{}", last.queues[0].waiting.unwrap());
    for stream in &slow {
        // Wide again: a window of 4 kB drains at the pace of the kernel's probes.
        rustix::net::sockopt::set_socket_recv_buffer_size(stream, 1 << 20).unwrap();
    }
    let heard = join_all(slow.iter_mut().map(|s| read(s, &text))).await;
    let events = |(text, _): &(String, bool)| text.matches("\nid: ").count();
    let most = heard.iter().map(events).max().unwrap();
    assert!(
        most <= 64,
        "{most} events for one who was away for 97 changes"
    );
    let there = heard.iter().filter(|(_, there)| *there).count();
    let skipped = metric(hub, "yobiban_hub_sse_clients_resynced_total").await;
    let closed = metric(hub, "yobiban_hub_connections_write_timeout_total").await;
    println!(
        "{skipped} skipped to the newest state, {closed} closed for taking nothing in a minute"
    );
    // Each is counted, as one or the other: a machine that is slow itself may need the minute.
    assert!(skipped + closed >= count as u64, "{skipped} and {closed}");
    assert!(
        there as u64 + closed >= count as u64,
        "{there} and {closed}"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_viewers_who_do_not_read_cost_others_nothing() {
    let _alone = alone();
    nobody_waits_for_slow_viewers(few(300, 1_000)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs 10,000 open files in each of two processes, and a minute"]
async fn ten_thousand_viewers_who_do_not_read_cost_others_nothing() {
    let _alone = alone();
    nobody_waits_for_slow_viewers(10_000).await;
}

/// Publishes without end what a node may write, and more, as fast as the broker takes it.
async fn flood(broker: SocketAddr, id: u64, stop: Arc<AtomicBool>, sent: Arc<AtomicU64>) {
    let mut session = start(options(broker, &format!("flood-{id}")));
    up(&mut session).await;
    let mut picture = b"\xff\xd8\xff".to_vec();
    picture.resize(512 * 1024, 0);
    let mut n = 0u64;
    while !stop.load(Ordering::Relaxed) {
        n += 1;
        let topic = |tail: String| format!("yobiban/v1/inage/node/{tail}");
        let mut numbers = fresh("inage", 1_000 * n + id);
        numbers.queues[0].waiting = Some(u32::try_from(n).unwrap());
        numbers.queues[1].id = format!("q{n}").parse().unwrap();
        let mut large = picture.clone();
        large[8..16].copy_from_slice(&n.to_be_bytes());
        let mut burst = vec![
            Publish::retained(
                topic("n1/numbers".into()),
                serde_json::to_vec(&numbers).unwrap(),
            ),
            Publish::new(topic(format!("n1/board/b{}", n % 40)), large),
            Publish::new(topic(format!("n{n}/availability")), "online"),
            Publish::new(
                format!("yobiban/v1/o{id}-{n}/node/n1/availability"),
                "online",
            ),
            Publish::new(topic("n1/health".into()), "{\"issues\":"),
        ];
        let day = today();
        for no in 1..=20 {
            let call = format!(
                r#"{{"queue":"q{id}-{n}","day":"{day}","epoch":0,"no":{no},"ticket":"X","counter":"",
                "at":"{day}T00:00:00+09:00","kind":"call"}}"#
            );
            burst.push(Publish::new(topic("n1/calls".into()), call));
        }
        let done = join_all(burst.into_iter().map(|p| session.publisher.publish(p))).await;
        sent.fetch_add(
            done.iter().filter(|r| r.is_ok()).count() as u64,
            Ordering::Relaxed,
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_floods_costs_other_offices_nothing_and_is_said() {
    let _alone = alone();
    let Some(mut house) = House::open("").await else {
        return;
    };
    let hub = house.address;
    let before = house.hub.memory_kib();
    let (stop, sent) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let floods: Vec<_> = (0..2)
        .map(|id| {
            let task = flood(
                house.broker.address(),
                id,
                Arc::clone(&stop),
                Arc::clone(&sent),
            );
            tokio::spawn(task)
        })
        .collect();
    until("the flood is there", async || {
        sent.load(Ordering::Relaxed) > 500
    })
    .await;
    let mut inage = TcpStream::connect(hub).await.unwrap();
    let follow = b"GET /api/v1/offices/inage/events HTTP/1.1\r\nhost: x\r\n\r\n";
    inage.write_all(follow).await.unwrap();
    let calm: Vec<&str> = OFFICES
        .iter()
        .map(|(id, ..)| *id)
        .filter(|id| *id != "inage")
        .collect();
    let began = std::time::Instant::now();
    let day = today();
    for no in 1..=25 {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(50)).await; // no flood of their own
        }
        for office in &calm {
            house.say(office).await;
            let call = format!(
                r#"{{"queue":"moving","day":"{day}","epoch":0,"no":{no},"ticket":"B1",
                "counter":"3","at":"{day}T00:00:00+09:00","kind":"call"}}"#
            );
            let call = Publish::new(format!("yobiban/v1/{office}/node/n1/calls"), call);
            house.nodes.publisher.publish(call).await.unwrap();
        }
    }
    let took = began.elapsed();
    let during = sent.load(Ordering::Relaxed);
    let grown = house.hub.memory_kib().saturating_sub(before);
    stop.store(true, Ordering::Relaxed);
    join_all(floods).await;
    until(
        "all calls of the calm offices are in the history",
        async || {
            let csv = http::get(hub, &format!("/opendata/calls/{day}.csv")).await;
            csv.text()
                .lines()
                .filter(|l| l.contains(",moving,"))
                .count()
                == 125
        },
    )
    .await;
    // The flooding office itself ends right, and its viewers were not told each of its changes.
    let last = house.say("inage").await;
    let text = format!("\"waiting\":{}", last.queues[0].waiting.unwrap());
    let told = read_until(&mut inage, &text)
        .await
        .matches("\nid: ")
        .count() as u64;
    let most = 40 + 12 * (took.as_secs() + 3);
    assert!(told < most, "{told} events for viewers within {took:?}");
    println!(
        "{during} messages of a flood, 125 reports of others seen within {took:?}; {told} events of the flood \
         told, {grown} KiB more memory"
    );
    assert!(grown < 128 * 1024, "{grown} KiB");
    assert!(metric(hub, "yobiban_hub_updates_throttled_total").await > 0);
    assert!(metric(hub, "yobiban_hub_messages_rejected_total{reason=\"full\"}").await > 0);
    assert!(
        metric(
            hub,
            "yobiban_hub_messages_rejected_total{reason=\"payload\"}"
        )
        .await
            > 0
    );
    // Each kind of trouble is said once a minute, not each time.
    let minutes = usize::try_from(took.as_secs() / 60).unwrap() + 2;
    for words in [
        "its maximum number is reached",
        "updates to its viewers are throttled",
        "report rejected",
    ] {
        let said = house.hub.says(words);
        assert!((1..=4 * minutes).contains(&said), "{words}: {said} times");
    }
    let loud = house.hub.says(" WARN ") + house.hub.says("ERROR");
    assert!(loud <= 6 * minutes, "{:#?}", house.hub.said());
}
