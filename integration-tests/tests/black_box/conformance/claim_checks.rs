//! Bodies that wait in S3, and claims that cannot be right.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use runtime::sqs::claim_check::{self, Reference};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Host;
use super::dead_letter::Dead;
use super::fixture::{Fixture, Sent, raw};
use super::host::NAME;
use super::scenario::{Scenario, groups};
use crate::outages::network::{Network, State};
use crate::support::event_source_mapping::TIME;

/// What stands in the queue instead of the body; it is no script, so nobody takes it for one.
const SMALL: &str = "see S3";

struct Bucket {
    s3: Client,
    name: String,
}

impl Bucket {
    async fn create(fixture: &Fixture) -> Self {
        let (s3, name) = (fixture.system.s3(), format!("bodies-{}", Uuid::new_v4().simple()));
        s3.create_bucket().bucket(&name).send().await.expect("a bucket");
        Self { s3, name }
    }

    async fn put(&self, body: String) -> Reference {
        claim_check::put(&self.s3, &self.name, "bodies/", body).await.expect("put")
    }

    async fn replace(&self, key: &str, body: String) {
        let put = self.s3.put_object().bucket(&self.name).key(key).body(body.into_bytes().into());
        put.send().await.expect("put");
    }

    async fn enable_versioning(&self) {
        let status = BucketVersioningStatus::Enabled;
        let versioning = VersioningConfiguration::builder().status(status).build();
        let put = self.s3.put_bucket_versioning().bucket(&self.name);
        put.versioning_configuration(versioning).send().await.expect("versioning");
    }

    /// Those of which a version or a delete marker is there, in order.
    async fn keys(&self) -> Vec<String> {
        let list = self.s3.list_object_versions().bucket(&self.name).send().await.expect("a list");
        let versions = list.versions().iter().filter_map(|version| version.key());
        let markers = list.delete_markers().iter().filter_map(|marker| marker.key());
        let keys: BTreeSet<_> = versions.chain(markers).map(str::to_owned).collect();
        keys.into_iter().collect()
    }
}

fn script(id: &str) -> String {
    json!({"id": id, "steps": ["ack"]}).to_string()
}

fn claiming(group: &str, claim: &str) -> Sent {
    raw(group, SMALL).with_text(claim_check::ATTRIBUTE, claim)
}

/// A claim with one member changed.
fn altered(reference: &Reference, member: &str, value: impl Into<Value>) -> String {
    let mut claim = json!(reference);
    claim[member] = value.into();
    claim.to_string()
}

pub(crate) async fn a_body_comes_from_s3(host: Host) {
    let fixture = Fixture::new().await;
    let bucket = Bucket::create(&fixture).await;
    // More than the queue would take.
    let reference = bucket.put(script("a") + &" ".repeat(1_100_000)).await;
    fixture.send(&[claiming("g", &reference.to_json())]).await;
    let _running = host.start(&fixture, &[("CLAIM_CHECK_BUCKET", &bucket.name)], TIME).await;
    fixture.empty().await;
    let groups = groups(&[("g", &["a: ack"])]);
    Scenario { groups, ..Scenario::default() }.compare(&fixture).await;
}

/// The reason of each dead letter, and the deliveries that it took, by claim.
type Reasons = HashMap<String, (String, u64)>;

pub(crate) async fn a_claim_that_cannot_be_right_is_a_dead_letter_with_its_small_body(host: Host) {
    let fixture = Fixture::new().await;
    let bucket = Bucket::create(&fixture).await;
    let (right, large) = (bucket.put(script("a")).await, bucket.put("x".repeat(1_001)).await);
    let tampered = bucket.put(script("before")).await;
    bucket.replace(&tampered.key, script("behind")).await;
    let expected = [
        ("nonsense".to_owned(), "claim_check_malformed"),
        (altered(&right, "bucket", "elsewhere"), "claim_check_foreign_bucket"),
        (altered(&right, "key", "bodies/none"), "claim_check_missing"),
        (altered(&right, "size", right.size - 1), "claim_check_mismatch"),
        (altered(&right, "sha256", "0".repeat(64)), "claim_check_mismatch"),
        (tampered.to_json(), "claim_check_mismatch"),
        (large.to_json(), "claim_check_too_large"),
    ];
    let messages: Vec<_> = expected.iter().map(|(claim, _)| claiming("g", claim)).collect();
    fixture.send(&messages).await;
    let settings =
        [("CLAIM_CHECK_BUCKET", bucket.name.as_str()), ("CLAIM_CHECK_MAX_BYTES", "1000")];
    let _running = host.start(&fixture, &settings, TIME).await;
    let expected = expected.map(|(claim, reason)| (claim, (reason.to_owned(), 1)));
    assert_eq!(reasons(&fixture).await, Reasons::from(expected));
    assert!(fixture.effects().is_empty(), "none is handled");
}

