//! Which delimiters a text may have: those that occur in enough of its lines, and are not merely
//! part of times, addresses and numbers.

use super::dialect::{CsvDialect, Delimiter};
use super::sample::{self, Piece};
use super::sniff::{LINES, Settled};

/// How much a delimiter has to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trust {
    /// Nothing: the options name it.
    Given,
    Usual,
    /// Blanks and colons.
    Weak,
    /// Any other character.
    Odd,
}

/// The delimiters that occur often enough, in the order of preference among equals.
pub(super) fn candidates(
    pieces: &[Piece<'_>],
    base: &CsvDialect,
    settled: Settled,
    mark: Option<&[u8]>,
) -> Vec<(Delimiter, Trust)> {
    if settled.delimiter {
        return vec![(base.delimiter.clone(), Trust::Given)];
    }
    let lines: Vec<&[u8]> = pieces
        .iter()
        .flat_map(|piece| sample::lines(piece.text).take(LINES))
        .filter(|line| mark.is_none_or(|mark| !line.starts_with(mark)))
        .map(|line| &line[..line.len().min(4 << 10)])
        .collect();
    let share = |what: &[u8]| {
        let holds = |line: &&&[u8]| memchr::memmem::find(line, what).is_some();
        lines.iter().filter(holds).count() as f64 / lines.len().max(1) as f64
    };
    let mut found = Vec::new();
    for (byte, trust) in [
        (b',', Trust::Usual),
        (b';', Trust::Usual),
        (b'\t', Trust::Usual),
        (b'|', Trust::Usual),
        (b':', Trust::Weak),
        (b' ', Trust::Weak),
    ] {
        let share = share(&[byte]);
        let is_time = match byte {
            b':' => colons_are_in_times(&lines),
            b',' => commas_are_in_times(&lines),
            _ => false,
        };
        if share > 0.15 && !is_time {
            let bytes = if is_doubled(&lines, byte) { vec![byte; 2] } else { vec![byte] };
            found.push((Delimiter::Bytes(bytes), trust));
        }
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let has_run = |line: &&&[u8]| {
        line.first().is_some_and(is_blank)
            || line.windows(2).any(|pair| pair == b"  " || pair == b" \t" || pair == b"\t ")
    };
    if lines.iter().filter(has_run).count() * 4 >= lines.len().max(1) {
        found.push((Delimiter::Blanks, Trust::Weak));
    }
    for character in odd_characters(&lines) {
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).as_bytes();
        // Titles and cells of several lines do without.
        let enough = if is_plain(bytes) { 0.8 } else { 0.4 };
        if share(bytes) >= enough && !(bytes == b"@" && has_addresses(&lines)) {
            let count = match bytes {
                [byte] if is_doubled(&lines, *byte) => 2,
                _ => 1,
            };
            found.push((Delimiter::Bytes(bytes.repeat(count)), Trust::Odd));
        }
    }
    found
}

/// Whether the mark stands in paths, addresses, colours and formulas as well.
pub(super) fn is_plain(mark: &[u8]) -> bool {
    matches!(mark, b"/" | b"\\" | b"=" | b"&" | b"?" | b"#" | b"!" | b"*" | b"@")
}

/// Whether a mark always stands twice. Two commas, semicolons or tabs have an empty cell between
/// them rather, and what means something to a pattern could not be given back as an option.
fn is_doubled(lines: &[&[u8]], byte: u8) -> bool {
    if !matches!(byte, b'|' | b':' | b'~' | b'#' | b'@' | b'%' | b'&' | b'!' | b'/' | b'=') {
        return false;
    }
    let count = |line: &&[u8]| memchr::memchr_iter(byte, line).count();
    let pairs = |line: &&[u8]| memchr::memmem::find_iter(line, &[byte, byte]).count();
    // `||` at one place only may be an empty cell.
    let all: usize = lines.iter().map(count).sum();
    all > 1 && lines.iter().map(pairs).sum::<usize>() * 2 == all
}

/// Whether some `@` stands in an address of mail.
fn has_addresses(lines: &[&[u8]]) -> bool {
    lines.iter().any(|line| {
        memchr::memchr_iter(b'@', line).any(|at| {
            let rest = &line[at + 1..];
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            let host = rest.iter().take_while(|byte| is_part(byte)).count();
            let dot = memchr::memchr(b'.', &rest[..host]);
            let is_named = at > 0 && line[at - 1].is_ascii_alphanumeric();
            let after = |dot: usize| rest.get(dot + 1).is_some_and(u8::is_ascii_alphabetic);
            is_named && dot.is_some_and(|dot| dot > 0 && after(dot))
        })
    })
}

/// Whether the first comma of most lines is the decimal mark of a time that text follows, as in
/// logs: `10:00:00,123 INFO`.
fn commas_are_in_times(lines: &[&[u8]]) -> bool {
    let is_time = |line: &&&[u8]| {
        let Some(at) = memchr::memchr(b',', line) else { return false };
        let digit = |index: usize| line.get(index).is_some_and(u8::is_ascii_digit);
        let before = at >= 3 && digit(at - 1) && digit(at - 2) && line[at - 3] == b':';
        let after = (1..=3).all(|distance| digit(at + distance));
        before && after && matches!(line.get(at + 4), Some(b' ' | b']'))
    };
    lines.iter().filter(is_time).count() * 2 > lines.len()
}

/// The characters of the first whole lines that could be delimiters though they seldom are.
fn odd_characters(lines: &[&[u8]]) -> Vec<char> {
    let mut found: Vec<char> = Vec::new();
    for line in lines.iter().take(6) {
        for character in String::from_utf8_lossy(line).chars() {
            if may_separate(character) && !found.contains(&character) && found.len() < 12 {
                found.push(character);
            }
        }
    }
    found
}

/// Letters, digits, quotes, brackets and what belongs to numbers, words and addresses does not.
fn may_separate(character: char) -> bool {
    let is_usual = matches!(character, ',' | ';' | '\t' | '|' | ':' | ' ');
    let is_part = matches!(
        character,
        '.' | '-'
            | '_'
            | '+'
            | '%'
            | '$'
            | '"'
            | '\''
            | '`'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '€'
            | '£'
            | '¥'
            | '°'
            | 'µ'
            | '“'
            | '”'
            | '„'
            | '‘'
            | '’'
            | '«'
            | '»'
            | '–'
            | '—'
            | '…'
            | '\u{fffd}'
            | '\u{feff}'
            | '\0'
            | '\u{1a}'
            | '²'
            | '³'
    );
    !is_usual && !is_part && !character.is_alphanumeric() && !character.is_whitespace()
}

/// Whether most colons stand in clock times and addresses, and none in the first line.
fn colons_are_in_times(lines: &[&[u8]]) -> bool {
    let (mut all, mut inside) = (0usize, 0usize);
    for line in lines {
        for at in memchr::memchr_iter(b':', line) {
            let digit = |index: usize| line.get(index).is_some_and(u8::is_ascii_digit);
            let clock = at > 0 && digit(at - 1) && digit(at + 1) && digit(at + 2) && !digit(at + 3);
            let address = line.get(at + 1) == Some(&b'/') && line.get(at + 2) == Some(&b'/');
            all += 1;
            inside += usize::from(clock || address);
        }
    }
    let named = lines.first().is_some_and(|line| {
        memchr::memchr(b':', line).is_some() && !line.iter().any(u8::is_ascii_digit)
    });
    // Between quotes they are delimiters, whatever the cells hold.
    let is_between = |line: &&&[u8]| {
        [b"\":\"", b"':'"].iter().any(|pair| memchr::memmem::find(line, *pair).is_some())
    };
    let between = lines.iter().filter(is_between).count();
    inside * 2 > all && !named && between * 5 < lines.len() * 4
}
