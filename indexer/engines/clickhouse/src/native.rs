//! The format Native as clients with a protocol revision read it (`client_protocol_version`).
//!
//! The engine writes Native as for a client without one. A revision adds to each block what is called its info, and to
//! each column whether its values are written in a special way, which the engine never does here. The values are the
//! same bytes; where they end must be read from them, as nothing else tells.
//! One thing is lost: the engine calls a column `DateTime` that is `DateTime('UTC')`, as it does for clients without a
//! revision. The moments are right, and clients show them in the time zone of the server, which the headers name.

mod cursor;
mod shape;

use self::cursor::Cursor;
use self::shape::Shape;
use crate::exception::{Code, Exception};

/// From here on clients know LowCardinality.
const LOW_CARDINALITY: u64 = 54405;
/// From here on a column says whether its serialization is a special one.
const CUSTOM_SERIALIZATION: u64 = 54454;
/// From here on the info of a block has a third field.
const OUT_OF_ORDER_BUCKETS: u64 = 54480;

/// Blocks of plain Native, as the revision has them.
pub(crate) fn revised(plain: &[u8], revision: u64) -> Result<Vec<u8>, Exception> {
    let mut cursor = Cursor::new(plain);
    let mut out = Vec::with_capacity(plain.len() + 64);
    while !cursor.is_at_end() {
        block(&mut cursor, revision, &mut out)?;
    }
    Ok(out)
}

fn block(cursor: &mut Cursor<'_>, revision: u64, out: &mut Vec<u8>) -> Result<(), Exception> {
    let head = cursor.at();
    let (columns, rows) = (cursor.number().ok_or_else(cut)?, cursor.number().ok_or_else(cut)?);
    info(revision, out);
    out.extend_from_slice(cursor.since(head));
    for _ in 0..columns {
        let named = cursor.at();
        let name = cursor.text().ok_or_else(cut)?;
        let declared = cursor.text().ok_or_else(cut)?;
        out.extend_from_slice(cursor.since(named));
        if revision >= CUSTOM_SERIALIZATION {
            out.push(0);
        }
        let shape =
            Shape::read(declared).filter(|shape| revision >= LOW_CARDINALITY || !shape.has_dictionary());
        let shape = shape.ok_or_else(|| unknown(name, declared, revision))?;
        let values = cursor.at();
        // Without rows nothing is written, not even what stands before the values.
        if rows > 0 {
            shape.skip(rows, cursor).ok_or_else(cut)?;
        }
        out.extend_from_slice(cursor.since(values));
    }
    Ok(())
}

/// Numbered fields, ended by a zero: no row is the one for totals that do not fit, and there are no buckets.
fn info(revision: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[1, 0, 2]);
    out.extend_from_slice(&(-1_i32).to_le_bytes());
    if revision >= OUT_OF_ORDER_BUCKETS {
        out.extend_from_slice(&[3, 0]);
    }
    out.push(0);
}

fn cut() -> Exception {
    Exception::new(Code::StdException, "A block of the result does not end where its types say")
}

fn unknown(name: &[u8], declared: &[u8], revision: u64) -> Exception {
    let (name, declared) = (String::from_utf8_lossy(name), String::from_utf8_lossy(declared));
    Exception::new(
        Code::NotImplemented,
        format_args!(
            "Column `{name}` has the type {declared}, which cannot be sent as Native with client_protocol_version = {revision} here: select toString(`{name}`), or ask for another format"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One column in plain Native.
    fn plain(declared: &str, rows: u8, values: &[u8]) -> Vec<u8> {
        let mut block = vec![1, rows, 1, b'c', declared.len() as u8];
        block.extend_from_slice(declared.as_bytes());
        block.extend_from_slice(values);
        block
    }

    #[test]
    fn a_revision_adds_the_info_of_the_block_and_a_mark_to_each_column() {
        let block = plain("UInt8", 2, &[7, 8]);
        let info = [1, 0, 2, 255, 255, 255, 255];
        let check = |revision, third: &[u8], mark: &[u8]| {
            let one = [&info, third, &[0], &block[..10], mark, &block[10..]].concat();
            // Blocks follow one another.
            let twice = [block.clone(), block.clone()].concat();
            assert_eq!(revised(&twice, revision), Ok([one.clone(), one].concat()), "{revision}");
        };
        check(54405, &[], &[]);
        check(54454, &[], &[0]);
        check(54480, &[3, 0], &[0]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_the_name_of_the_column() {
        let error = revised(&plain("AggregateFunction(count)", 1, &[1]), 54454).unwrap_err();
        assert!(error.code == 48 && error.message.contains("toString(`c`)"), "{error}");
        let error = revised(&plain("LowCardinality(String)", 1, &[1]), 54400).unwrap_err();
        assert_eq!(error.code, 48);
        let error = revised(&plain("UInt64", 1, &[1]), 54454).unwrap_err();
        assert_eq!(error.code, 1001);
    }
}
