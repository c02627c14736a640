//! Formulas that score again what a prefetch found: boosts, time decay.

use ::qdrant_client::qdrant::{self, DecayParamsExpression, expression::Variant};
use qdrant_edge::{DecayKind, Expression, Formula};
use tonic::Status;

use super::error::{absent, missing};
use super::{filter, payload};

/// Expressions inside expressions, so that a hostile formula cannot exhaust the stack.
const MAX_DEPTH: usize = 32;

pub(crate) fn parse(formula: qdrant::Formula) -> Result<Formula, Status> {
    let root = formula.expression.ok_or_else(|| missing("the expression of a formula"))?;
    Ok(Formula { formula: expression(root, 0)?, defaults: payload::parse_values(formula.defaults) })
}

fn expression(wanted: qdrant::Expression, depth: usize) -> Result<Expression, Status> {
    if depth > MAX_DEPTH {
        return Err(super::error::wrong(format_args!("a formula is nested more than {MAX_DEPTH} deep")));
    }
    let one = |inner: qdrant::Expression| expression(inner, depth + 1);
    let boxed = |inner: Box<qdrant::Expression>| one(*inner).map(Box::new);
    let side = |inner: Option<Box<qdrant::Expression>>| {
        boxed(inner.ok_or_else(|| missing("an operand of a formula"))?)
    };
    let all = |list: Vec<qdrant::Expression>| list.into_iter().map(one).collect::<Result<Vec<_>, _>>();
    let decay = |kind: DecayKind, params: DecayParamsExpression| -> Result<Expression, Status> {
        Ok(Expression::Decay {
            kind,
            x: side(params.x)?,
            target: params.target.map(boxed).transpose()?,
            midpoint: params.midpoint,
            scale: params.scale,
        })
    };
    Ok(match wanted.variant.ok_or_else(|| missing("an expression of a formula"))? {
        Variant::Constant(number) => Expression::Constant(number),
        Variant::Variable(name) => Expression::Variable(name),
        Variant::Condition(condition) => Expression::Condition(Box::new(filter::parse_condition(condition)?)),
        Variant::GeoDistance(distance) => Expression::GeoDistance {
            origin: filter::geo_point(distance.origin)?,
            to: payload::path(&distance.to)?,
        },
        Variant::Datetime(text) => Expression::Datetime(text),
        Variant::DatetimeKey(key) => Expression::DatetimeKey(payload::path(&key)?),
        Variant::Mult(list) => Expression::Mult(all(list.mult)?),
        Variant::Sum(list) => Expression::Sum(all(list.sum)?),
        Variant::Div(division) => Expression::Div {
            left: side(division.left)?,
            right: side(division.right)?,
            by_zero_default: division.by_zero_default,
        },
        Variant::Neg(inner) => Expression::Neg(boxed(inner)?),
        Variant::Abs(inner) => Expression::Abs(boxed(inner)?),
        Variant::Sqrt(inner) => Expression::Sqrt(boxed(inner)?),
        Variant::Pow(power) => Expression::Pow { base: side(power.base)?, exponent: side(power.exponent)? },
        Variant::Exp(inner) => Expression::Exp(boxed(inner)?),
        Variant::Log10(inner) => Expression::Log10(boxed(inner)?),
        Variant::Ln(inner) => Expression::Ln(boxed(inner)?),
        Variant::ExpDecay(params) => decay(DecayKind::Exp, *params)?,
        Variant::GaussDecay(params) => decay(DecayKind::Gauss, *params)?,
        Variant::LinDecay(params) => decay(DecayKind::Lin, *params)?,
        Variant::Acosh(_) => return Err(absent("acosh in formulas")),
        Variant::Max(_) | Variant::Min(_) => return Err(absent("max and min in formulas")),
    })
}
