//! Text to a tape: strict RFC 8259, depth bounded, no recursion.

use std::borrow::Cow;

use crate::context::Context;
use crate::detect::position;
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage, quote};

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
    /// The values at the top: one, or many in newline-delimited JSON.
    pub roots: Vec<u32>,
    pub shift: u64,
}

/// Positions on the tape are 32 bits wide, so a document is at most this long.
const LONGEST: usize = u32::MAX as usize;

/// Parses the whole text.
pub(super) fn parse<'a>(
    text: &'a [u8],
    shift: u64,
    context: &mut Context<'_>,
) -> Result<Document<'a>> {
    if text.len() > LONGEST {
        let message = "a JSON document of more than 4 GiB";
        let issue = Issue::limit(Code::ValueTooLarge, message, "inflated_bytes");
        return Err(issue.hint("split it, or convert it to csv or parquet").into());
    }
    let mut parser = Parser {
        text,
        at: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        depth: context.limits.json_depth,
        value_bytes: context.limits.value_bytes,
    };
    let mut roots: Vec<u32> = Vec::new();
    let document = |nodes, roots| Document { text, nodes, roots, shift };
    loop {
        let gap = parser.at;
        parser.skip_blanks();
        if parser.at == text.len() {
            break;
        }
        if !roots.is_empty() {
            // Values one after the other are rows if each is an object, or arrays each in a line.
            let follows_newline = text[gap..parser.at].contains(&b'\n');
            let first = parser.nodes[roots[0] as usize].kind;
            let fits = match (first, text[parser.at]) {
                (Kind::Object, b'{') => true,
                (Kind::Array, b'[') => follows_newline,
                _ => false,
            };
            if !fits {
                let message = format!(
                    "got {} after the end of the document, expected nothing",
                    parser.show(parser.at)
                );
                return Err(fail(text, shift, parser.at, message));
            }
        }
        roots.push(parser.nodes.len() as u32);
        parser.value().map_err(|problem| problem.into_error(text, shift, parser.depth))?;
        if roots.len().is_multiple_of(1024) {
            context.progress().done(parser.at as u64);
        }
    }
    if roots.is_empty() {
        let issue = Issue::error(Stage::Parse, Code::Empty, "the file holds no JSON value");
        return Err(issue.line(1).byte_offset(shift).into());
    }
    Ok(document(parser.nodes, roots))
}

/// An error at an offset, with line, column, byte offset and the line's text.
pub(super) fn fail(text: &[u8], shift: u64, at: usize, message: String) -> Error {
    let (line, column) = position(text, at);
    let begin = memchr::memrchr(b'\n', &text[..at.min(text.len())]).map_or(0, |end| end + 1);
    let from = begin.max(at.saturating_sub(60));
    let rest = &text[from..];
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len()).min(at - from + 40);
    let message = format!("{message} (line {line}, column {column})");
    Issue::error(Stage::Parse, Code::Syntax, message)
        .line(line)
        .byte_offset(at as u64 + shift)
        .raw(&rest[..end])
        .into()
}

enum Problem {
    Syntax(usize, String),
    TooDeep(usize),
    TooLong(usize),
}

impl Problem {
    fn into_error(self, text: &[u8], shift: u64, depth: usize) -> Error {
        let (at, issue) = match self {
            Problem::Syntax(at, message) => return fail(text, shift, at, message),
            Problem::TooDeep(at) => {
                let message = format!("values nested deeper than {depth}");
                (at, Issue::limit(Code::TooDeep, message, "json_depth"))
            }
            Problem::TooLong(at) => {
                (at, Issue::limit(Code::ValueTooLarge, "a value too long", "value_bytes"))
            }
        };
        issue.line(position(text, at).0).byte_offset(at as u64 + shift).into()
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<u32>,
    depth: usize,
    value_bytes: u64,
}

type Parsed<T = ()> = std::result::Result<T, Problem>;

impl Parser<'_> {
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn show(&self, at: usize) -> String {
        match std::str::from_utf8(&self.text[at..self.text.len().min(at + 4)]) {
            _ if at >= self.text.len() => "the end of the file".into(),
            Ok(text) => text.chars().next().map_or_else(String::new, |c| format!("{c:?}")),
            Err(_) => format!("'{}'", quote(&self.text[at..at + 1])),
        }
    }

    fn expected<T>(&self, what: &str) -> Parsed<T> {
        Err(Problem::Syntax(self.at, format!("got {}, expected {what}", self.show(self.at))))
    }

    /// One value with all that is in it.
    fn value(&mut self) -> Parsed {
        loop {
            // Here a value must begin.
            self.skip_blanks();
            let opened = match self.text.get(self.at) {
                Some(b'{') => self.open(Kind::Object)?,
                Some(b'[') => self.open(Kind::Array)?,
                Some(b'"') => self.string().map(|()| false)?,
                Some(b'-' | b'0'..=b'9') => self.number().map(|()| false)?,
                Some(b't') => self.word(b"true", Kind::True).map(|()| false)?,
                Some(b'f') => self.word(b"false", Kind::False).map(|()| false)?,
                Some(b'n') => self.word(b"null", Kind::Null).map(|()| false)?,
                _ => return self.expected("a value"),
            };
            if opened {
                if self.inside_is_array() {
                    continue;
                }
                self.key()?;
                continue;
            }
            // A value has ended: what follows depends on what it is in.
            loop {
                let Some(container) = self.stack.last().copied() else { return Ok(()) };
                self.nodes[container as usize].count += 1;
                self.skip_blanks();
                let is_array = self.inside_is_array();
                match (self.text.get(self.at), is_array) {
                    (Some(b','), true) => {
                        self.at += 1;
                        break;
                    }
                    (Some(b','), false) => {
                        self.at += 1;
                        self.skip_blanks();
                        self.key()?;
                        break;
                    }
                    (Some(b']'), true) | (Some(b'}'), false) => self.close(),
                    (_, true) => return self.expected("',' or ']'"),
                    (_, false) => return self.expected("',' or '}'"),
                }
            }
        }
    }

