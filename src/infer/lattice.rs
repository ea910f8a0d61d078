//! The type lattice: every value narrows what its column can be; what is left at the end is the type.

use arrow::datatypes::{DataType, TimeUnit};

use super::class::{
    ACCOUNTING, BOOL, COMMA, COMMON, Class, DATE, DAY_FIRST, DECIMAL, DIGITS, EITHER_MARK,
    EITHER_ORDER, FAR_TIME, FINE_TIME, FLOAT, GROUPINGS, INT64, LONG_FLOAT, MARKED, MONTH_FIRST,
    POINT_DECIMAL, POINT_FLOAT, POINT_INT64, POINT_NUMBERS, SHORT_YEAR, STAMP, SUSPECT, TIME,
    TYPE_BITS, TYPES, UINT64, ZONED, class,
};
use super::column::TextColumn;
use super::layout::{Ambiguity, Layout};
use super::rules::{ColumnRules, Dates};
use super::temporal;

/// No value so far.
const NEVER: u64 = u64::MAX;
const TEMPORAL: Class = DATE | STAMP | ZONED | TIME;
const PLAIN: Class = BOOL | INT64 | UINT64 | DECIMAL | FLOAT | TEMPORAL;

/// What the cells seen so far have in common. Cells are numbered from 0 in the order they come;
/// parts seen apart are put together by [`merge`](Self::merge).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The readings that every value allows.
    pub types: Class,
    /// All that came up in any value.
    pub kinds: Class,
    /// Cells that are null whatever the column is.
    pub nulls: u64,
    /// Cells that are null where that lets the rest be typed.
    pub maybe_null: u64,
    /// Other cells.
    pub values: u64,
    /// Values that are nothing but text.
    pub texts: u64,
    /// Values with more digits than a float holds.
    pub long_floats: u64,
    first_text: u64,
    /// The cell that ruled out each reading.
    lost: [u64; TYPE_BITS],
    /// The numbers from 1 to 31 that stood first and last in dates with years of two digits; bit 0 of
    /// the last ones says that the last number cannot be a day, or the second no month.
    first_places: u32,
    last_places: u32,
}

impl Default for Seen {
    fn default() -> Self {
        Seen {
            types: COMMON,
            kinds: 0,
            nulls: 0,
            maybe_null: 0,
            values: 0,
            texts: 0,
            long_floats: 0,
            first_text: NEVER,
            lost: [NEVER; TYPE_BITS],
            first_places: 0,
            last_places: 0,
        }
    }
}

/// The type of a column, and what came up on the way to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// The Arrow type.
    pub data_type: DataType,
    /// Whether texts such as `NA` are null, because that lets the rest be typed.
    pub na_is_null: bool,
    /// How texts are read.
    pub layout: Layout,
    /// Values that a float holds only nearly.
    pub long_floats: u64,
    /// Whether the column is text because its values are of several kinds.
    pub mixed: bool,
    /// Whether the column is text because nothing settles how its values are meant.
    pub ambiguous: Option<Ambiguity>,
    /// Whether the column is text because a float would change one of its numbers.
    pub inexact: bool,
    /// The first cell, from 0, that stands out where values are mixed, or that a float would change.
    pub odd: Option<u64>,
}

impl Inferred {
    /// Text, every value as it stands.
    pub fn text() -> Self {
        Inferred {
            data_type: DataType::Utf8,
            na_is_null: false,
            layout: Layout::default(),
            long_floats: 0,
            mixed: false,
            ambiguous: None,
            inexact: false,
            odd: None,
        }
    }

    /// How the texts are written, where not as programs write them: `%d/%m/%Y`, `1.234,5`.
    pub fn format(&self) -> Option<String> {
        self.layout.format(&self.data_type)
    }
}

/// How the dates of a column are ordered.
pub(super) enum Order {
    DayFirst(bool),
    Open,
    None,
}

impl Seen {
    /// Whether nothing but text is left for the values to be, whatever follows.
    pub fn is_text(&self) -> bool {
        self.values > 0 && self.types & TYPES == 0
    }

