//! A collection's configuration: as ordered by a client, and as told back.

use std::collections::HashMap;

use ::qdrant_client::qdrant::{
    self, CollectionConfig, CollectionParams, CreateCollection, Datatype, Memory, SparseVectorConfig,
    VectorParamsMap, VectorsConfig, vectors_config,
};
use qdrant_edge::{
    BinaryQuantizationConfig, BinaryQuantizationEncoding, CompressionRatio, Distance, EdgeConfig,
    EdgeOptimizersConfig, EdgeSparseVectorParams, EdgeVectorParams, HnswIndexConfig, Modifier,
    MultiVectorComparator, MultiVectorConfig, ProductQuantizationConfig, QuantizationConfig,
    ScalarQuantizationConfig, ScalarType, VectorStorageDatatype, WalOptions,
};
use tonic::Status;

use super::error::{absent, missing, wrong};

/// Up to this many points a collection is searched exactly; above, the engine builds a graph in the background.
///
/// An exact search over that many vectors of 384 numbers takes a few milliseconds, always finds the best, and needs no
/// rebuilding.
const EXACT_POINTS: usize = 50_000;
const MAX_VECTOR_SIZE: u64 = 65_536;
/// The engine never reads this log back, so there is no use in large files of it.
const WAL_SEGMENT_BYTES: usize = 8 << 20;

/// The engine's configuration for what a client asked for.
#[expect(deprecated, reason = "older clients say on_disk_payload where newer ones say memory")]
pub(crate) fn parse(request: &CreateCollection) -> Result<EdgeConfig, Status> {
    let mut vectors = HashMap::new();
    match request.vectors_config.as_ref().and_then(|config| config.config.as_ref()) {
        None => {}
        Some(vectors_config::Config::Params(params)) => {
            vectors.insert(qdrant_edge::DEFAULT_VECTOR_NAME.to_owned(), dense(params)?);
        }
        Some(vectors_config::Config::ParamsMap(map)) => {
            for (name, params) in &map.map {
                vectors.insert(name.clone(), dense(params)?);
            }
        }
    }
    let mut sparse_vectors = HashMap::new();
    for (name, params) in request.sparse_vectors_config.iter().flat_map(|config| &config.map) {
        if vectors.contains_key(name) {
            return Err(wrong(format_args!("{name:?} is both a dense and a sparse vector")));
        }
        sparse_vectors.insert(name.clone(), sparse(params)?);
    }

    let mut hnsw_config = HnswIndexConfig {
        // One thread: building a graph must leave the other cores to the runs.
        max_indexing_threads: 1,
        ..HnswIndexConfig::default()
    };
    if let Some(diff) = &request.hnsw_config {
        change_hnsw(&mut hnsw_config, diff)?;
    }
    let mut optimizers = EdgeOptimizersConfig {
        indexing_threshold: Some(exact_kilobytes(vectors.values())),
        ..EdgeOptimizersConfig::default()
    };
    if let Some(diff) = &request.optimizers_config {
        change_optimizers(&mut optimizers, diff);
    }
    let quantization_config = match &request.quantization_config {
        None => None,
        Some(config) => Some(quantization(config)?),
    };
    Ok(EdgeConfig {
        on_disk_payload: on_disk(request.payload.and_then(|payload| payload.memory), request.on_disk_payload)
            .unwrap_or(true),
        vectors,
        sparse_vectors,
        hnsw_config,
        quantization_config,
        optimizers,
        wal_options: Some(WalOptions { segment_capacity: WAL_SEGMENT_BYTES, ..WalOptions::default() }),
    })
}

/// How many kilobytes of vectors are searched exactly.
fn exact_kilobytes<'a>(vectors: impl Iterator<Item = &'a EdgeVectorParams>) -> usize {
    let largest = vectors.map(|params| params.size).max().unwrap_or(1);
    EXACT_POINTS * largest * size_of::<f32>() / 1_024
}

