//! Browsers take turns: one alone keeps two cores busy, so more at once are no faster, and each is close to its limits.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(5);

/// The right to have a browser open, in one test of all the tests and test processes of this checkout.
pub(crate) struct Turn(#[expect(dead_code, reason = "what counts is that it stays open and locked")] File);

impl Turn {
    pub(crate) async fn take() -> Self {
        // A lock on a file: unlike a semaphore it holds between processes, and it ends with the process.
        let file = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser-turn")).unwrap();
        let locked = async {
            while let Err(error) = file.try_lock() {
                assert!(matches!(error, TryLockError::WouldBlock), "a lock for the browser's turn: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let locked = tokio::time::timeout(PATIENCE, locked).await;
        assert!(
            locked.is_ok(),
            "no turn in {PATIENCE:?}; does one test open a second browser before it drops the first?"
        );
        Self(file)
    }
}
