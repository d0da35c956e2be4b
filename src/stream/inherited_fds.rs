//! What an encoder inherits besides its standard streams: files without a name, and pipes.
//!
//! Linux only: elsewhere a secret cannot be passed without a name that others may open.

use super::command::EncoderInputs;
use std::io;
use std::io::PipeWriter;
use tokio::process::{Child, Command};

/// What one encoder is to inherit.
pub(super) struct InheritedFds {
    #[cfg(target_os = "linux")]
    preset: Option<std::fs::File>,
    #[cfg(target_os = "linux")]
    sound: Option<io::PipeReader>,
    path: Option<String>,
    number: Option<i32>,
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Child, Command, InheritedFds, PipeWriter, io};
    use rustix::fs::{MemfdFlags, memfd_create};
    use rustix::io::{FdFlags, fcntl_setfd};
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::{AsFd as _, AsRawFd as _};
    use std::sync::{Mutex, PoisonError};

    /// Held while a descriptor may be inherited, so that no encoder gets those of another.
    static SPAWNING: Mutex<()> = Mutex::new(());

    impl InheritedFds {
        /// Puts secret options into a file that is on no disk and that only the same user may open,
        /// and makes a pipe for samples if there is to be one.
        pub(in super::super) fn new(
            secret: Option<&str>,
            sound: bool,
        ) -> io::Result<(Self, Option<PipeWriter>)> {
            let preset = match secret {
                Some(text) => {
                    let mut file = File::from(memfd_create(c"stream", MemfdFlags::CLOEXEC)?);
                    file.write_all(text.as_bytes())?;
                    Some(file)
                }
                None => None,
            };
            let (sound, writer) = if sound {
                let (reader, writer) = io::pipe()?;
                (Some(reader), Some(writer))
            } else {
                (None, None)
            };
            let path = preset
                .as_ref()
                .map(|file| format!("/proc/self/fd/{}", file.as_raw_fd()));
            let number = sound.as_ref().map(|pipe| pipe.as_raw_fd());
            let fds = Self {
                preset,
                sound,
                path,
                number,
            };
            Ok((fds, writer))
        }

        /// Starts the child process, which inherits the descriptors; they are closed here afterwards.
        pub(in super::super) fn spawn(self, command: &mut Command) -> io::Result<Child> {
            let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
            let preset = self.preset.as_ref().map(|file| file.as_fd());
            let sound = self.sound.as_ref().map(|pipe| pipe.as_fd());
            for fd in preset.into_iter().chain(sound) {
                fcntl_setfd(fd, FdFlags::empty())?;
            }
            command.spawn()
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl InheritedFds {
    pub(super) fn new(secret: Option<&str>, sound: bool) -> io::Result<(Self, Option<PipeWriter>)> {
        if secret.is_some() || sound {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "keys and sound can be handed on in secret on Linux only",
            ));
        }
        let nothing = Self {
            path: None,
            number: None,
        };
        Ok((nothing, None))
    }

    pub(super) fn spawn(self, command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }
}

impl InheritedFds {
    /// What to call it on the command line.
    pub(super) fn names(&self) -> EncoderInputs<'_> {
        EncoderInputs {
            preset: self.path.as_deref(),
            sound: self.number,
        }
    }
}
