//! From a question to a tool and its arguments, without a model.

mod sought;

use chrono::{DateTime, Duration, Utc};
use noetl_api::chat::{About, ChatTurn, Understood};
use serde_json::{Map, Value, json};

use super::earlier::{set_stretch, what_of};
use super::intent::{Intent, LEAST, Signs, weigh};
use super::names::{self, Known};
use super::when::{Clock, When, when};
use super::words::{Idea, ideas, is_empty, quoted, words};

/// A question with everything that reading it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) question: &'a str,
    pub(crate) turns: &'a [ChatTurn],
    pub(crate) playbook: Option<&'a str>,
    pub(crate) since: Option<&'a str>,
    pub(crate) clock: Clock,
    pub(crate) known: &'a [Known],
    /// Steps of the playbook that the question is about, when that is known already.
    pub(crate) steps: Option<&'a [String]>,
}

/// How it was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reading {
    Tool(Box<Understood>),
    Help,
    /// What is missing, in words.
    Nothing(String),
}

/// What was found in a question.
struct Question<'a> {
    asked: Asked<'a>,
    words: Vec<String>,
    ideas: Vec<Option<Idea>>,
    when: Option<When>,
    playbook: Option<String>,
    or: Vec<String>,
    step: Option<String>,
    executions: Vec<String>,
    parameter: Option<(&'static str, f64)>,
    quoted: Vec<String>,
    previous: Option<&'a Understood>,
}

pub(crate) fn read(asked: Asked<'_>) -> Reading {
    if let Some(query) = sql(asked.question) {
        let understood = Understood {
            tool: "sql".to_owned(),
            arguments: json!({ "query": query }),
            reading: "a query in SQL".to_owned(),
            confidence: 1.0,
            about: About::default(),
        };
        return Reading::Tool(Box::new(understood));
    }
    let question = Question::of(asked);
    if let Some(again) = question.again() {
        return Reading::Tool(Box::new(again));
    }
    let signs = Signs {
        executions: question.executions.len(),
        has_playbook: question.playbook.is_some(),
        has_parameter: question.parameter.is_some(),
        has_quote: !question.quoted.is_empty(),
        has_step: question.step.is_some(),
    };
    let scored = weigh(&question.words, &question.ideas, signs);
    let [(best, points), (_, second), ..] = scored.as_slice() else { return Reading::Nothing(String::new()) };
    if *points < LEAST {
        return Reading::Nothing("it speaks of nothing that can be looked up here".to_owned());
    }
    match question.plan(*best) {
        Ok(None) => Reading::Help,
        Ok(Some(mut understood)) => {
            understood.confidence = (points / (points + second.max(0.0))).clamp(0.0, 1.0);
            Reading::Tool(Box::new(understood))
        }
        Err(missing) => Reading::Nothing(missing),
    }
}

/// Who writes SQL means it.
fn sql(question: &str) -> Option<&str> {
    let text = question.trim();
    let text = text.strip_prefix("sql:").or_else(|| text.strip_prefix("SQL:")).map_or(text, str::trim);
    let upper = text.to_uppercase();
    let is_query = upper.starts_with("SELECT ") && upper.contains(" FROM ")
        || upper.starts_with("WITH ") && upper.contains(" SELECT ");
    is_query.then_some(text)
}

