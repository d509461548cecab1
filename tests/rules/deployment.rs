//! What template.yaml must say of everything that it makes, and what its alarms listen for.

use std::collections::BTreeSet;
use std::fs;

use api::Endpoint;
use domain::Kind;
use receive_webhook::ReceiveWebhook;
use serde_json::{Value, json};

/// template.yaml, with `!GetAtt X.Arn` as `{"!GetAtt": "X.Arn"}`.
fn template() -> Value {
    let text = fs::read_to_string(super::root().join("template.yaml")).unwrap();
    serde_json::to_value(serde_norway::from_str::<serde_norway::Value>(&text).unwrap()).unwrap()
}

/// The resources of a type: each logical id, and what is said of it.
fn all_of(resource_type: &str) -> Vec<(String, Value)> {
    let resources = template()["Resources"].as_object().unwrap().clone();
    let found: Vec<_> = resources.into_iter().filter(|(_, resource)| resource["Type"] == resource_type).collect();
    assert!(!found.is_empty(), "there is no {resource_type}");
    found
}

fn one_or_many(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

#[test]
fn every_function_has_a_role_of_its_own_that_names_each_action_and_each_resource() {
    let roles = all_of("AWS::IAM::Role");
    for (id, function) in all_of("AWS::Serverless::Function") {
        let (properties, name) = (&function["Properties"], format!("{id}Role"));
        assert_eq!(properties["Role"], json!({"!GetAtt": format!("{name}.Arn")}), "{id}");
        let role = &roles.iter().find(|(id, _)| *id == name).unwrap().1["Properties"];
        assert_eq!(role["ManagedPolicyArns"], Value::Null, "{id}: AWS's own policies name no resource");
        let policies = role["Policies"].as_array().unwrap();
        let sids: Vec<_> = policies.iter().flat_map(|policy| sids(&id, policy)).collect();
        assert_eq!(sids.first().map(String::as_str), Some("WriteTheLog"), "{id}");
        assert_eq!(sids.iter().collect::<BTreeSet<_>>().len(), sids.len(), "{id} has two of one name in {sids:?}");
    }
}

/// The names of a policy's statements, each of which names its actions and resources.
fn sids(id: &str, policy: &Value) -> Vec<String> {
    let check = |statement: &Value| {
        let sid = statement["Sid"].as_str().unwrap().to_owned();
        for action in one_or_many(&statement["Action"]) {
            assert!(action.as_str().is_some_and(|action| !action.contains('*')), "{id}, {sid}: {action}");
        }
        for resource in one_or_many(&statement["Resource"]) {
            assert!(resource.is_object() && !resource.to_string().contains('*'), "{id}, {sid}: {resource}");
        }
        sid
    };
    one_or_many(&policy["PolicyDocument"]["Statement"]).iter().map(check).collect()
}

/// A policy that is there on a condition is a resource of its own: it adds to one function's role.
#[test]
fn what_a_choice_adds_to_a_role_is_as_narrow_and_goes_with_the_choice() {
    for (id, policy) in all_of("AWS::IAM::Policy") {
        let roles = policy["Properties"]["Roles"].as_array().unwrap();
        assert!(roles.len() == 1 && roles[0]["!Ref"].as_str().is_some_and(|role| role.ends_with("Role")), "{id}");
        assert!(!sids(&id, &policy["Properties"]).is_empty() && policy["Condition"].is_string(), "{id}");
    }
}

#[test]
fn admins_are_sent_back_to_where_the_key_page_takes_them_and_no_secret_is_a_parameter() {
    let template = template();
    let output = |name: &str| template["Outputs"][name]["Value"]["!Sub"].as_str().unwrap().to_owned();
    let return_url = key_page::return_url(&output("KeyPageUrl"));
    assert_eq!(output("SignInReturnUrl"), return_url);
    for (id, client) in all_of("AWS::Cognito::UserPoolClient") {
        assert_eq!(client["Properties"]["CallbackURLs"], json!([{"!Sub": return_url}]), "{id}");
        assert_eq!(client["Properties"]["GenerateSecret"], false, "{id}");
    }
    for (id, pool) in all_of("AWS::Cognito::UserPool") {
        assert_eq!(pool["Properties"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true, "{id}");
        assert_eq!(pool["Properties"]["MfaConfiguration"], "ON", "{id}");
    }
    assert!(template["Parameters"].as_object().unwrap().keys().all(|name| !name.contains("Secret")));
    assert_eq!(template["Parameters"]["SignIn"]["Default"], "password");
}

#[test]
fn no_table_and_no_account_is_lost_with_the_stack() {
    for (id, table) in all_of("AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST", "{id}");
        assert_eq!(properties["DeletionProtectionEnabled"], true, "{id}");
        assert_eq!(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{id}");
        assert_eq!(properties["SSESpecification"]["SSEEnabled"], true, "{id}");
    }
    let accounts = all_of("AWS::SecretsManager::Secret").into_iter().filter(|(id, _)| id == "AccountsSecret");
    for (id, resource) in all_of("AWS::DynamoDB::Table").into_iter().chain(accounts) {
        assert_eq!(
            (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]),
            (&json!("Retain"), &json!("Retain")),
            "{id}"
        );
    }
}

#[test]
fn every_queue_keeps_what_nobody_could_take() {
    let queues = all_of("AWS::SQS::Queue");
    for (id, queue) in &queues {
        let properties = &queue["Properties"];
        assert_eq!(properties["SqsManagedSseEnabled"], true, "{id}");
        let is_for_dead_letters = id.ends_with("DeadLetters");
        assert_eq!(properties["RedrivePolicy"].is_null(), is_for_dead_letters, "{id}");
        let two_weeks_s = 14 * 24 * 60 * 60;
        assert!(!is_for_dead_letters || properties["MessageRetentionPeriod"] == two_weeks_s, "{id}");
    }
}

#[test]
fn no_log_is_kept_for_ever_and_none_has_paths_or_queries() {
    let template = template();
    for (id, group) in all_of("AWS::Logs::LogGroup") {
        assert_eq!(group["Properties"]["RetentionInDays"], json!({"!Ref": "LogRetentionDays"}), "{id}");
    }
    let logging = &template["Globals"]["Function"]["LoggingConfig"];
    assert_eq!((&logging["LogFormat"], &logging["LogGroup"]), (&json!("JSON"), &json!({"!Ref": "Logs"})));
    let waits_for = &template["Resources"]["Api"]["Properties"]["Variables"]["LogRole"]["!If"][1];
    assert_eq!(waits_for, &json!({"!Ref": "ApiGatewayAccount"}));
    let format = template["Resources"]["Api"]["Properties"]["AccessLogSetting"]["Format"].as_str().unwrap();
    serde_json::from_str::<Value>(format).unwrap();
    for variable in ["$context.path", "$context.identity.apiKey", "$context.authorizer", "querystring", "$input"] {
        assert!(!format.contains(variable), "{variable}");
    }
}

#[test]
fn every_parameter_and_output_says_what_it_is_for() {
    let template = template();
    for section in ["Parameters", "Outputs"] {
        for (name, entry) in template[section].as_object().unwrap() {
            assert!(entry["Description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}");
        }
    }
}

#[test]
fn every_alarm_is_told_to_somebody_and_says_what_happened() {
    for (id, alarm) in all_of("AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        assert_eq!(properties["AlarmActions"], json!([{"!Ref": "Alarms"}]), "{id}");
        assert!(properties["AlarmDescription"].as_str().is_some_and(|text| text.ends_with('.')), "{id}");
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{id}");
    }
}

/// Whether the code says these words as they stand.
fn is_said(words: &str) -> bool {
    let quoted = format!("\"{words}\"");
    super::folders("shared").iter().any(|name| {
        let folder = super::root().join("shared").join(name).join("src");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        files.any(|path| fs::read_to_string(path).unwrap().contains(&quoted))
    })
}

#[test]
fn every_alarm_on_the_log_listens_for_what_the_code_still_says() {
    let alarms = all_of("AWS::CloudWatch::Alarm");
    for (id, filter) in all_of("AWS::Logs::MetricFilter") {
        let (properties, metric) = (&filter["Properties"], &filter["Properties"]["MetricTransformations"][0]);
        assert_eq!(properties["LogGroupName"], json!({"!Ref": "Logs"}), "{id}");
        let is_of_it = |alarm: &Value| {
            alarm["MetricName"] == metric["MetricName"] && alarm["Namespace"] == metric["MetricNamespace"]
        };
        assert!(alarms.iter().any(|(_, alarm)| is_of_it(&alarm["Properties"])), "{id} wakes nobody");
        let pattern = properties["FilterPattern"].as_str().unwrap();
        let terms = pattern.trim_start_matches("{ ").trim_end_matches(" }").split(" && ");
        for term in terms {
            let (field, value) = term.split_once(" = ").unwrap();
            let value = value.trim_matches('"');
            let is_true = match field {
                "$.message" => is_said(value),
                "$.outcome" => value == format!("{:?}", Kind::OutcomeUnknown),
                "$.span.route" => value == ReceiveWebhook::ROUTE.name,
                "$.status" => value == "401",
                _ => false,
            };
            assert!(is_true, "{id}: nobody says {term}");
        }
    }
}