    /// Narrows by all cells of a part.
    pub fn add_all(&mut self, part: &TextColumn, rules: &ColumnRules) {
        let mut buffer = Vec::new();
        for cell in part.iter() {
            match cell {
                Some((text, quoted)) => self.add(text, quoted, rules, &mut buffer),
                None => self.nulls += 1,
            }
        }
    }

    /// The cells so far.
    pub fn cells(&self) -> u64 {
        self.nulls + self.maybe_null + self.values
    }

    /// Narrows by the next cell. `buffer` is only room to work in.
    pub fn add(&mut self, text: &[u8], quoted: bool, rules: &ColumnRules, buffer: &mut Vec<u8>) {
        if rules.is_null(text, quoted) {
            self.nulls += 1;
            return;
        }
        if rules.may_be_null(text) {
            self.maybe_null += 1;
            return;
        }
        let class = class(text, rules, buffer);
        self.note(class);
        if class & SHORT_YEAR != 0 {
            self.note_places(text);
        }
    }

    /// Narrows by the next value, whose class is known. Dates with years of two digits leave more to
    /// remember: they are for [`add`](Self::add).
    pub fn note(&mut self, class: Class) {
        let lost = self.types & !class;
        if lost != 0 {
            self.lose(lost);
        }
        self.kinds |= class;
        // Digits with leading zeros are no mistake in a column of identifiers.
        if class & (TYPES | DIGITS) == 0 {
            self.first_text = self.first_text.min(self.cells());
            self.texts += 1;
        }
        self.long_floats += u64::from(class & LONG_FLOAT != 0);
        self.values += 1;
    }

    fn lose(&mut self, lost: Class) {
        let cell = self.cells();
        self.types &= !lost;
        let mut bits = lost & TYPES;
        while bits != 0 {
            self.lost[bits.trailing_zeros() as usize] = cell;
            bits &= bits - 1;
        }
    }

    fn note_places(&mut self, text: &[u8]) {
        let moment = temporal::parse(text.trim_ascii(), false);
        let Some((first, middle, last)) = moment.and_then(|moment| moment.places()) else { return };
        self.first_places |= 1 << first.min(31);
        let year_first = (1..=31).contains(&last) && middle <= 12;
        self.last_places |= if year_first { 1 << last } else { 1 };
    }

    /// What was seen here, then what was seen in the cells that follow.
    pub fn merge(&mut self, later: &Seen) {
        let before = self.cells();
        let earliest = |first: u64, second: u64| first.min(second.saturating_add(before));
        self.first_text = earliest(self.first_text, later.first_text);
        for (first, second) in self.lost.iter_mut().zip(&later.lost) {
            *first = earliest(*first, *second);
        }
        self.types &= later.types;
        self.kinds |= later.kinds;
        self.nulls += later.nulls;
        self.maybe_null += later.maybe_null;
        self.values += later.values;
        self.texts += later.texts;
        self.long_floats += later.long_floats;
        self.first_places |= later.first_places;
        self.last_places |= later.last_places;
    }

    /// The first text among values, or the first value that agrees with none before it.
    fn odd(&self) -> Option<u64> {
        if self.first_text != NEVER {
            return Some(self.first_text);
        }
        let all_lost = |bits: Class| {
            let lost = (0..TYPE_BITS).filter(|bit| bits >> bit & 1 != 0).map(|bit| self.lost[bit]);
            lost.max().unwrap_or(NEVER)
        };
        // Numbers with marks need a grouping and a type.
        let marked =
            |shift: u32| all_lost(GROUPINGS << shift).min(all_lost(POINT_NUMBERS << shift));
        let cell = all_lost(PLAIN).max(marked(0)).max(marked(COMMA));
        (cell != NEVER).then_some(cell)
    }

