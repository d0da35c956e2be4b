//! Who a session trusts, and which version it speaks.

use crate::mqtt::{config, options, reason, start, up};
pub use crate::support::authority::{Authority, authority, issue};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::yobiban;
use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use std::net::SocketAddr;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use yobiban::config::TlsConfig;
use yobiban::mqtt::{Publish, SessionOptions, Subscription, Version};

/// Writes an authority's list of what it has revoked.
fn revoke(authority: &Authority, dir: &Path, serial_number: SerialNumber) {
    let list = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2026, 1, 1),
        next_update: rcgen::date_time_ymd(2096, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number,
            revocation_time: rcgen::date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(authority).unwrap();
    std::fs::write(dir.join("list.pem"), list.pem().unwrap()).unwrap();
}

/// A broker that shows a certificate for `name` and asks for one itself.
async fn broker(name: &'static str, expired: bool) -> Option<(Mosquitto, tempfile::TempDir)> {
    let files = tempfile::tempdir().unwrap();
    let authority = authority();
    let dir = files.path();
    std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
    issue(&authority, dir, "broker", name, expired);
    issue(&authority, dir, "client", "node", false);
    let broker = Mosquitto::start_with(|_| {
        format!(
            "allow_anonymous true\nrequire_certificate true\ncafile {0}/ca.pem\ncertfile {0}/broker.pem\nkeyfile {0}/broker.key\n",
            dir.display()
        )
    })
    .await?;
    Some((broker, files))
}

/// Options with the certificate of a client.
pub fn tls(address: SocketAddr, dir: &Path, client: &str) -> SessionOptions {
    let mut broker = config(address);
    broker.host = "localhost".into();
    broker.tls = Some(TlsConfig {
        ca: Some(dir.join("ca.pem")),
        client: Some((
            dir.join(format!("{client}.pem")),
            dir.join(format!("{client}.key")),
        )),
    });
    let mut with_tls = options(address, "client");
    with_tls.broker = broker;
    with_tls
}

#[tokio::test]
async fn a_session_with_certificates_on_both_sides() {
    let Some((broker, files)) = broker("localhost", false).await else {
        return;
    };
    let mut session = start(tls(broker.address(), files.path(), "client"));
    assert_eq!(up(&mut session).await, Version::V5);
    session
        .publisher
        .publish(Publish::new("t", "x"))
        .await
        .unwrap();
}

#[tokio::test]
async fn wrong_certificates_are_said_in_words() {
    let Some((other_name, files)) = broker("elsewhere", false).await else {
        return;
    };
    let mut session = start(tls(other_name.address(), files.path(), "client"));
    reason(&mut session, "not valid for name").await;

    let Some((expired, files)) = broker("localhost", true).await else {
        return;
    };
    let mut session = start(tls(expired.address(), files.path(), "client"));
    reason(&mut session, "clock").await;

    let stranger = authority().pem();
    std::fs::write(files.path().join("ca.pem"), stranger).unwrap();
    let mut session = start(tls(other_name.address(), files.path(), "client"));
    reason(&mut session, "`ca`").await;

    std::fs::remove_file(files.path().join("ca.pem")).unwrap();
    let mut session = start(tls(other_name.address(), files.path(), "client"));
    reason(&mut session, "ca.pem").await;
}

