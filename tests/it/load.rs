//! What the tool that tries how many viewers a hub bears says when it cannot.

use crate::support::yobiban;
use std::net::SocketAddr;

/// What the tool answers, and whether it was content.
fn load(args: &[&str]) -> (String, bool) {
    let output = yobiban().arg("load").args(args).output().unwrap();
    let text =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (text, output.status.success())
}

#[test]
fn what_cannot_be_tried_is_said() {
    // Nobody listens there.
    let none = SocketAddr::from(([127, 0, 0, 1], 9));
    let (text, content) = load(&["--post", &format!("http://{none}/")]);
    assert!(
        !content && text.contains("cannot connect to http://127.0.0.1:9/"),
        "{text}"
    );
    let (text, content) = load(&[
        "--events",
        "https://127.0.0.1/",
        "--post",
        "http://127.0.0.1:9/",
    ]);
    assert!(!content, "{text}");
    let (text, content) = load(&["--viewers", "2000000000", "--post", "http://127.0.0.1:9/"]);
    assert!(
        !content && text.contains("need 2000000064 open files"),
        "{text}"
    );
    let (text, content) = load(&[]);
    assert!(!content && text.contains("--mqtt"), "{text}");
}
