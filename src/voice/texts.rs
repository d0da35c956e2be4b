//! Sentences of an announcement: templates by language, filled with readings.
//!
//! A sentence is made of pieces with names, so that recordings can take the place of any of them.

use super::announcement_queue::Announcement;
use super::reading;
use crate::config::{SpeechConfig, VoiceDetail, VoiceLanguage};
use crate::model::{CallKind, Name, QueueId};

/// One sentence to be spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    pub lang: VoiceLanguage,
    /// Its name, for a recording of the whole: `call-A042-3`.
    pub name: String,
    /// Its parts in order.
    pub pieces: Vec<Piece>,
}

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its name, for a recording: `ticket-A042`, `counter-3`, `call-1`.
    pub name: String,
    pub text: String,
}

impl Sentence {
    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        self.pieces.iter().map(|p| p.text.as_str()).collect()
    }
}

/// The built-in texts of a language.
struct Texts {
    call: &'static str,
    short: &'static str,
    recall: &'static str,
    fast: &'static str,
}

fn texts(lang: VoiceLanguage) -> Texts {
    match lang {
        VoiceLanguage::Ja => Texts {
            call: "受付番号、{ticket}のかた、{counter}へお越しください。",
            short: "{ticket}のかた、{counter}へ。",
            recall: "繰り返しご案内します。",
            fast: "ファストレーンのご案内です。",
        },
        VoiceLanguage::En => Texts {
            call: "Number {ticket}, please come to {counter}.",
            short: "{ticket}, {counter}.",
            recall: "We repeat this call.",
            fast: "Fast lane.",
        },
        VoiceLanguage::Zh => Texts {
            call: "请{ticket}号，到{counter}。",
            short: "{ticket}号，{counter}。",
            recall: "再次通知。",
            fast: "快速通道。",
        },
        VoiceLanguage::Ko => Texts {
            call: "{ticket}번 고객님, {counter}로 와 주십시오.",
            short: "{ticket}번, {counter}.",
            recall: "다시 안내해 드립니다.",
            fast: "패스트 레인입니다.",
        },
        VoiceLanguage::Vi => Texts {
            call: "Mời số {ticket}, đến {counter}.",
            short: "Số {ticket}, {counter}.",
            recall: "Xin nhắc lại.",
            fast: "Làn nhanh.",
        },
        VoiceLanguage::Pt => Texts {
            call: "Senha {ticket}, por favor, {counter}.",
            short: "Senha {ticket}, {counter}.",
            recall: "Repetimos a chamada.",
            fast: "Fila rápida.",
        },
    }
}

/// What an announcement says of a call.
#[derive(Debug, Clone, Copy)]
pub struct CallDetails<'a> {
    pub ticket: &'a str,
    /// Counters to go to; empty is unknown.
    pub counters: &'a [&'a str],
    pub queue: &'a QueueId,
    pub queue_name: &'a Name,
    /// Whether the call is made again.
    pub recall: bool,
    /// Whether the queue is a fast lane.
    pub fast: bool,
    /// Whether the short form is used.
    pub short: bool,
}

/// The sentences of an announcement, language by language; none where only the chime is heard.
#[must_use]
pub fn sentences(
    announcement: &Announcement,
    queue_name: &Name,
    config: &SpeechConfig,
) -> Vec<Sentence> {
    let Some(first) = announcement.calls.first() else {
        return Vec::new();
    };
    let short = match announcement.detail {
        VoiceDetail::Off | VoiceDetail::Chime => return Vec::new(),
        VoiceDetail::Short => true,
        VoiceDetail::Full => false,
    };
    let counters: Vec<&str> = announcement
        .calls
        .iter()
        .filter_map(|c| c.call.counter.as_ref().map(|c| c.as_str()))
        .collect();
    let wanted = CallDetails {
        ticket: first.call.ticket.as_str(),
        counters: &counters,
        queue: &first.queue,
        queue_name,
        recall: first.call.kind == CallKind::Recall,
        fast: announcement.fast,
        short,
    };
    let languages = if short { 1 } else { config.languages.len() };
    let languages = config.languages.iter().take(languages);
    languages
        .flat_map(|lang| call_sentences(&wanted, *lang, config))
        .collect()
}

/// What is said of a call in one language.
#[must_use]
pub fn call_sentences(
    wanted: &CallDetails<'_>,
    lang: VoiceLanguage,
    config: &SpeechConfig,
) -> Vec<Sentence> {
    let own = config.texts.get(&lang).cloned().unwrap_or_default();
    let built_in = texts(lang);
    let mut sentences = Vec::new();
    let mut before = |name: &str, own: Option<String>, text: &str| {
        sentences.push(Sentence {
            lang,
            name: name.to_owned(),
            pieces: vec![Piece {
                name: name.to_owned(),
                text: own.unwrap_or_else(|| text.to_owned()),
            }],
        });
    };
    if wanted.recall && !wanted.short {
        before("recall", own.recall, built_in.recall);
    }
    if wanted.fast && !wanted.short {
        before("fast", own.fast, built_in.fast);
    }
    let (name, template) = if wanted.short {
        ("short", own.short.unwrap_or(built_in.short.to_owned()))
    } else {
        ("call", own.call.unwrap_or(built_in.call.to_owned()))
    };
    sentences.push(fill_template(name, &template, wanted, lang, config));
    sentences
}