impl<'a> Question<'a> {
    fn of(asked: Asked<'a>) -> Self {
        let words = words(asked.question);
        let mut ideas = ideas(&words);
        let when = when(&words, asked.clock);
        if let Some(When { words: (from, to), .. }) = &when {
            ideas[*from..*to].fill(None);
        }
        let in_time = |at: usize| when.as_ref().is_some_and(|when| when.words.0 <= at && at < when.words.1);
        let free: Vec<bool> = (0..words.len()).map(|at| ideas[at].is_none() && !in_time(at)).collect();
        let found = names::playbook(&words, &free, asked.known);
        let quoted = quoted(asked.question);
        let step = names::step(&words, &ideas, asked.steps);
        let previous = asked
            .turns
            .iter()
            .rev()
            .filter_map(|turn| turn.understood.as_ref())
            .find(|one| !one.tool.is_empty());
        Self {
            when,
            step,
            executions: names::executions(&words),
            parameter: names::parameter(&words),
            quoted: quoted
                .into_iter()
                .filter(|quote| !asked.known.iter().any(|one| one.path == *quote))
                .collect(),
            or: found.as_ref().map(|found| found.or.clone()).unwrap_or_default(),
            playbook: found.map(|found| found.path),
            previous,
            words,
            ideas,
            asked,
        }
    }

    fn has(&self, idea: Idea) -> bool {
        self.ideas.contains(&Some(idea))
    }

    fn says(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// What was spoken of before, when this question points back at it.
    fn before(&self) -> Option<&'a About> {
        let about = &self.previous?.about;
        let is_short = self.words.iter().filter(|word| !is_empty(word)).count() <= 2;
        let names_nothing = self.playbook.is_none() && self.executions.is_empty() && self.when.is_none();
        (self.has(Idea::It) || is_short && names_nothing).then_some(about)
    }

    /// `and the week before?`, `and for customers?`: the same question with one thing changed.
    fn again(&self) -> Option<Understood> {
        let previous = self.previous?;
        let speaks = [
            Idea::Why,
            Idea::Fail,
            Idea::Most,
            Idea::Slow,
            Idea::Duration,
            Idea::Compare,
            Idea::Unusual,
            Idea::Count,
            Idea::Rate,
            Idea::Event,
            Idea::Status,
            Idea::Running,
            Idea::Run,
            Idea::Step,
            Idea::Cost,
            Idea::WhatIf,
            Idea::Propose,
            Idea::Simulate,
            Idea::Document,
            Idea::Define,
            Idea::Per,
            Idea::Help,
            Idea::Show,
            Idea::Good,
            Idea::Cancelled,
            Idea::Retry,
            Idea::Parameter,
        ];
        if speaks.iter().any(|idea| self.has(*idea)) || !self.executions.is_empty() {
            return None;
        }
        let shifted = self.shifted(previous);
        let is_other =
            self.playbook.is_some() || self.when.is_some() || shifted.is_some() || self.everywhere();
        if !is_other {
            return None;
        }
        let mut arguments = previous.arguments.as_object().cloned().unwrap_or_default();
        let mut about = previous.about.clone();
        let stretch = shifted.or_else(|| self.when.as_ref().map(|when| (when.from, when.until)));
        if let Some((from, until)) = stretch {
            set_stretch(&mut arguments, &mut about, from, until);
        }
        if let Some(playbook) = &self.playbook {
            let name = if previous.tool == "playbook" { "path" } else { "playbook" };
            arguments.insert(name.to_owned(), json!(playbook));
            arguments.remove("execution_id");
            about.playbook = Some(playbook.clone());
            about.execution_id = None;
        } else if self.everywhere() {
            arguments.remove("playbook");
            about.playbook = None;
        }
        if stretch.is_some() && previous.tool == "why" {
            // Another time means another execution.
            arguments.remove("execution_id");
        }
        Some(self.understood(&previous.tool, arguments, about, what_of(previous)))
    }

    fn everywhere(&self) -> bool {
        self.says("all") || self.says("everything") || self.says("overall")
    }

