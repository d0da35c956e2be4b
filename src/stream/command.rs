//! How the encoder is called. The key goes another way: see [`secret_options`].

use crate::config::{StreamAudio, StreamConfig, StreamTarget};

/// The program, looked for in `PATH`.
pub(super) const PROGRAM: &str = "ffmpeg";

/// The playlist of an HLS stream, in its folder.
pub(super) const PLAYLIST: &str = "live.m3u8";

/// A key frame this often, in seconds: YouTube asks for at most 4, and a viewer waits for one.
const KEY_FRAME_S: u32 = 2;

/// Parts of an HLS playlist: 12 s, twice what a player keeps ahead.
const PARTS: &str = "6";

/// The arguments, with `preset` as the path of the secret options if there are any.
pub(super) fn arguments(config: &StreamConfig, preset: Option<&str>) -> Vec<String> {
    let mut all = Vec::new();
    let mut add = |text: &str| all.extend(text.split_whitespace().map(str::to_owned));
    let (width, height) = config.size;
    let fps = config.fps;
    add("-hide_banner -nostats -nostdin -loglevel warning -progress pipe:1 -stats_period 0.5");
    add("-f rawvideo -pixel_format yuv420p");
    add(&format!("-video_size {width}x{height} -framerate {fps}"));
    // What is known of the input need not be found out.
    add("-probesize 32 -analyzeduration 0 -i pipe:0");
    if config.audio == StreamAudio::Silence {
        add("-f lavfi -i anullsrc=channel_layout=stereo:sample_rate=44100");
        add("-map 0:v -map 1:a -c:a aac -b:a 64k -shortest");
    }
    let group = fps * KEY_FRAME_S;
    // No look ahead, no frames out of order, one thread: each would hold frames back, and a still
    // picture needs none of them. Faster still (ultrafast) would double the bytes.
    add("-c:v libx264 -preset superfast -pix_fmt yuv420p -threads 1");
    add("-bf 0 -rc-lookahead 0 -mbtree 0 -sc_threshold 0");
    add(&format!("-g {group} -keyint_min {group}"));
    let kbps = if height > 720 { 4_000 } else { 2_500 };
    add(&format!("-crf 21 -maxrate {kbps}k -bufsize {}k", kbps * 2));
    add("-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv");
    if let Some(preset) = preset {
        all.extend(["-fpre".to_owned(), preset.to_owned()]);
    }
    let mut add = |text: &str| all.extend(text.split_whitespace().map(str::to_owned));
    match &config.target {
        StreamTarget::Rtmp { url, app, .. } => {
            add("-f flv -flvflags no_duration_filesize");
            all.extend(["-rtmp_app".to_owned(), app.clone(), url.clone()]);
        }
        StreamTarget::Srt { url, .. } => {
            add("-f mpegts");
            all.push(url.clone());
        }
        StreamTarget::Hls { .. } => {
            // The child's folder is that of the files. Numbers go on after a restart.
            add(&format!(
                "-f hls -hls_time {KEY_FRAME_S} -hls_list_size {PARTS}"
            ));
            add(
                "-hls_flags delete_segments+append_list+omit_endlist+independent_segments+temp_file",
            );
            add("-hls_start_number_source epoch -hls_segment_filename %d.ts");
            add(PLAYLIST);
        }
    }
    all
}

/// Options that no other user of the machine may see, as lines of one of ffmpeg's option files
/// (`-fpre`): what stands among the arguments is in `/proc/PID/cmdline`, which all may read.
pub(super) fn secret_options(config: &StreamConfig) -> Option<String> {
    match &config.target {
        StreamTarget::Rtmp { key, .. } => Some(format!("rtmp_playpath={}\n", key.reveal())),
        StreamTarget::Srt { key, .. } => key
            .as_ref()
            .map(|key| format!("srt_streamid={}\n", key.reveal())),
        StreamTarget::Hls { .. } => None,
    }
}

/// What must not be printed, should the receiver repeat it.
pub(super) fn secret(config: &StreamConfig) -> Option<&str> {
    match &config.target {
        StreamTarget::Rtmp { key, .. } => Some(key.reveal()),
        StreamTarget::Srt { key, .. } => key.as_ref().map(crate::config::Secret::reveal),
        StreamTarget::Hls { .. } => None,
    }
}
