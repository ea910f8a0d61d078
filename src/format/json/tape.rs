//! The tape: all values of a text one after the other, and how to walk them.

use std::borrow::Cow;

use super::rows::unescape;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    /// Text without escapes.
    Text,
    /// Text with escapes.
    EscapedText,
    Array,
    Object,
}

/// One value on the tape. A container's children follow it; an object's are key, value, key, value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub kind: Kind,
    /// For a container: how many elements or pairs.
    pub count: u32,
    /// Where its text begins and ends in the document; quotes of texts not included.
    pub start: u32,
    pub end: u32,
    /// The tape index behind the value and all in it.
    pub next: u32,
}

/// A parsed document.
pub(super) struct Document<'a> {
    pub text: &'a [u8],
    pub nodes: Vec<Node>,
    /// The values at the top: one, or the rows.
    pub roots: Vec<u32>,
    pub shift: u64,
}

impl Document<'_> {
    pub(super) fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
    }

    /// The value's text as the file has it.
    pub(super) fn raw(&self, index: u32) -> &[u8] {
        let node = self.node(index);
        match node.kind {
            Kind::Text | Kind::EscapedText => {
                &self.text[node.start as usize - 1..node.end as usize + 1]
            }
            _ => &self.text[node.start as usize..node.end as usize],
        }
    }

    /// The scalar as text: a text without its quotes and escapes, anything else as it stands.
    pub(super) fn scalar_text(&self, index: u32) -> Cow<'_, str> {
        let node = self.node(index);
        let raw = String::from_utf8_lossy(&self.text[node.start as usize..node.end as usize]);
        if node.kind == Kind::EscapedText { Cow::Owned(unescaped(&raw)) } else { raw }
    }

    /// The elements of an array.
    pub(super) fn elements(&self, index: u32) -> Elements<'_> {
        let node = self.node(index);
        Elements { nodes: &self.nodes, at: index + 1, end: node.next }
    }

    /// The pairs of an object: key, value.
    pub(super) fn pairs(&self, index: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut elements = self.elements(index);
        std::iter::from_fn(move || Some((elements.next()?, elements.next()?)))
    }

    /// The value of a key; the last one counts.
    pub(super) fn get(&self, object: u32, key: &str) -> Option<u32> {
        let pairs = self.pairs(object).filter(|(name, _)| self.scalar_text(*name) == key);
        pairs.last().map(|(_, value)| value)
    }
}

pub(super) struct Elements<'a> {
    nodes: &'a [Node],
    at: u32,
    end: u32,
}

impl Iterator for Elements<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let index = self.at;
        (index < self.end).then(|| {
            self.at = self.nodes[index as usize].next;
            index
        })
    }
}

/// Escapes resolved; they were checked when the text was parsed.
pub(super) fn unescaped(raw: &str) -> String {
    let mut text = Vec::with_capacity(raw.len());
    unescape(raw.as_bytes(), 0, raw.len(), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
