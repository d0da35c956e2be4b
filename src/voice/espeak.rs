//! Other languages by the program `espeak-ng`, where it is installed: text in, a WAV file out.

use super::sound::Pcm;
use super::wav;
use crate::config::VoiceLanguage;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The program.
const PROGRAM: &str = "espeak-ng";
/// A sentence takes it some tens of milliseconds, seconds where an SD card has to be read first and
/// the processor is busy; a process that hangs must not delay the calls after it for longer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);
/// A minute of sound at its rate: more is not a sentence.
const MOST_BYTES: u64 = 60 * 22_050 * 2;
/// Words a minute; its own 175 is fast for people who learn the language.
const WORDS: u32 = 150;

/// Why a sentence was not spoken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EspeakError {
    /// It is not installed.
    #[error("{PROGRAM} is not installed")]
    Missing,
    /// It failed.
    #[error("{PROGRAM}: {0}")]
    Failed(String),
}

/// Its voice for a language.
fn voice(lang: VoiceLanguage) -> &'static str {
    match lang {
        VoiceLanguage::Ja => "ja",
        VoiceLanguage::En => "en",
        // With "cmn" this program's version 1.51 reads Chinese as English.
        VoiceLanguage::Zh => "cmn-latn-pinyin",
        VoiceLanguage::Ko => "ko",
        VoiceLanguage::Vi => "vi",
        VoiceLanguage::Pt => "pt-br",
    }
}

/// Speaks a text; `speed` is percent of the usual one. Blocks for `timeout` at most.
///
/// # Errors
/// [`EspeakError`] when the program is not there, fails, or takes too long.
pub(super) fn speak(
    text: &str,
    lang: VoiceLanguage,
    speed: u8,
    timeout: Duration,
) -> Result<Pcm, EspeakError> {
    run(PROGRAM, text, lang, speed, timeout)
}

/// Whether the program can be started.
pub(super) fn is_installed() -> bool {
    let version = Command::new(PROGRAM)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

fn run(
    program: &str,
    text: &str,
    lang: VoiceLanguage,
    speed: u8,
    timeout: Duration,
) -> Result<Pcm, EspeakError> {
    let failed = |e: std::io::Error| EspeakError::Failed(e.to_string());
    let words = WORDS * u32::from(speed) / 100;
    let child = Command::new(program)
        .args(["-v", voice(lang), "-s", &words.to_string()])
        .args(["--stdin", "--stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(EspeakError::Missing),
        Err(e) => return Err(failed(e)),
    };
    let (input, output) = (child.stdin.take(), child.stdout.take());
    // A pipe holds far more than a sentence, so writing does not wait for the reader.
    if let Some(mut input) = input {
        let _ = input.write_all(text.as_bytes()); // a child that has gone says so below
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let reader = std::thread::Builder::new()
        .name("espeak".into())
        .spawn(move || {
            let mut bytes = Vec::new();
            let read = output.map_or(Ok(0), |output| {
                output.take(MOST_BYTES).read_to_end(&mut bytes)
            });
            let _ = sender.send(read.map(|_| bytes)); // nobody waits any more: nothing is lost
        });
    let answer = reader
        .map_err(failed)
        .and_then(|_| match receiver.recv_timeout(timeout) {
            Ok(bytes) => bytes.map_err(failed),
            Err(_) => Err(EspeakError::Failed(format!(
                "no answer within {} s",
                timeout.as_secs()
            ))),
        });
    let _ = child.kill(); // after its last byte it is of no use
    let _ = child.wait();
    let bytes = answer?;
    wav::read(&bytes).map_err(|e| EspeakError::Failed(e.to_string()))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Longer than a busy machine needs.
    const LONG: Duration = Duration::from_secs(120);

    fn script(dir: &std::path::Path, text: &str) -> String {
        let path = dir.join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_program_that_hangs_fails_or_floods_is_an_error_in_bounded_time() {
        let dir = tempfile::tempdir().unwrap();
        let missing = run("/nonexistent/espeak", "a", VoiceLanguage::En, 100, LONG);
        assert_eq!(missing, Err(EspeakError::Missing));
        for text in ["exit 1", "exec yes"] {
            let program = script(dir.path(), text);
            let answer = run(&program, "a", VoiceLanguage::En, 100, LONG);
            assert!(matches!(answer, Err(EspeakError::Failed(_))), "{text}");
        }
        let program = script(dir.path(), "exec sleep 600");
        let second = Duration::from_secs(1);
        let answer = run(&program, "a", VoiceLanguage::En, 100, second);
        let given_up = EspeakError::Failed("no answer within 1 s".to_owned());
        assert_eq!(answer, Err(given_up), "before it ends by itself");
    }
}
