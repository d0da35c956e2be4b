//! Checks one field of a rule.

use super::compile::Check;
use super::field::{Field, Origin};
use super::path::Path;
use super::raw::RawFieldTable;
use super::time::{TimeFormat, TimeRule};
use crate::model::Label;
use crate::source::tree;
use jiff::tz::TimeZone;
use regex::Regex;

/// Most paths of one field, and most texts of `none`, `in` or `map`.
const MAX_LIST: usize = 64;

impl Check {
    pub(super) fn field(
        &mut self,
        name: &'static str,
        key: &str,
        raw: &RawFieldTable,
    ) -> Option<Field> {
        let origin = self.origin(name, key, raw)?;
        let sub = |part: &str| format!("{key}.{part}");
        let take = match &raw.take {
            Some(text) => Some(self.expression(&sub("take"), text)?),
            None => None,
        };
        let mut none = self
            .limited(&sub("none"), raw.none.as_deref().unwrap_or_default())
            .to_vec();
        none.extend(self.none.iter().cloned());
        let map = raw.map.clone().unwrap_or_default();
        let map: Vec<_> = map.into_iter().collect();
        let map = self.limited(&sub("map"), &map).to_vec();
        let prefix = raw.prefix.clone().unwrap_or_default();
        if !prefix.is_empty() && Label::new(&prefix).is_err() {
            self.wrong(
                &sub("prefix"),
                Some(&prefix),
                "expected at most 12 printable characters",
            );
        }
        let digits = raw.digits.unwrap_or(0);
        if digits > 12 {
            let found = digits.to_string();
            self.wrong(&sub("digits"), Some(&found), "expected at most 12");
        }
        Some(Field {
            name,
            origin,
            of_message: raw.of_message.unwrap_or(false),
            take,
            none,
            map,
            time: self.time(key, raw)?,
            prefix,
            digits: raw.digits.map(|_| usize::try_from(digits).unwrap_or(0)),
        })
    }

    fn origin(&mut self, name: &str, key: &str, raw: &RawFieldTable) -> Option<Origin> {
        let sub = |part: &str| format!("{key}.{part}");
        let mut origins = Vec::new();
        if let Some(text) = &raw.path {
            origins.push(Origin::Paths(vec![self.path(&sub("path"), text)?]));
        }
        if let Some(texts) = &raw.paths {
            origins.push(Origin::Paths(self.paths(&sub("paths"), texts)?));
        }
        if let Some(text) = &raw.text {
            origins.push(Origin::Fixed(text.0.clone()));
        }
        if let Some(text) = &raw.count {
            origins.push(Origin::Count(self.path(&sub("count"), text)?));
        }
        if let Some(from) = &raw.from {
            match from.as_str() {
                "ticket" => origins.push(Origin::Field("ticket")),
                "counter" => origins.push(Origin::Field("counter")),
                other => {
                    self.wrong(&sub("from"), Some(other), "expected ticket or counter");
                    return None;
                }
            }
        }
        if let (Some(date), Some(time)) = (&raw.date, &raw.time) {
            let date = self.path(&sub("date"), date)?;
            origins.push(Origin::DateAndTime(date, self.path(&sub("time"), time)?));
        }
        match origins.len() {
            1 => origins.pop(),
            // In a list of calls the element itself is the ticket.
            0 if name == "ticket" => Some(Origin::Paths(Vec::new())),
            _ => {
                let message = "expected one of path, paths, from, text, count, or date and time";
                self.wrong(key, None, message);
                None
            }
        }
    }

    fn time(&mut self, key: &str, raw: &RawFieldTable) -> Option<TimeRule> {
        let zone = match &raw.zone {
            None => None,
            Some(name) => match TimeZone::get(name) {
                Ok(zone) => Some(zone),
                Err(_) => {
                    let message = "expected a time zone such as UTC or Asia/Tokyo";
                    self.wrong(&format!("{key}.zone"), Some(name), message);
                    return None;
                }
            },
        };
        let format = match raw.format.as_deref().map(TimeFormat::new) {
            None => TimeFormat::Any,
            Some(Ok(format)) => format,
            Some(Err(why)) => {
                self.wrong(&format!("{key}.format"), raw.format.as_deref(), why);
                return None;
            }
        };
        Some(TimeRule { zone, format })
    }

    pub(super) fn expression(&mut self, key: &str, text: &str) -> Option<Regex> {
        match tree::expression(text) {
            Ok(regex) => Some(regex),
            Err(why) => {
                self.wrong(key, Some(text), format!("not a regular expression: {why}"));
                None
            }
        }
    }

    pub(super) fn path(&mut self, key: &str, text: &str) -> Option<Path> {
        match Path::new(text) {
            Ok(path) => Some(path),
            Err(why) => {
                self.wrong(key, Some(text), why);
                None
            }
        }
    }

    pub(super) fn paths(&mut self, key: &str, texts: &[String]) -> Option<Vec<Path>> {
        let texts = self.limited(key, texts);
        let paths = texts.iter().filter_map(|text| self.path(key, text));
        let paths: Vec<_> = paths.collect();
        if texts.is_empty() {
            self.wrong(key, None, "expected at least one path");
        }
        (!paths.is_empty() && paths.len() == texts.len()).then_some(paths)
    }

    pub(super) fn limited<'t, T>(&mut self, key: &str, list: &'t [T]) -> &'t [T] {
        if list.len() > MAX_LIST {
            let n = list.len();
            self.wrong(
                key,
                None,
                format!("{n} entries: expected at most {MAX_LIST}"),
            );
        }
        list.get(..MAX_LIST).unwrap_or(list)
    }
}
