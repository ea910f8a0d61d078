//! XML as a stream: tags and texts one after the other, never more of the part in memory than the
//! one that is read.
//!
//! Document types are refused, so there are no entities but the five of XML. Prefixes are read over:
//! what an element is goes by its local name and its place.

use std::ops::Range;

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::{memchr, memchr3, memmem};

use crate::error::{Error, Result};
use crate::limits::{Limits, human_bytes};
use crate::report::{Code, Issue, Stage};

/// Elements open at a time; workbooks have a dozen.
const DEPTH: usize = 256;

/// Where the bytes of a part come from, some at a time.
pub(in crate::format::excel) trait Blocks {
    /// Adds bytes to `into`; `false` at the end.
    fn next(&mut self, into: &mut Vec<u8>) -> Result<bool>;
}

/// An opening tag; where its pieces lie is good until the next event.
#[derive(Clone, Debug)]
pub(in crate::format::excel) struct Tag {
    name: Range<usize>,
    attributes: Range<usize>,
    /// `<a/>`: nothing follows that closes it.
    pub empty: bool,
}

/// What comes next.
#[derive(Clone, Debug)]
pub(in crate::format::excel) enum Event {
    Start(Tag),
    End,
    /// Text with its entities as they are written.
    Text(Range<usize>),
    /// A CDATA section.
    Data(Range<usize>),
    Eof,
}

/// A part that is read.
pub(in crate::format::excel) struct Xml<'a> {
    blocks: &'a mut dyn Blocks,
    part: &'a str,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes of the part before the buffer.
    before: u64,
    ended: bool,
    decoder: Option<Decoder>,
    /// Whether it declares to be UTF-8, or declares nothing.
    pub is_utf8: bool,
    raw: Vec<u8>,
    longest: u64,
    /// The names of the open elements, one behind the other, and where each begins.
    open: Vec<u8>,
    begins: Vec<usize>,
}

impl<'a> Xml<'a> {
    /// At the start of a part.
    pub fn new(blocks: &'a mut dyn Blocks, part: &'a str, limits: &Limits) -> Result<Self> {
        let mut xml = Xml {
            blocks,
            part,
            buffer: Vec::new(),
            at: 0,
            before: 0,
            ended: false,
            decoder: None,
            is_utf8: true,
            raw: Vec::new(),
            longest: limits.value_bytes,
            open: Vec::new(),
            begins: Vec::new(),
        };
        xml.fill()?;
        xml.find_encoding()?;
        Ok(xml)
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.begins.len()
    }

    /// How many bytes of the part were read.
    pub fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// The bytes at hand that are not read yet.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Takes bytes of [`Xml::rest`] as read. They must close all they open.
    pub fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The tag's name without its prefix.
    pub fn local(&self, tag: &Tag) -> &[u8] {
        local(&self.buffer[tag.name.clone()])
    }

    /// The attribute of this name that has no prefix, as it is written.
    pub fn attribute(&self, tag: &Tag, name: &[u8]) -> Option<&[u8]> {
        self.attributes(tag).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The first attribute whose name is this, apart from a prefix.
    pub fn prefixed_attribute(&self, tag: &Tag, name: &[u8]) -> Option<&[u8]> {
        let mut found = self.attributes(tag);
        found.find(|(key, _)| key.contains(&b':') && local(key) == name).map(|(_, value)| value)
    }

    pub fn attributes(&self, tag: &Tag) -> Attributes<'_> {
        Attributes(&self.buffer[tag.attributes.clone()])
    }

    /// The text of an attribute.
    pub fn attribute_text(&self, tag: &Tag, name: &[u8]) -> Result<Option<String>> {
        self.attribute(tag, name).map(|raw| self.text_of(raw)).transpose()
    }

    /// What is written in the file as text.
    pub fn text_of(&self, raw: &[u8]) -> Result<String> {
        let mut text = String::new();
        super::text::unescape(raw, &mut text).map_err(|bad| self.bad_text(bad))?;
        Ok(text)
    }

