//! The whole demo, from its first line to its last.

use super::*;
use crate::clock::SystemClock;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_says_ready_once_and_sums_up() {
    let any = ([127, 0, 0, 1], 0).into();
    let args = DemoArgs {
        listen: any,
        mqtt: any,
        speed: 60.0,
        for_: Some(Duration::from_secs(6)),
        seed: 1,
        out: None,
    };
    let mut out = Vec::new();
    let clock = Arc::new(SystemClock::new());
    run(args, clock, &mut out, CancellationToken::new())
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let ready: Vec<_> = out.lines().filter(|l| l.starts_with("ready ")).collect();
    assert_eq!(ready.len(), 1, "{out}");
    assert!(ready[0].starts_with("ready http://127.0.0.1:"), "{out}");
    let summary = out.lines().last().unwrap();
    assert!(
        summary.starts_with("played ") && summary.contains("99th percentile"),
        "{out}"
    );
    let folder = out
        .lines()
        .next()
        .unwrap()
        .strip_prefix("boards in ")
        .unwrap();
    assert!(
        !std::path::Path::new(folder).exists(),
        "its own folder is removed"
    );
}