#[expect(deprecated, reason = "older clients say on_disk where newer ones say memory")]
fn dense(params: &qdrant::VectorParams) -> Result<EdgeVectorParams, Status> {
    if !(1..=MAX_VECTOR_SIZE).contains(&params.size) {
        return Err(wrong(format_args!("a vector has 1 to {MAX_VECTOR_SIZE} numbers, not {}", params.size)));
    }
    let distance = match qdrant::Distance::try_from(params.distance) {
        Ok(qdrant::Distance::Cosine) => Distance::Cosine,
        Ok(qdrant::Distance::Euclid) => Distance::Euclid,
        Ok(qdrant::Distance::Dot) => Distance::Dot,
        Ok(qdrant::Distance::Manhattan) => Distance::Manhattan,
        Ok(qdrant::Distance::UnknownDistance) | Err(_) => return Err(missing("the distance of a vector")),
    };
    let hnsw_config = match &params.hnsw_config {
        None => None,
        Some(diff) => {
            let mut config = HnswIndexConfig { max_indexing_threads: 1, ..HnswIndexConfig::default() };
            change_hnsw(&mut config, diff)?;
            Some(config)
        }
    };
    Ok(EdgeVectorParams {
        size: params.size as usize,
        distance,
        on_disk: on_disk(params.memory, params.on_disk),
        // There is one comparator.
        multivector_config: params
            .multivector_config
            .as_ref()
            .map(|_| MultiVectorConfig { comparator: MultiVectorComparator::MaxSim }),
        datatype: datatype(params.datatype)?,
        quantization_config: params.quantization_config.as_ref().map(quantization).transpose()?,
        hnsw_config,
    })
}

#[expect(deprecated, reason = "older clients say on_disk where newer ones say memory")]
fn sparse(params: &qdrant::SparseVectorParams) -> Result<EdgeSparseVectorParams, Status> {
    let index = params.index.unwrap_or_default();
    let modifier = match params.modifier.map(qdrant::Modifier::try_from) {
        None | Some(Ok(qdrant::Modifier::None)) => None,
        Some(Ok(qdrant::Modifier::Idf)) => Some(Modifier::Idf),
        Some(Err(_)) => return Err(wrong("the modifier of a sparse vector is unknown")),
    };
    Ok(EdgeSparseVectorParams {
        full_scan_threshold: index.full_scan_threshold.map(|threshold| threshold as usize),
        on_disk: on_disk(index.memory, index.on_disk),
        modifier,
        datatype: datatype(index.datatype)?,
    })
}

/// Newer clients name a place in memory, older ones say whether on disk.
pub(super) fn on_disk(memory: Option<i32>, on_disk: Option<bool>) -> Option<bool> {
    match memory.map(Memory::try_from) {
        Some(Ok(Memory::Cold)) => Some(true),
        Some(Ok(Memory::Cached | Memory::Pinned)) => Some(false),
        Some(Ok(Memory::Unknown) | Err(_)) | None => on_disk,
    }
}

fn datatype(number: Option<i32>) -> Result<Option<VectorStorageDatatype>, Status> {
    Ok(match number.map(Datatype::try_from) {
        None | Some(Ok(Datatype::Default)) => None,
        Some(Ok(Datatype::Float32)) => Some(VectorStorageDatatype::Float32),
        Some(Ok(Datatype::Float16)) => Some(VectorStorageDatatype::Float16),
        Some(Ok(Datatype::Uint8)) => Some(VectorStorageDatatype::Uint8),
        Some(Ok(Datatype::Turbo4)) => Some(VectorStorageDatatype::Turbo4),
        Some(Ok(Datatype::Turbo8 | Datatype::Turbo16)) => return Err(absent("8 and 16 bit turbo vectors")),
        Some(Err(_)) => return Err(wrong("the datatype of a vector is unknown")),
    })
}

#[expect(deprecated, reason = "older clients say on_disk where newer ones say memory")]
pub(crate) fn change_hnsw(config: &mut HnswIndexConfig, diff: &qdrant::HnswConfigDiff) -> Result<(), Status> {
    let take = |slot: &mut usize, value: Option<u64>| {
        if let Some(value) = value {
            *slot = value as usize;
        }
    };
    take(&mut config.m, diff.m);
    take(&mut config.ef_construct, diff.ef_construct);
    take(&mut config.full_scan_threshold, diff.full_scan_threshold);
    take(&mut config.max_indexing_threads, diff.max_indexing_threads);
    config.on_disk = on_disk(diff.memory, diff.on_disk).or(config.on_disk);
    config.payload_m = diff.payload_m.map(|m| m as usize).or(config.payload_m);
    config.inline_storage = diff.inline_storage.or(config.inline_storage);
    if config.ef_construct < 4 {
        return Err(wrong("ef_construct is at least 4"));
    }
    Ok(())
}

