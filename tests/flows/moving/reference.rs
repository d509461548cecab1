//! A database of the reference, and what it answered of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use meta_simulator::{Account, Settings, Simulator};
use serde_json::{Value, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/importer/tests/reference");
/// Meta's ids of the second account, beside the simulator's own.
const BRANCH: [&str; 2] = ["206540352242922", "202290129340398"];

/// What the reference left.
pub(super) struct Reference {
    folder: PathBuf,
    pub(super) answers: Value,
    _made: Option<tempfile::TempDir>,
}

impl Reference {
    /// The one that is kept in the repository.
    pub(super) fn kept() -> Self {
        Self::read(Path::new(FOLDER), None)
    }

    /// One that the reference makes now. `None`: there is no Python with it, which is told.
    pub(super) async fn filled_now() -> Option<Self> {
        let Some(python) = std::env::var_os("REFERENCE_PYTHON") else {
            let required = std::env::var_os("REFERENCE_TESTS").is_some_and(|value| value == "required");
            assert!(!required, "REFERENCE_TESTS=required, but there is no REFERENCE_PYTHON");
            // Not eprintln!: cargo would show it for failed tests only.
            let line = b"the test against the reference itself is skipped, there is no REFERENCE_PYTHON\n";
            std::io::stderr().write_all(line).unwrap();
            return None;
        };
        let accounts = ["Shop", "Branch"].into_iter().zip(simulated());
        let accounts = accounts.map(|(name, account)| {
            json!({
                "name": name,
                "access_token": account.access_token,
                "phone_number_id": account.phone_number_id,
                "waba_id": account.waba_id,
            })
        });
        let accounts: Vec<_> = accounts.collect();
        let simulator =
            Simulator::bind(Settings { accounts: simulated().into(), ..Settings::default() }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let wanted = json!({
            "out": folder.path(),
            "graph": format!("http://{}", simulator.address()),
            "accounts": accounts,
        });
        let script = Path::new(FOLDER).join("fill.py");
        let mut python = Command::new(python);
        python.arg(script).arg(wanted.to_string()).env("NO_PROXY", "127.0.0.1");
        // Whatever serves the simulator must go on meanwhile.
        let ran = tokio::task::spawn_blocking(move || python.output()).await.unwrap().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        if std::env::var_os("REFERENCE_FIXTURE").is_some_and(|value| value == "write") {
            for name in ["dump.jsonl", "answers.json"] {
                std::fs::copy(folder.path().join(name), Path::new(FOLDER).join(name)).unwrap();
            }
        }
        let path = folder.path().to_owned();
        Some(Self::read(&path, Some(folder)))
    }

    fn read(folder: &Path, made: Option<tempfile::TempDir>) -> Self {
        let answers = std::fs::read_to_string(folder.join("answers.json")).unwrap();
        Self { folder: folder.to_owned(), answers: serde_json::from_str(&answers).unwrap(), _made: made }
    }

    /// The dump in one of the formats of `manage.py dumpdata`.
    pub(super) fn dump(&self, format: &str) -> PathBuf {
        self.folder.join(format!("dump.{format}"))
    }
}

/// The accounts of the simulated Meta.
fn simulated() -> [Account; 2] {
    let [phone_number_id, waba_id] = BRANCH.map(str::to_owned);
    [Account::built_in(), Account { phone_number_id, waba_id, ..Account::built_in() }]
}

/// The same, as the gateway has them.
pub(super) fn accounts() -> Value {
    let accounts = (1..).zip(simulated()).map(|(id, account)| {
        json!({
            "id": id,
            "name": id.to_string(),
            "phone_number_id": account.phone_number_id,
            "waba_id": account.waba_id,
            "access_token": account.access_token,
            "app_secret": account.app_secret,
            "verify_token": account.verify_token,
        })
    });
    accounts.collect()
}
