//! Payload indexes: what a client asks for and what a collection says it has.

use ::qdrant_client::qdrant::{
    self, FieldType, PayloadIndexParams, PayloadSchemaInfo, TokenizerType, payload_index_params::IndexParams,
    stemming_algorithm::StemmingParams,
};
use qdrant_edge::{PayloadFieldSchema, PayloadIndexInfo, PayloadSchemaParams, PayloadSchemaType};
use serde_json::{Map, Value, json};
use tonic::Status;

use super::collection::on_disk;
use super::error::{absent, wrong};

/// The index a client asks for.
pub(crate) fn parse(
    field_type: Option<i32>,
    params: Option<PayloadIndexParams>,
) -> Result<PayloadFieldSchema, Status> {
    if let Some(params) = params.and_then(|params| params.index_params) {
        return parse_params(params).map(PayloadFieldSchema::FieldParams);
    }
    let field_type = field_type.unwrap_or(FieldType::Keyword as i32);
    let kind = match FieldType::try_from(field_type) {
        Ok(FieldType::Keyword) => PayloadSchemaType::Keyword,
        Ok(FieldType::Integer) => PayloadSchemaType::Integer,
        Ok(FieldType::Float) => PayloadSchemaType::Float,
        Ok(FieldType::Geo) => PayloadSchemaType::Geo,
        Ok(FieldType::Text) => PayloadSchemaType::Text,
        Ok(FieldType::Bool) => PayloadSchemaType::Bool,
        Ok(FieldType::Datetime) => PayloadSchemaType::Datetime,
        Ok(FieldType::Uuid) => PayloadSchemaType::Uuid,
        Err(_) => return Err(wrong(format_args!("field type {field_type} is unknown"))),
    };
    Ok(PayloadFieldSchema::FieldType(kind))
}

/// Through JSON: the engine exports the structs but not all the types of their fields.
#[expect(deprecated, reason = "older clients say on_disk where newer ones say memory")]
fn parse_params(params: IndexParams) -> Result<PayloadSchemaParams, Status> {
    let mut wanted = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            wanted.insert(name.to_owned(), value);
        }
    };
    let flag = |flag: Option<bool>| flag.map(Value::Bool);
    match params {
        IndexParams::KeywordIndexParams(params) => {
            set("type", Some(json!("keyword")));
            set("is_tenant", flag(params.is_tenant));
            set("on_disk", flag(on_disk(params.memory, params.on_disk)));
            set("enable_hnsw", flag(params.enable_hnsw));
        }
        IndexParams::IntegerIndexParams(params) => {
            set("type", Some(json!("integer")));
            set("lookup", flag(params.lookup));
            set("range", flag(params.range));
            set("is_principal", flag(params.is_principal));
            set("on_disk", flag(on_disk(params.memory, params.on_disk)));
            set("enable_hnsw", flag(params.enable_hnsw));
        }
        IndexParams::FloatIndexParams(params) => {
            set("type", Some(json!("float")));
            set("is_principal", flag(params.is_principal));
            set("on_disk", flag(on_disk(params.memory, params.on_disk)));
            set("enable_hnsw", flag(params.enable_hnsw));
        }
        IndexParams::GeoIndexParams(params) => {
            set("type", Some(json!("geo")));
            set("on_disk", flag(on_disk(params.memory, params.on_disk)));
            set("enable_hnsw", flag(params.enable_hnsw));
        }
        IndexParams::BoolIndexParams(params) => {
            set("type", Some(json!("bool")));
            set("on_disk", flag(on_disk(params.memory, params.on_disk)));
            set("enable_hnsw", flag(params.enable_hnsw));
        }
        IndexParams::DatetimeIndexParams(params) => {
            set("type", Some(json!("datetime")));
            set("is_principal", flag(params.is_principal));
            set("on_disk", flag(on_disk(params.memory, params.on_disk)));
            set("enable_hnsw", flag(params.enable_hnsw));
        }
        IndexParams::UuidIndexParams(params) => {
            set("type", Some(json!("uuid")));
            set("is_tenant", flag(params.is_tenant));
            set("on_disk", flag(on_disk(params.memory, params.on_disk)));
            set("enable_hnsw", flag(params.enable_hnsw));
        }
        IndexParams::TextIndexParams(params) => {
            set("type", Some(json!("text")));
            set("tokenizer", Some(tokenizer(params.tokenizer)?));
            set("lowercase", flag(params.lowercase));
            set("min_token_len", params.min_token_len.map(|length| json!(length)));
            set("max_token_len", params.max_token_len.map(|length| json!(length)));
            set("on_disk", flag(on_disk(params.memory, params.on_disk)));
            set("phrase_matching", flag(params.phrase_matching));
            set("ascii_folding", flag(params.ascii_folding));
            set("enable_hnsw", flag(params.enable_hnsw));
            set(
                "stopwords",
                params
                    .stopwords
                    .map(|set| json!({"languages": lowercase(&set.languages), "custom": set.custom})),
            );
            set("stemmer", params.stemmer.and_then(|stemmer| stemmer.stemming_params).and_then(stemmer));
        }
    }
    serde_json::from_value(Value::Object(wanted)).map_err(wrong)
}

fn tokenizer(number: i32) -> Result<Value, Status> {
    Ok(match TokenizerType::try_from(number) {
        Ok(TokenizerType::Unknown | TokenizerType::Word) => json!("word"),
        Ok(TokenizerType::Prefix) => json!("prefix"),
        Ok(TokenizerType::Whitespace) => json!("whitespace"),
        Ok(TokenizerType::Multilingual) => json!("multilingual"),
        Ok(TokenizerType::Code) => return Err(absent("code tokenizer")),
        Err(_) => return Err(wrong(format_args!("tokenizer {number} is unknown"))),
    })
}

fn stemmer(params: StemmingParams) -> Option<Value> {
    match params {
        StemmingParams::Snowball(snowball) => {
            Some(json!({"type": "snowball", "language": snowball.language.to_lowercase()}))
        }
        StemmingParams::Disabled(_) => None,
    }
}

fn lowercase(words: &[String]) -> Vec<String> {
    words.iter().map(|word| word.to_lowercase()).collect()
}

/// What a collection says about an index it has: its kind and how many points it covers.
pub(crate) fn print(info: &PayloadIndexInfo) -> PayloadSchemaInfo {
    let kind = match info.data_type {
        PayloadSchemaType::Keyword => qdrant::PayloadSchemaType::Keyword,
        PayloadSchemaType::Integer => qdrant::PayloadSchemaType::Integer,
        PayloadSchemaType::Float => qdrant::PayloadSchemaType::Float,
        PayloadSchemaType::Geo => qdrant::PayloadSchemaType::Geo,
        PayloadSchemaType::Text => qdrant::PayloadSchemaType::Text,
        PayloadSchemaType::Bool => qdrant::PayloadSchemaType::Bool,
        PayloadSchemaType::Datetime => qdrant::PayloadSchemaType::Datetime,
        PayloadSchemaType::Uuid => qdrant::PayloadSchemaType::Uuid,
    };
    PayloadSchemaInfo { data_type: kind.into(), params: None, points: Some(info.points as u64) }
}
