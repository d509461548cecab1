//! What holds for every endpoint of one campaign, each as one function, and campaigns for it.
//! [`every_campaign!`](crate::every_campaign) makes a test of each.

use std::time::Duration;

use ::campaigns::{ChunkJob, Draft, Uploaded};
use api::Endpoint;
use auth::Caller;
use domain::{AccountId, CampaignId, Scope};
use serde_json::{Value, json};

use crate::{SECOND_ACCOUNT, Sender, Testbed};

/// The queue's name in template.yaml.
pub const QUEUE: &str = "SendCampaign";
/// The id of the first campaign.
pub const FIRST: &str = "1";
/// However slow the machine is.
pub const TIME_LEFT: Duration = Duration::from_mins(2);

/// Makes a test of every guarantee. `$sender` is a future that gives a [`Sender`](crate::Sender) that can be asked about the
/// [first campaign](FIRST).
#[macro_export]
macro_rules! every_campaign {
    ($sender:expr) => {
        $crate::every_caller!($sender);
        $crate::each_of_campaigns! { $sender;
            a_campaign_that_is_not_there_and_one_that_is_forbidden_are_the_same_404
            an_id_that_is_none_is_a_404
            both_formats_of_events_and_both_forms_of_the_path_are_answered
        }
    };
}

/// Makes a test of each of these guarantees.
#[macro_export]
macro_rules! each_of_campaigns {
    ($sender:expr; $($guarantee:ident)+) => {
        $(
            #[tokio::test]
            async fn $guarantee() {
                $crate::campaigns::$guarantee($sender.await).await;
            }
        )+
    };
}

/// Nobody learns that there is one.
pub async fn a_campaign_that_is_not_there_and_one_that_is_forbidden_are_the_same_404<E: Endpoint>(sender: Sender<E>) {
    let limited = sender.testbed.key(Scope::ALL, Some(&[SECOND_ACCOUNT])).await;
    let request = Sender::<E>::request(&sender.body).header("X-API-Key", limited.reveal());
    let mut forbidden = request.clone().send_to(&sender.endpoint).await;
    let absent = request.in_path("7").send_to(&sender.endpoint).await;
    assert_eq!((absent.status, &absent.body["code"]), (404, &json!("campaign_not_found")), "{}", absent.body);
    forbidden.body["error"] = json!(forbidden.error().replace(FIRST, "7"));
    assert_eq!(forbidden, absent);
    sender.testbed.assert_untouched("a campaign that the key may not use").await;
}

/// It is no bad request: there is no such campaign.
pub async fn an_id_that_is_none_is_a_404<E: Endpoint>(sender: Sender<E>) {
    for odd in ["0", "-1", "+1", "01", "1.0", "x", "%00", "1%20", "99999999999999999999", "wamid.X"] {
        let answer = sender.with_key(&sender.body).in_path(odd).send_to(&sender.endpoint).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (404, &json!("campaign_not_found")),
            "{odd}: {}",
            answer.body
        );
    }
    sender.testbed.assert_untouched("an id that is none").await;
}

/// A REST API's and an HTTP API's, with and without the last slash.
pub async fn both_formats_of_events_and_both_forms_of_the_path_are_answered<E: Endpoint>(sender: Sender<E>) {
    let request = sender.with_key(&sender.body);
    let without = request.clone().without_last_slash();
    for request in [request.clone(), request.through_http_api(), without.clone(), without.through_http_api()] {
        sender.succeeds(&request.send_to(&sender.endpoint).await);
    }
}

impl Testbed {
    /// Who calls with the testbed's own key.
    pub async fn caller(&self) -> Caller {
        let caller = self.keys.authorize(Some(self.api_key.reveal()), Scope::CampaignsWrite).await;
        caller.expect("the testbed's key holds every scope")
    }

    /// Makes a campaign of the template `appointment` with these recipients, as a client would write them.
    pub async fn campaign(&self, account_id: i64, recipients: Value) -> CampaignId {
        self.campaign_as(Self::draft(account_id), recipients).await
    }

    /// The draft of a campaign of the template `appointment`, whose values are the recipients' names and a day.
    pub fn draft(account_id: i64) -> Draft {
        Draft {
            account_id: Some(AccountId(account_id)),
            name: "Reminder".to_owned(),
            template_name: "appointment".to_owned(),
            language: "en".to_owned(),
            parameter_mappings: json!({"first_name": "name", "date": {"value": "Monday"}}).as_object().cloned(),
            despite_opt_out: false,
            scheduled_at: None,
        }
    }

    /// Makes a campaign.
    pub async fn campaign_as(&self, draft: Draft, recipients: Value) -> CampaignId {
        let uploaded = Uploaded::Json(Some(&recipients));
        let made = self.planner.create(&self.caller().await, draft, uploaded, None, TIME_LEFT).await;
        let made = made.expect("a campaign is made");
        CampaignId(made.answer["id"].as_i64().expect("a campaign has an id"))
    }

    /// Makes a campaign of each account, the [first](FIRST) with three recipients, and [begins](Self::begin): Meta was not
    /// called.
    pub async fn begin_with_campaigns(&self) {
        self.campaign(1, people(0..3)).await;
        self.campaign(SECOND_ACCOUNT, people(0..2)).await;
        self.simulator.reset();
        self.begin().await;
    }

    /// Starts a campaign, and hands over what its start put into the queue and what came of that, until nothing more comes.
    pub async fn run(&self, id: CampaignId) {
        self.starter.start(&self.caller().await, id).await.expect("a campaign is started");
        self.work().await;
    }

    /// Hands over what is in the queue, each job once, until nothing more comes.
    pub async fn work(&self) {
        loop {
            let begun = {
                let mut worked = self.worked.lock().expect("nobody panics holding it");
                std::mem::replace(&mut *worked, self.queues.messages(QUEUE).len())
            };
            let jobs = self.queues.messages(QUEUE).split_off(begun);
            if jobs.is_empty() {
                return;
            }
            for job in jobs {
                let job: ChunkJob = serde_json::from_str(&job).expect("a message of the queue is a job");
                Box::pin(self.worker.work(&job, TIME_LEFT)).await.expect("a chunk is worked on");
            }
        }
    }

    /// Does what is done every minute.
    pub async fn tend(&self) {
        Box::pin(self.caretaker.tend(TIME_LEFT)).await.expect("campaigns are tended");
    }

    /// All that is known of a campaign, as a client reads it.
    pub async fn details(&self, id: CampaignId) -> Value {
        let details = self.reports.get(&self.caller().await, id).await.expect("a campaign is there");
        serde_json::to_value(details).expect("it is JSON")
    }
}

/// People with these numbers, as a client writes them.
pub fn people(numbers: std::ops::Range<u32>) -> Value {
    numbers.map(|number| json!({"phone": phone(number), "name": format!("Ann {number}")})).collect()
}

/// The number of one of them, as digits.
pub fn phone(number: u32) -> String {
    format!("9198765{number:05}")
}
