//! What is written is read, and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aws_sdk_s3::config::{BehaviorVersion, Config};
use chrono::DateTime;
use messages::Attribute;
use proptest::prelude::*;
use tempfile::TempDir;

use super::reader::End;
use super::*;

fn s3() -> aws_sdk_s3::Client {
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
    aws_sdk_s3::Client::from_conf(config)
}

fn header() -> Header {
    Header::new("arn:aws:sqs:r:1:dlq", DateTime::UNIX_EPOCH, vec!["reason=x".to_owned()])
}

fn record(body: &str, attribute: &str) -> Record {
    let attribute = Attribute { data_type: "Binary.x".to_owned(), value: attribute.to_owned() };
    Record {
        message_id: "m".to_owned(),
        sent_at: DateTime::from_timestamp_millis(1_700_000_000_123),
        first_received_at: None,
        receives: Some(4),
        sender_id: None,
        group: Some("g".to_owned()),
        deduplication_id: None,
        sequence_number: Some("18".to_owned()),
        aws_trace_header: None,
        moved_by: None,
        source_queue: None,
        reason: None,
        attributes: BTreeMap::from([("a".to_owned(), attribute)]),
        body: body.to_owned(),
    }
}

struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    async fn begin(&self, name: &str, overwrite: bool) -> anyhow::Result<Writer> {
        Writer::begin(&Place::Local(self.path(name)), &s3(), overwrite, header()).await
    }

    async fn write(&self, name: &str, records: &[Record]) -> Written {
        let mut writer = self.begin(name, true).await.unwrap();
        for record in records {
            writer.add(record.clone()).await.unwrap();
        }
        writer.finish(Some(true)).await.unwrap()
    }

    async fn read(&self, name: &str, allow_partial: bool) -> anyhow::Result<(Vec<Record>, End)> {
        let mut source = Source::open(&Place::Local(self.path(name)), &s3()).await?;
        let mut reader = Reader::begin(&mut source, allow_partial).await?;
        let mut records = Vec::new();
        loop {
            match reader.next().await? {
                Next::Message(line, record) => {
                    records.push(*record);
                    assert_eq!(line, records.len() as u64 + 1);
                }
                Next::End(end) => return Ok((records, end)),
            }
        }
    }

    async fn mistake(&self, name: &str, contents: &[u8]) -> String {
        std::fs::write(self.path(name), contents).unwrap();
        match self.read(name, false).await {
            Ok(_) => panic!("{} is taken", String::from_utf8_lossy(contents)),
            Err(error) => format!("{error:#}"),
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn everything_comes_back_as_it_was(
        bodies in prop::collection::vec("(?s).{0,200}", 0..30), is_compressed: bool,
    ) {
        let files = Files::new();
        let name = if is_compressed { "a.ndjson.zst" } else { "a.ndjson" };
        let records: Vec<_> = bodies.iter().map(|body| record(body, "AP8=")).collect();
        let written = block_on(files.write(name, &records));
        prop_assert_eq!(written.messages, records.len() as u64);
        let (read, end) = block_on(files.read(name, false)).unwrap();
        prop_assert_eq!(read, records);
        prop_assert_eq!(end.sha256, written.sha256);
        prop_assert_eq!(end.trailer.unwrap().complete, Some(true));
    }
}

#[tokio::test]
async fn the_format_stays() {
    let files = Files::new();
    files.write("a", &[record("{\"a\": 1}\u{1b}", "AP8=")]).await;
    let text = std::fs::read_to_string(files.path("a")).unwrap();
    let digest = text.split("\"sha256\":\"").nth(1).unwrap().split('"').next().unwrap();
    let expected = format!(
        "{{\"kind\":\"header\",\"format\":\"task-app/dead-letters\",\"version\":1,\
         \"queue\":\"arn:aws:sqs:r:1:dlq\",\"exported_at\":\"1970-01-01T00:00:00.000000Z\",\
         \"filter\":[\"reason=x\"],\"tool\":\"{}\"}}\n\
         {{\"kind\":\"message\",\"message_id\":\"m\",\"sent_at\":\"2023-11-14T22:13:20.123000Z\",\
         \"first_received_at\":null,\"receives\":4,\"sender_id\":null,\"group\":\"g\",\
         \"deduplication_id\":null,\"sequence_number\":\"18\",\"aws_trace_header\":null,\
         \"moved_by\":null,\"source_queue\":null,\"reason\":null,\
         \"attributes\":{{\"a\":{{\"type\":\"Binary.x\",\"value\":\"AP8=\"}}}},\
         \"body\":\"{{\\\"a\\\": 1}}\\u001b\"}}\n\
         {{\"kind\":\"trailer\",\"messages\":1,\"sha256\":\"{digest}\",\"complete\":true}}\n",
        env!("CARGO_PKG_VERSION"),
    );
    assert_eq!(text, expected);
    let lines = text.split_inclusive('\n').take(2).collect::<String>();
    assert_eq!(digest, objects::claim_check::sha256(lines.as_bytes()));
}

#[tokio::test]
async fn what_was_cut_or_changed_is_refused() {
    let files = Files::new();
    let records = [record("first", "AP8="), record("second", "AP8=")];
    files.write("a", &records).await;
    let whole = std::fs::read_to_string(files.path("a")).unwrap();
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    for (contents, expected) in [
        (String::new(), "its first line is no header"),
        ("text\n".to_owned(), "its first line is no header"),
        (lines[1..].concat(), "its first line is no header"),
        (whole.replace("\"version\":1", "\"version\":2"), "version 2 of the format"),
        (lines[..3].concat(), "line 3: the file ends without its trailer"),
        (whole.trim_end_matches("true}\n").to_owned(), "line 3: it is cut within the next line"),
        (whole.replace("first", "fiRst"), "line 4: the digest is"),
        (whole.replace("reason=x", "reason=y"), "line 4: the digest is"),
        ([lines[0], lines[1], lines[3]].concat(), "line 3: the trailer says that there are 2"),
        ([lines[0], lines[0]].concat(), "line 2: a second header"),
        (format!("{whole}x\n"), "it is behind the trailer"),
        (whole.replace("\"body\":\"second\"", "\"text\":\"\""), "line 3: missing field `body`"),
        (format!("{}{}\n", lines[0], "x".repeat(9 << 20)), "line 1: the next line has more than"),
    ] {
        let mistake = files.mistake("b", contents.as_bytes()).await;
        assert!(mistake.contains(expected), "{mistake} instead of {expected}");
    }
    files.write("c.zst", &records).await;
    let whole = std::fs::read(files.path("c.zst")).unwrap();
    let mistake = files.mistake("d.zst", &whole[..whole.len() - 1]).await;
    assert!(mistake.contains("it is cut"), "{mistake}");
    let (read, end) = files.read("d.zst", true).await.unwrap();
    assert_eq!((read.as_slice(), end.trailer.is_some()), (&records[..], true));
}

#[tokio::test]
async fn what_was_made_durable_is_read_though_nothing_follows() {
    let files = Files::new();
    let mut writer = files.begin("a.zst", false).await.unwrap();
    writer.add(record("first", "AP8=")).await.unwrap();
    writer.sync().await.unwrap();
    writer.add(record("second", "AP8=")).await.unwrap();
    drop(writer);
    assert_eq!(files.names(), ["a.zst.partial"]);
    assert!(files.read("a.zst.partial", false).await.is_err());
    let (read, end) = files.read("a.zst.partial", true).await.unwrap();
    assert_eq!((read[0].body.as_str(), read.len()), ("first", 1));
    assert!(end.trailer.is_none());
    let again = files.begin("a.zst", true).await.err().unwrap().to_string();
    assert!(again.contains("a.zst.partial is there already"), "{again}");
}

#[tokio::test]
async fn a_file_appears_whole_or_not_at_all_and_replaces_none() {
    let files = Files::new();
    let mut writer = files.begin("a", false).await.unwrap();
    writer.add(record("first", "AP8=")).await.unwrap();
    assert_eq!(files.names(), ["a.partial"]);
    writer.discard().await.unwrap();
    assert_eq!(files.names(), Vec::<String>::new());

    let writer = files.begin("a", false).await.unwrap();
    std::fs::write(files.path("a"), "theirs").unwrap();
    let error = writer.finish(Some(true)).await.unwrap_err();
    assert!(format!("{error:#}").contains("`--overwrite` replaces it"), "{error:#}");
    assert_eq!(files.names(), ["a"]);
    assert!(files.begin("a", false).await.is_err());
    files.write("a", &[]).await;
    assert_eq!(files.names(), ["a"]);
    assert!(files.read("a", false).await.unwrap().0.is_empty());
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&files.path("a").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}