    /// The narrowest type that every value survives.
    pub fn conclude(&self, rules: &ColumnRules) -> Inferred {
        if rules.never_typed {
            return Inferred::text();
        }
        if let Some(forced) = &rules.forced {
            return self.forced(forced, rules);
        }
        if self.values == 0 {
            let data_type = if self.maybe_null == 0 { DataType::Null } else { DataType::Utf8 };
            return Inferred { data_type, ..Inferred::text() };
        }
        let ambiguous = |what| Inferred { ambiguous: Some(what), ..Inferred::text() };
        let dates_first = matches!(rules.dates, Dates::Any { .. });
        if dates_first && let Some((data_type, order)) = self.dated(rules) {
            return self.typed(data_type, None, matches!(order, Order::DayFirst(true)));
        }
        let is = |bit| self.types & bit != 0;
        let plain = match () {
            () if is(BOOL) => Some(DataType::Boolean),
            () if is(INT64) => Some(DataType::Int64),
            () if is(UINT64) => Some(DataType::UInt64),
            () if is(DECIMAL) => Some(DataType::Decimal128(38, 0)),
            () if is(FLOAT) => Some(DataType::Float64),
            () if is(TIME) => Some(DataType::Time64(self.unit())),
            () => None,
        };
        if let Some(data_type) = plain {
            return self.typed(data_type, None, false);
        }
        match self.dated(rules) {
            Some((data_type, Order::DayFirst(day_first))) => {
                return self.typed(data_type, None, day_first);
            }
            Some((_, Order::Open)) => return ambiguous(Ambiguity::Dates),
            _ => {}
        }
        match self.marked() {
            Some((_, None)) => return ambiguous(Ambiguity::Numbers),
            Some((data_type, decimal)) if !self.is_suspect() => {
                return self.typed(data_type, decimal, false);
            }
            _ => {}
        }
        if let Some(cell) = self.inexact() {
            return Inferred { inexact: true, odd: Some(cell), ..Inferred::text() };
        }
        // Worth a word where texts are the exception, or where the values never agree.
        let exceptional = self.texts > 0 && self.texts * 2 <= self.values;
        let several = self.kinds & (BOOL | TEMPORAL | MARKED) != 0;
        let conflicting = self.texts == 0 && several && self.odd().is_some();
        let mixed = exceptional || conflicting;
        Inferred { mixed, odd: self.odd().filter(|_| mixed), ..Inferred::text() }
    }

    fn unit(&self) -> TimeUnit {
        let is_fine = self.kinds & FINE_TIME != 0;
        if is_fine { TimeUnit::Nanosecond } else { TimeUnit::Microsecond }
    }

    /// The column as this type, in this layout.
    pub(super) fn typed(
        &self,
        data_type: DataType,
        decimal: Option<u8>,
        day_first: bool,
    ) -> Inferred {
        let long_floats = if data_type == DataType::Float64 { self.long_floats } else { 0 };
        let layout = Layout { decimal, day_first, common: self.types, kinds: self.kinds };
        Inferred { data_type, na_is_null: true, layout, long_floats, ..Inferred::text() }
    }

    /// The type that was asked for, in the layout that the column settles.
    fn forced(&self, forced: &DataType, rules: &ColumnRules) -> Inferred {
        let day_first = match self.dated(rules) {
            Some((_, Order::DayFirst(day_first))) => day_first,
            _ => rules.prefers_day_first().unwrap_or(false),
        };
        let decimal = match self.marked() {
            Some((_, decimal)) if forced.is_numeric() && self.types & (INT64 | FLOAT) == 0 => {
                decimal
            }
            _ => None,
        };
        let inferred = self.typed(forced.clone(), decimal, day_first);
        // Asked for as text, every text is kept, `NA` too.
        Inferred { na_is_null: *forced != DataType::Utf8, long_floats: 0, ..inferred }
    }

