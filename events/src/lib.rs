//! The contract with event producers and consumers.
//!
//! A message body is a [CloudEvents 1.0] event in structured JSON. [`Event`] is that envelope,
//! [`CommandType`] lists the commands, and [`decode`] is the one way from bytes to a
//! [`domain::Command`], for the worker, for `publish` and for tests alike. What it accepts is what
//! the JSON Schemas in `events/schemas/` accept (but for the size of the whole body, which no
//! schema can state); a property test holds the two together. [`decode_claimed`] reads an event
//! whose data travels apart, for its size.
//!
//! [CloudEvents 1.0]: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md

mod attributes;
mod command;
mod content_type;
mod decode;
mod decode_fact;
mod encode_command;
mod encode_fact;
mod error;
mod event;
mod fact;
mod foreign;
mod older;
mod queue_text;
pub mod schema;
mod traceparent;
mod unchecked_envelope;

pub use attributes::{EventId, EventTime, Source, SpecVersion, Unset};
pub use command::CommandType;
pub use content_type::JsonContent;
pub use decode::{
    CommandEvent, CommandIdentity, MAX_BYTES, MAX_DATA_BYTES, decode, decode_claimed,
    decode_identity,
};
pub use decode_fact::{FactEvent, FactPayload, decode_fact};
pub use encode_command::encode_command;
pub use encode_fact::{FactRecord, encode_fact};
pub use error::{DecodeError, Reason};
pub use event::Event;
pub use fact::{CommandRejected, FactType};
pub use older::ChangeTagV1;
pub use queue_text::queue_text;
pub use traceparent::traceparent;
pub use unchecked_envelope::UncheckedEnvelope;
