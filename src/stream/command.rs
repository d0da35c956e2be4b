//! How the encoder is called. The key goes another way: see [`secret_options`].

use super::sound::SAMPLE_RATE;
use crate::config::{StreamAudio, StreamTarget, VideoConfig};

/// The program, looked for in `PATH`.
pub(super) const PROGRAM: &str = "ffmpeg";

/// The playlist of an HLS stream, in its folder.
pub(super) const PLAYLIST: &str = "live.m3u8";

/// A key frame this often, in seconds: YouTube asks for at most 4, and a viewer waits for one.
const KEY_FRAME_S: u32 = 2;

/// Pictures that an encoder is handed in a second, at most. It repeats them itself to fill the frame
/// rate: a picture in YUV is 3 MB at 1080p, and twice as many a second would cost a tenth of all the
/// work of a stream only to be copied.
const PICTURES_PER_S: u32 = 5;

/// Segments of an HLS playlist: 12 s, twice what a player keeps ahead.
const PLAYLIST_SEGMENTS: &str = "6";

/// What waits in the system for a receiver over TCP, in bytes: a second of the highest rate. More
/// would hide for as long that it takes nothing any more.
const SEND_BUFFER: u32 = 512 * 1024;

/// What makes H.264 of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    X264,
    V4l2m2m,
}

impl Codec {
    /// Its name in ffmpeg.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::X264 => "libx264",
            Self::V4l2m2m => "h264_v4l2m2m",
        }
    }
}

/// How an encoder finds what it inherits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EncoderInputs<'a> {
    /// Path of the secret options, if there are any.
    pub(super) preset: Option<&'a str>,
    /// Number of the pipe with samples, if somebody may speak.
    pub(super) sound: Option<i32>,
}

/// Pictures a second that the encoder waits for at its input.
pub(super) fn pictures_per_s(config: &VideoConfig) -> u32 {
    config.fps.clamp(1, PICTURES_PER_S)
}

/// The arguments.
pub(super) fn arguments(
    config: &VideoConfig,
    codec: Codec,
    given: EncoderInputs<'_>,
) -> Vec<String> {
    let mut all = Vec::new();
    let mut add = |text: &str| all.extend(text.split_whitespace().map(str::to_owned));
    let (width, height) = config.size;
    let fps = config.fps;
    add("-hide_banner -nostats -nostdin -loglevel warning -progress pipe:1 -stats_period 0.5");
    add("-f rawvideo -pixel_format yuv420p");
    let pictures = pictures_per_s(config);
    add(&format!(
        "-video_size {width}x{height} -framerate {pictures}"
    ));
    // What is known of the input need not be found out.
    add("-probesize 32 -analyzeduration 0 -i pipe:0");
    let aac = "-map 0:v -map 1:a -c:a aac -b:a 64k -ac 2 -shortest";
    match (config.audio, given.sound) {
        (StreamAudio::None, _) => {}
        (_, None) => {
            add("-f lavfi -i anullsrc=channel_layout=stereo:sample_rate=44100");
            add(aac);
        }
        (_, Some(pipe)) => {
            add("-thread_queue_size 256 -probesize 32 -analyzeduration 0");
            add(&format!("-f s16le -ar {SAMPLE_RATE} -ac 1 -i pipe:{pipe}"));
            add(aac);
        }
    }
    let group = fps * KEY_FRAME_S;
    add(&format!(
        "-fps_mode cfr -r {fps} -c:v {} -pix_fmt yuv420p -g {group}",
        codec.name()
    ));
    match codec {
        Codec::X264 => {
            // No look ahead, no frames out of order, one thread: each would hold frames back, and a
            // still picture needs none of them. Of what `ultrafast` leaves out, the two that save
            // bytes for no work. A fixed quantizer, as nothing moves: any other rate control first
            // looks at every block of a still picture, a quarter of all the work.
            add("-preset ultrafast -coder 1 -8x8dct 1 -aq-mode 0");
            add("-threads 1 -bf 0 -rc-lookahead 0 -mbtree 0 -sc_threshold 0");
            add(&format!("-keyint_min {group} -qp 21"));
        }
        // The device knows no quality, only a rate; it makes no frames out of order.
        Codec::V4l2m2m => {
            let kbps = if height > 720 { 4_000 } else { 2_500 };
            add(&format!("-b:v {kbps}k -num_capture_buffers 16"));
        }
    }
    add("-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv");
    if let Some(preset) = given.preset {
        all.extend(["-fpre".to_owned(), preset.to_owned()]);
    }
    target(&config.target, &mut all);
    all
}

