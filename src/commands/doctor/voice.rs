//! What a voice would use: the sound device, and whatever its languages need.

use super::good;
use crate::config::{VoiceConfig, VoiceOutput};
use crate::output::{Finding, Level};
use crate::voice::Speech;

/// Looks at both; nothing is heard.
pub(super) fn inspect(voice: &VoiceConfig) -> Vec<Finding> {
    let speech = match Speech::open(&voice.speech).trouble() {
        None => good("voice: languages", "spoken"),
        Some(why) => Finding {
            level: Level::Warning,
            what: "voice: languages".into(),
            found: why,
            advice:
                "build the dictionary or install espeak-ng (docs/voice.md); until then the chime \
                     sounds alone"
                    .into(),
        },
    };
    vec![output(&voice.output), speech]
}

#[cfg(target_os = "linux")]
fn device(name: &str) -> Finding {
    let what = format!("voice: {name}");
    match crate::output::alsa::Alsa::new(name, crate::voice::RATE).check() {
        Ok(()) => good(what, "there"),
        Err(e) => Finding {
            level: Level::Failure,
            what,
            found: e.to_string(),
            advice: "plug the loudspeaker in, or take one of the names that aplay -L lists".into(),
        },
    }
}

#[cfg(not(target_os = "linux"))]
fn device(name: &str) -> Finding {
    Finding {
        level: Level::Failure,
        what: format!("voice: {name}"),
        found: "this system has no ALSA".into(),
        advice: "use Linux, or another output".into(),
    }
}

fn output(output: &VoiceOutput) -> Finding {
    match output {
        VoiceOutput::Alsa { device: name, .. } => device(name),
        VoiceOutput::Wav { dir } => good("voice: wav", format!("files in {}", dir.display())),
        VoiceOutput::None => good(
            "voice: none",
            "announcements are generated, but not audible",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SpeechConfig;
    use std::time::Duration;

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let voice = VoiceConfig {
            output: VoiceOutput::Alsa {
                device: "plughw:CARD=nobody".into(),
                keep_open: false,
            },
            queues: None,
            chime: true,
            volume: 80,
            hours: Vec::new(),
            min_pause: Duration::from_secs(1),
            max_backlog: Duration::from_secs(30),
            speech: SpeechConfig {
                dictionary: "/nonexistent".into(),
                ..SpeechConfig::default()
            },
        };
        let found = inspect(&voice);
        assert_eq!(found[0].level, Level::Failure);
        assert_eq!(found[0].what, "voice: plughw:CARD=nobody");
        assert_eq!(found[1].level, Level::Warning);
        assert!(found[1].found.contains("no dictionary in /nonexistent"));
    }
}
