//! Text to a tape: strict RFC 8259, depth bounded, no recursion.
//!
//! Takes the whole text, or the stretch of it in which the rows stand; gives a tape whose positions
//! are those of the whole text. [`check`] keeps no tape: it only says what is wrong.

use std::ops::Range;

use super::frame::Between;
use super::mistakes;
use super::rows::hex4;
use super::tape::{Document, Kind, Node};
use crate::context::Context;
use crate::detect::position;
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage, quote};

/// Readers that go down with the values need room on the stack for each level.
pub(super) const DEEPEST: usize = 128;

/// Positions on the tape are 32 bits wide, so a document is at most this long.
const LONGEST: usize = u32::MAX as usize;

/// The tape of a stretch: one value, or rows as `between` says they follow each other.
pub(super) fn parse<'a>(
    text: &'a [u8],
    stretch: Range<usize>,
    between: &Between,
    shift: u64,
    context: &mut Context<'_>,
) -> Result<Document<'a>> {
    if text.len() > LONGEST {
        let message = "a JSON document of more than 4 GiB";
        let issue = Issue::limit(Code::ValueTooLarge, message, "inflated_bytes");
        return Err(issue.hint("split it, or convert it to csv or parquet").into());
    }
    let mut parser = Parser::new(&text[..stretch.end], text, stretch.start, true, context);
    let mut roots: Vec<u32> = Vec::new();
    let walked = parser.rows(between, |parser| {
        roots.push(parser.nodes.len() as u32);
        if roots.len().is_multiple_of(1024) {
            context.progress().done(parser.at as u64);
        }
    });
    walked.map_err(|problem| problem.into_error(text, shift, parser.limit, |at| at))?;
    Ok(Document { text, nodes: parser.nodes, roots, shift })
}

/// Checks a text without keeping anything of it. What stands in `gap` is left out: somebody else
/// reads it. `gap` is a stretch of whole elements of an array, so that the rest is a document.
pub(super) fn check(
    text: &[u8],
    gap: Range<usize>,
    shift: u64,
    context: &mut Context<'_>,
) -> Result<()> {
    let around;
    let rest = match gap.is_empty() {
        true => text,
        false => {
            around = [&text[..gap.start], &text[gap.end..]].concat();
            &around
        }
    };
    let mut parser = Parser::new(rest, rest, 0, false, context);
    let mut roots = 0u64;
    let walked = parser.rows(&Between::Nothing, |_| roots += 1);
    let whole = |at: usize| if at < gap.start { at } else { at + gap.len() };
    walked.map_err(|problem| problem.into_error(text, shift, parser.limit, whole))?;
    if roots == 0 {
        let issue = Issue::error(Stage::Parse, Code::Empty, "the file holds no JSON value");
        return Err(issue.line(1).byte_offset(shift).into());
    }
    Ok(())
}

/// What is wrong in a stretch, if anything is, and where. The line is for the caller to add, who may
/// know it sooner.
pub(super) fn problem(
    text: &[u8],
    stretch: Range<usize>,
    between: Between,
    context: &Context<'_>,
) -> Option<(usize, Issue)> {
    let mut parser = Parser::new(&text[..stretch.end], text, stretch.start, false, context);
    let problem = parser.rows(&between, |_| {}).err()?;
    Some(match problem {
        Problem::Syntax(at, message) => (at, syntax(text, at, message)),
        Problem::TooDeep(at) | Problem::TooLong(at) => (at, problem.over_limit(parser.limit)),
    })
}

/// An error at an offset, with line, column, byte offset, the line's text and what to do about it.
pub(super) fn fail(text: &[u8], shift: u64, at: usize, message: String) -> Error {
    let (line, column) = position(text, at);
    let issue = syntax(text, at, message).line(line).byte_offset(at as u64 + shift);
    let message = format!("{} (line {line}, column {column})", issue.message);
    Issue { message, ..issue }.into()
}

/// The column, from 1, of an offset in its line. Columns count characters.
pub(super) fn column(text: &[u8], at: usize) -> u64 {
    let before = &text[..at.min(text.len())];
    let begin = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    position(&before[begin..], before.len()).1
}

/// The issue with the line's text and what to do about it.
fn syntax(text: &[u8], at: usize, message: String) -> Issue {
    let begin = memchr::memrchr(b'\n', &text[..at.min(text.len())]).map_or(0, |end| end + 1);
    let from = begin.max(at.saturating_sub(60));
    let rest = &text[from..];
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len()).min(at - from + 40);
    let hint = mistakes::hint(text, at, &message);
    let issue = Issue::error(Stage::Parse, Code::Syntax, message).raw(&rest[..end]);
    match hint {
        Some(hint) => issue.hint(hint),
        None => issue,
    }
}

enum Problem {
    Syntax(usize, String),
    TooDeep(usize),
    TooLong(usize),
}

impl Problem {
    fn over_limit(&self, depth: usize) -> Issue {
        match self {
            Problem::TooLong(_) => {
                Issue::limit(Code::ValueTooLarge, "a value too long", "value_bytes")
            }
            _ => {
                let message = format!("values nested deeper than {depth}");
                let issue = Issue::limit(Code::TooDeep, message, "json_depth");
                match depth < DEEPEST {
                    true => issue,
                    false => issue.hint("no more levels are read, whatever the limit"),
                }
            }
        }
    }