pub(crate) fn change_optimizers(config: &mut EdgeOptimizersConfig, diff: &qdrant::OptimizersConfigDiff) {
    let size = |value: Option<u64>, before: Option<usize>| value.map(|value| value as usize).or(before);
    config.deleted_threshold = diff.deleted_threshold.or(config.deleted_threshold);
    config.vacuum_min_vector_number = size(diff.vacuum_min_vector_number, config.vacuum_min_vector_number);
    config.default_segment_number = size(diff.default_segment_number, config.default_segment_number);
    config.max_segment_size = size(diff.max_segment_size, config.max_segment_size);
    config.indexing_threshold = size(diff.indexing_threshold, config.indexing_threshold);
}

#[expect(deprecated, reason = "older clients say always_ram where newer ones say memory")]
fn quantization(config: &qdrant::QuantizationConfig) -> Result<QuantizationConfig, Status> {
    use qdrant::quantization_config::Quantization;
    let in_memory =
        |memory: Option<i32>, always: Option<bool>| on_disk(memory, always.map(|ram| !ram)).map(|disk| !disk);
    Ok(match config.quantization.as_ref().ok_or_else(|| missing("the kind of quantization"))? {
        Quantization::Scalar(scalar) => QuantizationConfig::from(ScalarQuantizationConfig {
            r#type: ScalarType::Int8,
            quantile: scalar.quantile,
            always_ram: in_memory(scalar.memory, scalar.always_ram),
        }),
        Quantization::Product(product) => QuantizationConfig::from(ProductQuantizationConfig {
            compression: match qdrant::CompressionRatio::try_from(product.compression) {
                Ok(qdrant::CompressionRatio::X4) => CompressionRatio::X4,
                Ok(qdrant::CompressionRatio::X8) => CompressionRatio::X8,
                Ok(qdrant::CompressionRatio::X16) => CompressionRatio::X16,
                Ok(qdrant::CompressionRatio::X32) => CompressionRatio::X32,
                Ok(qdrant::CompressionRatio::X64) => CompressionRatio::X64,
                Err(_) => return Err(wrong("the compression of a quantization is unknown")),
            },
            always_ram: in_memory(product.memory, product.always_ram),
        }),
        Quantization::Binary(binary) => QuantizationConfig::from(BinaryQuantizationConfig {
            always_ram: in_memory(binary.memory, binary.always_ram),
            encoding: match binary.encoding.map(qdrant::BinaryQuantizationEncoding::try_from) {
                None => None,
                Some(Ok(qdrant::BinaryQuantizationEncoding::OneBit)) => {
                    Some(BinaryQuantizationEncoding::OneBit)
                }
                Some(Ok(qdrant::BinaryQuantizationEncoding::TwoBits)) => {
                    Some(BinaryQuantizationEncoding::TwoBits)
                }
                Some(Ok(qdrant::BinaryQuantizationEncoding::OneAndHalfBits)) => {
                    Some(BinaryQuantizationEncoding::OneAndHalfBits)
                }
                Some(Err(_)) => return Err(wrong("the encoding of a quantization is unknown")),
            },
            query_encoding: None,
        }),
        Quantization::Turboquant(_) => return Err(absent("turbo quantization")),
    })
}