fn fill_template(
    name: &str,
    template: &str,
    wanted: &CallDetails<'_>,
    lang: VoiceLanguage,
    config: &SpeechConfig,
) -> Sentence {
    let readings = config.readings;
    let mut pieces = Vec::new();
    let mut fixed = 0;
    let mut rest = template;
    while !rest.is_empty() {
        let next = ["{ticket}", "{counter}", "{queue}"]
            .iter()
            .filter_map(|place| rest.find(place).map(|at| (at, *place)))
            .min();
        let (before, place) = next.map_or((rest, ""), |(at, place)| (&rest[..at], place));
        if !before.is_empty() {
            fixed += 1;
            pieces.push(Piece {
                name: format!("{name}-{fixed}"),
                text: before.to_owned(),
            });
        }
        rest = &rest[before.len() + place.len()..];
        match place {
            "{ticket}" => pieces.push(Piece {
                name: format!("ticket-{}", in_name(wanted.ticket)),
                text: reading::ticket(wanted.ticket, lang, readings),
            }),
            "{counter}" if wanted.counters.is_empty() => pieces.push(Piece {
                name: "counter".to_owned(),
                text: reading::counter(None, lang, readings),
            }),
            "{counter}" => {
                for (i, counter) in wanted.counters.iter().enumerate() {
                    if i > 0 {
                        pieces.push(Piece {
                            name: "or".to_owned(),
                            text: reading::or(lang).to_owned(),
                        });
                    }
                    pieces.push(Piece {
                        name: format!("counter-{}", in_name(counter)),
                        text: reading::counter(Some(counter), lang, readings),
                    });
                }
            }
            "{queue}" => pieces.push(Piece {
                name: format!("queue-{}", wanted.queue),
                text: wanted.queue_name.best(lang.tag()).to_owned(),
            }),
            _ => {}
        }
    }
    let mut whole = format!("{name}-{}", in_name(wanted.ticket));
    for counter in wanted.counters {
        whole = format!("{whole}-{}", in_name(counter));
    }
    Sentence {
        lang,
        name: whole,
        pieces,
    }
}

/// A label as a part of a file's name: what is neither letter nor digit becomes `_`.
fn in_name(label: &str) -> String {
    let usual = |c: char| if c.is_alphanumeric() { c } else { '_' };
    label.chars().map(usual).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::VoiceTexts;

    fn wanted<'a>(ticket: &'a str, counters: &'a [&'a str], queue: &'a QueueId) -> CallDetails<'a> {
        static NAME: std::sync::LazyLock<Name> =
            std::sync::LazyLock::new(|| Name::new([("ja", "証明書"), ("en", "Certificates")]));
        CallDetails {
            ticket,
            counters,
            queue,
            queue_name: &NAME,
            recall: false,
            fast: false,
            short: false,
        }
    }

    fn said(wanted: &CallDetails<'_>, lang: VoiceLanguage, config: &SpeechConfig) -> String {
        let all = call_sentences(wanted, lang, config);
        all.iter().map(Sentence::text).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn every_language_says_who_and_where() {
        let queue = QueueId::new("certificates").unwrap();
        let config = SpeechConfig::default();
        let call = wanted("A042", &["3"], &queue);
        for (lang, text) in [
            (
                VoiceLanguage::Ja,
                "受付番号、エー、42番のかた、3番窓口へお越しください。",
            ),
            (VoiceLanguage::En, "Number A-42, please come to counter 3."),
            (VoiceLanguage::Zh, "请诶 42号，到3号窗口。"),
            (VoiceLanguage::Ko, "A-42번 고객님, 3번 창구로 와 주십시오."),
            (VoiceLanguage::Vi, "Mời số A-42, đến quầy số 3."),
            (VoiceLanguage::Pt, "Senha A-42, por favor, guichê 3."),
        ] {
            assert_eq!(said(&call, lang, &config), text);
        }
    }

    #[test]
    fn recall_fast_lane_and_haste_change_what_is_said() {
        let queue = QueueId::new("moving-fast").unwrap();
        let config = SpeechConfig::default();
        let mut call = wanted("F7", &["3", "5"], &queue);
        (call.recall, call.fast) = (true, true);
        assert_eq!(
            said(&call, VoiceLanguage::Ja, &config),
            "繰り返しご案内します。|ファストレーンのご案内です。|\
             受付番号、エフ、7番のかた、3番窓口、または5番窓口へお越しください。"
        );
        call.short = true;
        let short = "エフ、7番のかた、3番窓口、または5番窓口へ。";
        assert_eq!(said(&call, VoiceLanguage::Ja, &config), short);
        call.counters = &[];
        let nowhere = "エフ、7番のかた、窓口へ。";
        assert_eq!(said(&call, VoiceLanguage::Ja, &config), nowhere);
    }

    #[test]
    fn own_texts_take_the_place_of_the_built_in_ones_and_pieces_have_names() {
        let queue = QueueId::new("certificates").unwrap();
        let texts = VoiceTexts {
            call: Some("{queue}の{ticket}のおきゃくさま".into()),
            recall: Some("もう一度。".into()),
            ..VoiceTexts::default()
        };
        let mut config = SpeechConfig::default();
        config.texts.insert(VoiceLanguage::Ja, texts);
        let mut call = wanted("A/042", &["3", "総合案内"], &queue);
        call.recall = true;
        let all = call_sentences(&call, VoiceLanguage::Ja, &config);
        assert_eq!(all[0].text(), "もう一度。");
        assert_eq!(all[1].name, "call-A_042-3-総合案内");
        let names: Vec<&str> = all[1].pieces.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(
            names,
            ["queue-certificates", "call-1", "ticket-A_042", "call-2"]
        );
    }
}
