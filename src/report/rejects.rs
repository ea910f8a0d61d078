//! Every row and value that was repaired, left out or refused, in a csv file of its own.
//!
//! A report lists the first of them; this file has them all, with the whole raw text.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use super::Issue;

/// The columns of the file. `row` counts from 1 without the header, `line` from 1; `byte_offset`
/// is from the start of the unwrapped file.
const COLUMNS: &str = "code,table,row,column,line,byte_offset,message,raw\n";

/// The file in the making.
#[derive(Debug)]
pub struct Rejects {
    out: BufWriter<File>,
}

impl Rejects {
    /// A new file, with its header; one that is there already is replaced.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(COLUMNS.as_bytes())?;
        Ok(Rejects { out })
    }

    /// Adds an issue and the raw text it is about.
    pub fn add(&mut self, issue: &Issue, raw: &[u8]) -> io::Result<()> {
        let number = |number: Option<u64>| number.map_or(String::new(), |n| n.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            issue.code.as_str().to_owned(),
            text(&issue.table),
            number(issue.row),
            text(&issue.column),
            number(issue.line),
            number(issue.byte_offset),
            issue.message.clone(),
        ];
        for cell in &cells {
            quoted(cell.as_bytes(), &mut self.out)?;
            self.out.write_all(b",")?;
        }
        quoted(raw, &mut self.out)?;
        self.out.write_all(b"\n")
    }

    /// Drops all that was added: the text is read anew.
    pub fn restart(&mut self) -> io::Result<()> {
        self.out.flush()?;
        let file = self.out.get_mut();
        file.set_len(COLUMNS.len() as u64)?;
        file.seek(io::SeekFrom::End(0)).map(drop)
    }

    /// Writes out what is still in memory.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn quoted(cell: &[u8], out: &mut impl Write) -> io::Result<()> {
    if !cell.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return out.write_all(cell);
    }
    out.write_all(b"\"")?;
    for part in cell.split_inclusive(|byte| *byte == b'"') {
        out.write_all(part)?;
        if part.ends_with(b"\"") {
            out.write_all(b"\"")?;
        }
    }
    out.write_all(b"\"")
}
