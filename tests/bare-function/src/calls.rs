//! The calls: read from JSON as it went over the wire into the requests of the SDK, and sent.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemFluentBuilder;
use aws_sdk_dynamodb::operation::batch_write_item::builders::BatchWriteItemFluentBuilder;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, DeleteRequest, KeysAndAttributes, Put, PutRequest, TransactWriteItem,
    Update, WriteRequest,
};
use aws_sdk_sqs::operation::send_message_batch::builders::SendMessageBatchFluentBuilder;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::clients::Clients;

/// What one invocation of the other function calls, and what it answers in the end.
#[derive(Deserialize)]
pub(crate) struct Invocation {
    pub(crate) calls: Vec<Recorded>,
    pub(crate) answer: Value,
}

/// One call as it went over the wire.
#[derive(Deserialize)]
pub(crate) struct Recorded {
    /// AWS: such as `DynamoDB_20120810.GetItem`; Meta: the method.
    operation: String,
    url: String,
    body: Value,
}

/// A call that can be sent again and again.
pub(crate) enum Call {
    BatchGet(BatchGetItemFluentBuilder),
    BatchWrite(BatchWriteItemFluentBuilder),
    Delete(DeleteItemFluentBuilder),
    Get(GetItemFluentBuilder),
    Put(PutItemFluentBuilder),
    Query(QueryFluentBuilder),
    Scan(ScanFluentBuilder),
    Transact(TransactWriteItemsFluentBuilder),
    Update(UpdateItemFluentBuilder),
    Enqueue(SendMessageBatchFluentBuilder),
    Meta { client: reqwest::Client, method: reqwest::Method, url: reqwest::Url, body: Value },
}

type Item = HashMap<String, AttributeValue>;

impl Call {
    pub(crate) async fn send(&self) -> Result<(), Error> {
        match self {
            Self::BatchGet(call) => answered(call.clone().send().await),
            Self::BatchWrite(call) => answered(call.clone().send().await),
            Self::Delete(call) => answered(call.clone().send().await),
            Self::Get(call) => answered(call.clone().send().await),
            Self::Put(call) => answered(call.clone().send().await),
            Self::Query(call) => answered(call.clone().send().await),
            Self::Scan(call) => answered(call.clone().send().await),
            Self::Transact(call) => answered(call.clone().send().await),
            Self::Update(call) => answered(call.clone().send().await),
            Self::Enqueue(call) => answered(call.clone().send().await),
            Self::Meta { client, method, url, body } => {
                let request = client.request(method.clone(), url.clone()).bearer_auth("token");
                let request = if body.is_null() { request } else { request.json(body) };
                let answer = request.timeout(Duration::from_secs(12)).send().await?.bytes().await?;
                // Not every answer is JSON, nor is every answer a good one.
                drop(serde_json::from_slice::<Value>(&answer));
                Ok(())
            }
        }
    }
}

