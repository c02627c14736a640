//! A model behind its limits: how long a question may be, what a day may cost; and the record of every call.
//!
//! What was spent earlier in the day, before this process began, the record of calls tells; of calls that ran out of time,
//! whose price nobody knows, it tells the highest. Where nobody can say it (the analytic store is away), only what this
//! process spent counts until somebody can.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use noetl_domain::id::ExecutionId;
use tracing::Instrument as _;

use super::config::Config;
use super::record::{Call, Calls};
use super::{Answer, Ask, Asking, Model, ModelError};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// What is waited at most to learn what was spent before, and the time between two tries.
const RECALL: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Metered<M> {
    model: M,
    config: Config,
    calls: Arc<dyn Calls>,
    spent: Mutex<Spent>,
    /// When this process began; what was spent before is in the record only.
    since_ms: i64,
    recalled: Mutex<Recalled>,
}

/// Whether what was spent before is known, and when somebody was asked last.
#[derive(Clone, Copy, Debug, Default)]
struct Recalled {
    is_known: bool,
    asked: Option<Instant>,
}

/// What one day has cost, calls under way at their highest price.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    day: i64,
    dollars: f64,
}

impl<M: Model> Metered<M> {
    pub(super) fn new(model: M, config: &Config, calls: Arc<dyn Calls>) -> Self {
        let (spent, recalled) = (Mutex::default(), Mutex::default());
        Self { model, config: config.clone(), calls, spent, since_ms: now_ms(), recalled }
    }

    /// Adds what was spent today before this process began, once somebody can tell.
    async fn recall(&self, at_ms: i64) {
        let is_free = self.config.cost(1_000_000, 1_000_000) == 0.0;
        if self.config.max_cost_per_day <= 0.0 || is_free || !self.is_to_ask() {
            return;
        }
        let day = at_ms.div_euclid(DAY_MS);
        let earlier = if day * DAY_MS >= self.since_ms {
            Some(0.0)
        } else {
            let told = self.calls.spent(day * DAY_MS, self.since_ms);
            tokio::time::timeout(RECALL, told).await.ok().flatten()
        };
        let Some(dollars) = earlier else { return };
        let mut spent = self.spent();
        let mut recalled = self.recalled.lock().unwrap_or_else(PoisonError::into_inner);
        if !recalled.is_known {
            recalled.is_known = true;
            spent.turn(at_ms);
            // Another question may have turned the day meanwhile.
            if spent.day == day {
                spent.dollars += dollars;
            }
        }
    }

    /// Whether somebody is to be asked now: not while another question asks, and not again at once.
    fn is_to_ask(&self) -> bool {
        let mut recalled = self.recalled.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = !recalled.is_known && recalled.asked.is_none_or(|asked| asked.elapsed() > AGAIN);
        if is_due {
            recalled.asked = Some(Instant::now());
        }
        is_due
    }

    async fn metered(&self, ask: &Ask) -> Result<Answer, ModelError> {
        let (at_ms, began) = (now_ms(), Instant::now());
        let span = tracing::info_span!(
            "chat",
            "gen_ai.operation.name" = "chat",
            "gen_ai.provider.name" = self.provider(),
            "gen_ai.request.model" = self.config.model,
            "gen_ai.response.model" = tracing::field::Empty,
            "gen_ai.usage.input_tokens" = tracing::field::Empty,
            "gen_ai.usage.output_tokens" = tracing::field::Empty,
            "gen_ai.response.finish_reasons" = tracing::field::Empty,
            "error.type" = tracing::field::Empty,
        );
        let answer = self.limited(ask, at_ms).instrument(span.clone()).await;
        let duration_ms = began.elapsed().as_secs_f64() * 1_000.0;
        let mut call = Call { at_ms, duration_ms, ..self.call(&ask.prompt, ask.execution) };
        match &answer {
            Ok(answer) => {
                span.record("gen_ai.response.model", &answer.model);
                span.record("gen_ai.usage.input_tokens", answer.input_tokens);
                span.record("gen_ai.usage.output_tokens", answer.output_tokens);
                span.record("gen_ai.response.finish_reasons", &answer.finish_reason);
                call.response_model.clone_from(&answer.model);
                call.finish_reason.clone_from(&answer.finish_reason);
                (call.input_tokens, call.output_tokens) = (answer.input_tokens, answer.output_tokens);
                call.cost_usd = self.config.cost(answer.input_tokens, answer.output_tokens);
            }
            Err(error) => {
                call.error = error.kind();
                if matches!(error, ModelError::Timeout(_)) {
                    call.cost_usd = self.highest(ask);
                }
                span.record("error.type", &call.error);
            }
        }
        self.calls.record(call);
        answer
    }

