//! Compound files (OLE2), which xls files are: their sectors checked for loops before a reader that
//! follows them for ever.

use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// Sector numbers from here on are marks, not sectors.
const MARKS: u32 = 0xffff_fffa;
const DIRECTORY_OF_FAT: usize = 0x4c;
const IN_HEADER: usize = 109;

/// Refuses a file in which a chain of sectors comes back to itself, and one whose cells span more
/// than `allowed`. Anything else that is wrong is for the reader to say.
pub(super) fn check(bytes: &[u8], allowed: u64) -> Result<()> {
    let Some(file) = Compound::new(bytes) else { return Ok(()) };
    let Some(fat) = file.fat() else { return Err(looped()) };
    if has_loop(&fat) {
        return Err(looped());
    }
    // The small streams' table is itself a chain, which is known to end now.
    let mut small = Vec::new();
    let mut sector = u32_at(bytes, 0x3c).unwrap_or(MARKS);
    while sector < MARKS {
        small.extend(file.entries(sector));
        sector = fat.get(sector as usize).copied().unwrap_or(MARKS);
    }
    if has_loop(&small) {
        return Err(looped());
    }
    let Some(stream) = file.workbook(&fat, &small) else { return Ok(()) };
    let spanned = super::records::spanned_cells(&stream);
    if spanned > allowed {
        let message = format!("the cells of the workbook span {spanned}, allowed are {allowed}");
        let issue = Issue::limit(Code::TooManyCells, message, "sheet_cells");
        return Err(issue.hint("remove the stray cells far from the tables").into());
    }
    Ok(())
}

fn looped() -> crate::Error {
    let message = "the workbook is damaged: its sectors form a loop";
    Issue::error(Stage::Parse, Code::Corrupt, message).into()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_le_bytes)
}

struct Compound<'a> {
    bytes: &'a [u8],
    sector_size: usize,
}

impl<'a> Compound<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        match bytes.get(0x1e..0x20)? {
            [9, 0] => Some(Compound { bytes, sector_size: 512 }),
            [12, 0] => Some(Compound { bytes, sector_size: 4096 }),
            _ => None,
        }
    }

    /// The numbers in a sector; fewer where the file ends in it.
    fn entries(&self, sector: u32) -> Vec<u32> {
        let start = (sector as usize + 1).saturating_mul(self.sector_size);
        let end = start.saturating_add(self.sector_size).min(self.bytes.len());
        let part = self.bytes.get(start.min(end)..end).unwrap_or_default();
        part.chunks_exact(4).filter_map(|four| u32_at(four, 0)).collect()
    }

    /// The bytes of a chain of sectors.
    fn chain(&self, fat: &[u32], first: u32) -> Vec<u8> {
        let (mut stream, mut sector) = (Vec::new(), first);
        while sector < MARKS {
            let start = (sector as usize + 1).saturating_mul(self.sector_size);
            let end = start.saturating_add(self.sector_size).min(self.bytes.len());
            stream.extend_from_slice(self.bytes.get(start.min(end)..end).unwrap_or_default());
            sector = fat.get(sector as usize).copied().unwrap_or(MARKS);
        }
        stream
    }

    /// The stream that holds the workbook: `Workbook`, or `Book` in older files.
    fn workbook(&self, fat: &[u32], small: &[u32]) -> Option<Vec<u8>> {
        const ENTRY: usize = 128;
        const SMALL_SECTOR: usize = 64;
        let directory = self.chain(fat, u32_at(self.bytes, 0x30)?);
        let named = |wanted: &str| {
            directory.chunks_exact(ENTRY).find(|entry| {
                let name = entry[..64].chunks_exact(2).take_while(|pair| pair[0] != 0);
                let name: Vec<u8> = name.map(|pair| pair[0]).collect();
                name.eq_ignore_ascii_case(wanted.as_bytes())
            })
        };
        let entry = named("Workbook").or_else(|| named("Book"))?;
        let (first, size) = (u32_at(entry, 116)?, u32_at(entry, 120)?);
        if size >= 4096 {
            return Some(self.chain(fat, first));
        }
        // Small streams lie in the stream of the root, which is the first entry.
        let root = self.chain(fat, u32_at(&directory, 116)?);
        let (mut stream, mut sector) = (Vec::new(), first);
        while sector < MARKS {
            let start = (sector as usize).saturating_mul(SMALL_SECTOR);
            let end = start.saturating_add(SMALL_SECTOR).min(root.len());
            stream.extend_from_slice(root.get(start.min(end)..end).unwrap_or_default());
            sector = small.get(sector as usize).copied().unwrap_or(MARKS);
        }
        Some(stream)
    }

    /// The table that says for each sector which one follows; `None` if its own list is a loop.
    fn fat(&self) -> Option<Vec<u32>> {
        let sectors = self.bytes.len() / self.sector_size + 1;
        let mut list: Vec<u32> = (0..IN_HEADER)
            .filter_map(|index| u32_at(self.bytes, DIRECTORY_OF_FAT + index * 4))
            .collect();
        let mut next = u32_at(self.bytes, 0x44).unwrap_or(MARKS);
        let mut passed = 0;
        while next < MARKS {
            passed += 1;
            if passed > sectors {
                return None;
            }
            let mut more = self.entries(next);
            // The last number of each sector of the list is the next one.
            next = more.pop().unwrap_or(MARKS);
            list.extend(more);
        }
        let mut fat = Vec::new();
        for sector in list.into_iter().filter(|sector| *sector < MARKS).take(sectors) {
            fat.extend(self.entries(sector));
        }
        Some(fat)
    }
}

/// Whether following the numbers from any place comes back to it.
fn has_loop(next: &[u32]) -> bool {
    // For each place the walk that came through it first, from 1.
    let mut walked = vec![0u32; next.len()];
    for start in 0..next.len() {
        let walk = start as u32 + 1;
        let mut at = start;
        while let Some(mark) = walked.get_mut(at) {
            if *mark == walk {
                return true;
            }
            if *mark != 0 {
                break;
            }
            *mark = walk;
            at = next[at] as usize;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_found_and_chains_are_not() {
        assert!(!has_loop(&[1, 2, 0xffff_fffe, 2, 0xffff_ffff]));
        assert!(has_loop(&[1, 2, 0]));
        assert!(has_loop(&[0xffff_fffe, 1]));
        assert!(!has_loop(&[]));
    }
}
