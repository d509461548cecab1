//! In place of AWS: starts the functions that nobody calls, by the schedules of template.yaml.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use template::Template;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use uuid::Uuid;

use crate::functions::Task;
use crate::gateway::NoSuchFunction;

/// Starts the schedules of a template: the first run is one period from now. Dropping what this gives ends them, and what
/// runs then.
pub(crate) fn start(template: &Template, tasks: &HashMap<&str, Task>) -> Result<JoinSet<()>, NoSuchFunction> {
    let mut schedules = JoinSet::new();
    for function in &template.functions {
        for period in &function.schedules {
            let task = tasks.get(function.name.as_str()).ok_or_else(|| NoSuchFunction(function.name.clone()))?;
            let starts = tokio::time::interval_at(Instant::now() + *period, *period);
            schedules.spawn(repeat(starts, Arc::clone(task), function.timeout));
        }
    }
    Ok(schedules)
}

/// Runs a task at each start. What becomes of a run is in its line of the log.
async fn repeat(mut starts: Interval, task: Task, time_left: Duration) {
    // A machine that slept has nothing to make up for.
    starts.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        starts.tick().await;
        task(Uuid::new_v4().to_string(), time_left).await;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use clap::Parser;
    use domain::{Error, Result};
    use meta_simulator::Simulator;
    use template::Function;

    use super::*;
    use crate::{Settings, Stack, functions};

    /// Counts its runs, and fails and panics by turns.
    struct Fails(Arc<AtomicUsize>);

    impl api::Task for Fails {
        const NAME: &'static str = "fails";

        async fn run(&self, _time_left: Duration) -> Result<()> {
            assert!(self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2), "an odd run");
            Err(Error::internal("an even run"))
        }
    }

    fn template(name: &str) -> Template {
        let schedules = vec![Duration::from_hours(1), Duration::from_hours(24)];
        let function = Function {
            name: name.to_owned(),
            timeout: Duration::from_mins(15),
            routes: Vec::new(),
            schedules,
            sources: Vec::new(),
            grants: BTreeSet::new(),
        };
        Template { functions: vec![function], tables: Vec::new(), queues: Vec::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_runs_one_period_after_the_start_and_again_whatever_becomes_of_it_until_the_end() {
        let runs = Arc::new(AtomicUsize::new(0));
        let tasks = HashMap::from([functions::task(Fails(Arc::clone(&runs)))]);
        let schedules = start(&template("fails"), &tasks).unwrap();
        let count_after = async |minutes: u64| {
            tokio::time::sleep(Duration::from_mins(minutes)).await;
            runs.load(Ordering::SeqCst)
        };
        assert_eq!(count_after(59).await, 0);
        assert_eq!(count_after(2).await, 1);
        assert_eq!(count_after(120).await, 3);
        // Of the day's schedule one more.
        assert_eq!(count_after(21 * 60).await, 25);
        drop(schedules);
        assert_eq!(count_after(120).await, 25);
    }

    /// Over the real template, functions and tables.
    #[tokio::test]
    async fn an_hour_after_its_start_the_stack_asks_meta_who_is_blocked() {
        let meta = Simulator::start().await.unwrap();
        let settings = ["local", "--port", "0", "--dynamodb-port", "0", "--local-data-dir", ":memory:"];
        let url = meta.graph_api_url();
        let settings = Settings::parse_from(settings.into_iter().chain(["--graph-api-url", &url]));
        let stack = Stack::start(settings).await.unwrap();
        let asked = || meta.requests().iter().any(|request| request.path.ends_with("/block_users"));
        assert!(!asked());
        tokio::time::pause();
        tokio::time::advance(Duration::from_hours(1)).await;
        tokio::time::resume();
        let comes = async {
            while !asked() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), comes).await.unwrap();
        stack.stop().await;
    }

    #[tokio::test]
    async fn a_schedule_of_a_function_that_nobody_built_is_told() {
        let NoSuchFunction(name) = start(&template("unknown"), &HashMap::new()).unwrap_err();
        assert_eq!(name, "unknown");
    }
}