fn target(target: &StreamTarget, all: &mut Vec<String>) {
    let mut add = |text: &str| all.extend(text.split_whitespace().map(str::to_owned));
    match target {
        StreamTarget::Rtmp { url, app, ca, .. } => {
            add("-f flv -flvflags no_duration_filesize");
            add(&format!("-send_buffer_size {SEND_BUFFER}"));
            if url.starts_with("rtmps:") {
                // It would believe anybody otherwise, and hand over the key.
                add("-tls_verify 1");
            }
            if let Some(ca) = ca {
                all.extend(["-ca_file".to_owned(), ca.display().to_string()]);
            }
            all.extend(["-rtmp_app".to_owned(), app.clone(), url.clone()]);
        }
        StreamTarget::Srt { url, .. } => {
            add("-f mpegts");
            all.push(url.clone());
        }
        StreamTarget::Hls { .. } => {
            // The child's folder is that of the files. Numbers go on after a restart.
            add(&format!(
                "-f hls -hls_time {KEY_FRAME_S} -hls_list_size {PLAYLIST_SEGMENTS}"
            ));
            add(
                "-hls_flags delete_segments+append_list+omit_endlist+independent_segments+temp_file",
            );
            add("-hls_start_number_source epoch -hls_segment_filename %d.ts");
            add(PLAYLIST);
        }
    }
}

/// Options that no other user of the machine may see, as lines of one of ffmpeg's option files
/// (`-fpre`): what stands among the arguments is in `/proc/PID/cmdline`, which all may read.
pub(super) fn secret_options(config: &VideoConfig) -> Option<String> {
    match &config.target {
        StreamTarget::Rtmp { key, .. } => Some(format!("rtmp_playpath={}\n", key.reveal())),
        StreamTarget::Srt { key, .. } => key
            .as_ref()
            .map(|key| format!("srt_streamid={}\n", key.reveal())),
        StreamTarget::Hls { .. } => None,
    }
}

/// What must not be printed, should the receiver repeat it.
pub(super) fn secret(config: &VideoConfig) -> Option<&str> {
    match &config.target {
        StreamTarget::Rtmp { key, .. } => Some(key.reveal()),
        StreamTarget::Srt { key, .. } => key.as_ref().map(crate::config::Secret::reveal),
        StreamTarget::Hls { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, StreamEncoder};

    fn config(url: &str) -> VideoConfig {
        VideoConfig {
            id: "video".parse().expect("id"),
            target: StreamTarget::Rtmp {
                url: url.into(),
                app: "live2".into(),
                key: Secret::new("geheim"),
                ca: url.starts_with("rtmps").then(|| "/etc/own ca.pem".into()),
            },
            size: (1280, 720),
            fps: 10,
            audio: StreamAudio::Silence,
            encoder: StreamEncoder::Auto,
        }
    }

    fn line(url: &str, codec: Codec, given: EncoderInputs<'_>) -> String {
        arguments(&config(url), codec, given).join(" ")
    }

    #[test]
    fn the_machines_own_encoder_gets_options_that_it_knows() {
        let line = line("rtmp://h/live2", Codec::V4l2m2m, EncoderInputs::default());
        assert!(
            line.contains(
                "-c:v h264_v4l2m2m -pix_fmt yuv420p -g 20 -b:v 2500k -num_capture_buffers 16"
            ),
            "{line}"
        );
        for of_x264 in ["-qp", "-preset", "-mbtree", "-sc_threshold", "libx264"] {
            assert!(!line.contains(of_x264), "{line}");
        }
        assert!(line.ends_with("-rtmp_app live2 rtmp://h/live2"), "{line}");
    }

    #[test]
    fn a_certificate_is_looked_at_and_the_key_is_in_no_argument() {
        let given = EncoderInputs {
            preset: Some("/proc/self/fd/9"),
            sound: Some(8),
        };
        let secure = line("rtmps://h/live2", Codec::X264, given);
        assert!(
            secure.contains("-tls_verify 1 -ca_file /etc/own ca.pem"),
            "{secure}"
        );
        assert!(
            secure.contains("-f s16le -ar 48000 -ac 1 -i pipe:8"),
            "{secure}"
        );
        assert!(secure.contains("-fpre /proc/self/fd/9"), "{secure}");
        assert!(!secure.contains("geheim"), "{secure}");
        let plain = line("rtmp://h/live2", Codec::X264, EncoderInputs::default());
        assert!(
            !plain.contains("tls") && plain.contains("anullsrc"),
            "{plain}"
        );
    }
}
