//! Paused, and resumed at the very moment at which a worker puts its chunk back.

use lambda_runtime_stand_in::Held;
use testbed::campaigns::people;

use crate::bed::Bed;
use crate::queue::{Queue, event};

#[tokio::test]
async fn a_chunk_that_is_put_back_while_somebody_resumes_its_campaign_waits_for_no_tick() {
    let bed = Bed::start().await;
    let queue = Queue::of(&bed.testbed.queues);
    let id = bed.testbed.campaign(1, people(0..3)).await;
    bed.start_campaign(id).await;
    let (function, messages) = (bed.function().await, queue.receive(1).await);
    bed.pause(id).await;
    // It has read that the campaign is paused.
    bed.gate.close_behind(1, Held::Request, "POST ");
    let batch = event(&messages);
    let resumed = async {
        bed.gate.reached().await;
        bed.resume(id).await;
        bed.gate.open();
    };
    let (report, ()) = tokio::join!(function.invoke(&batch), resumed);
    queue.delete(&messages, &report.unwrap()).await;
    assert_eq!(queue.receive(1).await.len(), 1);
}
