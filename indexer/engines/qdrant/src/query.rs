//! A client's query as the engine's: examples given by id become vectors, defaults become numbers.

pub(crate) mod example;
pub(crate) mod groups;
pub(crate) mod older;

use ::qdrant_client::qdrant::{self, LookupLocation, QueryPoints, query::Variant};
use qdrant_edge::external::ordered_float::OrderedFloat;
use qdrant_edge::{
    AcornSearchParams, Condition, ContextPair, ContextQuery, DiscoverQuery, Filter, Fusion, Mmr, NamedQuery,
    PointId, Prefetch, QuantizationSearchParams, QueryEnum, QueryRequest, RecommendQuery, Sample,
    ScoredPoint, ScoringQuery, SearchParams, VectorInternal,
};
use tonic::Status;

use crate::wire::error::{absent, missing, status, wrong};
use crate::wire::{filter, formula, point, selector};
use example::Examples;

/// An answer holds at most this many points, a stage in between at most ten times as many.
pub(crate) const MAX_HITS: u64 = 10_000;
const MAX_CANDIDATES: u64 = 100_000;
const DEFAULT_HITS: u64 = 10;
/// Qdrant's constant for reciprocal rank fusion.
const RRF_K: u32 = 2;
/// How far apart the results of a query for diversity shall be, if it does not say.
const MMR_DIVERSITY: f32 = 0.5;

/// Runs a query on the shard its examples come from.
pub(crate) fn run(examples: &Examples<'_>, query: QueryPoints) -> Result<Vec<ScoredPoint>, Status> {
    let request = plan(examples, query)?;
    let offset = request.offset;
    let mut points = examples.shard.query(request).map_err(status)?;
    // The engine looks as far as the offset reaches and leaves cutting to its caller.
    points.drain(..offset.min(points.len()));
    Ok(points)
}

pub(crate) fn plan(examples: &Examples<'_>, query: QueryPoints) -> Result<QueryRequest, Status> {
    let limit = hits(query.limit)?;
    let offset = query.offset.unwrap_or(0);
    if offset > MAX_CANDIDATES {
        return Err(wrong(format_args!("an offset is at most {MAX_CANDIDATES}")));
    }
    let stage = Stage {
        query: query.query,
        using: query.using.unwrap_or_default(),
        filter: query.filter,
        lookup: query.lookup_from,
        limit: limit + offset,
    };
    let prefetches = prefetches(examples, query.prefetch)?;
    let (scoring, filter) = stage.resolve(examples)?;
    Ok(QueryRequest {
        prefetches,
        query: scoring,
        filter,
        score_threshold: query.score_threshold.map(OrderedFloat),
        limit: limit as usize,
        offset: offset as usize,
        params: query.params.as_ref().map(params).transpose()?,
        with_vector: selector::with_vectors(query.with_vectors),
        with_payload: selector::with_payload(query.with_payload, false)?,
    })
}

pub(crate) fn hits(limit: Option<u64>) -> Result<u64, Status> {
    match limit.unwrap_or(DEFAULT_HITS) {
        0 => Err(wrong("a limit is at least 1")),
        limit if limit > MAX_HITS => Err(wrong(format_args!("a limit is at most {MAX_HITS}, not {limit}"))),
        limit => Ok(limit),
    }
}

fn prefetches(examples: &Examples<'_>, wanted: Vec<qdrant::PrefetchQuery>) -> Result<Vec<Prefetch>, Status> {
    wanted.into_iter().map(|wanted| prefetch(examples, wanted)).collect()
}

/// The engine itself bounds how deep these nest, and the protocol's decoder before it.
fn prefetch(examples: &Examples<'_>, wanted: qdrant::PrefetchQuery) -> Result<Prefetch, Status> {
    let limit = wanted.limit.unwrap_or(DEFAULT_HITS);
    if !(1..=MAX_CANDIDATES).contains(&limit) {
        return Err(wrong(format_args!("the limit of a prefetch is 1 to {MAX_CANDIDATES}, not {limit}")));
    }
    let stage = Stage {
        query: wanted.query,
        using: wanted.using.unwrap_or_default(),
        filter: wanted.filter,
        lookup: wanted.lookup_from,
        limit,
    };
    let prefetches = prefetches(examples, wanted.prefetch)?;
    let (query, filter) = stage.resolve(examples)?;
    Ok(Prefetch {
        prefetches,
        query,
        limit: limit as usize,
        params: wanted.params.as_ref().map(params).transpose()?,
        filter,
        score_threshold: wanted.score_threshold.map(OrderedFloat),
    })
}

/// What a query and a prefetch have in common.
struct Stage {
    query: Option<qdrant::Query>,
    using: String,
    filter: Option<qdrant::Filter>,
    lookup: Option<LookupLocation>,
    limit: u64,
}