/// A refusal is an answer, too: a condition that does not hold, such as the other function meets.
fn answered<T, E>(answer: Result<T, SdkError<E>>) -> Result<(), Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) | Err(SdkError::ServiceError(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Clients {
    pub(crate) fn prepare(&self, call: &Recorded) -> Result<Call, Error> {
        let (db, input) = (&self.dynamodb, Input(&call.body));
        let operation = call.operation.rsplit('.').next().unwrap_or_default();
        Ok(match operation {
            "BatchGetItem" => Call::BatchGet(db.batch_get_item().set_request_items(input.map("RequestItems", keys)?)),
            "BatchWriteItem" => {
                let requests = |table: &Value| list(table, write_request);
                Call::BatchWrite(db.batch_write_item().set_request_items(input.map("RequestItems", requests)?))
            }
            "DeleteItem" => Call::Delete(
                db.delete_item()
                    .set_table_name(input.text("TableName"))
                    .set_key(input.map("Key", attribute)?)
                    .set_condition_expression(input.text("ConditionExpression"))
                    .set_expression_attribute_names(input.map("ExpressionAttributeNames", text)?)
                    .set_expression_attribute_values(input.map("ExpressionAttributeValues", attribute)?)
                    .set_return_values(input.word("ReturnValues")),
            ),
            "GetItem" => Call::Get(
                db.get_item()
                    .set_table_name(input.text("TableName"))
                    .set_key(input.map("Key", attribute)?)
                    .set_consistent_read(input.boolean("ConsistentRead"))
                    .set_projection_expression(input.text("ProjectionExpression"))
                    .set_expression_attribute_names(input.map("ExpressionAttributeNames", text)?),
            ),
            "PutItem" => Call::Put(
                db.put_item()
                    .set_table_name(input.text("TableName"))
                    .set_item(input.map("Item", attribute)?)
                    .set_condition_expression(input.text("ConditionExpression"))
                    .set_expression_attribute_names(input.map("ExpressionAttributeNames", text)?)
                    .set_expression_attribute_values(input.map("ExpressionAttributeValues", attribute)?)
                    .set_return_values(input.word("ReturnValues"))
                    .set_return_values_on_condition_check_failure(input.word("ReturnValuesOnConditionCheckFailure")),
            ),
            "Query" => Call::Query(
                db.query()
                    .set_table_name(input.text("TableName"))
                    .set_index_name(input.text("IndexName"))
                    .set_key_condition_expression(input.text("KeyConditionExpression"))
                    .set_filter_expression(input.text("FilterExpression"))
                    .set_projection_expression(input.text("ProjectionExpression"))
                    .set_expression_attribute_names(input.map("ExpressionAttributeNames", text)?)
                    .set_expression_attribute_values(input.map("ExpressionAttributeValues", attribute)?)
                    .set_exclusive_start_key(input.map("ExclusiveStartKey", attribute)?)
                    .set_limit(input.number("Limit"))
                    .set_select(input.word("Select"))
                    .set_scan_index_forward(input.boolean("ScanIndexForward"))
                    .set_consistent_read(input.boolean("ConsistentRead")),
            ),
            "Scan" => Call::Scan(db.scan().set_table_name(input.text("TableName")).set_limit(input.number("Limit"))),
            "TransactWriteItems" => {
                let writes = list(input.member("TransactItems"), transact_item)?;
                Call::Transact(db.transact_write_items().set_transact_items(Some(writes)))
            }
            "UpdateItem" => Call::Update(
                db.update_item()
                    .set_table_name(input.text("TableName"))
                    .set_key(input.map("Key", attribute)?)
                    .set_update_expression(input.text("UpdateExpression"))
                    .set_condition_expression(input.text("ConditionExpression"))
                    .set_expression_attribute_names(input.map("ExpressionAttributeNames", text)?)
                    .set_expression_attribute_values(input.map("ExpressionAttributeValues", attribute)?)
                    .set_return_values(input.word("ReturnValues"))
                    .set_return_values_on_condition_check_failure(input.word("ReturnValuesOnConditionCheckFailure")),
            ),
            "SendMessageBatch" => Call::Enqueue(
                self.sqs
                    .as_ref()
                    .ok_or("no client for the queue")?
                    .send_message_batch()
                    .set_queue_url(input.text("QueueUrl"))
                    .set_entries(Some(list(input.member("Entries"), entry)?)),
            ),
            _ => Call::Meta {
                client: self.meta.clone().ok_or("no client for Meta")?,
                method: operation.parse()?,
                url: call.url.parse()?,
                body: call.body.clone(),
            },
        })
    }
}

/// The JSON object of a request.
struct Input<'a>(&'a Value);

impl<'a> Input<'a> {
    fn member(&self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.member(name).as_str().map(str::to_owned)
    }

    fn boolean(&self, name: &str) -> Option<bool> {
        self.member(name).as_bool()
    }

    fn number(&self, name: &str) -> Option<i32> {
        self.member(name).as_i64().and_then(|number| number.try_into().ok())
    }

    /// One of an enumeration's words.
    fn word<T: for<'word> From<&'word str>>(&self, name: &str) -> Option<T> {
        self.member(name).as_str().map(T::from)
    }

    fn map<T>(
        &self,
        name: &str,
        read: impl Fn(&Value) -> Result<T, Error>,
    ) -> Result<Option<HashMap<String, T>>, Error> {
        self.member(name).as_object().map(|members| map(members, read)).transpose()
    }
}

fn map<T>(
    members: &Map<String, Value>,
    read: impl Fn(&Value) -> Result<T, Error>,
) -> Result<HashMap<String, T>, Error> {
    members.iter().map(|(name, value)| Ok((name.clone(), read(value)?))).collect()
}

fn list<T>(values: &Value, read: impl Fn(&Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    values.as_array().into_iter().flatten().map(read).collect()
}

fn text(value: &Value) -> Result<String, Error> {
    value.as_str().map(str::to_owned).ok_or_else(|| "no text".into())
}

fn item(value: &Value) -> Result<Item, Error> {
    map(value.as_object().ok_or("no item")?, attribute)
}

fn attribute(value: &Value) -> Result<AttributeValue, Error> {
    let (kind, value) = value.as_object().and_then(|members| members.iter().next()).ok_or("no attribute")?;
    Ok(match kind.as_str() {
        "S" => AttributeValue::S(text(value)?),
        "N" => AttributeValue::N(text(value)?),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap_or_default()),
        "NULL" => AttributeValue::Null(true),
        "SS" => AttributeValue::Ss(list(value, text)?),
        "NS" => AttributeValue::Ns(list(value, text)?),
        "L" => AttributeValue::L(list(value, attribute)?),
        "M" => AttributeValue::M(item(value)?),
        "B" => AttributeValue::B(decoded(value)?),
        other => return Err(format!("an attribute {other}").into()),
    })
}

fn decoded(value: &Value) -> Result<aws_sdk_dynamodb::primitives::Blob, Error> {
    Ok(aws_sdk_dynamodb::primitives::Blob::new(aws_smithy_types::base64::decode(text(value)?)?))
}

fn keys(value: &Value) -> Result<KeysAndAttributes, Error> {
    let input = Input(value);
    Ok(KeysAndAttributes::builder()
        .set_keys(Some(list(input.member("Keys"), item)?))
        .set_consistent_read(input.boolean("ConsistentRead"))
        .set_projection_expression(input.text("ProjectionExpression"))
        .set_expression_attribute_names(input.map("ExpressionAttributeNames", text)?)
        .build()?)
}

fn write_request(value: &Value) -> Result<WriteRequest, Error> {
    let (put, delete) = (Input(value).member("PutRequest"), Input(value).member("DeleteRequest"));
    let put = Input(put).map("Item", attribute)?.map(|item| PutRequest::builder().set_item(Some(item)).build());
    let delete = Input(delete).map("Key", attribute)?.map(|key| DeleteRequest::builder().set_key(Some(key)).build());
    Ok(WriteRequest::builder().set_put_request(put.transpose()?).set_delete_request(delete.transpose()?).build())
}

/// The members that all writes of a transaction have.
macro_rules! write_of_a_transaction {
    ($builder:expr, $input:expr) => {
        $builder
            .set_table_name($input.text("TableName"))
            .set_condition_expression($input.text("ConditionExpression"))
            .set_expression_attribute_names($input.map("ExpressionAttributeNames", text)?)
            .set_expression_attribute_values($input.map("ExpressionAttributeValues", attribute)?)
            .set_return_values_on_condition_check_failure($input.word("ReturnValuesOnConditionCheckFailure"))
    };
}

fn transact_item(value: &Value) -> Result<TransactWriteItem, Error> {
    let (kind, value) = value.as_object().and_then(|members| members.iter().next()).ok_or("no write")?;
    let input = Input(value);
    let write = TransactWriteItem::builder();
    Ok(match kind.as_str() {
        "Put" => {
            let put = write_of_a_transaction!(Put::builder(), input);
            write.put(put.set_item(input.map("Item", attribute)?).build()?)
        }
        "Update" => {
            let update = write_of_a_transaction!(Update::builder(), input).set_key(input.map("Key", attribute)?);
            write.update(update.set_update_expression(input.text("UpdateExpression")).build()?)
        }
        "Delete" => {
            let delete = write_of_a_transaction!(Delete::builder(), input);
            write.delete(delete.set_key(input.map("Key", attribute)?).build()?)
        }
        _ => {
            let check = write_of_a_transaction!(ConditionCheck::builder(), input);
            write.condition_check(check.set_key(input.map("Key", attribute)?).build()?)
        }
    }
    .build())
}

fn entry(value: &Value) -> Result<SendMessageBatchRequestEntry, Error> {
    let input = Input(value);
    Ok(SendMessageBatchRequestEntry::builder()
        .set_id(input.text("Id"))
        .set_message_body(input.text("MessageBody"))
        .set_delay_seconds(input.number("DelaySeconds"))
        .build()?)
}
