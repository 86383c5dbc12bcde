//! The sizes of everything that a producer or caller may send, in one place.
//!
//! The value types check them, the JSON Schemas state them, and a test of the store compares them
//! with the constraints of the database. Lengths are Unicode code points, as in JSON Schema's
//! `maxLength` and PostgreSQL's `char_length`.

/// Highest version that a command may expect: the highest integer that every reader of JSON, also one
/// that knows only floating-point numbers, takes for itself (RFC 8259, section 6).
pub const VERSION_MAX: i64 = 9_007_199_254_740_991;
/// Longest title, in code points.
pub const TITLE_MAX: usize = 200;
/// Longest description, in code points.
pub const DESCRIPTION_MAX: usize = 10_000;
/// Longest tag, in characters (tags are ASCII).
pub const TAG_MAX: usize = 50;
/// Most tags on one task.
pub const TAGS_MAX: usize = 20;
/// Longest assignee, in characters (assignees are ASCII).
pub const ASSIGNEE_MAX: usize = 100;
/// Longest identifier of an actor, in code points: as long as the `sub` of a token may be.
pub const ACTOR_MAX: usize = 255;
/// Longest tenant identifier, in characters (tenants are ASCII).
pub const TENANT_MAX: usize = 63;
/// Longest name of an attachment, in code points.
pub const ATTACHMENT_NAME_MAX: usize = 200;
/// Longest media type of an attachment, in characters (media types are ASCII).
pub const CONTENT_TYPE_MAX: usize = 127;
/// Largest attachment, in bytes: 100 MiB.
pub const ATTACHMENT_BYTES_MAX: u32 = 100 * 1024 * 1024;
/// Most attachments of one task.
pub const ATTACHMENTS_MAX: usize = 20;
/// Largest page of a list, in bytes of the JSON of its elements: 512 KiB. A page of one element may be
/// larger. A load balancer takes 1 MB from a Lambda, in which the page is a JSON string.
pub const PAGE_BYTES_MAX: usize = 512 * 1024;
