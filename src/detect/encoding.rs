//! Text in any encoding to UTF-8: the option, else a BOM, else UTF-8 if valid, else a guess.

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::survey::{Survey, survey};
use crate::context::Context;
use crate::error::Result;
use crate::options::EncodingErrors;
use crate::report::{Code, Issue, Stage};

/// A text in UTF-8, and where its bytes were in the file.
#[derive(Clone, Debug)]
pub struct Text {
    /// Valid UTF-8, without BOM.
    pub utf8: Bytes,
    /// What to add to an offset in `utf8` for an offset in the file. Only texts in another encoding
    /// than UTF-8 have offsets in the converted text.
    pub shift: u64,
    /// What `utf8` is like as a whole.
    pub survey: Survey,
    /// Whether `utf8` are other bytes than the file's.
    pub is_converted: bool,
}

/// The whole text as UTF-8. What encoding it was goes to the report. The pages of a mapped text of
/// more than `held` bytes are handed back once they were looked at: the reader would hold them beside
/// the table for too long. Those of a smaller one will be wanted again soon.
pub fn decode(bytes: &Bytes, held: usize, context: &mut Context<'_>) -> Result<Text> {
    decode_on(bytes, held, Vec::new(), context)
}

/// Where the BOM ends of a text that begins so and may be UTF-8.
pub fn utf8_start(head: &[u8]) -> Option<usize> {
    match Encoding::for_bom(head) {
        Some((encoding, length)) => (encoding == UTF_8).then_some(length),
        None => wide(head).is_none().then_some(0),
    }
}

/// [`decode`] of a text whose first slices, from where [`utf8_start`] says, were looked at before.
pub fn decode_on(
    bytes: &Bytes,
    held: usize,
    ahead: Vec<Survey>,
    context: &mut Context<'_>,
) -> Result<Text> {
    let parser = context.parser();
    let threads = context.options.parallelism.threads();
    let bom = Encoding::for_bom(bytes);
    let bom_length = bom.map_or(0, |(_, length)| length);
    let survey = survey(&bytes[bom_length..], threads, held, ahead);
    let named_big = parser.encoding.as_deref().and_then(utf32_order);
    if named_big.is_some() || wide(bytes) == Some(Wide::Utf32) {
        return utf32(bytes, named_big.flatten(), context);
    }
    let (encoding, confidence) = match (&parser.encoding, bom) {
        (_, Some((encoding, _))) => (encoding, CERTAIN),
        (Some(label), None) => (labelled(label), GIVEN),
        // Zeros are valid UTF-8, but a text with one behind every letter is none.
        (None, None) if survey.is_utf8 && !every_other_is_zero(bytes) => (UTF_8, CERTAIN),
        (None, None) => guess(bytes, context),
    };
    let body = bytes.slice(bom_length..);
    let shift = bom_length as u64;
    note(encoding.name(), confidence, context);
    if encoding == UTF_8 && survey.is_utf8 {
        return Ok(Text { utf8: body, shift, survey, is_converted: false });
    }
    let (text, had_errors) = encoding.decode_without_bom_handling(&body);
    if had_errors {
        report_bad_bytes(encoding, &body, shift, context)?;
    }
    Ok(Text::converted(text.into_owned(), threads))
}

impl Text {
    fn converted(text: String, threads: usize) -> Text {
        let utf8 = Bytes::from(text.into_bytes());
        let survey = survey(&utf8, threads, usize::MAX, Vec::new());
        Text { survey, utf8, shift: 0, is_converted: true }
    }
}

/// Whether a text is plainly UTF-8 but for a few bytes: to read it in another encoding would spoil
/// every other letter for the sake of those. `guessed` is the encoding it would be otherwise.
fn is_damaged_utf8(bytes: &[u8], guessed: &'static Encoding) -> bool {
    let (mut good, mut bad, mut places) = (0u64, 0u64, 0u64);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count() as u64;
        let is_bad = !chunk.invalid().is_empty();
        bad += u64::from(is_bad);
        places += u64::from(is_bad && (places == 0 || !chunk.valid().is_empty()));
    }
    // Encodings of two bytes a letter look like UTF-8 now and then; western ones hardly ever do.
    good >= 4 * bad || good >= 2 * places && guessed == encoding_rs::WINDOWS_1252
}

