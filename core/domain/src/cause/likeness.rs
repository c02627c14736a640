//! What a text is likest to, among texts whose cause is known.
//!
//! Rules know phrases and sentences that somebody thought of; systems say the same in words that nobody did.
//! `likeness/texts.tsv` holds texts of many systems with their causes, `likeness/weights.txt` what was learned of them: how
//! much each of them bears to each cause (linear support vector machines over words, pairs of words and parts of names).
//! An answer counts only where it stands clear of the second best.

mod features;
mod model;
#[cfg(test)]
mod train;

use std::sync::LazyLock;

use model::{Known, Likest, Model, Vector, Vocabulary};

use super::Cause;

/// In columns: who wrote it down (`s` is from the rules' own tests, the others had not seen the rules), the causes it may
/// have, the first one the likelier, how it was told, and the text with `\n` for line ends.
const TEXTS: &str = include_str!("likeness/texts.tsv");

/// Of each text, in the same order, the causes that it bears to, by their place among all, and how much in thousandths.
const WEIGHTS: &str = include_str!("likeness/weights.txt");

/// How clear it has to be that a text is likest to those of one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// Any answer is better than none, but for texts that say nothing.
    Barely,
    /// Likelier than any other; `Unknown` where it is likest to texts that say nothing.
    Fairly,
    /// The same of the name and the words of an exception of somebody's own, which may state a rule of its own.
    Own,
    /// Beyond doubt, where other words stand beside it that may mean something else; never `Unknown`.
    Surely,
}

impl Clear {
    fn holds(self, like: &Likest) -> bool {
        match self {
            Self::Barely => like.clear > 0.03 && like.telling > 0.3,
            Self::Fairly => like.clear > FAIRLY,
            Self::Own => like.clear > 0.3,
            Self::Surely => like.clear > 0.6 && like.cause != Cause::Unknown,
        }
    }
}

/// How far the best has to stand clear of the second best.
const FAIRLY: f32 = 0.12;
/// How far the nearest has to stand before texts that say nothing.
const NEAR: f32 = 0.1;

/// The cause that a text is likest to, where that is as clear as it has to be.
pub(super) fn cause(text: &str, clear: Clear) -> Option<Cause> {
    likest(text).filter(|like| clear.holds(like)).map(|like| like.cause)
}

/// What comes nearest, however near; `Unknown` where texts that say nothing come about as near.
pub(super) fn nearest(text: &str) -> Option<Cause> {
    likest(text).map(|like| if like.telling > NEAR { like.cause } else { Cause::Unknown })
}

fn likest(text: &str) -> Option<Likest> {
    static MODEL: LazyLock<Model> = LazyLock::new(learned);
    MODEL.likest(last_words(text)?)
}

/// What a program said, without what we put before it; none when it said nothing.
fn last_words(text: &str) -> Option<&str> {
    match text.strip_prefix("the command ended with exit status ") {
        Some(ended) => ended.split_once(": ").map(|(_, words)| words),
        None => Some(text),
    }
}

fn learned() -> Model {
    let texts: Vec<Known> = texts().map(|text| (text.cause, features::of(&text.words))).collect();
    let vocabulary = Vocabulary::of(&texts);
    let vectors: Vec<Vector> = texts.iter().map(|(_, features)| vocabulary.vector(features)).collect();
    let multipliers: Vec<Vec<(usize, f32)>> = WEIGHTS.lines().map(read_line).collect();
    Model::of(vocabulary, &vectors, &multipliers)
}

/// `3:120 17:-4`
fn read_line(line: &str) -> Vec<(usize, f32)> {
    let pair = |part: &str| {
        let (cause, times) = part.split_once(':')?;
        Some((cause.parse().ok()?, times.parse::<f32>().ok()? / 1_000.0))
    };
    line.split(' ').filter_map(pair).collect()
}

struct Text {
    #[cfg_attr(not(test), expect(dead_code, reason = "who wrote a text matters to its measuring only"))]
    author: &'static str,
    cause: Cause,
    words: String,
}

