use std::time::Duration;

use domain::Scope;
use embedded_dynamodb::Engine;

use super::*;
use crate::keys::Keys;

const LEGACY: &str = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9";

struct Bed {
    engine: Engine,
    database: Database,
    keys: Keys,
    registry: Registry,
    clock: Clock,
    by: Actor,
}

async fn bed() -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let clock = Clock::fixed("2026-01-02T03:04:05.678Z".parse().unwrap());
    let database = Database::local(engine.url(), engine.table_prefix());
    let by = Actor { name: "admin".to_owned(), address: Some("192.0.2.7".to_owned()) };
    Bed {
        keys: Keys::new(&database, clock.clone()),
        registry: Registry::new(&database, clock.clone()),
        engine,
        database,
        clock,
        by,
    }
}

impl Bed {
    async fn create(&self, settings: KeySettings) -> (ApiKey, KeyRecord) {
        self.registry.create(&Registry::new_id(), settings, &self.by).await.unwrap()
    }

    async fn sender(&self) -> (ApiKey, KeyRecord) {
        self.create(KeySettings { scopes: [Scope::MessagesSend].into(), ..KeySettings::unlimited("shop") }).await
    }

    async fn is_let_in(&self, key: &ApiKey) -> bool {
        match self.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), Kind::Unauthorized, "{error:?}");
                false
            }
        }
    }

    async fn kind(&self, presented: Option<&str>, scope: Scope) -> Kind {
        self.keys.authorize(presented, scope).await.unwrap_err().kind()
    }

    /// What the trail says was done, latest first.
    async fn trail(&self, key_id: Option<&str>) -> Vec<String> {
        let trail = AuditTrail::new(&self.database).newest(key_id, None, 100).await.unwrap();
        trail.into_iter().map(|entry| entry.action).collect()
    }

    async fn names(&self, search: &str) -> Vec<String> {
        let page = self.registry.newest(search, None, 100).await.unwrap();
        page.keys.into_iter().map(|key| key.name).collect()
    }

    /// Everything that is stored, as text.
    async fn dump(&self) -> String {
        let mut tables = Vec::new();
        for table in ["ApiKeys", "ApiKeyIds", "ApiKeyUse", "AuditTrail"] {
            let rows = self.database.client().scan().table_name(self.database.table(table)).send().await.unwrap();
            tables.push(rows.items);
        }
        format!("{tables:?}")
    }
}

fn message(error: &Error) -> &str {
    &error.public().message
}

#[tokio::test]
async fn a_valid_key_makes_a_caller() {
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    let caller = bed.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await.unwrap();
    assert_eq!(caller.key_id(), record.id);
}

#[tokio::test]
async fn no_key_and_an_unknown_key_are_unauthorized() {
    let bed = bed().await;
    let unknown = ApiKey::generate();
    for presented in [None, Some(""), Some(unknown.reveal()), Some(LEGACY)] {
        assert_eq!(bed.kind(presented, Scope::MessagesSend).await, Kind::Unauthorized);
    }
}

#[tokio::test]
async fn a_disabled_key_is_refused_on_the_next_request() {
    const TIMES: usize = 250;
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    // As many environments of functions, each with whatever it remembers of the key.
    let environments: Vec<_> = (0..4).map(|_| Keys::new(&bed.database, bed.clock.clone())).collect();
    let let_in = async || {
        let authorize = |keys| Keys::authorize(keys, Some(key.reveal()), Scope::MessagesSend);
        futures::future::join_all(environments.iter().map(authorize)).await.into_iter().flatten().count()
    };
    for _ in 0..TIMES {
        assert_eq!(let_in().await, environments.len());
        bed.registry.set_active(&record.id, false, &bed.by).await.unwrap();
        assert_eq!(let_in().await, 0);
        bed.registry.set_active(&record.id, true, &bed.by).await.unwrap();
    }
    let error = bed.registry.set_active(&Registry::new_id(), false, &bed.by).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn switching_off_what_is_off_changes_nothing_and_is_not_told() {
    let bed = bed().await;
    let (_, record) = bed.sender().await;
    let off = bed.registry.set_active(&record.id, false, &bed.by).await.unwrap();
    assert_eq!(bed.registry.set_active(&record.id, false, &bed.by).await.unwrap(), off);
    assert_eq!(bed.trail(None).await, ["disabled", "created"]);
}

#[tokio::test]
async fn a_key_is_refused_from_the_moment_it_expires() {
    let bed = bed().await;
    let expires_at = Some(bed.clock.now() + Duration::from_mins(1));
    let (key, _) = bed.create(KeySettings { expires_at, ..KeySettings::unlimited("shop") }).await;
    bed.clock.advance(Duration::from_millis(59_999));
    assert!(bed.is_let_in(&key).await);
    bed.clock.advance(Duration::from_millis(1));
    assert!(!bed.is_let_in(&key).await);
}

#[tokio::test]
async fn a_key_without_the_scope_is_forbidden_and_told_which() {
    let bed = bed().await;
    let (key, _) = bed.sender().await;
    let error = bed.keys.authorize(Some(key.reveal()), Scope::ChatsRead).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Forbidden);
    assert_eq!(error.public().missing_scope.as_deref(), Some("chats:read"));
}