    fn into_error(
        self,
        text: &[u8],
        shift: u64,
        depth: usize,
        whole: impl Fn(usize) -> usize,
    ) -> Error {
        let (at, issue) = match self {
            Problem::Syntax(at, message) => return fail(text, shift, whole(at), message),
            Problem::TooDeep(at) | Problem::TooLong(at) => (whole(at), self.over_limit(depth)),
        };
        issue.line(position(text, at).0).byte_offset(at as u64 + shift).into()
    }
}

struct Parser<'a> {
    /// What to parse, from the beginning of the whole text.
    text: &'a [u8],
    /// The whole text, to say what stands behind the end.
    whole: &'a [u8],
    at: usize,
    keep: bool,
    nodes: Vec<Node>,
    /// The containers that are open, and where they are on the tape.
    stack: Vec<(Kind, u32)>,
    limit: usize,
    value_bytes: u64,
}

type Parsed<T = ()> = std::result::Result<T, Problem>;

impl<'a> Parser<'a> {
    fn new(
        text: &'a [u8],
        whole: &'a [u8],
        at: usize,
        keep: bool,
        context: &Context<'_>,
    ) -> Parser<'a> {
        Parser {
            text,
            whole,
            at,
            keep,
            nodes: Vec::new(),
            stack: Vec::new(),
            limit: context.limits.json_depth.min(DEEPEST),
            value_bytes: context.limits.value_bytes,
        }
    }

    /// All values at the top.
    fn rows(&mut self, between: &Between, mut begun: impl FnMut(&Self)) -> Parsed {
        let mut first = None;
        self.skip_blanks();
        while self.at < self.text.len() {
            begun(self);
            let start = self.at;
            first.get_or_insert(self.text[start]);
            self.value()?;
            let gap = self.at;
            self.skip_blanks();
            if *between == Between::Commas {
                match self.text.get(self.at) {
                    Some(b',') => self.at += 1,
                    Some(_) => return self.expected("',' or ']'"),
                    None => break,
                }
                self.skip_blanks();
                if self.at == self.text.len() {
                    return self.expected("a value");
                }
                continue;
            }
            let Some(next) = self.text.get(self.at) else { break };
            // Values one after the other are rows if each is an object, or arrays each in a line.
            let fits = match (first, next) {
                (Some(b'{'), b'{') => true,
                (Some(b'['), b'[') => self.text[gap..self.at].contains(&b'\n'),
                _ => false,
            };
            if !fits {
                let got = self.show(self.at);
                let message = format!("got {got} after the end of the document, expected nothing");
                return Err(Problem::Syntax(self.at, message));
            }
        }
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn show(&self, at: usize) -> String {
        let text = self.whole;
        match std::str::from_utf8(&text[at.min(text.len())..text.len().min(at + 4)]) {
            _ if at >= text.len() => "the end of the file".into(),
            _ if at >= self.text.len() && text[at] == b'\n' => "the end of the line".into(),
            Ok(text) => text.chars().next().map_or_else(String::new, |c| format!("{c:?}")),
            // The cut may go through the character behind this one.
            Err(error) if error.valid_up_to() > 0 => {
                let one = String::from_utf8_lossy(&text[at..at + error.valid_up_to()]);
                one.chars().next().map_or_else(String::new, |c| format!("{c:?}"))
            }
            Err(_) => format!("'{}'", quote(&text[at..at + 1])),
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
                let Some((_, container)) = self.stack.last() else { return Ok(()) };
                if self.keep {
                    self.nodes[*container as usize].count += 1;
                }
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
        self.stack.last().is_some_and(|(kind, _)| *kind == Kind::Array)
    }

    /// Begins a container; `false` if it is empty and has ended already.
    fn open(&mut self, kind: Kind) -> Parsed<bool> {
        if self.stack.len() >= self.limit {
            return Err(Problem::TooDeep(self.at));
        }
        self.stack.push((kind, self.nodes.len() as u32));
        self.push(kind, self.at, self.at);
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
        if let Some((_, index)) = self.stack.pop()
            && self.keep
        {
            let next = self.nodes.len() as u32;
            let node = &mut self.nodes[index as usize];
            node.next = next;
            node.end = self.at as u32;
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        if self.keep {
            let next = self.nodes.len() as u32 + 1;
            self.nodes.push(Node { kind, count: 0, start: start as u32, end: end as u32, next });
        }
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
                // What a line on its own ends with.
                Some(b'\r') if at + 1 == self.text.len() => return Err(self.unclosed(start - 1)),
                Some(byte) if *byte < 0x20 => {
                    self.at = at;
                    return self.expected("an escape such as \\n instead of a control character");
                }
                Some(_) => at += 1,
                None => return Err(self.unclosed(start - 1)),
            }
        }
        if (at - start) as u64 > self.value_bytes {
            return Err(Problem::TooLong(start));
        }
        self.push(kind, start, at);
        self.at = at + 1;
        Ok(())
    }

    fn unclosed(&self, at: usize) -> Problem {
        let message = match self.whole.get(self.text.len()) {
            Some(b'\n') => "a text that is never closed on this line",
            _ => "a text that is never closed",
        };
        Problem::Syntax(at, message.to_owned())
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
