//! A forecast for any place: the temperature is made of the coordinates.

use std::sync::Arc;

use axum::extract::Query;
use axum::{Json, Router, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::State;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route("/v1/forecast", get(forecast))
}

#[derive(Deserialize)]
struct Place {
    latitude: Option<f64>,
    longitude: Option<f64>,
    hourly: Option<String>,
}

async fn forecast(Query(place): Query<Place>) -> Json<Value> {
    let (latitude, longitude) = (place.latitude.unwrap_or(0.0), place.longitude.unwrap_or(0.0));
    let base = (30.0 - latitude.abs() / 3.0).round();
    let hours = 0..24;
    let times: Vec<String> = hours.clone().map(|hour| format!("2026-01-01T{hour:02}:00")).collect();
    let temperatures: Vec<f64> = hours.clone().map(|hour| base + f64::from(hour % 12) / 2.0).collect();
    let winds: Vec<f64> = hours.map(|hour| 5.0 + f64::from(hour) / 4.0).collect();
    let mut body = json!({
        "latitude": latitude,
        "longitude": longitude,
        "timezone": "GMT",
        "current_weather": {"time": "2026-01-01T12:00", "temperature": base, "windspeed": 8.0, "weathercode": 0},
        "current": {"time": "2026-01-01T12:00", "temperature_2m": base, "wind_speed_10m": 8.0},
        "hourly_units": {"temperature_2m": "°C", "windspeed_10m": "km/h"},
        "hourly": {"time": times, "temperature_2m": temperatures, "windspeed_10m": winds},
    });
    if place.hourly.is_none() {
        body["hourly"]["windspeed_10m"].take();
    }
    Json(body)
}
