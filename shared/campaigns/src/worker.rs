//! Works through a chunk of a campaign: sends to everybody who is still to be written to, at the number's rate, and notes
//! what became of it.
//!
//! Whoever works on a chunk may die at any moment. Then the chunk is handed out again, and whoever gets it finds in each
//! message's row what the dead one did: a message is claimed by a conditional write before Meta is called, and is never
//! called for a second time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{
    Account, Accounts, CampaignId, CampaignStatus, CampaignStep, Clock, Contact, Error, Kind, Member, PublicError,
    RecipientRef, Result,
};
use futures::future;
use jiff::{SignedDuration, Timestamp};
use outbox::{CampaignMessage, DELIVERY_TIME, Fate, Outbox, Trouble};
use storage::{
    Campaign, Campaigns, Chunk, ChunkJob, Chunks, Database, Mark, Recipient, Recipients, Released, Reserved, SendRates,
    Standing, WorkQueue,
};
use whatsapp::Template;

use crate::dispatch::Dispatch;
use crate::form::Form;

/// At most so many messages of a chunk are under way at the same time. Before each such group the campaign and the contacts
/// are looked at: that is how soon a pause or an opt-out counts.
const LARGEST_GROUP: u32 = 10;
/// A group takes no longer than this at the number's rate.
const GROUP_TIME_S: u32 = 2;
/// The longest that a group waits for its turn at the number's rate.
const PATIENCE: Duration = Duration::from_secs(4);
/// What noting, counting and handing on takes of an invocation's time.
const NOTING_TIME: Duration = Duration::from_secs(8);
/// A group takes no longer than this, whatever happens.
const GROUP_TIME: Duration = PATIENCE.saturating_add(DELIVERY_TIME).saturating_add(NOTING_TIME);
/// For so long a chunk is a worker's, which keeps it for longer before a group if need be. If it dies, it is handed out again
/// after this.
const LEASE: Duration = Duration::from_secs(45);
/// A chunk that changes under our hands is counted again so often.
const ROUNDS: usize = 8;
/// A chunk waits no longer than this, however long the number does: then it is looked at again.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// Fewer refusals that nobody explains are those of single people.
const FEWEST_DOUBTED: usize = 3;
/// What somebody who was put back waits for, when nothing else is known.
const SHORT_WAIT: Duration = Duration::from_secs(1);

/// Sends campaigns. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Worker {
    campaigns: Campaigns,
    chunks: Chunks,
    recipients: Recipients,
    rates: SendRates,
    dispatch: Dispatch,
    outbox: Outbox,
    accounts: Arc<Accounts>,
    clock: Clock,
}

/// What is to be done with a chunk after a while of work.
#[derive(Debug, Default)]
struct Course {
    /// Whether some were not tried at all.
    is_cut_short: bool,
    /// When those who were put back may be tried again.
    not_before: Option<Timestamp>,
    /// Until when somebody else is at one of them.
    under_way_until: Option<Timestamp>,
    /// Why nobody of the campaign can be written to.
    halt: Option<PublicError>,
    /// How long all messages of the number wait.
    slow: Option<Duration>,
    /// How many of a group met trouble of Meta's own, and how long to wait for it to pass.
    troubled: (usize, Duration),
    /// How many of a group were refused for what nobody explains, and what Meta says.
    doubted: (usize, Option<PublicError>),
}

/// The chunk that is worked on.
struct Job<'a> {
    campaign: &'a Campaign,
    account: &'a Account,
    form: &'a Form,
    recipients: &'a [Recipient],
    /// Until when the chunk is this worker's.
    until: Timestamp,
    begun: Instant,
    time_left: Duration,
}

impl Job<'_> {
    /// Whether a further group fits into the time.
    fn has_time(&self) -> bool {
        self.time_left.saturating_sub(self.begun.elapsed()) >= GROUP_TIME
    }
}

impl Worker {
    /// Sends campaigns of a deployment's tables.
    pub fn new(database: &Database, queue: WorkQueue, outbox: Outbox, accounts: Arc<Accounts>, clock: Clock) -> Self {
        let chunks = Chunks::new(database);
        Self {
            campaigns: Campaigns::new(database),
            recipients: Recipients::new(database),
            rates: SendRates::new(database),
            dispatch: Dispatch { chunks: chunks.clone(), queue },
            chunks,
            outbox,
            accounts,
            clock,
        }
    }

