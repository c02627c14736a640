//! How the values of a type lie in a block.

use super::cursor::Cursor;

/// Types in types; the engine's own end far before.
const DEEPEST: usize = 64;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many bytes a value.
    Fixed(usize),
    Text,
    /// A byte a value, then the values.
    Nullable(Box<Shape>),
    /// Where each array ends, then the values of all.
    Array(Box<Shape>),
    Tuple(Vec<Shape>),
    /// The different values once, then for each row which of them it has.
    Dictionary(Box<Shape>),
}

impl Shape {
    /// `None`: nothing that can be told by its name.
    pub(super) fn read(declared: &[u8]) -> Option<Self> {
        read(std::str::from_utf8(declared).ok()?, DEEPEST)
    }

    pub(super) fn has_dictionary(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::Text => false,
            Self::Dictionary(_) => true,
            Self::Nullable(inner) | Self::Array(inner) => inner.has_dictionary(),
            Self::Tuple(inner) => inner.iter().any(Self::has_dictionary),
        }
    }

    /// Passes a whole column.
    pub(super) fn skip(&self, rows: usize, cursor: &mut Cursor<'_>) -> Option<()> {
        self.prefix(cursor)?;
        self.values(rows, cursor)
    }

    /// Dictionaries say their version before any value of the column.
    fn prefix(&self, cursor: &mut Cursor<'_>) -> Option<()> {
        match self {
            Self::Fixed(_) | Self::Text => Some(()),
            Self::Dictionary(_) => (cursor.word()? == 1).then_some(()),
            Self::Nullable(inner) | Self::Array(inner) => inner.prefix(cursor),
            Self::Tuple(inner) => inner.iter().try_for_each(|one| one.prefix(cursor)),
        }
    }

    fn values(&self, rows: usize, cursor: &mut Cursor<'_>) -> Option<()> {
        match self {
            Self::Fixed(size) => cursor.pass(rows, *size),
            Self::Text => (0..rows).try_for_each(|_| cursor.text().map(|_| ())),
            Self::Nullable(inner) => {
                cursor.pass(rows, 1)?;
                inner.values(rows, cursor)
            }
            Self::Array(inner) => {
                cursor.pass(rows.saturating_sub(1), 8)?;
                let all = if rows == 0 { 0 } else { cursor.word()? };
                inner.values(usize::try_from(all).ok()?, cursor)
            }
            Self::Tuple(inner) => inner.iter().try_for_each(|one| one.values(rows, cursor)),
            // As of empty arrays.
            Self::Dictionary(_) if rows == 0 => Some(()),
            Self::Dictionary(inner) => dictionary(inner, rows, cursor),
        }
    }
}

/// The low byte says how wide places in the dictionary are; the bits above, what the dictionary is.
fn dictionary(inner: &Shape, rows: usize, cursor: &mut Cursor<'_>) -> Option<()> {
    const SHARED: u64 = 1 << 8;
    const OWN: u64 = 1 << 9;
    let kind = cursor.word()?;
    if kind & SHARED != 0 {
        return None;
    }
    if kind & OWN != 0 {
        let different = usize::try_from(cursor.word()?).ok()?;
        inner.values(different, cursor)?;
    }
    let width = 1_usize << u32::try_from(kind & 0xff).ok().filter(|width| *width <= 3)?;
    let places = usize::try_from(cursor.word()?).ok()?;
    if places != rows {
        return None;
    }
    cursor.pass(rows, width)
}

fn read(declared: &str, deepest: usize) -> Option<Shape> {
    let deeper = deepest.checked_sub(1)?;
    let declared = declared.trim();
    let (name, inside) = match declared.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')?),
        None => (declared, ""),
    };
    let boxed = |inside: &str| read(inside, deeper).map(Box::new);
    let array = |inner: Shape| Shape::Array(Box::new(inner));
    Some(match name {
        "UInt8" | "Int8" | "Bool" | "Enum8" | "Nothing" => Shape::Fixed(1),
        "UInt16" | "Int16" | "Enum16" | "Date" | "BFloat16" => Shape::Fixed(2),
        "UInt32" | "Int32" | "Float32" | "Date32" | "DateTime" | "IPv4" | "Time" | "Decimal32" => {
            Shape::Fixed(4)
        }
        "UInt64" | "Int64" | "Float64" | "DateTime64" | "Time64" | "Decimal64" => Shape::Fixed(8),
        "UInt128" | "Int128" | "UUID" | "IPv6" | "Decimal128" => Shape::Fixed(16),
        "UInt256" | "Int256" | "Decimal256" => Shape::Fixed(32),
        "Decimal" => match inside.split(',').next()?.trim().parse().ok()? {
            1..=9_u8 => Shape::Fixed(4),
            10..=18 => Shape::Fixed(8),
            19..=38 => Shape::Fixed(16),
            39..=76 => Shape::Fixed(32),
            _ => return None,
        },
        _ if name.starts_with("Interval") => Shape::Fixed(8),
        "String" => Shape::Text,
        "FixedString" => Shape::Fixed(inside.trim().parse().ok()?),
        "Nullable" => Shape::Nullable(boxed(inside)?),
        "Array" => Shape::Array(boxed(inside)?),
        // What was summed up is stored as its result.
        "SimpleAggregateFunction" => read(parts(inside).last()?, deeper)?,
        "LowCardinality" => match read(inside, deeper)? {
            // That a value is none is one of the dictionary's values.
            Shape::Nullable(inner) => Shape::Dictionary(inner),
            inner => Shape::Dictionary(Box::new(inner)),
        },
        "Map" => {
            let inner =
                parts(inside).into_iter().map(|part| read(part, deeper)).collect::<Option<Vec<_>>>()?;
            array(Shape::Tuple(inner))
        }
        "Tuple" => {
            let parts = parts(inside);
            let elements = parts.iter().map(|part| read(unnamed(part), deeper));
            Shape::Tuple(elements.collect::<Option<Vec<_>>>().filter(|elements| !elements.is_empty())?)
        }
        "Nested" => {
            let parts = parts(inside);
            let elements = parts.iter().map(|part| read(unnamed(part), deeper));
            array(Shape::Tuple(elements.collect::<Option<Vec<_>>>()?))
        }
        "Point" => point(),
        "Ring" | "LineString" => array(point()),
        "Polygon" | "MultiLineString" => array(array(point())),
        "MultiPolygon" => array(array(array(point()))),
        _ => return None,
    })
}