    pub fn bad_text(&self, bad: super::text::Bad) -> Error {
        self.error(bad.code, bad.message).into()
    }

    /// An error at this place of the part.
    pub fn error(&self, code: Code, message: impl std::fmt::Display) -> Issue {
        let damaged = matches!(code, Code::Corrupt | Code::Truncated | Code::BadEncoding);
        let damaged = if damaged { "the workbook is damaged: " } else { "" };
        Issue::error(Stage::Parse, code, format!("{damaged}{message}, in {}", self.part))
            .byte_offset(self.before + self.at as u64)
    }

    /// The next tag or text; comments and processing instructions are passed over.
    pub fn next(&mut self) -> Result<Event> {
        loop {
            // A decoder may take bytes and give none yet.
            while self.at == self.buffer.len() {
                if self.fill()? {
                    continue;
                }
                if self.begins.is_empty() {
                    return Ok(Event::Eof);
                }
                return Err(self.cut_off().into());
            }
            if self.buffer[self.at] != b'<' {
                let length = self.find(0, |rest| memchr(b'<', rest), 1)?;
                let length = length.unwrap_or(self.buffer.len() - self.at);
                self.at += length;
                return Ok(Event::Text(self.at - length..self.at));
            }
            match self.peek(1)? {
                Some(b'/') => return self.close(),
                Some(b'?') => self.pass(2, b"?>")?,
                Some(b'!') => {
                    // Enough to tell which of them it is.
                    while self.rest().len() < 9 && self.fill()? {}
                    if self.rest().starts_with(b"<!--") {
                        self.pass(4, b"-->")?;
                    } else if self.rest().starts_with(b"<![CDATA[") {
                        let end = self.must_find(9, b"]]>")?;
                        let range = self.at + 9..self.at + end;
                        self.at += end + 3;
                        return Ok(Event::Data(range));
                    } else if self.rest().len() < 9 {
                        return Err(self.cut_off().into());
                    } else {
                        let message = "a document type is declared, which workbooks never do";
                        return Err(self.error(Code::UnsupportedFeature, message).into());
                    }
                }
                Some(_) => return self.start(),
                None => return Err(self.cut_off().into()),
            }
        }
    }

    /// Reads over all that is inside the element of this tag.
    pub fn skip(&mut self, tag: &Tag) -> Result<()> {
        if tag.empty {
            return Ok(());
        }
        let outside = self.depth() - 1;
        while self.depth() > outside {
            self.next()?;
        }
        Ok(())
    }

    /// The text directly inside the element of this tag, added to `into`.
    pub fn text_inside(&mut self, tag: &Tag, into: &mut String) -> Result<()> {
        if tag.empty {
            return Ok(());
        }
        loop {
            match self.next()? {
                Event::Text(range) => {
                    super::text::unescape(&self.buffer[range], into)
                        .map_err(|bad| self.bad_text(bad))?;
                }
                Event::Data(range) => {
                    super::text::plain(&self.buffer[range], into)
                        .map_err(|bad| self.bad_text(bad))?;
                }
                Event::Start(tag) => self.skip(&tag)?,
                Event::End | Event::Eof => break,
            }
            self.check_length(into.len())?;
        }
        Ok(())
    }

    /// Refuses a text that is longer than allowed.
    #[inline]
    pub fn check_length(&self, bytes: usize) -> Result<()> {
        if bytes as u64 > self.longest { Err(self.too_long()) } else { Ok(()) }
    }

    /// Reads to the end, so that a checksum that is wrong is found.
    pub fn drain(&mut self) -> Result<()> {
        while !self.ended {
            self.at = self.buffer.len();
            self.fill()?;
        }
        Ok(())
    }

