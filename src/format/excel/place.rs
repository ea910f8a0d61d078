//! Places in a sheet as they are written: `C7`, `A1:B12`.

use super::sheet::Area;

/// Rows of a sheet.
pub(super) const ROWS: u32 = 1_048_576;
/// Columns of a sheet.
pub(super) const COLUMNS: u32 = 16_384;

/// Row and column from 0; `None` for what is no place in a sheet.
#[inline]
pub(super) fn cell_of(text: &[u8]) -> Option<(u32, u32)> {
    let (mut column, mut at) = (0u32, 0);
    while let Some(letter) = text.get(at).map(|byte| byte & !0x20).filter(u8::is_ascii_uppercase) {
        column = column * 26 + u32::from(letter - b'A') + 1;
        at += 1;
        if at > 3 {
            return None;
        }
    }
    let row = row_of(&text[at..])?;
    (column.wrapping_sub(1) < COLUMNS).then(|| (row, column - 1))
}

/// A row from 0, written from 1.
#[inline]
pub(super) fn row_of(text: &[u8]) -> Option<u32> {
    let mut row = 0u32;
    if text.is_empty() || text.len() > 10 {
        return None;
    }
    for digit in text {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        row = row.saturating_mul(10).saturating_add(u32::from(value));
    }
    (row.wrapping_sub(1) < ROWS).then(|| row - 1)
}

/// `A1:B12`, or one cell; absolute or not, corners in any order.
pub(super) fn area_of(text: &[u8]) -> Option<Area> {
    let plain: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'$').collect();
    let mut corners = plain.trim_ascii().split(|byte| *byte == b':');
    let first = cell_of(corners.next()?)?;
    let last = corners.next().map_or(Some(first), cell_of)?;
    corners.next().is_none().then(|| Area {
        top: first.0.min(last.0),
        left: first.1.min(last.1),
        bottom: first.0.max(last.0),
        right: first.1.max(last.1),
    })
}

/// A cell as people name it.
pub(super) fn name_of(row: u32, column: u32) -> String {
    let (mut letters, mut left) = (Vec::new(), u64::from(column) + 1);
    while left > 0 {
        letters.push(char::from(b'A' + ((left - 1) % 26) as u8));
        left = (left - 1) / 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", u64::from(row) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_there_and_back() {
        for (text, place) in [
            ("A1", (0, 0)),
            ("Z9", (8, 25)),
            ("aa10", (9, 26)),
            ("XFD1048576", (1_048_575, 16_383)),
        ] {
            assert_eq!(cell_of(text.as_bytes()), Some(place));
            assert_eq!(name_of(place.0, place.1), text.to_uppercase());
        }
        for bad in
            ["", "A", "1", "A0", "XFE1", "A1048577", "AAAA1", "A-1", "A1 ", "A99999999999", "é1"]
        {
            assert_eq!(cell_of(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn areas() {
        let area = |top, left, bottom, right| Some(Area { top, left, bottom, right });
        assert_eq!(area_of(b"$B$2:A$1"), area(0, 0, 1, 1));
        assert_eq!(area_of(b"C3"), area(2, 2, 2, 2));
        assert_eq!(area_of(b"A1:B2:C3"), None);
        assert_eq!(area_of(b"A:B"), None);
    }
}
