//! Where the rows are in a text, and how they follow each other.
//!
//! Takes the whole text; gives the stretch in which rows stand one after the other, or the layout
//! of a document that has none. Brackets and texts are read only as far as that takes; what stands
//! around the rows is checked here, the rows by who reads them.

use std::ops::Range;

use serde_json::Value;

use super::layout::{self, Layout};
use super::lines;
use super::outline::{Item, Sort, first_elements, outline, skip_blanks};
use super::tape::Document;
use super::wrapper::rows_in;
use super::{gather, parse};
use crate::context::Context;
use crate::detect::position;
use crate::error::Result;
use crate::infer::number_shape;
use crate::options::Header;
use crate::report::{Code, Issue, Stage};

/// How rows follow each other in a stretch of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    /// Each on a line of its own; a broken line costs that line.
    Lines,
    /// One after the other, over lines at will; nothing but blanks between them.
    Nothing,
    /// Separated by commas, the brackets being outside of the stretch.
    Commas,
}

/// Rows in a stretch of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowFrame {
    pub start: usize,
    pub end: usize,
    pub between: Between,
    /// Keys from the root to the rows.
    pub path: Vec<String>,
    /// Whether each row is a feature of GeoJSON: the fields of its `properties` are columns, and
    /// so are its other members but `type`; `geometry` is kept as the JSON text it is in the file.
    /// A property that is called as a member is prefixed: `properties.id`.
    pub features: bool,
    /// Names for rows that are arrays; by position without, or beyond them.
    pub names: Option<Vec<String>>,
}

/// What a text is laid out as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Rows(RowFrame),
    /// A value in a stretch of the text, to be read over the tape.
    Document(Range<usize>, Layout),
}

/// So many rows at the beginning tell what rows are like.
const LOOKED_AT: usize = 50;

/// Finds where the rows are. `name` is the file's.
pub(super) fn find(
    text: &[u8],
    shift: u64,
    name: &str,
    context: &mut Context<'_>,
) -> Result<Frame> {
    let mut finder = Finder { text, shift, context, saw_arrays: false };
    let frame = finder.find(name)?;
    let has_header = matches!(finder.context.parser().header, Some(Header::Rows(_)));
    if has_header && !finder.saw_arrays {
        finder.ignored("header has no meaning where rows are not arrays");
    }
    Ok(frame)
}

pub(super) struct Finder<'a, 'c, 'o> {
    pub(super) text: &'a [u8],
    pub(super) shift: u64,
    pub(super) context: &'c mut Context<'o>,
    /// Whether rows are arrays.
    saw_arrays: bool,
}