    /// The type of dates and how they are ordered, if dates are what the values have in common.
    pub(super) fn dated(&self, rules: &ColumnRules) -> Option<(DataType, Order)> {
        let kind = [DATE, STAMP, ZONED].into_iter().find(|kind| self.types & kind != 0)?;
        let has = |bit: Class| self.kinds & bit != 0;
        // Nanoseconds reach from 1678 to 2261; finer times further away have no type but text.
        if has(FINE_TIME) && has(FAR_TIME) && kind != DATE {
            return None;
        }
        let data_type = match kind {
            DATE => DataType::Date32,
            STAMP => DataType::Timestamp(self.unit(), None),
            _ => DataType::Timestamp(self.unit(), Some("UTC".into())),
        };
        Some((data_type, self.order(kind, rules)))
    }

    fn order(&self, kind: Class, rules: &ColumnRules) -> Order {
        let is = |bit| self.types & kind & bit != 0;
        let short = self.kinds & SHORT_YEAR != 0;
        if short && self.types & SHORT_YEAR == 0 {
            return Order::None;
        }
        let wanted = rules.prefers_day_first();
        match (is(DAY_FIRST), is(MONTH_FIRST)) {
            (true, true) if self.kinds & EITHER_ORDER != 0 => {
                wanted.map_or(Order::Open, Order::DayFirst)
            }
            (true, false) if short && wanted.is_none() && self.year_may_be_first() => Order::Open,
            (true, true) if short && wanted.is_none() && self.year_may_be_first() => Order::Open,
            (day_first, month_first) => Order::DayFirst(day_first && !month_first),
        }
    }

    /// `26-01-05`, `26-01-12`: where the last number changes more than the first, it is the day.
    fn year_may_be_first(&self) -> bool {
        let (first, last) = (self.first_places.count_ones(), self.last_places.count_ones());
        let dashed = self.kinds & super::class::DASH != 0;
        self.last_places & 1 == 0 && (last > first || last == first && dashed)
    }

    /// The type of numbers with marks and the decimal mark; `None` for a mark that nothing settles.
    fn marked(&self) -> Option<(DataType, Option<u8>)> {
        if self.kinds & MARKED == 0 {
            return None;
        }
        let (decimal, shift) = match (self.reads(0), self.reads(COMMA)) {
            (true, true) if self.kinds & EITHER_MARK != 0 => (None, 0),
            (true, _) => (Some(b'.'), 0),
            (false, true) => (Some(b','), COMMA),
            (false, false) => return None,
        };
        Some((self.number_type(shift)?, decimal))
    }

    /// Whether all values are numbers if the decimal mark is a point, or, by `COMMA`, a comma.
    pub(super) fn reads(&self, shift: u32) -> bool {
        let types = self.types >> shift;
        types & GROUPINGS != 0 && types & POINT_NUMBERS != 0
    }

    /// The type of the numbers with that mark.
    pub(super) fn number_type(&self, shift: u32) -> Option<DataType> {
        let is = |bit: Class| self.types >> shift & bit != 0;
        match () {
            () if is(POINT_INT64) => Some(DataType::Int64),
            () if is(POINT_DECIMAL) => Some(DataType::Decimal128(38, 0)),
            () if is(POINT_FLOAT) => Some(DataType::Float64),
            () => None,
        }
    }

    /// Whether all values are written as telephone numbers are too, or as negatives of accountants.
    pub(super) fn is_suspect(&self) -> bool {
        self.types & (SUSPECT | ACCOUNTING) != 0
    }

    /// The cell that no number type holds as it is, where all values are numbers.
    fn inexact(&self) -> Option<u64> {
        if self.texts > 0 || self.kinds & (BOOL | TEMPORAL | DIGITS) != 0 {
            return None;
        }
        let mut shifts = [0, COMMA].into_iter();
        let shift = shifts.find(|shift| self.types >> shift & GROUPINGS != 0)?;
        let cell = self.lost[(POINT_FLOAT << shift).trailing_zeros() as usize];
        (cell != NEVER && !self.reads(shift)).then_some(cell)
    }
}

/// The type of a column from all of its parts.
pub fn infer<'a, I>(parts: I, rules: &ColumnRules) -> Inferred
where
    I: IntoIterator<Item = &'a TextColumn>,
{
    let mut seen = Seen::default();
    for part in parts {
        seen.add_all(part, rules);
    }
    seen.conclude(rules)
}
