//! Characters that the fonts do not have. A replacement sign is drawn for each; maintenance staff are
//! told which characters they are.

use super::view::View;
use super::{Kind, Painter, led};
use crate::model::Name;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Most characters that are listed: a name in a script that the fonts do not have is all of them.
const LISTED: usize = 8;

/// The characters that a board could not draw, of the texts that it was looked at with last.
#[derive(Debug, Default)]
pub(super) struct MissingGlyphs {
    hash: Option<u64>,
    missing: BTreeSet<char>,
}

impl Painter {
    /// Says which characters of a view stand on the board as the sign for a missing one; `None`
    /// when all are drawn. Costs little while the texts stay the same.
    pub fn missing_glyphs(&mut self, view: &View) -> Option<String> {
        let texts = view.texts();
        let mut hasher = DefaultHasher::new();
        texts.hash(&mut hasher);
        let hash = hasher.finish();
        if self.missing_glyphs.hash != Some(hash) {
            let missing = texts.iter().flat_map(|text| self.missing(text)).collect();
            self.missing_glyphs = MissingGlyphs {
                hash: Some(hash),
                missing,
            };
        }
        listed(&self.missing_glyphs.missing)
    }

    /// The same of names, in the languages that boards show.
    pub fn names_with_missing_glyphs<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a Name>,
    ) -> Option<String> {
        let texts = names
            .into_iter()
            .flat_map(|name| [Some(name.best("ja")), name.get("en")])
            .flatten();
        let missing = texts.flat_map(|text| self.missing(text)).collect();
        listed(&missing)
    }

    fn missing(&mut self, text: &str) -> Vec<char> {
        match &mut self.kind {
            Kind::Screen(screen) => screen.fonts.missing(text),
            Kind::Led(_) => led::missing(text),
        }
    }
}

/// Names characters by their code points: fonts that show them are rare by nature.
fn listed(missing: &BTreeSet<char>) -> Option<String> {
    let points = missing.iter().take(LISTED);
    let mut points: Vec<String> = points.map(|c| format!("U+{:04X}", u32::from(*c))).collect();
    if missing.len() > LISTED {
        points.push(format!("{} more", missing.len() - LISTED));
    }
    (!points.is_empty()).then(|| points.join(", "))
}

impl View {
    /// Every text that comes from a source or a configuration.
    fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = vec![&self.office.0, &self.office.1];
        for line in &self.lines {
            texts.extend([line.name.as_str(), line.english.as_str()]);
            texts.extend(line.ticket.as_deref());
            texts.extend(line.counter.as_ref().map(|c| c.label.as_str()));
            texts.extend(line.next.iter().map(String::as_str));
        }
        for call in self.calls.iter().chain(&self.recent) {
            texts.extend([call.queue.as_str(), call.ticket.as_str()]);
            texts.extend(call.counter.as_ref().map(|c| c.label.as_str()));
        }
        let notice = self.notice.iter();
        texts.extend(notice.flat_map(|(ja, en)| [ja.as_str(), en.as_str()]));
        texts
    }
}