    fn inside_is_array(&self) -> bool {
        self.stack.last().is_some_and(|index| self.nodes[*index as usize].kind == Kind::Array)
    }

    /// Begins a container; `false` if it is empty and has ended already.
    fn open(&mut self, kind: Kind) -> Parsed<bool> {
        if self.stack.len() >= self.depth {
            return Err(Problem::TooDeep(self.at));
        }
        self.push(kind, self.at, self.at);
        self.stack.push(self.nodes.len() as u32 - 1);
        self.at += 1;
        self.skip_blanks();
        let end = if kind == Kind::Array { b']' } else { b'}' };
        if self.text.get(self.at) == Some(&end) {
            self.close();
            return Ok(false);
        }
        Ok(true)
    }

    fn close(&mut self) {
        self.at += 1;
        if let Some(index) = self.stack.pop() {
            let next = self.nodes.len() as u32;
            let node = &mut self.nodes[index as usize];
            node.next = next;
            node.end = self.at as u32;
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, count: 0, start: start as u32, end: end as u32, next });
    }

    fn key(&mut self) -> Parsed {
        if self.text.get(self.at) != Some(&b'"') {
            return self.expected("a key in double quotes");
        }
        self.string()?;
        self.skip_blanks();
        if self.text.get(self.at) != Some(&b':') {
            return self.expected("':'");
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Parsed {
        if !self.text[self.at..].starts_with(word) {
            return self.expected("a value");
        }
        self.push(kind, self.at, self.at + word.len());
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Parsed {
        let start = self.at;
        if self.text[self.at] == b'-' {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.expected("a digit"),
        }
        if let Some(b'0'..=b'9') = self.text.get(self.at) {
            return self.expected("no digit after a leading zero");
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        self.push(Kind::Number, start, self.at);
        Ok(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Parsed {
        match self.text.get(self.at) {
            Some(b'0'..=b'9') => {
                self.digits();
                Ok(())
            }
            _ => self.expected("a digit"),
        }
    }

    fn string(&mut self) -> Parsed {
        let start = self.at + 1;
        let mut at = start;
        let mut kind = Kind::Text;
        loop {
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = Kind::EscapedText;
                    at = self.escape(at)?;
                }
                Some(byte) if *byte < 0x20 => {
                    self.at = at;
                    return self.expected("an escape such as \\n instead of a control character");
                }
                Some(_) => at += 1,
                None => {
                    let message = "a text that is never closed".to_owned();
                    return Err(Problem::Syntax(start - 1, message));
                }
            }
        }
        if (at - start) as u64 > self.value_bytes {
            return Err(Problem::TooLong(start));
        }
        self.push(kind, start, at);
        self.at = at + 1;
        Ok(())
    }

    /// Checks the escape at `at`; the offset behind it.
    fn escape(&mut self, at: usize) -> Parsed<usize> {
        match self.text.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match hex4(self.text, at + 2) {
                Some(0xd800..=0xdbff) => {
                    let low = (self.text.get(at + 6..at + 8) == Some(b"\\u"))
                        .then(|| hex4(self.text, at + 8))
                        .flatten();
                    match low {
                        Some(0xdc00..=0xdfff) => Ok(at + 12),
                        _ => Err(Problem::Syntax(at, "half of a surrogate pair".into())),
                    }
                }
                Some(0xdc00..=0xdfff) => {
                    Err(Problem::Syntax(at, "half of a surrogate pair".into()))
                }
                Some(_) => Ok(at + 6),
                None => Err(Problem::Syntax(at, "\\u without four hexadecimal digits".into())),
            },
            _ => {
                self.at = at + 1;
                self.expected("an escape: one of \" \\ / b f n r t u")
            }
        }
    }
}

fn hex4(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits
        .iter()
        .try_fold(0, |value, digit| char::from(*digit).to_digit(16).map(|digit| value * 16 + digit))
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
        if node.kind == Kind::EscapedText { Cow::Owned(unescape(&raw)) } else { raw }
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
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let bytes = rest.as_bytes();
        let mut used = 2;
        match bytes.get(at + 1) {
            Some(b'b') => text.push('\u{8}'),
            Some(b'f') => text.push('\u{c}'),
            Some(b'n') => text.push('\n'),
            Some(b'r') => text.push('\r'),
            Some(b't') => text.push('\t'),
            Some(b'u') => {
                let mut unit = hex4(bytes, at + 2).unwrap_or(0xfffd);
                used = 6;
                if let 0xd800..=0xdbff = unit {
                    let low = hex4(bytes, at + 8).unwrap_or(0xdc00);
                    unit = 0x10000 + ((unit - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                    used = 12;
                }
                text.push(char::from_u32(unit).unwrap_or('\u{fffd}'));
            }
            Some(other) => text.push(char::from(*other)),
            None => break,
        }
        rest = rest.get(at + used..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}