/// The configuration as a client reads it back. Quantization is left out: nobody decides by it.
#[expect(deprecated, reason = "older clients read on_disk_payload where newer ones read memory")]
pub(crate) fn print(config: &EdgeConfig, metadata: HashMap<String, qdrant::Value>) -> CollectionConfig {
    let unnamed = config.vectors.get(qdrant_edge::DEFAULT_VECTOR_NAME);
    let vectors = match unnamed {
        Some(params) if config.vectors.len() == 1 => vectors_config::Config::Params(print_dense(params)),
        _ => vectors_config::Config::ParamsMap(VectorParamsMap {
            map: config.vectors.iter().map(|(name, params)| (name.clone(), print_dense(params))).collect(),
        }),
    };
    let sparse = SparseVectorConfig {
        map: config
            .sparse_vectors
            .iter()
            .map(|(name, params)| (name.clone(), print_sparse(params)))
            .collect(),
    };
    let optimizers = &config.optimizers;
    let size = |value: Option<usize>| value.map(|value| value as u64);
    CollectionConfig {
        params: Some(CollectionParams {
            shard_number: 1,
            on_disk_payload: config.on_disk_payload,
            vectors_config: Some(VectorsConfig { config: Some(vectors) }),
            replication_factor: Some(1),
            write_consistency_factor: Some(1),
            sparse_vectors_config: (!sparse.map.is_empty()).then_some(sparse),
            ..CollectionParams::default()
        }),
        hnsw_config: Some(print_hnsw(&config.hnsw_config)),
        optimizer_config: Some(qdrant::OptimizersConfigDiff {
            deleted_threshold: optimizers.deleted_threshold,
            vacuum_min_vector_number: size(optimizers.vacuum_min_vector_number),
            default_segment_number: size(optimizers.default_segment_number),
            max_segment_size: size(optimizers.max_segment_size),
            indexing_threshold: size(optimizers.indexing_threshold),
            ..qdrant::OptimizersConfigDiff::default()
        }),
        metadata,
        ..CollectionConfig::default()
    }
}

#[expect(deprecated, reason = "older clients read on_disk where newer ones read memory")]
fn print_hnsw(config: &HnswIndexConfig) -> qdrant::HnswConfigDiff {
    qdrant::HnswConfigDiff {
        m: Some(config.m as u64),
        ef_construct: Some(config.ef_construct as u64),
        full_scan_threshold: Some(config.full_scan_threshold as u64),
        max_indexing_threads: Some(config.max_indexing_threads as u64),
        on_disk: config.on_disk,
        payload_m: config.payload_m.map(|m| m as u64),
        inline_storage: config.inline_storage,
        memory: None,
    }
}

#[expect(deprecated, reason = "older clients read on_disk where newer ones read memory")]
fn print_dense(params: &EdgeVectorParams) -> qdrant::VectorParams {
    let distance = match params.distance {
        Distance::Cosine => qdrant::Distance::Cosine,
        Distance::Euclid => qdrant::Distance::Euclid,
        Distance::Dot => qdrant::Distance::Dot,
        Distance::Manhattan => qdrant::Distance::Manhattan,
    };
    qdrant::VectorParams {
        size: params.size as u64,
        distance: distance.into(),
        hnsw_config: params.hnsw_config.as_ref().map(print_hnsw),
        quantization_config: None,
        on_disk: params.on_disk,
        datatype: params.datatype.map(print_datatype),
        multivector_config: params
            .multivector_config
            .map(|_| qdrant::MultiVectorConfig { comparator: qdrant::MultiVectorComparator::MaxSim.into() }),
        memory: None,
    }
}

#[expect(deprecated, reason = "older clients read on_disk where newer ones read memory")]
fn print_sparse(params: &EdgeSparseVectorParams) -> qdrant::SparseVectorParams {
    qdrant::SparseVectorParams {
        index: Some(qdrant::SparseIndexConfig {
            full_scan_threshold: params.full_scan_threshold.map(|threshold| threshold as u64),
            on_disk: params.on_disk,
            datatype: params.datatype.map(print_datatype),
            memory: None,
        }),
        modifier: params.modifier.map(|modifier| match modifier {
            Modifier::None => qdrant::Modifier::None.into(),
            Modifier::Idf => qdrant::Modifier::Idf.into(),
        }),
    }
}

fn print_datatype(datatype: VectorStorageDatatype) -> i32 {
    match datatype {
        VectorStorageDatatype::Float32 => Datatype::Float32,
        VectorStorageDatatype::Float16 => Datatype::Float16,
        VectorStorageDatatype::Uint8 => Datatype::Uint8,
        VectorStorageDatatype::Turbo4 => Datatype::Turbo4,
    }
    .into()
}
