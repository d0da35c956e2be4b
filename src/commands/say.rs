//! `yobiban say`: one call, spoken into a file or to a sound device, without a node.

use crate::config::{NodeConfig, SpeechConfig, VoiceLanguage};
use crate::model::{Label, Lane, Name, QueueId};
use crate::voice::chime::chime;
use crate::voice::texts::{CallDetails, call_sentences};
use crate::voice::{GAP, Pcm, Speech, wav_bytes};
use anyhow::Context;
use std::path::PathBuf;
use std::time::Duration;

/// Of a sentence: nothing waits for its end but the user.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What is to be said, and where to.
#[derive(Debug)]
pub struct SayArgs {
    pub ticket: Label,
    /// The counter to go to.
    pub counter: Option<Label>,
    /// The language; `None` is those of the configuration.
    pub lang: Option<VoiceLanguage>,
    /// The queue; `None` is the first.
    pub queue: Option<QueueId>,
    /// Whether the call is made again.
    pub recall: bool,
    /// In few words.
    pub short: bool,
    /// Whether the chime comes first.
    pub chime: bool,
    /// Folder of the dictionary; `None` is that of the configuration.
    pub dictionary: Option<PathBuf>,
    pub out: Option<PathBuf>,
    /// The sound device to play it on.
    pub device: Option<String>,
}

/// Says it.
///
/// # Errors
/// When a language cannot be spoken, the file not be written or the device not be played on.
pub fn run(node: Option<&NodeConfig>, args: SayArgs) -> anyhow::Result<()> {
    let voice = node.and_then(|node| node.voice.as_ref());
    let mut config = voice.map_or_else(SpeechConfig::default, |voice| voice.speech.clone());
    if let Some(lang) = args.lang {
        config.languages = vec![lang];
    }
    if let Some(dictionary) = args.dictionary {
        config.dictionary = dictionary;
    }
    let queues = node.map_or(&[][..], |node| &node.state.queues);
    let queue = match &args.queue {
        None => queues.first(),
        Some(id) => Some(
            queues
                .iter()
                .find(|q| q.id == *id)
                .with_context(|| format!("queue {id} is not in the configuration"))?,
        ),
    };
    let unnamed = QueueId::new("queue")?;
    let name = queue.map_or_else(Name::default, |q| q.name.clone());
    let counters: Vec<&str> = args.counter.iter().map(Label::as_str).collect();
    let wanted = CallDetails {
        ticket: args.ticket.as_str(),
        counters: &counters,
        queue: queue.map_or(&unnamed, |q| &q.id),
        queue_name: &name,
        recall: args.recall,
        fast: queue.is_some_and(|q| q.lane == Lane::Fast),
        short: args.short,
    };
    let mut speech = Speech::open(&config).with_timeout(TIMEOUT);
    let mut sounds = Vec::new();
    if args.chime {
        sounds.push(chime());
    }
    for lang in &config.languages {
        for sentence in call_sentences(&wanted, *lang, &config) {
            let spoken = speech.say(&sentence);
            let spoken = spoken.with_context(|| format!("cannot speak {:?}", sentence.text()))?;
            if !sounds.is_empty() {
                sounds.push(Pcm::silence(GAP));
            }
            sounds.push(spoken);
        }
    }
    let pcm = Pcm::join(&sounds);
    if let Some(out) = &args.out {
        std::fs::write(out, wav_bytes(&pcm))
            .with_context(|| format!("cannot write {}", out.display()))?;
    }
    match args.device {
        Some(device) => play(&device, &pcm),
        None => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn play(device: &str, pcm: &Pcm) -> anyhow::Result<()> {
    let mut alsa = crate::output::alsa::Alsa::new(device, crate::voice::RATE);
    alsa.write(pcm.samples())?;
    alsa.drain()?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn play(_: &str, _: &Pcm) -> anyhow::Result<()> {
    anyhow::bail!("this system has no ALSA: expected Linux")
}
