//! The block list of a number.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::error::Error;
use crate::graph_error::GraphError;
use crate::node::MAX_CALL_TIME;
use crate::number::Number;
use crate::paging;

/// How many users one call may block or unblock.
pub const MAX_USERS_PER_BLOCK: usize = 1000;

/// A user to block or unblock. A plain text is a phone number or WhatsApp id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum BlockUser<'a> {
    /// By phone number or WhatsApp id.
    #[serde(rename = "user")]
    Phone(&'a str),
    /// By business-scoped user id, such as `US.13491208655302741918`: somebody whose number WhatsApp hides. A parent id
    /// (`US.ENT.…`) makes the whole call fail.
    #[serde(rename = "user_id")]
    UserId(&'a str),
}

impl<'a> From<&'a str> for BlockUser<'a> {
    fn from(phone: &'a str) -> Self {
        Self::Phone(phone)
    }
}

/// What Meta did with each user of a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BlockOutcome {
    /// Those now blocked, or unblocked.
    pub changed: Vec<ChangedUser>,
    /// Those that Meta refused, with its reasons; never the same request again with all users, only with these.
    pub failed: Vec<FailedUser>,
    /// Meta's error for the whole, when some or all failed (139100).
    pub error: Option<Box<GraphError>>,
    /// Meta's answer, byte for byte.
    pub answer: Box<RawValue>,
}

/// A user whose state was changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChangedUser {
    /// The user as the caller wrote it.
    #[serde(default)]
    pub input: String,
    /// The WhatsApp id: digits.
    #[serde(default)]
    pub wa_id: Option<String>,
    /// The business-scoped user id.
    #[serde(default)]
    pub user_id: Option<String>,
}

/// A user whose state was not changed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FailedUser {
    /// The user. Meta gives no `wa_id` for a number that cannot be one.
    pub user: ChangedUser,
    /// Why: 131047 is a user who hasn't written in the last 24 hours, or no user of WhatsApp at all.
    pub errors: Vec<GraphError>,
}

/// A user on the block list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BlockedUser {
    /// The WhatsApp id: digits. Absent for users who go by a username.
    #[serde(default)]
    pub wa_id: Option<String>,
    /// The business-scoped user id.
    #[serde(default)]
    pub user_id: Option<String>,
}

impl Number {
    /// Blocks users; at most [`MAX_USERS_PER_BLOCK`].
    ///
    /// Only users who wrote to this number in the last 24 hours can be blocked. That Meta refuses some, or all, is a result
    /// and not an error; look at [`failed`](BlockOutcome::failed).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let number = whatsapp::WhatsApp::new(&meta.graph_api_url())?.number(meta_simulator::PHONE_NUMBER_ID, &token);
    /// let outcome = number.block(&["+919876543210"]).await?;
    /// for refused in &outcome.failed {
    ///     println!("{} is not blocked: {:?}", refused.user.input, refused.errors);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn block<'a, U>(&self, users: &[U]) -> Result<BlockOutcome, Error>
    where
        U: Copy + Into<BlockUser<'a>>,
    {
        self.change_block_list(Method::POST, users.iter().map(|user| (*user).into()).collect()).await
    }

    /// Unblocks users; at most [`MAX_USERS_PER_BLOCK`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let number = whatsapp::WhatsApp::new(&meta.graph_api_url())?.number(meta_simulator::PHONE_NUMBER_ID, &token);
    /// let users = [whatsapp::BlockUser::Phone("+919876543210"), whatsapp::BlockUser::UserId("US.13491208655302741918")];
    /// let outcome = number.unblock(&users).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unblock<'a, U>(&self, users: &[U]) -> Result<BlockOutcome, Error>
    where
        U: Copy + Into<BlockUser<'a>>,
    {
        self.change_block_list(Method::DELETE, users.iter().map(|user| (*user).into()).collect()).await
    }

    /// All users that this number blocks; one request per 100.
    ///
    /// If the list changes meanwhile, it is read again from the start, up to three times.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
    /// # let number = whatsapp::WhatsApp::new(&meta.graph_api_url())?.number(meta_simulator::PHONE_NUMBER_ID, &token);
    /// println!("{} users are blocked", number.list_blocked().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_blocked(&self) -> Result<Vec<BlockedUser>, Error> {
        /// Older documentation shows the users one level deeper.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Row {
            Nested { block_users: Vec<BlockedUser> },
            User(BlockedUser),
        }
        let rows: Vec<Row> = paging::read_all(&self.node, "block_users", &[("limit", "100")]).await?;
        let users = rows.into_iter().flat_map(|row| match row {
            Row::Nested { block_users } => block_users,
            Row::User(user) => vec![user],
        });
        Ok(users.collect())
    }

    async fn change_block_list(&self, method: Method, users: Vec<BlockUser<'_>>) -> Result<BlockOutcome, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            messaging_product: &'static str,
            block_users: Vec<BlockUser<'a>>,
        }
        if users.is_empty() {
            return Err(Error::Invalid("no users are given"));
        }
        if users.len() > MAX_USERS_PER_BLOCK {
            return Err(Error::Invalid("more than 1000 users are given"));
        }
        let body = Body { messaging_product: "whatsapp", block_users: users };
        let request = self.node.request(method, "block_users")?.json(&body);
        let answer = self.node.call(request, MAX_CALL_TIME).await?;
        match read_outcome(&answer) {
            Some(outcome) => Ok(outcome),
            None if answer.status.is_success() && answer.graph_error().is_none() => Err(answer.not_understood()),
            None => Err(answer.failure()),
        }
    }
}

/// A result, if the answer tells what became of the users, whatever its status: by Meta's older page a partial failure is a
/// 400, and its newer page doesn't say.
pub(crate) fn read_outcome(answer: &Answer) -> Option<BlockOutcome> {
    #[derive(Deserialize)]
    struct Outcome {
        block_users: Users,
    }
    #[derive(Deserialize)]
    struct Users {
        #[serde(default, rename = "added_users")]
        added: Vec<ChangedUser>,
        // Meta's page once showed `added_users` for an unblock as well.
        #[serde(default, rename = "removed_users")]
        removed: Vec<ChangedUser>,
        #[serde(default, rename = "failed_users")]
        failed: Vec<Failed>,
    }
    #[derive(Deserialize)]
    struct Failed {
        #[serde(flatten)]
        user: ChangedUser,
        #[serde(default)]
        errors: Vec<Value>,
    }
    let json = answer.json()?;
    let Outcome { block_users } = serde_json::from_str(json.get()).ok()?;
    let mut changed = block_users.added;
    changed.extend(block_users.removed);
    let failed = block_users.failed.into_iter().map(|Failed { user, errors }| FailedUser {
        user,
        errors: errors.into_iter().map(|error| answer.read_error(error)).collect(),
    });
    let failed = failed.collect();
    Some(BlockOutcome { changed, failed, error: answer.graph_error().map(Box::new), answer: json })
}
