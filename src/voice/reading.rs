//! How labels and counters are read aloud, by language.
//!
//! A label is letters and digits; what else stands in it is a pause. `A042` is read as a number
//! (A, forty-two) or digit by digit (A, zero, four, two).

use crate::config::{Readings, VoiceLanguage, Zero};

/// Numbers of more digits are read digit by digit: no ticket counts that far.
const LONGEST_NUMBER: usize = 4;

/// 110番 calls the police and is read as no other number, ひゃくとおばん.
const EMERGENCY: u32 = 110;

/// A run of one kind in a label.
#[derive(Debug, PartialEq, Eq)]
enum Run {
    Letters(String),
    Digits(String),
    /// Other writing, read as it stands.
    Other(String),
}

/// Splits a label; full-width forms are made narrow, letters large.
fn runs(label: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut joined = false;
    for c in label.chars() {
        let c = match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            _ => c,
        };
        let c = c.to_ascii_uppercase();
        if !c.is_alphanumeric() {
            joined = false;
            continue;
        }
        match runs.last_mut().filter(|_| joined) {
            Some(Run::Letters(run)) if c.is_ascii_uppercase() => run.push(c),
            Some(Run::Digits(run)) if c.is_ascii_digit() => run.push(c),
            Some(Run::Other(run)) if !c.is_ascii() => run.push(c),
            _ if c.is_ascii_uppercase() => runs.push(Run::Letters(c.into())),
            _ if c.is_ascii_digit() => runs.push(Run::Digits(c.into())),
            _ => runs.push(Run::Other(c.into())),
        }
        joined = true;
    }
    runs
}

/// A label without the word for it that it ends with, which is said in any case: `42番`, `3番窓口`.
fn without_word<'a>(label: &'a str, words: &[&str]) -> &'a str {
    words
        .iter()
        .find_map(|word| label.strip_suffix(word))
        .filter(|rest| {
            rest.ends_with(|c: char| {
                c.is_ascii_alphanumeric() || matches!(c, '\u{ff01}'..='\u{ff5e}')
            })
        })
        .unwrap_or(label)
}

/// How a ticket's label is said.
pub(super) fn ticket(label: &str, lang: VoiceLanguage, readings: Readings) -> String {
    let runs = runs(without_word(label, &["番", "号"]));
    if lang == VoiceLanguage::Ja {
        let ends_with_digits = matches!(runs.last(), Some(Run::Digits(_)));
        let said = japanese(&runs, readings);
        return if ends_with_digits { said + "番" } else { said };
    }
    foreign(&runs, lang, readings)
}

/// How a counter is said; `None` is a counter that is not known.
pub(super) fn counter(label: Option<&str>, lang: VoiceLanguage, readings: Readings) -> String {
    use VoiceLanguage::{En, Ja, Ko, Pt, Vi, Zh};
    let Some(label) = label else {
        return match lang {
            Ja => "窓口",
            En => "the counter",
            Zh => "窗口",
            Ko => "창구",
            Vi => "quầy",
            Pt => "guichê",
        }
        .to_owned();
    };
    let words = ["番窓口", "号窓口", "番", "号", "窓口"];
    let runs = runs(without_word(label, &words));
    // Counters are few and have numbers, never digits.
    let readings = Readings {
        digit_by_digit: false,
        ..readings
    };
    let digits = matches!(runs.last(), Some(Run::Digits(_)));
    if lang == Ja {
        let said = japanese(&runs, readings);
        return match runs.last() {
            Some(Run::Digits(_)) => said + "番窓口",
            // 総合案内 is a counter of its own name.
            Some(Run::Other(_)) => said,
            _ => said + "窓口",
        };
    }
    let said = foreign(&runs, lang, readings);
    match (lang, digits) {
        (En, _) => format!("counter {said}"),
        (Zh, true) => format!("{said}号窗口"),
        (Zh, false) => format!("{said}窗口"),
        (Ko, true) => format!("{said}번 창구"),
        (Ko, false) => format!("{said} 창구"),
        (Vi, true) => format!("quầy số {said}"),
        (Vi, false) => format!("quầy {said}"),
        (Pt | Ja, _) => format!("guichê {said}"),
    }
}

/// Joins two ways to go: "3番窓口、または5番窓口".
pub(super) fn or(lang: VoiceLanguage) -> &'static str {
    match lang {
        VoiceLanguage::Ja => "、または",
        VoiceLanguage::En => " or ",
        VoiceLanguage::Zh => "或",
        VoiceLanguage::Ko => " 또는 ",
        VoiceLanguage::Vi => " hoặc ",
        VoiceLanguage::Pt => " ou ",
    }
}