/// How often a log is looked at.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn refused_certificates_of_either_side_are_an_issue_of_the_node_in_words() {
    let files = tempfile::tempdir().unwrap();
    let dir = files.path();
    let (ours, theirs) = (authority(), authority());
    std::fs::write(dir.join("ca.pem"), ours.pem()).unwrap();
    issue(&ours, dir, "broker", "localhost", false);
    issue(&ours, dir, "old-broker", "localhost", true);
    issue(&ours, dir, "good", "node", false);
    issue(&ours, dir, "expired", "node", true);
    issue(&theirs, dir, "foreign", "node", false);
    let revoked = issue(&ours, dir, "revoked", "node", false);
    revoke(&ours, dir, revoked);
    let with = async |certificate: &str| {
        let lines = format!(
            "allow_anonymous true\nrequire_certificate true\ncafile {0}/ca.pem\n\
             crlfile {0}/list.pem\ncertfile {0}/{certificate}.pem\nkeyfile {0}/{certificate}.key\n",
            dir.display()
        );
        Mosquitto::start_with(|_| lines).await
    };
    let (Some(feed), Some(old), Some(reports)) = (
        with("broker").await,
        with("old-broker").await,
        Mosquitto::start().await,
    ) else {
        return;
    };
    let watch = options(reports.address(), "watch");
    let mut watch = start(watch.subscribe(Subscription::new("yobiban/v1/+/node/+/health")));
    up(&mut watch).await;
    for (name, broker, client, wanted) in [
        ("n1", &feed, "good", None),
        (
            "n2",
            &feed,
            "expired",
            Some("our certificate: it has expired"),
        ),
        (
            "n3",
            &feed,
            "revoked",
            Some("our certificate: it was revoked"),
        ),
        (
            "n4",
            &feed,
            "foreign",
            Some("our certificate: it does not know its authority"),
        ),
        ("n5", &old, "good", Some("this machine's clock")),
    ] {
        let text = format!(
            r#"
            [office]
            id = "chuo"
            name = {{ ja = "中央区" }}
            [node]
            id = "{name}"
            [mqtt]
            url = "mqtts://localhost:{}"
            ca = "ca.pem"
            cert = "{client}.pem"
            key = "{client}.key"
            [uplink]
            url = "mqtt://{}"
            [store]
            dir = "store-{name}"
            [[queue]]
            id = "certificates"
            name = {{ ja = "証明書" }}
            "#,
            broker.address().port(),
            reports.address()
        );
        let config = dir.join(format!("{name}.toml"));
        std::fs::write(&config, text).unwrap();
        let mut command = yobiban();
        command.args(["node", "--config"]).arg(&config);
        let mut node = Process::start(command);
        let said = async {
            let mut down: Option<Option<String>> = None;
            loop {
                match (&down, wanted) {
                    // The first report may be older than the first attempt.
                    (Some(Some(issue)), Some(words)) if issue.contains(words) => return,
                    (Some(None), None) if node.says("connected to MQTT broker") >= 2 => return,
                    _ => {}
                }
                // Where all is well no further report comes for a while.
                let next = tokio::time::timeout(LOOK, watch.inbox.recv());
                let Ok(message) = next.await else { continue };
                let message = message.unwrap();
                if message.payload.is_empty() || !message.topic.contains(&format!("/{name}/")) {
                    continue;
                }
                let health: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
                let mut issues = health["issues"].as_array().unwrap().iter();
                let issue = issues.find(|i| i["kind"] == "feed-down");
                down = Some(issue.map(ToString::to_string));
            }
        };
        let in_time = tokio::time::timeout(crate::support::PATIENCE, said).await;
        assert!(
            in_time.is_ok(),
            "{client}: never {wanted:?} in the health of {name}"
        );
        assert!(node.says("no connection to MQTT broker") <= 1, "said once");
        node.stop().await;
    }
}

/// How an old broker answers a version it does not know.
#[derive(Clone, Copy)]
enum Answer {
    /// CONNACK of 3.1.1 with return code 1, "unacceptable protocol version".
    ReturnCode,
    /// Nothing: it closes the line.
    Close,
}