    /// Works on a chunk for as long as there is time. `Ok` means that everything that is still to be done with it stands in
    /// its row: the job has been done, has been put off, or came too late.
    pub async fn work(&self, job: &ChunkJob, time_left: Duration) -> Result<()> {
        let begun = Instant::now();
        let Some(campaign) = self.campaigns.get(job.campaign_id).await? else { return Ok(()) };
        if campaign.status != CampaignStatus::Running {
            // Whoever resumes it finds the chunk waiting, but for whoever did so a moment ago: that is looked at afterwards.
            self.chunks.give_back(job, self.clock.now()).await?;
            return self.hand_out_more(job.campaign_id).await;
        }
        let Some(account) = self.accounts.find(Some(campaign.new.account_id)) else {
            return self.pause(campaign.new.id, &no_account()).await;
        };
        let until = self.clock.now().saturating_add(LEASE).map_err(Error::internal)?;
        let Some(chunk) = self.chunks.take(job, until).await? else { return Ok(()) };
        let recipients = self.recipients.of_chunk(campaign.new.id, chunk.number).await?;
        let form = Form::from_json(&campaign.new.form)?;
        let (form, recipients) = (&form, recipients.as_slice());
        let mut job = Job { campaign: &campaign, account, form, recipients, until, begun, time_left };
        let course = self.send(&mut job, &chunk).await?;
        if let Some(because) = &course.halt {
            self.pause(campaign.new.id, because).await?;
        }
        self.hand_on(&job, &chunk, &course).await
    }

    /// Sends to those who are still to be written to, group by group, until that makes no sense for the moment.
    async fn send(&self, job: &mut Job<'_>, chunk: &Chunk) -> Result<Course> {
        let pending: Vec<_> = chunk.members().filter(|member| chunk.standing(*member) == Standing::Pending).collect();
        let (number, rate) = (&job.account.phone_number_id, job.account.messages_per_second);
        let size = rate.per_second().saturating_mul(GROUP_TIME_S).clamp(1, LARGEST_GROUP);
        let size = usize::try_from(size).map_err(Error::internal)?;
        let mut course = Course { is_cut_short: true, ..Course::default() };
        for (index, group) in pending.chunks(size).enumerate() {
            if !job.has_time() || (index > 0 && !self.goes_on(job, chunk).await?) {
                return Ok(course);
            }
            let count = u32::try_from(group.len()).map_err(Error::internal)?;
            let (first_at, interval) = match self.rates.reserve(number, rate, count, self.clock.now(), PATIENCE).await?
            {
                Reserved::From { first_at, interval } => (first_at, interval),
                Reserved::Later(wait) => {
                    course.wait(self.clock.now(), wait);
                    return Ok(course);
                }
            };
            let fates = self.send_group(job, chunk.number, group, first_at, interval).await;
            // What is known is noted whatever became of the others.
            let (known, failure) = sort(fates);
            let marks: Vec<_> = known.iter().filter_map(|(member, fate)| Some((mark(fate)?, *member))).collect();
            if !marks.is_empty() {
                self.note(chunk, &marks).await?;
            }
            let unknown = marks.iter().filter(|(mark, _)| *mark == Mark::Unknown).count();
            if unknown > 0 {
                let (campaign_id, outcome) = (chunk.campaign_id.0, Kind::OutcomeUnknown);
                tracing::warn!(
                    campaign_id,
                    ?outcome,
                    count = unknown,
                    "of messages it is not known whether they were sent"
                );
            }
            (course.troubled.0, course.doubted.0) = (0, 0);
            for (_, fate) in &known {
                course.heed(fate, self.clock.now());
            }
            if let Some(error) = failure {
                return Err(error);
            }
            // One message that got lost is no reason to slow down, half of them are; nor is one odd refusal one to stop.
            if course.troubled.0 * 2 > group.len() {
                course.slow = course.slow.max(Some(course.troubled.1));
            }
            if course.doubted.0 * 2 > group.len() && course.doubted.0 >= FEWEST_DOUBTED {
                course.halt = course.halt.or(course.doubted.1.take());
            }
            if let Some(wait) = course.slow {
                self.rates.slow_down(number, wait, self.clock.now()).await?;
                return Ok(course);
            }
            if course.halt.is_some() {
                return Ok(course);
            }
        }
        course.is_cut_short = false;
        Ok(course)
    }

