//! `yobiban setup`: what a box made from the image does at each start, before its services.
//!
//! The card's FAT partition holds `yobiban.toml`, which any computer can write. A new or changed
//! one is checked; a good one is kept on the data partition, its secrets are overwritten on the card,
//! and whatever is free there is marked to be; of a bad one nothing is kept, and the box goes on with
//! what it had. Then the box's own settings are written to where its other services read them.
//! Whatever happens is written down for the board, and nothing here stops a start.
//!
//! The power may go at any moment: what is kept is replaced file by file, the configuration last,
//! and a card that was being rewritten is rewritten at the next start.

mod apply;
mod wipe;

pub use wipe::wipe;

use crate::config::text::{self, NotUtf8};
use crate::config::{self, ConfigError, ProblemKind, Secrecy};
use crate::files::replace_synced;
use crate::node::{CardFile, CardStatus};
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The file's name on the card, and what it becomes on a computer that hides endings.
const NAMES: [&str; 2] = ["yobiban.toml", "yobiban.toml.txt"];
/// What messages call it.
const NAME: &str = "yobiban.toml";
/// Larger is no configuration.
const MAX_BYTES: u64 = 1024 * 1024;

/// The configuration as typed, secrets and all.
const KEPT: &str = "yobiban.toml";
/// What the service reads.
const NODE: &str = "node.toml";
/// What is to stand on the card.
const CARD: &str = "card.toml";
/// There while the card is being rewritten.
const REWRITING: &str = "rewriting";
/// There until the card's free space is overwritten, which holds what computers deleted or saved
/// anew: by a service of the image, once the boards are up.
const WIPE: &str = "wipe";

/// Put before what is left on the card.
const NOTE: &str = "\
# この設定は端末に取り込まれました。変更するには、下を書き換えて保存し、カードを端末に戻して電源を入れ直してください。
# 「(kept by the box)」は端末に保存された秘密の値です。そのままにすれば前の値が使われます。
# The device has stored this file. To change something, edit it, save it, and switch the device off and on again.
# \"(kept by the box)\" stands for a secret that the device has stored: leave it, or type a new one.
";
/// The note of the version before: it is replaced when such a card is changed.
const FORMER_NOTE: &str = "\
# この設定は表示盤の箱に取り込まれました。変更するには、下を書き換えて保存し、電源を入れ直してください。
# 「(kept by the box)」は箱に保存された秘密の値です。そのままにすれば前の値が使われます。
# Taken over by the box. To change something, edit it, save, and switch the box off and on again.
# \"(kept by the box)\" stands for a secret that the box has: leave it, or type a new one.
";

/// Where everything is.
#[derive(Debug, Clone)]
pub struct SetupArgs {
    /// The card's FAT partition.
    pub boot: PathBuf,
    pub data: PathBuf,
    /// Files of one start, `/run`.
    pub run: PathBuf,
}

/// Looks at the card, and prepares this start.
///
/// # Errors
/// When not even what happened can be written down.
pub fn run(args: &SetupArgs) -> anyhow::Result<()> {
    let keep = args.data.join("config");
    let mut status = match take_over(&args.boot, &keep) {
        Ok(status) => status,
        Err(e) => CardStatus {
            failed: format!("{e:#}"),
            ..CardStatus::new(CardFile::Failed)
        },
    };
    let machine = saved(&keep);
    status.configured = machine.is_some();
    match &status.card {
        CardFile::Wrong => {
            for problem in &status.problems {
                tracing::warn!(position = ?problem.position, key = problem.key, "{NAME}: {}", problem.message);
            }
        }
        CardFile::Failed => tracing::error!("{NAME} could not be stored: {}", status.failed),
        card => tracing::info!(?card, configured = status.configured, "{NAME} checked"),
    }
    // Not the service's own folder: what it may write must not decide who logs in.
    let into = args.run.join("yobiban-box");
    if let Some((node, machine)) = &machine {
        apply::apply(node, machine, &args.run)?;
    }
    let text = serde_json::to_vec(&status)?;
    replace_synced(&into.join("setup.json"), &text, 0o644).context("cannot write the result")?;
    Ok(())
}

/// What the box works by, if it is in order.
fn saved(keep: &Path) -> Option<(config::NodeConfig, config::MachineConfig)> {
    let text = fs::read_to_string(keep.join(KEPT)).ok()?;
    match config::parse_box(&text, NAME, keep) {
        Ok(config) => Some(config),
        Err(e) => {
            tracing::error!("the stored configuration is not valid: {e}");
            None
        }
    }
}

