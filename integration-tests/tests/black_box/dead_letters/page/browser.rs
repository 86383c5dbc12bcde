//! Headless Chromium, driven by the keyboard.
//!
//! `WebDriver` (W3C) is JSON over HTTP. The client crates either bring a licence that `deny.toml` does
//! not allow, or change how `serde_json` orders members in every test.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::support::system::PATIENCE;

pub(super) const TAB: char = '\u{e004}';
pub(super) const ENTER: char = '\u{e007}';
pub(super) const SHIFT: char = '\u{e008}';
/// More elements than the page has before what a test looks for.
const MOST_TABS: usize = 80;
/// Nothing but the page: no updates, no telemetry, no first steps. The sandbox does not work as root.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

pub(super) struct Browser {
    _driver: Child,
    client: Client,
    port: u16,
    session: String,
    _profile: TempDir,
}

impl Browser {
    pub(super) async fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            // Chromium leaves folders of its own there.
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver; .ci/tools installs it");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("a line").expect("the port");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').parse().expect("a port");
            }
        };
        let own = format!("--user-data-dir={}", profile.path().display());
        let flags: Vec<_> = FLAGS.into_iter().chain([own.as_str()]).collect();
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
        }}});
        let mut browser = Self {
            _driver: driver,
            client: Client::new(),
            port,
            session: String::new(),
            _profile: profile,
        };
        let session = browser.post("session", capabilities).await;
        browser.session = format!("session/{}", session["sessionId"].as_str().expect("an id"));
        browser
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("http://127.0.0.1:{}/{path}", self.port);
        let answer = self.client.post(url).json(&body).send().await.expect("an answer");
        let status = answer.status();
        let mut answer: Value = answer.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {answer}");
        answer["value"].take()
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        self.post(&format!("{}/{path}", self.session), body).await
    }

    pub(super) async fn open(&self, url: &str) {
        self.command("url", json!({"url": url})).await;
    }

    /// The value of an expression on the page.
    pub(super) async fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.command("execute/sync", json!({"script": script, "args": []})).await
    }

    pub(super) async fn until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.value(&format!("Boolean({expression})")).await != true {
            let page = self.value("document.body.innerText").await;
            assert!(Instant::now() < deadline, "{expression}: {page}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Presses keys one after the other, the first ones held meanwhile.
    async fn press(&self, held: &[char], key: char) {
        let event = |kind: &str, key: &char| json!({"type": kind, "value": key.to_string()});
        let down = held.iter().map(|key| event("keyDown", key));
        let up = held.iter().map(|key| event("keyUp", key));
        let pressed = [event("keyDown", &key), event("keyUp", &key)];
        let actions: Vec<_> = down.chain(pressed).chain(up).collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.command("actions", json!({"actions": [keyboard]})).await;
    }

    pub(super) async fn key(&self, key: char) {
        self.press(&[], key).await;
    }

    pub(super) async fn write(&self, text: &str) {
        for key in text.chars() {
            self.key(key).await;
        }
    }

    /// Goes on with Tab to what fits a selector, and sees on each way station that it is focused.
    pub(super) async fn tab_to(&self, selector: &str) {
        self.walk_to(selector, &[]).await;
    }

    /// The same backwards.
    pub(super) async fn tab_back_to(&self, selector: &str) {
        self.walk_to(selector, &[SHIFT]).await;
    }

    async fn walk_to(&self, selector: &str, held: &[char]) {
        let fits = format!("document.activeElement.matches({})", json!(selector));
        let mut is_reached = false;
        for _ in 0..MOST_TABS {
            self.press(held, TAB).await;
            let shows = "document.activeElement === document.body || \
                (document.activeElement.matches(':focus-visible') && \
                 getComputedStyle(document.activeElement).outlineStyle !== 'none')";
            let element = "document.activeElement.outerHTML";
            assert_eq!(self.value(shows).await, true, "{}", self.value(element).await);
            is_reached = self.value(&fits).await == true;
            if is_reached {
                break;
            }
        }
        assert!(is_reached, "Tab does not reach {selector}");
    }

    pub(super) async fn text(&self, selector: &str) -> String {
        let text = format!("document.querySelector({}).textContent", json!(selector));
        self.value(&text).await.as_str().expect("a text").to_owned()
    }

    /// The URLs of all requests so far.
    pub(super) async fn requested(&self) -> Vec<String> {
        let log = self.command("se/log", json!({"type": "performance"})).await;
        let entries = log.as_array().expect("entries").iter();
        let events = entries.map(|entry| {
            let text = entry["message"].as_str().expect("a text");
            serde_json::from_str::<Value>(text).expect("JSON")["message"].take()
        });
        let sent = events.filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().expect("a URL").to_owned())
            .collect()
    }

    /// What the browser complained about.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let log = self.command("se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().expect("entries").iter();
        entries.map(|entry| entry["message"].as_str().expect("a text").to_owned()).collect()
    }

    /// Looks as on a screen of this size, light or dark.
    pub(super) async fn look(&self, width: u32, height: u32, scheme: &str) {
        let screen = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", scheme).await;
    }

    pub(super) async fn screenshot(&self) -> Vec<u8> {
        let shot = self.devtools("Page.captureScreenshot", json!({"format": "png"})).await;
        BASE64_STANDARD.decode(shot["data"].as_str().expect("data")).expect("Base64")
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }
}

/// Ends the session, and Chromium with it: it would outlive its driver.
impl Drop for Browser {
    fn drop(&mut self) {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return };
        let request = format!("DELETE /{} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", self.session);
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read(&mut [0; 64]);
    }
}
