//! Samples: the head of a text and windows from later places, so that a text of any size is judged
//! at the same cost.

/// A text up to this size is its own sample.
const WHOLE: usize = 64 << 10;
const HEAD: usize = 48 << 10;
/// The head grows up to here where it holds only a few lines.
const HEAD_OF_LONG_LINES: usize = 256 << 10;
const FEW_LINES: usize = 8;
const WINDOW: usize = 16 << 10;
/// Where windows begin, in tenths of the text.
const PLACES: [usize; 4] = [3, 5, 7, 9];

/// One part of a text, of whole lines where it has any end of line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub text: &'a [u8],
    /// Whether the text begins here.
    pub is_head: bool,
    /// Whether more text follows, so that a quote left open says nothing.
    pub is_cut: bool,
}

/// The pieces of a text that are looked at.
pub(super) fn pieces(text: &[u8]) -> Vec<Piece<'_>> {
    if text.len() <= WHOLE {
        return vec![Piece { text, is_head: true, is_cut: false }];
    }
    let mut head = whole_lines(&text[..HEAD]);
    if line_ends(head) < FEW_LINES {
        let longer = &text[..text.len().min(HEAD_OF_LONG_LINES)];
        let enough = memchr::memchr2_iter(b'\n', b'\r', longer).nth(2 * FEW_LINES);
        head = whole_lines(&longer[..enough.map_or(longer.len(), |end| end + 1)]);
    }
    let mut pieces = vec![Piece { text: head, is_head: true, is_cut: head.len() < text.len() }];
    for tenths in PLACES {
        let start = (text.len() / 10 * tenths).max(head.len());
        // Long lines need long windows, but not without end.
        let window = &text[start..text.len().min(start + WINDOW.max(head.len() / FEW_LINES * 2))];
        let Some(first) = memchr::memchr2(b'\n', b'\r', window) else { continue };
        let lines = whole_lines(&window[first + 1..]);
        if !lines.is_empty() && line_ends(lines) > 0 {
            pieces.push(Piece { text: lines, is_head: false, is_cut: true });
        }
    }
    pieces
}

/// Up to the last end of a line, or everything where there is none.
fn whole_lines(text: &[u8]) -> &[u8] {
    &text[..memchr::memrchr2(b'\n', b'\r', text).map_or(text.len(), |end| end + 1)]
}

fn line_ends(text: &[u8]) -> usize {
    memchr::memchr2_iter(b'\n', b'\r', text).take(FEW_LINES).count()
}

/// The physical lines of a piece, without their ends, blank ones left out.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    let lines = std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr2(b'\n', b'\r', text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    });
    lines.filter(|line| !line.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_lines_from_several_places() {
        let text = "0123456789\n".repeat(40_000);
        let pieces = pieces(text.as_bytes());
        assert_eq!(pieces.len(), 5);
        for piece in pieces {
            assert!(piece.text.starts_with(b"0123456789\n") && piece.text.ends_with(b"9\n"));
            assert!(piece.text.len() <= HEAD);
        }
        assert_eq!(super::pieces(&vec![b'x'; 1 << 20]).len(), 1);
    }
}
