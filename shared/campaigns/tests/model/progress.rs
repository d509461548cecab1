//! Whether a campaign can come to its end from wherever it may get: with nothing but what happens by itself when nothing
//! more goes wrong. The checker has no such property, so all states are gone through once more, backwards from the ends.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use domain::CampaignStatus;
use stateright::Model;

use crate::model::OneChunk;
use crate::properties::is_quiet;
use crate::world::World;

/// What was found.
pub(crate) struct Found {
    /// So many states there are.
    pub(crate) states: usize,
    /// So many of them are ends.
    pub(crate) ends: usize,
    /// Some from which there is no way to an end.
    pub(crate) stuck: Vec<World>,
}

/// Goes through all states.
pub(crate) fn explore(model: &OneChunk) -> Found {
    let mut numbers: HashMap<World, usize> = HashMap::new();
    let (mut worlds, mut came_from): (Vec<World>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    for world in model.init_states() {
        numbers.insert(world.clone(), worlds.len());
        worlds.push(world);
        came_from.push(Vec::new());
    }
    let (mut number, mut actions) = (0, Vec::new());
    while let Some(world) = worlds.get(number).cloned() {
        model.actions(&world, &mut actions);
        for action in actions.drain(..) {
            let Some(next) = model.next_state(&world, action) else { continue };
            let next = match numbers.entry(next) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    worlds.push(new.key().clone());
                    came_from.push(Vec::new());
                    *new.insert(worlds.len() - 1)
                }
            };
            if action.is_ordinary() {
                came_from[next].push(number);
            }
        }
        number += 1;
    }
    let mut is_way_out = vec![false; worlds.len()];
    let mut reached: Vec<_> = (0..worlds.len()).filter(|number| is_end(model, &worlds[*number])).collect();
    let ends = reached.len();
    while let Some(number) = reached.pop() {
        if !std::mem::replace(&mut is_way_out[number], true) {
            reached.extend(&came_from[number]);
        }
    }
    let stuck = worlds.iter().zip(&is_way_out).filter(|(_, is_way_out)| !**is_way_out).map(|(world, _)| world.clone());
    Found { states: worlds.len(), ends, stuck: stuck.collect() }
}

/// Everybody is accounted for, or nobody wants it any more.
fn is_end(OneChunk(scope): &OneChunk, world: &World) -> bool {
    let is_done = world.has_ended() && world.tally(scope).open == 0;
    is_quiet(world) && (is_done || world.status == CampaignStatus::Cancelled)
}
