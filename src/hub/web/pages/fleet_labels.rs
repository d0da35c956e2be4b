//! The words of the page of all nodes, in Japanese and English: its readers run the machines, and
//! are not the city's visitors.

use crate::model::NodeId;
use crate::wire::report::OutputState;

/// All words in one language.
pub(super) struct Labels {
    japanese: bool,
    pub(super) title: &'static str,
    pub(super) nodes: &'static str,
    pub(super) none: &'static str,
    pub(super) offline: &'static str,
    pub(super) needs_attention: &'static str,
    pub(super) healthy: &'static str,
    pub(super) versions: &'static str,
    pub(super) version: &'static str,
    pub(super) last_report: &'static str,
    pub(super) never: &'static str,
    pub(super) picture: &'static str,
    pub(super) uptime: &'static str,
    pub(super) clock: &'static str,
    pub(super) synchronised: &'static str,
    pub(super) unknown: &'static str,
    pub(super) model: &'static str,
    pub(super) temperature: &'static str,
    pub(super) throttled: &'static str,
    pub(super) undervoltage: &'static str,
    pub(super) memory: &'static str,
    pub(super) disk_free: &'static str,
    pub(super) disk_written: &'static str,
    pub(super) disk_worn: &'static str,
    pub(super) shared: &'static str,
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
}

static JA: Labels = Labels {
    japanese: true,
    title: "端末の一覧",
    nodes: "台",
    none: "まだどの端末からも報告がありません。",
    offline: "応答なし",
    needs_attention: "要確認",
    healthy: "正常",
    versions: "バージョン",
    version: "バージョン",
    last_report: "最終報告",
    never: "まだありません",
    picture: "最後の画面",
    uptime: "稼働",
    clock: "時計",
    synchronised: "合っています",
    unknown: "不明",
    model: "機種",
    temperature: "温度",
    throttled: "速度低下",
    undervoltage: "電圧低下",
    memory: "メモリの空き",
    disk_free: "保存領域の空き",
    disk_written: "書き込みの累計",
    disk_worn: "記憶媒体の消耗",
    shared: "同じ設定（区役所・端末ID）の端末が2台動いています。一方の電源を切るか、別の端末IDを設定してください。",
    yes: "あり",
    no: "なし",
};

static EN: Labels = Labels {
    japanese: false,
    title: "All nodes",
    nodes: "nodes",
    none: "No node has reported yet.",
    offline: "offline",
    needs_attention: "needs attention",
    healthy: "OK",
    versions: "versions",
    version: "Version",
    last_report: "Last report",
    never: "none yet",
    picture: "last picture",
    uptime: "Uptime",
    clock: "Clock",
    synchronised: "synchronised",
    unknown: "unknown",
    model: "Model",
    temperature: "Temperature",
    throttled: "Throttled",
    undervoltage: "Undervoltage",
    memory: "Free memory",
    disk_free: "Free storage",
    disk_written: "Written in total",
    disk_worn: "Storage wear",
    shared: "Two machines report under this identity. Switch one off, or give it another node id.",
    yes: "yes",
    no: "no",
};

/// The words for a reader of this language.
pub(super) fn of(tag: &str) -> &'static Labels {
    if tag == "ja" || tag.starts_with("ja-") {
        &JA
    } else {
        &EN
    }
}

impl Labels {
    /// A time of some seconds, in its two largest units.
    pub(super) fn span(&self, seconds: i64) -> String {
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match (self.japanese, days, hours) {
            (true, 0, 0) => format!("{minutes}分"),
            (true, 0, _) => format!("{hours}時間{minutes}分"),
            (true, ..) => format!("{days}日{hours}時間"),
            (false, 0, 0) => format!("{minutes} min"),
            (false, 0, _) => format!("{hours} h {minutes} min"),
            (false, ..) => format!("{days} d {hours} h"),
        }
    }

