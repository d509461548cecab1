//! What holds of the whole: password, codes, attempts, sessions and the audit trail together.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Kind;
use embedded_dynamodb::Engine;
use futures::future::join_all;
use storage::{AuditTrail, SetupToken};

use super::*;
use crate::password::HASHES;
use crate::password_sign_in::PasswordProof;
use crate::sign_in::Proven;

const PASSWORD: &str = "correct horse";
const TOKEN: &str = "setup-token-of-the-first-day";

struct Bed {
    engine: Engine,
    database: Database,
    admin: Admin,
    clock: Clock,
}

/// The cookies of one browser.
#[derive(Clone, Default)]
struct Cookies {
    session: Option<String>,
    device: Option<String>,
}

impl Cookies {
    fn browser(&self) -> Browser<'_> {
        Browser { session: self.session.as_deref(), device: self.device.as_deref(), address: Some("192.0.2.1") }
    }

    fn session(&self) -> &str {
        self.session.as_deref().unwrap()
    }

    fn keep(&mut self, signed_in: &SignedIn) {
        self.session = Some(signed_in.session.reveal().to_owned());
        if let Some(device) = &signed_in.device {
            self.device = Some(device.reveal().to_owned());
        }
    }
}

/// A deployment on its first day: a setup token, and no password.
async fn first_day() -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let database = Database::local(engine.url(), engine.table_prefix());
    let clock = Clock::fixed("2026-01-02T03:04:05.678Z".parse().unwrap());
    let admin = admin_with(&database, TOKEN, &clock);
    Bed { engine, database, admin, clock }
}

/// A deployment with a password that was set by the setup token.
async fn bed() -> Bed {
    let bed = first_day().await;
    bed.pass(Duration::from_mins(1));
    assert_eq!(bed.set_up(TOKEN, PASSWORD).await, Verdict::Proven(()));
    bed
}

fn admin_with(database: &Database, token: &str, clock: &Clock) -> Admin {
    let token = SetupToken { secret: token.into(), created_at: clock.now() };
    Admin::new(database, Some(SetupTokens::given(token)), clock.clone())
}

fn proof(password: &str, code: Option<&str>) -> PasswordProof {
    PasswordProof { password: password.into(), one_time_code: code.map(SecretString::from) }
}

fn outcome<T>(verdict: &Verdict<T>) -> &'static str {
    match verdict {
        Verdict::Proven(_) => "proven",
        Verdict::Refused => "refused",
        Verdict::Wait(_) => "wait",
    }
}

impl Bed {
    fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn set_up(&self, token: &str, password: &str) -> Verdict<()> {
        self.admin.set_up(&token.into(), &password.into(), Browser::default()).await.unwrap()
    }

    async fn try_sign_in(&self, cookies: &Cookies, password: &str, code: Option<&str>) -> Verdict<SignedIn> {
        self.admin.sign_in(&proof(password, code), cookies.browser()).await.unwrap()
    }

    /// Signs a browser in, which must work.
    async fn sign_in(&self, cookies: &mut Cookies) {
        let Verdict::Proven(signed_in) = self.try_sign_in(cookies, PASSWORD, None).await else { panic!("not let in") };
        cookies.keep(&signed_in);
    }

    async fn is_signed_in(&self, cookies: &Cookies) -> bool {
        self.session(cookies).await.is_some()
    }

    async fn session(&self, cookies: &Cookies) -> Option<Session> {
        self.admin.find_session(cookies.session()).await.unwrap()
    }

    /// Turns codes on, in a moment whose code is used up by that.
    async fn codes_on(&self, cookies: &Cookies) -> OneTimeSecret {
        let secret = OneTimeSecret::generate();
        let actor = self.session(cookies).await.unwrap().actor(None);
        let code = secret.code(self.clock.now()).into();
        assert_eq!(self.admin.one_time_codes_on(&secret, &code, &actor).await.unwrap(), Verdict::Proven(()));
        secret
    }

    async fn change_password(&self, cookies: &Cookies, current: &str, new: &str) -> Verdict<SignedIn> {
        let session = self.session(cookies).await.unwrap();
        let (current, new) = (current.into(), new.into());
        self.admin.change_password(&session, &current, &new, cookies.browser()).await.unwrap()
    }

    async fn put(&self, row: &[(&str, AttributeValue)]) {
        let row = row.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let table = self.database.table("Admin");
        self.database.client().put_item().table_name(table).set_item(Some(row)).send().await.unwrap();
    }

    async fn rows(&self) -> Vec<HashMap<String, AttributeValue>> {
        let table = self.database.table("Admin");
        self.database.client().scan().table_name(table).send().await.unwrap().items.unwrap_or_default()
    }