pub(crate) async fn without_a_bucket_no_claim_is_followed(host: Host) {
    let fixture = Fixture::new().await;
    let claim = Bucket::create(&fixture).await.put(script("a")).await.to_json();
    fixture.send(&[claiming("g", &claim)]).await;
    let _running = host.start(&fixture, &[], TIME).await;
    let expected = [(claim, ("claim_check_disabled".to_owned(), 1))];
    assert_eq!(reasons(&fixture).await, Reasons::from(expected));
}

/// S3 is a dependency that the harness declares by itself.
pub(crate) async fn while_s3_is_unavailable_a_claim_waits_and_costs_a_delivery(host: Host) {
    let fixture = Fixture::new().await;
    let bucket = Bucket::create(&fixture).await;
    let claim = bucket.put(script("a")).await;
    let (_, s3) = fixture.system.queue.url.split_once("://").expect("a URL");
    let network = Network::to(s3.split('/').next().expect("a server")).await;
    let endpoint = format!("http://{}", network.address);
    let settings =
        [("CLAIM_CHECK_BUCKET", bucket.name.as_str()), ("AWS_ENDPOINT_URL_S3", &endpoint)];
    let _running = host.start(&fixture, &settings, TIME).await;
    network.becomes(State::Refuses);
    fixture.send(&[claiming("g", &claim.to_json())]).await;
    let is_opened = |line: &Value| line["dependency"] == "claim_check_unavailable";
    fixture.system.logged(NAME, is_opened).await;
    network.becomes(State::Passes);
    fixture.empty().await;
    let groups = groups(&[("g", &["a: ack"])]);
    Scenario { groups, ..Scenario::default() }.compare(&fixture).await;
}

/// A Lambda's messages are deleted by the mapping, so their bodies cannot be.
pub(crate) async fn a_body_is_deleted_after_its_message_if_configured_and_in_a_pod(host: Host) {
    let fixture = Fixture::new().await;
    deletes(&fixture, &Bucket::create(&fixture).await, host).await;
}

/// A plain deletion would only add a delete marker.
pub(crate) async fn no_version_of_a_deleted_body_is_left(host: Host) {
    let fixture = Fixture::new().await;
    let bucket = Bucket::create(&fixture).await;
    bucket.enable_versioning().await;
    deletes(&fixture, &bucket, host).await;
}

async fn deletes(fixture: &Fixture, bucket: &Bucket, host: Host) {
    let (good, bad) = (bucket.put(script("a")).await, bucket.put("no script".to_owned()).await);
    // A sender that repeats its request.
    bucket.replace(&good.key, script("a")).await;
    fixture.send(&[claiming("g", &good.to_json()), claiming("h", &bad.to_json())]).await;
    let settings = [("CLAIM_CHECK_BUCKET", bucket.name.as_str()), ("CLAIM_CHECK_DELETE", "true")];
    let mut running = host.start(fixture, &settings, TIME).await;
    let expected = [(bad.to_json(), ("unreadable".to_owned(), 1))];
    assert_eq!(reasons(fixture).await, Reasons::from(expected));
    // It deletes bodies last.
    assert!(running.stop().await.success());
    let mut left = match host {
        Host::Pod => vec![bad.key],
        Host::Lambda => vec![bad.key, good.key],
    };
    left.sort();
    assert_eq!(bucket.keys().await, left);
}

/// Bodies for which there is no memory wait for it, and that is nobody's time: a message is no dead
/// letter because we were busy.
pub(crate) async fn a_body_waits_for_memory_and_costs_no_message(host: Host) {
    let fixture = Fixture::new().await;
    fixture.allow_deliveries(1).await;
    let bucket = Bucket::create(&fixture).await;
    let ids = ["a", "b", "c"];
    for id in ids {
        let body = json!({"id": id, "steps": [{"slow": 2}]}).to_string();
        let claim = bucket.put(format!("{body:900}")).await;
        fixture.send(&[claiming(id, &claim.to_json())]).await;
    }
    let settings = [
        ("CLAIM_CHECK_BUCKET", bucket.name.as_str()),
        ("CLAIM_CHECK_MAX_BYTES", "1000"),
        ("CLAIM_CHECK_MEMORY_BYTES", "1000"),
    ];
    let limit = match host {
        Host::Pod => Duration::from_secs(3),
        Host::Lambda => TIME,
    };
    let _running = host.start(&fixture, &settings, limit).await;
    fixture.empty().await;
    let groups = groups(&[("a", &["a: ack"]), ("b", &["b: ack"]), ("c", &["c: ack"])]);
    Scenario { groups, ..Scenario::default() }.compare(&fixture).await;
}

async fn reasons(fixture: &Fixture) -> Reasons {
    fixture.empty().await;
    let letters = fixture.take_dead_letters().await;
    let letters = letters.iter().map(Dead::read).map(|mut dead| {
        assert_eq!(dead.body, SMALL);
        let claim = dead.attributes.remove(claim_check::ATTRIBUTE).expect("the claim");
        (claim, (dead.reason, dead.attempts))
    });
    letters.collect()
}