fn japanese(runs: &[Run], readings: Readings) -> String {
    let run = |run: &Run| match run {
        Run::Letters(letters) => letters.chars().map(japanese_letter).collect(),
        Run::Digits(digits) if readings.digit_by_digit || digits.len() > LONGEST_NUMBER => {
            let digit = |c: char| japanese_digit(c, readings);
            digits.chars().map(digit).collect::<Vec<_>>().join("、")
        }
        Run::Digits(digits) => japanese_number(digits.parse().unwrap_or(0), readings),
        Run::Other(text) => text.clone(),
    };
    runs.iter().map(run).collect::<Vec<_>>().join("、")
}

/// The names of letters as they are taught, so that B and D are told apart. シー alone would be read
/// as スィー.
fn japanese_letter(letter: char) -> &'static str {
    const NAMES: [&str; 26] = [
        "エー",
        "ビー",
        "しー",
        "ディー",
        "イー",
        "エフ",
        "ジー",
        "エイチ",
        "アイ",
        "ジェー",
        "ケー",
        "エル",
        "エム",
        "エヌ",
        "オー",
        "ピー",
        "キュー",
        "アール",
        "エス",
        "ティー",
        "ユー",
        "ブイ",
        "ダブリュー",
        "エックス",
        "ワイ",
        "ゼット",
    ];
    let place = u32::from(letter).wrapping_sub(u32::from('A'));
    usize::try_from(place)
        .ok()
        .and_then(|place| NAMES.get(place))
        .unwrap_or(&"")
}

fn japanese_digit(digit: char, readings: Readings) -> &'static str {
    match digit {
        '1' => "いち",
        '2' => "に",
        '3' => "さん",
        '4' if readings.shi => "し",
        '4' => "よん",
        '5' => "ご",
        '6' => "ろく",
        '7' if readings.shichi => "しち",
        '7' => "なな",
        '8' => "はち",
        '9' => "きゅう",
        _ => zero(readings),
    }
}

fn zero(readings: Readings) -> &'static str {
    match readings.zero {
        Zero::Zero => "ゼロ",
        Zero::Rei => "れい",
        Zero::Maru => "まる",
    }
}

/// A number up to 9999. The dictionary knows the melody of figures, so these are left to it where
/// it reads them as wanted; only the other readings of 0, 4 and 7 are spelt.
fn japanese_number(number: u32, readings: Readings) -> String {
    if number == 0 {
        return zero(readings).to_owned();
    }
    let ones = number % 10;
    let other = matches!(ones, 4 if readings.shi) || matches!(ones, 7 if readings.shichi);
    if number == EMERGENCY {
        return japanese_kana(number);
    }
    if !other {
        return number.to_string();
    }
    let tens = number - ones;
    let ones = if ones == 4 { "し" } else { "しち" };
    match tens {
        0 => ones.to_owned(),
        tens => format!("{}{ones}", japanese_kana(tens)),
    }
}

/// Thousands, hundreds and tens in kana, with their changes of sound.
fn japanese_kana(number: u32) -> String {
    const TENS: [&str; 10] = [
        "",
        "",
        "に",
        "さん",
        "よん",
        "ご",
        "ろく",
        "なな",
        "はち",
        "きゅう",
    ];
    let mut said = String::new();
    match number / 1000 % 10 {
        0 => {}
        1 => said += "せん",
        3 => said += "さんぜん",
        8 => said += "はっせん",
        n => said += &format!("{}せん", TENS[n as usize]),
    }
    match number / 100 % 10 {
        0 => {}
        1 => said += "ひゃく",
        3 => said += "さんびゃく",
        6 => said += "ろっぴゃく",
        8 => said += "はっぴゃく",
        n => said += &format!("{}ひゃく", TENS[n as usize]),
    }
    match number / 10 % 10 {
        0 => {}
        1 => said += "じゅう",
        n => said += &format!("{}じゅう", TENS[n as usize]),
    }
    said
}

fn foreign(runs: &[Run], lang: VoiceLanguage, readings: Readings) -> String {
    let run = |run: &Run| match run {
        Run::Letters(letters) if lang == VoiceLanguage::Zh => {
            letters.chars().map(chinese_letter).collect()
        }
        Run::Letters(letters) => letters.clone(),
        Run::Digits(digits) if readings.digit_by_digit || digits.len() > LONGEST_NUMBER => {
            let digits: Vec<String> = digits.chars().map(String::from).collect();
            digits.join(" ")
        }
        Run::Digits(digits) => digits.parse().unwrap_or(0_u32).to_string(),
        Run::Other(text) => text.clone(),
    };
    // Before a hyphen an English A is the letter, not the article.
    let between = match lang {
        VoiceLanguage::Zh => " ",
        _ => "-",
    };
    runs.iter().map(run).collect::<Vec<_>>().join(between)
}

