//! A WhatsApp business account: its message templates.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::node::{MAX_CALL_TIME, Node};
use crate::paging;

/// Named one by one, since Meta leaves out the last four unless asked.
const FIELDS: &str = "id,name,language,status,category,parameter_format,components,sub_category,previous_category,\
                      rejected_reason,quality_score";

/// A WhatsApp business account. Made by [`WhatsApp::business`](crate::WhatsApp::business).
///
/// Each request takes at most [`MAX_CALL_TIME`].
#[derive(Debug, Clone)]
pub struct Business {
    pub(crate) node: Node,
}

/// A template as Meta lists it. Words such as the status are Meta's, which adds new ones.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ListedTemplate {
    /// Meta's id: digits.
    pub id: String,
    /// Its name; the template of each language has the same.
    pub name: String,
    /// Language code, such as `en_US`.
    pub language: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED`, … Only an approved one can be sent.
    pub status: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// `POSITIONAL` or `NAMED`.
    #[serde(default)]
    pub parameter_format: Option<String>,
    /// Header, body, footer and buttons, in Meta's form.
    #[serde(default)]
    pub components: Vec<Value>,
    /// A finer category.
    #[serde(default)]
    pub sub_category: Option<String>,
    /// The category before Meta changed it.
    #[serde(default)]
    pub previous_category: Option<String>,
    /// Why it was rejected; `NONE` if it was not.
    #[serde(default)]
    pub rejected_reason: Option<String>,
    /// `{"score":"GREEN",…}`.
    #[serde(default)]
    pub quality_score: Option<Value>,
}

/// A template to create.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewTemplate {
    /// At most 512 characters: `a`–`z`, digits, `_`.
    pub name: String,
    /// Language code, such as `en_US`.
    pub language: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// `NAMED` for variables with names; Meta assumes `POSITIONAL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_format: Option<String>,
    /// Header, body, footer and buttons, in Meta's form. A body is required, and an example for each variable.
    pub components: Vec<Value>,
    /// Whether Meta may put it into another category instead of rejecting it. Meta decides if this is `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_category_change: Option<bool>,
}

impl NewTemplate {
    /// A template with positional variables, whose category Meta decides on.
    pub fn new(
        name: impl Into<String>,
        language: impl Into<String>,
        category: impl Into<String>,
        components: Vec<Value>,
    ) -> Self {
        Self {
            name: name.into(),
            language: language.into(),
            category: category.into(),
            parameter_format: None,
            components,
            allow_category_change: None,
        }
    }
}

/// A template that Meta has taken for review.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CreatedTemplate {
    /// Meta's id: digits.
    pub id: String,
    /// Mostly `PENDING`; may be `APPROVED` or `REJECTED` at once.
    #[serde(default)]
    pub status: Option<String>,
    /// The category that it got.
    #[serde(default)]
    pub category: Option<String>,
}

impl Business {
    /// All templates of the account, in all languages and states; one request per 50.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let business = whatsapp::WhatsApp::new(&meta.graph_api_url())?.business(meta_simulator::WABA_ID, &token);
    /// for template in business.list_templates().await? {
    ///     println!("{} ({}): {}", template.name, template.language, template.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_templates(&self) -> Result<Vec<ListedTemplate>, Error> {
        // 50, and not the usual 100, so that a page of long templates stays below the limit for an answer.
        paging::read_all(&self.node, "message_templates", &[("fields", FIELDS), ("limit", "50")]).await
    }

    /// The templates of one name, in each of its languages; whatever state they are in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let business = whatsapp::WhatsApp::new(&meta.graph_api_url())?.business(meta_simulator::WABA_ID, &token);
    /// let languages = business.find_templates("hello_world").await?;
    /// assert_eq!(languages[0].language, "en_US");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find_templates(&self, name: &str) -> Result<Vec<ListedTemplate>, Error> {
        let query = [("fields", FIELDS), ("limit", "50"), ("name", name)];
        let mut templates: Vec<ListedTemplate> = paging::read_all(&self.node, "message_templates", &query).await?;
        // Whether Meta finds parts of names, too, it does not say.
        templates.retain(|template| template.name == name);
        Ok(templates)
    }

    /// Hands in a template for Meta's review, which takes up to a day. At most 100 an hour per account.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let business = whatsapp::WhatsApp::new(&meta.graph_api_url())?.business(meta_simulator::WABA_ID, &token);
    /// use serde_json::json;
    /// use whatsapp::NewTemplate;
    ///
    /// let body = json!({
    ///     "type": "BODY",
    ///     "text": "Hello {{1}}, your order is on its way.",
    ///     "example": { "body_text": [["Rahul"]] },
    /// });
    /// let created = business.create_template(&NewTemplate::new("on_its_way", "en", "UTILITY", vec![body])).await?;
    /// println!("{}: {:?}", created.id, created.status);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_template(&self, template: &NewTemplate) -> Result<CreatedTemplate, Error> {
        let request = self.node.request(Method::POST, "message_templates")?.json(template);
        self.node.call(request, MAX_CALL_TIME).await?.success_as()
    }

    /// Deletes a template **in all its languages**. The name of an approved one stays taken for 30 days.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let business = whatsapp::WhatsApp::new(&meta.graph_api_url())?.business(meta_simulator::WABA_ID, &token);
    /// # use whatsapp::NewTemplate;
    /// # let body = serde_json::json!({ "type": "BODY", "text": "Hello" });
    /// # business.create_template(&NewTemplate::new("on_its_way", "en", "UTILITY", vec![body])).await?;
    /// business.delete_template("on_its_way").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_template(&self, name: &str) -> Result<(), Error> {
        self.delete(&[("name", name)]).await
    }

    /// Deletes a template in one language, by its id; Meta wants its name as well.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let business = whatsapp::WhatsApp::new(&meta.graph_api_url())?.business(meta_simulator::WABA_ID, &token);
    /// # use whatsapp::NewTemplate;
    /// # let body = serde_json::json!({ "type": "BODY", "text": "Hello" });
    /// # let created = business.create_template(&NewTemplate::new("on_its_way", "en", "UTILITY", vec![body])).await?;
    /// business.delete_template_by_id(&created.id, "on_its_way").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_template_by_id(&self, id: &str, name: &str) -> Result<(), Error> {
        self.delete(&[("hsm_id", id), ("name", name)]).await
    }

    async fn delete(&self, query: &[(&str, &str)]) -> Result<(), Error> {
        let request = self.node.request(Method::DELETE, "message_templates")?.query(query);
        self.node.call(request, MAX_CALL_TIME).await?.confirmed()
    }
}
