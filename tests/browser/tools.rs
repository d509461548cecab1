//! What browser tests need on the machine, and what happens where it is missing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The programs and files of a browser test.
pub(crate) struct Tools {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
    pub(crate) axe: PathBuf,
}

impl Tools {
    /// `None` where something is missing, which then stands on stderr.
    pub(crate) fn find() -> Option<Self> {
        let chromium = on_path(&["chromium", "google-chrome"]).ok_or("chromium (apt-get install chromium)");
        let chromedriver = on_path(&["chromedriver"]).ok_or("chromedriver (apt-get install chromium-driver)");
        let axe = axe().ok_or("axe-core (npm install --prefix target/ci-tools axe-core, or AXE_CORE=…/axe.min.js)");
        match (chromium, chromedriver, axe) {
            (Ok(chromium), Ok(chromedriver), Ok(axe)) => Some(Self { chromium, chromedriver, axe }),
            (chromium, chromedriver, axe) => {
                let missing: Vec<_> = [chromium.err(), chromedriver.err(), axe.err()].into_iter().flatten().collect();
                skip(&missing.join(", "));
                None
            }
        }
    }
}

/// What a real OpenID provider takes: Node.js, and the npm package. `None` where one is missing, as above.
pub(crate) fn openid_provider() -> Option<(PathBuf, PathBuf)> {
    let node = on_path(&["node"]).ok_or("node (apt-get install nodejs)");
    let package = in_repository("OIDC_PROVIDER", "target/ci-tools/node_modules/oidc-provider");
    let package = package.filter(|folder| folder.is_dir());
    let package =
        package.ok_or("oidc-provider (npm install --prefix target/ci-tools oidc-provider, or OIDC_PROVIDER=…)");
    match (node, package) {
        (Ok(node), Ok(package)) => Some((node, package)),
        (node, package) => {
            let missing: Vec<_> = [node.err(), package.err()].into_iter().flatten().collect();
            skip(&missing.join(", "));
            None
        }
    }
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let mut programs = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    programs.find(|program| program.is_file())
}

fn axe() -> Option<PathBuf> {
    in_repository("AXE_CORE", "target/ci-tools/node_modules/axe-core/axe.min.js").filter(|file| file.is_file())
}

/// What an environment variable names, or what stands there if it names nothing.
fn in_repository(variable: &str, usual: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map_or_else(|| usual.into(), PathBuf::from);
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join(path))
}

fn skip(missing: &str) {
    static SAID: Once = Once::new();
    let required = std::env::var_os("BROWSER_TESTS").is_some_and(|value| value == "required");
    assert!(!required, "BROWSER_TESTS=required, but there is no {missing}");
    let line = format!("browser tests are skipped, there is no {missing}\n");
    // Not eprintln!: cargo would show it for failed tests only.
    SAID.call_once(|| std::io::stderr().write_all(line.as_bytes()).unwrap());
}
