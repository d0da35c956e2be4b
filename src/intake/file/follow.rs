//! Follows a file that grows: which bytes come next, whatever happens to the file.
//!
//! Each look reads from the last whole line on, so that a half-written line is read again when it is
//! complete. Before what is new is read, the bytes before it are compared with those that were read:
//! a file that was emptied and filled again is noticed even when it is longer than before.
//!
//! | what happened | what follows |
//! |---|---|
//! | renamed, and a new one in its place | the rest of the old one, then the new one |
//! | emptied, and other lines in it | from its beginning |
//! | emptied, and the same lines in it again (a new upload) | continues where it stopped |
//! | written over with zeros, or nothing | waits; after [`MAX_DOUBT`] looks it begins again |

use super::super::Fault;
use super::super::decode::Encoding;
use super::position::{FileId, MARK, Position, mark, marked, read_at};
use super::split::{READ, Split, split};
use super::target::Target;
use super::{FileConfig, LOOK_BACK};
use crate::source::Seen;
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::time::SystemTime;

/// For how many looks a file that was emptied may be one that is being uploaded again.
pub(super) const MAX_DOUBT: u32 = 10;

/// Longest line with the names of columns, in bytes.
const MAX_HEADER: usize = 4 * 1024;

/// Whole lines; none where only the position has changed.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) text: String,
    pub(super) position: Position,
    pub(super) seen: Seen,
    pub(super) skipped: u64,
    pub(super) malformed: bool,
}

/// What one look at a file found.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) batch: Option<Batch>,
    /// Whether there is more to read at once.
    pub(super) more: bool,
    /// What is wrong.
    pub(super) fault: Option<Fault>,
}

impl Look {
    fn more() -> Self {
        Self {
            more: true,
            ..Self::default()
        }
    }
}

/// Reads a growing file.
pub(super) struct Follower {
    target: Target,
    encoding: Encoding,
    header: bool,
    current: Option<Current>,
    /// Where to continue when the file must be opened again.
    position: Option<Position>,
    /// The last position that was handed on.
    handed_on: Option<Position>,
    /// Looks since something may have begun again.
    doubt: u32,
    /// Whether the end of the file with its final name was reached once.
    caught_up: bool,
}

/// The file that is being read.
struct Current {
    file: File,
    name: OsString,
    id: FileId,
    offset: u64,
    skipping: bool,
    skipped: u64,
    /// The first bytes, up to the offset.
    head: Vec<u8>,
    /// The last bytes before the offset.
    tail: Vec<u8>,
    /// The line with the names of the columns.
    header: Option<String>,
    /// What is before this offset was there before anybody looked.
    backlog: u64,
    /// Length and time of change when it was last compared.
    compared: Option<(u64, Option<SystemTime>)>,
    /// Whether another file was found in its place.
    replaced: bool,
    /// Whether it was read to its end once more since then.
    drained: bool,
}

/// Whether a file is still the one that was read.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Continues,
    /// It may be in the middle of being written again.
    Unsure,
    BeginsAgain,
}

impl Follower {
    pub(super) fn new(config: &FileConfig, from: Option<Position>) -> Self {
        Self {
            target: Target::new(&config.path),
            encoding: config.encoding,
            header: config.header,
            current: None,
            position: from.clone(),
            handed_on: from,
            doubt: 0,
            caught_up: false,
        }
    }

    /// Looks once. `gap` says that the look before was long ago, so that what is new now may be old.
    pub(super) fn look(&mut self, gap: bool) -> Look {
        match self.try_look(gap) {
            Ok(look) => look,
            Err(fault) => {
                // Opened again, with the number that it then has.
                self.current = None;
                self.caught_up = false;
                Look {
                    fault: Some(fault),
                    ..Look::default()
                }
            }
        }
    }

