//! The records of an xls workbook, walked only to learn how far apart its cells lie: the reader makes
//! room for everything between the corners of each sheet.

use std::collections::HashMap;

const BOUND_SHEET: u16 = 0x0085;
const BEGIN: u16 = 0x0809;
const END: u16 = 0x000a;
const DIMENSIONS: u16 = 0x0200;
/// No xls sheet has more: 65,536 rows of 256 columns, and a little for writers that count past the end.
const LARGEST_SHEET: u64 = 20_000_000;
/// One cell; row and column come first.
const CELLS: &[u16] = &[0x0203, 0x0204, 0x00d6, 0x0205, 0x027e, 0x00fd, 0x0006, 0x0201];
/// Cells side by side; the last column comes last.
const CELL_ROW: u16 = 0x00bd;

/// The cells between the corners of all sheets together.
pub(super) fn spanned_cells(stream: &[u8]) -> u64 {
    let mut spans: HashMap<u32, u64> = HashMap::new();
    let mut spanned = 0u64;
    for (kind, data) in Records(stream).take_while(|(kind, _)| *kind != END) {
        let Some(offset) = data.first_chunk::<4>().filter(|_| kind == BOUND_SHEET) else {
            continue;
        };
        // Several names for one sheet are read several times.
        let offset = u32::from_le_bytes(*offset);
        let sheet = stream.get(offset as usize..).unwrap_or_default();
        spanned = spanned.saturating_add(*spans.entry(offset).or_insert_with(|| span(sheet)));
    }
    spanned
}

/// The cells between the corners of the sheet that begins here.
fn span(stream: &[u8]) -> u64 {
    let (mut top, mut bottom, mut left, mut right) = (u64::MAX, 0u64, u64::MAX, 0u64);
    // Charts inside the sheet are substreams of their own; the first beginning is the sheet's.
    let (mut begun, mut inside) = (false, 0u32);
    for (kind, data) in Records(stream) {
        match kind {
            BEGIN if begun => inside += 1,
            BEGIN => begun = true,
            END if inside == 0 => break,
            END => inside -= 1,
            _ => {}
        }
        if inside > 0 {
            continue;
        }
        let at = |index: usize| {
            data.get(index..index + 2).map(|two| u64::from(u16::from_le_bytes([two[0], two[1]])))
        };
        let last = match kind {
            DIMENSIONS if promised(data) > LARGEST_SHEET => return u64::MAX,
            CELL_ROW => at(data.len().saturating_sub(2)),
            kind if CELLS.contains(&kind) => at(2),
            _ => continue,
        };
        if let (Some(row), Some(column), Some(last)) = (at(0), at(2), last) {
            (top, bottom) = (top.min(row), bottom.max(row));
            (left, right) = (left.min(column), right.max(column).max(last));
        }
    }
    if top == u64::MAX { 0 } else { (bottom - top + 1) * (right - left + 1) }
}

/// The cells that a sheet says it has, for which the reader makes room at once.
fn promised(data: &[u8]) -> u64 {
    let long = |at: usize| {
        let four = data.get(at..at + 4).and_then(|four| four.try_into().ok());
        four.map_or(0, |four| u64::from(u32::from_le_bytes(four)))
    };
    let short = |at: usize| {
        let two = data.get(at..at + 2).and_then(|two| two.try_into().ok());
        two.map_or(0, |two| u64::from(u16::from_le_bytes(two)))
    };
    // Rows take two bytes in the older form, four in the newer.
    let (rows, columns) = match data.len() {
        10 => ((short(0), short(2)), (short(4), short(6))),
        _ => ((long(0), long(4)), (short(8), short(10))),
    };
    let extent = |(first, end): (u64, u64)| end.saturating_sub(first) + 1;
    extent(rows).saturating_mul(extent(columns))
}

/// Records one after the other: kind, length, data.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let ([k1, k2, l1, l2], rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_le_bytes([*l1, *l2])).min(rest.len());
        let (data, rest) = rest.split_at(length);
        self.0 = rest;
        Some((u16::from_le_bytes([*k1, *k2]), data))
    }
}
