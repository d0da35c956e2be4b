//! The task that reads a file.

use super::super::test_outlet::TestOutlet;
use super::*;
use crate::intake::State;
use std::fs;

fn quick(mut config: FileConfig) -> FileConfig {
    config.every = MIN_EVERY;
    config
}

#[tokio::test]
async fn lines_come_with_the_position_behind_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("log.csv");
    let config = quick(FileConfig::follow(&path));
    let (outlet, mut test) = TestOutlet::new();
    let task = tokio::spawn(run(config.clone(), None, outlet));
    let fault = test.fault().await;
    assert!(fault.text.ends_with("log.csv: no such file"), "{fault:?}");
    fs::write(&path, "1\n2\n").expect("written");
    let arrival = test.next().await;
    assert_eq!(
        (&arrival.payload[..], arrival.seen),
        (&b"1\n2\n"[..], Seen::Backlog)
    );
    test.wait("reachable", |c| c.state == State::Reachable)
        .await;
    test.stop.cancel();
    task.await.expect("it ends");

    fs::write(&path, "1\n2\n3\n").expect("written");
    let Detail::Lines { position, .. } = arrival.detail else {
        panic!("{:?}", arrival.detail);
    };
    let (outlet, mut test) = TestOutlet::new();
    tokio::spawn(run(config, Some(position), outlet));
    assert_eq!(test.text().await, "3\n");
}

#[tokio::test]
async fn a_replaced_file_comes_whole_and_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("now.csv");
    fs::write(&path, "A 1").expect("written");
    let (outlet, mut test) = TestOutlet::new();
    tokio::spawn(run(quick(FileConfig::replaced(&path)), None, outlet));
    let arrival = test.next().await;
    assert_eq!(
        (&arrival.payload[..], arrival.seen),
        (&b"A 1"[..], Seen::Live)
    );
    let first = test.condition().last_arrival;
    test.clock.advance(Duration::from_secs(9));
    test.wait("seen again", |c| c.last_contact != first).await;
    assert_eq!(test.condition().last_arrival, first);
    fs::write(&path, "A 2").expect("written");
    assert_eq!(test.text().await, "A 2");
    fs::remove_file(&path).expect("removed");
    assert!(test.fault().await.text.ends_with("no such file"));
}

#[tokio::test]
async fn it_ends_when_nobody_takes_payloads() {
    let dir = tempfile::tempdir().expect("a folder");
    let (outlet, mut test) = TestOutlet::new();
    let task = tokio::spawn(run(FileConfig::follow(&dir.path().join("a")), None, outlet));
    test.fault().await;
    test.arrivals.close();
    task.await.expect("it ends");
}
