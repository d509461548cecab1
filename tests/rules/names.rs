//! One name in every spelling: template.yaml, the function's folder and package, and the route in its code.

use api::{Endpoint, Route, Task};
use block_contact::BlockContact;
use get_message::GetMessage;
use key_page::KeyPage;
use list_blocked::ListBlocked;
use list_chats::ListChats;
use list_events::ListEvents;
use list_messages::ListMessages;
use read_chat::ReadChat;
use receive_webhook::ReceiveWebhook;
use refresh_blocked::RefreshBlocked;
use send_location::SendLocation;
use send_message::SendMessage;
use send_template::SendTemplate;
use template::Template;
use unblock_contact::UnblockContact;

const ROUTES: &[Route] = &[
    BlockContact::ROUTE,
    GetMessage::ROUTE,
    KeyPage::ROUTE,
    ListBlocked::ROUTE,
    ListChats::ROUTE,
    ListEvents::ROUTE,
    ListMessages::ROUTE,
    ReadChat::ROUTE,
    ReceiveWebhook::ROUTE,
    SendLocation::ROUTE,
    SendMessage::ROUTE,
    SendTemplate::ROUTE,
    UnblockContact::ROUTE,
];

/// The functions that only a schedule starts.
const TASKS: &[&str] = &[RefreshBlocked::NAME];

#[test]
fn the_template_the_folders_and_the_code_name_the_same_functions() {
    let mut in_template: Vec<_> =
        Template::ours().unwrap().functions.into_iter().map(|function| function.name).collect();
    in_template.sort();
    let mut in_code: Vec<_> = ROUTES.iter().map(|route| route.name).chain(TASKS.iter().copied()).collect();
    in_code.sort_unstable();
    assert_eq!(in_template, super::folders("functions"));
    assert_eq!(in_template, in_code);
}

#[test]
fn the_template_and_the_code_name_the_same_paths() {
    for function in Template::ours().unwrap().functions {
        if TASKS.contains(&function.name.as_str()) {
            assert!(function.paths.is_empty() && !function.schedules.is_empty(), "{}", function.name);
            continue;
        }
        assert!(function.schedules.is_empty(), "{}", function.name);
        let route = ROUTES.iter().find(|route| route.name == function.name).unwrap();
        let own = route.path.strip_suffix('/').unwrap().to_owned();
        // Whatever looks at the method itself also stands for all that is below its path.
        let below = route.methods.is_empty().then(|| format!("{own}/{{proxy+}}"));
        assert_eq!(function.paths, [own].into_iter().chain(below).collect::<Vec<_>>(), "{}", function.name);
    }
}

#[test]
fn a_functions_package_has_its_folders_name() {
    for folder in super::folders("functions") {
        let manifest =
            std::fs::read_to_string(super::root().join("functions").join(&folder).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{folder}\"")), "{folder}");
    }
}
