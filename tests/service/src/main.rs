//! The test service for hand use: `cargo run -p noetl-test-service -- [PORT]` (5555 when not given).
//!
//! `PATIENT_DELAY_MIN`, `PATIENT_DELAY_MAX` (seconds) and `PATIENT_RATE` shape `patient-records` as the public server does.

use std::env;
use std::net::SocketAddr;
use std::time::Duration;

use noetl_test_service::{Options, Service};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5555);
    let options = Options {
        patient_delay: (seconds("PATIENT_DELAY_MIN", 2.0), seconds("PATIENT_DELAY_MAX", 4.0)),
        patient_rate: number("PATIENT_RATE", 50.0) as usize,
        ..Options::default()
    };
    let service = Service::start_at(SocketAddr::from(([127, 0, 0, 1], port)), options).await?;
    eprintln!("listening on {}; see {}/_hits; Ctrl-C stops", service.url, service.url);
    tokio::signal::ctrl_c().await
}

fn number(name: &str, default: f64) -> f64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn seconds(name: &str, default: f64) -> Duration {
    Duration::from_secs_f64(number(name, default).max(0.0))
}
