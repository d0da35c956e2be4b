//! The line to a board: a serial port or a TCP connection, never waited for without a limit.

use super::raw::Function;
use super::reply::{ReplyMatch, match_reply};
use super::transport::{Io, MAX_RECEIVED, SharedTransport};
use super::{frame::Encoded, frame::Write};
use crate::config::{Framing, Parity, Rs485, SerialConfig, SerialDevice};
use crate::errors::plain;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Client as _, Context as Modbus, rtu, tcp};
use tokio_modbus::slave::{Slave, SlaveContext as _};
use tokio_modbus::{Request, Response};
use tokio_serial::{DataBits, SerialPort as _, SerialPortBuilderExt as _, StopBits};

/// A connection that takes longer is one that does not come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// A frame that the system does not take within this never leaves: its buffer holds 4 KiB.
const WRITE_WITHIN: Duration = Duration::from_secs(1);
/// After this much silence an answer that is wrong so far gets no better; four characters at
/// 2400 baud.
const QUIET: Duration = Duration::from_millis(20);

/// Why a field has no confirmation.
#[derive(Debug)]
pub(super) enum ExchangeError {
    /// The line is no longer there.
    Lost(io::Error),
    /// The board did not answer as it should.
    Reply(String),
}

impl From<io::Error> for ExchangeError {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// An open line.
pub(super) struct Line {
    transport: SharedTransport,
    modbus: Option<Modbus>,
    rs485: Rs485,
    /// Two characters on the line: what the last of them takes after the buffer is empty.
    two_chars: Duration,
    is_tcp: bool,
}

impl Line {
    /// Opens the device of a configuration, bounded in time.
    pub(super) async fn open(config: &SerialConfig, modbus: bool) -> Result<Self, String> {
        let io = match &config.device {
            SerialDevice::Port(path) => {
                let name = path.to_string_lossy();
                let port = port(&name, config.baud, config.framing);
                Io::Serial(port.open_native_async().map_err(|e| plain(&e))?)
            }
            SerialDevice::Tcp { host, port } => {
                let connect = timeout(CONNECT_WITHIN, TcpStream::connect((host.as_str(), *port)));
                let stream = match connect.await {
                    Ok(stream) => stream.map_err(|e| plain(&e))?,
                    Err(_) => return Err("no answer within 1 s".to_owned()),
                };
                let _ = stream.set_nodelay(true); // slower without, but works
                Io::Tcp(stream)
            }
        };
        let bits = 2 + u32::from(config.framing.data_bits) + u32::from(config.framing.stop_bits);
        let mut line = Self {
            transport: SharedTransport::new(io),
            modbus: None,
            rs485: config.rs485,
            two_chars: Duration::from_secs(2) * bits / config.baud,
            is_tcp: matches!(config.device, SerialDevice::Tcp { .. }),
        };
        if line.rs485 != Rs485::Adapter && !line.is_tcp {
            line.listen()
                .map_err(|e| format!("cannot switch RTS: {}", plain(&e)))?;
        }
        if modbus {
            line.attach();
        }
        Ok(line)
    }

    /// Begins with a Modbus client that knows nothing of a failed exchange. A connection by TCP is
    /// made anew instead: an answer that comes late must not be taken for the next one.
    fn attach(&mut self) {
        let transport = self.transport.clone();
        self.modbus = Some(if self.is_tcp {
            tcp::attach_slave(transport, Slave(0))
        } else {
            rtu::attach_slave(transport, Slave(0))
        });
    }

    /// Whether the other end must be opened again after a failure to be trusted.
    pub(super) fn is_tcp(&self) -> bool {
        self.is_tcp
    }

    /// What was heard last, in hexadecimal.
    pub(super) fn received(&self) -> String {
        self.transport.with(|transport| spaced(&transport.received))
    }

