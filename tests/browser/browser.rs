//! A browser as a person with a keyboard and a screen has it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::axe::{self, Violation};
use crate::driver::Driver;
use crate::tools::Tools;
use crate::turn::Turn;

const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // They would take 15 of a telephone's 360 pixels, and a screenshot cuts off what is under them.
    "--hide-scrollbars",
    // Over plain HTTP it brings pages back as they were left, cookies or not; over HTTPS a changed cookie prevents that.
    "--disable-features=BackForwardCache",
    // Whatever a page asks for from elsewhere is not there.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
];
/// The longest a command may take, which is far more than a page needs.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest until a page shows what it should.
const UNTIL_SHOWN: Duration = Duration::from_secs(10);

/// How somebody has set up the browser.
pub(crate) struct Options {
    pub(crate) javascript: bool,
    pub(crate) dark: bool,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { javascript: true, dark: false, width: 1280, height: 800 }
    }
}

/// A line of the browser's console.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    /// `SEVERE`, `WARNING`, `INFO` or `DEBUG`.
    pub(crate) level: String,
    /// `security` for what a Content-Security-Policy stopped, `network`, `console-api`, `javascript` and others.
    pub(crate) source: String,
    pub(crate) text: String,
}

/// An open browser with one tab; it ends when dropped. One per test at a time: see [`Turn`].
pub(crate) struct Browser {
    client: Client,
    axe: PathBuf,
    // In the order of their ends.
    _driver: Driver,
    _turn: Turn,
}

impl Browser {
    /// `None` where the machine has no browser, or not all that goes with it: the test is then skipped.
    pub(crate) async fn open(options: Options) -> Option<Self> {
        let tools = Tools::find()?;
        let turn = Turn::take().await;
        let driver = Driver::start(&tools.chromedriver).await;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        if let Value::Object(capabilities) = capabilities(&options, &tools, &driver.profile()) {
            builder.capabilities(capabilities);
        }
        let client = tokio::time::timeout(PATIENCE, builder.connect(driver.url())).await;
        let client = client.unwrap_or_else(|_| panic!("no browser in {PATIENCE:?}")).unwrap();
        let browser = Self { client, axe: tools.axe, _driver: driver, _turn: turn };
        // A window can't be as narrow as a telephone.
        let size = json!({ "width": options.width, "height": options.height, "deviceScaleFactor": 1, "mobile": false });
        browser.devtools("Emulation.setDeviceMetricsOverride", size).await;
        Some(browser)
    }

    /// Opens a page, and returns when it is loaded.
    pub(crate) async fn visit(&self, url: &str) {
        within(url, self.client.goto(url)).await;
    }

    /// The button that leads to the page before.
    pub(crate) async fn back(&self) {
        within("back", self.client.back()).await;
    }

    /// The button that loads the page again; what a form sent for it is sent again.
    pub(crate) async fn reload(&self) {
        within("reload", self.client.refresh()).await;
    }

    /// The cookies of the page, as a request brings them along.
    pub(crate) async fn cookies(&self) -> String {
        let cookies = within("the cookies", self.client.get_all_cookies()).await;
        cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn url(&self) -> String {
        within("the address", self.client.current_url()).await.to_string()
    }

    pub(crate) async fn title(&self) -> String {
        within("the title", self.client.title()).await
    }

    /// Waits until an element is visible.
    pub(crate) async fn see(&self, css: &str) {
        self.shown(css).await;
    }

    /// Waits until the page's visible text contains this one.
    pub(crate) async fn read(&self, text: &str) {
        self.wait(text, async || self.shows("body").await?.text().await.ok()?.contains(text).then_some(())).await;
    }

    /// The visible texts of all elements of a kind, as they are now.
    pub(crate) async fn texts(&self, css: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in within(css, self.client.find_all(Locator::Css(css))).await {
            texts.push(within(css, element.text()).await);
        }
        texts
    }

    /// What a field holds, once it is visible.
    pub(crate) async fn value(&self, css: &str) -> String {
        within(css, self.shown(css).await.prop("value")).await.unwrap()
    }

    /// Clicks an element once it is visible.
    ///
    /// After this or a key that leads to another page, wait with `see` or `read` for what only that page has: without
    /// JavaScript the driver may still answer from the page before.
    pub(crate) async fn click(&self, css: &str) {
        within(css, self.shown(css).await.click()).await;
    }

    /// Replaces what is in a field, once it is visible.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.shown(css).await;
        within(css, field.clear()).await;
        within(css, field.send_keys(text)).await;
    }

    /// Presses keys together, as in `[Key::Shift, Key::Tab]`, wherever the focus is.
    pub(crate) async fn press(&self, keys: &[Key]) {
        let keys: Vec<_> = keys.iter().copied().map(char::from).collect();
        let down = keys.iter().map(|key| ("keyDown", *key));
        self.keys(down.chain(keys.iter().rev().map(|key| ("keyUp", *key)))).await;
    }

    /// Types a text wherever the focus is.
    pub(crate) async fn type_text(&self, text: &str) {
        self.keys(text.chars().flat_map(|key| [("keyDown", key), ("keyUp", key)])).await;
    }

