//! From a file to a checked configuration.

use super::camera::MAX_CAMERAS;
use super::check::{Around, Check};
use super::doc::{At, Doc};
use super::error::ConfigError;
use super::old_keys::{self, Both, Change, OldName};
use super::problem::ProblemKind;
use super::raw::{RawHub, RawNode};
use super::text::{decode, read_bytes};
use super::{HubConfig, MachineConfig, NodeConfig};
use std::path::{Path, PathBuf};

/// Largest file that is read: a node with 64 queues and 16 boards needs a tenth of it.
const MAX_BYTES: u64 = 1024 * 1024;

/// What a file configures.
#[derive(Debug, Clone)]
pub enum Checked {
    /// A node.
    Node(Box<NodeConfig>),
    /// A hub.
    Hub(Box<HubConfig>),
}

/// Reads and checks a node's file.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn load_node(path: &Path) -> Result<NodeConfig, ConfigError> {
    let (text, name) = read(path)?;
    // Also where the rest is wrong: what errors expect is told with the new keys.
    warn_of_old_names(&text, &name);
    let config = parse_node(&text, &name, folder(path))?;
    warn_of_open_secrets(path, &text);
    Ok(config)
}

/// Reads and checks a hub's file.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn load_hub(path: &Path) -> Result<HubConfig, ConfigError> {
    let (text, name) = read(path)?;
    warn_of_old_names(&text, &name);
    let config = parse_hub(&text, &name, folder(path))?;
    warn_of_open_secrets(path, &text);
    Ok(config)
}

/// Reads and checks a file of either kind: one with `[office]` or `[node]` is a node's, one with
/// `[http]` or `[site]` a hub's.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn check(path: &Path) -> Result<Checked, ConfigError> {
    let (text, name) = read(path)?;
    let doc = Doc::parse(&text, &name)?;
    if is_node(&doc) {
        load_node(path).map(|c| Checked::Node(Box::new(c)))
    } else if is_hub(&doc) {
        load_hub(path).map(|c| Checked::Hub(Box::new(c)))
    } else {
        Err(ConfigError::whole(&name, ProblemKind::Neither, ""))
    }
}

/// Checks the text of a node's file. `name` is what messages call it; relative paths in it are
/// seen from `dir`.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn parse_node(text: &str, name: &str, dir: &Path) -> Result<NodeConfig, ConfigError> {
    // What only a box made from the image reads is right or wrong anywhere.
    parse_box(text, name, dir).map(|(node, _)| node)
}

/// Checks the text of a node's file together with what it says of the box; see [`parse_node`].
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn parse_box(
    text: &str,
    name: &str,
    dir: &Path,
) -> Result<(NodeConfig, MachineConfig), ConfigError> {
    let mut check = begin(text, name, dir, old_keys::NODE)?;
    let raw: RawNode = check.doc.read()?;
    let node = check.node(&raw);
    let machine = check.machine(&raw);
    check.finish(name, node.map(|node| (node, machine)))
}

/// Checks the text of a hub's file; see [`parse_node`].
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn parse_hub(text: &str, name: &str, dir: &Path) -> Result<HubConfig, ConfigError> {
    let mut check = begin(text, name, dir, old_keys::HUB)?;
    let raw: RawHub = check.doc.read()?;
    let config = check.hub(&raw);
    check.finish(name, config)
}

/// A file under check, everything in it under the names of today.
fn begin<'t>(
    text: &'t str,
    name: &'t str,
    dir: &'t Path,
    changes: &[Change],
) -> Result<Check<'t>, ConfigError> {
    let mut doc = Doc::parse(text, name)?;
    let old = old_keys::apply(&mut doc, changes);
    let mut check = Check::new(doc, around(dir));
    if old.both.is_empty() {
        return Ok(check);
    }
    for Both { at, new } in old.both {
        let detail =
            format_args!("the old name of {new}: expected {new} alone, which is there too");
        check.wrong_as(&at, ProblemKind::Unwanted, detail);
    }
    check.finish(name, None)
}

/// What a file of either kind says under old names, in the order of the file; nothing where it cannot
/// be read or is not TOML.
#[must_use]
pub fn old_names(path: &Path) -> Vec<OldName> {
    read(path).map_or_else(|_| Vec::new(), |(text, name)| old_names_in(&text, &name))
}

/// Warns of every old name in the text of a file that somebody wrote; `name` is what the log calls it.
/// Checking a text does not, because a text may be checked twice, or made from another.
pub fn warn_of_old_names(text: &str, name: &str) {
    for found in old_names_in(text, name) {
        tracing::warn!("{name}:{}: {found}", found.line);
    }
}

fn old_names_in(text: &str, name: &str) -> Vec<OldName> {
    let Ok(mut doc) = Doc::parse(text, name) else {
        return Vec::new();
    };
    // What is neither is a part of a node's file, such as a template.
    let changes = if is_hub(&doc) && !is_node(&doc) {
        old_keys::HUB
    } else {
        old_keys::NODE
    };
    old_keys::apply(&mut doc, changes).read
}

/// Whether only a hub's file has such tables.
fn is_hub(doc: &Doc<'_>) -> bool {
    ["http", "site", "page"].iter().any(|key| doc.has(key))
}

/// Whether only a node's file has such tables.
fn is_node(doc: &Doc<'_>) -> bool {
    let tables = [
        "office", "node", "queue", "board", "uplink", "adapter", "relay",
    ];
    tables.iter().any(|key| doc.has(key))
}

fn read(path: &Path) -> Result<(String, String), ConfigError> {
    let name = path.display().to_string();
    let bytes = read_bytes(path, MAX_BYTES).map_err(|error| {
        let detail = format_args!("the configuration: {error}");
        ConfigError::whole(&name, ProblemKind::Unreadable, detail)
    })?;
    let text = decode(&bytes)
        .map_err(|error| ConfigError::whole(&name, error, "cannot read the configuration: "))?;
    Ok((text.text, name))
}

/// Says when a password stands in a file that others may read.
fn warn_of_open_secrets(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS_MAY_READ: u32 = 0o004;
    let Ok(doc) = Doc::parse(text, "") else {
        return;
    };
    let top = At::root();
    let cameras = (0..MAX_CAMERAS).map(|i| top.key("camera").index(i).key("source"));
    let inside = [top.key("mqtt"), top.key("uplink")]
        .into_iter()
        .chain(cameras)
        .any(|table| doc.text_at(&table.key("password")).is_some())
        || doc.text_at(&top.key("http").key("fleet_token")).is_some()
        || doc
            .text_at(&top.key("store").key("url"))
            .is_some_and(|url| url.contains('@'));
    let open =
        std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & OTHERS_MAY_READ != 0);
    if inside && open {
        tracing::warn!(
            "{} holds a password and every user of this machine can read it: \
             use password_file, or chmod 600",
            path.display()
        );
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn around(dir: &Path) -> Around<'_> {
    Around {
        dir,
        // systemd sets it for units with LoadCredential= (systemd.exec(5)).
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        // … and for those with StateDirectory=.
        state: std::env::var_os("STATE_DIRECTORY").map(PathBuf::from),
    }
}
