//! What the indexer needs of a ClickHouse, embedded or a server: a suite that runs over any URL.
//!
//! Every promise works in a database of its own and panics when it is broken.

#![expect(clippy::unwrap_used, reason = "a broken promise is a panic here")]

mod data;
mod protocol;
mod views;

use std::sync::OnceLock;

use clickhouse::{Client, Compression};

use crate::User;

/// Where the ClickHouse is.
#[derive(Clone, Debug)]
pub struct Target {
    pub url: String,
    pub user: User,
}

/// Runs every promise, one after the other.
pub async fn suite(target: &Target) {
    for (name, compression) in [("plain", Compression::None), ("lz4", Compression::Lz4)] {
        data::typed_rows_come_back_as_they_went_in(target, name, compression).await;
    }
    data::parameters_are_bound_here_and_there(target).await;
    data::json_rows_come_as_bytes(target).await;
    data::eight_clients_at_once_do_not_mix(target).await;
    data::expired_rows_go(target).await;
    views::views_aggregate_and_repeated_blocks_change_nothing(target).await;
    protocol::settings_hold_for_one_request(target).await;
    protocol::asynchronous_inserts_are_written_when_acknowledged(target).await;
    protocol::errors_carry_code_and_text(target).await;
    protocol::an_error_amid_a_result_is_an_error(target).await;
    protocol::a_large_result_is_one_in_every_format(target).await;
    protocol::wrong_keys_are_refused(target).await;
    protocol::readonly_is_honoured(target).await;
    protocol::curl_can_do_it_all(target).await;
}

impl Target {
    /// A client of the `clickhouse` crate, as the indexer uses it.
    pub fn client(&self) -> Client {
        Client::default().with_url(&self.url).with_user(&self.user.name).with_password(&self.user.key)
    }

    /// A fresh database, and a client in it.
    pub async fn database(&self, name: &str) -> Client {
        let client = self.client();
        client
            .query("DROP DATABASE IF EXISTS ?")
            .bind(clickhouse::sql::Identifier(name))
            .execute()
            .await
            .unwrap();
        client.query("CREATE DATABASE ?").bind(clickhouse::sql::Identifier(name)).execute().await.unwrap();
        client.with_database(name)
    }

    /// One plain request: pairs of the URL, and a body.
    pub async fn post(&self, pairs: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Reply {
        let request = http()
            .post(&self.url)
            .query(pairs)
            .header("X-ClickHouse-User", &self.user.name)
            .header("X-ClickHouse-Key", &self.user.key);
        Reply::of(request.body(body)).await
    }
}

/// A client for plain requests.
pub fn http() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        // Fails when it has been set before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder().gzip(false).build().unwrap()
    })
}

/// An answer, whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim_end().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// ClickHouse's code, when it is an error.
    pub fn code(&self) -> Option<u32> {
        self.headers.get("X-ClickHouse-Exception-Code").map(|code| code.to_str().unwrap().parse().unwrap())
    }
}
