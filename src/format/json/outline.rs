//! The outline of a document: its containers near the top, their keys and sizes, without the rows.
//!
//! Reads brackets and texts only. What it passes over is checked by who reads it; a text whose
//! brackets do not match has no outline.

use std::borrow::Cow;

use super::tape::unescaped;

/// Containers nested deeper than this are passed over.
const DEEPEST: usize = 8;
/// So many elements of an array are looked into; all are counted.
const ELEMENTS: usize = 50;
/// So many keys of an object are looked into; all are counted.
const KEYS: u64 = 2_000;
/// So many items make an outline at most.
const ITEMS: usize = 100_000;

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

/// A value and, near the top, what is in it.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    /// The key as it is written, without its quotes; empty in an array.
    pub key: &'a [u8],
    pub sort: Sort,
    /// Where it stands in the text, brackets and quotes included.
    pub start: usize,
    pub end: usize,
    /// Elements or pairs of a container.
    pub count: u64,
    /// Elements by sort: arrays, objects, nulls.
    pub arrays: u64,
    pub objects: u64,
    pub nulls: u64,
    /// The first elements, or pairs.
    pub inner: Vec<Item<'a>>,
}

impl<'a> Item<'a> {
    /// The key without its escapes.
    pub(super) fn name(&self) -> Cow<'a, str> {
        match String::from_utf8_lossy(self.key) {
            name if name.contains('\\') => Cow::Owned(unescaped(&name)),
            name => name,
        }
    }

    /// The value of a key; the last one counts.
    pub(super) fn get(&self, key: &str) -> Option<&Item<'a>> {
        self.inner.iter().rev().find(|item| self.sort == Sort::Object && item.name() == key)
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.end - self.start
    }
}

/// The outline of the value that begins at `at`, blanks before it allowed.
pub(super) fn outline(text: &[u8], at: usize) -> Option<Item<'_>> {
    let mut skim = Skim { text, at, items: 0 };
    skim.blanks();
    skim.item(b"", DEEPEST)
}

/// The first elements of the array that begins at `at`; what stands behind them is not looked at.
pub(super) fn first_elements(text: &[u8], at: usize, wanted: usize) -> Option<Vec<Item<'_>>> {
    let mut skim = Skim { text, at: at + 1, items: 0 };
    let mut elements = Vec::new();
    loop {
        skim.blanks();
        if elements.is_empty() && skim.next() == Some(b']') {
            return Some(elements);
        }
        elements.push(skim.item(b"", 3)?);
        skim.blanks();
        match skim.next()? {
            b',' if elements.len() < wanted => skim.at += 1,
            b',' | b']' => return Some(elements),
            _ => return None,
        }
    }
}

/// Whether a byte is blank between values.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Where the first byte stands that is not blank, from `at` on.
pub(super) fn skip_blanks(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_blank(**byte)).count()
}

struct Skim<'a> {
    text: &'a [u8],
    at: usize,
    items: usize,
}

impl<'a> Skim<'a> {
    fn next(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        self.at = skip_blanks(self.text, self.at);
    }

