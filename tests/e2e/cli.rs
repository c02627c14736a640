//! The command line as a person types it: what is printed, where, and with which exit status.

mod fingerprint;
mod home;
mod hostile;
mod knowledge;
mod reading;
mod running;
mod serving;
mod spellings;
mod why;
