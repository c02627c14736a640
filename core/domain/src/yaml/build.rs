//! Builds the tree from parser events, inside the limits.
//!
//! The event iterator is used because the parser's own `load` recurses once per nesting.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::places::{Insertion, Places};
use super::{Data, Document, Entry, MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_NODES, Node, scalar};
use crate::code::Code;
use crate::finding::{Finding, Span};

pub(super) const COMPLEX_KEY: &str = "a key must be text, not a map or a list";

pub(super) struct Built {
    pub(super) document: Document,
    /// A limit was hit: trying again would not help.
    pub(super) too_large: bool,
}

pub(super) fn build(text: &str, insertions: &[Insertion]) -> Built {
    let (text, base) =
        text.strip_prefix('\u{feff}').map_or((text, 0), |rest| (rest, text.len() - rest.len()));
    let mut builder = Builder {
        places: Places::new(text, base, insertions),
        stack: Vec::new(),
        anchors: HashMap::new(),
        total: Weight::default(),
        findings: Vec::new(),
        root: None,
    };
    match builder.run(text) {
        Ok(()) => {
            let root = builder.root.take();
            if root.is_none() && builder.findings.is_empty() {
                let span = Span { line: 1, column: 1, ..Span::default() };
                builder.findings.push(Finding::error(Code::NotAPlaybook, span, "the file is empty"));
            }
            Built { document: Document { root, findings: builder.findings }, too_large: false }
        }
        Err(finding) => {
            let too_large = finding.code == Code::YamlTooLarge;
            builder.findings.push(*finding);
            Built { document: Document { root: None, findings: builder.findings }, too_large }
        }
    }
}

/// What a node costs once its aliases are expanded.
#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    bytes: usize,
    height: usize,
}

struct Frame {
    data: Data,
    start: Span,
    anchor: usize,
    weight: Weight,
    /// In a map: the key that waits for its value.
    key: Option<(String, Span, KeyKind)>,
    /// In a map: values of `<<`, merged when the map ends.
    merged: Vec<Node>,
}

#[derive(Clone, Copy, PartialEq)]
enum KeyKind {
    Plain,
    Merge,
}

struct Builder<'a> {
    places: Places<'a>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, (Node, Weight)>,
    total: Weight,
    findings: Vec<Finding>,
    root: Option<Node>,
}

type Step = Result<(), Box<Finding>>;