#[tokio::test]
async fn a_key_over_its_limit_is_told_when_to_come_again_and_others_are_not_slowed() {
    let bed = bed().await;
    let limited = KeySettings { requests_per_minute: Some(3), ..KeySettings::unlimited("limited") };
    let ((key, _), (other, _)) = (bed.create(limited).await, bed.sender().await);
    for _ in 0..3 {
        assert!(bed.is_let_in(&key).await);
    }
    let error = bed.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await.unwrap_err();
    assert_eq!((error.kind(), error.public().retry_after_s), (Kind::Throttled, Some(20)));
    assert!(bed.is_let_in(&other).await);
    bed.clock.advance(Duration::from_secs(20));
    assert!(bed.is_let_in(&key).await);
}

#[tokio::test]
async fn an_imported_key_holds_every_scope_and_is_taken_exactly() {
    let bed = bed().await;
    let created_at = "2024-05-06T07:08:09.123Z".parse().unwrap();
    let import = Import { name: "old".to_owned(), is_active: true, created_at: Some(created_at) };
    let record = bed.registry.import(&ApiKey::parse(LEGACY).unwrap(), import, &bed.by).await.unwrap().unwrap();
    assert_eq!((record.created_at, record.expires_at), (created_at, None));
    for scope in Scope::ALL {
        bed.keys.authorize(Some(LEGACY), scope).await.unwrap();
    }
    for other in [LEGACY.to_uppercase(), format!(" {LEGACY}"), format!("{LEGACY}\n")] {
        assert_eq!(bed.kind(Some(&other), Scope::ChatsRead).await, Kind::Unauthorized);
    }
    bed.sender().await;
    assert_eq!(bed.names("").await, ["shop", "old"], "an old key stands behind new ones");
}

#[tokio::test]
async fn importing_a_key_again_leaves_it_as_it_is() {
    let bed = bed().await;
    let key = ApiKey::parse(LEGACY).unwrap();
    let import = |is_active| Import { name: "old".to_owned(), is_active, created_at: None };
    assert!(bed.registry.by_key(&key).await.unwrap().is_none());
    let record = bed.registry.import(&key, import(false), &bed.by).await.unwrap().unwrap();
    assert!(bed.registry.by_key(&key).await.unwrap().is_some());
    assert!(bed.registry.import(&key, import(true), &bed.by).await.unwrap().is_none());
    assert!(!bed.is_let_in(&key).await);
    assert_eq!(bed.trail(Some(&record.id)).await, ["imported"]);
}

#[tokio::test]
async fn an_imported_key_that_can_be_guessed_expires_after_30_days() {
    let bed = bed().await;
    let key = ApiKey::parse("shop-key-1").unwrap();
    let import = Import { name: "weak".to_owned(), is_active: true, created_at: None };
    let record = bed.registry.import(&key, import, &bed.by).await.unwrap().unwrap();
    assert!(record.is_weak && record.first_four.is_none());
    bed.clock.advance(Duration::from_hours(30 * 24) - Duration::from_millis(1));
    assert!(bed.is_let_in(&key).await);
    bed.clock.advance(Duration::from_millis(1));
    assert!(!bed.is_let_in(&key).await);
}

#[tokio::test]
async fn a_key_with_a_wrong_checksum_is_refused_without_a_read() {
    let bed = bed().await;
    let (keys, presented) = (bed.keys.clone(), "wak_0123456789abcdef0123456789abcdef000000");
    bed.engine.stop().await;
    // With no table to read from, only what needs no read is refused; the rest is an outage.
    assert_eq!(keys.authorize(Some(presented), Scope::ChatsRead).await.unwrap_err().kind(), Kind::Unauthorized);
    let well_formed = ApiKey::generate();
    let error = keys.authorize(Some(well_formed.reveal()), Scope::ChatsRead).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "an outage is never an unknown key");
}

