//! Boards of digits that speak Modbus, on a pseudo-terminal and in the network.

use crate::serial::{board, device, fact, settle, show, until};
use crate::support::pty::{Answer, Board};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// CRC-16 of Modbus by its definition, bit by bit from the polynomial.
fn crc(bytes: &[u8]) -> [u8; 2] {
    let mut crc = 0xffff_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xa001
            } else {
                crc >> 1
            };
        }
    }
    crc.to_le_bytes()
}

/// Unit, function 16, register, count, bytes, four registers, check sum.
const RTU_FRAME: usize = 17;

#[test]
fn modbus_rtu_writes_a_register_a_digit() {
    let (_dir, name) = device();
    // 0: in order; 1: check sum wrong; 2: refuses; 3: silent; 4: half an answer.
    let mood = Arc::new(AtomicU32::new(0));
    let now = Arc::clone(&mood);
    let far = Board::plug(Path::new(&name), RTU_FRAME, move |frame| {
        assert_eq!(frame[15..], crc(&frame[..15]), "{frame:02x?}");
        let mut answer = frame[..6].to_vec();
        let mood = now.load(Ordering::Relaxed);
        if mood == 2 {
            answer = vec![frame[0], 0x90, 2];
        }
        answer.extend(crc(&answer));
        match mood {
            1 => *answer.last_mut().unwrap() ^= 0xff,
            3 => return Answer::Silence,
            4 => answer.truncate(5),
            _ => {}
        }
        Answer::Bytes(answer)
    });
    let mut near = board(
        &name,
        "template = \"modbus\"\nrefresh = \"1s\"\nbaud = 19200\nframing = \"8E1\"",
    );
    show(&mut near, &[(3, "A042")]);
    settle(&mut near);
    assert_eq!(near.error(), None);
    assert_eq!(fact(&near, "confirmed"), "1 of 1");
    assert!(fact(&near, "last_reply").starts_with("03 10 00 00 00 04 "));
    let frame = far.take().swap_remove(0);
    assert_eq!(frame[..15], [3, 16, 0, 0, 0, 4, 8, 0, 15, 0, 0, 0, 4, 0, 2]);
    assert_eq!(near.frames().unwrap(), frame[..15]);
    for (bad, says) in [
        (
            1,
            "address 3: no whole answer within 500ms: got 03 10 00 00 00 04",
        ),
        (2, "address 3: rejected: illegal data address (exception 2)"),
        (3, "address 3: no answer within 500ms"),
        (
            4,
            "address 3: no whole answer within 500ms: got 03 10 00 00 00",
        ),
    ] {
        mood.store(bad, Ordering::Relaxed);
        until(&mut near, says, |near| {
            near.error().is_some_and(|text| text.starts_with(says))
        });
        mood.store(0, Ordering::Relaxed);
        until(&mut near, "confirmed again", |near| {
            fact(near, "confirmed") == "1 of 1"
        });
    }
}

/// A Modbus TCP board of another make: units with registers.
#[derive(Clone, Default)]
struct Units(Arc<Mutex<BTreeMap<(u8, u16), u16>>>);

impl tokio_modbus::server::Service for Units {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = std::future::Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let mut registers = self.0.lock().unwrap();
        std::future::ready(match request.request {
            Request::WriteMultipleRegisters(first, words) if request.slave < 10 => {
                for (register, word) in (first..).zip(words.iter()) {
                    registers.insert((request.slave, register), *word);
                }
                let count = words.len().try_into().unwrap();
                Ok(Response::WriteMultipleRegisters(first, count))
            }
            Request::WriteSingleRegister(register, word) => {
                registers.insert((request.slave, register), word);
                Ok(Response::WriteSingleRegister(register, word))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}

async fn modbus_server(units: Units) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio_modbus::server::tcp::Server::new(listener);
    let task = tokio::spawn(async move {
        let connected = |stream, peer| {
            let units = units.clone();
            async move {
                tokio_modbus::server::tcp::accept_tcp_connection(stream, peer, |_| {
                    Ok(Some(units.clone()))
                })
            }
        };
        server.serve(&connected, |_| {}).await.unwrap();
    });
    (address, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn modbus_tcp_writes_units_of_the_network() {
    let units = Units::default();
    let (address, server) = modbus_server(units.clone()).await;
    let registers = Arc::clone(&units.0);
    let work = tokio::task::spawn_blocking(move || {
        let mut near = board(
            &format!("tcp://{address}"),
            "template = \"modbus\"\nrefresh = \"1s\"",
        );
        show(&mut near, &[(1, "42"), (11, "7")]);
        settle(&mut near);
        assert_eq!(
            near.error(),
            Some("address 11: rejected: illegal function (exception 1)")
        );
        assert_eq!(
            (fact(&near, "confirmed"), fact(&near, "unconfirmed")),
            ("1 of 2", "11")
        );
        let digits: Vec<u16> = registers.lock().unwrap().values().copied().collect();
        assert_eq!(digits, [15, 15, 4, 2]);

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("single.toml");
        let text = "[modbus]\nunit = 11\nfirst = 100\nfunction = 6\ncoding = \"segments\"\n\
                    [modbus.digits]\ndigits = 2\n";
        std::fs::write(&path, text).unwrap();
        let keys = format!("template = \"{}\"", path.display());
        let mut near = board(&format!("tcp://{address}"), &keys);
        registers.lock().unwrap().clear();
        show(&mut near, &[(1, "7"), (2, "10")]);
        settle(&mut near);
        assert_eq!(near.error(), None);
        let all: Vec<_> = registers.lock().unwrap().clone().into_iter().collect();
        let wanted = [
            ((11, 100), 0),
            ((11, 101), 7),
            ((11, 102), 6),
            ((11, 103), 0x3f),
        ];
        assert_eq!(all, wanted, "two fields of one unit");
        near
    });
    let mut near = work.await.unwrap();
    server.abort();
    let _ = server.await;
    tokio::task::spawn_blocking(move || {
        // Tasks of connections outlive the server: nothing new is taken from here on.
        show(&mut near, &[(1, "8"), (2, "11")]);
        near.poll_device();
    })
    .await
    .unwrap();
}

#[test]
fn a_board_of_the_network_that_is_not_there_is_said() {
    let address = format!("127.0.0.1:{}", crate::support::free_port());
    let mut near = board(&format!("tcp://{address}"), "template = \"modbus\"");
    show(&mut near, &[(1, "42")]);
    until(&mut near, "said", |near| near.error().is_some());
    let wanted = format!("cannot open tcp://{address}: connection refused");
    assert_eq!(near.error(), Some(wanted.as_str()));
}
