//! Text as XML and workbooks write it: entities, line ends, and `_xHHHH_` for what XML cannot hold.

use memchr::{memchr, memchr3, memmem};

use crate::report::Code;

/// Why a text cannot be read.
#[derive(Debug)]
pub(in crate::format::excel) struct Bad {
    pub code: Code,
    pub message: String,
}

/// Adds text without entities: line ends are made `\n`.
pub(super) fn plain(raw: &[u8], into: &mut String) -> Result<(), Bad> {
    let text = utf8(raw)?;
    if memchr(b'\r', raw).is_none() {
        into.push_str(text);
        return Ok(());
    }
    let mut pieces = text.split('\r');
    into.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        into.push('\n');
        into.push_str(piece.strip_prefix('\n').unwrap_or(piece));
    }
    Ok(())
}

/// Adds text whose entities are resolved.
pub(super) fn unescape(raw: &[u8], into: &mut String) -> Result<(), Bad> {
    let mut rest = raw;
    while let Some(ampersand) = memchr(b'&', rest) {
        plain(&rest[..ampersand], into)?;
        let entity = &rest[ampersand + 1..];
        let end = memchr(b';', &entity[..entity.len().min(16)]);
        let name = &entity[..end.unwrap_or(entity.len().min(16))];
        let resolved = end.and_then(|_| resolve(name)).ok_or_else(|| Bad {
            code: Code::Corrupt,
            message: format!("the entity &{}; is not known", crate::report::quote(name)),
        })?;
        into.push(resolved);
        rest = &entity[name.len() + 1..];
    }
    plain(rest, into)
}

fn resolve(name: &[u8]) -> Option<char> {
    Some(match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => {
            let number = std::str::from_utf8(name).ok()?.strip_prefix('#')?;
            let digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let code = match number.strip_prefix('x') {
                Some(hex) if digits(hex) => u32::from_str_radix(hex, 16),
                None if digits(number) => number.parse(),
                _ => return None,
            };
            char::from_u32(code.ok()?).filter(|character| *character != '\0')?
        }
    })
}

/// The bytes as text.
pub(super) fn utf8(raw: &[u8]) -> Result<&str, Bad> {
    simdutf8::basic::from_utf8(raw).map_err(|_| Bad {
        code: Code::BadEncoding,
        message: format!("the text {:?} is not UTF-8", crate::report::quote(raw)),
    })
}

/// Whether a text as it is written is surely what it means.
#[inline]
pub(super) fn is_verbatim(raw: &[u8]) -> bool {
    memchr3(b'&', b'\r', b'_', raw).is_none()
}

/// `_x000D_` and the like resolved; what is no such mark stays as it is.
pub(super) fn resolve_marks(text: &mut String) {
    if memmem::find(text.as_bytes(), b"_x").is_none() {
        return;
    }
    let (mut resolved, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while let Some(at) = rest.find("_x") {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        let (character, length) = match mark(rest) {
            Some(high @ 0xd800..0xdc00) => match mark(&rest[7..]) {
                Some(low @ 0xdc00..0xe000) => {
                    (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 14)
                }
                _ => (None, 0),
            },
            Some(code) => (char::from_u32(code), 7),
            None => (None, 0),
        };
        match character {
            Some(character) => resolved.push(character),
            None => resolved.push_str("_x"),
        }
        rest = &rest[if character.is_some() { length } else { 2 }..];
    }
    resolved.push_str(rest);
    *text = resolved;
}

/// The UTF-16 unit of `_xHHHH_` at the start of a text.
fn mark(text: &str) -> Option<u32> {
    let [b'_', b'x', digits @ .., b'_'] = text.as_bytes().first_chunk::<7>()? else { return None };
    let digits = std::str::from_utf8(digits).ok()?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Result<String, String> {
        let mut text = String::new();
        unescape(raw.as_bytes(), &mut text).map_err(|bad| bad.message)?;
        Ok(text)
    }

    #[test]
    fn entities() {
        assert_eq!(read("a &amp;&lt;&gt;&quot;&apos; b").as_deref(), Ok("a &<>\"' b"));
        assert_eq!(read("&#228;&#xE4;&#x1F600;").as_deref(), Ok("ää😀"));
        assert_eq!(read("a\r\nb\rc&#13;\n").as_deref(), Ok("a\nb\nc\r\n"));
        for bad in ["&", "& b", "&nbsp;", "&#0;", "&#x110000;", "&#+5;", "&#;", "&amp"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn marks() {
        let resolve = |text: &str| {
            let mut text = text.to_owned();
            resolve_marks(&mut text);
            text
        };
        assert_eq!(resolve("a_x000D_b"), "a\rb");
        assert_eq!(resolve("_x005F_x000D_"), "_x000D_");
        assert_eq!(resolve("_xD83D__xDE00_"), "😀");
        for literal in ["_x00", "_xD83D_", "_xzzzz_", "_x+123_", "x_xé0_", "_X000D_", "_x__x_"] {
            assert_eq!(resolve(literal), literal);
        }
    }
}