/// Takes a new or changed file over.
fn take_over(boot: &Path, keep: &Path) -> anyhow::Result<CardStatus> {
    let card = NAMES.iter().map(|name| boot.join(name));
    let Some(path) = card.into_iter().find(|path| path.is_file()) else {
        return Ok(CardStatus::new(CardFile::Missing));
    };
    let rewriting = keep.join(REWRITING);
    let left = fs::read_to_string(keep.join(CARD)).unwrap_or_default();
    let typed = match read(&path) {
        Ok(Ok(typed)) => typed,
        Ok(Err(e)) if rewriting.exists() && !left.is_empty() => {
            tracing::warn!("the card's file is truncated, restoring it: {e}");
            return rewrite(&path, &left, &rewriting);
        }
        Ok(Err(e)) => return Ok(CardStatus::wrong(&ConfigError::whole(NAME, e, ""))),
        Err(e) if rewriting.exists() && !left.is_empty() => {
            tracing::warn!("the card's file is truncated, restoring it: {e}");
            return rewrite(&path, &left, &rewriting);
        }
        Err(e) => {
            let error = ConfigError::whole(NAME, ProblemKind::Unreadable, format_args!("it: {e}"));
            return Ok(CardStatus::wrong(&error));
        }
    };
    if typed == left {
        let _ = fs::remove_file(&rewriting); // most often not there
        return Ok(CardStatus::new(CardFile::Same));
    }
    match check(&typed, keep)? {
        Ok(whole) => {
            let shown = shown(&typed)?;
            commit(&whole, &shown, keep)?;
            rewrite(&path, &shown, &rewriting)?;
            Ok(CardStatus::new(CardFile::Taken))
        }
        // The power went while the card was written: what was typed is kept already.
        Err(_) if rewriting.exists() && !left.is_empty() => rewrite(&path, &left, &rewriting),
        Err(wrong) => Ok(CardStatus::wrong(&wrong)),
    }
}

/// The text of the card's file, and why there is none.
fn read(path: &Path) -> io::Result<Result<String, NotUtf8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is longer than 1 MiB: expected a text"));
    }
    Ok(text::decode(&bytes).map(|text| text.text))
}

/// What is left on the card: without secrets, with a note.
fn shown(typed: &str) -> Result<String, ConfigError> {
    let text = config::redacted(typed, Secrecy::All)?;
    let rest = without_note(&text);
    Ok(format!("{NOTE}\n{rest}"))
}

/// A text without the note in front of it, of this version or of the one before, whatever an editor
/// made of its line ends.
fn without_note(text: &str) -> &str {
    let noted = |line: &str| NOTE.lines().chain(FORMER_NOTE.lines()).any(|l| l == line);
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n')
        && noted(line.trim_end_matches('\r'))
    {
        rest = after;
    }
    if rest.len() == text.len() {
        return text;
    }
    let rest = rest.strip_prefix('\r').unwrap_or(rest);
    rest.strip_prefix('\n').unwrap_or(rest)
}

/// Checks a text beside the files that it holds; the text with the secrets that the box has.
fn check(typed: &str, keep: &Path) -> anyhow::Result<Result<String, ConfigError>> {
    let known = fs::read_to_string(keep.join(KEPT)).unwrap_or_default();
    let whole = match config::restored(typed, NAME, &known) {
        Ok(whole) => whole,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let trial = keep.join("trial");
    let _ = fs::remove_dir_all(&trial); // of a start that was cut off
    fs::create_dir_all(&trial).with_context(|| format!("cannot write to {}", keep.display()))?;
    for (name, text) in files(&whole) {
        replace_synced(&trial.join(name), text.as_bytes(), 0o640)?;
    }
    config::warn_of_old_names(typed, NAME);
    let checked = config::parse_box(&whole, NAME, &trial);
    fs::remove_dir_all(&trial).context("cannot remove the trial folder")?;
    Ok(checked.map(|_| whole))
}

/// The files that a text holds, by name. A name with a folder in it is refused by the check.
fn files(text: &str) -> BTreeMap<String, String> {
    let table: toml::Table = text.parse().unwrap_or_default();
    let files = table.get("files").and_then(toml::Value::as_table);
    let files = files.into_iter().flatten();
    files
        .filter(|(name, _)| !name.contains('/') && !name.starts_with('.'))
        .filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())))
        .collect()
}

/// Keeps a checked text: its files first, what says that all is there last.
fn commit(whole: &str, shown: &str, keep: &Path) -> anyhow::Result<()> {
    let files = files(whole);
    replace_synced(&keep.join(WIPE), b"", 0o600)?;
    let mut wanted: BTreeSet<&str> = [KEPT, NODE, CARD, REWRITING, WIPE].into();
    for (name, text) in &files {
        replace_synced(&keep.join(name), text.as_bytes(), 0o640)?;
        wanted.insert(name);
    }
    let node = config::redacted(whole, Secrecy::Wifi)?;
    replace_synced(&keep.join(NODE), node.as_bytes(), 0o640)?;
    replace_synced(&keep.join(KEPT), whole.as_bytes(), 0o600)?;
    replace_synced(&keep.join(CARD), shown.as_bytes(), 0o600)?;
    // Not before: where there is no room for the rest, the card stays as it was typed.
    replace_synced(&keep.join(REWRITING), b"", 0o600)?;
    // Files that no configuration names any more may hold keys.
    for entry in fs::read_dir(keep)?.flatten() {
        let known = entry
            .file_name()
            .to_str()
            .is_some_and(|name| wanted.contains(name));
        if !known && entry.path().is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Overwrites the card's file in place, so that what it held is gone, and says that all is done.
fn rewrite(path: &Path, shown: &str, rewriting: &Path) -> anyhow::Result<CardStatus> {
    let what = || format!("cannot rewrite {}", path.display());
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(path)
        .with_context(what)?;
    let before = usize::try_from(file.metadata().with_context(what)?.len()).unwrap_or(0);
    let mut text = shown.as_bytes().to_vec();
    let long = text.len();
    text.resize(long.max(before), b'\n');
    file.write_all(&text).with_context(what)?;
    file.sync_all().with_context(what)?;
    file.set_len(long as u64).with_context(what)?;
    file.sync_all().with_context(what)?;
    let _ = fs::remove_file(rewriting); // looked at again at the next start
    Ok(CardStatus::new(CardFile::Same))
}