    fn call(&self, prompt: &str, execution: Option<ExecutionId>) -> Call {
        Call {
            at_ms: now_ms(),
            execution,
            operation: "chat",
            provider: self.provider().to_owned(),
            model: self.config.model.clone(),
            prompt: prompt.to_owned(),
            ..Call::default()
        }
    }

    /// What a question may cost at most.
    fn highest(&self, ask: &Ask) -> f64 {
        let output = self.config.max_output_tokens;
        let output = ask.max_output_tokens.map_or(output, |wanted| wanted.min(output));
        self.config.cost(ask.tokens(), output)
    }

    async fn limited(&self, ask: &Ask, at_ms: i64) -> Result<Answer, ModelError> {
        let (tokens, most) = (ask.tokens(), self.config.max_input_tokens);
        if tokens > most {
            return Err(ModelError::TooLong { tokens, most });
        }
        let highest = self.highest(ask);
        self.recall(at_ms).await;
        self.reserve(highest, at_ms)?;
        // One that is never settled stays spent: nobody knows what the other side charges for it.
        let reserved = Reserved { meter: self, at_ms, dollars: highest };
        let mut answer = match self.model.ask(ask).await {
            Ok(answer) => answer,
            Err(error) => {
                // Nothing was written, so nothing is paid for; of a question that ran out of time nobody knows.
                if !matches!(error, ModelError::Timeout(_)) {
                    reserved.settle(0.0);
                }
                return Err(error);
            }
        };
        if answer.input_tokens == 0 {
            // Endpoints need not say what they used.
            answer.input_tokens = tokens;
            answer.output_tokens = u32::try_from(answer.text.len().div_ceil(3)).unwrap_or(u32::MAX);
        }
        reserved.settle(self.config.cost(answer.input_tokens, answer.output_tokens));
        Ok(answer)
    }

    fn reserve(&self, dollars: f64, at_ms: i64) -> Result<(), ModelError> {
        let most = self.config.max_cost_per_day;
        let mut spent = self.spent();
        spent.turn(at_ms);
        if most > 0.0 && spent.dollars + dollars > most {
            return Err(ModelError::Spent { spent: spent.dollars, most });
        }
        spent.dollars += dollars;
        Ok(())
    }

    fn spent(&self) -> std::sync::MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `gen_ai.provider.name`: who is asked, as far as the address tells.
    fn provider(&self) -> &'static str {
        let url = &self.config.base_url;
        let known = [
            ("openai.azure.com", "azure.ai.openai"),
            ("openai.com", "openai"),
            ("anthropic.com", "anthropic"),
            ("mistral.ai", "mistral_ai"),
            ("groq.com", "groq"),
            ("deepseek.com", "deepseek"),
        ];
        known.iter().find(|(host, _)| url.contains(host)).map_or("openai_compatible", |(_, name)| name)
    }
}

impl<M: Model> Model for Metered<M> {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> Asking<'a> {
        Box::pin(self.metered(ask))
    }

    fn remembered(&self, prompt: &str, execution: Option<ExecutionId>) {
        self.calls.record(Call { is_cached: true, ..self.call(prompt, execution) });
    }
}

impl Spent {
    fn turn(&mut self, at_ms: i64) {
        let day = at_ms.div_euclid(DAY_MS);
        if day > self.day {
            *self = Self { day, dollars: 0.0 };
        }
    }
}

/// Money that a call may cost.
struct Reserved<'m, M: Model> {
    meter: &'m Metered<M>,
    at_ms: i64,
    dollars: f64,
}

impl<M: Model> Reserved<'_, M> {
    fn settle(&self, paid: f64) {
        let mut spent = self.meter.spent();
        // A call that began yesterday was yesterday's.
        if spent.day == self.at_ms.div_euclid(DAY_MS) {
            spent.dollars = (spent.dollars - self.dollars + paid).max(0.0);
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