    async fn trail(&self) -> Vec<String> {
        let rows = AuditTrail::new(&self.database).newest(None, None, 100).await.unwrap();
        rows.into_iter().rev().map(|row| row.action).collect()
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

mod sessions {
    use super::*;

    #[tokio::test]
    async fn a_session_is_gone_after_30_minutes_without_a_request() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        for _ in 0..3 {
            bed.pass(Duration::from_mins(30) - Duration::from_millis(1));
            assert!(bed.is_signed_in(&cookies).await);
        }
        bed.pass(Duration::from_mins(30));
        assert!(!bed.is_signed_in(&cookies).await);
    }

    #[tokio::test]
    async fn a_session_is_gone_12_hours_after_it_began_however_busy_it_is() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        for _ in 0..47 {
            bed.pass(Duration::from_mins(15));
            assert!(bed.is_signed_in(&cookies).await);
        }
        bed.pass(Duration::from_mins(15) - Duration::from_millis(1));
        assert!(bed.is_signed_in(&cookies).await);
        bed.pass(Duration::from_millis(1));
        assert!(!bed.is_signed_in(&cookies).await);
    }

    #[tokio::test]
    async fn a_session_in_use_is_written_to_once_a_minute() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..30 {
            bed.pass(Duration::from_secs(10));
            assert!(bed.is_signed_in(&cookies).await);
            let rows = bed.rows().await;
            let row = rows.iter().find(|row| row["id"].as_s().unwrap().starts_with("session#")).unwrap();
            seen.insert(row["last_seen_at"].as_n().unwrap().clone());
        }
        assert_eq!(seen.len(), 6, "when it began, and five minutes");
    }

    #[tokio::test]
    async fn signing_out_ends_the_session_and_the_cookie_opens_nothing_afterwards() {
        let bed = bed().await;
        let (mut cookies, mut other) = (Cookies::default(), Cookies::default());
        bed.sign_in(&mut cookies).await;
        bed.sign_in(&mut other).await;
        bed.admin.sign_out(cookies.session()).await.unwrap();
        assert!(!bed.is_signed_in(&cookies).await);
        assert!(bed.is_signed_in(&other).await, "others stay");
        bed.admin.sign_out(cookies.session()).await.unwrap();
    }

    #[tokio::test]
    async fn a_request_that_was_slow_does_not_bring_back_a_session_that_was_ended() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        bed.pass(Duration::from_mins(2));
        let sessions = &bed.admin.sessions;
        let row = sessions.read(&SessionId::parse(cookies.session()).unwrap()).await.unwrap().unwrap();
        bed.admin.sign_out(cookies.session()).await.unwrap();
        assert!(!sessions.note_use(&row, bed.clock.now()).await, "the slow one learns it");
        assert!(!bed.is_signed_in(&cookies).await);
        assert!(!bed.rows().await.iter().any(|row| row["id"].as_s().unwrap().starts_with("session#")));
    }

    #[tokio::test]
    async fn signing_out_everywhere_ends_every_session_and_no_later_one() {
        let bed = bed().await;
        let (mut first, mut second) = (Cookies::default(), Cookies::default());
        bed.sign_in(&mut first).await;
        bed.sign_in(&mut second).await;
        let actor = bed.session(&first).await.unwrap().actor(None);
        bed.admin.sign_out_everywhere(&actor).await.unwrap();
        assert!(!bed.is_signed_in(&first).await && !bed.is_signed_in(&second).await);
        bed.sign_in(&mut first).await;
        assert!(bed.is_signed_in(&first).await);
    }

    #[tokio::test]
    async fn every_sign_in_has_a_new_id_and_ends_the_session_that_was_there() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        let planted = cookies.clone();
        bed.sign_in(&mut cookies).await;
        assert_ne!(planted.session(), cookies.session());
        assert_eq!(planted.device, cookies.device, "a browser has one");
        assert!(!bed.is_signed_in(&planted).await);
        assert!(bed.is_signed_in(&cookies).await);
    }

    #[tokio::test]
    async fn an_id_that_was_planted_before_signing_in_never_becomes_a_session() {
        let bed = bed().await;
        let planted = Cookies { session: Some("0".repeat(64)), device: None };
        let Verdict::Proven(signed_in) = bed.try_sign_in(&planted, PASSWORD, None).await else { panic!("not let in") };
        assert_ne!(signed_in.session.reveal(), planted.session());
        assert!(!bed.is_signed_in(&planted).await);
    }

    #[tokio::test]
    async fn what_can_not_be_an_id_is_not_looked_for_and_an_outage_is_never_nobody() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        bed.engine.stop().await;
        for odd in ["", "x", "credential", &cookies.session().to_uppercase(), &format!("{}0", cookies.session())] {
            assert!(bed.admin.find_session(odd).await.unwrap().is_none(), "{odd}");
            bed.admin.sign_out(odd).await.unwrap();
        }
        assert_eq!(bed.admin.find_session(cookies.session()).await.unwrap_err().kind(), Kind::Unavailable);
        assert_eq!(bed.admin.sign_out(cookies.session()).await.unwrap_err().kind(), Kind::Unavailable);
    }

    #[tokio::test]
    async fn a_csrf_token_is_good_for_its_own_session_only() {
        let bed = bed().await;
        let (mut first, mut second) = (Cookies::default(), Cookies::default());
        bed.sign_in(&mut first).await;
        bed.sign_in(&mut second).await;
        let (first, second) = (bed.session(&first).await.unwrap(), bed.session(&second).await.unwrap());
        let token = first.csrf_token();
        assert!(token.len() == 64 && first.is_csrf_token(&token) && token == first.csrf_token());
        assert!(!second.is_csrf_token(&token));
        let longer = format!("{token}00");
        for odd in ["", "00", &token[..62], &longer, "é", first.id.reveal()] {
            assert!(!first.is_csrf_token(odd), "{odd}");
        }
    }

    #[tokio::test]
    async fn a_row_of_another_version_is_no_session() {
        let bed = bed().await;
        let id = SessionId::generate();
        let whole = [
            ("id", text(&id.row_id())),
            ("principal", text("admin")),
            ("epoch", number(1_767_323_105_679)),
            ("created_at", number(bed.clock.now().as_millisecond())),
            ("last_seen_at", number(bed.clock.now().as_millisecond())),
            ("time_to_live", number(0)),
        ];
        bed.put(&whole).await;
        assert!(bed.admin.find_session(id.reveal()).await.unwrap().is_some(), "as it is, it is one");
        for place in 1..whole.len() {
            for odd in [None, Some(AttributeValue::Null(true)), Some(text("-1")), Some(number(i64::MAX))] {
                // When DynamoDB removes a row is not our question.
                if whole[place].0 == "time_to_live" && odd.as_ref().is_some_and(|odd| !odd.is_null()) {
                    continue;
                }
                let mut row = whole.to_vec();
                match odd {
                    None => drop(row.remove(place)),
                    Some(odd) => row[place].1 = odd,
                }
                bed.put(&row).await;
                assert!(bed.admin.find_session(id.reveal()).await.unwrap().is_none(), "{row:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_session_without_a_credential_is_none_and_a_new_credential_does_not_bring_it_back() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        let table = bed.database.table("Admin");
        let delete = bed.database.client().delete_item().table_name(table).key("id", text("credential"));
        delete.send().await.unwrap();
        assert!(!bed.is_signed_in(&cookies).await);
        bed.pass(Duration::from_mins(1));
        let newer = admin_with(&bed.database, "another token of the operator", &bed.clock);
        newer.set_up(&"another token of the operator".into(), &PASSWORD.into(), Browser::default()).await.unwrap();
        assert!(!bed.is_signed_in(&cookies).await);
    }
}

mod signing_in {
    use super::*;

    #[tokio::test]
    async fn only_the_password_opens_a_session() {
        let bed = bed().await;
        for wrong in ["", "wrong", "Correct horse", TOKEN] {
            assert_eq!(outcome(&bed.try_sign_in(&Cookies::default(), wrong, None).await), "refused");
            bed.pass(Duration::from_mins(15));
        }
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        assert_eq!(bed.session(&cookies).await.unwrap().principal.name(), "admin");
    }

    #[tokio::test]
    async fn of_50_guesses_at_the_same_moment_one_is_verified() {
        let bed = bed().await;
        let before = HASHES.get();
        let nobody = Cookies::default();
        let all = join_all((0..50).map(|_| bed.try_sign_in(&nobody, "wrong", None))).await;
        assert_eq!(HASHES.get() - before, 1);
        assert_eq!(all.iter().filter(|one| outcome(one) != "wait").count(), 1);
    }

    #[tokio::test]
    async fn every_verification_is_one_hash_and_one_that_comes_too_early_none() {
        let bed = first_day().await;
        let count = async |password: &str, expected: &str| {
            let before = HASHES.get();
            assert_eq!(outcome(&bed.try_sign_in(&Cookies::default(), password, None).await), expected);
            HASHES.get() - before
        };
        assert_eq!(count(PASSWORD, "refused").await, 1, "no credential");
        assert_eq!(count(PASSWORD, "wait").await, 0);
        bed.pass(Duration::from_mins(15));
        let epoch = ("epoch", number(1));
        for odd in ["", "$argon2id$", "plain"] {
            bed.put(&[("id", text("credential")), epoch.clone(), ("password_hash", text(odd))]).await;
            assert_eq!(count(odd, "refused").await, 1, "{odd}");
            bed.pass(Duration::from_mins(15));
        }
        bed.put(&[("id", text("credential")), epoch.clone()]).await;
        assert_eq!(count("", "refused").await, 1, "no hash at all");
        bed.pass(Duration::from_mins(15));
        let right = ("password_hash", text(&password::hash(&PASSWORD.into()).unwrap()));
        bed.put(&[("id", text("credential")), epoch, right]).await;
        assert_eq!(count("wrong", "refused").await, 1);
        bed.pass(Duration::from_mins(15));
        assert_eq!(count(PASSWORD, "proven").await, 1);
    }

    #[tokio::test]
    async fn a_credential_of_another_version_lets_nobody_in() {
        let bed = first_day().await;
        let hash = text(&password::hash(&PASSWORD.into()).unwrap());
        for epoch in [None, Some(text("1")), Some(AttributeValue::Null(true))] {
            let mut row = vec![("id", text("credential")), ("password_hash", hash.clone())];
            row.extend(epoch.map(|epoch| ("epoch", epoch)));
            bed.put(&row).await;
            let error = bed.admin.sign_in(&proof(PASSWORD, None), Browser::default()).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Internal);
        }
    }

    #[tokio::test]
    async fn the_administrator_signs_in_at_the_first_try_while_strangers_guess() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        let before = HASHES.get();
        let nobody = Cookies::default();
        let end = bed.clock.now() + Duration::from_hours(1);
        while bed.clock.now() < end {
            // They come in numbers, and again as soon as they may.
            let all = join_all((0..10).map(|_| bed.try_sign_in(&nobody, "wrong", None))).await;
            let wait = all.into_iter().filter_map(|one| if let Verdict::Wait(wait) = one { Some(wait) } else { None });
            bed.pass(wait.max().unwrap());
        }
        let guesses = HASHES.get() - before;
        assert!((10..=20).contains(&guesses), "{guesses} in an hour");
        assert_eq!(outcome(&bed.try_sign_in(&nobody, "wrong", None).await), "refused");
        assert_eq!(outcome(&bed.try_sign_in(&nobody, PASSWORD, None).await), "wait");
        bed.sign_in(&mut cookies).await;
        assert!(bed.is_signed_in(&cookies).await);
    }

    #[tokio::test]
    async fn without_storage_nobody_is_let_in_and_nothing_is_hashed() {
        let bed = bed().await;
        bed.engine.stop().await;
        let before = HASHES.get();
        let error = bed.admin.sign_in(&proof(PASSWORD, None), Browser::default()).await.unwrap_err();
        assert_eq!((error.kind(), HASHES.get()), (Kind::Unavailable, before));
        let error = bed.admin.set_up(&TOKEN.into(), &PASSWORD.into(), Browser::default()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
    }

    /// Another way to sign in, with which somebody ends all sessions while the proof is looked at.
    struct Meanwhile(Admin);

    impl SignIn for Meanwhile {
        type Proof = ();

        async fn prompt(&self) -> Result<Prompt> {
            Ok(Prompt::NotConfigured)
        }

        async fn verify(&self, (): &(), _: Browser<'_>) -> Result<Verdict<Proven>> {
            let principal = Principal::Admin;
            self.0.sign_out_everywhere(&principal.actor(None)).await?;
            Ok(Verdict::Proven(Proven { principal, device: None }))
        }

        fn admits(&self, _: &Principal) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn a_session_that_opens_while_all_sessions_end_is_over() {
        let bed = bed().await;
        let Admin { sessions, credentials, clock, .. } = bed.admin.clone();
        let other_way = Admin { sign_in: Meanwhile(bed.admin.clone()), sessions, credentials, clock };
        let Verdict::Proven(opened) = other_way.sign_in(&(), Browser::default()).await.unwrap() else {
            panic!("not let in")
        };
        assert!(other_way.find_session(opened.session.reveal()).await.unwrap().is_none());
        assert_eq!(bed.trail().await, ["password_set", "signed_out_everywhere", "signed_in"]);
    }

    #[tokio::test]
    async fn the_table_holds_no_session_id_no_device_id_no_password_and_no_token() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        bed.try_sign_in(&Cookies::default(), "a wrong guess", None).await;
        let csrf_token = bed.session(&cookies).await.unwrap().csrf_token();
        let trail = AuditTrail::new(&bed.database).newest(None, None, 100).await.unwrap();
        let dump = format!("{:?} {trail:?}", bed.rows().await);
        assert!(dump.contains("session#") && dump.contains("device#") && dump.contains("setup_token_hash"));
        let device = cookies.device.as_deref().unwrap();
        for secret in [cookies.session(), device, PASSWORD, TOKEN, "a wrong guess", &csrf_token] {
            assert!(!dump.contains(secret), "{secret}");
        }
    }
}

mod setting_up {
    use super::*;

    #[tokio::test]
    async fn the_page_asks_for_what_there_is() {
        let bed = first_day().await;
        let unconfigured = Admin::new(&bed.database, None, bed.clock.clone());
        assert_eq!(unconfigured.prompt().await.unwrap(), Prompt::NotConfigured);
        assert_eq!(bed.admin.prompt().await.unwrap(), Prompt::SetUp);
        bed.set_up(TOKEN, PASSWORD).await;
        for admin in [&bed.admin, &unconfigured] {
            assert_eq!(admin.prompt().await.unwrap(), Prompt::Password { one_time_code: false });
        }
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        bed.codes_on(&cookies).await;
        assert_eq!(bed.admin.prompt().await.unwrap(), Prompt::Password { one_time_code: true });
    }

    #[tokio::test]
    async fn without_a_setup_token_nothing_can_be_set_up() {
        let bed = first_day().await;
        let unconfigured = Admin::new(&bed.database, None, bed.clock.clone());
        for token in ["", TOKEN] {
            let verdict = unconfigured.set_up(&token.into(), &PASSWORD.into(), Browser::default()).await.unwrap();
            assert_eq!(verdict, Verdict::Refused);
            bed.pass(Duration::from_secs(2));
        }
        assert_eq!(bed.admin.prompt().await.unwrap(), Prompt::SetUp);
    }

    #[tokio::test]
    async fn a_wrong_token_sets_nothing_and_costs_no_hash() {
        let bed = first_day().await;
        let before = HASHES.get();
        for wrong in ["", "wrong", &TOKEN[1..], &format!("{TOKEN} ")] {
            assert_eq!(bed.set_up(wrong, PASSWORD).await, Verdict::Refused);
            bed.pass(Duration::from_mins(1));
        }
        assert_eq!(HASHES.get(), before);
        assert_eq!(bed.admin.prompt().await.unwrap(), Prompt::SetUp);
    }

    #[tokio::test]
    async fn an_empty_token_is_none_and_neither_is_one_that_can_be_guessed() {
        let bed = first_day().await;
        for empty in ["", " ", "\n", "1234", "nineteen-characters"] {
            let admin = admin_with(&bed.database, empty, &bed.clock);
            let verdict = admin.set_up(&empty.into(), &PASSWORD.into(), Browser::default()).await.unwrap();
            assert_eq!(verdict, Verdict::Refused);
            bed.pass(Duration::from_secs(10));
        }
    }

    #[tokio::test]
    async fn a_token_is_good_for_24_hours() {
        for (age, expected) in
            [(Duration::from_hours(24), "refused"), (Duration::from_hours(24) - Duration::from_millis(1), "proven")]
        {
            let bed = first_day().await;
            bed.pass(age);
            assert_eq!(outcome(&bed.set_up(TOKEN, PASSWORD).await), expected);
        }
    }

    #[tokio::test]
    async fn strangers_who_try_do_not_keep_the_operator_out() {
        let bed = first_day().await;
        for number in 0..50 {
            assert_eq!(bed.set_up(&format!("the guess of a stranger {number}"), PASSWORD).await, Verdict::Refused);
        }
        assert_eq!(bed.set_up(TOKEN, PASSWORD).await, Verdict::Proven(()));
    }

    #[tokio::test]
    async fn a_token_works_once() {
        let bed = bed().await;
        bed.pass(Duration::from_mins(1));
        assert_eq!(bed.set_up(TOKEN, "another password").await, Verdict::Refused);
        bed.pass(Duration::from_secs(1));
        bed.sign_in(&mut Cookies::default()).await;
    }

    #[tokio::test]
    async fn of_many_that_use_a_token_at_the_same_moment_one_does() {
        let bed = first_day().await;
        // Each hashes a password, and all of them while DynamoDB waits: the test below has twenty, without.
        let all = join_all((0..6).map(|_| bed.set_up(TOKEN, PASSWORD))).await;
        assert_eq!(all.iter().filter(|one| **one == Verdict::Proven(())).count(), 1);
    }

    #[tokio::test]
    async fn a_token_is_used_once_even_by_those_who_may_all_try() {
        let bed = first_day().await;
        // By the clock of AWS it is younger than its use.
        let created_at = bed.clock.now() + Duration::from_secs(30);
        let token = SetupToken { secret: TOKEN.into(), created_at };
        let by = Principal::Admin.actor(None);
        let credentials = &bed.admin.credentials;
        let set = |hash: String| credentials.set_by_token(&token, hash, &by, bed.clock.now());
        let mut used = 0;
        for number in 0..20 {
            used += usize::from(set(format!("hash {number}")).await.unwrap());
        }
        assert_eq!(used, 1);
        let all = join_all((0..20).map(|number| set(format!("hash {number}")))).await;
        assert!(all.into_iter().all(|one| !matches!(one, Ok(true))));
        assert_eq!(credentials.read().await.unwrap().unwrap().password_hash, "hash 0");
    }

    #[tokio::test]
    async fn a_newer_token_recovers_a_forgotten_password_and_ends_all_that_was() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        bed.codes_on(&cookies).await;
        bed.pass(Duration::from_mins(1));
        let newer = admin_with(&bed.database, "a newer token of the operator", &bed.clock);
        bed.pass(Duration::from_mins(1));
        let verdict = newer
            .set_up(&"a newer token of the operator".into(), &"new password".into(), Browser::default())
            .await
            .unwrap();
        assert_eq!(verdict, Verdict::Proven(()));
        assert!(!bed.is_signed_in(&cookies).await);
        assert_eq!(outcome(&bed.try_sign_in(&Cookies::default(), PASSWORD, None).await), "refused");
        bed.pass(Duration::from_secs(10));
        assert_eq!(outcome(&bed.try_sign_in(&Cookies::default(), "new password", None).await), "proven");
    }

    #[tokio::test]
    async fn a_token_that_is_older_than_the_password_is_refused() {
        let bed = first_day().await;
        bed.pass(Duration::from_mins(1));
        let second = admin_with(&bed.database, "a token that was never used", &bed.clock);
        bed.pass(Duration::from_mins(1));
        assert_eq!(bed.set_up(TOKEN, PASSWORD).await, Verdict::Proven(()));
        let set_up = async || {
            second.set_up(&"a token that was never used".into(), &"another".repeat(2).into(), Browser::default()).await
        };
        assert_eq!(set_up().await.unwrap(), Verdict::Refused);
        bed.pass(Duration::from_mins(15));
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        assert_eq!(outcome(&bed.change_password(&cookies, PASSWORD, "third password").await), "proven");
        assert_eq!(set_up().await.unwrap(), Verdict::Refused);
    }

    #[tokio::test]
    async fn a_password_that_is_too_short_or_long_is_told_and_uses_nothing_up() {
        let bed = first_day().await;
        for password in ["1234567", &"x".repeat(129)] {
            let error = bed.admin.set_up(&TOKEN.into(), &password.into(), Browser::default()).await.unwrap_err();
            assert_eq!(error.public().field.as_deref(), Some("password"));
        }
        assert_eq!(bed.set_up(TOKEN, PASSWORD).await, Verdict::Proven(()));
    }

    #[tokio::test]
    async fn the_local_password_is_set_at_each_start_and_changes_nothing_when_it_is_the_same() {
        let bed = first_day().await;
        let set = async |password: &str| bed.admin.set_password_locally(&password.into()).await;
        set("admin").await.unwrap();
        let Verdict::Proven(signed_in) = bed.try_sign_in(&Cookies::default(), "admin", None).await else {
            panic!("not let in")
        };
        let mut cookies = Cookies::default();
        cookies.keep(&signed_in);
        set("admin").await.unwrap();
        assert!(bed.is_signed_in(&cookies).await);
        assert!(set("").await.is_err());
        set("other").await.unwrap();
        assert!(!bed.is_signed_in(&cookies).await);
        assert_eq!(outcome(&bed.try_sign_in(&Cookies::default(), "other", None).await), "proven");
        assert_eq!(bed.trail().await, ["password_set", "signed_in", "password_set", "signed_in"]);
    }
}