#[tokio::test]
async fn the_tables_hold_nothing_of_a_key_but_its_hash_and_its_ends() {
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    bed.is_let_in(&key).await;
    let overlap = SignedDuration::from_hours(1);
    let (successor, ..) = bed.registry.rotate(&record.id, &Registry::new_id(), overlap, &bed.by).await.unwrap();
    let legacy = ApiKey::parse(LEGACY).unwrap();
    let import = Import { name: "old".to_owned(), is_active: true, created_at: None };
    bed.registry.import(&legacy, import, &bed.by).await.unwrap();
    let dump = bed.dump().await;
    for key in [key, successor, legacy] {
        let text = key.reveal();
        assert!(dump.contains(&key.hash()));
        assert!(!dump.contains(text) && !dump.contains(&text[4..text.len() - 4]) && !dump.contains(&text[8..20]));
    }
}

#[tokio::test]
async fn a_scope_of_a_later_version_neither_breaks_a_key_nor_grants_anything() {
    let bed = bed().await;
    let (key, mut record) = bed.sender().await;
    record.scopes.insert("phones:dance".to_owned());
    let row = serde_dynamo::to_item(record).unwrap();
    let table = bed.database.table("ApiKeys");
    bed.database.client().put_item().table_name(table).set_item(Some(row)).send().await.unwrap();
    assert!(bed.is_let_in(&key).await);
    assert_eq!(bed.kind(Some(key.reveal()), Scope::ChatsRead).await, Kind::Forbidden);
}

#[tokio::test]
async fn a_key_of_an_earlier_version_of_this_program_can_be_used_and_changed() {
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    let table = bed.database.table("ApiKeys");
    let row: HashMap<String, AttributeValue> = serde_dynamo::to_item(&record).unwrap();
    let known = ["key_hash", "id", "name", "is_active", "created_at", "scopes"];
    let mut old: HashMap<_, _> = row.into_iter().filter(|(name, _)| known.contains(&name.as_str())).collect();
    old.insert("last_used_at".to_owned(), AttributeValue::N("1767323045678".to_owned()));
    bed.database.client().put_item().table_name(table).set_item(Some(old)).send().await.unwrap();
    assert!(bed.is_let_in(&key).await);
    bed.registry.set_active(&record.id, false, &bed.by).await.unwrap();
    assert!(!bed.is_let_in(&key).await);
}

#[tokio::test]
async fn sending_the_form_again_makes_no_second_key_even_after_the_first_is_deleted() {
    let bed = bed().await;
    let id = Registry::new_id();
    let create = || bed.registry.create(&id, KeySettings::unlimited("shop"), &bed.by);
    create().await.unwrap();
    let refused = create().await.unwrap_err();
    assert_eq!(refused.public().code.as_deref(), Some("made_already"));
    bed.registry.set_active(&id, false, &bed.by).await.unwrap();
    bed.registry.delete(&id, "shop", &bed.by).await.unwrap();
    assert_eq!(create().await.unwrap_err().public().code.as_deref(), Some("made_already"));
    assert_eq!(bed.names("").await, [""; 0]);
    for id in ["", "x", &uuid::Uuid::new_v4().to_string()] {
        let error = bed.registry.create(id, KeySettings::unlimited("shop"), &bed.by).await.unwrap_err();
        assert_eq!(error.public().field.as_deref(), Some("id"));
    }
}

#[tokio::test]
async fn of_many_that_send_one_form_at_the_same_moment_one_makes_a_key() {
    let bed = bed().await;
    let id = Registry::new_id();
    let made =
        futures::future::join_all((0..10).map(|_| bed.registry.create(&id, KeySettings::unlimited("shop"), &bed.by)));
    assert_eq!(made.await.into_iter().flatten().count(), 1);
    assert_eq!((bed.names("").await.len(), bed.trail(None).await.len()), (1, 1));
}

#[tokio::test]
async fn keys_are_listed_newest_first_page_by_page_and_found_by_a_part_of_their_name() {
    let bed = bed().await;
    for number in 0..7 {
        bed.create(KeySettings::unlimited(format!("Shop {number} ÄÖ"))).await;
        bed.create(KeySettings::unlimited(format!("till {number}"))).await;
    }
    let pages = async |search: &str| {
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = bed.registry.newest(search, after.as_deref(), 3).await.unwrap();
            assert!(page.keys.len() <= 3);
            names.extend(page.keys.into_iter().map(|key| key.name));
            after = page.next;
            if after.is_none() {
                return names;
            }
        }
    };
    assert_eq!(pages("").await.len(), 14);
    assert_eq!(pages("").await[..2], ["till 6", "Shop 6 ÄÖ"]);
    assert_eq!(pages("shop").await.len(), 7);
    assert_eq!(pages("3 äö").await, ["Shop 3 ÄÖ"]);
    assert_eq!(pages("nothing").await, [""; 0]);
}

