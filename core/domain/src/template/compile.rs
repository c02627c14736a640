//! Compiled templates, kept per process within a bound.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};

use minijinja::{Environment, Expression};

use super::engine::engine;
use super::error::TemplateError;
use super::lex::{self, Token};
use super::{ambient, engine};

pub(super) struct Compiled {
    pub(super) program: Program,
    pub(super) facts: Arc<Facts>,
    /// What it makes stays text: it says `tojson`, or ends with `string`.
    pub(super) stays_text: bool,
}

pub(super) enum Program {
    /// `{{ a.b.c }}`: the thing itself.
    Path(Vec<String>),
    /// `{{ expression }}`, and where the code starts in the text.
    Expression(Box<Expression<'static, 'static>>, usize),
    /// Anything else; the engine holds this one template.
    Text(Box<Environment<'static>>),
}

pub(super) const TEMPLATE: &str = "template";

/// What is known of a template without rendering it.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Words that it compares with.
    compared: Vec<String>,
    /// Root names that it guards with `default` or `is defined`.
    guarded: Vec<String>,
    /// Root names that it reads, and the dotted paths.
    pub(super) reads: Vec<String>,
    pub(super) paths: Vec<String>,
}

impl Facts {
    pub(super) fn compares_with(&self, word: &str) -> bool {
        self.compared.iter().any(|compared| compared == word)
    }

    pub(super) fn guarded(&self, name: &str) -> bool {
        self.guarded.iter().any(|guarded| guarded == name)
    }

    /// Every read of the name goes on to a member.
    pub(super) fn only_members_read(&self, name: &str) -> bool {
        let member = |path: &String| path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.paths.iter().any(member) && !self.paths.iter().any(|path| path == name)
    }

    fn of(text: &str, bare: bool, paths: impl IntoIterator<Item = String>) -> Self {
        let mut facts = Self::default();
        let regions = if bare { vec![(0, text.len())] } else { lex::regions(text) };
        for (from, to) in regions {
            let tokens: Vec<Token<'_>> =
                lex::tokens(&text[from..to.min(text.len())]).into_iter().map(|(_, token)| token).collect();
            facts.note_compared(&tokens);
            facts.note_guarded(&tokens);
        }
        for path in paths {
            let root = path.split('.').next().unwrap_or(&path);
            if ambient::function(root).is_some() || engine::is_global(root) {
                continue;
            }
            if !facts.reads.iter().any(|read| read == root) {
                facts.reads.push(root.to_owned());
            }
            facts.paths.push(path);
        }
        facts.reads.sort();
        facts.paths.sort();
        facts
    }

    fn note_compared(&mut self, tokens: &[Token<'_>]) {
        const COMPARE: &[Token<'_>] = &[Token::Operator("=="), Token::Operator("!=")];
        let mut list = 0_usize;
        for (at, token) in tokens.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| tokens[before]);
            match token {
                Token::Operator("[" | "(") if list > 0 || before == Some(Token::Name("in")) => list += 1,
                Token::Operator("]" | ")") => list = list.saturating_sub(1),
                Token::Text(text) => {
                    let after = tokens.get(at + 1);
                    let beside = before.is_some_and(|before| COMPARE.contains(&before))
                        || after.is_some_and(|after| COMPARE.contains(after));
                    if beside || list > 0 {
                        self.compared.push((*text).to_owned());
                    }
                }
                _ => {}
            }
        }
    }

