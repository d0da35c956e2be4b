//! Where a camera's pictures come from: the network, a program; and what may answer instead.
#![allow(clippy::disallowed_methods)] // sources block; the tests with a runtime do not call them

use crate::support::netcam::{NetCamera, jpeg, picture};
use crate::support::process::Process;
use crate::support::{eventually, node_toml, skip, tool, wait_for, yobiban};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};
use yobiban::camera::{self, Source, SourceError};
use yobiban::config::{CameraConfig, CameraSource, HttpCameraConfig, RpicamConfig, Secret};

/// Longer than any source waits before it says why there is nothing.
const LIMIT: Duration = crate::support::PATIENCE;

fn open(source: CameraSource) -> Box<dyn Source> {
    let second = Duration::from_secs(1);
    let config = CameraConfig {
        id: "hall".parse().unwrap(),
        source,
        size: (1280, 720),
        corners: [(10.0, 10.0), (600.0, 10.0), (600.0, 400.0), (10.0, 400.0)],
        max_drift_px: 0,
        interval: second,
        confirmations: 3,
        picture_interval: second,
        fields: Vec::new(),
    };
    camera::open(&config).unwrap()
}

fn http(port: u16) -> HttpCameraConfig {
    HttpCameraConfig {
        tls: false,
        host: "127.0.0.1".into(),
        port,
        path: Secret::new("/shot?pwd=geheim"),
        ca: None,
        login: None,
    }
}

/// The width of the next picture, or why there is none.
fn next(source: &mut dyn Source) -> Result<u32, String> {
    let began = Instant::now();
    wait_for("a picture, or why there is none", || {
        match source.next(began.elapsed()) {
            Ok(frame) => Some(Ok(frame.unwrap().picture.size().0)),
            Err(SourceError::NotYet) => None,
            Err(e) => Some(Err(e.to_string())),
        }
    })
}

/// The next picture, whatever went wrong before.
fn at_last(source: &mut dyn Source) -> u32 {
    wait_for("a picture", || next(source))
}

#[test]
fn a_picture_is_asked_for_each_time_and_is_the_newest() {
    let taken = std::sync::atomic::AtomicU16::new(32);
    let camera = NetCamera::start(move |_, to| {
        let n = taken.fetch_add(16, std::sync::atomic::Ordering::SeqCst);
        let _ = to.write_all(&picture(&jpeg(n)));
    });
    let mut source = open(CameraSource::Http(http(camera.port)));
    assert_eq!(
        camera.asked().len(),
        0,
        "nothing is asked before somebody wants it"
    );
    for width in [32, 48, 64] {
        assert_eq!(next(&mut *source), Ok(width));
    }
    let asked = camera.asked();
    assert_eq!(asked.len(), 3);
    assert!(
        asked[0].starts_with("GET /shot?pwd=geheim HTTP/1.1\r\n"),
        "{asked:?}"
    );
    assert!(!asked[0].to_lowercase().contains("authorization"));
    // It does not answer for a while, and then it does.
    camera.answers(|_, _| {});
    assert!(next(&mut *source).unwrap_err().contains("no HTTP answer"));
    camera.answers(|_, to| drop(to.write_all(&picture(&jpeg(96)))));
    assert_eq!(at_last(&mut *source), 96);
}