    /// Throws away what came unasked, and finds out whether the line is still there.
    pub(super) async fn drain(&mut self) -> io::Result<()> {
        let mut buf = [0; 256];
        // Bounded: a line that never rests is not waited for.
        for _ in 0..16 {
            match timeout(Duration::from_millis(1), self.transport.read(&mut buf)).await {
                Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok(_)) => {}
                Ok(Err(e)) => return Err(e),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Sends a field and waits for its confirmation; `Ok` says whether there was one.
    pub(super) async fn exchange(
        &mut self,
        encoded: &Encoded,
        within: Duration,
    ) -> Result<bool, ExchangeError> {
        self.drain().await?;
        self.transport.with(|transport| transport.received.clear());
        match &encoded.write {
            Some(write) => {
                let done = self.write(write, within).await;
                if done.is_err() {
                    self.attach();
                }
                done.map(|()| true)
            }
            None => self.frame(encoded, within).await,
        }
    }

    async fn frame(&mut self, encoded: &Encoded, within: Duration) -> Result<bool, ExchangeError> {
        self.send(&encoded.bytes).await?;
        let Some(expected) = &encoded.reply else {
            return Ok(false);
        };
        let mut buf = [0; MAX_RECEIVED];
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let heard = self.transport.with(|transport| transport.received.clone());
            let (matched, answer) = match_reply(&encoded.bytes, expected, &heard);
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let wait = match matched {
                ReplyMatch::Confirmed => return Ok(true),
                ReplyMatch::Mismatch => left.min(QUIET),
                ReplyMatch::Incomplete => left,
            };
            if heard.len() >= MAX_RECEIVED {
                return Err(ExchangeError::Reply(unexpected(expected, answer, within)));
            }
            match timeout(wait, self.transport.read(&mut buf)).await {
                Ok(Ok(0)) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(Ok(_)) => {}
                Ok(Err(e)) => return Err(e.into()),
                Err(_) => return Err(ExchangeError::Reply(unexpected(expected, answer, within))),
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let switched = self.rs485 != Rs485::Adapter && !self.is_tcp;
        if switched {
            self.talk()?;
        }
        let sent = timeout(WRITE_WITHIN, self.transport.write_all(bytes)).await;
        if switched {
            self.drained().await?;
            self.listen()?;
        }
        match sent {
            Ok(sent) => sent,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "accepts no bytes")),
        }
    }

    /// Switches a line of two wires that no converter switches, to send.
    fn talk(&mut self) -> io::Result<()> {
        self.request_to_send(self.rs485 == Rs485::Rts)
    }

    /// Switches it back, to receive.
    fn listen(&mut self) -> io::Result<()> {
        self.request_to_send(self.rs485 != Rs485::Rts)
    }

    fn request_to_send(&mut self, on: bool) -> io::Result<()> {
        self.transport.with(|transport| match &mut transport.io {
            Io::Serial(port) => port.write_request_to_send(on).map_err(io::Error::from),
            Io::Tcp(_) => Ok(()),
        })
    }

    /// Waits until the last bit has left, at most as long as a frame may take.
    async fn drained(&mut self) -> io::Result<()> {
        let left = || {
            self.transport.with(|transport| match &transport.io {
                Io::Serial(port) => port.bytes_to_write().map_err(io::Error::from),
                Io::Tcp(_) => Ok(0),
            })
        };
        for _ in 0..WRITE_WITHIN.as_millis() {
            if left()? == 0 {
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        sleep(self.two_chars).await;
        Ok(())
    }

    async fn write(&mut self, write: &Write, within: Duration) -> Result<(), ExchangeError> {
        match write.function {
            Function::Many => {
                let words = write.words.as_slice().into();
                let request = Request::WriteMultipleRegisters(write.first, words);
                let count = u16::try_from(write.words.len()).unwrap_or(u16::MAX);
                let wanted = Response::WriteMultipleRegisters(write.first, count);
                self.call(write.unit, request, &wanted, within).await
            }
            Function::Single => {
                for (register, word) in (write.first..).zip(&write.words) {
                    let request = Request::WriteSingleRegister(register, *word);
                    let wanted = Response::WriteSingleRegister(register, *word);
                    self.transport.with(|transport| transport.received.clear());
                    self.call(write.unit, request, &wanted, within).await?;
                }
                Ok(())
            }
        }
    }

    async fn call(
        &mut self,
        unit: u8,
        request: Request<'_>,
        wanted: &Response,
        within: Duration,
    ) -> Result<(), ExchangeError> {
        let Some(modbus) = &mut self.modbus else {
            return Err(ExchangeError::Lost(io::ErrorKind::NotConnected.into()));
        };
        modbus.set_slave(Slave(unit));
        let answer = timeout(within, modbus.call(request)).await;
        let heard = self.received();
        let wrong = |what: String| Err(ExchangeError::Reply(what));
        match answer {
            Ok(Ok(Ok(response))) if response == *wanted => Ok(()),
            Ok(Ok(Ok(_))) => wrong(format!("answered something else: got {heard}")),
            Ok(Ok(Err(exception))) => {
                let text = exception.to_string().to_lowercase();
                wrong(format!(
                    "rejected: {text} (exception {})",
                    u8::from(exception)
                ))
            }
            Ok(Err(tokio_modbus::Error::Protocol(_))) => {
                wrong(format!("answered for another request: got {heard}"))
            }
            Ok(Err(tokio_modbus::Error::Transport(e))) if is_content(&e) => {
                wrong(format!("unreadable answer: got {heard}"))
            }
            Ok(Err(tokio_modbus::Error::Transport(e))) => Err(e.into()),
            Err(_) if heard.is_empty() => wrong(silent(within)),
            Err(_) => wrong(format!("no whole answer within {within:?}: got {heard}")),
        }
    }
}

/// Whether an error is about bytes that came, not about the line.
fn is_content(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput};
    matches!(error.kind(), InvalidData | InvalidInput)
}

fn silent(within: Duration) -> String {
    format!("no answer within {within:?}")
}

/// Says what was expected and what came.
fn unexpected(expected: &[Option<u8>], heard: &[u8], within: Duration) -> String {
    if heard.is_empty() {
        return silent(within);
    }
    let wanted: Vec<String> = expected
        .iter()
        .map(|byte| byte.map_or("??".to_owned(), |byte| hex::encode([byte])))
        .collect();
    format!("expected {}, got {}", wanted.join(" "), spaced(heard))
}

/// Bytes in hexadecimal with spaces between them.
pub(super) fn spaced(bytes: &[u8]) -> String {
    let all: Vec<String> = bytes.iter().map(|byte| hex::encode([*byte])).collect();
    all.join(" ")
}

fn port(name: &str, baud: u32, framing: Framing) -> tokio_serial::SerialPortBuilder {
    tokio_serial::new(name, baud)
        .data_bits(match framing.data_bits {
            7 => DataBits::Seven,
            _ => DataBits::Eight,
        })
        .parity(match framing.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(match framing.stop_bits {
            2 => StopBits::Two,
            _ => StopBits::One,
        })
}