mod changing_the_password {
    use super::*;

    #[tokio::test]
    async fn it_needs_the_present_one_ends_every_other_session_and_gives_a_new_one() {
        let bed = bed().await;
        let (mut cookies, mut other) = (Cookies::default(), Cookies::default());
        bed.sign_in(&mut cookies).await;
        bed.sign_in(&mut other).await;
        let old = cookies.clone();
        assert_eq!(outcome(&bed.change_password(&cookies, "wrong", "new password").await), "refused");
        bed.pass(Duration::from_secs(1));
        let Verdict::Proven(signed_in) = bed.change_password(&cookies, PASSWORD, "new password").await else {
            panic!("not changed")
        };
        cookies.keep(&signed_in);
        assert_eq!(cookies.device, old.device);
        assert!(bed.is_signed_in(&cookies).await);
        assert!(!bed.is_signed_in(&old).await && !bed.is_signed_in(&other).await);
        assert_eq!(outcome(&bed.try_sign_in(&cookies, PASSWORD, None).await), "refused");
        bed.pass(Duration::from_secs(10));
        assert_eq!(outcome(&bed.try_sign_in(&cookies, "new password", None).await), "proven");
    }

    #[tokio::test]
    async fn guessing_the_present_one_is_counted_like_signing_in() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        let session = bed.session(&cookies).await.unwrap();
        let before = HASHES.get();
        let (wrong, new) = ("wrong".into(), "new password".into());
        let guess = || bed.admin.change_password(&session, &wrong, &new, cookies.browser());
        join_all((0..50).map(|_| guess())).await;
        assert_eq!(HASHES.get() - before, 1);
        let off = bed.admin.one_time_codes_off(&wrong, &session.actor(None), cookies.browser()).await.unwrap();
        assert_eq!(off, Verdict::Wait(Duration::from_secs(1)));
    }

    #[tokio::test]
    async fn a_session_that_ended_meanwhile_changes_nothing() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        for end in ["sign out", "everywhere"] {
            bed.sign_in(&mut cookies).await;
            let session = bed.session(&cookies).await.unwrap();
            match end {
                "sign out" => bed.admin.sign_out(cookies.session()).await.unwrap(),
                _ => bed.admin.sign_out_everywhere(&session.actor(None)).await.unwrap(),
            }
            let (current, new) = (PASSWORD.into(), "new password".into());
            let verdict = bed.admin.change_password(&session, &current, &new, cookies.browser()).await.unwrap();
            assert_eq!(outcome(&verdict), "refused", "{end}");
            bed.pass(Duration::from_secs(10));
        }
        bed.sign_in(&mut cookies).await;
    }
}