/// A broker that speaks 3.1.1 only, and no more of it than CONNECT.
async fn old_broker(answer: Answer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut packet = [0; 1024];
                let n = socket.read(&mut packet).await.unwrap();
                // Fixed header of two bytes, "MQTT" with its length, then the protocol level.
                assert!(n > 8 && packet[0] == 0x10);
                match (packet[8], answer) {
                    (4, _) => {
                        socket.write_all(&[0x20, 2, 0, 0]).await.unwrap();
                        while socket.read(&mut packet).await.unwrap_or(0) > 0 {}
                    }
                    (_, Answer::ReturnCode) => socket.write_all(&[0x20, 2, 0, 1]).await.unwrap(),
                    (_, Answer::Close) => {}
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn an_old_broker_is_spoken_to_in_its_version() {
    for answer in [Answer::ReturnCode, Answer::Close] {
        let mut session = start(options(old_broker(answer).await, "client"));
        assert_eq!(up(&mut session).await, Version::V311);
        assert_eq!(session.stats.view().sessions, 1);
    }
}

/// A certificate as the usual recipes of openssl make it: version 1, because no extension is asked for.
fn version_1(dir: &Path) -> bool {
    let Some(openssl) = crate::support::tool("openssl") else {
        return false;
    };
    let run = |line: &str| {
        let done = std::process::Command::new(&openssl)
            .current_dir(dir)
            .args(line.split(' '))
            .output()
            .unwrap();
        assert!(done.status.success(), "{line}: {done:?}");
    };
    run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 3650");
    run("req -newkey rsa:2048 -nodes -keyout broker.key -out broker.csr -subj /CN=localhost");
    run(
        "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out broker.pem -days 3650",
    );
    let shown = std::process::Command::new(&openssl)
        .current_dir(dir)
        .args(["x509", "-noout", "-text", "-in", "broker.pem"])
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("Version: 1"), "{shown}");
    true
}

/// What `doctor` says of a line to a broker.
async fn doctor(dir: &Path, url: &str) -> String {
    let text = format!(
        "[office]\nid = \"chuo\"\nname = {{ ja = \"中央区\" }}\n[node]\nid = \"n1\"\n\
         [mqtt]\nurl = \"{url}\"\n{}[store]\ndir = \"store\"\n\
         [[queue]]\nid = \"certificates\"\nname = {{ ja = \"証明書\" }}\n",
        if url.starts_with("mqtts") {
            "ca = \"ca.pem\"\n"
        } else {
            ""
        }
    );
    let config = dir.join("node.toml");
    std::fs::write(&config, text).unwrap();
    let run = move || {
        let mut command = yobiban();
        command.args(["doctor", "--config"]).arg(&config);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test]
async fn doctor_points_at_the_brokers_certificate_where_that_is_at_fault() {
    let files = tempfile::tempdir().unwrap();
    let dir = files.path();
    if !version_1(dir) {
        return;
    }
    let with = |dir: std::path::PathBuf| {
        move |_: &Path| {
            format!(
                "allow_anonymous true\ncertfile {0}/broker.pem\nkeyfile {0}/broker.key\n",
                dir.display()
            )
        }
    };
    let Some(broker) = Mosquitto::start_with(with(dir.to_owned())).await else {
        return;
    };
    let port = broker.address().port();
    let said = doctor(dir, &format!("mqtts://localhost:{port}")).await;
    assert!(
        said.contains("the broker's certificate is of version 1"),
        "{said}"
    );
    assert!(said.contains("check the broker's certificate"), "{said}");
    assert!(!said.contains("OtherError"), "{said}");
    for (name, expired, words) in [
        ("elsewhere", false, "not valid for name"),
        ("localhost", true, "clock"),
    ] {
        let Some((broker, files)) = self::broker(name, expired).await else {
            return;
        };
        let port = broker.address().port();
        let said = doctor(files.path(), &format!("mqtts://localhost:{port}")).await;
        assert!(said.contains(words), "{said}");
        assert!(said.contains("check the broker's certificate"), "{said}");
    }
    let Some(plain) = Mosquitto::start().await else {
        return;
    };
    let port = plain.address().port();
    let said = doctor(dir, &format!("mqtts://localhost:{port}")).await;
    assert!(said.contains("something else listens there"), "{said}");
}

#[tokio::test]
async fn a_web_server_in_place_of_a_broker_is_called_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut packet = [0; 1024];
                let _ = socket.read(&mut packet).await;
                let answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
                let _ = socket.write_all(answer).await;
            });
        }
    });
    let files = tempfile::tempdir().unwrap();
    let said = doctor(files.path(), &format!("mqtt://{address}")).await;
    assert!(said.contains("does not speak MQTT"), "{said}");
    assert!(said.contains("something else listens there"), "{said}");
}