    fn try_look(&mut self, gap: bool) -> Result<Look, Fault> {
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.open()?,
        };
        let wrong = |target: &Target, e: &io::Error| target.io_fault(e);
        let metadata = current
            .file
            .metadata()
            .map_err(|e| wrong(&self.target, &e))?;
        let length = metadata.len();
        if gap {
            current.backlog = length;
        }
        let stamp = Some((length, metadata.modified().ok()));
        if current.compared != stamp || self.doubt > 0 && !current.replaced {
            let standing = current
                .compare(length)
                .map_err(|e| wrong(&self.target, &e))?;
            match standing {
                Standing::Continues => self.doubt = 0,
                Standing::Unsure if self.doubt < MAX_DOUBT => {
                    self.doubt += 1;
                    self.current = Some(current);
                    return Ok(Look::default());
                }
                Standing::Unsure | Standing::BeginsAgain => {
                    self.doubt = 0;
                    current.begin_again();
                }
            }
            current.compared = stamp;
        }
        let read = current.read(length, self.encoding, self.header);
        let batch = match read.map_err(|e| wrong(&self.target, &e))? {
            Read::Lines(batch) => Some(batch),
            Read::Nothing => None,
            Read::Progress => {
                self.position = Some(current.position());
                self.current = Some(current);
                return Ok(Look::more());
            }
        };
        if let Some(batch) = batch {
            self.position = Some(batch.position.clone());
            self.handed_on = self.position.clone();
            self.current = Some(current);
            return Ok(Look {
                batch: Some(batch),
                ..Look::more()
            });
        }
        Ok(self.at_the_end(current))
    }

    /// All of the file is read: looks whether another one is in its place. What is wrong with that one
    /// does not end the reading of this one.
    fn at_the_end(&mut self, mut current: Current) -> Look {
        let next = self.target.after(&current.name).and_then(|name| {
            let (file, metadata) = self.target.open(&name)?;
            Ok((name, file, metadata))
        });
        let (name, mut file, metadata) = match next {
            Ok(next) => next,
            Err(fault) => {
                self.current = Some(current);
                return Look {
                    fault: Some(fault),
                    ..Look::default()
                };
            }
        };
        let id = FileId::of(&metadata);
        if id == current.id && (cfg!(unix) || name == current.name) {
            self.caught_up = true;
            self.doubt = 0;
            (current.replaced, current.drained) = (false, false);
            let batch = self.position_only(&mut current);
            self.current = Some(current);
            return Look {
                batch,
                ..Look::default()
            };
        }
        let named_by_day = self.target.is_pattern() && name != current.name;
        let standing = if named_by_day || current.offset == 0 {
            Ok(Standing::BeginsAgain)
        } else {
            current.compare_with(&mut file, metadata.len())
        };
        match standing {
            Err(e) => {
                let fault = Some(self.target.io_fault(&e));
                self.current = Some(current);
                return Look {
                    fault,
                    ..Look::default()
                };
            }
            Ok(Standing::Continues) => {
                (current.file, current.id, current.name) = (file, id, name);
                current.compared = None;
                (current.replaced, current.drained) = (false, false);
                self.doubt = 0;
                self.position = Some(current.position());
                self.current = Some(current);
                return Look::more();
            }
            Ok(Standing::Unsure) if self.doubt < MAX_DOUBT => {
                self.doubt += 1;
                current.replaced = true;
                self.current = Some(current);
                return Look::default();
            }
            Ok(Standing::Unsure | Standing::BeginsAgain) => {}
        }
        // Whatever was written to the old one until the new one was there is read first.
        if !current.drained {
            (current.replaced, current.drained) = (true, true);
            self.current = Some(current);
            return Look::more();
        }
        self.doubt = 0;
        let backlog = if self.caught_up { 0 } else { metadata.len() };
        let next = Current::begin(file, name, &metadata, backlog);
        self.position = Some(next.position());
        self.current = Some(next);
        Look::more()
    }

    /// A batch without lines where only the position has changed, as in a new file that is still empty:
    /// after a restart it is known although it may have another name then.
    fn position_only(&mut self, current: &mut Current) -> Option<Batch> {
        let position = current.position();
        if self.handed_on.as_ref() == Some(&position) {
            return None;
        }
        self.position = Some(position.clone());
        self.handed_on = Some(position.clone());
        Some(Batch {
            text: String::new(),
            position,
            seen: Seen::Live,
            skipped: std::mem::take(&mut current.skipped),
            malformed: false,
        })
    }

    /// Opens the file at the place where reading stopped, or, at the first look, so far from its end that
    /// the lines of a day are read.
    fn open(&mut self) -> Result<Current, Fault> {
        let Some(position) = self.position.clone() else {
            let name = self.target.newest()?;
            let (file, metadata) = self.target.open(&name)?;
            let length = metadata.len();
            let mut current = Current::begin(file, name, &metadata, length);
            let first = length.saturating_sub(LOOK_BACK) & !1; // whole units of UTF-16
            if first > 0 {
                self.jump(&mut current, first, true)?;
            }
            return Ok(current);
        };
        if let Some(found) = self.find(&position)? {
            let (mut file, name, metadata) = found;
            let marked = marked(&mut file, position.offset);
            let (head, tail) = marked.map_err(|e| self.target.io_fault(&e))?;
            let mut current = Current::begin(file, name, &metadata, metadata.len());
            self.jump(&mut current, position.offset, position.skipping)?;
            (current.head, current.tail) = (head, tail);
            return Ok(current);
        }
        let name = self.target.newest()?;
        let (file, metadata) = self.target.open(&name)?;
        Ok(Current::begin(file, name, &metadata, metadata.len()))
    }

    /// The file that a position is in: in its place, or renamed.
    fn find(&self, position: &Position) -> Result<Option<(File, OsString, Metadata)>, Fault> {
        let mut names = self.target.relatives()?;
        let newest = self.target.newest();
        if let Ok(newest) = &newest {
            names.retain(|name| name != newest);
            names.insert(0, newest.clone());
        }
        let mut best: Option<(File, OsString, Metadata)> = None;
        for name in names {
            // Of what cannot be read here nothing is missed: it may be of somebody else.
            let Ok((mut file, metadata)) = self.target.open(&name) else {
                continue;
            };
            if !position.is_in(&mut file).unwrap_or(false) {
                continue;
            }
            if FileId::of(&metadata) == position.file {
                return Ok(Some((file, name, metadata)));
            }
            best = best.or(Some((file, name, metadata)));
        }
        // The place itself must be there, or what is wrong with it is said.
        match best {
            None => newest
                .and_then(|name| self.target.open(&name))
                .map(|_| None),
            found => Ok(found),
        }
    }

    /// Continues at an offset; the names of the columns are read from the beginning.
    fn jump(&self, current: &mut Current, to: u64, skipping: bool) -> Result<(), Fault> {
        let wrong = |e: io::Error| self.target.io_fault(&e);
        if self.header && to > 0 {
            let begin = read_at(&mut current.file, 0, READ).map_err(wrong)?;
            let (encoding, mark) = Encoding::of_mark(&begin).unwrap_or((self.encoding, 0));
            let split = split(&begin[mark..], encoding, false);
            current.take_header(&split, &begin[mark..], encoding);
        }
        let marked = marked(&mut current.file, to).map_err(wrong)?;
        (current.head, current.tail) = marked;
        (current.offset, current.skipping) = (to, skipping);
        Ok(())
    }
}