    /// One value; what is in it is kept down to `depth`.
    fn item(&mut self, key: &'a [u8], depth: usize) -> Option<Item<'a>> {
        let start = self.at;
        let sort = sort_of(self.next()?)?;
        self.items += 1;
        let (mut count, mut arrays, mut objects, mut nulls) = (0, 0, 0, 0);
        let mut inner = Vec::new();
        let looks_in = depth > 0 && self.items < ITEMS;
        match sort {
            Sort::Array if looks_in => {
                self.at += 1;
                self.blanks();
                while self.next()? != b']' {
                    match sort_of(self.next()?) {
                        Some(Sort::Array) => arrays += 1,
                        Some(Sort::Object) => objects += 1,
                        Some(Sort::Null) => nulls += 1,
                        _ => {}
                    }
                    if inner.len() < ELEMENTS {
                        inner.push(self.item(b"", depth - 1)?);
                    } else {
                        self.pass()?;
                    }
                    count += 1;
                    self.comma(b']')?;
                }
                self.at += 1;
            }
            Sort::Object if looks_in => {
                self.at += 1;
                self.blanks();
                while self.next()? != b'}' {
                    let key = self.string()?;
                    self.blanks();
                    if self.next()? != b':' {
                        return None;
                    }
                    self.at += 1;
                    self.blanks();
                    if count < KEYS {
                        inner.push(self.item(key, depth - 1)?);
                    } else {
                        self.pass()?;
                    }
                    count += 1;
                    self.comma(b'}')?;
                }
                self.at += 1;
            }
            _ => self.pass()?,
        }
        Some(Item { key, sort, start, end: self.at, count, arrays, objects, nulls, inner })
    }

    /// Behind an element: a comma, or the end of the container.
    fn comma(&mut self, end: u8) -> Option<()> {
        self.blanks();
        if self.next()? == b',' {
            self.at += 1;
            self.blanks();
            return (self.next()? != end).then_some(());
        }
        (self.next()? == end).then_some(())
    }

    /// A text; what stands between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at + 1;
        if self.next()? != b'"' {
            return None;
        }
        let mut at = start;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.text.get(at..)?)?;
            if self.text[at] == b'"' {
                self.at = at + 1;
                return Some(&self.text[start..at]);
            }
            at += 2;
        }
    }

    /// Goes over one value, whatever is in it.
    fn pass(&mut self) -> Option<()> {
        match self.next()? {
            b'"' => {
                self.string()?;
            }
            b'[' | b'{' => {
                let mut depth = 0usize;
                loop {
                    let rest = self.text.get(self.at..)?;
                    self.at += rest.iter().position(|byte| MARKS[usize::from(*byte)])?;
                    match self.text[self.at] {
                        b'"' => {
                            self.string()?;
                            continue;
                        }
                        b'[' | b'{' => depth += 1,
                        _ => depth -= 1,
                    }
                    self.at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => {
                let is_end = |byte: &u8| is_blank(*byte) || matches!(byte, b',' | b']' | b'}');
                let rest = &self.text[self.at..];
                self.at += rest.iter().position(is_end).unwrap_or(rest.len());
            }
        }
        Some(())
    }
}

/// Brackets and quotes.
static MARKS: [bool; 256] = {
    let mut marks = [false; 256];
    let mut index = 0;
    while index < 5 {
        marks[b"[]{}\""[index] as usize] = true;
        index += 1;
    }
    marks
};

fn sort_of(byte: u8) -> Option<Sort> {
    Some(match byte {
        b'{' => Sort::Object,
        b'[' => Sort::Array,
        b'"' => Sort::Text,
        b't' | b'f' => Sort::Bool,
        b'n' => Sort::Null,
        b'-' | b'0'..=b'9' => Sort::Number,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_counts_what_it_does_not_keep() {
        let rows: Vec<String> = (0..500).map(|n| format!("{{\"a\": [{n}, \"]}}\"]}}")).collect();
        let text = format!("{{\"m\": null, \"d\": [{}, null]}} {{", rows.join(", "));
        let root = outline(text.as_bytes(), 0).unwrap();
        let data = root.get("d").unwrap();
        assert_eq!((data.count, data.objects, data.nulls, data.inner.len()), (501, 500, 1, 50));
        assert_eq!(&text[data.end..], "} {");
        assert_eq!(root.end, text.len() - 2);
    }

    #[test]
    fn brackets_that_do_not_match_have_none() {
        for text in ["{\"a\": [1, 2}", "[1, 2", "{\"a\" 1}", "[1 2]", "[1,]", "{'a': 1}", ""] {
            assert!(outline(text.as_bytes(), 0).is_none(), "{text}");
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        let text = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(outline(text.as_bytes(), 0).unwrap().end, text.len());
        assert!(outline(&text.as_bytes()[..1_500_000], 0).is_none());
    }
}
