//! Every workbook among the fixtures: our cells are calamine's.

mod tests {
    use std::path::{Path, PathBuf};

    use calamine::{DataRef, Reader, SheetType};

    use super::super::Xlsx;
    use crate::context::Context;
    use crate::format::excel::place::name_of;
    use crate::format::excel::sheet::{Sheet, Tag};
    use crate::limits::Limits;
    use crate::options::Options;

    fn workbooks(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                workbooks(&path, found);
            } else if ["xlsx", "xlsm"].contains(&extension.as_str()) {
                found.push(path);
            }
        }
    }

    fn ours(path: &Path) -> Option<Vec<Sheet>> {
        let (options, limits) = (Options::default(), Limits::default());
        let mut context = Context::new(&options, &limits);
        let mut book = Xlsx::open(&std::fs::read(path).unwrap().into(), &limits).ok()?;
        let infos = book.sheets();
        let all: Vec<usize> = (0..infos.len()).filter(|index| infos[*index].worksheet).collect();
        let mut sheets = Vec::new();
        let take = &mut |_, sheet, _: &mut Context<'_>| {
            sheets.push(sheet);
            Ok(())
        };
        book.read(&all, &mut context, take).ok()?;
        Some(sheets)
    }

    /// Where a cell is, and what it holds in the words of either reader.
    type Words = Vec<(u32, u32, String)>;

    fn our_words(sheet: &Sheet) -> Words {
        let mut words = Vec::new();
        for (column, stack) in sheet.columns.iter().enumerate() {
            for index in 0..stack.len() {
                let cell = stack.get(index);
                let float = f64::from_bits(cell.bits);
                let text = sheet.text(cell).unwrap_or_default();
                let word = match cell.tag {
                    Tag::Number => format!("{float:?}"),
                    // calamine has floats only, so the last digits are gone there.
                    Tag::Whole => format!("{:?}", cell.bits.cast_signed() as f64),
                    Tag::Bool => (cell.bits == 1).to_string(),
                    Tag::Shared | Tag::Own => format!("text {text}"),
                    Tag::Error | Tag::Iso => text.to_owned(),
                    Tag::Date | Tag::Stamp | Tag::Time | Tag::Moment => format!("moment {float:?}"),
                    Tag::Duration => format!("duration {float:?}"),
                };
                words.push((cell.row, column as u32, word));
            }
        }
        words.retain(|(_, _, word)| word != "text ");
        words.sort();
        words
    }

    fn their_words(
        book: &mut calamine::Xlsx<std::io::BufReader<std::fs::File>>,
        name: &str,
    ) -> Option<Words> {
        let mut cells = book.worksheet_cells_reader(name).ok()?;
        let mut words = Vec::new();
        while let Some(cell) = cells.next_cell().ok()? {
            let word = match cell.get_value() {
                DataRef::Empty => continue,
                DataRef::Int(number) => format!("{:?}", *number as f64),
                DataRef::Float(number) => format!("{number:?}"),
                DataRef::Bool(flag) => flag.to_string(),
                DataRef::String(text) => format!("text {text}"),
                DataRef::SharedString(text) => format!("text {text}"),
                DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
                DataRef::Error(error) => error.to_string(),
                DataRef::DateTime(moment) if moment.is_duration() => {
                    format!("duration {:?}", moment.as_f64())
                }
                DataRef::DateTime(moment) => format!("moment {:?}", moment.as_f64()),
            };
            let (row, column) = cell.get_position();
            words.push((row, column, word));
        }
        words.retain(|(_, _, word)| word != "text ");
        words.sort();
        Some(words)
    }

    #[test]
    fn cells_are_those_of_calamine() {
        let mut paths = Vec::new();
        workbooks(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut paths);
        let (mut compared, mut unread) = (0, Vec::new());
        for path in &paths {
            let theirs: Result<calamine::Xlsx<_>, _> = calamine::open_workbook(path);
            let (Some(sheets), Ok(mut book)) = (ours(path), theirs) else {
                unread.push(path);
                continue;
            };
            let metadata = book.sheets_metadata().to_vec();
            let worksheets = metadata.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
            for (sheet, info) in sheets.iter().zip(worksheets) {
                assert_eq!(sheet.name, info.name, "{}", path.display());
                assert_eq!(sheet.from_1904, book.has_1904_epoch(), "{}", path.display());
                let Some(theirs) = their_words(&mut book, &info.name) else {
                    unread.push(path);
                    continue;
                };
                let ours = our_words(sheet);
                for (ours, theirs) in ours.iter().zip(&theirs) {
                    let place =
                        format!("{} {} {}", path.display(), sheet.name, name_of(ours.0, ours.1));
                    assert_eq!(ours, theirs, "{place}");
                }
                assert_eq!(ours.len(), theirs.len(), "{}", path.display());
                let merged = book.merge_cells_by_sheet_name(&info.name).unwrap_or_default();
                assert_eq!(sheet.merged.len(), merged.len(), "{}", path.display());
                compared += ours.len();
            }
        }
        assert!(compared > 200, "only {compared} cells compared; unread: {unread:?}");
    }
}