/// What reading brought.
enum Read {
    Lines(Batch),
    /// Something was read, but no line to hand on.
    Progress,
    /// There is no whole line.
    Nothing,
}

impl Current {
    fn begin(file: File, name: OsString, metadata: &Metadata, backlog: u64) -> Self {
        Self {
            file,
            name,
            id: FileId::of(metadata),
            offset: 0,
            skipping: false,
            skipped: 0,
            head: Vec::new(),
            tail: Vec::new(),
            header: None,
            backlog,
            compared: None,
            replaced: false,
            drained: false,
        }
    }

    fn begin_again(&mut self) {
        (self.offset, self.skipping, self.backlog) = (0, false, 0);
        self.head.clear();
        self.tail.clear();
        self.header = None;
    }

    fn position(&self) -> Position {
        Position {
            file: self.id,
            offset: self.offset,
            skipping: self.skipping,
            mark: mark(&self.head, &self.tail),
        }
    }

    fn compare(&mut self, length: u64) -> io::Result<Standing> {
        compare(&mut self.file, length, self.offset, &self.head, &self.tail)
    }

    fn compare_with(&self, other: &mut File, length: u64) -> io::Result<Standing> {
        compare(other, length, self.offset, &self.head, &self.tail)
    }

    fn take_header(&mut self, split: &Split, bytes: &[u8], encoding: Encoding) {
        let Some(line) = split.lines.first() else {
            return;
        };
        let mut text = String::new();
        let line = &bytes[line.clone()];
        encoding.decode(&line[..line.len().min(MAX_HEADER)], &mut text);
        text.push('\n');
        self.header = Some(text);
    }

