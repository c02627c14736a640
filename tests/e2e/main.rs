//! End to end, over the real binary and real services on loopback ports.

mod again;
mod app;
mod architecture;
mod cli;
mod durability;
mod examples;
mod expectation;
mod feed;
mod histories;
mod hostile;
mod indexed;
mod judge;
mod meaning;
mod newcomer;
mod place;
mod playbooks;
mod postgres;
mod retention;
mod scripts;
mod secrets;
mod soak;
mod sql;
mod stopping;
mod text;
mod tokens;
mod warnings;