impl Stage {
    fn resolve(self, examples: &Examples<'_>) -> Result<(Option<ScoringQuery>, Option<Filter>), Status> {
        let parsed = filter::parse_optional(self.filter)?;
        let Some(query) = self.query else { return Ok((None, parsed)) };
        let variant = query.variant.ok_or_else(|| missing("the kind of a query"))?;
        let mut given = examples.for_stage(&self.using, self.lookup.as_ref())?;
        let named = |query: QueryEnum| Some(ScoringQuery::Vector(query));
        let using = self.using.as_str();
        let scoring = match variant {
            Variant::Nearest(input) => {
                named(QueryEnum::Nearest(NamedQuery::new(given.vector(Some(input))?, using)))
            }
            Variant::Recommend(input) => named(recommend(&mut given, input, using)?),
            Variant::Discover(input) => {
                let target = given.vector(input.target)?;
                let pairs = context(&mut given, input.context)?;
                named(QueryEnum::Discover(NamedQuery::new(DiscoverQuery::new(target, pairs), using)))
            }
            Variant::Context(input) => {
                let pairs = context(&mut given, Some(input))?;
                named(QueryEnum::Context(NamedQuery::new(ContextQuery::new(pairs), using)))
            }
            Variant::OrderBy(order) => Some(ScoringQuery::OrderBy(point::parse_order(order)?)),
            Variant::Fusion(kind) => Some(ScoringQuery::Fusion(match qdrant::Fusion::try_from(kind) {
                Ok(qdrant::Fusion::Rrf) => Fusion::Rrf { k: RRF_K as usize, weights: None },
                Ok(qdrant::Fusion::Dbsf) => Fusion::Dbsf,
                Err(_) => return Err(wrong(format_args!("fusion {kind} is unknown"))),
            })),
            Variant::Rrf(rrf) => Some(ScoringQuery::Fusion(Fusion::Rrf {
                k: rrf.k.unwrap_or(RRF_K) as usize,
                weights: (!rrf.weights.is_empty())
                    .then(|| rrf.weights.into_iter().map(OrderedFloat).collect()),
            })),
            Variant::Sample(kind) => match qdrant::Sample::try_from(kind) {
                Ok(qdrant::Sample::Random) => Some(ScoringQuery::Sample(Sample::Random)),
                Err(_) => return Err(wrong(format_args!("sample {kind} is unknown"))),
            },
            Variant::Formula(wanted) => {
                Some(ScoringQuery::Formula(formula::parse(wanted)?.try_into().map_err(status)?))
            }
            Variant::NearestWithMmr(input) => {
                let vector = given.vector(input.nearest)?;
                let mmr = input.mmr.unwrap_or_default();
                let diversity = mmr.diversity.unwrap_or(MMR_DIVERSITY);
                if !(0.0..=1.0).contains(&diversity) {
                    return Err(wrong(format_args!("diversity is between 0 and 1, not {diversity}")));
                }
                Some(ScoringQuery::Mmr(Mmr {
                    vector,
                    using: self.using.clone(),
                    lambda: OrderedFloat(1.0 - diversity),
                    candidates_limit: mmr.candidates_limit.map_or(self.limit, u64::from).min(MAX_CANDIDATES)
                        as usize,
                }))
            }
            Variant::RelevanceFeedback(_) => return Err(absent("relevance feedback")),
            Variant::Text(_) => return Err(absent("text query")),
        };
        Ok((scoring, without(parsed, given.ids())))
    }
}

/// A point that serves as an example is not an answer.
fn without(filter: Option<Filter>, examples: Vec<PointId>) -> Option<Filter> {
    if examples.is_empty() {
        return filter;
    }
    let not_these = Condition::HasId(examples.into_iter().collect());
    let mut filter = filter.unwrap_or_default();
    filter.must_not.get_or_insert_default().push(not_these);
    Some(filter)
}

fn recommend(
    given: &mut example::Given<'_>,
    input: qdrant::RecommendInput,
    using: &str,
) -> Result<QueryEnum, Status> {
    let strategy = input.strategy.unwrap_or(qdrant::RecommendStrategy::AverageVector as i32);
    let positives = given.vectors(input.positive)?;
    let negatives = given.vectors(input.negative)?;
    Ok(match qdrant::RecommendStrategy::try_from(strategy) {
        Ok(qdrant::RecommendStrategy::AverageVector) => {
            let vector = example::between(&positives, &negatives)?;
            QueryEnum::Nearest(NamedQuery::new(vector, using))
        }
        Ok(strategy) => {
            if positives.is_empty() && negatives.is_empty() {
                return Err(missing("an example of a recommendation"));
            }
            let query = NamedQuery::new(RecommendQuery::new(positives, negatives), using);
            if strategy == qdrant::RecommendStrategy::BestScore {
                QueryEnum::RecommendBestScore(query)
            } else {
                QueryEnum::RecommendSumScores(query)
            }
        }
        Err(_) => return Err(wrong(format_args!("recommend strategy {strategy} is unknown"))),
    })
}

fn context(
    given: &mut example::Given<'_>,
    input: Option<qdrant::ContextInput>,
) -> Result<Vec<ContextPair<VectorInternal>>, Status> {
    let pairs = input.map(|input| input.pairs).unwrap_or_default();
    pairs
        .into_iter()
        .map(|pair| {
            Ok(ContextPair { positive: given.vector(pair.positive)?, negative: given.vector(pair.negative)? })
        })
        .collect()
}

fn params(params: &qdrant::SearchParams) -> Result<SearchParams, Status> {
    if params.idf.is_some() {
        return Err(absent("inverse document frequency over a filtered corpus"));
    }
    Ok(SearchParams {
        hnsw_ef: params.hnsw_ef.map(|ef| ef as usize),
        exact: params.exact.unwrap_or(false),
        quantization: params.quantization.map(|quantization| QuantizationSearchParams {
            ignore: quantization.ignore.unwrap_or(false),
            rescore: quantization.rescore,
            oversampling: quantization.oversampling,
        }),
        indexed_only: params.indexed_only.unwrap_or(false),
        acorn: params.acorn.map(|acorn| AcornSearchParams {
            enable: acorn.enable.unwrap_or(false),
            max_selectivity: acorn.max_selectivity.map(OrderedFloat),
        }),
    })
}