    /// How long ago something was; nothing while it is fresh.
    pub(super) fn ago(&self, seconds: i64) -> String {
        match (seconds, self.japanese) {
            (..60, _) => String::new(),
            (_, true) => format!("（{}前）", self.span(seconds)),
            (_, false) => format!("({} ago)", self.span(seconds)),
        }
    }

    /// From when on something is so.
    pub(super) fn since(&self, time: &str) -> String {
        if self.japanese {
            format!("{time} から")
        } else {
            format!("since {time}")
        }
    }

    /// Whether people can see a board.
    pub(super) fn output(&self, state: OutputState) -> &'static str {
        match (state, self.japanese) {
            (OutputState::Shown, true) => "表示中",
            (OutputState::Dark, true) => "時間外で消灯",
            (OutputState::Disconnected, true) => "未接続または電源切",
            (OutputState::Lost, true) => "表示できません",
            (OutputState::Stale, true) => "画面が止まっています",
            (OutputState::Unknown, true) => "不明",
            (OutputState::Disconnected, false) => "disconnected or switched off",
            (OutputState::Stale, false) => "not updated",
            (state, false) => state.as_str(),
        }
    }

    /// That the clock of a node is so many seconds ahead of the hub's; negative: behind, or its
    /// reports are that long on their way.
    pub(super) fn clock_off(&self, ahead: i64, office: &str, node: &NodeId) -> String {
        let span = self.span(ahead.abs());
        match (self.japanese, ahead > 0) {
            (true, true) => format!(
                "{office}の端末 {node} の時計が{span}進んでいます。番号を受け付けていません。"
            ),
            (true, false) => format!(
                "{office}の端末 {node} の時計が{span}遅れているか、報告の到着が遅れています。"
            ),
            (false, true) => format!(
                "The clock of node {node} of {office} is {span} ahead. Its numbers are rejected."
            ),
            (false, false) => format!(
                "The clock of node {node} of {office} is {span} behind, or its reports arrive that late."
            ),
        }
    }

    /// What an issue means; nothing for kinds of later versions, and where the node's own text says
    /// it in the reader's language.
    pub(super) fn issue(&self, kind: &str) -> &'static str {
        if !self.japanese {
            return "";
        }
        match kind {
            "feed-down" => "発券システムのサーバーにつながりません",
            "uplink-down" => "ハブのサーバーにつながりません",
            "identity-shared" => "同じ設定の端末が2台動いています",
            "source-silent" => "発券システムから番号が届いていません",
            "messages-rejected" => "読めない番号データが届きました",
            "calls-missed" => "届かなかった呼び出しがあります",
            "source-reset-undeclared" => "発券システムの番号が数え直されました",
            "source-clock" => "発券システムの時計が合っていません",
            "clock-unsynchronized" => "時計が合っていません",
            "output-failed" => "表示盤に表示できません",
            "text-undrawable" => "表示盤に表示できない文字があります",
            "camera-unavailable" => "カメラから画像が届きません",
            "camera-frozen" => "カメラの画像が止まっています",
            "camera-moved" => "カメラの位置がずれました",
            "audio-unavailable" => "音声が出ません",
            "speech-degraded" => "一部の音声が出ません",
            "spool-nearly-full" => "送れない呼び出しがたまっています",
            "calls-dropped" => "送れない呼び出しを捨てました",
            "storage-failed" => "保存できません",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::IssueKind;

    #[test]
    fn every_kind_of_issue_has_words_in_japanese() {
        for kind in IssueKind::ALL {
            assert_ne!(of("ja").issue(kind.as_str()), "", "{kind}");
        }
        assert_eq!(of("ja-x-easy").title, of("ja").title);
    }

    #[test]
    fn spans_are_told_in_two_units() {
        let spans = [0, 3599, 3600, 90_000, 864_000].map(|s| of("en").span(s));
        assert_eq!(
            spans,
            ["0 min", "59 min", "1 h 0 min", "1 d 1 h", "10 d 0 h"]
        );
        assert_eq!(
            (of("en").ago(59), of("ja").ago(7260)),
            (String::new(), "（2時間1分前）".into())
        );
    }
}