mod one_time_codes {
    use super::*;

    /// A deployment that asks for codes, and a browser that is signed in.
    async fn with_codes() -> (Bed, Cookies, OneTimeSecret) {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        let secret = bed.codes_on(&cookies).await;
        // Two steps: the code that turned codes on is used.
        bed.pass(Duration::from_mins(1));
        (bed, cookies, secret)
    }

    #[tokio::test]
    async fn signing_in_needs_both_and_does_not_tell_which_is_wrong() {
        let (bed, cookies, secret) = with_codes().await;
        let now_and_old = || {
            let now = bed.clock.now();
            (secret.code(now), secret.code(now - Duration::from_mins(10)))
        };
        for (password, which) in
            [(PASSWORD, "none"), (PASSWORD, "empty"), (PASSWORD, "old"), ("wrong", "now"), ("wrong", "old")]
        {
            let (now, old) = now_and_old();
            let code = match which {
                "none" => None,
                "empty" => Some(""),
                "old" => Some(old.as_str()),
                _ => Some(now.as_str()),
            };
            let before = HASHES.get();
            assert_eq!(outcome(&bed.try_sign_in(&cookies, password, code).await), "refused");
            assert_eq!(HASHES.get() - before, 1);
            bed.pass(Duration::from_mins(15));
        }
        let (now, _) = now_and_old();
        assert_eq!(outcome(&bed.try_sign_in(&cookies, PASSWORD, Some(&now)).await), "proven");
    }

