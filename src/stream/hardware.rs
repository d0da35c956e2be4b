//! Whether this machine has an encoder of its own.
//!
//! Some Raspberry Pis (3, 4, Zero 2) have one behind V4L2; a Pi 5 and most servers have none.

use super::command::{Codec, PROGRAM};
use crate::config::StreamEncoder;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// Where the kernel names its video devices.
const DEVICES: &str = "/sys/class/video4linux";

/// Asking ffmpeg what it knows takes a tenth of a second; a card that is slow to read, some.
const ASK_WITHIN: Duration = Duration::from_secs(5);

/// The encoder to begin with.
pub(super) async fn choose(wanted: StreamEncoder) -> Codec {
    match wanted {
        StreamEncoder::X264 => Codec::X264,
        StreamEncoder::V4l2m2m => Codec::V4l2m2m,
        StreamEncoder::Auto if device(Path::new(DEVICES)) && program().await => Codec::V4l2m2m,
        StreamEncoder::Auto => Codec::X264,
    }
}

/// Whether the kernel has a device that encodes, by its name: `bcm2835-codec-encode`, and the like.
fn device(devices: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(devices) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = std::fs::read_to_string(entry.path().join("name")).unwrap_or_default();
        let name = name.trim().to_ascii_lowercase();
        // Not those for still pictures: bcm2835-codec-encode_image.
        name.ends_with("encode") || name.ends_with("encoder") || name.ends_with("-enc")
    })
}

/// Whether ffmpeg was built with it.
async fn program() -> bool {
    let mut ask = Command::new(PROGRAM);
    ask.args(["-hide_banner", "-encoders"])
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    match timeout(ASK_WITHIN, ask.output()).await {
        Ok(Ok(output)) => lists(&String::from_utf8_lossy(&output.stdout)),
        _ => false,
    }
}

/// Whether ffmpeg's list of encoders names it.
fn lists(encoders: &str) -> bool {
    let name = |line: &str| line.split_whitespace().nth(1) == Some(Codec::V4l2m2m.name());
    encoders.lines().any(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_encodes_is_known_by_its_name() {
        for (names, there) in [
            (&[][..], false),
            (&["unicam-image", "bcm2835-codec-decode\n"], false),
            (&["bcm2835-codec-encode_image\n"], false),
            (&["bcm2835-codec-decode\n", "bcm2835-codec-encode\n"], true),
            (&["hantro-vpu-enc\n"], true),
            (&["rkvdec"], false),
        ] {
            let dir = tempfile::tempdir().expect("folder");
            for (i, name) in names.iter().enumerate() {
                let device = dir.path().join(format!("video{i}"));
                std::fs::create_dir(&device).expect("device");
                std::fs::write(device.join("name"), name).expect("name");
            }
            assert_eq!(device(dir.path()), there, "{names:?}");
        }
        assert!(!device(Path::new("/nowhere")));
    }

    #[test]
    fn the_list_of_encoders_is_read_by_name() {
        let list = " V....D libx264              libx264 H.264 / AVC (codec h264)\n";
        assert!(!lists(list));
        assert!(!lists(
            " V..... h264_omx   like h264_v4l2m2m (codec h264)\n"
        ));
        assert!(lists(&format!(
            "{list} V..... h264_v4l2m2m         V4L2 mem2mem H.264 encoder wrapper\n"
        )));
    }
}