    async fn keys(&self, keys: impl Iterator<Item = (&str, char)>) {
        let keys: Vec<_> = keys.map(|(kind, key)| json!({ "type": kind, "value": key })).collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] });
        self.command(Method::POST, "actions", actions).await;
    }

    /// The role and the name of what has the focus, as a screen reader tells them: `button "Create key"`.
    pub(crate) async fn focused(&self) -> String {
        let element = within("the focus", self.client.active_element()).await.element_id();
        let role = self.command(Method::GET, format!("element/{}/computedrole", &*element), Value::Null).await;
        let name = self.command(Method::GET, format!("element/{}/computedlabel", &*element), Value::Null).await;
        format!("{} {name}", role.as_str().unwrap())
    }

    /// What a script returns. Where the page's JavaScript is off it runs all the same, but timers never fire.
    pub(crate) async fn run(&self, script: &str) -> Value {
        within("a script", self.client.execute(script, Vec::new())).await
    }

    /// Whether the page is wider than the window.
    pub(crate) async fn scrolls_sideways(&self) -> bool {
        let script = "const page = document.documentElement; return page.scrollWidth > page.clientWidth";
        self.run(script).await == true
    }

    /// What a page copied. On a page of `http://127.0.0.1` only, which counts as secure.
    pub(crate) async fn clipboard(&self) -> String {
        let permission = json!({ "descriptor": { "name": "clipboard-read" }, "state": "granted" });
        self.command(Method::POST, "permissions", permission).await;
        self.run("return navigator.clipboard.readText()").await.as_str().unwrap().to_owned()
    }

    /// What the browser's console has got since it was last asked.
    pub(crate) async fn console(&self) -> Vec<Message> {
        let entries = self.command(Method::POST, "se/log", json!({ "type": "browser" })).await;
        let text = |entry: &Value, name| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = |entry: &Value| Message {
            level: text(entry, "level"),
            source: text(entry, "source"),
            text: text(entry, "message"),
        };
        entries.as_array().unwrap().iter().map(message).collect()
    }

    /// What makes the page hard or impossible to use for some people.
    pub(crate) async fn axe(&self) -> Vec<Violation> {
        let axe = std::fs::read_to_string(&self.axe).unwrap();
        axe::violations(&self.run(&axe::script(&axe)).await)
    }

    /// A PNG of the whole page, also kept as target/screenshots/NAME.png for people.
    pub(crate) async fn screenshot(&self, name: &str) -> Vec<u8> {
        let metrics = self.devtools("Page.getLayoutMetrics", json!({})).await;
        let mut clip = metrics.get("cssContentSize").unwrap().clone();
        clip.as_object_mut().unwrap().insert("scale".to_owned(), json!(1));
        let how = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let answer = self.devtools("Page.captureScreenshot", how).await;
        let png = BASE64_STANDARD.decode(answer.get("data").unwrap().as_str().unwrap()).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), &png).unwrap();
        png
    }

    async fn shown(&self, css: &str) -> Element {
        self.wait(css, async || self.shows(css).await).await
    }

    async fn shows(&self, css: &str) -> Option<Element> {
        let element = self.client.find(Locator::Css(css)).await.ok()?;
        element.is_displayed().await.ok()?.then_some(element)
    }

    /// Tries until it works: a page may just be changing into the next.
    async fn wait<T>(&self, what: &str, attempt: impl AsyncFn() -> Option<T>) -> T {
        let done = async {
            loop {
                if let Some(done) = attempt().await {
                    break done;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let Ok(done) = tokio::time::timeout(UNTIL_SHOWN, done).await else {
            let (url, page) = (self.url().await, self.texts("body").await.join("\n"));
            panic!("not in {UNTIL_SHOWN:?}: {what}\n{url} shows:\n{page}");
        };
        done
    }

    /// A command of Chromium's own protocol.
    async fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.command(Method::POST, "goog/cdp/execute", json!({ "cmd": name, "params": parameters })).await
    }

    /// A command that fantoccini does not know.
    async fn command(&self, method: Method, path: impl Into<String>, body: Value) -> Value {
        let path = path.into();
        within(&path.clone(), self.client.issue_cmd(Command { method, path, body })).await
    }
}

async fn within<T>(what: &str, command: impl Future<Output = Result<T, CmdError>>) -> T {
    let done = tokio::time::timeout(PATIENCE, command).await;
    done.unwrap_or_else(|_| panic!("{what}: not done in {PATIENCE:?}"))
        .unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn capabilities(options: &Options, tools: &Tools, profile: &str) -> Value {
    let mut arguments: Vec<_> = ARGUMENTS.iter().map(ToString::to_string).collect();
    arguments.push(format!("--user-data-dir={profile}"));
    arguments.push(format!("--blink-settings=preferredColorScheme={}", u8::from(!options.dark)));
    let setting = if options.javascript { 1 } else { 2 };
    json!({
        "goog:chromeOptions": {
            "binary": tools.chromium,
            "args": arguments,
            "prefs": { "profile.managed_default_content_settings.javascript": setting },
        },
        "goog:loggingPrefs": { "browser": "ALL" },
    })
}

#[derive(Debug)]
struct Command {
    method: Method,
    path: String,
    body: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (self.method.clone(), (self.method == Method::POST).then(|| self.body.to_string()))
    }
}
