//! A chunk's row as `storage::Chunk` has it: what is known of whom, what is read off that, and when there is something to do.
//!
//! `counting` compares this with the code's own chunks, over everything that can be known of somebody.

use domain::Member;

use crate::scope::{RECIPIENTS, TRIES};

/// What is noted of a recipient in one try, as `storage::Mark`, the farthest last. All failures have the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    Unknown,
    LeftOut,
    Failed,
    Sent,
    Delivered,
    Read,
}

/// All that is known of a recipient in one try. The code keeps every mark; this is what they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Known {
    #[default]
    Nothing,
    Unknown,
    LeftOut,
    Sent,
    Failed,
    SentAndFailed,
    Delivered,
    Read,
}

/// From when on there is something to do with the chunk. Each moment that is written there is another one and known to
/// whoever wrote it, so all that matters is what it was written for. One that lies ahead may come at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Todo {
    /// Never.
    Nothing,
    /// It waits to be handed out, now or later.
    Waits,
    /// It was handed out, and jobs with this ticket are in the queue.
    HandedOut,
    /// A worker has it until then.
    Taken,
}

/// What became of recipients, as `storage::Counts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Counts {
    pub(crate) open: u8,
    pub(crate) pending: u8,
    pub(crate) sent: u8,
    pub(crate) delivered: u8,
    pub(crate) read: u8,
    pub(crate) failed: u8,
    pub(crate) unknown: u8,
    pub(crate) left_out: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Chunk {
    known: [[Known; TRIES]; RECIPIENTS],
    /// The number of each recipient's last try.
    last: [u32; RECIPIENTS],
    /// Whether it is to be looked at by the caretaker.
    pub(crate) is_changed: bool,
    /// Whether the last unknown is a day old.
    pub(crate) is_day_over: bool,
    pub(crate) todo: Todo,
}

/// The recipient at `index`, in their try number `attempt`.
pub(crate) fn member(index: u32, attempt: u32) -> Member {
    Member::new(index, attempt).unwrap()
}

/// Where that stands in an array of recipients' tries.
pub(crate) const fn place(member: Member) -> (usize, usize) {
    (member.index() as usize, member.attempt() as usize)
}

impl Mark {
    pub(crate) const ALL: [Self; 6] =
        [Self::Unknown, Self::LeftOut, Self::Failed, Self::Sent, Self::Delivered, Self::Read];
}

impl Known {
    /// What is known when this is noted, too.
    fn and(self, mark: Mark) -> Self {
        let noted = match mark {
            Mark::Unknown => Self::Unknown,
            Mark::LeftOut => Self::LeftOut,
            Mark::Sent => Self::Sent,
            Mark::Failed => Self::Failed,
            Mark::Delivered => Self::Delivered,
            Mark::Read => Self::Read,
        };
        match (self, noted) {
            (Self::Sent, Self::Failed) | (Self::Failed, Self::Sent) => Self::SentAndFailed,
            _ => self.max(noted),
        }
    }

    pub(crate) const fn is_failed(self) -> bool {
        matches!(self, Self::Failed | Self::SentAndFailed)
    }

    pub(crate) const fn is_taken(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Read)
    }
}

impl Chunk {
    pub(crate) fn new() -> Self {
        Self {
            known: Default::default(),
            last: Default::default(),
            is_changed: false,
            is_day_over: false,
            todo: Todo::Waits,
        }
    }

    /// What is known of a recipient in one try.
    pub(crate) const fn known(&self, member: Member) -> Known {
        let (index, attempt) = place(member);
        self.known[index][attempt]
    }

    /// Notes what is known of a recipient in one try, as `Chunks::note`.
    pub(crate) fn note(&mut self, mark: Mark, member: Member) {
        let (index, attempt) = place(member);
        let known = &mut self.known[index][attempt];
        *known = known.and(mark);
        self.is_changed = true;
        self.is_day_over &= mark != Mark::Unknown;
    }

    /// Notes that a recipient is tried again, as `Chunks::note`.
    pub(crate) fn note_retried(&mut self, member: Member) {
        let last = &mut self.last[member.index() as usize];
        *last = member.attempt().max(*last);
        self.is_changed = true;
    }

    /// The try that counts now, as `Chunk::member`.
    pub(crate) fn member(&self, index: u32) -> Member {
        let last = member(index, self.last[index as usize]);
        if last.attempt() == 0 || self.known(last) > Known::Nothing {
            return last;
        }
        let mut earlier = (0..last.attempt()).rev().map(|attempt| member(index, attempt));
        earlier.find(|member| self.known(*member).is_taken()).unwrap_or(last)
    }

    /// Whether this, and no more, is known of somebody in the try that counts now.
    pub(crate) fn has(&self, recipients: u32, known: Known) -> bool {
        (0..recipients).any(|index| self.known(self.member(index)) == known)
    }

    /// The chunk in numbers, as `Chunk::tally`.
    pub(crate) fn tally(&self, recipients: u32, waits_for_unknown: bool) -> Counts {
        let mut counts = Counts::default();
        for (index, tries) in (0..recipients).zip(self.known) {
            match self.known(self.member(index)) {
                Known::Nothing => (counts.pending, counts.open) = (counts.pending + 1, counts.open + 1),
                Known::Unknown => {
                    counts.unknown += 1;
                    counts.open += u8::from(waits_for_unknown);
                }
                Known::LeftOut => counts.left_out += 1,
                Known::Failed | Known::SentAndFailed => counts.failed += 1,
                Known::Sent | Known::Delivered | Known::Read => {}
            }
            let ever = |is_it: fn(Known) -> bool| u8::from(tries.into_iter().any(is_it));
            counts.sent += ever(|known| known.is_taken() || known == Known::SentAndFailed);
            counts.delivered += ever(|known| known >= Known::Delivered);
            counts.read += ever(|known| known == Known::Read);
        }
        counts
    }
}
