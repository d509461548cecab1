//! One name in every spelling: template.yaml, the function's folder and package, and the route in its code.

use add_recipients::AddRecipients;
use api::{Consumer, Endpoint, Route, Task};
use block_contact::BlockContact;
use cancel_campaign::CancelCampaign;
use create_campaign::CreateCampaign;
use get_campaign::GetCampaign;
use get_message::GetMessage;
use get_openapi::GetOpenapi;
use key_page::KeyPage;
use list_blocked::ListBlocked;
use list_campaigns::ListCampaigns;
use list_chats::ListChats;
use list_events::ListEvents;
use list_messages::ListMessages;
use list_recipients::ListRecipients;
use pause_campaign::PauseCampaign;
use read_chat::ReadChat;
use read_docs::ReadDocs;
use receive_webhook::ReceiveWebhook;
use refresh_blocked::RefreshBlocked;
use resume_campaign::ResumeCampaign;
use retry_failed::RetryFailed;
use send_campaign::SendCampaign;
use send_location::SendLocation;
use send_message::SendMessage;
use send_template::SendTemplate;
use start_campaign::StartCampaign;
use template::Template;
use tend_campaigns::TendCampaigns;
use unblock_contact::UnblockContact;

const ROUTES: &[Route] = &[
    AddRecipients::ROUTE,
    BlockContact::ROUTE,
    CancelCampaign::ROUTE,
    CreateCampaign::ROUTE,
    GetCampaign::ROUTE,
    GetMessage::ROUTE,
    GetOpenapi::ROUTE,
    KeyPage::ROUTE,
    ListBlocked::ROUTE,
    ListCampaigns::ROUTE,
    ListChats::ROUTE,
    ListEvents::ROUTE,
    ListMessages::ROUTE,
    ListRecipients::ROUTE,
    PauseCampaign::ROUTE,
    ReadChat::ROUTE,
    ReadDocs::ROUTE,
    ReceiveWebhook::ROUTE,
    ResumeCampaign::ROUTE,
    RetryFailed::ROUTE,
    SendLocation::ROUTE,
    SendMessage::ROUTE,
    SendTemplate::ROUTE,
    StartCampaign::ROUTE,
    UnblockContact::ROUTE,
];

/// The functions that only a schedule starts.
const TASKS: &[&str] = &[RefreshBlocked::NAME, TendCampaigns::NAME];

/// The functions that take messages from a queue.
const CONSUMERS: &[&str] = &[SendCampaign::NAME];

#[test]
fn the_template_the_folders_and_the_code_name_the_same_functions() {
    let mut in_template: Vec<_> =
        Template::ours().unwrap().functions.into_iter().map(|function| function.name).collect();
    in_template.sort();
    let nobody_calls = TASKS.iter().chain(CONSUMERS).copied();
    let mut in_code: Vec<_> = ROUTES.iter().map(|route| route.name).chain(nobody_calls).collect();
    in_code.sort_unstable();
    assert_eq!(in_template, super::folders("functions"));
    assert_eq!(in_template, in_code);
}

#[test]
fn the_template_and_the_code_name_the_same_paths() {
    for function in Template::ours().unwrap().functions {
        let (is_task, is_consumer) =
            (TASKS.contains(&function.name.as_str()), CONSUMERS.contains(&function.name.as_str()));
        assert_eq!(!function.schedules.is_empty(), is_task, "{}", function.name);
        assert_eq!(!function.sources.is_empty(), is_consumer, "{}", function.name);
        if is_task || is_consumer {
            assert!(function.routes.is_empty(), "{}", function.name);
            continue;
        }
        let route = ROUTES.iter().find(|route| route.name == function.name).unwrap();
        let own = route.path.strip_suffix('/').unwrap().to_owned();
        // Whatever looks at the method itself also stands for all that is below its path.
        let below = route.methods.is_empty().then(|| format!("{own}/{{proxy+}}"));
        let paths: Vec<_> = function.routes.iter().map(|route| route.path.clone()).collect();
        assert_eq!(paths, [own].into_iter().chain(below).collect::<Vec<_>>(), "{}", function.name);
        // Where a path has a function for each method, each answers that method alone.
        let mut methods = function.routes.iter().filter_map(|route| route.method.as_deref());
        assert!(methods.all(|method| route.methods == [method]), "{}", function.name);
        // And says of the others that there are.
        let others = ROUTES.iter().filter(|other| other.path == route.path && other.name != route.name);
        let others: Vec<_> = others.flat_map(|other| other.methods).collect();
        assert_eq!(others, route.beside.iter().collect::<Vec<_>>(), "{}", function.name);
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