    /// Sends to some at the same time, each at their moment.
    async fn send_group(
        &self,
        job: &Job<'_>,
        chunk: u32,
        group: &[Member],
        first_at: Timestamp,
        interval: Duration,
    ) -> Vec<(Member, Result<FateOrLeftOut>)> {
        let (people, nobody): (Vec<_>, Vec<_>) =
            group.iter().map(|member| person(job, chunk, *member).ok_or(*member)).partition(Result::is_ok);
        let people: Vec<_> = people.into_iter().flatten().collect();
        let contacts: Vec<_> = people.iter().map(|person| &person.contact).collect();
        let left_out = Box::pin(self.outbox.left_out(job.account, &contacts, job.campaign.new.despite_opt_out)).await;
        let left_out = match left_out {
            Ok(left_out) => left_out,
            Err(error) => return vec![(group.first().copied().unwrap_or(Member::from_number(0)), Err(error))],
        };
        let now = self.clock.now();
        let wait_for_turn = |turn: u32| {
            let at = first_at.saturating_add(interval * turn).unwrap_or(first_at);
            at.duration_since(now).try_into().unwrap_or(Duration::ZERO)
        };
        let sends = (0..).zip(people.iter().zip(left_out)).map(|(turn, (person, left_out))| {
            let wait = wait_for_turn(turn);
            Box::pin(async move {
                if let Some(why) = left_out {
                    return (person.reference.member, Ok(FateOrLeftOut::LeftOut(why.as_str())));
                }
                tokio::time::sleep(wait).await;
                (person.reference.member, self.deliver(job, person).await.map(FateOrLeftOut::Fate))
            })
        });
        let mut fates = future::join_all(sends).await;
        // Whoever can't be read never can be.
        let unreadable = || Fate::Failed { code: "unreadable".to_owned(), slow: None, doubt: None };
        fates.extend(
            nobody.into_iter().filter_map(Result::err).map(|member| (member, Ok(FateOrLeftOut::Fate(unreadable())))),
        );
        fates
    }

    async fn deliver(&self, job: &Job<'_>, person: &Person<'_>) -> Result<Fate> {
        let new = &job.campaign.new;
        let components = job.form.components(&person.recipient.values);
        let template = Template::new(&new.template_name, &new.language).components(components);
        let message = CampaignMessage {
            recipient: person.reference,
            contact: &person.contact,
            account: job.account,
            to: &person.recipient.phone,
            content: template.into(),
            key_id: &new.key_id,
        };
        self.outbox.deliver(message).await
    }

    /// Whether the campaign still runs at this moment, and the chunk is this worker's for another group.
    async fn goes_on(&self, job: &mut Job<'_>, chunk: &Chunk) -> Result<bool> {
        let campaign = self.campaigns.get(job.campaign.new.id).await?;
        if campaign.is_none_or(|campaign| campaign.status != CampaignStatus::Running) {
            return Ok(false);
        }
        let now = self.clock.now();
        if job.until.duration_since(now) > SignedDuration::try_from(GROUP_TIME).map_err(Error::internal)? {
            return Ok(true);
        }
        let longer = now.saturating_add(LEASE).map_err(Error::internal)?;
        let is_ours = self.chunks.keep(chunk, job.until, longer).await?;
        job.until = longer;
        Ok(is_ours)
    }

    async fn note(&self, chunk: &Chunk, marks: &[(Mark, Member)]) -> Result<()> {
        let noted = self.chunks.note(chunk.campaign_id, chunk.number, marks, self.clock.now()).await?;
        noted.map(|_| ()).ok_or_else(|| Error::internal("a chunk is gone"))
    }

    /// Nobody of the campaign can be written to, until somebody mends what is wrong.
    async fn pause(&self, id: CampaignId, because: &PublicError) -> Result<()> {
        tracing::error!(campaign_id = id.0, code = because.code.as_deref(), "a campaign is paused");
        self.campaigns.step(id, CampaignStep::Pause, Some(because), self.clock.now()).await.map(|_| ())
    }

    /// Counts what became of the chunk, says when there is something to do with it again, and hands out others.
    async fn hand_on(&self, job: &Job<'_>, chunk: &Chunk, course: &Course) -> Result<()> {
        let id = job.campaign.new.id;
        let mut is_released = false;
        for _ in 0..ROUNDS {
            let chunk = self.chunks.get(id, [chunk.number]).await?.pop();
            let chunk = chunk.ok_or_else(|| Error::internal("a chunk is gone"))?;
            let now = self.clock.now();
            let Some(counted) = self.campaigns.fold(&chunk, now).await? else { continue };
            let todo_at = counted.due_at(now).map(|due_at| course.not_before(due_at));
            if self.chunks.release(&counted, job.until, todo_at).await? != Released::Changed {
                is_released = true;
                break;
            }
        }
        // More became known of it all the time, and some were not tried: that much is sure, and they need not wait until the
        // chunk's time here is over.
        if !is_released && course.is_cut_short {
            let again = ChunkJob { campaign_id: id, chunk: chunk.number, ticket_ms: job.until.as_millisecond() };
            self.chunks.give_back(&again, course.not_before(self.clock.now())).await?;
        }
        self.campaigns.conclude(id, self.clock.now()).await?;
        self.hand_out_more(id).await
    }

