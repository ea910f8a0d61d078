//! What a terminal needs: colours where they are wanted, widths, and text that cannot steer it.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    colour: bool,
}

impl Style {
    /// For standard output.
    pub(super) fn of_stdout() -> Self {
        Style { colour: io::stdout().is_terminal() && colours_wanted() }
    }

    /// For standard error.
    pub(super) fn of_stderr() -> Self {
        Style { colour: io::stderr().is_terminal() && colours_wanted() }
    }

    /// No colours.
    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Style { colour: false }
    }

    pub(super) fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(super) fn warning(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    pub(super) fn mark(self, text: &str) -> String {
        self.paint("1;34", text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// See <https://no-color.org>: set and not empty means no colours.
fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

/// One line on standard error. Nobody is there to hear that standard error is closed.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A line that is neither a warning nor an error.
pub(super) fn note(text: &str) {
    tell(&format!("note: {text}"));
}

/// Columns to fill where the output is no terminal, or a terminal of unknown width.
const DEFAULT_WIDTH: usize = 100;

/// The terminal's width in columns.
pub(super) fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = told.or_else(|| if io::stdout().is_terminal() { asked() } else { None });
    columns.filter(|columns| *columns >= 20).unwrap_or(DEFAULT_WIDTH)
}

/// The width as `stty` knows it: it looks at the terminal on its standard input.
fn asked() -> Option<usize> {
    let terminal = std::fs::File::open("/dev/tty").ok()?;
    let size = Command::new("stty").arg("size").stdin(terminal).stderr(Stdio::null()).output();
    let size = String::from_utf8(size.ok()?.stdout).ok()?;
    size.split_whitespace().nth(1)?.parse().ok()
}

/// One line of standard input. On a terminal the prompt is shown and what is typed is not.
pub(super) fn read_secret(prompt: &str) -> io::Result<String> {
    let hidden = io::stdin().is_terminal() && {
        let _ = write!(io::stderr(), "{prompt}: ");
        echo(false)
    };
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    if hidden {
        echo(true);
        tell("");
    }
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn echo(on: bool) -> bool {
    let argument = if on { "echo" } else { "-echo" };
    Command::new("stty").arg(argument).status().is_ok_and(|status| status.success())
}

/// Text from a file or a command line, made harmless: what would move the cursor, change colours or
/// turn the reading direction is escaped.
pub(super) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => clean.push_str("\\n"),
            '\r' => clean.push_str("\\r"),
            '\t' => clean.push_str("\\t"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                clean.extend(character.escape_unicode());
            }
            control if control.is_control() => clean.extend(control.escape_unicode()),
            other => clean.push(other),
        }
    }
    clean
}

/// How many terminal columns a text takes.
pub(super) fn text_width(text: &str) -> usize {
    text.chars().map(character_width).sum()
}

/// The text, cut with `…` where it is wider than `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut taken = 0;
    let fits = |character: &char| {
        taken += character_width(*character);
        taken < width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The blocks that nearly every terminal draws two columns wide, or not at all.
fn character_width(character: char) -> usize {
    match character as u32 {
        0..=0x1f | 0x7f..=0x9f => 0,
        0x300..=0x36f | 0x1ab0..=0x1aff | 0x20d0..=0x20ff => 0,
        0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 => 2,
        0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 => 2,
        0x1f300..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f900..=0x1f9ff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_steer_the_terminal() {
        assert_eq!(printable("a\x1b[31m\tb\u{202e}"), "a\\u{1b}[31m\\tb\\u{202e}");
        assert_eq!(printable("żółć 表"), "żółć 表");
    }

    #[test]
    fn wide_and_combining_characters_are_measured_and_cut() {
        assert_eq!(text_width("e\u{301}a"), 2);
        assert_eq!(text_width("表é"), 3);
        assert_eq!(cut("表表表", 6), "表表表");
        assert_eq!(cut("表表表", 5), "表表…");
        assert_eq!(cut("abcdef", 4), "abc…");
    }
}
