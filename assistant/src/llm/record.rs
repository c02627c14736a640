//! What is kept of every question, in the terms of OpenTelemetry's conventions for generative models.
//!
//! No text of the question or the answer is kept: only their sizes.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;

use noetl_domain::id::ExecutionId;

/// One question that was asked, or answered from memory, or refused before it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// Unix milliseconds.
    pub at_ms: i64,
    pub execution: Option<ExecutionId>,
    /// `gen_ai.operation.name`.
    pub operation: &'static str,
    /// `gen_ai.provider.name`.
    pub provider: String,
    /// `gen_ai.request.model`.
    pub model: String,
    /// `gen_ai.response.model`.
    pub response_model: String,
    /// Name and version of the prompt.
    pub prompt: String,
    /// `gen_ai.usage.input_tokens`.
    pub input_tokens: u32,
    /// `gen_ai.usage.output_tokens`.
    pub output_tokens: u32,
    pub duration_ms: f64,
    pub cost_usd: f64,
    /// `gen_ai.response.finish_reasons`.
    pub finish_reason: String,
    /// `error.type`; empty when it went well.
    pub error: String,
    pub is_cached: bool,
}

/// Where records go. Taking one never waits; whoever cannot keep up drops and counts.
pub trait Calls: Send + Sync + fmt::Debug {
    fn record(&self, call: Call);

    /// US dollars that recorded calls cost from one moment up to another (Unix milliseconds); none: nobody knows now.
    fn spent(&self, from_ms: i64, until_ms: i64) -> Spending<'_> {
        let _ = (from_ms, until_ms);
        Box::pin(ready(None))
    }
}

pub type Spending<'a> = Pin<Box<dyn Future<Output = Option<f64>> + Send + 'a>>;

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCalls;

impl Calls for NoCalls {
    fn record(&self, _: Call) {}
}
