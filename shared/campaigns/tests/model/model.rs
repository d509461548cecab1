//! The model: where it begins, what can happen next, and what that leads to.

use domain::{CampaignStatus, Member};
use stateright::{Model, Property};

use crate::action::Action;
use crate::chunk::{Known, Todo, member};
use crate::scope::{Mistake, Scope};
use crate::world::World;
use crate::{delivery, others, properties, worker};

/// A campaign of one chunk that was started just now.
#[derive(Clone, Debug)]
pub(crate) struct OneChunk(pub(crate) Scope);

impl OneChunk {
    /// Every recipient in every try.
    pub(crate) fn members(&self) -> impl Iterator<Item = Member> + use<> {
        let Scope { recipients, tries, .. } = self.0;
        (0..recipients).flat_map(move |index| (0..tries).map(move |attempt| member(index, attempt)))
    }
}

impl Model for OneChunk {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::begin(&self.0)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let scope = &self.0;
        let may_be_handed_out = match world.chunk.todo {
            Todo::Waits => true,
            Todo::Taken => !scope.has(Mistake::LeavesTheDeadTheirChunk),
            // It would have another ticket, and that is all.
            Todo::HandedOut | Todo::Nothing => false,
        };
        if may_be_handed_out && world.status == CampaignStatus::Running {
            actions.push(Action::HandOut);
        }
        for number in 0..scope.workers {
            worker::possible(world, scope, number, actions);
        }
        others::may_care(world, scope, actions);
        others::may_steer(world, scope, actions);
        for member in self.members() {
            others::may_tell(world, scope, member, actions);
        }
        // Nobody is at work for so long.
        if world.at_work() == 0 && !world.chunk.is_day_over && world.has(scope, Known::Unknown) {
            actions.push(Action::PassDay);
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let scope = &self.0;
        let mut world = before.clone();
        match action {
            Action::HandOut => world.set_todo(Todo::HandedOut),
            Action::Work(number, work) => worker::works(&mut world, scope, number, work),
            Action::Send(number, index, sending) => delivery::sends(&mut world, scope, number, index, sending),
            Action::Care(care) => others::cares(&mut world, scope, care),
            Action::Control(step) => world.status = step.leads_to(world.status)?,
            Action::Retry(retry) => others::tries_again(&mut world, scope, retry),
            Action::Settle(member) => others::settles(&mut world, scope, member),
            Action::Tell(member, mark) => others::tells(&mut world, scope, member, mark),
            Action::PassDay => world.chunk.is_day_over = true,
        }
        if world.at_work() > scope.at_once {
            return None;
        }
        world.watch(before);
        world.simplify(scope);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
