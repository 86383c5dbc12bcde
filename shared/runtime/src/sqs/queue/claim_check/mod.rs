//! Claim checks: messages whose body is too large for the queue and waits in S3.
//!
//! The sender puts the body into a bucket ([`put`]) and sends a message with any small body and the
//! attribute [`ATTRIBUTE`], which says where the real one is. The consumer fetches that before it
//! decodes, and the handler's `decode` finds both: [`Delivery::body`](crate::sqs::Delivery::body) is what was
//! sent through the queue, [`Delivery::redeemed`](crate::sqs::Delivery::redeemed) what was fetched. One whose
//! small bodies say nothing reads `delivery.redeemed().unwrap_or_else(|| delivery.body())`.
//!
//! ```no_run
//! # async fn send(sqs: aws_sdk_sqs::Client, s3: aws_sdk_s3::Client, url: &str, body: String) -> anyhow::Result<()> {
//! use aws_sdk_sqs::types::MessageAttributeValue;
//! use runtime::sqs::claim_check;
//!
//! let reference = claim_check::put(&s3, "bodies", "orders/", body).await?;
//! let value = MessageAttributeValue::builder()
//!     .data_type("String")
//!     .string_value(reference.to_json())
//!     .build()?;
//! sqs.send_message()
//!     .queue_url(url)
//!     .message_body("{}")
//!     .message_attributes(claim_check::ATTRIBUTE, value)
//!     .send()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! A message must not be able to make its consumer read whatever it likes: bodies come from the
//! bucket `CLAIM_CHECK_BUCKET` only, their size is checked before they are read, and their digest
//! before they are decoded.
//!
//! | what is wrong | verdict, reason |
//! |---|---|
//! | `CLAIM_CHECK_BUCKET` is not set | reject, `claim_check_disabled` |
//! | the attribute is not a [`Reference`] | reject, `claim_check_malformed` |
//! | it names another bucket | reject, `claim_check_foreign_bucket` |
//! | it is larger than `CLAIM_CHECK_MAX_BYTES` | reject, `claim_check_too_large` |
//! | there is no such object | reject, `claim_check_missing` |
//! | the object has another size or digest, or is no UTF-8 | reject, `claim_check_mismatch` |
//! | S3 does not answer, or fails | retry, `claim_check_unavailable`: it opens the circuit breaker |
//! | S3 denies access | retry, `claim_check_denied` |
//! | an invocation ends before there is memory for it | released, `claim_check_no_room`; a pod waits |
//!
//! S3 answers `AccessDenied` for a missing object to a consumer without `s3:ListBucket`: grant that,
//! next to `s3:GetObject`, and a missing object is a dead letter at once. Without it, it is one after
//! the queue's last delivery, like any retry. `CLAIM_CHECK_DELETE` needs `s3:DeleteObject`, and in a
//! bucket with versioning, of which each version of a body is deleted, `s3:DeleteObjectVersion` and,
//! on the bucket, `s3:ListBucketVersions`.
//!
//! S3 is a dependency of every consumer with a `CLAIM_CHECK_BUCKET`: the harness declares it, as
//! `claim_checks`, and checks it by the head of an object that is not there.
//!
//! A dead letter keeps the small body and the attribute, byte for byte as they were sent, so that a
//! replay finds the large one again. Let a lifecycle rule of the bucket delete old bodies: with
//! `CLAIM_CHECK_DELETE` the consumer deletes a body when it has deleted the acknowledged message,
//! but a second delivery that was under way then ends as `claim_check_missing`. In a Lambda it never
//! does, for there the platform deletes the message, afterwards.
//!
//! Memory: the bodies of all batches that are handled at a time take `CLAIM_CHECK_MEMORY_BYTES` at
//! most, from before they are fetched until their messages were handled. A batch with more than that
//! is handled in sub-batches, one after the other; a batch for which there is no room now waits. A body
//! is dropped once it was decoded: what `decode` makes of it comes on top.

mod bucket;
mod config;
mod fetch;
mod sender;
mod sub_batch;

pub use config::Config;
pub(crate) use fetch::ClaimChecks;
pub use objects::claim_check::{ATTRIBUTE, Reference};
pub use sender::put;
pub(crate) use sub_batch::{BlockedGroups, SubBatch};
