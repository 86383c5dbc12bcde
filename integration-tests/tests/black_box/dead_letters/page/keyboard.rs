//! The page in a browser, by the keyboard alone.

use serde_json::json;

use super::browser::{Browser, ENTER, TAB};
use super::server::Server;
use crate::dead_letters::fixture::Fixture;
use crate::support::system::event;

/// What a page that takes texts for HTML would run, load or take for its own.
const HOSTILE: &str = "</pre><script>window.attacked = 1</script>\
    <img src=x onerror='window.attacked = 2'><img src='http://127.0.0.1:9/pixel'>\
    <a href='javascript:window.attacked = 3'>x</a><iframe srcdoc='<script>1</script>'></iframe>\
    <style>*{display:none}</style>\u{202e}<b id=status>${window.attacked = 4}{{7*7}}";

async fn put(fixture: &Fixture, group: &str, id: &str, reason: &str, title: &str) {
    let details =
        json!({"reason": reason, "detail": format!("{title} is not allowed")}).to_string();
    let attributes = [("DeadLetterReason", reason), ("DeadLetter", &details), ("hostile", HOSTILE)];
    let body = event(id, "create-task", group, &json!({"title": title}));
    fixture.put(group, &body, &attributes).await;
}

#[tokio::test]
async fn a_message_is_found_and_read_by_the_keyboard_alone() {
    let fixture = Fixture::alone("ca-central-1", "orders").await;
    put(&fixture, "a", "one", "schema_violation", "plain").await;
    put(&fixture, "b", "two", HOSTILE, HOSTILE).await;
    put(&fixture, "c", "three", HOSTILE, HOSTILE).await;
    let server = Server::start(&fixture).await;
    let browser = Browser::start().await;
    browser.open(&server.address).await;

    // From the queues to a queue.
    browser.until("document.querySelector('#queues a')").await;
    assert_eq!(browser.value("location.hash").await, "", "the token is not in the address");
    browser.tab_to("#queues a").await;
    browser.key(ENTER).await;
    browser.until("document.querySelectorAll('#messages tbody tr').length === 3").await;
    assert_eq!(browser.value("document.activeElement.id").await, "queue-heading");
    assert_eq!(browser.text("#groups-heading").await, "2 groups of 3 messages");

    // To a group, the largest first.
    browser.tab_to("#groups a").await;
    browser.key(ENTER).await;
    browser.until("document.querySelectorAll('#messages tbody tr').length === 2").await;
    let filters = browser.value("document.querySelector('#filters').value").await;
    assert!(filters.as_str().is_some_and(|filters| filters.contains("--reason='</pre>")));

    // To a message.
    browser.tab_to("#messages a").await;
    browser.key(ENTER).await;
    browser.until("document.querySelector('#body')").await;
    assert_eq!(browser.value("document.activeElement.id").await, "message-heading");
    let shown = HOSTILE.replace('\u{202e}', "\\u{202e}");
    let title = browser.text("#body").await;
    assert!(title.contains(&json!(shown).to_string().replace("\\\\u", "\\u")), "{title}");
    assert!(browser.text("#message dl").await.contains(&shown));
    assert!(browser.text("#message table").await.contains(&shown));

    // It was text, everywhere, and the page is as it was.
    assert_eq!(browser.value("window.attacked ?? null").await, json!(null));
    let foreign = "document.querySelectorAll('img, iframe, body script, body style').length";
    assert_eq!(browser.value(foreign).await, 0);
    assert_eq!(browser.value("document.querySelectorAll('#status').length").await, 1);
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    // On a phone nothing is cut off at the side, and dark is dark.
    let ground = "getComputedStyle(document.body).backgroundColor";
    browser.look(390, 844, "light").await;
    let light = browser.value(ground).await;
    browser.look(390, 844, "dark").await;
    assert_ne!(browser.value(ground).await, light);
    assert_eq!(browser.value("document.documentElement.scrollWidth").await, 390);
    assert!(browser.value("innerWidth").await == 390, "the window is that wide");

    // The body can be scrolled, and closing leads back.
    browser.tab_back_to("#close-message").await;
    browser.tab_to("#body").await;
    browser.tab_back_to("#close-message").await;
    browser.key(ENTER).await;
    browser.until("document.activeElement.matches('#messages a')").await;

    // The browser's own first page is in the browser.
    let requested = browser.requested().await;
    let mut sent = requested.iter().filter(|url| ["http", "ws"].iter().any(|s| url.starts_with(s)));
    assert!(sent.all(|url| url.starts_with(&server.url)), "{requested:?}");
    assert!(requested.iter().any(|url| url.ends_with("/api/queues")), "{requested:?}");
    assert_eq!(fixture.depth().await, (3, 0));
}

#[tokio::test]
async fn a_mistake_is_pointed_at_and_filters_are_cleared() {
    let fixture = Fixture::standard().await;
    fixture.fill(&[("", "{}".to_owned()), ("", "no JSON".to_owned())]).await;
    let server = Server::start(&fixture).await;
    let browser = Browser::start().await;
    browser.open(&format!("{}&queue={}", server.address, fixture.name())).await;
    browser.until("document.querySelectorAll('#messages tbody tr').length === 2").await;
    browser.tab_to("#filters").await;
    browser.write("--body-path '$.a['").await;
    browser.key(ENTER).await;
    browser.until("!document.querySelector('#filters-mistake').hidden").await;
    let mistake = browser.text("#filters-mistake").await;
    assert!(mistake.contains("\n  $.a[\n") && mistake.trim_end().ends_with('^'), "{mistake}");
    let field = "document.querySelector('#filters[aria-invalid=true]') === document.activeElement";
    assert_eq!(browser.value(field).await, true);
    // Apply, and then Clear.
    browser.key(TAB).await;
    browser.tab_to("#no-filters").await;
    browser.key(ENTER).await;
    browser.until("document.querySelectorAll('#messages tbody tr').length === 2").await;
    assert_eq!(browser.value("document.querySelector('#filters-mistake').hidden").await, true);
    // The address of a place without the token says what to do.
    browser.value("sessionStorage.clear()").await;
    browser.open(&server.url).await;
    browser.until("!document.querySelector('#problem').hidden").await;
    assert!(browser.text("#problem").await.contains("the token is missing"));
    assert_eq!(fixture.depth().await, (2, 0));
}

#[tokio::test]
async fn the_browser_keeps_scripts_and_requests_out() {
    let fixture = Fixture::standard().await;
    let server = Server::start(&fixture).await;
    let browser = Browser::start().await;
    browser.open(&server.address).await;
    browser.until("document.querySelector('#queues > *')").await;
    // As a mistake of ours might: each is refused, by the policy.
    let elsewhere = format!("{}/", fixture.aws.endpoint);
    let html = "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'shown'; } \
        catch (error) { return error.name; } })()";
    assert_eq!(browser.value(html).await, "TypeError");
    let request = format!("fetch({}).then(() => 'sent', (error) => error.name)", json!(elsewhere));
    assert_eq!(browser.value(&request).await, "TypeError");
    let image = format!(
        "new Promise((resolve) => {{ const image = new Image(); image.onload = () => resolve('shown'); \
         image.onerror = () => resolve('refused'); image.src = {}; }})",
        json!(elsewhere)
    );
    assert_eq!(browser.value(&image).await, "refused");
    let complaints = browser.complaints().await.join("\n");
    for part in ["Trusted", "connect-src 'self'", "img-src 'self'"] {
        assert!(complaints.contains(part), "{part}: {complaints}");
    }
}