    /// The stretch before the one that was spoken of: `the week before`, `before that`.
    fn shifted(&self, previous: &Understood) -> Option<(DateTime<Utc>, Option<DateTime<Utc>>)> {
        if self.when.is_some() || !["before", "prior", "earlier"].iter().any(|word| self.says(word)) {
            return None;
        }
        let moment =
            |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<DateTime<Utc>>().ok());
        let from = moment(&previous.about.since)?;
        let until = moment(&previous.about.until).unwrap_or(self.asked.clock.now);
        let length = if self.says("week") {
            Duration::days(7)
        } else if self.says("day") || self.says("night") {
            Duration::days(1)
        } else if self.says("month") {
            Duration::days(30)
        } else {
            until - from
        };
        Some((from - length, Some(from)))
    }

    /// The state that is asked for.
    fn status(&self) -> Option<&'static str> {
        if self.has(Idea::Fail) {
            Some("FAILED")
        } else if self.has(Idea::Cancelled) {
            Some("CANCELLED")
        } else if self.has(Idea::Running) {
            Some("RUNNING")
        } else if self.has(Idea::Good) {
            Some("COMPLETED")
        } else {
            None
        }
    }

    /// The playbook that is meant: named, pointed at, or set for the conversation.
    fn the_playbook(&self) -> Option<String> {
        self.playbook
            .clone()
            .or_else(|| self.before().and_then(|about| about.playbook.clone()))
            .or_else(|| self.asked.playbook.map(str::to_owned))
    }

    /// The same for questions that make no sense without one.
    fn some_playbook(&self) -> Option<String> {
        let spoken_of = || self.previous.and_then(|previous| previous.about.playbook.clone());
        let only = || match self.asked.known {
            [one] => Some(one.path.clone()),
            _ => None,
        };
        self.the_playbook().or_else(spoken_of).or_else(only)
    }

    fn the_execution(&self) -> Option<String> {
        self.executions.first().cloned().or_else(|| {
            if self.playbook.is_some() || self.when.is_some() || self.has(Idea::Last) {
                return None;
            }
            self.before().and_then(|about| about.execution_id.clone())
        })
    }

    /// None: help is asked for. An error says what is missing.
    fn plan(&self, intent: Intent) -> Result<Option<Understood>, String> {
        let mut arguments = Map::new();
        let mut about = About::default();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                arguments.insert(name.to_owned(), value);
            }
        };
        // How far back a question looks that does not say.
        let mut usual_days: Option<i64> = None;
        let playbook = self.the_playbook();
        let (tool, what): (&str, String) = match intent {
            Intent::Help => return Ok(None),
            Intent::Why => {
                let execution = self.the_execution();
                if execution.is_none() && playbook.is_none() {
                    put("words", self.describing());
                }
                put("execution_id", json!(execution));
                put("playbook", if execution.is_none() { json!(playbook) } else { Value::Null });
                match &execution {
                    Some(id) => ("why", format!("why execution {id} failed")),
                    None => ("why", "why the last failed execution failed".to_owned()),
                }
            }
            Intent::TopFailures => {
                usual_days = Some(7);
                put("playbook", json!(playbook));
                ("clusters", "failures that say the same thing".to_owned())
            }
            Intent::Counts | Intent::CountsByTime => {
                usual_days = Some(7);
                put("playbook", json!(playbook));
                let by = match intent {
                    Intent::CountsByTime if self.says("hour") || self.says("hourly") => "hour",
                    Intent::CountsByTime => "day",
                    _ if self.has(Idea::Step) => "step",
                    _ if self.has(Idea::Why) => "cause",
                    _ if self.says("version") || self.says("versions") => "version",
                    _ => "playbook",
                };
                put("by", json!(by));
                if self.has(Idea::Fail) {
                    put("order", json!("failed"));
                } else if self.status().is_some() {
                    put("status", json!(self.status()));
                }
                ("counts", format!("how many executions there were and how they ended, by {by}"))
            }
            Intent::Rates => {
                usual_days = Some(30);
                if let Some(path) =
                    self.some_playbook().filter(|_| playbook.is_some() || !self.has(Idea::Playbook))
                {
                    put("playbook", json!(path));
                    put("step", json!(self.step));
                    about.playbook = Some(path);
                    ("stats", "how often it fails, how long it takes and what it costs".to_owned())
                } else {
                    put("order", json!("failure_rate"));
                    ("counts", "how often each playbook fails".to_owned())
                }
            }
            Intent::Durations => {
                usual_days = Some(30);
                if let Some(path) = playbook.clone().or_else(|| {
                    self.some_playbook().filter(|_| !self.has(Idea::Playbook) && !self.has(Idea::Slow))
                }) {
                    put("playbook", json!(path));
                    put("step", json!(self.step));
                    about.playbook = Some(path);
                    ("stats", "how long it takes".to_owned())
                } else {
                    put("by", json!("playbook"));
                    put("order", json!("duration"));
                    ("counts", "how long the executions of each playbook take".to_owned())
                }
            }
            Intent::SlowestStep => {
                usual_days = Some(30);
                if let Some(path) = self.some_playbook() {
                    put("playbook", json!(path));
                    about.playbook = Some(path);
                    ("bottlenecks", "where the time goes".to_owned())
                } else {
                    put("by", json!("step"));
                    put("order", json!("duration"));
                    ("counts", "how long each step takes".to_owned())
                }
            }
            Intent::Anomalies => {
                usual_days = Some(1);
                put("playbook", json!(playbook));
                put("step", json!(self.step));
                ("anomalies", "steps that are not as they used to be".to_owned())
            }
            Intent::Compare => {
                if let [a, b, ..] = self.executions.as_slice() {
                    put("a", json!(a));
                    put("b", json!(b));
                    ("compare", format!("executions {a} and {b} side by side"))
                } else {
                    put("playbook", json!(self.some_playbook()));
                    let with_good = self.has(Idea::Good) || self.has(Idea::Fail);
                    if with_good {
                        put("failed_with_good", json!(true));
                    }
                    about.playbook = self.some_playbook();
                    let which = if with_good {
                        "the last failed execution and the last good one before it"
                    } else {
                        "the last two executions"
                    };
                    ("compare", format!("{which} side by side"))
                }
            }
            Intent::LikePlaybook => {
                let path = self.some_playbook().ok_or("name the playbook that others are compared with")?;
                put("playbook", json!(path));
                about.playbook = Some(path);
                ("similar", "playbooks like it".to_owned())
            }
            Intent::LikeExecution => {
                let execution = self.the_execution();
                put("id", json!(execution));
                if execution.is_none() {
                    put("last_failure_of", json!(playbook));
                }
                ("similar", "failures and executions like it".to_owned())
            }
            Intent::Events => {
                put("execution_id", json!(self.the_execution()));
                put("playbook", if self.the_execution().is_none() { json!(playbook) } else { Value::Null });
                put(
                    "status",
                    if self.the_execution().is_none() { json!(self.status()) } else { Value::Null },
                );
                put("step", json!(self.step));
                ("events", "the events of an execution".to_owned())
            }
            Intent::Status => {
                put("execution_id", json!(self.the_execution()));
                put("playbook", if self.the_execution().is_none() { json!(playbook) } else { Value::Null });
                let status =
                    self.status().filter(|status| *status != "COMPLETED" && self.the_execution().is_none());
                put("status", json!(status));
                ("execution", "where the newest execution stands".to_owned())
            }
            Intent::List => {
                put("playbook", json!(playbook));
                put("status", json!(self.status()));
                if let Some(count) = self.count() {
                    put("limit", json!(count));
                }
                let state = self.status().map(|status| format!(", {status} only")).unwrap_or_default();
                ("executions", format!("a list of executions{state}"))
            }
            Intent::Definition => {
                let path = self.some_playbook().ok_or("name the playbook")?;
                put("path", json!(path));
                about.playbook = Some(path);
                ("playbook", "what it does".to_owned())
            }
            Intent::Playbooks => ("playbook", "the list of playbooks".to_owned()),
            Intent::Search => {
                let sought = self.sought().ok_or("say what to look for")?;
                put("q", json!(sought));
                let kind = if self.has(Idea::Document) {
                    Some("knowledge")
                } else if self.has(Idea::Fail) {
                    Some("failure")
                } else if self.has(Idea::Playbook) {
                    Some("playbook")
                } else {
                    None
                };
                put("kind", json!(kind));
                ("search", format!("a search for \"{sought}\""))
            }
            Intent::WhatIf => {
                let (parameter, value) = self.parameter.ok_or(
                    "say which value would change: a batch size, attempts, a timeout, how many side by side",
                )?;
                let path = self.some_playbook().ok_or("name the playbook whose step would change")?;
                put("playbook", json!(path));
                put("step", json!(self.step));
                put("parameter", json!(parameter));
                put("value", json!(value));
                about.playbook = Some(path);
                ("what_if", format!("what history says about {} {value}", parameter.replace('_', " ")))
            }
            Intent::Proposals => {
                put("playbook", json!(playbook));
                if self.says("wait") || self.says("waiting") || self.says("pending") || self.says("open") {
                    put("state", json!("proposed"));
                }
                ("proposals", "proposals".to_owned())
            }
            Intent::Simulate => {
                let id = self.executions.first().ok_or("name the proposal by its id")?;
                put("id", json!(id));
                ("simulate_proposal", format!("what proposal {id} would have done"))
            }
        };
        about.playbook = about.playbook.or(playbook);
        about.step.clone_from(&self.step);
        about.execution_id = self.the_execution();
        self.set_window(tool, usual_days, &mut arguments, &mut about);
        Ok(Some(self.understood(tool, arguments, about, what)))
    }

    fn set_window(
        &self,
        tool: &str,
        usual_days: Option<i64>,
        arguments: &mut Map<String, Value>,
        about: &mut About,
    ) {
        let takes_since = !matches!(
            tool,
            "compare" | "similar" | "playbook" | "proposals" | "simulate_proposal" | "what_if"
        );
        if !takes_since || arguments.contains_key("execution_id") {
            return;
        }
        if let Some(when) = &self.when {
            let until = if tool == "search" { None } else { when.until };
            set_stretch(arguments, about, when.from, until);
        } else if let Some(since) = self.asked.since.filter(|_| usual_days.is_some()) {
            arguments.insert("since".to_owned(), json!(since));
        } else if let Some(days) = usual_days {
            set_stretch(arguments, about, self.asked.clock.now - Duration::days(days), None);
        }
    }

    fn understood(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        about: About,
        what: String,
    ) -> Understood {
        let mut reading = what;
        let is_given = |name: &str| arguments.get(name).and_then(Value::as_str);
        if let Some(path) = is_given("playbook").or(is_given("path")).or(is_given("last_failure_of")) {
            reading.push_str(&format!(" of {path}"));
        } else if matches!(tool, "clusters" | "counts" | "anomalies" | "executions") {
            reading.push_str(", all playbooks");
        }
        if let Some(step) = is_given("step") {
            reading.push_str(&format!(", step {step}"));
        }
        if let Some(since) = is_given("since") {
            reading.push_str(&format!(", since {}", self.local(since)));
        }
        if let Some(until) = is_given("until") {
            reading.push_str(&format!(" until {}", self.local(until)));
        }
        if !self.or.is_empty() {
            reading.push_str(&format!(" (it could also be {})", self.or.join(", ")));
        }
        Understood {
            tool: tool.to_owned(),
            arguments: Value::Object(arguments),
            reading,
            confidence: 1.0,
            about,
        }
    }

    /// A moment in the zone of whoever asks.
    fn local(&self, text: &str) -> String {
        match text.parse::<DateTime<Utc>>() {
            Ok(at) => {
                let local = self.asked.clock.zone.local(at).format("%Y-%m-%d %H:%M").to_string();
                local.strip_suffix(" 00:00").map_or(local.clone(), str::to_owned)
            }
            Err(_) => format!("{text} ago"),
        }
    }
}
