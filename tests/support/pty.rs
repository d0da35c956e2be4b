//! A board of digits at the other end of a pseudo-terminal, as its script wants it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a board does with a frame.
pub enum Answer {
    Silence,
    Bytes(Vec<u8>),
    Late(Duration, Vec<u8>),
}

/// A board that was plugged in; dropped, it is unplugged.
pub struct Board {
    name: PathBuf,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Board {
    /// Plugs a board in under this name. Its frames have one length.
    pub fn plug(
        name: &Path,
        length: usize,
        script: impl FnMut(&[u8]) -> Answer + Send + 'static,
    ) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap();
        std::os::unix::fs::symlink(path.to_str().unwrap(), name).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (frames, end) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || run(&master, length, script, &frames, &end));
        Self {
            name: name.to_owned(),
            seen,
            stop,
            thread: Some(thread),
        }
    }

    /// The frames it got.
    pub fn seen(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().clone()
    }

    /// The frames it got, and forgets them.
    pub fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.name);
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the board's script failed");
        }
    }
}

fn run(
    master: &OwnedFd,
    length: usize,
    mut script: impl FnMut(&[u8]) -> Answer,
    seen: &Mutex<Vec<Vec<u8>>>,
    stop: &AtomicBool,
) {
    let (mut heard, mut late) = (Vec::new(), Vec::new());
    let short = Timespec {
        tv_sec: 0,
        tv_nsec: 2_000_000,
    };
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        late.retain(|(at, bytes): &(Instant, Vec<u8>)| {
            let due = *at <= now;
            if due {
                let _ = rustix::io::write(master, bytes);
            }
            !due
        });
        let mut fds = [PollFd::new(master, PollFlags::IN)];
        let ready = poll(&mut fds, Some(&short)).unwrap();
        let mut buf = [0; 256];
        let count = match ready {
            0 => continue,
            _ => rustix::io::read(master, &mut buf),
        };
        let Ok(count) = count else {
            // Nobody has the other end open.
            poll(&mut [], Some(&short)).unwrap();
            continue;
        };
        heard.extend(&buf[..count]);
        while heard.len() >= length {
            let frame: Vec<u8> = heard.drain(..length).collect();
            seen.lock().unwrap().push(frame.clone());
            match script(&frame) {
                Answer::Silence => {}
                Answer::Bytes(bytes) => {
                    let _ = rustix::io::write(master, &bytes);
                }
                Answer::Late(after, bytes) => late.push((Instant::now() + after, bytes)),
            }
        }
    }
}
