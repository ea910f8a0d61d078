//! What the values of a place in the schema have in common, and the type that follows from it.

/// Kinds of values, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub const BOOL: Kinds = Kinds(1);
    pub const NUMBER: Kinds = Kinds(2);
    pub const TEXT: Kinds = Kinds(4);
    pub const LIST: Kinds = Kinds(8);
    pub const OBJECT: Kinds = Kinds(16);

    #[inline(always)]
    pub fn has(self, kind: Kinds) -> bool {
        self.0 & kind.0 != 0
    }

    /// Whether there is one kind only.
    pub fn is_one(self) -> bool {
        self.0.is_power_of_two()
    }

    /// Whether there is this kind and no other.
    pub fn only(self, kind: Kinds) -> bool {
        self == kind
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn has_containers(self) -> bool {
        self.has(Kinds(Kinds::LIST.0 | Kinds::OBJECT.0))
    }

    fn index(self) -> usize {
        self.0.trailing_zeros() as usize
    }
}

/// Where the first value of a kind stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct First {
    pub row: u64,
    pub offset: usize,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub kinds: Kinds,
    firsts: [Option<First>; 5],
    /// Values of each kind.
    counts: [u64; 5],
    pub numbers: Numbers,
}

impl Seen {
    /// Notes a value of a kind.
    pub fn note(&mut self, kind: Kinds, first: First) {
        self.kinds.0 |= kind.0;
        self.firsts[kind.index()].get_or_insert(first);
    }

    /// Counts values of a kind.
    pub fn count(&mut self, kind: Kinds, more: u64) {
        self.counts[kind.index()] += more;
    }

    /// Counts values that were kept so far, which are all of one kind.
    pub fn count_kept(&mut self, values: usize) {
        if !self.kinds.is_empty() {
            self.counts[self.kinds.index()] += values as u64;
        }
    }

    /// The kinds of values with how many there are, and the first of the rarest kind.
    pub fn mixture(&self) -> (String, Option<First>) {
        const NAMES: [(&str, &str); 5] = [
            ("boolean", "booleans"),
            ("number", "numbers"),
            ("text", "texts"),
            ("list", "lists"),
            ("object", "objects"),
        ];
        let seen = (0..5).filter(|kind| self.counts[*kind] > 0);
        let name = |kind: usize| match self.counts[kind] {
            1 => format!("1 {}", NAMES[kind].0),
            count => format!("{count} {}", NAMES[kind].1),
        };
        let names: Vec<String> = seen.clone().map(name).collect();
        let rarest = seen.min_by_key(|kind| self.counts[*kind]);
        (names.join(", "), rarest.and_then(|kind| self.firsts[kind]))
    }

    /// The first value that is not of a kind.
    pub fn first_but(&self, kind: Option<Kinds>) -> Option<First> {
        let of = |index: usize| kind.is_none_or(|kind| kind.index() != index);
        let firsts = self.firsts.iter().enumerate().filter(|(index, _)| of(*index));
        firsts.filter_map(|(_, first)| *first).min_by_key(|first| first.offset)
    }

    /// Adds what was seen later, behind so many rows.
    pub fn merge(&mut self, later: &Seen, rows: u64) {
        self.kinds.0 |= later.kinds.0;
        for (first, later) in self.firsts.iter_mut().zip(&later.firsts) {
            if first.is_none() {
                *first = later.map(|first| First { row: first.row + rows, ..first });
            }
        }
        for (count, later) in self.counts.iter_mut().zip(&later.counts) {
            *count += later;
        }
        self.numbers.merge(&later.numbers);
    }
}

/// What was seen of numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// Any that fits no `i64`; no `u64`.
    pub beyond_i64: bool,
    pub beyond_u64: bool,
    pub negative: bool,
    /// Any with a point or an exponent; `-0` counts as one.
    pub floats: bool,
    /// Any with an exponent, or `-0`: no plain decimal.
    pub exponents: bool,
    /// Any whole number that no double is; any that is too large or too small for one.
    pub inexact: bool,
    /// The largest whole number among floats, without its sign.
    pub most: u64,
    /// The most digits before the point, those of `most` not counted, and behind it.
    pub whole: usize,
    pub fraction: usize,
    /// Floats of more than 17 digits.
    pub long: u64,
}

/// The most digits of a decimal.
pub(super) const DECIMAL_DIGITS: usize = 38;

/// The type of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberType {
    Int64,
    UInt64,
    /// Of 38 digits, so many of them behind the point.
    Decimal(u32),
    Float64,
    Text,
}

impl Numbers {
    fn merge(&mut self, later: &Numbers) {
        self.beyond_i64 |= later.beyond_i64;
        self.beyond_u64 |= later.beyond_u64;
        self.negative |= later.negative;
        self.floats |= later.floats;
        self.exponents |= later.exponents;
        self.inexact |= later.inexact;
        self.most = self.most.max(later.most);
        self.whole = self.whole.max(later.whole);
        self.fraction = self.fraction.max(later.fraction);
        self.long += later.long;
    }

    /// Notes whole numbers that are kept as `i64`.
    pub fn note_whole(&mut self, least: i64, most: i64) {
        self.negative |= least < 0;
        let most = least.unsigned_abs().max(most.unsigned_abs());
        self.whole = self.whole.max(digits(most));
    }

    /// Notes whole numbers that were kept so far.
    pub fn note_values(&mut self, values: &[i64]) {
        let least = values.iter().copied().min().unwrap_or(0);
        let most = values.iter().copied().max().unwrap_or(0);
        self.note_whole(least, most);
    }

    /// The narrowest type that every number survives.
    pub fn data_type(&self) -> NumberType {
        let whole = self.whole.max(digits(self.most));
        match self {
            Numbers { floats: false, beyond_i64: false, .. } => NumberType::Int64,
            Numbers { floats: false, beyond_u64: false, negative: false, .. } => NumberType::UInt64,
            Numbers { floats: false, .. } if whole <= DECIMAL_DIGITS => NumberType::Decimal(0),
            Numbers { floats: true, inexact: false, .. } => NumberType::Float64,
            Numbers { exponents: false, fraction, .. } if whole + fraction <= DECIMAL_DIGITS => {
                NumberType::Decimal(*fraction as u32)
            }
            _ => NumberType::Text,
        }
    }
}

fn digits(value: u64) -> usize {
    value.checked_ilog10().unwrap_or(0) as usize + 1
}
