//! The surface as callers see it: whole answers over the router, in process.

mod app;
mod contract;
mod following;
mod hostile;
mod transcripts;
