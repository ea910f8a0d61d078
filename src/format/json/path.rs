//! Rows inside of a document: the option that names them, and what stands beside them.

use super::frame::{Finder, Frame};
use super::layout::Layout;
use super::notes;
use super::outline::{Item, Sort};
use crate::detect::position;
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// So many keys are named in an issue.
const NAMED: usize = 10;

impl<'a> Finder<'a, '_, '_> {
    /// The rows that the option `record_path` names.
    pub(super) fn by_path(&mut self, root: &Item<'a>, path: &[String]) -> Result<Frame> {
        let mut keys = path.to_vec();
        let dotted = |key: &String| key.contains('.') && root.get(key).is_none();
        if let [one] = path
            && dotted(one)
        {
            keys = one.split('.').map(str::to_owned).collect();
        }
        let mut item = root;
        for (depth, key) in keys.iter().enumerate() {
            item =
                step(item, key).ok_or_else(|| no_such_path(&keys[..=depth], item, self.shift))?;
        }
        let frame = match item.sort {
            Sort::Array => self.rows(item, keys, root)?,
            Sort::Object => self.object(item, keys, root)?,
            _ => return Err(no_such_path(&keys, item, self.shift).into()),
        };
        Ok(frame.unwrap_or(Frame::Document(0..self.text.len(), Layout::Row)))
    }

    /// Names what stands beside the rows, and is in no table. Rows that are in several parts of the
    /// object at `path` have `parts`.
    pub(super) fn note_left_out(&mut self, root: &Item<'a>, path: &[String], parts: &[&str]) {
        let mut names = Vec::new();
        let mut first = None;
        let mut object = root;
        let mut prefix = String::new();
        let mut doubled = Vec::new();
        let mut leave = |item: &Item<'_>, name: String| {
            first.get_or_insert(item.start..item.end);
            names.push(format!("{name:?}"));
        };
        for key in path {
            let Some(next) = step(object, key) else { break };
            for item in &object.inner {
                let is_kind = item.key == b"type" && path == ["features"];
                if item.start == next.start || is_kind {
                    continue;
                }
                if object.sort == Sort::Object && item.name() == *key {
                    doubled.push(key_start(self.text, next));
                    continue;
                }
                if object.sort == Sort::Array {
                    leave(item, format!("{prefix}*"));
                    break;
                }
                leave(item, format!("{prefix}{}", item.name()));
            }
            prefix.push_str(key);
            prefix.push('.');
            object = next;
        }
        if !parts.is_empty() {
            let others = object.inner.iter().filter(|item| !parts.contains(&&*item.name()));
            others.for_each(|item| leave(item, format!("{prefix}{}", item.name())));
        }
        if let Some(place) = doubled.first() {
            let issue = notes::doubled_keys(doubled.len() as u64, self.text, self.shift, *place);
            self.context.reporter.push(issue);
        }
        let Some(first) = first else { return };
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        let mut listed = names.join(", ");
        if more > 0 {
            listed.push_str(&format!(" and {more} more"));
        }
        let rows = match parts {
            [] => path.join("."),
            [.., rows] => format!("{prefix}{rows}"),
        };
        let message = format!("the rows are those of {rows:?}; left out: {listed}");
        self.context.reporter.push(
            Issue::warning(Stage::Parse, Code::SkippedKey, message)
                .line(position(self.text, first.start).0)
                .byte_offset(first.start as u64 + self.shift)
                .raw(&self.text[first])
                .hint("the option record_path names other rows"),
        );
    }
}

/// Where the key stands whose value an item is.
fn key_start(text: &[u8], item: &Item<'_>) -> usize {
    let before = text[..item.start].trim_ascii_end();
    let before = before.strip_suffix(b":").unwrap_or(before).trim_ascii_end();
    before.len().saturating_sub(item.key.len() + 2)
}

/// What a key, or the position in an array, leads to.
fn step<'o, 'a>(item: &'o Item<'a>, key: &str) -> Option<&'o Item<'a>> {
    match item.sort {
        Sort::Array => key.parse::<usize>().ok().and_then(|index| item.inner.get(index)),
        _ => item.get(key),
    }
}

fn no_such_path(path: &[String], item: &Item<'_>, shift: u64) -> Issue {
    let at = path.join(".");
    let message = match item.sort {
        Sort::Object => {
            let mut keys: Vec<String> =
                item.inner.iter().take(NAMED).map(|key| format!("{:?}", key.name())).collect();
            if item.count > NAMED as u64 {
                keys.push("…".into());
            }
            format!("record_path: there is no {at:?}; the keys there are {}", keys.join(", "))
        }
        Sort::Array => match item.inner.len() {
            0 => format!("record_path: {at:?} goes into an array that is empty"),
            1 => format!("record_path: {at:?} goes into an array of one element, expected 0"),
            many => format!(
                "record_path: {at:?} goes into an array, expected a position from 0 to {}",
                many - 1
            ),
        },
        _ => format!("record_path: {at:?} is neither array nor object"),
    };
    Issue::error(Stage::Parse, Code::BadOption, message)
        .byte_offset(item.start as u64 + shift)
        .hint("leave record_path out to have the rows found")
}
