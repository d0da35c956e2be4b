//! How long a sentence takes to be made.

use crate::alone::alone;
use crate::support::dictionary::dictionary;
use std::fs;
use std::time::Duration;
use yobiban::config::{SpeechConfig, VoiceLanguage};
use yobiban::model::{Name, QueueId};
use yobiban::voice::Speech;
use yobiban::voice::texts::{CallDetails, call_sentences};

/// Processor time of this thread.
fn busy() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn a_call_in_japanese_is_made_in_time() {
    let _alone = alone();
    let Some(dictionary) = dictionary() else {
        return;
    };
    let config = SpeechConfig {
        dictionary,
        ..SpeechConfig::default()
    };
    let mut speech = Speech::open(&config);
    assert_eq!(speech.trouble(), None);
    let (queue, name) = (QueueId::new("q").unwrap(), Name::new([("ja", "証明書")]));
    let mut times = Vec::new();
    for i in 0..60_u32 {
        let letter = b"ABCDEF"[i as usize % 6] as char;
        let ticket = format!("{letter}{:03}", i * 17 % 999 + 1);
        let counter = (i % 20 + 1).to_string();
        let wanted = CallDetails {
            ticket: &ticket,
            counters: &[&counter],
            queue: &queue,
            queue_name: &name,
            recall: false,
            fast: false,
            short: false,
        };
        let all = call_sentences(&wanted, VoiceLanguage::Ja, &config);
        let begin = busy();
        speech.say(&all[0]).unwrap();
        times.push(busy().saturating_sub(begin));
    }
    times.sort();
    println!(
        "a call in Japanese: median {:?}, longest {:?} of processor time",
        times[30], times[59]
    );
    assert!(times[30] <= Duration::from_millis(200), "{times:?}");
}