    /// A name whose path ends in `| default`, `| d`, `is defined`, `is not defined`, `is none` and the like.
    fn note_guarded(&mut self, tokens: &[Token<'_>]) {
        let mut root: Option<&str> = None;
        let mut at = 0;
        while at < tokens.len() {
            let after_dot = at > 0 && tokens[at - 1] == Token::Operator(".");
            match tokens[at] {
                Token::Name("is") => {
                    let next = tokens.get(at + 1);
                    let next = if next == Some(&Token::Name("not")) { tokens.get(at + 2) } else { next };
                    if let (Some(root), Some(Token::Name("defined" | "undefined" | "none"))) = (root, next) {
                        self.guarded.push(root.to_owned());
                    }
                }
                Token::Operator("|") => {
                    if let (Some(name), Some(Token::Name("default" | "d"))) = (root, tokens.get(at + 1)) {
                        self.guarded.push(name.to_owned());
                    }
                    at += 1;
                }
                Token::Name(_) if after_dot => {}
                Token::Name(name) => root = Some(name),
                _ => {}
            }
            at += 1;
        }
    }
}

/// Compiles the text of a template, or finds it compiled.
pub(super) fn template(text: &str) -> Result<Arc<Compiled>, TemplateError> {
    static CACHE: LazyLock<Cache<Compiled>> = LazyLock::new(Cache::new);
    CACHE.find(text, || compile(text))
}

/// Compiles a bare expression, without braces.
pub(super) fn expression(code: &str) -> Result<Arc<Compiled>, TemplateError> {
    static CACHE: LazyLock<Cache<Compiled>> = LazyLock::new(Cache::new);
    CACHE.find(code, || {
        bearable(code, true)?;
        let expression =
            compile_expression(code).map_err(|error| TemplateError::from_engine(&error, code, 0, true))?;
        let facts = Facts::of(code, true, expression.undeclared_variables(true));
        Ok(Compiled {
            program: Program::Expression(Box::new(expression), 0),
            facts: Arc::new(facts),
            stays_text: stays_text(code),
        })
    })
}

fn compile(text: &str) -> Result<Compiled, TemplateError> {
    bearable(text, false)?;
    if let Some((start, code)) = lex::lone(text) {
        if let Some(path) = lex::path(code) {
            let dotted = path.join(".");
            let facts = Facts::of(text, false, [dotted]);
            return Ok(Compiled { program: Program::Path(path), facts: Arc::new(facts), stays_text: true });
        }
        if let Ok(expression) = compile_expression(code) {
            let facts = Facts::of(text, false, expression.undeclared_variables(true));
            return Ok(Compiled {
                program: Program::Expression(Box::new(expression), start),
                facts: Arc::new(facts),
                stays_text: stays_text(code),
            });
        }
    }
    let mut engine = engine().clone();
    engine
        .add_template_owned(TEMPLATE, text.to_owned())
        .map_err(|error| TemplateError::from_engine(&error, text, 0, true))?;
    let paths = match engine.get_template(TEMPLATE) {
        Ok(template) => template.undeclared_variables(true),
        Err(error) => return Err(TemplateError::from_engine(&error, text, 0, true)),
    };
    let facts = Facts::of(text, false, paths);
    let stays_text = text.contains("tojson");
    Ok(Compiled { program: Program::Text(Box::new(engine)), facts: Arc::new(facts), stays_text })
}

fn bearable(text: &str, bare: bool) -> Result<(), TemplateError> {
    match lex::too_complex(text, bare) {
        Some(at) => Err(TemplateError::too_complex(text, at)),
        None => Ok(()),
    }
}

fn compile_expression(code: &str) -> Result<Expression<'static, 'static>, minijinja::Error> {
    engine().compile_expression_owned(code.to_owned())
}

fn stays_text(code: &str) -> bool {
    let last = code.rsplit('|').next().unwrap_or_default().trim();
    code.contains("tojson") || last == "string"
}

/// Texts longer than this are compiled anew each time.
const LONGEST_KEPT: usize = 256 * 1024;
/// Entries in each of the two generations.
const MOST_KEPT: usize = 4096;

/// Keeps what was used lately: when the young generation is full it becomes the old one, and the old one goes.
struct Cache<T> {
    generations: RwLock<Generations<T>>,
}

struct Generations<T> {
    young: HashMap<Box<str>, Arc<T>>,
    old: HashMap<Box<str>, Arc<T>>,
}

impl<T> Cache<T> {
    fn new() -> Self {
        Self { generations: RwLock::new(Generations { young: HashMap::new(), old: HashMap::new() }) }
    }

    fn find(
        &self,
        text: &str,
        make: impl FnOnce() -> Result<T, TemplateError>,
    ) -> Result<Arc<T>, TemplateError> {
        let found = {
            let kept = self.generations.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = kept.young.get(text) {
                return Ok(found.clone());
            }
            kept.old.get(text).cloned()
        };
        let made = match found {
            Some(found) => found,
            None => Arc::new(make()?),
        };
        if text.len() <= LONGEST_KEPT {
            let mut kept = self.generations.write().unwrap_or_else(PoisonError::into_inner);
            if kept.young.len() >= MOST_KEPT {
                kept.old = std::mem::take(&mut kept.young);
            }
            kept.young.insert(text.into(), made.clone());
        }
        Ok(made)
    }
}

/// Checks that a text parses and that it uses known filters and tests only.
pub(super) fn check(text: &str, bare: bool) -> Result<(), TemplateError> {
    if bare {
        expression(text)?;
    } else {
        template(text)?;
    }
    let regions = if bare { vec![(0, text.len())] } else { lex::regions(text) };
    for (from, to) in regions {
        let code = &text[from..to.min(text.len())];
        let tokens = lex::tokens(code);
        for pair in tokens.windows(3) {
            let [(_, before), (_, token), (at, name)] = pair else { continue };
            let (Token::Name(name), at) = (name, from + at) else { continue };
            let unknown = match (before, token) {
                (_, Token::Operator("|")) if !is_filter(name) => "filter",
                (Token::Name("is"), Token::Name("not")) | (_, Token::Name("is"))
                    if *name != "not" && !is_test(name) =>
                {
                    "test"
                }
                _ => continue,
            };
            return Err(TemplateError::unknown(unknown, name, text, at));
        }
    }
    Ok(())
}

fn is_filter(name: &str) -> bool {
    known(&FILTERS, name, "filter")
}

fn is_test(name: &str) -> bool {
    known(&TESTS, name, "test")
}

type Known = OnceLock<RwLock<HashMap<String, bool>>>;
static FILTERS: Known = OnceLock::new();
static TESTS: Known = OnceLock::new();

/// Asks the engine itself, once per name.
fn known(kept: &Known, name: &str, sort: &str) -> bool {
    let kept = kept.get_or_init(RwLock::default);
    if let Some(known) = kept.read().unwrap_or_else(PoisonError::into_inner).get(name) {
        return *known;
    }
    let answer = engine()
        .compile_expression_owned(format!("'{name}' is {sort}"))
        .and_then(|expression| expression.eval(()))
        .is_ok_and(|answer| answer.is_true());
    let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < MOST_KEPT {
        kept.insert(name.to_owned(), answer);
    }
    answer
}