    /// Reads the next lines of a file of a length.
    fn read(&mut self, length: u64, configured: Encoding, header: bool) -> io::Result<Read> {
        let is_backlog = self.offset < self.backlog;
        let until = if is_backlog {
            self.backlog.min(length)
        } else {
            length
        };
        let most = usize::try_from(until.saturating_sub(self.offset)).unwrap_or(READ);
        if most == 0 {
            return Ok(Read::Nothing);
        }
        let mut bytes = read_at(&mut self.file, self.offset, most.min(READ))?;
        let begin = if self.offset == 0 { &bytes } else { &self.head };
        let (encoding, mark) = Encoding::of_mark(begin).unwrap_or((configured, 0));
        let mark = if self.offset == 0 { mark } else { 0 };
        // Some programs fill a file with zeros before they write, which are waited for; a power cut leaves
        // some in front of what is written later, which are passed.
        let zeros = zeros(&bytes, encoding.unit());
        if zeros > 0 {
            let end = length.saturating_sub(1024);
            if zeros == bytes.len() && is_unwritten(&read_at(&mut self.file, end, 1024)?) {
                return Ok(Read::Nothing);
            }
            self.advance(&bytes[..zeros]);
            return Ok(Read::Progress);
        }
        let written = bytes
            .iter()
            .rposition(|b| *b != 0)
            .map_or(0, |last| last + 1);
        bytes.truncate(written.next_multiple_of(encoding.unit()).min(bytes.len()));
        let body = &bytes[mark..];
        let mut split = split(body, encoding, self.skipping);
        if split.consumed == 0 {
            if is_backlog && until < length {
                self.backlog = self.offset; // the line that was being written at the first look
                return Ok(Read::Progress);
            }
            return Ok(Read::Nothing);
        }
        if header && self.header.is_none() && !split.lines.is_empty() {
            self.take_header(&split, body, encoding);
            split.lines.remove(0);
        }
        self.advance(&bytes[..mark + split.consumed]);
        self.skipping = split.skipping;
        self.skipped += split.skipped;
        if split.lines.is_empty() {
            return Ok(Read::Progress);
        }
        let mut text = self.header.clone().unwrap_or_default();
        let mut malformed = false;
        for line in split.lines {
            malformed |= encoding.decode(&body[line], &mut text);
            text.push('\n');
        }
        let seen = if is_backlog {
            Seen::Backlog
        } else {
            Seen::Live
        };
        Ok(Read::Lines(Batch {
            text,
            position: self.position(),
            seen,
            skipped: std::mem::take(&mut self.skipped),
            malformed,
        }))
    }

    fn advance(&mut self, bytes: &[u8]) {
        let room = MARK - self.head.len().min(MARK);
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.tail.extend_from_slice(bytes);
        let over = self.tail.len().saturating_sub(MARK);
        self.tail.drain(..over);
        self.offset += u64::try_from(bytes.len()).unwrap_or(0);
    }
}

/// How many bytes of zeros a text begins with, in whole code units.
fn zeros(bytes: &[u8], unit: usize) -> usize {
    let length = bytes.iter().position(|b| *b != 0);
    length.map_or(bytes.len(), |length| length - length % unit)
}

fn is_unwritten(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Compares a file of a length with what was read up to an offset.
fn compare(
    file: &mut File,
    length: u64,
    offset: u64,
    head: &[u8],
    tail: &[u8],
) -> io::Result<Standing> {
    if length >= offset {
        let (now, before) = marked(file, offset)?;
        if now == head && before == tail {
            return Ok(Standing::Continues);
        }
    }
    let now = read_at(file, 0, head.len())?;
    // The same beginning as far as it is there, or nothing yet: perhaps it is being uploaded again.
    let maybe = head.starts_with(&now) || is_unwritten(&now);
    Ok(if maybe {
        Standing::Unsure
    } else {
        Standing::BeginsAgain
    })
}
