//! The environment variables of a function.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use template::Template;
use testbed::Testbed;

/// The environment variables of a function: nothing else is inherited.
#[derive(Clone, Debug)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// What Lambda sets by itself and what template.yaml sets for every function, for one that works on a testbed. Every
    /// secret holds the word `canary`, but for those of the testbed.
    pub fn new(function: &str, testbed: &Testbed) -> Self {
        let accounts = json!([{
            "id": 1,
            "phone_number_id": meta_simulator::PHONE_NUMBER_ID,
            "waba_id": meta_simulator::WABA_ID,
            "access_token": meta_simulator::ACCESS_TOKEN,
            "app_secret": "canary of the app secret",
        }]);
        // As long as a real one.
        let session_token = "canary/session+token=".repeat(30);
        let log_group = format!("/aws/lambda/{function}");
        let variables = [
            // Lambda's own (AWS Lambda: "Defined runtime environment variables")
            ("_HANDLER", "bootstrap"),
            ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_NAME", function),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_SECRET_ACCESS_KEY", "canary/secret+access/key"),
            ("AWS_SESSION_TOKEN", &session_token),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("LANG", "en_US.UTF-8"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
            ("TZ", ":UTC"),
            // template.yaml's
            ("ACCOUNTS_VERSION", "1"),
            ("ALLOW_QUERY_API_KEY", "true"),
            ("DEFAULT_COUNTRY_CODE", "91"),
            ("GRAPH_API_URL", &testbed.simulator.graph_api_url()),
            ("TABLE_PREFIX", testbed.engine.table_prefix()),
            // its functions' that send campaigns
            ("SEND_CAMPAIGN_QUEUE_URL", &testbed.queues.queue_url(testbed::campaigns::QUEUE)),
            // in place of AWS
            ("AWS_ENDPOINT_URL_SQS", testbed.queues.url()),
            ("AWS_ENDPOINT_URL_DYNAMODB", testbed.engine.url()),
            ("WHATSAPP_ACCOUNTS", &accounts.to_string()),
        ];
        Self(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// How long template.yaml lets the function work on an event; one that does not stand there as long as an endpoint.
    pub(crate) fn timeout(&self) -> Duration {
        const OF_AN_ENDPOINT: Duration = Duration::from_secs(28);
        let name = self.0.get("AWS_LAMBDA_FUNCTION_NAME");
        let template = Template::ours().expect("template.yaml can be read");
        let function = template.functions.into_iter().find(|function| Some(&function.name) == name);
        function.map_or(OF_AN_ENDPOINT, |function| function.timeout)
    }

    /// With another variable, or another value of one.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without a variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_variable_of_the_template_is_set() {
        let template = include_str!("../../../template.yaml");
        let (_, variables) = template.split_once("Environment:\n      Variables:\n").unwrap();
        let names: Vec<_> =
            variables.lines().map_while(|line| line.trim().split_once(':')).map(|(name, _)| name).collect();
        let environment = Environment::new("any", &Testbed::start().await);
        assert!(names.contains(&"TABLE_PREFIX"), "{names:?}");
        // WHATSAPP_ACCOUNTS stands in for it.
        for name in names.into_iter().filter(|name| *name != "WHATSAPP_ACCOUNTS_SECRET") {
            assert!(environment.0.contains_key(name), "{name}");
        }
    }
}