/// Guesses from fewer bytes beyond ASCII than this are unsure.
const FEW_LETTERS: usize = 20;

/// How sure the encoding is: an option says it; the bytes leave nothing else; they speak for it; it is
/// the best of several that could be.
const GIVEN: &str = "given";
const CERTAIN: &str = "certain";
const LIKELY: &str = "likely";
const UNSURE: &str = "unsure";

fn note(name: &str, confidence: &str, context: &mut Context<'_>) {
    let name = name.to_lowercase();
    context.reporter.option("encoding", name.clone());
    let file = context.reporter.file();
    if file.encoding.is_none() {
        file.encoding = Some(name);
        file.encoding_confidence = Some(confidence.to_owned());
    }
}

fn labelled(label: &str) -> &'static Encoding {
    let name = crate::options::python_encoding(label);
    match name.as_str() {
        "utf-16" => UTF_16LE,
        // Options are checked when they are set, so the label is known.
        _ => Encoding::for_label(name.as_bytes()).unwrap_or(UTF_8),
    }
}

fn guess(bytes: &[u8], context: &mut Context<'_>) -> (&'static Encoding, &'static str) {
    let is_wide = wide(bytes);
    let (encoding, confidence) = match is_wide {
        Some(Wide::Utf16Le) => (UTF_16LE, LIKELY),
        Some(Wide::Utf16Be) => (UTF_16BE, LIKELY),
        _ => {
            let mut detector =
                chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
            detector.feed(bytes, true);
            let encoding = detector.guess(None, chardetng::Utf8Detection::Allow);
            if is_damaged_utf8(bytes, encoding) {
                return (UTF_8, LIKELY);
            }
            // A few letters beyond ASCII could be those of many languages.
            let is_long = bytes.iter().filter(|byte| !byte.is_ascii()).nth(FEW_LETTERS).is_some();
            (encoding, if is_long { LIKELY } else { UNSURE })
        }
    };
    let name = encoding.name().to_lowercase();
    let (message, place) = if is_wide.is_some() {
        (format!("the text has no BOM, but zeros between its letters; read as {name}"), 0)
    } else {
        let bad = std::str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
        (format!("the text is not UTF-8 and has no BOM; read as {name} by its look"), bad)
    };
    context.reporter.push(
        Issue::warning(Stage::Parse, Code::GuessedEncoding, message)
            .line(super::position(bytes, place).0)
            .byte_offset(place as u64)
            .raw(around(bytes, place))
            .hint("set the option encoding if letters look wrong"),
    );
    (encoding, confidence)
}

/// The bytes around an offset, for a message.
fn around(bytes: &[u8], at: usize) -> &[u8] {
    &bytes[at.saturating_sub(16)..bytes.len().min(at + 16)]
}

/// Encodings of two or four bytes a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wide {
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// UTF-32 in either order.
    Utf32,
}

/// Whether a text has the zeros that UTF-16 or UTF-32 put between Latin letters, or their BOM.
pub fn wide(bytes: &[u8]) -> Option<Wide> {
    let head = &bytes[..bytes.len().min(1024)];
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some(Wide::Utf32),
        [0xff, 0xfe, ..] => return Some(Wide::Utf16Le),
        [0xfe, 0xff, ..] => return Some(Wide::Utf16Be),
        _ => {}
    }
    let units = head.len() / 2;
    if units < 2 {
        return None;
    }
    let even = head.chunks_exact(2).filter(|pair| pair[0] == 0).count();
    let odd = head.chunks_exact(2).filter(|pair| pair[1] == 0).count();
    // A NUL is no letter: many of them fill up a file.
    let quads = || head.chunks_exact(4).filter(|quad| **quad != [0; 4]);
    let three = quads().filter(|quad| quad[1..] == [0; 3] || quad[..3] == [0; 3]).count();
    let quads = quads().count();
    if quads >= 2 && three * 10 >= quads * 9 {
        return Some(Wide::Utf32);
    }
    match (even * 10 >= units * 4, odd * 10 >= units * 4) {
        (true, false) if odd * 20 <= units => Some(Wide::Utf16Be),
        (false, true) if even * 20 <= units => Some(Wide::Utf16Le),
        _ => None,
    }
}

