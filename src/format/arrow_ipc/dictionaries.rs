//! The dictionaries of a file: what each is at any message.
//!
//! What is added to a dictionary leaves its keys as they were, so all messages between one
//! dictionary and the next that takes its place share one array, with all that is added meanwhile.

use std::collections::HashMap;
use std::sync::Mutex;

use arrow::array::{Array, ArrayRef};

use super::header::Position;
use super::messages::corrupt;
use super::plan::{Job, Plan, Shared};
use crate::decompress::{Budget, BufferInflater};
use crate::error::Result;
use crate::report::{Code, Issue};

/// Values by id, each from some message on.
#[derive(Debug, Default)]
pub(super) struct Dictionaries(HashMap<i64, Vec<(usize, ArrayRef)>>);

impl Dictionaries {
    /// The values of a dictionary as a message finds them.
    pub fn at(&self, id: i64, message: usize) -> Option<ArrayRef> {
        let versions = self.0.get(&id)?;
        let behind = versions.partition_point(|(from, _)| *from <= message);
        versions.get(behind.checked_sub(1)?).map(|(_, values)| values.clone())
    }

    /// Reads those that the wanted columns need.
    pub fn read(plan: &Plan, budget: &Mutex<Budget<'_>>) -> Result<Dictionaries> {
        let needed = plan.needed_dictionaries();
        let mut messages: HashMap<i64, Vec<(usize, bool)>> = HashMap::new();
        for (index, place) in plan.layout.places.iter().enumerate() {
            if place.is_dictionary {
                let header = plan.header(index)?;
                if let Some((id, adds)) = header.dictionary {
                    messages.entry(id).or_default().push((index, adds));
                }
            }
        }
        let mut read = Dictionaries::default();
        // Those that others need come first.
        for (id, column) in &plan.columns.dictionaries {
            let Some(messages) = messages.get(id).filter(|_| needed.contains(id)) else { continue };
            let mut versions = Vec::new();
            let mut pieces: Vec<ArrayRef> = Vec::new();
            let mut from = 0;
            for (index, adds) in messages {
                let at = plan.layout.places[*index].metadata.start;
                if *adds && pieces.is_empty() {
                    return Err(corrupt(format!("dictionary {id} grows before it is there"), at));
                }
                if !*adds && !pieces.is_empty() {
                    if plan.layout.is_file {
                        let message =
                            format!("dictionary {id} is there twice, which a file cannot have");
                        return Err(corrupt(message, at));
                    }
                    versions.push((from, joined(&pieces, plan, *id, at)?));
                    pieces.clear();
                }
                if !*adds {
                    from = *index;
                }
                let header = plan.header(*index)?;
                let rows = header.rows;
                let columns = vec![(column.as_ref(), Position::default())];
                let job = Job { header, index: *index, most: rows, columns };
                let shared = Shared { budget, dictionaries: &read };
                let parts = plan.arrays(&[job], &shared, &mut BufferInflater::default())?;
                pieces.extend(parts.into_iter().flat_map(|(arrays, _)| arrays));
            }
            let at =
                messages.last().map_or(0, |(index, _)| plan.layout.places[*index].metadata.start);
            if !pieces.is_empty() {
                versions.push((from, joined(&pieces, plan, *id, at)?));
            }
            read.0.insert(*id, versions);
        }
        Ok(read)
    }
}

fn joined(pieces: &[ArrayRef], plan: &Plan, id: i64, at: usize) -> Result<ArrayRef> {
    if let [piece] = pieces {
        return Ok(piece.clone());
    }
    let total: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
    if total > plan.limits.rows {
        let message =
            format!("dictionary {id} has {total} values, allowed are {}", plan.limits.rows);
        return Err(Issue::limit(Code::TooManyRows, message, "rows").into());
    }
    let pieces: Vec<&dyn Array> = pieces.iter().map(|piece| piece.as_ref()).collect();
    arrow::compute::concat(&pieces)
        .map_err(|error| corrupt(format!("dictionary {id} cannot be put together: {error}"), at))
}