#[test]
fn a_stream_is_cut_at_the_pictures_whatever_its_boundaries_say() {
    let taken = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&taken);
    let camera = NetCamera::start(move |_, to| {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=--a\r\n\r\n";
        let _ = to.write_all(head.as_bytes());
        // Five bursts of ten, each once one of the burst before was taken.
        for burst in 0..5 {
            let mut parts = Vec::new();
            for width in (1..=10).map(|n| (burst * 10 + n) * 16) {
                // No boundary that was announced, and a wrong length.
                parts.extend(b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n");
                parts.extend(jpeg(width));
            }
            if to.write_all(&parts).is_err() {
                return;
            }
            let last = u32::from(burst * 10 * 16);
            wait_for("one is taken", || seen.load(SeqCst) > last);
        }
    });
    let mut source = open(CameraSource::Http(http(camera.port)));
    let mut widths = Vec::new();
    let why = loop {
        match next(&mut *source) {
            Ok(width) => {
                widths.push(width);
                taken.store(width, SeqCst);
            }
            Err(why) => break why,
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(why, format!("127.0.0.1:{}: the stream ended", camera.port));
    assert!(widths.is_sorted(), "{widths:?}");
    assert!(
        (5..45).contains(&widths.len()),
        "what nobody wanted is gone: {widths:?}"
    );
    assert_eq!(camera.asked().len(), 1);
    assert!(at_last(&mut *source) >= 16, "and begins anew");
}

#[test]
fn who_asks_is_told_as_the_camera_wants_it_and_never_in_clear_when_it_can_be_helped() {
    let wants = |header: &'static str, accepts: &'static str| {
        NetCamera::start(move |request, to| {
            let answer = if request.contains(accepts) {
                picture(&jpeg(32))
            } else {
                format!("HTTP/1.1 401 Unauthorized\r\n{header}Content-Length: 0\r\n\r\n").into()
            };
            let _ = to.write_all(&answer);
        })
    };
    let login = |port| HttpCameraConfig {
        login: Some(("board".into(), Secret::new("geheim2"))),
        ..http(port)
    };
    let basic = "WWW-Authenticate: Basic realm=\"c\"\r\n";
    // board:geheim2
    let camera = wants(basic, "authorization: Basic Ym9hcmQ6Z2VoZWltMg==");
    assert_eq!(
        next(&mut *open(CameraSource::Http(login(camera.port)))),
        Ok(32)
    );
    let both = "WWW-Authenticate: Basic realm=\"c\"\r\n\
                WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", qop=\"auth\", algorithm=MD5\r\n";
    let camera = wants(
        both,
        "authorization: Digest username=\"board\", realm=\"c\", nonce=\"n\"",
    );
    let mut source = open(CameraSource::Http(login(camera.port)));
    assert_eq!((next(&mut *source), next(&mut *source)), (Ok(32), Ok(32)));
    let asked = camera.asked();
    assert_eq!(
        asked.len(),
        3,
        "the second picture needs no question: {asked:?}"
    );
    assert!(asked[2].contains("nc=00000002"), "{asked:?}");
    assert!(!asked.concat().contains("geheim2") && !asked.concat().contains("Basic"));
    // Refused, and asked by nobody who has a password.
    let camera = wants(both, "never");
    let why = next(&mut *open(CameraSource::Http(login(camera.port)))).unwrap_err();
    assert!(why.ends_with(": rejected user and password"), "{why}");
    let why = next(&mut *open(CameraSource::Http(http(camera.port)))).unwrap_err();
    assert!(why.contains("requires a user and password"), "{why}");
    let camera = wants("WWW-Authenticate: Negotiate\r\n", "never");
    let why = next(&mut *open(CameraSource::Http(login(camera.port)))).unwrap_err();
    assert!(why.contains("(supported: Digest, Basic)"), "{why}");
}

#[test]
fn whatever_answers_instead_of_a_camera_is_one_clear_error() {
    let half = &picture(&jpeg(32))[..300];
    let endless = |to: &mut dyn std::io::Write| {
        let _ = to.write_all(b"HTTP/1.1 200 OK\r\n");
        while to.write_all(b"X-More: more and more and more\r\n").is_ok() {}
    };
    let flood = |to: &mut dyn std::io::Write| {
        let _ = to.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8");
        let more = vec![1; 1024 * 1024];
        while to.write_all(&more).is_ok() {}
    };
    let page =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x\r\nContent-Length: 6\r\n\r\n<html>";
    let strange = b"HTTP/1.1 200 OK\r\nContent-Type: \"geheim\"\r\nContent-Length: 1\r\n\r\n.";
    let moved = b"HTTP/1.1 302 Found\r\nLocation: http://geheim/\r\nContent-Length: 0\r\n\r\n";
    let gone = b"HTTP/1.1 404 geheim\r\nContent-Length: 0\r\n\r\n";
    let picture_without_end = picture(b"\xff\xd8\xff\xe0");
    let expected = "expected a JPEG picture, or multipart/x-mixed-replace";
    let camera = NetCamera::start(|_, _| {});
    let check = |said: &str| {
        let why = next(&mut *open(CameraSource::Http(http(camera.port)))).unwrap_err();
        let (what, why) = why.split_once(": ").unwrap();
        assert_eq!(what, format!("127.0.0.1:{}", camera.port));
        assert!(why.contains(said), "{why}: expected {said}");
        assert!(!why.contains("geheim"), "{why}");
    };
    let bytes = |answer: &[u8], said: &str| {
        let answer = answer.to_vec();
        camera.answers(move |_, to| drop(to.write_all(&answer)));
        check(said);
    };
    bytes(page, &format!("answered text/html: {expected}"));
    bytes(strange, &format!("answered no content type: {expected}"));
    bytes(moved, "answered 302 Found: redirects are not followed");
    bytes(gone, "answered 404 Not Found");
    bytes(half, "the answer ended within a picture");
    bytes(&picture_without_end, "the answer ended within a picture");
    bytes(b"", "no HTTP answer");
    bytes(b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP answer");
    camera.answers(move |_, to| endless(to));
    check("no HTTP answer");
    camera.answers(move |_, to| flood(to));
    check("16 MiB without the end of a picture");
    camera.answers(|_, _| {
        loop {
            std::thread::park();
        }
    });
    check("no answer within 5 s");
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let why = next(&mut *open(CameraSource::Http(http(port)))).unwrap_err();
    assert_eq!(
        why,
        format!("127.0.0.1:{port}: cannot connect: connection refused")
    );
}

#[test]
fn a_camera_with_a_certificate_is_believed_when_it_is_known() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("camera.pem");
    fs::write(&ca, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let server = std::sync::Arc::new(server);
    let camera = NetCamera::start_on(
        move |line| {
            let connection = rustls::ServerConnection::new(server.clone()).unwrap();
            Box::new(rustls::StreamOwned::new(connection, line))
        },
        |_, to| drop(to.write_all(&picture(&jpeg(32)))),
    );
    let config = HttpCameraConfig {
        tls: true,
        host: "localhost".into(),
        ca: Some(ca),
        ..http(camera.port)
    };
    assert_eq!(next(&mut *open(CameraSource::Http(config.clone()))), Ok(32));
    let unknown = HttpCameraConfig {
        ca: None,
        ..config.clone()
    };
    let why = next(&mut *open(CameraSource::Http(unknown))).unwrap_err();
    assert!(why.contains(": tls: "), "{why}");
    let other = HttpCameraConfig {
        host: "127.0.0.1".into(),
        ..config
    };
    let why = next(&mut *open(CameraSource::Http(other))).unwrap_err();
    assert!(
        why.contains(": tls: ") && why.contains("not valid for name"),
        "{why}"
    );
}

/// A stand-in for `rpicam-vid`: `body` is what it does after it has noted arguments and process.
fn program(dir: &Path, body: &str) -> PathBuf {
    let path = dir.join("rpicam-vid");
    let here = dir.display();
    let text = format!("#!/bin/sh\ncd {here}\necho \"$@\" >told\necho $$ >pid\n{body}\n");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(dir.join("a.jpg"), jpeg(32)).unwrap();
    fs::write(dir.join("b.jpg"), jpeg(48)).unwrap();
    path
}

fn rpicam(program: PathBuf) -> CameraSource {
    CameraSource::Rpicam(RpicamConfig {
        program,
        camera: 0,
        fps: 5,
        exposure: Some(Duration::from_millis(20)),
        gain: None,
        awb_gains: None,
    })
}

fn is_alive(dir: &Path) -> bool {
    let pid = fs::read_to_string(dir.join("pid")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    // One that ended and was not yet waited for is a zombie.
    stat.is_ok_and(|s| !s.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

#[tokio::test]
async fn a_program_that_films_is_started_again_when_it_ends_and_ended_when_it_stands_still() {
    let dir = tempfile::tempdir().unwrap();
    let dies = "if [ -e ran ]; then exec sleep 600; fi; touch ran\n\
                for i in 1 2 3 4 5 6; do cat a.jpg; sleep 0.03; cat b.jpg; sleep 0.03; done\n\
                echo 'ERROR: *** no cameras available ***' >&2; exit 3";
    let path = program(dir.path(), dies);
    let shown = path.display().to_string();
    let began = Instant::now();
    let mut source = open(rpicam(path));
    assert!(matches!(next(&mut *source), Ok(32 | 48)));
    let told = fs::read_to_string(dir.path().join("told")).unwrap();
    assert!(
        told.contains("--codec mjpeg") && told.contains("--width 1280 --height 720"),
        "{told}"
    );
    assert!(told.contains("--shutter 20000"), "{told}");
    let why = loop {
        if let Err(why) = next(&mut *source) {
            break why;
        }
    };
    let said = format!("{shown} ended, exit status: 3: ERROR: *** no cameras available ***");
    assert_eq!(why, said);
    // The second one stands still.
    let last = wait_for("another reason", || {
        let last = next(&mut *source).unwrap_err();
        (last != why).then_some(last)
    });
    assert!(last.contains("no picture for 6 s"), "{last}");
    let first = fs::read_to_string(dir.path().join("pid")).unwrap();
    // It does not survive that, and another is started, which ends with the source.
    eventually(LIMIT, "another is started", || {
        let _ = source.next(began.elapsed());
        let now = fs::read_to_string(dir.path().join("pid")).unwrap();
        (now != first && is_alive(dir.path())).then_some(())
    })
    .await;
    assert!(!Path::new(&format!("/proc/{}", first.trim())).exists());
    drop(source);
    let ended = || (!is_alive(dir.path())).then_some(());
    eventually(LIMIT, "the program ends with its source", ended).await;
    let why = next(&mut *open(rpicam("rpicam-vid-that-is-not-there".into()))).unwrap_err();
    assert!(why.contains("is not installed"), "{why}");
}

#[tokio::test]
async fn a_program_that_films_does_not_outlive_its_node() {
    if tool("setpriv").is_none() {
        return skip("setpriv is not installed");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = program(dir.path(), "exec sleep 600");
    let text = format!(
        "[[camera]]\nid = \"hall\"\ncorners = [[10, 10], [600, 10], [600, 400], [10, 400]]\n\
         source = {{ kind = \"rpicam\", program = \"{}\" }}\n[[camera.field]]\n\
         queue = \"certificates\"\nrect = [0.1, 0.1, 0.3, 0.2]\nkind = \"text-digits\"\n",
        path.display()
    );
    let file = dir.path().join("node.toml");
    fs::write(&file, node_toml("127.0.0.1:9", &text)).unwrap();
    let mut command = yobiban();
    command.args(["node", "--config"]).arg(&file);
    let mut node = Process::start(command);
    let pid = dir.path().join("pid");
    eventually(LIMIT, "it films", || pid.is_file().then_some(())).await;
    eventually(LIMIT, "it runs", || is_alive(dir.path()).then_some(())).await;
    node.kill();
    let ended = || (!is_alive(dir.path())).then_some(());
    eventually(LIMIT, "the program ends with the node", ended).await;
}