/// Whether nearly all letters are UTF-16 of Latin ones. Stricter than [`wide`], as it overrules that
/// the bytes are valid UTF-8: a NUL between all short cells is no letter's half.
fn every_other_is_zero(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let side = match wide(bytes) {
        Some(Wide::Utf16Le) => 1,
        Some(Wide::Utf16Be) => 0,
        _ => return false,
    };
    let zeros = head.chunks_exact(2).filter(|pair| pair[side] == 0).count();
    zeros * 10 >= head.len() / 2 * 8
}

/// Whether an encoding's name is one of UTF-32, and if so, whether it says that the high byte is
/// the first.
fn utf32_order(label: &str) -> Option<Option<bool>> {
    match crate::options::python_encoding(label).as_str() {
        "utf-32" => Some(None),
        "utf-32le" => Some(Some(false)),
        "utf-32be" => Some(Some(true)),
        _ => None,
    }
}

/// UTF-32 is no encoding of the web, so encoding_rs has none; four bytes a character. A BOM beats
/// the order that was named.
fn utf32(bytes: &[u8], named_big: Option<bool>, context: &mut Context<'_>) -> Result<Text> {
    let big = match bytes {
        [0, 0, 0xfe, 0xff, ..] => true,
        [0xff, 0xfe, 0, 0, ..] => false,
        _ => named_big.unwrap_or(bytes.first() == Some(&0)),
    };
    let confidence = if context.parser().encoding.is_some() { GIVEN } else { CERTAIN };
    note(if big { "utf-32be" } else { "utf-32le" }, confidence, context);
    let mut text = String::with_capacity(bytes.len() / 4);
    for (index, quad) in bytes.chunks(4).enumerate() {
        let unit = match quad {
            [a, b, c, d] if big => u32::from_be_bytes([*a, *b, *c, *d]),
            [a, b, c, d] => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => u32::MAX,
        };
        match char::from_u32(unit) {
            Some('\u{feff}') if index == 0 => {}
            Some(character) => text.push(character),
            None => {
                bad_bytes(context, "utf-32", index as u64 * 4, quad, 1)?;
                text.push('\u{fffd}');
            }
        }
    }
    Ok(Text::converted(text, context.options.parallelism.threads()))
}

/// Finds the bytes that are no text, one issue each.
fn report_bad_bytes(
    encoding: &'static Encoding,
    body: &[u8],
    shift: u64,
    context: &mut Context<'_>,
) -> Result<()> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut scratch = vec![0; 64 << 10];
    let name = encoding.name().to_lowercase();
    let mut read = 0;
    // Lines are counted on from the last bad place, not from the start each time.
    let (mut counted, mut line) = (0, 1);
    loop {
        let (result, used, _) =
            decoder.decode_to_utf8_without_replacement(&body[read..], &mut scratch, true);
        read += used;
        match result {
            encoding_rs::DecoderResult::InputEmpty => return Ok(()),
            encoding_rs::DecoderResult::OutputFull => {}
            encoding_rs::DecoderResult::Malformed(length, after) => {
                let start = read.saturating_sub(usize::from(length) + usize::from(after));
                let end = (start + usize::from(length)).min(body.len());
                let passed = &body[counted.min(start)..start];
                line += memchr::memchr_iter(b'\n', passed).count() as u64;
                counted = counted.max(start);
                bad_bytes(context, &name, shift + start as u64, &body[start..end], line)?;
            }
        }
    }
}

