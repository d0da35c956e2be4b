//! An announcement to sound: the chime first, so that it is heard while the sentences are made.

use super::announcement_queue::Announcement;
use super::chime::chime;
use super::sound::Pcm;
use super::speech::{Speech, SpeechError};
use super::{GAP, texts};
use crate::config::SpeechConfig;
use crate::model::Name;

/// Hands the sounds of an announcement to `play`, each as soon as it is made; a sentence brings the
/// pause before it. Without any sentence, the chime is heard whether or not it is wanted. Ends early
/// when `play` says `false`.
///
/// # Errors
/// [`SpeechError`] when not all was spoken; the rest was.
pub fn announce(
    announcement: &Announcement,
    queue_name: &Name,
    config: &SpeechConfig,
    with_chime: bool,
    speech: &mut Speech,
    mut play: impl FnMut(Pcm) -> bool,
) -> Result<(), SpeechError> {
    let sentences = texts::sentences(announcement, queue_name, config);
    let mut silent = true;
    let mut result = Ok(());
    if with_chime || sentences.is_empty() {
        silent = false;
        if !play(chime()) {
            return result;
        }
    }
    for sentence in &sentences {
        match speech.say(sentence) {
            Ok(pcm) => {
                silent = false;
                if !play(Pcm::join(&[Pcm::silence(GAP), pcm])) {
                    return result;
                }
            }
            Err(e) => result = Err(e),
        }
    }
    if silent {
        play(chime());
    }
    result
}
