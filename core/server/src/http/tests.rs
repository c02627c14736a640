//! The surface as callers see it: whole answers over the router, in process.

mod contract;