    #[tokio::test]
    async fn a_code_is_good_once_and_none_before_it_afterwards() {
        let (bed, cookies, secret) = with_codes().await;
        let (previous, code) = (secret.code(bed.clock.now() - Duration::from_secs(30)), secret.code(bed.clock.now()));
        assert_eq!(outcome(&bed.try_sign_in(&cookies, PASSWORD, Some(&code)).await), "proven");
        for used in [&code, &previous] {
            assert_eq!(outcome(&bed.try_sign_in(&cookies, PASSWORD, Some(used)).await), "refused");
            bed.pass(Duration::from_secs(4));
        }
        let next = secret.code(bed.clock.now() + Duration::from_secs(30));
        assert_eq!(outcome(&bed.try_sign_in(&cookies, PASSWORD, Some(&next)).await), "proven");
    }

    #[tokio::test]
    async fn of_many_that_use_a_code_at_the_same_moment_one_does_and_a_lost_answer_is_its_own() {
        let (bed, _, _) = with_codes().await;
        let credentials = &bed.admin.credentials;
        let seen = credentials.read().await.unwrap().unwrap();
        let names: Vec<_> = (0..20).map(|number| format!("attempt {number}")).collect();
        let all = join_all(names.iter().map(|name| credentials.use_step(&seen, u64::MAX, name))).await;
        let winners: Vec<_> = all.into_iter().zip(&names).filter(|(used, _)| matches!(used, Ok(true))).collect();
        assert_eq!(winners.len(), 1);
        assert!(credentials.use_step(&seen, u64::MAX, winners[0].1).await.unwrap());
    }

