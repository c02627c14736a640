//! What every Qdrant answers, asked through the unchanged client.

mod collections;
mod filters;
mod fixture;
mod points;
mod queries;

use qdrant_client::Qdrant;

use crate::{Served, client};

/// Runs each case against the embedded engine, and all of them against another server where one is named.
macro_rules! cases {
    ($($area:ident::$case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let served = Served::new().await;
                $area::$case(&served.client()).await;
                served.close().await;
            }
        )*

        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "needs QDRANT_URL"]
        async fn another_server() {
            let url = std::env::var("QDRANT_URL").expect("QDRANT_URL names the server");
            let api_key = std::env::var("QDRANT_API_KEY").ok();
            let client = client(&url, api_key.as_deref());
            $(
                remove_all(&client).await;
                $area::$case(&client).await;
            )*
        }
    };
}

cases![
    collections::a_collection_is_made_described_and_deleted,
    collections::a_collection_is_made_once,
    collections::wrong_orders_are_refused,
    collections::a_collection_is_changed,
    collections::aliases_stand_for_collections,
    filters::filters_of_every_kind,
    filters::indexes_change_no_answer,
    points::points_come_back_as_they_were_written,
    points::writing_again_replaces,
    points::payloads_are_set_overwritten_deleted_and_cleared,
    points::vectors_are_changed_and_deleted,
    points::points_are_deleted_by_id_and_by_filter,
    points::a_batch_is_done_in_order,
    points::upserts_can_be_conditional,
    points::scrolling_sees_every_point_once,
    points::scrolling_in_the_order_of_a_field,
    points::facets_count_values,
    points::wrong_points_are_refused_whole,
    points::eight_clients_at_once,
    queries::the_nearest_come_first,
    queries::thresholds_offsets_and_selectors,
    queries::rare_words_weigh_more,
    queries::fusion_brings_both_kinds_together,
    queries::a_prefetch_is_scored_again,
    queries::recommendations_leave_their_examples_out,
    queries::discovery_context_and_diversity,
    queries::older_calls_answer_the_same,
    queries::groups_hold_their_best,
    queries::answers_are_ordered_and_sampled,
    queries::wrong_questions_are_refused,
];

async fn remove_all(client: &Qdrant) {
    for collection in client.list_collections().await.unwrap().collections {
        client.delete_collection(collection.name).await.unwrap();
    }
}
