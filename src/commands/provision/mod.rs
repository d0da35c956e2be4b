//! The files of a whole city from one table: a `yobiban.toml` for each node, certificates of an own
//! small authority for nodes, ticketing systems, hub and brokers, and what each broker lets in.
//!
//! A second run with a longer table keeps what is there: the authority, and every key and
//! certificate unless they are to be renewed. Nothing is written before all of the table is found in
//! order. Knows no network.

mod authority;
mod brokers;
mod row;
mod table;

pub use table::TableError;

use crate::clock::Now;
use crate::config::{MqttConfig, NodeConfig, text};
use crate::files::replace_synced;
use authority::{Authority, Purpose};
use brokers::Brokers;
use row::Row;
use std::io::Write;
use std::path::{Path, PathBuf};
use table::Table;

/// What to make.
#[derive(Debug)]
pub struct ProvisionArgs {
    /// The table of nodes, CSV.
    pub table: PathBuf,
    /// A node's configuration with what all have in common.
    pub template: Option<PathBuf>,
    pub out: PathBuf,
    /// Whether certificates and keys that are there are made anew; the authority's never are.
    pub renew: bool,
}

/// The own certificate, its key and the authority's certificate beside a configuration.
const CERTIFICATE: &str = "own.pem";
const KEY: &str = "own.key";
const AUTHORITY: &str = "ca.pem";

/// The keys by which a configuration names them, for each of its brokers.
const TLS_FILES: [(&str, &str); 3] = [("ca", AUTHORITY), ("cert", CERTIFICATE), ("key", KEY)];

/// Writes the files, and says on `out` what is where.
///
/// # Errors
/// [`TableError`] with everything that is wrong with the table, or a file that cannot be written.
pub fn run(args: &ProvisionArgs, now: Now, out: &mut impl Write) -> anyhow::Result<()> {
    let template = match &args.template {
        Some(path) => Some(read(path)?),
        None => None,
    };
    if let (Some(path), Some(text)) = (&args.template, &template) {
        crate::config::warn_of_old_names(text, &path.display().to_string());
    }
    let text = table_text(&args.table)?;
    let table = Table::read(&text, &args.table, template.as_deref())?;
    ensure_own_names(&args.out, &table)?;
    let authority = Authority::open(&args.out.join("authority"), now)?;
    let issue = |dir: &Path, name: &str, purpose: Purpose| {
        authority.issue(dir, name, purpose, args.renew, now)
    };
    let mut brokers = Brokers::default();
    for row in &table.rows {
        let dir = args.out.join("nodes").join(row.name());
        if row.uses_tls() {
            issue(&dir, &row.name(), Purpose::Client)?;
        }
        write(&dir.join("yobiban.toml"), &row.text(&dir)?, true)?;
        brokers.add(row);
    }
    for name in brokers.guests() {
        issue(&args.out.join("clients").join(name), name, Purpose::Client)?;
    }
    for (host, broker) in brokers.iter() {
        let dir = args.out.join("brokers").join(host.replace(':', "_"));
        issue(&dir, host, Purpose::Server)?;
        write(&dir.join("acl"), &broker.acl(), false)?;
    }
    writeln!(
        out,
        "{} nodes, {} brokers with TLS in {}\nnodes/NAME: for the card of that device; \
         clients/NAME: for ticketing systems and the hub;\nbrokers/HOST: certificate, key and \
         acl_file of that broker;\nauthority: keep it yourself, off the network; with \
         authority.key anybody can pose as any node",
        table.rows.len(),
        brokers.iter().count(),
        args.out.display()
    )?;
    Ok(())
}

/// Refuses a name that bears certificates of an earlier run for another purpose: whoever has one
/// would have the rights of the other.
fn ensure_own_names(out: &Path, table: &Table) -> anyhow::Result<()> {
    let taken = |folder: &str, name: &str| out.join(folder).join(name).exists();
    for row in &table.rows {
        let name = row.name();
        if taken("clients", &name) {
            return Err(TableError::whole(format!(
                "{}: line {}: node = {name:?}: expected another id: a ticketing system of an earlier table has this name",
                out.join("clients").display(),
                row.line
            ))
            .into());
        }
        for guest in brokers::guests(row) {
            if taken("nodes", &guest) {
                return Err(TableError::whole(format!(
                    "{}: line {}: office = {:?}: expected another id: a node of an earlier table has the name of its ticketing system, {guest}",
                    out.join("nodes").display(),
                    row.line,
                    row.config.office.as_str()
                ))
                .into());
            }
        }
    }
    Ok(())
}

impl Row {
    /// The name of its certificate and its folder.
    fn name(&self) -> String {
        format!("{}-{}", self.config.office, self.config.node)
    }

    /// Its configuration as it is written: with the files beside it, so that a box made from the
    /// image needs this one file.
    fn text(&self, dir: &Path) -> anyhow::Result<String> {
        let mut whole = self.toml.clone();
        if self.uses_tls() {
            let files = table::section(&mut whole, "files");
            for (_, file) in TLS_FILES {
                files.insert(file.into(), read(&dir.join(file))?.into());
            }
        }
        for (name, _) in with_tls(&self.config) {
            let broker = table::section(&mut whole, name);
            for (key, file) in TLS_FILES {
                broker.insert(key.into(), file.into());
            }
        }
        Ok(toml::to_string_pretty(&whole)?)
    }

    fn uses_tls(&self) -> bool {
        with_tls(&self.config).next().is_some()
    }
}

/// The brokers of a node that ask for certificates, by the names of their tables.
fn with_tls(config: &NodeConfig) -> impl Iterator<Item = (&'static str, &MqttConfig)> {
    let brokers = [
        ("mqtt", Some(&config.mqtt)),
        ("uplink", config.uplink.as_ref()),
    ];
    brokers
        .into_iter()
        .filter_map(|(name, broker)| Some((name, broker?)))
        .filter(|(_, broker)| broker.tls.is_some())
}

/// A city has a thousand nodes at most, each a line of some hundred bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

fn read(path: &Path) -> anyhow::Result<String> {
    // Spreadsheets put a byte order mark in front.
    text::read_text(path, MAX_BYTES)
        .map(|text| text.text)
        .map_err(|why| anyhow::anyhow!("cannot read {}: {why}", path.display()))
}

/// The table's text; one that is not UTF-8 is a mistake in the table, with its place.
fn table_text(path: &Path) -> anyhow::Result<String> {
    let bytes = text::read_bytes(path, MAX_BYTES)
        .map_err(|why| anyhow::anyhow!("cannot read {}: {why}", path.display()))?;
    match text::decode(&bytes) {
        Ok(text) => Ok(text.text),
        Err(wrong) => {
            let before = bytes.get(..wrong.at).unwrap_or_default();
            let line = before.iter().filter(|b| **b == b'\n').count() + 1;
            let start = before
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |n| n + 1);
            let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
            Err(TableError::whole(format!(
                "{}:{line}:{column}: {wrong}; Excel: \"CSV UTF-8\"",
                path.display()
            ))
            .into())
        }
    }
}

/// Writes a file; a `secret` one is its owner's alone.
fn write(path: &Path, text: &str, secret: bool) -> anyhow::Result<()> {
    let mode = if secret { 0o600 } else { 0o644 };
    replace_synced(path, text.as_bytes(), mode)
}
