//! An office as viewers see it: the JSON of `/api/v1`.

use crate::model::{BoardId, CameraId, Name, NodeId, OfficeId};
use crate::wire::report::{BoardPicture, CameraPicture, OutputReport, OutputState, QueueNumbers};
use crate::wire::{WireTime, text};
use serde::Serialize;
use utoipa::ToSchema;

/// One office: the numbers of its best node, the pictures of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfficeView {
    /// Its identifier.
    #[serde(with = "text::plain")]
    #[schema(value_type = String)]
    pub id: OfficeId,
    /// Its name by language.
    #[serde(with = "text::name")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub name: Name,
    /// Its queues in the order of the board; `fresh` is false too while its nodes are offline.
    pub queues: Vec<QueueNumbers>,
    /// The newest picture of each board whose bytes are here.
    pub boards: Vec<BoardView>,
    /// The newest picture of each camera whose bytes are here.
    pub cameras: Vec<CameraView>,
    /// What drives each board, and whether people can see it; of nodes that are online.
    pub outputs: Vec<OutputView>,
    /// Whether one of its nodes is online.
    pub online: bool,
    /// The moment the newest numbers are of; `null` before the first numbers of a source.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of: Option<WireTime>,
}

/// The picture of a board and where it hangs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BoardView {
    /// The node that drives it.
    #[serde(with = "text::plain")]
    #[schema(value_type = String)]
    pub node: NodeId,
    /// The board.
    #[serde(with = "text::plain")]
    #[schema(value_type = String)]
    pub id: BoardId,
    /// Address under `/images/`.
    pub sha256: String,
    /// Media type of the bytes.
    pub format: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// When it was handed to the output.
    #[schema(value_type = String, format = DateTime)]
    pub shown_at: WireTime,
}

impl BoardView {
    /// A board's entry of a report, with its node and the format found in the bytes.
    #[must_use]
    pub fn new(node: &NodeId, entry: &BoardPicture, format: &str) -> Self {
        Self {
            node: node.clone(),
            id: entry.id.clone(),
            sha256: entry.sha256.clone(),
            format: format.to_owned(),
            width: entry.width,
            height: entry.height,
            shown_at: entry.shown_at,
        }
    }
}

/// What drives a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutputView {
    /// The node.
    #[serde(with = "text::plain")]
    #[schema(value_type = String)]
    pub node: NodeId,
    /// The board.
    #[serde(with = "text::plain")]
    #[schema(value_type = String)]
    pub board: BoardId,
    /// `hdmi`, `serial`, …
    pub kind: String,
    /// Whether people can see it.
    pub state: OutputState,
    /// SHA-256 of the frame last handed to the device; `null` before the first.
    pub frame_sha256: Option<String>,
    /// When that was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub shown_at: Option<WireTime>,
}

impl OutputView {
    /// An output's entry of a report, with its node.
    #[must_use]
    pub fn new(node: &NodeId, entry: &OutputReport) -> Self {
        Self {
            node: node.clone(),
            board: entry.board.clone(),
            kind: entry.kind.clone(),
            state: entry.state,
            frame_sha256: entry.frame_sha256.clone(),
            shown_at: entry.shown_at,
        }
    }
}

/// The picture of a camera and where it hangs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CameraView {
    /// The node it is wired to.
    #[serde(with = "text::plain")]
    #[schema(value_type = String)]
    pub node: NodeId,
    /// The camera.
    #[serde(with = "text::plain")]
    #[schema(value_type = String)]
    pub id: CameraId,
    /// Address under `/images/`.
    pub sha256: String,
    /// Media type of the bytes.
    pub format: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// When it was taken.
    #[schema(value_type = String, format = DateTime)]
    pub taken_at: WireTime,
}

impl CameraView {
    /// A camera's entry of a report, with its node and the format found in the bytes.
    #[must_use]
    pub fn new(node: &NodeId, entry: &CameraPicture, format: &str) -> Self {
        Self {
            node: node.clone(),
            id: entry.id.clone(),
            sha256: entry.sha256.clone(),
            format: format.to_owned(),
            width: entry.width,
            height: entry.height,
            taken_at: entry.taken_at,
        }
    }
}
