//! Words with digits in them: what stays when the digits go.

use super::atom::{Census, is_blob, is_uuid};
use super::bytes::{DIGIT, HEX_LETTER, Hash, LETTER, class};

/// The word with every run of digits as one mark, and every stretch of hexadecimal too.
pub(super) fn skeleton(text: &[u8]) -> u64 {
    let mut hash = Hash::new();
    each_part(text, |part| match part {
        Part::Text(bytes) => hash.bytes(bytes),
        Part::Digits => hash.byte(0),
    });
    hash.finish() | 2
}

pub(super) enum Part<'t> {
    Text(&'t [u8]),
    Digits,
}

/// The parts of a word with digits.
pub(super) fn each_part<'t>(text: &'t [u8], mut take: impl FnMut(Part<'t>)) {
    let mut start = 0;
    while start < text.len() {
        if is_uuid(&text[start..text.len().min(start + 36)]) {
            take(Part::Digits);
            start += 36;
            continue;
        }
        let mut end = start;
        let mut census = Census::default();
        while end < text.len() {
            let class = class(text[end]);
            if class & (DIGIT | LETTER) == 0 {
                break;
            }
            census.digits += usize::from(class & DIGIT != 0);
            census.beyond_hex += usize::from(class & (LETTER | HEX_LETTER) == LETTER);
            end += 1;
        }
        if end == start {
            take(Part::Text(&text[start..=start]));
            start += 1;
            continue;
        }
        let segment = &text[start..end];
        let is_whole = segment.len() == text.len();
        if census.digits == 0 {
            take(Part::Text(segment));
        } else if census.digits == segment.len()
            || census.beyond_hex == 0 && !is_whole
            || segment.len() >= 16 && is_blob(segment, Census::of(segment))
        {
            take(Part::Digits);
        } else {
            runs(segment, &mut take);
        }
        start = end;
    }
}

fn runs<'t>(segment: &'t [u8], take: &mut impl FnMut(Part<'t>)) {
    let mut start = 0;
    while start < segment.len() {
        let digits = class(segment[start]) & DIGIT;
        let mut end = start + 1;
        while end < segment.len() && class(segment[end]) & DIGIT == digits {
            end += 1;
        }
        take(if digits == 0 { Part::Text(&segment[start..end]) } else { Part::Digits });
        start = end;
    }
}
