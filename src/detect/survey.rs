//! One look at every byte of a text, on all threads: is it UTF-8, where are its lines.

use crate::source::release;

/// What a text is like as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Whether all of it is valid UTF-8.
    pub is_utf8: bool,
    /// Line feeds, those behind a carriage return included.
    pub line_feeds: u64,
    /// Carriage returns, those before a line feed included.
    pub carriage_returns: u64,
    /// Carriage returns with a line feed behind them.
    pub pairs: u64,
    /// NUL bytes, and where the first one is.
    pub nuls: u64,
    /// Where the first NUL is.
    pub first_nul: Option<usize>,
    /// Whether a line behind a line feed begins as comments do: `# ` or `// `.
    pub has_remarks: bool,
    /// Offsets, and the line feeds and lone carriage returns before each, in order.
    pub marks: Vec<Mark>,
}

/// A place in a text, and the line ends before it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mark {
    /// The place.
    pub offset: usize,
    /// Line feeds before it.
    pub line_feeds: u64,
    /// Carriage returns before it.
    pub carriage_returns: u64,
}

/// A text is looked at in slices of this size.
pub const SLICE: usize = 4 << 20;
/// To look at a slice so many bytes behind it have to be there.
const BEHIND: usize = 4;

/// The slice of this number of a text that is still in the making; `None` where it is not all there.
pub fn slice_ahead(text: &[u8], index: usize) -> Option<Survey> {
    let start = index.checked_mul(SLICE)?;
    let end = start.checked_add(SLICE)?;
    if text.len() < end.checked_add(BEHIND)? {
        return None;
    }
    Some(look(text, behind_character(text, start), behind_character(text, end), usize::MAX))
}

/// Whether a text that is still in the making is UTF-8 from a place on; its last character, which may
/// be cut, is not looked at.
pub fn is_utf8_from(text: &[u8], from: usize) -> bool {
    let end = text.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or_default();
    let from = behind_character(text, from.min(text.len()));
    text.get(from..end).is_none_or(|piece| simdutf8::basic::from_utf8(piece).is_ok())
}

/// Looks at the whole text. The result does not depend on the number of threads. Of a mapped text
/// larger than `held` the pages are handed back as they are looked at. `ahead` are the first slices,
/// where they were looked at before.
pub fn survey(text: &[u8], threads: usize, held: usize, mut ahead: Vec<Survey>) -> Survey {
    let starts = slices(text);
    // The last may be cut by the end of the text.
    ahead.truncate(starts.len() - 2);
    let known = ahead.len();
    let count = starts.len() - 1 - known;
    let threads = threads.clamp(1, count.max(1));
    let look_at = |index: usize| look(text, starts[known + index], starts[known + index + 1], held);
    if threads == 1 {
        return join(ahead.into_iter().chain((0..count).map(look_at)), &starts);
    }
    let mut parts: Vec<Option<Survey>> = vec![None; count];
    let share = count.div_ceil(threads);
    std::thread::scope(|scope| {
        for (thread, parts) in parts.chunks_mut(share).enumerate() {
            scope.spawn(move || {
                for (index, part) in parts.iter_mut().enumerate() {
                    *part = Some(look_at(thread * share + index));
                }
            });
        }
    });
    join(ahead.into_iter().chain(parts.into_iter().flatten()), &starts)
}

/// Where slices begin, never inside a character, and where the text ends.
fn slices(text: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut at = SLICE;
    while at < text.len() {
        starts.push(behind_character(text, at));
        at += SLICE;
    }
    starts.push(text.len());
    starts
}

/// A place, or the next one that is not inside a character.
fn behind_character(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count()
}

/// So many bytes are looked at in several ways while they are in the cache.
const PIECE: usize = 64 << 10;