fn point() -> Shape {
    Shape::Tuple(vec![Shape::Fixed(8), Shape::Fixed(8)])
}

/// Parts between commas that stand in no bracket and no quotation.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (byte, quote) {
            (b'\\', Some(_)) => {
                bytes.next();
            }
            (_, Some(open)) if byte == open => quote = None,
            (b'\'' | b'`' | b'"', None) => quote = Some(byte),
            (b'(', None) => depth += 1,
            (b')', None) => depth = depth.saturating_sub(1),
            (b',', None) if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// `a UInt8` and `` `a b` UInt8 ``: elements may have names, and types have spaces only in their brackets.
fn unnamed(part: &str) -> &str {
    if let Some(rest) = part.strip_prefix('`') {
        let mut bytes = rest.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'\\' => {
                    bytes.next();
                }
                b'`' => return rest[at + 1..].trim_start(),
                _ => {}
            }
        }
        return part;
    }
    let word =
        part.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).unwrap_or(part.len());
    part[word..].strip_prefix(' ').unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_by_their_names() {
        let fixed = |size| Box::new(Shape::Fixed(size));
        let check = |declared: &str, expected: Shape| {
            assert_eq!(Shape::read(declared.as_bytes()), Some(expected), "{declared}");
        };
        check("Enum8('a,b' = 1, '(\\'' = 2)", Shape::Fixed(1));
        check("DateTime64(3, 'Europe/Berlin')", Shape::Fixed(8));
        check("Decimal(20, 4)", Shape::Fixed(16));
        check("FixedString(3)", Shape::Fixed(3));
        check("Array(Nullable(UInt16))", Shape::Array(Box::new(Shape::Nullable(fixed(2)))));
        check("LowCardinality(Nullable(String))", Shape::Dictionary(Box::new(Shape::Text)));
        check(
            "Map(LowCardinality(String), UInt64)",
            Shape::Array(Box::new(Shape::Tuple(vec![
                Shape::Dictionary(Box::new(Shape::Text)),
                Shape::Fixed(8),
            ]))),
        );
        check(
            "Tuple(a UInt8, `b c, d` Enum8('x, y' = 1), e Tuple(String, Date))",
            Shape::Tuple(vec![
                Shape::Fixed(1),
                Shape::Fixed(1),
                Shape::Tuple(vec![Shape::Text, Shape::Fixed(2)]),
            ]),
        );
        check("SimpleAggregateFunction(max, UInt64)", Shape::Fixed(8));
        for declared in
            ["AggregateFunction(sum, UInt8)", "JSON", "Dynamic", "Variant(UInt8, String)", "Tuple()"]
        {
            assert_eq!(Shape::read(declared.as_bytes()), None, "{declared}");
        }
        let deep = format!("{}UInt8{}", "Array(".repeat(1000), ")".repeat(1000));
        assert_eq!(Shape::read(deep.as_bytes()), None);
    }

    #[test]
    fn values_are_passed_to_their_end_and_not_beyond() {
        let check = |declared: &str, rows, bytes: &[u8]| {
            let shape = Shape::read(declared.as_bytes()).unwrap();
            let mut cursor = Cursor::new(bytes);
            assert_eq!(shape.skip(rows, &mut cursor), Some(()), "{declared}");
            assert!(cursor.is_at_end(), "{declared}");
            let cut = &bytes[..bytes.len() - 1];
            assert_eq!(shape.skip(rows, &mut Cursor::new(cut)), None, "{declared}");
        };
        let word = |value: u64| value.to_le_bytes();
        check("String", 2, b"\x01a\x02bc");
        check("Nullable(UInt16)", 2, &[0, 1, 1, 2, 3, 4]);
        check("Array(UInt8)", 2, &[&word(1)[..], &word(3), &[1, 2, 3]].concat());
        let kind = word(0x600);
        let values = [&word(2)[..], b"\x00\x01a", &word(3), &[0, 1, 1]].concat();
        check("LowCardinality(String)", 3, &[&word(1)[..], &kind, &values].concat());
        let array = [&word(1)[..], &word(1), &word(3), &kind, &values].concat();
        check("Array(LowCardinality(String))", 2, &array);
        check("Array(LowCardinality(String))", 1, &[&word(1)[..], &word(0)].concat());
        check("Tuple(UInt8, Array(UInt8))", 1, &[&[9][..], &word(1), &[1]].concat());
        // A claim of more than there is.
        let shape = Shape::read(b"Array(UInt64)").unwrap();
        assert_eq!(shape.skip(1, &mut Cursor::new(&word(u64::MAX))), None);
    }
}