    /// More bytes behind those at hand; `false` at the end. Ranges of events move.
    pub fn fill(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.at);
        self.before += self.at as u64;
        self.at = 0;
        let Some(decoder) = &mut self.decoder else {
            self.ended = !self.blocks.next(&mut self.buffer)?;
            return Ok(!self.ended);
        };
        self.raw.clear();
        self.ended = !self.blocks.next(&mut self.raw)?;
        let start = self.buffer.len();
        let room = decoder.max_utf8_buffer_length(self.raw.len()).unwrap_or(0);
        self.buffer.resize(start + room, 0);
        let (_, _, written, bad) =
            decoder.decode_to_utf8(&self.raw, &mut self.buffer[start..], self.ended);
        self.buffer.truncate(start + written);
        if bad {
            let message = "bytes that are no text in the encoding that the part declares";
            return Err(self.error(Code::BadEncoding, message).into());
        }
        Ok(!self.ended || written > 0)
    }

    fn find_encoding(&mut self) -> Result<()> {
        let encoding = match &self.buffer[..] {
            [0xff, 0xfe, ..] | [b'<', 0, ..] => UTF_16LE,
            [0xfe, 0xff, ..] | [0, b'<', ..] => UTF_16BE,
            [0xef, 0xbb, 0xbf, ..] => {
                self.at = 3;
                return Ok(());
            }
            bytes => match declared_encoding(bytes) {
                None => UTF_8,
                Some(label) => Encoding::for_label(label).ok_or_else(|| {
                    let label = String::from_utf8_lossy(label);
                    let message = format!("the encoding {label:?} is not known");
                    self.error(Code::UnsupportedFeature, message)
                })?,
            },
        };
        self.is_utf8 = encoding == UTF_8;
        let wide = matches!(&self.buffer[..], [0xff | 0xfe | 0, ..] | [_, 0, ..]);
        // A part that is read so far as bytes cannot be UTF-16, whatever it declares.
        if encoding != UTF_8 && (wide || encoding.is_ascii_compatible()) {
            let mut first = std::mem::take(&mut self.buffer);
            let mut decoder = encoding.new_decoder_with_bom_removal();
            let room = decoder.max_utf8_buffer_length(first.len()).unwrap_or(0);
            self.buffer.resize(room, 0);
            let (_, _, written, bad) = decoder.decode_to_utf8(&first, &mut self.buffer, false);
            self.buffer.truncate(written);
            first.clear();
            (self.decoder, self.raw) = (Some(decoder), first);
            if bad {
                let message = "bytes that are no text in the encoding that the part declares";
                return Err(self.error(Code::BadEncoding, message).into());
            }
        }
        Ok(())
    }

    fn peek(&mut self, ahead: usize) -> Result<Option<u8>> {
        while self.at + ahead >= self.buffer.len() {
            if !self.fill()? {
                return Ok(None);
            }
        }
        Ok(Some(self.buffer[self.at + ahead]))
    }

    /// How far from here something is that is not before `from`; more is read until it is found.
    fn find(
        &mut self,
        from: usize,
        find: impl Fn(&[u8]) -> Option<usize>,
        width: usize,
    ) -> Result<Option<usize>> {
        let mut looked = from;
        loop {
            if let Some(found) = self.rest().get(looked..).and_then(&find) {
                return Ok(Some(looked + found));
            }
            looked = (self.rest().len() + 1).saturating_sub(width).max(from);
            self.check_length(looked)?;
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn must_find(&mut self, from: usize, what: &[u8]) -> Result<usize> {
        let found = self.find(from, |rest| memmem::find(rest, what), what.len())?;
        found.ok_or_else(|| self.cut_off().into())
    }

    fn pass(&mut self, from: usize, end: &[u8]) -> Result<()> {
        self.at += self.must_find(from, end)? + end.len();
        Ok(())
    }

    fn close(&mut self) -> Result<Event> {
        let end = self.must_find(2, b">")?;
        let name = self.buffer[self.at + 2..self.at + end].trim_ascii_end();
        let begin = self.begins.last().copied();
        if begin.is_none_or(|begin| self.open[begin..] != *name) {
            let opened = begin.map_or("nothing is open".to_owned(), |begin| {
                format!("<{}> is open", String::from_utf8_lossy(&self.open[begin..]))
            });
            let message = format!("</{}> where {opened}", crate::report::quote(name));
            return Err(self.error(Code::Corrupt, message).into());
        }
        self.open.truncate(begin.unwrap_or(0));
        self.begins.pop();
        self.at += end + 1;
        Ok(Event::End)
    }

    fn start(&mut self) -> Result<Event> {
        // Attributes may hold what ends a tag.
        let mut end = 1;
        loop {
            let found = self.find(end, |rest| memchr3(b'>', b'"', b'\'', rest), 1)?;
            let Some(found) = found else { return Err(self.cut_off().into()) };
            let mark = self.rest()[found];
            if mark == b'>' {
                end = found;
                break;
            }
            let closing = self.find(found + 1, |rest| memchr(mark, rest), 1)?;
            let Some(closing) = closing else { return Err(self.cut_off().into()) };
            end = closing + 1;
        }
        let inside = &self.rest()[1..end];
        let empty = inside.last() == Some(&b'/');
        let inside = &inside[..inside.len() - usize::from(empty)];
        let name = inside.iter().position(u8::is_ascii_whitespace).unwrap_or(inside.len());
        let (first, length) = (self.at + 1, inside.len());
        let tag =
            Tag { name: first..first + name, attributes: first + name..first + length, empty };
        if name == 0 || inside[..name].contains(&b'<') || !self.attributes(&tag).are_well_formed() {
            let message = format!("the tag <{}> cannot be read", crate::report::quote(inside));
            return Err(self.error(Code::Corrupt, message).into());
        }
        if !empty {
            if self.begins.len() == DEPTH {
                let message = format!("more than {DEPTH} elements, one inside the other");
                return Err(self.error(Code::Corrupt, message).into());
            }
            self.begins.push(self.open.len());
            self.open.extend_from_slice(&self.buffer[tag.name.clone()]);
        }
        self.at += end + 1;
        Ok(Event::Start(tag))
    }

    fn cut_off(&self) -> Issue {
        let inside = self.begins.last().map_or(String::new(), |begin| {
            format!(" inside <{}>", String::from_utf8_lossy(&self.open[*begin..]))
        });
        let mut issue = self.error(Code::Truncated, format!("the XML ends{inside}"));
        issue.byte_offset = Some(self.before + self.buffer.len() as u64);
        issue
    }

    fn too_long(&self) -> Error {
        let message = format!(
            "a text or a tag is longer than {}, in {}",
            human_bytes(self.longest),
            self.part
        );
        Issue::limit(Code::ValueTooLarge, message, "value_bytes")
            .byte_offset(self.before + self.at as u64)
            .into()
    }
}

/// A name without its prefix.
pub(super) fn local(name: &[u8]) -> &[u8] {
    memchr(b':', name).map_or(name, |colon| &name[colon + 1..])
}

/// What `<?xml … encoding="…"?>` says.
fn declared_encoding(bytes: &[u8]) -> Option<&[u8]> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memmem::find(declaration, b"?>")?];
    Attributes(declaration).find(|(name, _)| *name == b"encoding").map(|(_, value)| value)
}

/// Name and value, as they are written.
pub(in crate::format::excel) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Those in what stands between a tag's name and its end.
    pub fn of(inside: &'a [u8]) -> Self {
        Attributes(inside)
    }

    /// Whether nothing but attributes is there.
    pub fn are_well_formed(mut self) -> bool {
        while self.next().is_some() {}
        self.0.trim_ascii_start().is_empty()
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_ascii_start();
        let equals = memchr(b'=', rest)?;
        let name = rest[..equals].trim_ascii_end();
        let (quote, value) = rest[equals + 1..].trim_ascii_start().split_first()?;
        let is_name = !name.is_empty() && !name.iter().any(u8::is_ascii_whitespace);
        if !matches!(quote, b'"' | b'\'') || !is_name {
            return None;
        }
        let end = memchr(*quote, value)?;
        self.0 = &value[end + 1..];
        Some((name, &value[..end]))
    }
}
