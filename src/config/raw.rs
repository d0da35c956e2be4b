//! What the user typed: one struct a table, every key known, nothing checked yet but its type.
//!
//! Every field is optional here, so that a missing one is answered as carefully as a wrong one.
//! Defaults and limits are stated with each key and applied by the modules beside this one; the
//! commented examples (`yobiban config node`, `yobiban config hub`) hold every key, and a test
//! fails when one is left out. An unknown key is an error that names its neighbours.
//!
//! Long because it is one list, to be read beside the documentation of the keys.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// Declares raw tables: `Deserialize` refuses unknown keys, and tests can write them back.
macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident { $($(#[$key_doc:meta])* $key:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        #[cfg_attr(test, derive(serde::Serialize))]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $($(#[$key_doc])* pub(super) $key: Option<$type>,)*
        }
    )*};
}

tables! {
    /// A node's file.
    RawNode {
        /// The office it stands in.
        office: RawOffice,
        /// The box itself.
        node: RawBox,
        /// The broker of the feed.
        mqtt: RawMqtt,
        /// The broker of the reports; absent is the one of the feed.
        uplink: RawMqtt,
        /// How old numbers may be.
        feed: RawFeed,
        /// Where state is kept.
        store: RawNodeStore,
        /// The queues in the order of the board, 1 to 64.
        queue: Vec<RawQueue>,
        /// The boards, at most 16.
        board: Vec<RawBoard>,
        /// Foreign systems, at most 16.
        adapter: Vec<RawAdapter>,
        /// Contacts that close with calls, at most 8.
        relay: Vec<RawRelay>,
        /// Cameras that read old boards, at most 4.
        camera: Vec<RawCamera>,
        /// Videos of its boards, at most 2.
        stream: Vec<RawBoardStream>,
        /// Calls that are heard. Default: none.
        voice: RawVoice,
        /// The wireless network of a box made from the image. Default: none.
        wifi: RawWifi,
        /// The address of such a box. Default: what the network gives it.
        network: RawNetwork,
        /// Who may log in to such a box. Default: nobody.
        ssh: RawSsh,
        /// Where such a box gets the time from.
        time: RawTime,
        /// Where such a box gets new versions from. Default: nowhere.
        update: RawUpdate,
        /// Texts of files that such a box keeps beside its configuration, by name, at most 16.
        files: BTreeMap<String, String>,
    }

    /// `[wifi]`
    RawWifi {
        /// Name of the network, 1 to 32 bytes; required.
        ssid: String,
        /// Its password, 8 to 63 characters. Default: an open network.
        password: String,
        /// Two letters whose rules for radio hold. Default `JP`.
        country: String,
        /// Whether the network does not say its name. Default `false`.
        hidden: bool,
    }

    /// `[network]`
    RawNetwork {
        /// Address with the length of the network's part, such as `192.0.2.20/24`.
        address: String,
        /// The way out.
        gateway: String,
        /// Name servers, at most 3.
        dns: Vec<String>,
    }

    /// `[ssh]`
    RawSsh {
        /// Public keys, at most 16; required.
        keys: Vec<String>,
    }

    /// `[time]`
    RawTime {
        /// Time servers, at most 4. Default `["ntp.nict.jp", "ntp.jst.mfeed.ad.jp"]`.
        servers: Vec<String>,
        /// A page whose `Date:` is believed to the second where no time server answers. Default
        /// none.
        http: String,
    }

    /// `[update]`
    RawUpdate {
        /// Address of the newest signed bundle; required.
        url: String,
    }

    /// `[voice]` of a node
    RawVoice {
        /// Where it is heard: `alsa`, `wav` or `none`; required.
        output: String,
        /// Device of `alsa`. Default `default`.
        device: String,
        /// Whether silence is sent between announcements, `alsa`. Default `false`.
        keep_open: bool,
        /// Folder of `wav`. Default `calls`.
        dir: String,
        /// Queues whose calls are heard. Default: all.
        queues: Vec<String>,
        /// Languages in their order, 1 to 3. Default `["ja"]`.
        languages: Vec<String>,
        /// Whether a chime comes first. Default `true`.
        chime: bool,
        /// Percent, 0 to 100. Default 80.
        volume: i64,
        /// Parts of the day with other rules, at most 12.
        hours: Vec<RawVoiceHours>,
        /// Shortest silence between two announcements, 200 ms to 1 min. Default 1 s.
        min_pause: DurationText,
        /// A call that waited this long gets the chime alone, half as long few words, 5 s to
        /// 10 min. Default 30 s.
        max_backlog: DurationText,
        /// How labels are read: `number` or `digit-by-digit`. Default `number`.
        digits: String,
        /// How single digits are read in Japanese.
        reading: RawReading,
        /// Percent of the usual speed, 70 to 150. Default 100.
        speed: i64,
        /// Folder of the dictionary. Default `/usr/share/yobiban/dictionary`.
        dictionary: String,
        /// Folder of recorded WAV files. Default none.
        recorded: String,
        /// Own texts by language.
        text: BTreeMap<String, RawVoiceText>,
    }

    /// `reading` of `[voice]`
    RawReading {
        /// 4 in Japanese: `yon` or `shi`. Default `yon`.
        four: String,
        /// 7 in Japanese: `nana` or `shichi`. Default `nana`.
        seven: String,
        /// 0 in Japanese: `zero`, `rei` or `maru`. Default `zero`.
        zero: String,
    }

    /// `[[voice.hours]]`
    RawVoiceHours {
        /// From when to when; required.
        times: Vec<String>,
        /// `full`, `short`, `chime` or `off`. Default `full`.
        detail: String,
        /// Percent, 0 to 100. Default: that of `[voice]`.
        volume: i64,
    }

    /// `[voice.text.LANGUAGE]`
    RawVoiceText {
        /// A call.
        call: String,
        /// A call in few words.
        short: String,
        /// Before a call that is made again.
        recall: String,
        /// Before a call of a fast lane.
        fast: String,
    }

    /// `[voice]` of a hub
    RawHubVoice {
        /// Languages in their order, 1 to 3. Default `["ja"]`.
        languages: Vec<String>,
        /// How labels are read: `number` or `digit-by-digit`. Default `number`.
        digits: String,
        /// How single digits are read in Japanese.
        reading: RawReading,
        /// Percent of the usual speed, 70 to 150. Default 100.
        speed: i64,
        /// Folder of the dictionary. Default `/usr/share/yobiban/dictionary`.
        dictionary: String,
        /// Folder of recorded WAV files. Default none.
        recorded: String,
        /// Own texts by language.
        text: BTreeMap<String, RawVoiceText>,
    }

    /// `[office]`
    RawOffice {
        /// Identifier; required.
        id: String,
        /// Name by language; required.
        name: NameTable,
        /// IANA time zone. Default `Asia/Tokyo`.
        timezone: String,
        /// When counters open and close. Default `["09:00", "17:00"]`.
        hours: Vec<String>,
        /// Address of the hub's page of this office, for boards that name none. Default none.
        page_url: String,
        /// Notices for boards that name none. Default none.
        notices: Vec<NameTable>,
    }

    /// `[node]`
    RawBox {
        /// Identifier; required.
        id: String,
    }

    /// `[mqtt]` and `[uplink]`
    RawMqtt {
        /// `mqtt://HOST[:1883]` or `mqtts://HOST[:8883]`; required.
        url: String,
        /// Root of all topics. Default `yobiban/v1`.
        root: String,
        /// Certificates of the authorities to trust, PEM. Default: those of the system.
        ca: String,
        /// Own certificate, PEM; needs `key`.
        cert: String,
        /// Own key, PEM; needs `cert`.
        key: String,
        /// User name.
        username: String,
        /// Password in the file itself; better one of the two below.
        password: String,
        /// File that holds the password.
        password_file: String,
        /// Name of the systemd credential that holds the password.
        password_credential: String,
        /// Client identifier. Default: made of office and node.
        client_id: String,
        /// Longest silence before a ping, 5 s to 1 h. Default 20 s.
        keep_alive: DurationText,
    }

    /// `[feed]`
    RawFeed {
        /// Numbers older than this are marked, 5 s to 1 day. Default 150 s.
        stale_after: DurationText,
        /// Numbers are marked this long after the line broke, 0 s to 1 h. Default 15 s.
        disconnect_grace: DurationText,
        /// Calls older than this when first seen do not stand out, 0 s to 1 day. Default 120 s.
        max_announce_age: DurationText,
    }

    /// `[store]` of a node
    RawNodeStore {
        /// Directory of the state and the spool. Default `/var/lib/yobiban`.
        dir: String,
    }

    /// `[[queue]]`
    RawQueue {
        /// Identifier; required.
        id: String,
        /// Name by language; required.
        name: NameTable,
        /// `standard` or `fast`. Default `standard`.
        lane: String,
        /// What its tickets look like, as a regular expression for the whole label. Default, for
        /// what an adapter reads: [`crate::model::STANDARD_PATTERN`].
        pattern: String,
    }

    /// `[[board]]`
    RawBoard {
        /// Identifier; required.
        id: String,
        /// Width and height in pixels. Default `[1920, 1080]`, on its side where `rotate` says so; of
        /// LED panels what they have.
        size: Vec<i64>,
        /// `dark`, `light`, `led`, or a file ending in `.toml`. Default `dark`, of LED panels `led`.
        layout: String,
        /// Queues to show, in order. Default: all of the office.
        queues: Vec<String>,
        /// Where the frame goes; required.
        output: RawOutput,
        /// From when to when it is lit. Default: always.
        lit_hours: Vec<String>,
        /// How calls are highlighted.
        calls: RawCalls,
        /// Lines of notice. Default: those of the office.
        notices: Vec<NameTable>,
        /// Address of the page. Default: that of the office.
        page_url: String,
    }

    /// `output` of a board
    RawOutput {
        /// `hdmi`, `max7219`, `hub75`, `serial`, `png`, `window` or `none`; required.
        kind: String,
        /// Picture file of kind `png`.
        path: String,
        /// `auto` or a connector's name, of kind `hdmi`. Default `auto`.
        connector: String,
        /// `preferred`, `WIDTHxHEIGHT` or `WIDTHxHEIGHT@RATE`, of kind `hdmi`. Default `preferred`.
        mode: String,
        /// 0, 90, 180 or 270, of kind `hdmi`. Default 0.
        rotate: i64,
        /// `black`, `dpms` or `cec`, of kind `hdmi`. Default `black`.
        standby: String,
        /// Device file or `tcp://HOST:PORT` of kind `serial`; required there.
        device: String,
        /// Bits a second of kind `serial`. Default 9600.
        baud: i64,
        /// Data bits, parity, stop bits of kind `serial`. Default `8N1`.
        framing: String,
        /// Who switches the direction of an RS-485 line: `adapter`, `rts` or `rts-inverted`.
        /// Default `adapter`.
        rs485: String,
        /// How frames of kind `serial` are made: `stx`, `pipe`, `modbus` or a file ending in
        /// `.toml`; required there.
        template: String,
        /// Parts of the template that are on. Default `[]`.
        options: Vec<String>,
        /// Digits of each field of kind `serial`, 1 to 12. Default: the template's.
        digits: i64,
        /// How often a board of kind `serial` gets everything again, 1 s to 10 min. Default 10 s.
        refresh: DurationText,
        /// Whether new calls blink on kind `serial`. Default `true`.
        blink: bool,
        /// What stands in place of old numbers on kind `serial`: `alternate` or `dashes`. Default
        /// `alternate`.
        stale: String,
        /// What stands where there is no number on kind `serial`: `blank` or `dashes`. Default
        /// `blank`.
        idle: String,
        /// What stands where on kind `serial`, 1 to 64.
        field: Vec<RawField>,
        /// SPI device of kind `max7219`. Default `/dev/spidev0.0`.
        spi: String,
        /// Clock of the SPI in hertz, 10,000 to 10,000,000. Default 1,000,000.
        speed_hz: i64,
        /// Modules in a row, and rows; required for kind `max7219`.
        modules: Vec<i64>,
        /// The corner where the chain of modules begins. Default `top-left`.
        start: String,
        /// How every second row of modules hangs: `no`, `upright`, `upside-down`. Default `no`.
        serpentine: String,
        /// How each module is turned, clockwise: 0, 90, 180 or 270. Default 0.
        module_rotation: i64,
        /// Of `max7219` 0 to 15, default 7; of `hub75` 5 to 100 percent, default 60.
        brightness: i64,
        /// Rows of a HUB75 panel: 16, 32 or 64. Default 32.
        rows: i64,
        /// Columns of a HUB75 panel: 32, 64 or 128. Default 64.
        columns: i64,
        /// HUB75 panels in a chain, 1 to 8. Default 1.
        chain: i64,
        /// Frames a second on HUB75 panels, 60 to 1000. Default 300.
        refresh_hz: i64,
        /// Further times that each clock edge is written, 0 to 16. Default 1.
        slowdown: i64,
        /// Processor core that drives HUB75 panels, 0 to 63. Default 3.
        cpu: i64,
        /// `adafruit-hat` or `regular`. Default `adafruit-hat`.
        wiring: String,
        /// Lines of the connector that are wired otherwise.
        pins: RawPins,
        /// How GPIO and SPI are reached: `auto`, `rpi` or `linux`. Default `auto`.
        backend: String,
    }

    /// `pins` of a HUB75 output: numbers of GPIO lines (BCM), each once
    RawPins {
        /// Red of the upper half.
        r1: i64,
        /// Green of the upper half.
        g1: i64,
        /// Blue of the upper half.
        b1: i64,
        /// Red of the lower half.
        r2: i64,
        /// Green of the lower half.
        g2: i64,
        /// Blue of the lower half.
        b2: i64,
        /// Row address, lowest bit.
        a: i64,
        /// Row address.
        b: i64,
        /// Row address.
        c: i64,
        /// Row address, panels of 32 and 64 rows.
        d: i64,
        /// Row address, panels of 64 rows.
        e: i64,
        /// Clock.
        clk: i64,
        /// Latch, also called STB.
        lat: i64,
        /// Output enable.
        oe: i64,
    }

    /// `[[board.output.field]]`
    RawField {
        /// Address on the line; required.
        address: i64,
        /// The queue whose number it shows.
        queue: String,
        /// Which: `ticket`, `counter`, `waiting`, `on-hold` or `wait`. Default `ticket`.
        show: String,
        /// In place of `queue`: the counter whose newest ticket it shows.
        counter: String,
    }

    /// `[[relay]]`
    RawRelay {
        /// Identifier; required.
        id: String,
        /// Number of the GPIO line; required.
        gpio: i64,
        /// Level that closes it: `high` or `low`. Default `high`.
        active: String,
        /// How long it closes, 50 ms to 10 s. Default 1 s.
        pulse: DurationText,
        /// Shortest time between two closings, 300 ms to 10 s. Default 500 ms.
        min_gap: DurationText,
        /// Queues whose calls close it. Default: all.
        queues: Vec<String>,
        /// How the line is reached: `auto`, `rpi` or `linux`. Default `auto`.
        backend: String,
    }

    /// `[[camera]]`
    RawCamera {
        /// Identifier; required.
        id: String,
        /// Where its pictures come from; required.
        source: RawCameraSource,
        /// Size of its pictures. Default `[1280, 720]`.
        size: Vec<i64>,
        /// Corners of the board in a picture, clockwise from the top left; required.
        corners: Vec<Vec<f64>>,
        /// How far a corner may wander, 0 to 100 pixels. Default 12.
        max_drift_px: i64,
        /// Time between two readings, 200 ms to 1 min. Default 1 s.
        interval: DurationText,
        /// Readings that must agree, 2 to 10. Default 3.
        confirmations: i64,
        /// Shortest time between two pictures for viewers, 2 s to 1 h. Default 5 s.
        picture_interval: DurationText,
        /// What stands where, 1 to 64.
        field: Vec<RawCameraField>,
    }

    /// `[camera.source]`
    RawCameraSource {
        /// `v4l2`, `rpicam`, `http` or `folder`; required.
        kind: String,
        /// Folder of pictures, with `folder`.
        path: String,
        /// Device file, with `v4l2`; required there.
        device: String,
        /// `auto`, `mjpeg`, `yuyv`, `uyvy`, `nv12`, `rgb` or `bgr`, with `v4l2`. Default `auto`.
        format: String,
        /// Pictures a second, 1 to 60, with `v4l2` and `rpicam`. Default 5.
        fps: i64,
        /// Fixed exposure, 100 µs to 1 s, with `v4l2` and `rpicam`. Default: automatic.
        exposure: DurationText,
        /// Fixed gain: with `v4l2` in its own steps, with `rpicam` 1 to 64. Default: automatic.
        gain: f64,
        /// Fixed white balance in kelvin, with `v4l2`. Default: automatic.
        white_balance: i64,
        /// Further controls by name, with `v4l2`, at most 32. Default none.
        controls: BTreeMap<String, i64>,
        /// Which camera, 0 to 7, with `rpicam`. Default 0.
        camera: i64,
        /// Program, with `rpicam`. Default `rpicam-vid`.
        program: String,
        /// Fixed gains of red and blue, 0.1 to 32, with `rpicam`. Default: automatic.
        awb_gains: Vec<f64>,
        /// Address of its picture, with `http`; required there.
        url: String,
        /// Certificates of the authorities to trust, PEM, with `http`. Default: those of the system.
        ca: String,
        /// User name, with `http`.
        username: String,
        /// Password in the file itself; better one of the two below.
        password: String,
        /// File that holds the password.
        password_file: String,
        /// Name of the systemd credential that holds the password.
        password_credential: String,
    }

    /// `[[camera.field]]`
    RawCameraField {
        /// Queue it tells of; required.
        queue: String,
        /// `ticket`, `counter`, `waiting` or `on-hold`. Default `ticket`.
        show: String,
        /// Left, top, width and height as shares of the board; required.
        rect: Vec<f64>,
        /// `seven-segment` or `text-digits`; required.
        kind: String,
        /// Most digits, 1 to 6. Default 3, with `counter` 2.
        max_digits: i64,
        /// Put before the number to make the label. Default none.
        prefix: String,
    }

    /// `[board.calls]`
    RawCalls {
        /// Each call stands out at least this long, 1 s to 10 min. Default 12 s.
        min_highlight: DurationText,
        /// … and at most this long, `min_highlight` to 1 h. Default 30 s.
        max_highlight: DurationText,
        /// Calls standing out at the same time, 1 to 12. Default 3.
        max_highlighted: i64,
        /// … when many come at once, `max_highlighted` to 24. Default 6.
        max_highlighted_peak: i64,
        /// No call waits longer for its place, 0 s to 10 min. Default 20 s.
        max_backlog: DurationText,
        /// Earlier calls listed, 0 to 50. Default 8.
        recent_calls: i64,
    }

    /// `[[adapter]]`
    RawAdapter {
        /// Topic filter of the foreign messages; required.
        topic: String,
        /// How each queue is found in them; at least one.
        queue: Vec<RawRule>,
    }

    /// `[[adapter.queue]]`
    RawRule {
        /// The queue that is fed; required.
        queue: String,
        /// Which element of a list, and of a list in it, at most 8 steps. Default: the message.
        select: Vec<RawSelect>,
        /// Pointer to the number being served; required.
        number: String,
        /// Pointer to the people waiting; left out where the system does not show them.
        waiting: String,
        /// Pointer to the tickets on hold.
        on_hold: String,
        /// Pointer to the counter.
        counter: String,
        /// The counter as a fixed text.
        counter_text: String,
        /// Pointer to the moment. Default: the moment of arrival.
        at: String,
        /// Put before the number. Default empty.
        prefix: String,
        /// Digits of the label, 1 to 12. Default: as sent.
        digits: i64,
        /// Numbers that stand for "none yet". Default `[]`.
        none: Vec<String>,
    }

    /// One step of `select`
    RawSelect {
        /// Pointer to the list; empty is the whole message.
        list: String,
        /// Pointer within an element; required.
        key: String,
        /// The text it must equal; required.
        equals: String,
    }

    /// A hub's file.
    RawHub {
        /// The broker of the reports.
        mqtt: RawMqtt,
        /// The pages' address.
        http: RawHttp,
        /// The history.
        store: RawHubStore,
        /// The pages' look.
        site: RawSite,
        /// Videos, at most 4.
        stream: Vec<RawStream>,
        /// How tickets sound. Default: nobody can hear them.
        voice: RawHubVoice,
    }

    /// `[[stream]]` of a hub
    RawStream {
        /// Identifier; required.
        id: String,
        /// `rtmp://HOST/APP`, `rtmps://HOST/APP`, `srt://HOST:PORT` or `hls`; required.
        target: String,
        /// File that holds the key, required for RTMP; for SRT the stream's id.
        key_file: String,
        /// Name of the systemd credential that holds it.
        key_credential: String,
        /// Authorities to trust, PEM, for RTMPS. Default those of the system.
        ca: String,
        /// Folder of the files, for `hls`. Default `stream`.
        dir: String,
        /// `[1280, 720]` or `[1920, 1080]`. Default the first.
        size: Vec<i64>,
        /// Frames a second, 5 to 30. Default 10.
        fps: i64,
        /// `numbers`, `boards`, `cameras`: what of an office. Default `["numbers"]`.
        show: Vec<String>,
        /// Offices it shows in turn, by id. Default all.
        offices: Vec<String>,
        /// How long a page or picture of an office stays, 3 s to 10 min. Default 10 s.
        turn: DurationText,
        /// `calls`, `silence` or `none`. Default `calls` with `[voice]` and one office, else `silence`.
        audio: String,
        /// `auto`, `x264` or `v4l2m2m`. Default `auto`.
        encoder: String,
        /// Address of the hub's page, shown as text and QR code. Default none.
        page_url: String,
    }

    /// `[[stream]]` of a node
    RawBoardStream {
        /// Identifier; required.
        id: String,
        /// The board it shows, by id. Default the first.
        board: String,
        /// `rtmp://HOST/APP`, `rtmps://HOST/APP` or `srt://HOST:PORT`; required.
        target: String,
        /// File that holds the key, required for RTMP; for SRT the stream's id.
        key_file: String,
        /// Name of the systemd credential that holds it.
        key_credential: String,
        /// Authorities to trust, PEM, for RTMPS. Default those of the system.
        ca: String,
        /// `[1280, 720]` or `[1920, 1080]`. Default the first.
        size: Vec<i64>,
        /// Frames a second, 5 to 30. Default 10.
        fps: i64,
        /// `calls`, `silence` or `none`. Default `calls` with `[voice]`, else `silence`.
        audio: String,
        /// `auto`, `x264` or `v4l2m2m`. Default `auto`.
        encoder: String,
    }

    /// `[http]`
    RawHttp {
        /// Address and port; port 0 is any. Default `127.0.0.1:8080`.
        listen: String,
        /// Most event streams at a time, 1 to 1,000,000. Default 20000.
        max_viewers: i64,
        /// Most connections at a time, `max_viewers` to 1,000,000. Default 25000.
        max_connections: i64,
        /// Whether a proxy with TLS is in front and plain HTTP reaches nobody. Default `false`.
        hsts: bool,
        /// Origins whose pages may show ours in a frame, at most 16. Default `[]`.
        frame_ancestors: Vec<String>,
        /// Opens `/fleet`, at least 16 characters. Default: nobody sees that page.
        fleet_token: String,
        /// File with the token.
        fleet_token_file: String,
        /// systemd credential with the token.
        fleet_token_credential: String,
    }

    /// `[store]` of a hub
    RawHubStore {
        /// `sqlite:FILE` or `postgres://…`. Default `sqlite:hub.db`, of a service in its state
        /// directory.
        url: String,
        /// File that holds the address.
        url_file: String,
        /// Name of the systemd credential that holds the address.
        url_credential: String,
        /// Days that times of calls and waits are kept, 1 to 3,650. Default 400.
        retention_days: i64,
    }

    /// `[site]`
    RawSite {
        /// Title by language.
        title: NameTable,
        /// Offices that come first, by id. Default `[]`.
        order: Vec<String>,
        /// A queue is "rather busy" from this wait on, 1 min to 1 day. Default 20 min.
        busy_wait: DurationText,
        /// … "busy" from this on, `busy_wait` to 1 day. Default 45 min.
        crowded_wait: DurationText,
        /// Without a predicted wait, "rather busy" from this many people on. Default 6.
        busy_waiting: i64,
        /// … "busy" from this many on. Default 16.
        crowded_waiting: i64,
        /// Days of the week on which no office opens. Default `["sat", "sun"]`.
        closed_weekdays: Vec<String>,
        /// Other days on which none opens, `YYYY-MM-DD`, at most 400. Default `[]`.
        closed_days: Vec<String>,
    }
}

/// A length of time as text.
#[derive(Debug, Clone)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct DurationText(pub(super) String);

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = DurationText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration as text, such as \"90s\" or \"5m\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<DurationText, E> {
                Ok(DurationText(text.to_owned()))
            }
        }
        d.deserialize_str(Text)
    }
}

/// A text by language tag.
#[derive(Debug, Clone)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct NameTable(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for NameTable {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = NameTable;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table by language, such as { ja = \"中央区\", en = \"Chuo Ward\" }")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NameTable, A::Error> {
                let mut forms = BTreeMap::new();
                while let Some((tag, text)) = map.next_entry()? {
                    forms.insert(tag, text);
                }
                Ok(NameTable(forms))
            }
        }
        d.deserialize_map(Table)
    }
}
