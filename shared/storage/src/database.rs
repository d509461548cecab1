//! The connection to DynamoDB.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Region;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use domain::Error;
use jiff::Timestamp;

use crate::aws::{self, Connector, Service, SetupError};

/// So often a write is tried that meets a transaction on the same row.
const CONFLICT_ATTEMPTS: u32 = 8;
/// The wait before the second of these; each further one is twice as long.
const CONFLICT_WAIT: Duration = Duration::from_millis(5);
const WARM_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection to the tables of one deployment. A clone shares the connection.
#[derive(Clone, Debug)]
pub struct Database {
    client: Client,
    tables: Arc<Tables>,
}

/// Where the tables are, and the connections that the client has there.
#[derive(Debug)]
struct Tables {
    prefix: String,
    connector: Connector,
    url: String,
}

impl Database {
    /// The tables of the deployment that the environment names: `TABLE_PREFIX`, and what Lambda itself sets.
    pub fn from_env() -> Result<Self, SetupError> {
        Self::of_stack(&aws::required("TABLE_PREFIX")?)
    }

    /// The tables of the deployment with this name, reached with what Lambda itself sets in the environment.
    pub fn of_stack(name: &str) -> Result<Self, SetupError> {
        Ok(Self::new(aws::from_env("AWS_ENDPOINT_URL_DYNAMODB")?, name))
    }

    /// The tables of an engine on this machine.
    pub fn local(endpoint_url: &str, prefix: &str) -> Self {
        Self::new(aws::local(endpoint_url), prefix)
    }

    fn new(Service { config, connector }: Service, prefix: &str) -> Self {
        let region = config.region().map_or("", Region::as_ref);
        let url = config.endpoint_url().map_or_else(|| regional_url(region), str::to_owned);
        let tables = Tables { prefix: prefix.to_owned(), connector, url };
        Self { client: Client::new(&config), tables: Arc::new(tables) }
    }

    /// Opens the connection to DynamoDB ahead of the first call, so that this doesn't wait for DNS, TCP and TLS. Takes at most a
    /// second, and may fail: the first call will tell.
    ///
    /// Not by a read: a signed call through the whole of the SDK takes three times the CPU.
    pub async fn warm(&self) {
        // DynamoDB answers it with a line of text, whoever asks.
        let _ = tokio::time::timeout(WARM_TIMEOUT, self.tables.connector.get(&self.tables.url)).await;
    }

    /// The SDK's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The full name of a table that template.yaml calls `name`.
    pub fn table(&self, name: &str) -> String {
        format!("{}-{name}", self.tables.prefix)
    }

    /// Makes all of the writes or none. An answer that is lost on the way is asked for again under the same token, so
    /// that nothing is written twice.
    pub async fn transact(&self, writes: Vec<TransactWriteItem>) -> domain::Result<Transacted> {
        let mut attempts = 1;
        loop {
            let answer = self.client.transact_write_items().set_transact_items(Some(writes.clone())).send().await;
            let Err(error) = answer else { return Ok(Transacted::Done) };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
                return Err(outage(error));
            };
            let because = |code: &str| {
                let mut reasons = canceled.cancellation_reasons().iter();
                reasons.position(|reason| reason.code() == Some(code))
            };
            if let Some(write) = because("ConditionalCheckFailed") {
                return Ok(Transacted::Refused { write });
            }
            // Two transactions met, and DynamoDB let neither wait for the other: nothing of this one is written.
            if because("TransactionConflict").is_none() || attempts == CONFLICT_ATTEMPTS {
                return Err(outage(error));
            }
            tokio::time::sleep(CONFLICT_WAIT * (1 << attempts)).await;
            attempts += 1;
        }
    }

    /// Makes a conditional update of a row that transactions write, too.
    pub async fn update(&self, update: UpdateItemFluentBuilder) -> domain::Result<Written> {
        self.update_and_read(update).await.map(|(written, _)| written)
    }

    /// The same, with what the update asks for of the row that it wrote.
    pub(crate) async fn update_and_read(
        &self,
        update: UpdateItemFluentBuilder,
    ) -> domain::Result<(Written, Option<Row>)> {
        let mut attempts = 1;
        loop {
            let mut answer = update.clone().send().await;
            let error = answer.as_ref().err().and_then(SdkError::as_service_error);
            if !error.is_some_and(UpdateItemError::is_transaction_conflict_exception) || attempts == CONFLICT_ATTEMPTS {
                let row = answer.as_mut().ok().and_then(|output| output.attributes.take());
                return Written::update(answer).map(|written| (written, row));
            }
            tokio::time::sleep(CONFLICT_WAIT * (1 << attempts)).await;
            attempts += 1;
        }
    }
}

