//! Which templates an account may send: a few names, for whoever could send nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Account, AccountId, Clock};
use jiff::Timestamp;
use whatsapp::{ListedTemplate, WhatsApp};

/// How long they are remembered.
const MEMORY: Duration = Duration::from_mins(1);
/// So many are named.
const NAMED: usize = 5;

/// What Meta last said of each account's templates. A clone shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApprovedTemplates(Arc<Mutex<HashMap<AccountId, Remembered>>>);

#[derive(Debug)]
struct Remembered {
    names: Vec<String>,
    until: Timestamp,
}

impl ApprovedTemplates {
    /// Some of an account's approved templates, each as `hello_world (en_US)`; none where there are none, or where Meta does
    /// not tell within `timeout`. That it did not is remembered too: a Meta that is slow is not asked at every refusal.
    pub(crate) async fn some(
        &self,
        account: &Account,
        whatsapp: &WhatsApp,
        clock: &Clock,
        timeout: Duration,
    ) -> Vec<String> {
        if let Some(names) = self.remembered(account.id, clock.now()) {
            return names;
        }
        let business = whatsapp.business(&account.waba_id, &account.access_token);
        let names = match tokio::time::timeout(timeout, business.list_templates()).await {
            Ok(Ok(templates)) => approved(&templates),
            Ok(Err(error)) => not_named(&error.to_string()),
            Err(late) => not_named(&late.to_string()),
        };
        if let Ok(until) = clock.now().saturating_add(MEMORY) {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(account.id, Remembered { names: names.clone(), until });
        }
        names
    }

    fn remembered(&self, account_id: AccountId, now: Timestamp) -> Option<Vec<String>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&account_id).filter(|remembered| now < remembered.until).map(|remembered| remembered.names.clone())
    }
}

fn approved(templates: &[ListedTemplate]) -> Vec<String> {
    let approved = templates.iter().filter(|template| template.status == "APPROVED").take(NAMED);
    approved.map(|template| format!("{} ({})", template.name, template.language)).collect()
}

fn not_named(cause: &str) -> Vec<String> {
    tracing::warn!(cause, "a refusal is told without the names of templates");
    Vec::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_approved_templates_are_named_and_a_few_of_them() {
        let template = |number: usize| {
            let status = if number.is_multiple_of(2) { "APPROVED" } else { "PAUSED" };
            let template =
                json!({"id": "1", "name": format!("t{number}"), "language": "en", "status": status, "category": ""});
            serde_json::from_value(template).unwrap()
        };
        let templates: Vec<ListedTemplate> = (0..20).map(template).collect();
        assert_eq!(approved(&templates), ["t0 (en)", "t2 (en)", "t4 (en)", "t6 (en)", "t8 (en)"]);
        assert!(approved(&templates[1..2]).is_empty());
    }
}