#[tokio::test]
async fn changed_settings_count_from_the_next_request_and_are_told_in_the_trail() {
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    let settings = KeySettings { scopes: [Scope::ChatsRead].into(), ..KeySettings::unlimited("till") };
    let changed = bed.registry.set(&record.id, record.version, settings.clone(), &bed.by).await.unwrap();
    assert_eq!(changed.settings(), settings);
    assert_eq!(bed.kind(Some(key.reveal()), Scope::MessagesSend).await, Kind::Forbidden);
    assert_eq!(bed.names("till").await, ["till"]);
    assert_eq!(bed.names("shop").await, [""; 0]);
    let entry = AuditTrail::new(&bed.database).newest(Some(&record.id), None, 1).await.unwrap().remove(0);
    assert_eq!(
        (entry.action.as_str(), entry.by.as_str(), entry.address.as_deref()),
        ("changed", "admin", Some("192.0.2.7"))
    );
    let facts = |name: &str| (entry.before.get(name).cloned(), entry.after.get(name).cloned());
    assert_eq!(facts("name"), (Some("shop".to_owned()), Some("till".to_owned())));
    assert_eq!(facts("scopes"), (Some("messages:send".to_owned()), Some("chats:read".to_owned())));
    assert_eq!(facts("accounts"), (None, None), "what stays the same is not told");
}

#[tokio::test]
async fn settings_decided_on_an_older_state_are_a_conflict_and_change_nothing() {
    let bed = bed().await;
    let (_, record) = bed.sender().await;
    bed.registry.set_active(&record.id, false, &bed.by).await.unwrap();
    let error = bed.registry.set(&record.id, record.version, KeySettings::unlimited("x"), &bed.by).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(bed.names("").await, ["shop"]);
}

#[tokio::test]
async fn a_rotated_key_and_its_successor_are_both_accepted_until_the_overlap_is_over() {
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    let overlap = SignedDuration::from_hours(24);
    let (new_key, successor, old) =
        bed.registry.rotate(&record.id, &Registry::new_id(), overlap, &bed.by).await.unwrap();
    assert_eq!(successor.settings(), record.settings());
    assert_eq!((old.successor_id.as_ref(), successor.predecessor_id.as_ref()), (Some(&successor.id), Some(&record.id)));
    assert_eq!(old.state(bed.clock.now()), KeyState::Rotating);
    bed.clock.advance(Duration::from_hours(24) - Duration::from_millis(1));
    assert!(bed.is_let_in(&key).await && bed.is_let_in(&new_key).await);
    bed.clock.advance(Duration::from_millis(1));
    assert!(!bed.is_let_in(&key).await && bed.is_let_in(&new_key).await);
    assert_eq!(bed.trail(Some(&record.id)).await, ["rotated", "created"]);
    assert_eq!(bed.trail(Some(&successor.id)).await, ["created"]);
}

