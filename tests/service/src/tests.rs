//! The behaviour that playbooks rely on, asked over real HTTP.

use serde_json::{Value, json};

use crate::Service;

/// Asks, and returns status and body.
async fn ask(service: &Service, method_and_path: &str) -> (u16, Value) {
    // The workspace builds reqwest without a default TLS provider; installing it twice is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (method, path) = method_and_path.split_once(' ').unwrap();
    let method = method.parse().unwrap();
    let response =
        reqwest::Client::new().request(method, format!("{}{path}", service.url)).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

#[tokio::test]
async fn every_style_of_paging_yields_the_same_thirty_five() {
    let service = Service::start().await.unwrap();
    let mut counts = Vec::new();
    for page in 1..=4 {
        let (_, body) = ask(&service, &format!("GET /api/v1/assessments?page={page}&pageSize=10")).await;
        assert_eq!(body["paging"]["hasMore"], json!(page < 4));
        counts.push(body["data"].as_array().unwrap().len());
    }
    assert_eq!(counts, [10, 10, 10, 5]);
    let (_, body) = ask(&service, "GET /api/v1/users?offset=30&limit=10").await;
    assert_eq!(
        (&body["has_more"], &body["users"][4]["id"], &body["total"]),
        (&json!(false), &json!(35), &json!(35))
    );

    let (mut cursor, mut seen) = (String::new(), 0);
    loop {
        let (_, body) = ask(&service, &format!("GET /api/v1/events?cursor={cursor}&limit=10")).await;
        seen += body["events"].as_array().unwrap().len();
        let Some(next) = body["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!((seen, service.count("GET /api/v1/events")), (35, 4));
}

#[tokio::test]
async fn a_listed_page_fails_once_until_the_counters_are_reset() {
    let service = Service::start().await.unwrap();
    let path = "GET /api/v1/flaky?page=2&fail_on=1,2";
    assert_eq!(ask(&service, path).await.0, 500);
    assert_eq!(ask(&service, path).await.0, 200);
    assert_eq!(ask(&service, "GET /api/v1/flaky?page=3&fail_on=1,2").await.0, 200);
    ask(&service, "POST /api/v1/flaky/reset").await;
    assert_eq!(ask(&service, path).await.0, 500);
    for expected in [503, 503, 200] {
        assert_eq!(ask(&service, "GET /unsteady/x?failures=2").await.0, expected);
    }
}

#[tokio::test]
async fn errors_come_as_asked_and_the_limit_bites() {
    let service = Service::start().await.unwrap();
    for (word, status) in
        [("429", 429), ("500", 500), ("503", 503), ("auth", 401), ("403", 403), ("404", 404), ("no", 200)]
    {
        assert_eq!(ask(&service, &format!("GET /api/v1/errors?error_type={word}")).await.0, status, "{word}");
    }
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(ask(&service, "GET /api/v1/rate-limited?requests_per_second=2").await.0);
    }
    assert_eq!(seen, [200, 200, 429]);
}

#[tokio::test]
async fn probes_that_overlap_are_counted() {
    let service = Service::start().await.unwrap();
    let one = ask(&service, "GET /api/v1/concurrency/probe?delay_seconds=0.2");
    let two = ask(&service, "GET /api/v1/concurrency/probe?delay_seconds=0.2");
    let _ = tokio::join!(one, two);
    let (_, stats) = ask(&service, "GET /api/v1/concurrency/stats").await;
    assert_eq!(stats, json!({"started": 2, "completed": 2, "active": 0, "max_active": 2}));
}

#[tokio::test]
async fn patients_have_the_pages_their_id_gives_them() {
    let service = Service::start().await.unwrap();
    for (kind, pages) in
        [("assessments", PAGES[0]), ("conditions", PAGES[1]), ("medications", PAGES[2]), ("vital_signs", 1)]
    {
        let last = format!("GET /api/v1/patient/{kind}?patientId=1&page={pages}");
        let (status, body) = ask(&service, &last).await;
        assert_eq!((status, &body["paging"]["hasMore"]), (200, &json!(false)), "{kind}");
        let beyond = format!("GET /api/v1/patient/{kind}?patientId=1&page={}", pages + 1);
        assert_eq!(ask(&service, &beyond).await.0, 404, "{kind}");
    }
    let (first, again) = (ask(&service, DEMOGRAPHICS).await, ask(&service, DEMOGRAPHICS).await);
    assert_eq!(first, again);
}

/// Pages of patient 1, computed with another implementation, so that a wrong modulo shows.
const PAGES: [u64; 3] = [2, 3, 2];
const DEMOGRAPHICS: &str = "GET /api/v1/patient/demographics?patientId=1";

#[tokio::test]
async fn the_chain_links_382_records_and_posts_are_a_hundred() {
    let service = Service::start().await.unwrap();
    let (_, body) = ask(&service, "GET /api/v1/reference-chain/items").await;
    assert_eq!(
        (body["items"].as_array().unwrap().len(), &body["items"][381]["next_id"]),
        (382, &Value::Null)
    );
    let (_, one) = ask(&service, "GET /api/v1/reference-chain/detail/7").await;
    assert_eq!((&one["next_id"], one["payload"].as_str().unwrap().len()), (&json!(8), 1024));
    assert_eq!(ask(&service, "GET /api/v1/reference-chain/detail/383").await.0, 404);
    let (_, posts) = ask(&service, "GET /posts").await;
    assert_eq!((posts.as_array().unwrap().len(), &posts[99]["userId"]), (100, &json!(10)));
}

#[tokio::test]
async fn a_gate_holds_until_it_is_opened_and_effects_are_counted() {
    let service = Service::start().await.unwrap();
    let waiting = ask(&service, "GET /gate/a");
    let opening = async {
        ask(&service, "POST /effects/one").await;
        service.open_gate("a");
    };
    let (answer, ()) = tokio::join!(waiting, opening);
    assert_eq!((answer.0, service.effects("one")), (200, 1));
}