impl Builder<'_> {
    fn run(&mut self, text: &str) -> Step {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) =
                event.map_err(|error| Box::new(self.syntax_error(error.marker(), error.info())))?;
            let place = self.places.span(&span.start, &span.end);
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let data = scalar::resolve(&text, style, tag.as_deref());
                    let merge = style == ScalarStyle::Plain && text == "<<";
                    let weight = Weight { nodes: 1, bytes: text.len(), height: 0 };
                    if self.key_is_due() {
                        self.key(text.into_owned(), place, merge)?;
                    } else {
                        self.value(Node { data, span: place }, weight, anchor)?;
                    }
                }
                Event::SequenceStart(anchor, _) => self.open(Data::List(Vec::new()), place, anchor)?,
                Event::MappingStart(anchor, _) => self.open(Data::Map(Vec::new()), place, anchor)?,
                Event::SequenceEnd | Event::MappingEnd => self.close(place)?,
                Event::Alias(id) => self.alias(id, place)?,
                Event::DocumentEnd => {
                    self.further_documents(&mut parser);
                    return Ok(());
                }
                Event::StreamEnd => return Ok(()),
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            }
        }
        Ok(())
    }

    fn further_documents<T: saphyr_parser::Input>(&mut self, parser: &mut Parser<'_, T>) {
        if let Some(Ok((Event::DocumentStart(_), span))) = parser.next_event() {
            let place = self.places.span(&span.start, &span.end);
            let finding =
                Finding::warning(Code::NotAPlaybook, place, "only the first document of the file is read")
                    .hint("put each playbook into a file of its own");
            self.findings.push(finding);
        }
    }

    fn key_is_due(&self) -> bool {
        self.stack.last().is_some_and(|frame| matches!(frame.data, Data::Map(_)) && frame.key.is_none())
    }

    fn key(&mut self, text: String, span: Span, merge: bool) -> Step {
        self.spend(Weight { nodes: 1, bytes: text.len(), height: 0 }, span)?;
        let kind = if merge { KeyKind::Merge } else { KeyKind::Plain };
        if let Some(frame) = self.stack.last_mut() {
            frame.weight.nodes += 1;
            frame.weight.bytes += text.len();
            frame.key = Some((text, span, kind));
        }
        Ok(())
    }

    fn open(&mut self, data: Data, start: Span, anchor: usize) -> Step {
        if self.stack.len() >= MAX_DEPTH {
            let message = format!("lists and maps are nested more than {MAX_DEPTH} deep");
            return Err(Box::new(Finding::error(Code::YamlTooLarge, start, message)));
        }
        self.spend(Weight { nodes: 1, bytes: 0, height: 0 }, start)?;
        let weight = Weight { nodes: 1, bytes: 0, height: 1 };
        self.stack.push(Frame { data, start, anchor, weight, key: None, merged: Vec::new() });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Step {
        let Some(mut frame) = self.stack.pop() else { return Ok(()) };
        let merged = std::mem::take(&mut frame.merged);
        if let Data::Map(entries) = &mut frame.data {
            merge_into(entries, merged);
            self.duplicates(entries);
        }
        let last = match &frame.data {
            Data::List(items) => items.last().map(|node| node.span.end),
            Data::Map(entries) => entries.iter().map(|entry| entry.value.span.end).max(),
            _ => None,
        };
        // A block collection ends where its last child does; the parser reports the next token.
        let close = if end.end > end.start { end.end } else { last.unwrap_or(frame.start.end) };
        let span = Span { end: close.max(frame.start.start), ..frame.start };
        let node = Node { data: frame.data, span };
        if self.key_is_due() {
            self.findings.push(
                Finding::error(Code::YamlSyntax, span, COMPLEX_KEY)
                    .hint("write a template in quotes: key: \"{{ name }}\""),
            );
            return self.key(format!("?{}", span.start), span, false);
        }
        self.place(node, frame.weight, frame.anchor);
        Ok(())
    }

    fn alias(&mut self, id: usize, span: Span) -> Step {
        let Some((node, weight)) = self.anchors.get(&id) else {
            let message = "an alias may not stand inside the value it names";
            return Err(Box::new(Finding::error(Code::YamlSyntax, span, message)));
        };
        let weight = *weight;
        if self.stack.len() + weight.height > MAX_DEPTH {
            let message = format!("aliases expand to more than {MAX_DEPTH} levels");
            return Err(Box::new(Finding::error(Code::YamlTooLarge, span, message)));
        }
        let node = node.clone();
        self.spend(weight, span)?;
        if self.key_is_due() {
            let Some(text) = node.scalar_text() else {
                return Err(Box::new(Finding::error(Code::YamlSyntax, span, COMPLEX_KEY)));
            };
            return self.key(text, span, false);
        }
        self.place(node, weight, 0);
        Ok(())
    }

    fn value(&mut self, node: Node, weight: Weight, anchor: usize) -> Step {
        self.spend(weight, node.span)?;
        self.place(node, weight, anchor);
        Ok(())
    }

    fn place(&mut self, node: Node, weight: Weight, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        frame.weight.nodes += weight.nodes;
        frame.weight.bytes += weight.bytes;
        frame.weight.height = frame.weight.height.max(weight.height + 1);
        match &mut frame.data {
            Data::List(items) => items.push(node),
            Data::Map(entries) => match frame.key.take() {
                Some((_, _, KeyKind::Merge)) => frame.merged.push(node),
                Some((key, key_span, KeyKind::Plain)) => entries.push(Entry { key, key_span, value: node }),
                None => {}
            },
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => {}
        }
    }

    fn spend(&mut self, weight: Weight, span: Span) -> Step {
        self.total.nodes += weight.nodes;
        self.total.bytes += weight.bytes;
        if self.total.nodes > MAX_NODES {
            let message = format!("the file expands to more than {MAX_NODES} values");
            return Err(Box::new(Finding::error(Code::YamlTooLarge, span, message)));
        }
        if self.total.bytes > MAX_EXPANDED_BYTES {
            let message = format!("the file expands to more than {MAX_EXPANDED_BYTES} bytes");
            return Err(Box::new(Finding::error(Code::YamlTooLarge, span, message)));
        }
        Ok(())
    }

    fn duplicates(&mut self, entries: &mut Vec<Entry>) {
        let mut seen: HashMap<String, usize> = HashMap::with_capacity(entries.len());
        let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
        for entry in entries.drain(..) {
            if let Some(&index) = seen.get(&entry.key) {
                let earlier = &kept[index];
                let message =
                    format!("`{}` is written twice; first in line {}", entry.key, earlier.key_span.line);
                let finding = if earlier.value.to_value() == entry.value.to_value() {
                    Finding::warning(Code::DuplicateKey, entry.key_span, message)
                } else {
                    Finding::error(Code::DuplicateKey, entry.key_span, message)
                };
                self.findings.push(finding.hint("remove one of them"));
                kept[index] = entry;
            } else {
                seen.insert(entry.key.clone(), kept.len());
                kept.push(entry);
            }
        }
        *entries = kept;
    }

    fn syntax_error(&self, at: &Marker, info: &str) -> Finding {
        let span = self.places.span(at, at);
        if info.contains("recursion limit") {
            let message = format!("lists and maps are nested more than {MAX_DEPTH} deep");
            return Finding::error(Code::YamlTooLarge, span, message);
        }
        let finding = Finding::error(Code::YamlSyntax, span, info.to_owned());
        match info {
            text if text.contains("tab") => finding.hint("indent with spaces"),
            text if text.contains("simple key") || text.contains("mapping values") => {
                finding.hint("check the indentation, and quote text that holds `: ` or starts with `{{`")
            }
            _ => finding.hint("check the indentation and the quotes around this place"),
        }
    }
}

/// `<<`: keys that the map does not have itself; earlier sources win.
fn merge_into(entries: &mut Vec<Entry>, merged: Vec<Node>) {
    if merged.is_empty() {
        return;
    }
    let sources = merged.into_iter().flat_map(|node| match node.data {
        Data::List(items) => items,
        Data::Map(_) => vec![node],
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => Vec::new(),
    });
    let mut taken: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let mut added: Vec<Entry> = Vec::new();
    for source in sources {
        let Data::Map(candidates) = source.data else { continue };
        added.extend(candidates.into_iter().filter(|candidate| taken.insert(candidate.key.clone())));
    }
    if !added.is_empty() {
        added.append(entries);
        *entries = added;
    }
}
