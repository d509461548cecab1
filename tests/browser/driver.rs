//! `ChromeDriver` and the browser that it starts.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Kills the driver and its browser once standard input ends. A test's process may end in any way, even killed: its end
/// of the pipe closes.
const WITH_THE_TEST: &str = r#""$0" --port=0 & read -r _; kill -9 0"#;
const PATIENCE: Duration = Duration::from_secs(10);

/// A running `ChromeDriver`, until it is dropped.
pub(crate) struct Driver {
    shell: Child,
    /// All that it and its browser write.
    folder: Option<TempDir>,
    url: String,
}

impl Driver {
    pub(crate) async fn start(program: &Path) -> Self {
        loop {
            let mut driver = Self::spawn(program);
            let address = tokio::time::timeout(PATIENCE, driver.address()).await;
            let address = address.unwrap_or_else(|_| panic!("chromedriver does not start: {}", driver.log()));
            if let Some(url) = address {
                driver.url = url;
                return driver;
            }
        }
    }

    fn spawn(program: &Path) -> Self {
        // In the system's folder, since the path of a socket has to be short.
        let folder = tempfile::Builder::new().prefix("browser-").tempdir().unwrap();
        let path = folder.path().to_owned();
        let log = File::create(path.join("driver.log")).unwrap();
        let shell = Command::new("sh")
            .args(["-c", WITH_THE_TEST])
            .arg(program)
            .envs(["TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"].map(|name| (name, &path)))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        Self { shell, folder: Some(folder), url: String::new() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A folder for the browser's profile.
    pub(crate) fn profile(&self) -> String {
        self.folder().join("profile").display().to_string()
    }

    fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("driver.log")).unwrap()
    }

    /// Where it listens. `None` if it does not: it asks for any port that is free in IPv6, and ends if another socket has the
    /// same in IPv4.
    async fn address(&self) -> Option<String> {
        loop {
            let log = self.log();
            let port = log.split_once("started successfully on port ").and_then(|(_, rest)| rest.split_once('.'));
            if let Some((port, _)) = port {
                return Some(format!("http://127.0.0.1:{port}"));
            }
            if log.contains("IPv4 port not available") {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Errors here would hide what the test found. Those killed may still write for a moment after the shell's end.
        let _ = self.shell.wait();
        let Some(folder) = self.folder.take().map(TempDir::keep) else { return };
        let mut tries = 0..100;
        while std::fs::remove_dir_all(&folder).is_err() && tries.next().is_some() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