fn texts() -> impl Iterator<Item = Text> {
    TEXTS.lines().filter_map(|line| {
        let mut parts = line.splitn(4, '\t');
        let (author, causes, via, text) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let text = text.replace("\\n", "\n");
        // As Python writes an exception.
        let words = match via.strip_prefix("python:") {
            Some(class) => format!("{class}: {text}"),
            None => text,
        };
        Some(Text { author, cause: causes.split('|').next()?.parse().ok()?, words })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of learning: more change little.
    const ROUNDS: usize = 12;

    /// A model of these texts, and what each of them bears.
    fn learn(texts: &[Text]) -> (Model, Vec<Vec<(usize, f32)>>) {
        let known: Vec<Known> = texts.iter().map(|text| (text.cause, features::of(&text.words))).collect();
        let vocabulary = Vocabulary::of(&known);
        let vectors: Vec<Vector> = known.iter().map(|(_, features)| vocabulary.vector(features)).collect();
        let causes: Vec<Cause> = known.iter().map(|(cause, _)| *cause).collect();
        let multipliers = train::multipliers(&vocabulary, &vectors, &causes, ROUNDS);
        (Model::of(vocabulary, &vectors, &multipliers), multipliers)
    }

    /// Learns anew: `UPDATE=1 cargo nextest run --workspace -E 'test(weights_are_those_of_the_texts)'`.
    #[test]
    fn weights_are_those_of_the_texts() {
        let all: Vec<Text> = texts().collect();
        if std::env::var_os("UPDATE").is_some() {
            let (_, multipliers) = learn(&all);
            let line = |of: &Vec<(usize, f32)>| {
                let parts: Vec<String> =
                    of.iter().map(|(cause, times)| format!("{cause}:{:.0}", times * 1_000.0)).collect();
                parts.join(" ") + "\n"
            };
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cause/likeness/weights.txt");
            std::fs::write(file, multipliers.iter().map(line).collect::<String>())
                .expect("it can be written");
            return;
        }
        assert_eq!(WEIGHTS.lines().count(), all.len(), "learn anew with UPDATE=1");
        // What was learned knows its own texts again.
        let right = all.iter().filter(|text| cause(&text.words, Clear::Fairly) == Some(text.cause)).count();
        assert!(right * 100 > all.len() * 90, "{right} of {}: learn anew with UPDATE=1", all.len());
    }

    #[test]
    fn texts_of_another_author_are_understood() {
        for author in ["i", "k"] {
            let (asked, known): (Vec<Text>, Vec<Text>) = texts().partition(|text| text.author == author);
            let (model, _) = learn(&known);
            let (mut clear, mut right, mut best) = (0, 0, 0);
            let mut margins = Vec::new();
            for text in &asked {
                let Some(like) = model.likest(&text.words) else { continue };
                let is_right = like.cause == text.cause;
                best += usize::from(is_right);
                margins.push((like.clear, is_right));
                if like.clear > FAIRLY {
                    clear += 1;
                    right += usize::from(is_right);
                }
            }
            margins.sort_by(|a, b| b.0.total_cmp(&a.0));
            for share in [50, 60, 70, 80, 90] {
                let first = &margins[..margins.len() * share / 100];
                let right = first.iter().filter(|(_, is_right)| *is_right).count();
                let (last, _) = first.last().expect("some");
                eprintln!(
                    "  the clearest {share} of 100: margin {last:.2}, {right} of {} right",
                    first.len()
                );
            }
            let all = asked.len();
            eprintln!("author {author}: {best} of {all} right, {clear} clear, and {right} of these right");
            assert!(clear * 10 > all * 6, "{author}: {clear} of {all}");
            assert!(right * 100 > clear * 90, "{author}: {right} of {clear}");
        }
    }

    #[test]
    fn what_is_like_nothing_has_no_cause() {
        assert_eq!(cause("", Clear::Barely), None);
        assert_eq!(cause("xyzzy", Clear::Barely), None);
    }
}
