//! What only L0 has: loops over the steps up to `end_loop`, and `steps_override`.

use super::reader::Reader;
use super::step::Read;
use crate::playbook::Playbook;

pub(super) fn fold_loops(_reader: &mut Reader<'_>, _reads: &mut Vec<Read>) {}

pub(super) fn steps_override(_reader: &mut Reader<'_>, _playbook: &mut Playbook, _reads: &mut [Read]) {}
