//! DynamoDB on this machine: the engine `dynoxide` over HTTP, with the tables of template.yaml.
//!
//! The local stack keeps its data with it and the tests run on it, both through the real AWS SDK.

use std::net::SocketAddr;
use std::path::PathBuf;

use dynoxide::Database;
use dynoxide::actions::list_tables::ListTablesRequest;
use serde_json::{Map, Value, json};
use template::Template;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Where an engine keeps its tables.
#[derive(Clone, Debug)]
pub enum Data {
    /// Nowhere: they are gone when the engine stops.
    Memory,
    /// In this file, made when it is not there.
    File(PathBuf),
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The port is taken, or may not be used.
    #[error("the address {0} can't be used: {1}")]
    Address(SocketAddr, std::io::Error),
    /// The file can't be opened, or is not the engine's.
    #[error("the tables can't be opened: {0}")]
    Tables(String),
    /// template.yaml describes no tables that the engine understands.
    #[error(transparent)]
    Template(#[from] template::TemplateError),
}

/// A running engine. Dropping it stops it.
#[derive(Debug)]
pub struct Engine {
    url: String,
    table_prefix: String,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Engine {
    /// Starts an engine on `address` and makes the tables of template.yaml that it does not have yet, their names
    /// behind `table_prefix` and a hyphen.
    pub async fn start(data: &Data, address: SocketAddr, table_prefix: &str) -> Result<Self, EngineError> {
        let listener = TcpListener::bind(address).await.map_err(|error| EngineError::Address(address, error))?;
        let address = listener.local_addr().map_err(|error| EngineError::Address(address, error))?;
        let database = open(data).map_err(EngineError::Tables)?;
        for table in Template::ours()?.tables {
            create(&database, &table, table_prefix).map_err(EngineError::Tables)?;
        }
        // Forgets what expired while nothing ran; code never relies on it.
        database.sweep_ttl().map_err(|error| EngineError::Tables(error.to_string()))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let stopped = async move {
                // An error is a dropped sender: the engine was dropped.
                let _ = stopped.await;
            };
            // It ends with an error only when accepting does; whoever asks then finds nobody listening.
            let _ = dynoxide::server::serve_with_shutdown(listener, database, stopped).await;
        });
        Ok(Self { url: format!("http://{address}"), table_prefix: table_prefix.to_owned(), stop: Some(stop), server })
    }

    /// Starts an engine that keeps nothing, on a free port.
    pub async fn in_memory() -> Result<Self, EngineError> {
        Self::start(&Data::Memory, SocketAddr::from(([127, 0, 0, 1], 0)), "test").await
    }

    /// The address that any AWS SDK or command line takes as its endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the names of the tables begin with, before the hyphen.
    pub fn table_prefix(&self) -> &str {
        &self.table_prefix
    }

    /// Stops the engine, once what is under way is done.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // An error is a server that ended already.
            let _ = stop.send(());
        }
        let _ = (&mut self.server).await;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

fn open(data: &Data) -> Result<Database, String> {
    match data {
        Data::Memory => Database::memory().map_err(|error| error.to_string()),
        Data::File(path) => {
            let path = path.to_str().ok_or("the path is not UTF-8")?;
            Database::new(path).map_err(|error| format!("{path}: {error}"))
        }
    }
}

fn create(database: &Database, table: &template::Table, prefix: &str) -> Result<(), String> {
    let name = format!("{prefix}-{}", table.name);
    let fail = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let mut definition = table.definition.clone();
    definition.insert("TableName".to_owned(), json!(name));
    let is_there = || -> Result<bool, String> {
        let tables = database.list_tables(ListTablesRequest::default()).map_err(|error| fail(&error))?;
        Ok(tables.table_names.contains(&name))
    };
    if is_there()? {
        return add_indexes(database, &name, &definition).map_err(|error| fail(&error));
    }
    let request = serde_json::from_value(definition.into()).map_err(|error| fail(&error))?;
    if let Err(error) = database.create_table(request) {
        // Another process that has just started on the same file was faster.
        return if is_there()? { Ok(()) } else { Err(fail(&error)) };
    }
    if let Some(attribute) = &table.time_to_live {
        let specification = json!({
            "TableName": name,
            "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
        });
        let request = serde_json::from_value(specification).map_err(|error| fail(&error))?;
        database.update_time_to_live(request).map_err(|error| fail(&error))?;
    }
    Ok(())
}

/// Adds the indexes that a table of an earlier version does not have yet.
fn add_indexes(database: &Database, table: &str, definition: &Map<String, Value>) -> Result<(), String> {
    let describe = serde_json::from_value(json!({"TableName": table})).map_err(|error| error.to_string())?;
    let described = database.describe_table(describe).map_err(|error| error.to_string())?;
    let described = serde_json::to_value(described).map_err(|error| error.to_string())?;
    let names = |indexes: &Value| -> Vec<String> {
        let indexes = indexes.as_array().map_or(&[][..], Vec::as_slice);
        indexes.iter().filter_map(|index| index.get("IndexName")?.as_str().map(str::to_owned)).collect()
    };
    let there = described.pointer("/Table/GlobalSecondaryIndexes").map(names).unwrap_or_default();
    let wanted = definition.get("GlobalSecondaryIndexes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_missing = |index: &&Value| {
        index.get("IndexName").and_then(Value::as_str).is_some_and(|name| !there.iter().any(|there| there == name))
    };
    for index in wanted.iter().filter(is_missing) {
        let request = json!({
            "TableName": table,
            "AttributeDefinitions": definition.get("AttributeDefinitions"),
            "GlobalSecondaryIndexUpdates": [{"Create": index}],
        });
        let request = serde_json::from_value(request).map_err(|error| error.to_string())?;
        database.update_table(request).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_opened_again_still_has_its_tables() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::File(folder.path().join("tables.db"));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Engine::start(&data, address, "test").await.unwrap().stop().await;
        Engine::start(&data, address, "test").await.unwrap().stop().await;
    }

    #[tokio::test]
    async fn a_table_of_an_earlier_version_gets_the_indexes_that_it_lacks_with_its_rows_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables.db");
        let key = json!([{"AttributeName": "contact", "KeyType": "HASH"}]);
        let before = json!({"TableName": "test-Conversations", "KeySchema": key, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "contact", "AttributeType": "S"}]});
        let row = json!({"contact": {"S": "1#9"}, "account_id": {"N": "1"}, "last_message_at": {"N": "5"}});
        {
            let database = Database::new(path.to_str().unwrap()).unwrap();
            database.create_table(serde_json::from_value(before).unwrap()).unwrap();
            let put = json!({"TableName": "test-Conversations", "Item": row});
            database.put_item(serde_json::from_value(put).unwrap()).unwrap();
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Engine::start(&Data::File(path.clone()), address, "test").await.unwrap().stop().await;
        let database = Database::new(path.to_str().unwrap()).unwrap();
        let query = json!({"TableName": "test-Conversations", "IndexName": "newest",
            "KeyConditionExpression": "account_id = :a", "ExpressionAttributeValues": {":a": {"N": "1"}}});
        let found = database.query(serde_json::from_value(query).unwrap()).unwrap();
        assert_eq!(found.count, 1);
    }

    #[tokio::test]
    async fn a_taken_port_is_told_with_its_address() {
        let first = Engine::in_memory().await.unwrap();
        let address = first.url().trim_start_matches("http://").parse().unwrap();
        let error = Engine::start(&Data::Memory, address, "test").await.unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}
