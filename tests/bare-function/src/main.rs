//! A Lambda function that makes the calls of another one, with the same crates and the same settings of them, and does nothing
//! else. The benchmark of `lambda-runtime-stand-in` measures the others by it.
//!
//! What it calls and answers stands in the file that the variable `BARE_CALLS` names; see [`Invocation`].

mod calls;
mod clients;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::calls::{Call, Invocation};
use crate::clients::Clients;

/// What is made of the file, once.
struct Prepared {
    calls: Vec<Call>,
    answer: Value,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let clients = &Clients::from_env()?;
    let prepared = &OnceCell::new();
    let handler = service_fn(move |_: LambdaEvent<Value>| async move {
        // Not at the start, which is measured, too.
        let prepared = prepared.get_or_try_init(|| async { prepare(clients) }).await?;
        for call in &prepared.calls {
            call.send().await?;
        }
        Ok::<_, Error>(prepared.answer.clone())
    });
    Runtime::new(handler).run().await
}

fn prepare(clients: &Clients) -> Result<Prepared, Error> {
    let file = std::fs::read_to_string(std::env::var("BARE_CALLS")?)?;
    let invocation: Invocation = serde_json::from_str(&file)?;
    let calls = invocation.calls.iter().map(|call| clients.prepare(call)).collect::<Result<_, _>>()?;
    Ok(Prepared { calls, answer: invocation.answer })
}