    /// Hands out chunks of a campaign, if it runs at this moment.
    async fn hand_out_more(&self, id: CampaignId) -> Result<()> {
        let Some(campaign) = self.campaigns.get(id).await?.filter(|found| found.status == CampaignStatus::Running)
        else {
            return Ok(());
        };
        match self.accounts.find(Some(campaign.new.account_id)) {
            Some(account) => self.dispatch.top_up(&campaign, account, self.clock.now()).await.map(|_| ()),
            None => Ok(()),
        }
    }
}

fn person<'a>(job: &Job<'a>, chunk: u32, member: Member) -> Option<Person<'a>> {
    let index = usize::try_from(member.index()).ok()?;
    let recipient = job.recipients.get(index)?;
    let contact = Contact::of_number(&recipient.phone)?;
    let reference = RecipientRef { campaign_id: job.campaign.new.id, chunk, member };
    Some(Person { recipient, contact, reference })
}

/// Somebody to be written to.
struct Person<'a> {
    recipient: &'a Recipient,
    contact: Contact,
    reference: RecipientRef,
}

/// What became of somebody.
#[derive(Debug)]
enum FateOrLeftOut {
    Fate(Fate),
    LeftOut(&'static str),
}

/// What became of those of whom it is known, and an error of the others.
fn sort(fates: Vec<(Member, Result<FateOrLeftOut>)>) -> (Vec<(Member, FateOrLeftOut)>, Option<Error>) {
    let (mut known, mut failure) = (Vec::new(), None);
    for (member, fate) in fates {
        match fate {
            Ok(fate) => known.push((member, fate)),
            Err(error) => failure = Some(error),
        }
    }
    (known, failure)
}

/// What is noted of somebody. `None`: nothing that lasts.
fn mark(fate: &FateOrLeftOut) -> Option<Mark> {
    match fate {
        FateOrLeftOut::LeftOut(why) => Some(Mark::LeftOut((*why).to_owned())),
        FateOrLeftOut::Fate(Fate::Sent) => Some(Mark::Sent),
        FateOrLeftOut::Fate(Fate::Failed { code, .. }) => Some(Mark::Failed(code.clone())),
        FateOrLeftOut::Fate(Fate::Unknown { .. }) => Some(Mark::Unknown),
        FateOrLeftOut::Fate(Fate::UnderWay { .. } | Fate::PutBack(_)) => None,
    }
}

impl Course {
    /// When the chunk may be worked on again with which there is something to do from then on.
    fn not_before(&self, due_at: Timestamp) -> Timestamp {
        // Those who were not tried come first, whoever else waits for something.
        let under_way_until = self.under_way_until.filter(|_| !self.is_cut_short);
        [under_way_until, self.not_before].into_iter().flatten().fold(due_at, Timestamp::max)
    }

    fn wait(&mut self, now: Timestamp, wait: Duration) {
        let at = now.saturating_add(wait.min(LONGEST_WAIT)).unwrap_or(now);
        self.not_before = self.not_before.max(Some(at));
    }

    fn trouble(&mut self, slow: Option<Duration>) {
        if let Some(wait) = slow {
            self.troubled = (self.troubled.0 + 1, self.troubled.1.max(wait));
        }
    }

    /// Takes in what somebody's fate means for those who come after.
    fn heed(&mut self, fate: &FateOrLeftOut, now: Timestamp) {
        let FateOrLeftOut::Fate(fate) = fate else { return };
        match fate {
            Fate::Sent => {}
            Fate::Failed { slow, doubt, .. } => {
                self.trouble(*slow);
                if let Some(doubt) = doubt {
                    self.doubted = (self.doubted.0 + 1, Some((**doubt).clone()));
                }
            }
            Fate::Unknown { slow } => self.trouble(*slow),
            Fate::UnderWay { until } => self.under_way_until = self.under_way_until.max(Some(*until)),
            Fate::PutBack(Trouble::Recipient(wait)) => self.wait(now, (*wait).max(SHORT_WAIT)),
            Fate::PutBack(Trouble::Number(wait)) => {
                self.slow = self.slow.max(Some(*wait));
                self.wait(now, *wait);
            }
            Fate::PutBack(Trouble::Campaign(because)) => self.halt = Some(because.clone()),
        }
    }
}

fn no_account() -> PublicError {
    let message = "The campaign's account is not connected any more";
    Error::new(domain::Kind::NotFound, message).code("account_not_found").public().clone()
}
