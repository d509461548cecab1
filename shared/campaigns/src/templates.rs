//! What Meta says of the template that a campaign sends.

use std::time::Duration;

use domain::Account;
use whatsapp::WhatsApp;

use crate::shape::Shape;

/// The longest that a client waits for it. What is not learnt in time is not checked here, but by Meta when it is sent.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks Meta for an account's template. `None`: there is none of this name in this language, or Meta did not say.
pub(crate) async fn shape(whatsapp: &WhatsApp, account: &Account, name: &str, language: &str) -> Option<Shape> {
    let business = whatsapp.business(&account.waba_id, &account.access_token);
    let found = tokio::time::timeout(PATIENCE, Box::pin(business.find_templates(name))).await.ok()?.ok()?;
    found.iter().find(|template| template.name == name && template.language == language).map(Shape::of)
}