impl<'a> Finder<'a, '_, '_> {
    fn find(&mut self, name: &str) -> Result<Frame> {
        let text = self.text;
        let start = skip_blanks(text, 0);
        if start == text.len() {
            let issue = Issue::error(Stage::Parse, Code::Empty, "the file holds no JSON value");
            return Err(issue.line(1).byte_offset(self.shift).into());
        }
        let first = text[start];
        let wants_path = self.context.parser().record_path.clone();
        let root = match lines::find(text, start, name, self.context.parser().lines) {
            lines::Text::Rows(found) => {
                if self.context.parser().lines == Some(false) {
                    self.ignored("the rows stand one after the other, though lines is false");
                }
                if let Some(asked) = self.context.parser().orient.as_deref()
                    && !matches!(asked, "records" | "values")
                {
                    let message = format!(
                        "orient={asked:?} has no meaning where every value is a row of its own"
                    );
                    self.ignored(message);
                }
                if wants_path.is_some() {
                    self.ignored(
                        "record_path has no meaning where every value is a row of its own",
                    );
                }
                return self.one_by_one(start, found).map(Frame::Rows);
            }
            lines::Text::Object(root) => Some(root),
            lines::Text::Other => None,
        };
        if self.context.parser().lines == Some(true) {
            self.ignored("the document is one value, not rows one after the other");
        }
        if let Some(path) = wants_path {
            let root = root.or_else(|| outline(text, start));
            let found = root.map(|root| self.by_path(&root, &path)).transpose()?;
            return Ok(found.unwrap_or(Frame::Document(0..text.len(), Layout::Row)));
        }
        let found = match first {
            b'[' => self.array(start..text.trim_ascii_end().len(), Vec::new())?,
            b'{' => match root {
                Some(root) => self.object(&root, Vec::new(), &root)?,
                None => None,
            },
            b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                Some(self.document(start..text.len(), Layout::Scalar, &[]))
            }
            _ => None,
        };
        // What has no outline is no JSON: the tape says where.
        Ok(found.unwrap_or(Frame::Document(0..text.len(), Layout::Row)))
    }

    fn ignored(&mut self, message: impl Into<String>) {
        let issue = Issue::warning(Stage::Parse, Code::OptionIgnored, message);
        let hint = "leave orient, lines, header and record_path out to have the layout found out";
        self.context.reporter.push(issue.hint(hint));
    }

    /// Notes what was found, and the options that find it again.
    fn note(&mut self, framing: &str, options: &[(&str, Value)]) {
        let reporter = &mut self.context.reporter;
        reporter.file().framing.get_or_insert(framing.to_owned());
        for (name, value) in options {
            reporter.option(name, value.clone());
        }
    }

    fn document(&mut self, stretch: Range<usize>, layout: Layout, path: &[String]) -> Frame {
        let name = layout.name();
        let mut options: Vec<(&str, Value)> = Vec::new();
        if !matches!(layout, Layout::Row | Layout::Scalar) {
            options.push(("orient", name.into()));
        }
        if !path.is_empty() {
            options.push(("record_path", path.into()));
        }
        self.note(name, &options);
        Frame::Document(stretch, layout)
    }

    /// Rows one after the other without brackets around them.
    fn one_by_one(&mut self, start: usize, found: lines::Found<'a>) -> Result<RowFrame> {
        let (mut between, mut end) = (found.between, self.text.len());
        if between == Between::Commas {
            end = self.text.trim_ascii_end().len();
            end -= usize::from(self.text[..end].ends_with(b","));
            let message = "the rows are separated by commas, but no brackets stand around them";
            let (line, _) = position(self.text, found.first_end);
            self.context.reporter.push(
                Issue::warning(Stage::Parse, Code::Syntax, message)
                    .line(line)
                    .byte_offset(found.first_end as u64 + self.shift)
                    .raw(b",")
                    .hint("put brackets around all of it, or leave the commas out"),
            );
        }
        let mut frame = RowFrame {
            start,
            end,
            between,
            path: Vec::new(),
            features: found.rows.first().is_some_and(is_feature),
            names: None,
        };
        if let Some(first) = self.header(&found.rows) {
            frame.names = Some(self.names(first.start..first.end)?);
            frame.start = skip_blanks(self.text, first.end);
        }
        if between == Between::Lines && frame.start == frame.end {
            between = Between::Nothing;
        }
        frame.between = between;
        let framing = match (frame.features, between) {
            (true, _) => "geojson",
            (_, Between::Lines) => "lines",
            _ => "concatenated",
        };
        self.note(framing, &[("lines", true.into())]);
        Ok(frame)
    }

    /// An array: its elements are the rows. `stretch` has its brackets in it.
    fn array(&mut self, stretch: Range<usize>, path: Vec<String>) -> Result<Option<Frame>> {
        let Some(rows) = first_elements(self.text, stretch.start, LOOKED_AT) else {
            return Ok(None);
        };
        if stretch.len() < 2 || self.text[stretch.end - 1] != b']' {
            return Ok(None);
        }
        let is_named = path.last().is_some_and(|key| key == "features");
        let features = (is_named || rows.iter().any(is_feature))
            && rows.iter().all(|row| is_feature(row) || row.sort == Sort::Null);
        let mut inside = stretch.start + 1..stretch.end - 1;
        let mut gap = inside.clone();
        let mut frame = RowFrame {
            start: inside.start,
            end: inside.end,
            between: Between::Commas,
            path,
            features,
            names: None,
        };
        if let Some(first) = self.header(&rows) {
            frame.names = Some(self.names(first.start..first.end)?);
            gap.start = first.end;
            // The comma behind the names.
            inside.start = skip_blanks(self.text, first.end) + 1;
            frame.start = inside.start;
        }
        parse::check(self.text, gap, self.shift, self.context)?;
        let orient = match rows.iter().any(|row| row.sort == Sort::Array) {
            true => "values",
            false => "records",
        };
        self.check_asked(orient, &["records", "values"]);
        self.note_rows(if features { "geojson" } else { orient }, orient, &frame.path);
        Ok(Some(Frame::Rows(frame)))
    }

    fn note_rows(&mut self, framing: &str, orient: &str, path: &[String]) {
        self.note(framing, &[("orient", orient.into())]);
        if !path.is_empty() {
            self.context.reporter.option("record_path", path.to_vec());
        }
    }

    /// The first row, if it holds the names of rows that are arrays: words above a column without
    /// any; some may be doubled or empty. The option `header` settles it.
    fn header<'i>(&mut self, rows: &'i [Item<'a>]) -> Option<&'i Item<'a>> {
        let (first, others) = rows.split_first()?;
        let is_array = |row: &Item<'_>| row.sort == Sort::Array;
        if !rows.iter().all(is_array) {
            return None;
        }
        self.saw_arrays = true;
        match &self.context.parser().header {
            Some(Header::None) => return None,
            Some(Header::Rows(rows)) if rows == &[0] && !others.is_empty() => return Some(first),
            Some(Header::Rows(_)) => {
                self.ignored("of the rows of a JSON document only the first can hold names");
                return None;
            }
            None => {}
        }
        let are_names = first.inner.iter().any(|name| name.bytes() > 2)
            && others.iter().all(|row| row.count <= first.count);
        let says_number = |cell: &Item<'_>| {
            let inside = cell.start + 1..(cell.end - 1).max(cell.start + 1);
            cell.sort == Sort::Text && number_shape(&self.text[inside]).is_some()
        };
        let is_word = |cell: &Item<'_>| cell.sort == Sort::Text && !says_number(cell);
        let stands_above = (0..first.inner.len()).any(|column| {
            let cells = || others.iter().filter_map(|row| row.inner.get(column));
            cells().any(|cell| cell.sort != Sort::Null) && !cells().any(is_word)
        });
        let are_names = are_names && first.inner.iter().all(is_word);
        if !(are_names && stands_above) {
            return None;
        }
        self.context.reporter.option("header", 0);
        Some(first)
    }

    /// The names in an array.
    fn names(&mut self, stretch: Range<usize>) -> Result<Vec<String>> {
        let tape = parse::parse(self.text, stretch, &Between::Nothing, self.shift, self.context)?;
        Ok(names_in(&tape))
    }

    /// What the option `orient` asks for; a word if that is not how the document is laid out.
    fn check_asked(&mut self, shown: &str, fitting: &[&str]) {
        let Some(asked) = self.context.parser().orient.as_deref() else { return };
        if fitting.contains(&asked) || asked == shown {
            return;
        }
        let known = ["records", "columns", "columnar", "list", "split", "index", "values", "table"];
        let message = match known.contains(&asked) {
            true => format!("the document is laid out as {shown}, not as {asked}"),
            false => format!("orient={asked:?} is no layout we know; read as {shown}"),
        };
        self.ignored(message);
    }

    /// The rows in an array inside of a document; what stands beside it is named in an issue.
    pub(super) fn rows(
        &mut self,
        array: &Item<'a>,
        path: Vec<String>,
        root: &Item<'a>,
    ) -> Result<Option<Frame>> {
        let rows_of = path.clone();
        let frame = self.array(array.start..array.end, path)?;
        if frame.is_some() && !rows_of.is_empty() {
            self.note_left_out(root, &rows_of, &[]);
        }
        Ok(frame)
    }

    /// An object, at its path from the root.
    pub(super) fn object(
        &mut self,
        object: &Item<'a>,
        path: Vec<String>,
        root: &Item<'a>,
    ) -> Result<Option<Frame>> {
        if root.end < self.text.trim_ascii_end().len() {
            return Ok(None);
        }
        let asked = self.context.parser().orient.as_deref();
        let forced = matches!(asked, Some("records" | "values"));
        let inside = |found: Vec<String>| [&path[..], &found].concat();
        let kind = object.get("type").map(|kind| &self.text[kind.start..kind.end]);
        if kind == Some(b"\"FeatureCollection\"")
            && let Some(features) = object.get("features")
            && features.sort == Sort::Array
        {
            return self.rows(features, inside(vec!["features".into()]), root);
        }
        if kind == Some(b"\"Feature\"") && is_feature(object) && path.is_empty() {
            self.check_asked("geojson", &["records"]);
            self.note("geojson", &[]);
            return Ok(Some(Frame::Rows(RowFrame {
                start: object.start,
                end: object.end,
                between: Between::Nothing,
                path,
                features: true,
                names: None,
            })));
        }
        let is_of = |sort: Sort| object.inner.iter().filter(|item| item.sort == sort).count();
        let (arrays, objects) = (is_of(Sort::Array), is_of(Sort::Object));
        let scalars = object.inner.len() - arrays - objects;
        let all_objects = objects > 0 && arrays + scalars == 0;
        let layout = match asked {
            // Pandas calls both an object of objects and an object of arrays so.
            Some("columns") if all_objects => Layout::Columns,
            Some("columns" | "columnar" | "list") if !layout::is_table(object) => Layout::Columnar,
            Some("index") if all_objects => Layout::Index,
            _ if layout::is_table(object) => Layout::Table,
            _ => match layout::split(object) {
                Some(split) => split,
                None if is_geometry(object) => Layout::Row,
                None if layout::is_columnar(object) && !forced => Layout::Columnar,
                None => match rows_in(object, forced) {
                    Some(found) => return self.rows(found.array, inside(found.path), root),
                    None if all_objects => layout::by_label(object),
                    None if layout::is_uneven(object) => Layout::Columnar,
                    None => Layout::Row,
                },
            },
        };
        self.check_asked(
            layout.name(),
            match layout {
                Layout::Columnar => &["columns", "list"],
                _ => &[],
            },
        );
        if let Layout::Split(names, rows) = &layout {
            self.note_left_out(root, &path, &["index", names, rows]);
            if let Some(frame) = self.split(object, names, rows, &path)? {
                return Ok(Some(frame));
            }
        } else if !path.is_empty() {
            self.note_left_out(root, &path, &[]);
        }
        // The tape sees no more than the object.
        if !path.is_empty() {
            parse::check(self.text, 0..0, self.shift, self.context)?;
        }
        Ok(Some(self.document(object.start..object.end, layout, &path)))
    }

    /// Names and rows apart, if nothing but the names has to be put to the rows.
    fn split(
        &mut self,
        object: &Item<'a>,
        names: &str,
        rows: &str,
        path: &[String],
    ) -> Result<Option<Frame>> {
        let (Some(columns), Some(data)) = (object.get(names), object.get(rows)) else {
            return Ok(None);
        };
        if object.get("index").is_some_and(|index| !self.counts(index, data.count)) {
            return Ok(None);
        }
        parse::check(self.text, data.start + 1..data.end - 1, self.shift, self.context)?;
        self.note("split", &[("orient", "split".into())]);
        if !path.is_empty() {
            self.context.reporter.option("record_path", path.to_vec());
        }
        Ok(Some(Frame::Rows(RowFrame {
            start: data.start + 1,
            end: data.end - 1,
            between: Between::Commas,
            path: [path, &[rows.to_owned()]].concat(),
            features: false,
            names: Some(self.names(columns.start..columns.end)?),
        })))
    }

    /// Whether an array of row labels is 0, 1, 2, …
    fn counts(&self, index: &Item<'_>, rows: u64) -> bool {
        if index.sort != Sort::Array || index.count != rows {
            return index.sort != Sort::Array;
        }
        let labels = &self.text[index.start + 1..index.end - 1];
        let mut labels = labels.split(|byte| *byte == b',');
        (0..rows)
            .all(|row| labels.next().map(<[u8]>::trim_ascii) == Some(row.to_string().as_bytes()))
    }
}

/// The names in the array at the top of a tape.
fn names_in(tape: &Document<'_>) -> Vec<String> {
    let names = tape.roots.iter().flat_map(|root| tape.elements(*root));
    names.map(|name| gather::name_of(tape, name)).collect()
}

/// Whether a value is a feature of GeoJSON.
fn is_feature(item: &Item<'_>) -> bool {
    let has = |key: &str| item.get(key).is_some();
    has("type") && has("properties") && has("geometry")
}

/// Whether an object is a geometry of GeoJSON, whose coordinates are no column.
fn is_geometry(item: &Item<'_>) -> bool {
    let is = |key: &str, sort: Sort| item.get(key).is_some_and(|value| value.sort == sort);
    is("type", Sort::Text) && is("coordinates", Sort::Array)
}