/// Syllables that sound as the letters are called in China.
fn chinese_letter(letter: char) -> &'static str {
    const NAMES: [&str; 26] = [
        "诶",
        "必",
        "西",
        "弟",
        "伊",
        "艾弗",
        "吉",
        "艾尺",
        "爱",
        "杰",
        "开",
        "艾勒",
        "艾姆",
        "恩",
        "欧",
        "批",
        "丘",
        "阿尔",
        "艾丝",
        "提",
        "优",
        "维",
        "达不溜",
        "艾克斯",
        "歪",
        "贼德",
    ];
    let place = u32::from(letter).wrapping_sub(u32::from('A'));
    usize::try_from(place)
        .ok()
        .and_then(|place| NAMES.get(place))
        .unwrap_or(&"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use VoiceLanguage::{En, Ja, Ko, Pt, Vi, Zh};

    fn said(label: &str, lang: VoiceLanguage) -> String {
        ticket(label, lang, Readings::default())
    }

    #[test]
    fn labels_are_read_as_numbers() {
        for (label, ja, en) in [
            ("A042", "エー、42番", "A-42"),
            ("Ａ０４２", "エー、42番", "A-42"),
            ("b-007", "ビー、7番", "B-7"),
            ("300", "300番", "300"),
            ("A110", "エー、ひゃくじゅう番", "A-110"),
            ("000", "ゼロ番", "0"),
            ("DF9", "ディーエフ、9番", "DF-9"),
            ("さくら12", "さくら、12番", "さくら-12"),
            ("42番", "42番", "42"),
            ("Ａ０４２番", "エー、42番", "A-42"),
            ("X", "エックス", "X"),
            ("12345", "いち、に、さん、よん、ご番", "1 2 3 4 5"),
        ] {
            assert_eq!(said(label, Ja), ja, "{label}");
            assert_eq!(said(label, En), en, "{label}");
        }
        assert_eq!(said("A042", Zh), "诶 42");
        assert_eq!(said("A042", Ko), "A-42");
        assert_eq!(said("--", Ja), "");
    }

    #[test]
    fn labels_are_read_digit_by_digit_when_asked() {
        let single = Readings {
            digit_by_digit: true,
            ..Readings::default()
        };
        assert_eq!(ticket("A047", Ja, single), "エー、ゼロ、よん、なな番");
        assert_eq!(ticket("A047", En, single), "A-0 4 7");
        let other = Readings {
            digit_by_digit: true,
            shi: true,
            shichi: true,
            zero: Zero::Maru,
        };
        assert_eq!(ticket("A047", Ja, other), "エー、まる、し、しち番");
        // A counter has a number.
        assert_eq!(counter(Some("12"), Ja, single), "12番窓口");
    }

    #[test]
    fn other_readings_of_four_seven_and_zero_are_spelt_and_the_rest_is_left() {
        let other = Readings {
            digit_by_digit: false,
            shi: true,
            shichi: true,
            zero: Zero::Rei,
        };
        for (label, ja) in [
            ("4", "し番"),
            ("14", "じゅうし番"),
            ("347", "さんびゃくよんじゅうしち番"),
            ("807", "はっぴゃくしち番"),
            ("694", "ろっぴゃくきゅうじゅうし番"),
            ("3004", "さんぜんし番"),
            ("8864", "はっせんはっぴゃくろくじゅうし番"),
            ("40", "40番"),
            ("000", "れい番"),
        ] {
            assert_eq!(ticket(label, Ja, other), ja, "{label}");
        }
    }

    #[test]
    fn counters_are_named_as_people_name_them() {
        let all = [Ja, En, Zh, Ko, Vi, Pt];
        let said = |label: Option<&str>| all.map(|lang| counter(label, lang, Readings::default()));
        assert_eq!(
            said(Some("3")),
            [
                "3番窓口",
                "counter 3",
                "3号窗口",
                "3번 창구",
                "quầy số 3",
                "guichê 3"
            ]
        );
        for same in ["3番", "3番窓口", "3号窓口", "3窓口"] {
            assert_eq!(said(Some(same)), said(Some("3")), "{same}");
        }
        assert_eq!(said(Some("B"))[0], "ビー窓口");
        assert_eq!(said(Some("B"))[1], "counter B");
        assert_eq!(said(Some("総合案内"))[0], "総合案内");
        assert_eq!(said(None)[0], "窓口");
    }
}