/// Where the caller named the encoding, an error ends the run at the first place. Otherwise, and with
/// `encoding_errors=replace`, each place is a warning that quotes the bytes.
fn bad_bytes(
    context: &mut Context<'_>,
    encoding: &str,
    offset: u64,
    bytes: &[u8],
    line: u64,
) -> Result<()> {
    let message = format!("bytes that are no {encoding} text");
    let (stage, code) = (Stage::Parse, Code::BadEncoding);
    let strict = context.parser().encoding.is_some()
        && context.parser().encoding_errors != Some(EncodingErrors::Replace)
        || context.parser().encoding_errors == Some(EncodingErrors::Strict);
    if !strict {
        if !context.reporter.has_room() {
            context.reporter.count(code, 1);
            return Ok(());
        }
        context.reporter.option("encoding_errors", "replace");
        let issue = Issue::warning(stage, code, format!("{message}, replaced by U+FFFD"));
        context.reporter.push(issue.line(line).byte_offset(offset).raw(bytes));
        return Ok(());
    }
    Err(Issue::error(stage, code, message)
        .line(line)
        .byte_offset(offset)
        .raw(bytes)
        .hint("set the option encoding, or encoding_errors=replace to go on without these bytes")
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::options::Options;

    /// The text, the encoding in the report, and the codes of its issues.
    fn decoded(bytes: &[u8], encoding: Option<&str>) -> (String, String, Vec<Code>) {
        let mut options = Options::default();
        if let Some(encoding) = encoding {
            options.parser.set("encoding", &encoding.into()).unwrap();
        }
        let limits = Limits::default();
        let mut context = Context::new(&options, &limits);
        let text = decode(&Bytes::copy_from_slice(bytes), 0, &mut context).unwrap();
        let found = context.reporter.file().encoding.clone().unwrap_or_default();
        let report = context.reporter.finish(Vec::new());
        let codes = report.issues.iter().map(|issue| issue.code).collect();
        (String::from_utf8(text.utf8.to_vec()).unwrap(), found, codes)
    }

    fn units<const N: usize>(text: &str, unit: impl Fn(u32) -> [u8; N]) -> Vec<u8> {
        text.chars().flat_map(|character| unit(character as u32)).collect()
    }

    #[test]
    fn wide_text_without_a_bom() {
        let text = "id,name,v\r\n1,a,5\r\n2,b,6\r\n";
        let little = units(text, |c| (c as u16).to_le_bytes());
        let big = units(text, |c| (c as u16).to_be_bytes());
        for (bytes, name) in [(little, "utf-16le"), (big, "utf-16be")] {
            let found = decoded(&bytes, None);
            assert_eq!(found, (text.into(), name.into(), vec![Code::GuessedEncoding]));
            assert_eq!(decoded(&bytes, Some(name)).0, text);
        }
        assert_eq!(wide(&[0; 2560]), None);
        assert_eq!(wide(&[b"a,b\n1,2\n\0\0\0".as_slice(), &[0; 5000]].concat()), None);
        // Zeros between short cells are no letters' halves.
        let zeros = "a\0b\nc\0d\ne\0f\n";
        assert_eq!(decoded(zeros.as_bytes(), None).1, "utf-8");
    }

    #[test]
    fn utf32_may_be_named() {
        let text = "a,b\n1,é\n";
        let little = units(text, u32::to_le_bytes);
        let big = units(text, u32::to_be_bytes);
        for (bytes, name) in [(&little, "utf-32le"), (&big, "utf-32be")] {
            assert_eq!(decoded(bytes, None).1, name);
            for label in [name, "utf-32", "UTF_32"] {
                assert_eq!(decoded(bytes, Some(label)), (text.into(), name.into(), vec![]));
            }
        }
    }

    #[test]
    fn utf8_with_a_few_bad_bytes_stays_utf8() {
        let damaged = b"a,b\n1,caf\xc3\xa9\n2,\xff\xfe\n3,na\xc3\xafve\n";
        let (text, name, codes) = decoded(damaged, None);
        assert_eq!(text, "a,b\n1,café\n2,\u{fffd}\u{fffd}\n3,naïve\n");
        assert_eq!((name.as_str(), codes[0]), ("utf-8", Code::BadEncoding));
        for western in [&b"a,b\n1,caf\xe9\n"[..], b"a,b\n1,\xabCAF\xc9\xbb\n2,\xabTH\xc9\xbb\n"] {
            assert_eq!(decoded(western, None).1, "windows-1252");
        }
    }
}