/// Where DynamoDB is in a region (AWS: "Amazon `DynamoDB` endpoints and quotas").
fn regional_url(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://dynamodb.{region}.{domain}")
}

/// A moment as it is stored in an attribute: milliseconds since the Unix epoch.
pub fn epoch_millis(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

/// DynamoDB could not be reached, or refused for a reason that is not the request's: an outage, never "not found".
pub fn outage<E>(error: SdkError<E>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    match error {
        // Not the whole of it: its raw answer may quote rows.
        SdkError::ServiceError(context) => Error::storage(context.into_err()),
        other => Error::storage(other),
    }
}

/// What a conditional write came to.
#[derive(Debug)]
pub enum Written {
    /// The row is as the write wanted it.
    Done,
    /// The condition does not hold. With it the row that stands there, if there is one and the write asked for it.
    Refused(Option<Row>),
}

/// What a transaction came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transacted {
    /// Everything is written.
    Done,
    /// Nothing is: the condition of this write, the first of them that does not hold, counted from 0.
    Refused {
        /// Which.
        write: usize,
    },
}

/// A row, by its attributes' names.
type Row = HashMap<String, AttributeValue>;

impl Written {
    /// Reads the answer to a conditional put.
    pub fn put(answer: Result<PutItemOutput, SdkError<PutItemError>>) -> domain::Result<Self> {
        match answer {
            Ok(_) => Ok(Self::Done),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => Ok(Self::Refused(refused.item.clone())),
                _ => Err(outage(error)),
            },
        }
    }

    /// Reads the answer to a conditional update.
    pub fn update(answer: Result<UpdateItemOutput, SdkError<UpdateItemError>>) -> domain::Result<Self> {
        match answer {
            Ok(_) => Ok(Self::Done),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Self::Refused(refused.item.clone()))
                }
                _ => Err(outage(error)),
            },
        }
    }

    /// Whether the condition held.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
    use embedded_dynamodb::Engine;
    use tokio::io::copy_bidirectional;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn warming_opens_the_connection_that_the_first_call_uses() {
        let engine = Engine::in_memory().await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let database = Database::local(&url, engine.table_prefix());
        let calls = async {
            database.warm().await;
            let list = database.client().list_tables().limit(1).send();
            assert_eq!(list.await.unwrap().table_names().len(), 1);
        };
        let only_connection = async {
            let mut client = listener.accept().await.unwrap().0;
            let mut server = TcpStream::connect(engine.url().trim_start_matches("http://")).await.unwrap();
            copy_bidirectional(&mut client, &mut server).await
        };
        tokio::select! {
            () = calls => {}
            _ = only_connection => panic!("the connection ended"),
        }
    }

    #[tokio::test]
    async fn warming_gives_up_after_a_second_and_never_fails() {
        let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let patience = Duration::from_secs(30);
        tokio::time::timeout(patience, Database::local(&url, "x").warm()).await.unwrap();
        Database::local("http://127.0.0.1:1", "x").warm().await;
    }

    #[tokio::test]
    async fn the_url_that_is_warmed_is_where_the_sdk_sends_its_calls() {
        for region in ["eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1"] {
            let params = Params::builder().region(region).build().unwrap();
            let endpoint = DefaultResolver::new().resolve_endpoint(&params).await.unwrap();
            assert_eq!(regional_url(region), endpoint.url());
        }
    }
}