fn look(text: &[u8], start: usize, end: usize, held: usize) -> Survey {
    let slice = &text[start..end];
    let mut survey = Survey { is_utf8: true, ..Survey::default() };
    let mut at = start;
    let remarks = [&b"\n# "[..], b"\n// "].map(memchr::memmem::Finder::new);
    // Validity is asked of pieces that end where a character does.
    while at < end {
        let mut stop = (at + PIECE).min(end);
        while stop < end && text[stop] & 0xc0 == 0x80 && stop - at < PIECE + 4 {
            stop += 1;
        }
        let piece = &text[at..stop];
        survey.is_utf8 &= simdutf8::basic::from_utf8(piece).is_ok();
        survey.line_feeds += memchr::memchr_iter(b'\n', piece).count() as u64;
        if let Some(first) = memchr::memchr2(b'\r', 0, piece) {
            let rest = &piece[first..];
            survey.carriage_returns += memchr::memchr_iter(b'\r', rest).count() as u64;
            let nuls = memchr::memchr_iter(0, rest).count() as u64;
            if nuls > 0 && survey.first_nul.is_none() {
                survey.first_nul = memchr::memchr(0, rest).map(|nul| at + first + nul);
            }
            survey.nuls += nuls;
        }
        // A mark may stand across two pieces.
        let around = &text[at.saturating_sub(3)..stop];
        survey.has_remarks |= remarks.iter().any(|mark| mark.find(around).is_some());
        at = stop;
    }
    if survey.carriage_returns > 0 {
        let pairs = pairs(slice);
        let across = text[..end].ends_with(b"\r") && text.get(end) == Some(&b'\n');
        survey.pairs = pairs + u64::from(across);
    }
    if text.len() > held {
        release(slice);
    }
    survey
}

/// How often a line feed follows a carriage return. Counted in bytes, which the compiler turns into
/// vectors, as long as a byte holds the count.
fn pairs(slice: &[u8]) -> u64 {
    let next = slice.get(1..).unwrap_or_default();
    let count = |(this, next): (&[u8], &[u8])| {
        let both =
            this.iter().zip(next).map(|(a, b)| u8::from(*a == b'\r') & u8::from(*b == b'\n'));
        u64::from(both.sum::<u8>())
    };
    slice.chunks(255).zip(next.chunks(255)).map(count).sum()
}

fn join(parts: impl Iterator<Item = Survey>, starts: &[usize]) -> Survey {
    let mut all = Survey { is_utf8: true, ..Survey::default() };
    for (part, offset) in parts.zip(starts) {
        all.marks.push(Mark {
            offset: *offset,
            line_feeds: all.line_feeds,
            carriage_returns: all.carriage_returns,
        });
        all.is_utf8 &= part.is_utf8;
        all.line_feeds += part.line_feeds;
        all.carriage_returns += part.carriage_returns;
        all.pairs += part.pairs;
        all.nuls += part.nuls;
        all.first_nul = all.first_nul.or(part.first_nul);
        all.has_remarks |= part.has_remarks;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_do_not_depend_on_threads() {
        let text = "é,a\r\nb\rc\n\u{10348}\0\n".repeat(700_000);
        let one = survey(text.as_bytes(), 1, usize::MAX, Vec::new());
        assert!(one.is_utf8);
        assert_eq!(one.line_feeds, 3 * 700_000);
        assert_eq!(one.carriage_returns, 2 * 700_000);
        assert_eq!(one.pairs, 700_000);
        assert_eq!((one.nuls, one.first_nul), (700_000, text.find('\0')));
        assert_eq!(survey(text.as_bytes(), 3, 0, Vec::new()), one);
        // However little of the text was there when its first slices were looked at.
        let bytes = text.as_bytes();
        for size in [SLICE, SLICE + 3, SLICE + 4, bytes.len() - 1, bytes.len()] {
            let ahead: Vec<Survey> =
                (0..).map_while(|index| slice_ahead(&bytes[..size], index)).collect();
            assert_eq!(ahead.is_empty(), size < SLICE + 4);
            assert_eq!(survey(bytes, 2, 0, ahead), one);
        }
        let mut broken = text.into_bytes();
        broken[5_000_000] = 0xff;
        assert!(!survey(&broken, 2, 0, Vec::new()).is_utf8);
    }
}