    #[tokio::test]
    async fn the_code_that_turns_codes_on_is_used_by_that() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        let secret = bed.codes_on(&cookies).await;
        let code = secret.code(bed.clock.now());
        assert_eq!(outcome(&bed.try_sign_in(&cookies, PASSWORD, Some(&code)).await), "refused");
    }

    #[tokio::test]
    async fn codes_are_turned_on_by_a_right_code_and_never_in_the_place_of_others() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.sign_in(&mut cookies).await;
        let actor = bed.session(&cookies).await.unwrap().actor(None);
        let (secret, other) = (OneTimeSecret::generate(), OneTimeSecret::generate());
        let on = async |secret: &OneTimeSecret, code: String| {
            bed.admin.one_time_codes_on(secret, &code.into(), &actor).await.unwrap()
        };
        assert_eq!(on(&secret, other.code(bed.clock.now())).await, Verdict::Refused);
        assert_eq!(bed.admin.prompt().await.unwrap(), Prompt::Password { one_time_code: false });
        assert_eq!(on(&secret, secret.code(bed.clock.now())).await, Verdict::Proven(()));
        assert_eq!(on(&other, other.code(bed.clock.now())).await, Verdict::Refused);
        bed.pass(Duration::from_mins(1));
        let code = secret.code(bed.clock.now());
        assert_eq!(outcome(&bed.try_sign_in(&cookies, PASSWORD, Some(&code)).await), "proven");
    }

    #[tokio::test]
    async fn codes_are_turned_off_by_a_code_that_is_not_used() {
        let (bed, mut cookies, secret) = with_codes().await;
        let actor = bed.session(&cookies).await.unwrap().actor(None);
        let off =
            async |code: String| bed.admin.one_time_codes_off(&code.into(), &actor, cookies.browser()).await.unwrap();
        assert_eq!(off("000000x".to_owned()).await, Verdict::Refused);
        assert_eq!(off(secret.code(bed.clock.now())).await, Verdict::Wait(Duration::from_secs(1)));
        bed.pass(Duration::from_secs(1));
        assert_eq!(off(secret.code(bed.clock.now())).await, Verdict::Proven(()));
        assert_eq!(off(secret.code(bed.clock.now())).await, Verdict::Refused, "they are off");
        bed.pass(Duration::from_secs(10));
        bed.sign_in(&mut cookies).await;
    }

    #[tokio::test]
    async fn a_secret_that_can_not_be_read_has_no_good_codes() {
        let bed = first_day().await;
        let hash = text(&password::hash(&PASSWORD.into()).unwrap());
        for odd in ["", "!", "GEZDGNBV"] {
            bed.put(&[
                ("id", text("credential")),
                ("password_hash", hash.clone()),
                ("epoch", number(1)),
                ("one_time_secret", text(odd)),
            ])
            .await;
            for code in [None, Some(""), Some("000000")] {
                assert_eq!(outcome(&bed.try_sign_in(&Cookies::default(), PASSWORD, code).await), "refused");
                bed.pass(Duration::from_mins(15));
            }
        }
    }
}

