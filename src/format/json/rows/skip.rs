//! Values that are passed over, all of them checked.

use super::quick::{self, Number};
use super::read::{Halt, Reader, Step};

impl Reader<'_> {
    /// Passes a value; checks all of it.
    pub fn skip(&mut self, depth: usize) -> Step {
        match self.peek() {
            b'"' => {
                let (end, _) = quick::text_end(self.text, self.at + 1).ok_or(Halt::Broken)?;
                if end - self.at - 1 > self.value_bytes {
                    return Err(Halt::Limit);
                }
                self.at = end + 1;
                Ok(())
            }
            b'-' | b'0'..=b'9' => {
                self.at = match quick::number(self.text, self.at).ok_or(Halt::Broken)? {
                    Number::Small(_, end) => end,
                    Number::Other(parts) => parts.end,
                };
                Ok(())
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            open @ (b'{' | b'[') => self.skip_container(open, depth),
            _ => Err(Halt::Broken),
        }
    }

    fn skip_container(&mut self, open: u8, depth: usize) -> Step {
        let depth = depth.checked_sub(1).ok_or(Halt::Limit)?;
        let close = if open == b'{' { b'}' } else { b']' };
        self.at += 1;
        self.blanks();
        if self.peek() == close {
            self.at += 1;
            return Ok(());
        }
        loop {
            if open == b'{' {
                self.pass_key()?;
            }
            self.skip(depth)?;
            if !self.more(close)? {
                return Ok(());
            }
        }
    }

    /// Passes what stands behind a value: whether another follows, or the container ends.
    #[inline(always)]
    pub fn more(&mut self, close: u8) -> Step<bool> {
        self.blanks();
        let byte = self.peek();
        if byte != b',' && byte != close {
            return Err(Halt::Broken);
        }
        self.at += 1;
        if byte == b',' {
            self.blanks();
        }
        Ok(byte == b',')
    }

    /// Passes a key and its colon; gives where its text is and whether it has escapes.
    pub fn pass_key(&mut self) -> Step<(usize, usize, bool)> {
        if self.peek() != b'"' {
            return Err(Halt::Broken);
        }
        let start = self.at + 1;
        let (end, escaped) = quick::text_end(self.text, start).ok_or(Halt::Broken)?;
        if end - start > self.value_bytes {
            return Err(Halt::Limit);
        }
        self.at = end + 1;
        self.colon()?;
        Ok((start, end, escaped))
    }

    #[inline(always)]
    pub fn colon(&mut self) -> Step {
        self.blanks();
        if self.peek() != b':' {
            return Err(Halt::Broken);
        }
        self.at += 1;
        self.blanks();
        Ok(())
    }
}
