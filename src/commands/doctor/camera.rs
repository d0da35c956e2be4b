//! The cameras: whether each is there, and one picture of it, of which nothing is kept.

use super::good;
use crate::camera::{self, Reader, SourceError};
use crate::config::{CameraConfig, CameraSource, NodeConfig};
use crate::health::with_causes;
use crate::output::{Finding, Level};
use jiff::tz::TimeZone;
use std::time::{Duration, Instant};

/// A camera that has sent nothing by then has said why.
const PICTURE_LIMIT: Duration = Duration::from_secs(9);

/// Looks at all cameras at the same time.
pub(super) async fn cameras(config: &NodeConfig) -> Vec<Finding> {
    let looks: Vec<_> = config
        .cameras
        .iter()
        .map(|camera| {
            let (camera, zone) = (camera.clone(), config.state.timezone.clone());
            tokio::task::spawn_blocking(move || inspect(&camera, &zone))
        })
        .collect();
    let mut findings = Vec::new();
    for look in looks {
        findings.extend(look.await.unwrap_or_default()); // a panic has been reported
    }
    findings
}

fn inspect(config: &CameraConfig, zone: &TimeZone) -> Vec<Finding> {
    let (what, advice) = match &config.source {
        CameraSource::Folder { path } => (
            path.display().to_string(),
            "check path in the configuration",
        ),
        CameraSource::V4l2(v4l2) => (
            v4l2.device.display().to_string(),
            "check the cable and the key device (ls -l /dev/v4l/by-id); a camera that works \
             elsewhere may need its own power supply",
        ),
        CameraSource::Rpicam(rpicam) => (
            rpicam.program.display().to_string(),
            "check that the flat cable sits straight at both ends, and run rpicam-hello --list-cameras",
        ),
        CameraSource::Http(http) => (
            format!("{}:{}", http.host, http.port),
            "open the address of url in a browser: it must show the picture alone",
        ),
    };
    let what = format!("camera {}: {what}", config.id);
    let fails = |found: String, advice: &str| Finding {
        level: Level::Failure,
        what: what.clone(),
        found,
        advice: advice.into(),
    };
    let mut findings = Vec::new();
    if let CameraSource::V4l2(v4l2) = &config.source {
        match camera::device_formats(&v4l2.device) {
            Ok(formats) => findings.push(good(what.as_str(), format!("has the formats {formats}"))),
            Err(why) => return vec![fails(why, advice)],
        }
    }
    let began = Instant::now();
    findings.push(match picture(config, began) {
        Ok(Some(frame)) => {
            let took = began.elapsed().as_secs_f32();
            let (width, height) = frame.picture.size();
            let found = format!("a picture of {width} × {height} after {took:.1} s");
            let reader = Reader::new(config, zone.clone());
            match reader.and_then(|reader| reader.read_once(&frame.picture)) {
                Ok((_, fields)) => {
                    let read = fields.iter().filter(|f| f.doubt().is_none()).count();
                    let found = format!("{found}; {read} of {} fields read", fields.len());
                    match read {
                        0 => Finding {
                            level: Level::Warning,
                            what: what.clone(),
                            found,
                            advice: "unless the board is dark, check corners and fields with \
                                yobiban camera calibrate"
                                .into(),
                        },
                        _ => good(what.as_str(), found),
                    }
                }
                Err(e) => fails(
                    with_causes(&e),
                    "set size as the camera has it, and measure the corners in such a picture",
                ),
            }
        }
        Ok(None) => fails("there are no pictures".into(), advice),
        Err(e @ SourceError::Busy(_)) => Finding {
            level: Level::Warning,
            what: what.clone(),
            found: e.to_string(),
            advice: "the node uses it while it runs: stop the node to take a picture here".into(),
        },
        Err(e) => fails(with_causes(&e), advice),
    });
    findings
}

fn picture(config: &CameraConfig, began: Instant) -> Result<Option<camera::Frame>, SourceError> {
    let mut source = camera::open(config)?;
    loop {
        match source.next(began.elapsed()) {
            Err(SourceError::NotYet) if began.elapsed() < PICTURE_LIMIT => {}
            result => return result,
        }
    }
}