#[tokio::test]
async fn a_rotation_without_overlap_or_one_that_is_ended_refuses_the_old_key_on_the_next_request() {
    let bed = bed().await;
    for overlap in [SignedDuration::ZERO, SignedDuration::from_hours(1)] {
        let (key, record) = bed.sender().await;
        bed.registry.rotate(&record.id, &Registry::new_id(), overlap, &bed.by).await.unwrap();
        if !overlap.is_zero() {
            assert!(bed.is_let_in(&key).await);
            bed.registry.end_rotation(&record.id, &bed.by).await.unwrap();
        }
        assert!(!bed.is_let_in(&key).await);
        let error = bed.registry.undo_rotation(&record.id, &bed.by).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
    }
    let (_, other) = bed.sender().await;
    assert_eq!(bed.registry.end_rotation(&other.id, &bed.by).await.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test]
async fn a_rotation_that_is_undone_leaves_the_old_key_as_it_was_and_switches_the_new_one_off() {
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    let overlap = SignedDuration::from_hours(1);
    let (new_key, successor, _) = bed.registry.rotate(&record.id, &Registry::new_id(), overlap, &bed.by).await.unwrap();
    let undone = bed.registry.undo_rotation(&record.id, &bed.by).await.unwrap();
    assert_eq!(KeyRecord { version: record.version, ..undone }, record);
    assert!(bed.is_let_in(&key).await && !bed.is_let_in(&new_key).await);
    bed.clock.advance(Duration::from_hours(2));
    assert!(bed.is_let_in(&key).await, "it retires no more");
    assert_eq!(bed.trail(Some(&record.id)).await, ["rotation_undone", "rotated", "created"]);
    assert_eq!(bed.trail(Some(&successor.id)).await, ["disabled", "created"]);
    bed.registry.rotate(&record.id, &Registry::new_id(), overlap, &bed.by).await.unwrap();
}

#[tokio::test]
async fn only_an_active_key_is_rotated_and_only_once_at_a_time() {
    let bed = bed().await;
    let (_, record) = bed.sender().await;
    let overlap = SignedDuration::from_hours(1);
    let successor_id = Registry::new_id();
    let rotate = async |successor_id: &str| {
        let rotated = bed.registry.rotate(&record.id, successor_id, overlap, &bed.by).await;
        rotated.map(drop).map_err(|error| error.public().code.clone().unwrap().into_owned())
    };
    rotate(&successor_id).await.unwrap();
    assert_eq!(rotate(&successor_id).await.unwrap_err(), "made_already");
    assert_eq!(rotate(&Registry::new_id()).await.unwrap_err(), "conflict");
    bed.registry.undo_rotation(&record.id, &bed.by).await.unwrap();
    bed.registry.set_active(&record.id, false, &bed.by).await.unwrap();
    assert_eq!(rotate(&Registry::new_id()).await.unwrap_err(), "conflict");
}

#[tokio::test]
async fn a_successor_lives_as_long_as_its_predecessor_was_given() {
    let bed = bed().await;
    let expires_at = Some(bed.clock.now() + Duration::from_hours(90 * 24));
    let (_, record) = bed.create(KeySettings { expires_at, ..KeySettings::unlimited("shop") }).await;
    bed.clock.advance(Duration::from_hours(89 * 24));
    let rotated = bed.registry.rotate(&record.id, &Registry::new_id(), SignedDuration::ZERO, &bed.by).await;
    let (_, successor, _) = rotated.unwrap();
    assert_eq!(successor.expires_at, Some(bed.clock.now() + Duration::from_hours(90 * 24)));
}

#[tokio::test]
async fn only_a_disabled_key_is_deleted_with_its_name_typed_and_its_trail_stays() {
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    let error = bed.registry.delete(&record.id, "shop", &bed.by).await.unwrap_err();
    assert_eq!((error.kind(), bed.is_let_in(&key).await), (Kind::Conflict, true));
    bed.registry.set_active(&record.id, false, &bed.by).await.unwrap();
    let error = bed.registry.delete(&record.id, "Shop", &bed.by).await.unwrap_err();
    assert!(message(&error).contains("exactly"));
    bed.registry.delete(&record.id, " shop ", &bed.by).await.unwrap();
    assert!(bed.registry.find(&record.id).await.unwrap().is_none() && bed.names("").await.is_empty());
    assert_eq!(bed.kind(Some(key.reveal()), Scope::MessagesSend).await, Kind::Unauthorized);
    assert_eq!(bed.trail(Some(&record.id)).await, ["deleted", "disabled", "created"]);
    assert_eq!(bed.registry.delete(&record.id, "shop", &bed.by).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn changes_at_the_same_moment_are_all_made_and_all_told() {
    let bed = bed().await;
    let (key, record) = bed.sender().await;
    let toggles = futures::future::join_all((0..3).map(|n| bed.registry.set_active(&record.id, n % 2 == 0, &bed.by)));
    assert!(toggles.await.into_iter().all(|toggled| toggled.is_ok()));
    let found = bed.registry.find(&record.id).await.unwrap().unwrap();
    let told = bed.trail(Some(&record.id)).await.len();
    assert_eq!(usize::try_from(found.version).unwrap() + 1, told);
    assert_eq!(bed.is_let_in(&key).await, found.is_active);
}

#[tokio::test]
async fn an_outage_is_told_as_one_and_never_as_a_missing_key() {
    let bed = bed().await;
    let (_, record) = bed.sender().await;
    let (registry, by) = (bed.registry.clone(), bed.by.clone());
    bed.engine.stop().await;
    for kind in [
        registry.find(&record.id).await.unwrap_err().kind(),
        registry.newest("", None, 10).await.unwrap_err().kind(),
        registry.set_active(&record.id, false, &by).await.unwrap_err().kind(),
        registry.create(&Registry::new_id(), KeySettings::unlimited("x"), &by).await.unwrap_err().kind(),
    ] {
        assert_eq!(kind, Kind::Unavailable);
    }
}