mod the_trail {
    use super::*;

    #[tokio::test]
    async fn every_change_is_in_the_audit_trail_and_nothing_else() {
        let bed = bed().await;
        let mut cookies = Cookies::default();
        bed.try_sign_in(&cookies, "wrong", None).await;
        bed.pass(Duration::from_secs(1));
        bed.sign_in(&mut cookies).await;
        let secret = bed.codes_on(&cookies).await;
        bed.pass(Duration::from_mins(1));
        let actor = bed.session(&cookies).await.unwrap().actor(Some("192.0.2.1"));
        let code = secret.code(bed.clock.now()).into();
        bed.admin.one_time_codes_off(&code, &actor, cookies.browser()).await.unwrap();
        bed.change_password(&cookies, PASSWORD, "new password").await;
        bed.admin.sign_out_everywhere(&actor).await.unwrap();
        let expected = [
            "password_set",
            "signed_in",
            "one_time_codes_on",
            "one_time_codes_off",
            "password_set",
            "signed_out_everywhere",
        ];
        assert_eq!(bed.trail().await, expected);
        let rows = AuditTrail::new(&bed.database).newest(None, None, 1).await.unwrap();
        assert_eq!((rows[0].by.as_str(), rows[0].address.as_deref()), ("admin", Some("192.0.2.1")));
    }

    #[test]
    fn the_page_may_wait_for_answers_on_any_thread() {
        fn is_send(_: impl Send) {}
        // Never run: that it compiles is the guarantee.
        let _ = |admin: &Admin, session: &Session, secret: &SecretString, proof: &PasswordProof| {
            is_send(admin.prompt());
            is_send(admin.sign_in(proof, Browser::default()));
            is_send(admin.find_session(""));
            is_send(admin.set_up(secret, secret, Browser::default()));
            is_send(admin.change_password(session, secret, secret, Browser::default()));
        };
    }
}
