//! Every operation by its name.

use serde_json::{Value, json};

use crate::batch;
use crate::errors::Refusal;
use crate::queues::Queues;
use crate::requests::{self, Change, Members, NewMessage, NewQueue, Receive};

pub(crate) async fn run(queues: &Queues, operation: &str, mut members: Members) -> Result<Value, Refusal> {
    // Not every operation is one of a queue.
    let queue = requests::take_queue(&mut members);
    match operation {
        "CreateQueue" => create(queues, members),
        "GetQueueUrl" => get_url(queues, members),
        "ListQueues" => {
            requests::nothing_more(members)?;
            Ok(json!({"QueueUrls": queues.urls()}))
        }
        "GetQueueAttributes" => get_attributes(queues, &queue?, members),
        "PurgeQueue" => {
            requests::nothing_more(members)?;
            queues.on(&queue?, |queue, _| {
                queue.purge();
                Ok(json!({}))
            })
        }
        "SendMessage" => send(queues, &queue?, members),
        "ReceiveMessage" => {
            let messages = queues.receive(&queue?, &Receive::read(members)?).await?;
            Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
        }
        "DeleteMessage" => delete(queues, &queue?, members),
        "ChangeMessageVisibility" => change_visibility(queues, &queue?, members),
        "SendMessageBatch" => in_batch(queues, &queue?, members, send),
        "DeleteMessageBatch" => in_batch(queues, &queue?, members, delete),
        "ChangeMessageVisibilityBatch" => in_batch(queues, &queue?, members, change_visibility),
        _ => Err(Refusal::Operation(operation.to_owned())),
    }
}

/// What a request does to a queue, or an entry of a batch.
type Act = fn(&Queues, &str, Members) -> Result<Value, Refusal>;

fn in_batch(queues: &Queues, queue: &str, members: Members, act: Act) -> Result<Value, Refusal> {
    // Without the queue the whole request fails.
    queues.on(queue, |_, _| Ok(()))?;
    batch::each(members, |entry| act(queues, queue, entry))
}

fn create(queues: &Queues, members: Members) -> Result<Value, Refusal> {
    let NewQueue { queue, settings } = NewQueue::read(members)?;
    queues.create(&queue, settings)?;
    Ok(json!({"QueueUrl": queues.url(&queue)}))
}

fn get_url(queues: &Queues, members: Members) -> Result<Value, Refusal> {
    let queue = requests::queue_name(members)?;
    queues.on(&queue, |_, _| Ok(json!({"QueueUrl": queues.url(&queue)})))
}

fn get_attributes(queues: &Queues, queue: &str, members: Members) -> Result<Value, Refusal> {
    let names = requests::attribute_names(members)?;
    let mut attributes = queues.on(queue, |queue, now| Ok(queue.attributes(now)))?;
    let all_names: Vec<_> = attributes.keys().copied().chain(["All", "RedrivePolicy"]).collect();
    if let Some(unknown) = names.iter().find(|name| !all_names.contains(&name.as_str())) {
        return Err(Refusal::AttributeName(unknown.clone()));
    }
    attributes.retain(|attribute, _| names.iter().any(|name| name == "All" || name == attribute));
    Ok(json!({"Attributes": attributes}))
}

fn send(queues: &Queues, queue: &str, members: Members) -> Result<Value, Refusal> {
    let sent = queues.send(queue, NewMessage::read(members)?)?;
    Ok(json!({"MessageId": sent.id, "MD5OfMessageBody": sent.md5}))
}

fn delete(queues: &Queues, queue: &str, members: Members) -> Result<Value, Refusal> {
    queues.on(queue, |queue, _| {
        queue.delete(requests::receipt(members)?);
        Ok(json!({}))
    })
}

fn change_visibility(queues: &Queues, queue: &str, members: Members) -> Result<Value, Refusal> {
    queues.on(queue, |queue, now| {
        queue.change_visibility(&Change::read(members)?, now)?;
        Ok(json!({}))
    })
}
