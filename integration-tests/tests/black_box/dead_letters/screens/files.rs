//! What exports, imports and purges print.

use tempfile::TempDir;

use super::reads::{filled, orders};
use crate::dead_letters::export::argument;

#[tokio::test]
async fn what_exports_purges_and_imports_print() {
    let (fixture, screen) = orders().await;
    filled(&fixture).await;
    let folder = TempDir::new().expect("a folder");
    let screen = screen.with(argument(folder.path()), "/tmp");
    let exported = folder.path().join("a.ndjson.zst");
    let purged = folder.path().join("b.ndjson");
    let (name, exported, purged) = (fixture.name(), argument(&exported), argument(&purged));
    for (snapshot, words) in [
        ("export", &["export", name, exported, "--reason", "schema_*"][..]),
        ("purge-without-a-terminal", &["purge", name, "--export", purged, "--why", "INC-9"]),
        ("purge", &["purge", name, "--export", purged, "--yes", "--why", "INC-9"]),
        ("import-dry-run", &["import", purged, name, "--dry-run"]),
        ("import", &["import", purged, name]),
    ] {
        screen.shows(snapshot, &[(words, fixture.run(words).await)]);
    }
    let words = ["export", name, "-", "--limit", "1"];
    let mut output = fixture.run(&words).await;
    // The file is not what people see.
    output.stdout.clear();
    screen.shows("export-to-stdout", &[(&words, output)]);
}
