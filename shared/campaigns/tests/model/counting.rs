//! That the model counts as the code does: everything that can be known of a recipient in two tries, once in a chunk of the
//! tables and once in the model's.

use std::time::Duration;

use domain::{CampaignId, Member};
use storage::{Chunks, Counts, Standing};
use testbed::Testbed;

use crate::chunk::{self, Chunk, Known, Mark, member};

const CAMPAIGN: CampaignId = CampaignId(7);

/// What is known of somebody.
#[derive(Clone, Debug)]
struct Person {
    first: Vec<Mark>,
    /// `None`: they were not tried again.
    second: Option<Vec<Mark>>,
}

impl Person {
    /// Everybody there can be.
    fn all() -> Vec<Self> {
        let sets = || (0..1_u32 << Mark::ALL.len()).map(marks);
        let tried_again = |first: Vec<Mark>| {
            let once = Self { first: first.clone(), second: None };
            std::iter::once(once).chain(sets().map(move |second| Self { first: first.clone(), second: Some(second) }))
        };
        sets().flat_map(tried_again).collect()
    }

    fn marks(&self) -> impl DoubleEndedIterator<Item = (u32, Mark)> {
        let second = self.second.iter().flatten().map(|mark| (1, *mark));
        self.first.iter().map(|mark| (0, *mark)).chain(second)
    }

    /// The same in the model.
    fn modelled(&self) -> Chunk {
        let (mut chunk, mut backwards) = (Chunk::new(), Chunk::new());
        for (attempt, mark) in self.marks() {
            chunk.note(mark, member(0, attempt));
        }
        for (attempt, mark) in self.marks().rev() {
            backwards.note(mark, member(0, attempt));
        }
        for chunk in [&mut chunk, &mut backwards] {
            if self.second.is_some() {
                chunk.note_retried(member(0, 1));
            }
            chunk.is_day_over = false;
        }
        assert_eq!(chunk, backwards, "{self:?}");
        chunk
    }
}

/// The marks of which these bits are set.
fn marks(bits: u32) -> Vec<Mark> {
    let numbered = (0..).zip(Mark::ALL);
    numbered.filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, mark)| mark).collect()
}

fn stored(mark: Mark) -> storage::Mark {
    match mark {
        Mark::Unknown => storage::Mark::Unknown,
        Mark::LeftOut => storage::Mark::LeftOut("opted_out".to_owned()),
        Mark::Failed => storage::Mark::Failed("131026".to_owned()),
        Mark::Sent => storage::Mark::Sent,
        Mark::Delivered => storage::Mark::Delivered,
        Mark::Read => storage::Mark::Read,
    }
}

const fn word(known: Known) -> &'static str {
    match known {
        Known::Nothing => Standing::Pending.as_str(),
        Known::Unknown => Standing::Unknown.as_str(),
        Known::LeftOut => Standing::LeftOut("").as_str(),
        Known::Sent => Standing::Sent.as_str(),
        Known::Failed | Known::SentAndFailed => Standing::Failed("").as_str(),
        Known::Delivered => Standing::Delivered.as_str(),
        Known::Read => Standing::Read.as_str(),
    }
}

fn of_one(counts: chunk::Counts) -> Counts {
    Counts {
        total: 1,
        open: counts.open.into(),
        pending: counts.pending.into(),
        sent: counts.sent.into(),
        delivered: counts.delivered.into(),
        read: counts.read.into(),
        failed: counts.failed.into(),
        unknown: counts.unknown.into(),
        left_out: counts.left_out.into(),
    }
}

#[tokio::test]
async fn whatever_is_known_of_somebody_the_model_counts_it_as_the_code_does() {
    let bed = Testbed::start().await;
    let (chunks, now) = (Chunks::new(&bed.database), "2026-01-02T03:04:05Z".parse().unwrap());
    let people = Person::all();
    let sizes: Vec<_> = people.chunks(100).map(|people| u32::try_from(people.len()).unwrap()).collect();
    chunks.make(CAMPAIGN, 0, &sizes).await.unwrap();
    for (number, people) in (0..).zip(people.chunks(100)) {
        let mut marks = Vec::new();
        for (index, person) in (0..).zip(people) {
            marks.extend(person.marks().map(|(attempt, mark)| (stored(mark), member(index, attempt))));
            let second = person.second.as_ref().map(|_| (storage::Mark::Retried, member(index, 1)));
            marks.extend(second);
        }
        let chunk = chunks.note(CAMPAIGN, number, &marks, now).await.unwrap().unwrap();
        let (mut waiting, mut a_day_later) = (Counts::default(), Counts::default());
        for (index, person) in (0..).zip(people) {
            let modelled = person.modelled();
            let counts: Member = chunk.member(index).unwrap();
            assert_eq!(counts.attempt(), modelled.member(0).attempt(), "{person:?}");
            for attempt in 0..2 {
                let standing = chunk.standing(member(index, attempt)).as_str();
                assert_eq!(standing, word(modelled.known(member(0, attempt))), "{person:?}");
            }
            waiting = waiting.and(&of_one(modelled.tally(1, true)));
            a_day_later = a_day_later.and(&of_one(modelled.tally(1, false)));
        }
        assert_eq!(chunk.tally(now).counts, waiting, "{people:?}");
        assert_eq!(chunk.tally(now + Duration::from_hours(24)).counts, a_day_later, "{people:?}");
    }
}
