//! What the extractors say of the operations that have them: parameters, bodies, scopes, and the
//! problems that each can answer.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{
    HeaderStyle, MediaType, Operation, Parameter, ParameterData, ParameterSchemaOrContent,
    PathStyle, QueryStyle, ReferenceOr, RequestBody, SchemaObject,
};
use runtime::http::ProblemType;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::Value;

use super::problems::{any_other, can_fail};
use crate::auth::Scope;
use crate::problem::types::{
    BAD_REQUEST, ENCODED_BODY, HEAD_TOO_LARGE, IDEMPOTENCY_KEY_REUSED, INSUFFICIENT_SCOPE,
    INTERNAL, INVALID_BODY, INVALID_HEADER, INVALID_PARAMETER, INVALID_TOKEN, MALFORMED_BODY,
    NOT_FOUND, PAYLOAD_TOO_LARGE, RATE_LIMITED, TIMED_OUT, UNAUTHORIZED, UNAVAILABLE,
    UNREADABLE_BODY, UNSUPPORTED_MEDIA_TYPE, VERSION_CONFLICT,
};
use crate::{
    Headers, IdempotencyKey, Json, MergePatch, OptionalJson, Path, PathPair, Query, Reader,
    RespondAsync, Writer,
};

const IDEMPOTENCY_KEY: &str = "\
    Names the request, so that it takes effect once however often it is sent: a repeat gets the result \
    of the first. 1 to 128 visible ASCII characters, bare or as a quoted string; unique for each new \
    request of the tenant, such as a UUID.";
const PREFER: &str = "\
    With `respond-async` the caller does not wait: the answer is a 202 with an operation, if the \
    service has a queue for such writes. Other preferences are ignored.";
const IF_MATCH: &str = "\
    The entity tag of the version that the task must have, such as `\"3\"`; `*` is any, as is a \
    request without this header. More tags than that one may stand in a list; they never match.";
const TRACEPARENT: &str = "\
    The caller's trace context (W3C): the facts of the write carry it on. What is malformed is ignored.";
const WISH: &str = "`no-cache`, `no-store` or `max-age=0`: the answer has every write that was \
    answered before. `max-age=N`: it may miss what was written in the last N seconds, if that is less \
    than it may miss anyway.";
const IF_NONE_MATCH: &str = "\
    Entity tags that the caller has: the answer is 304 if one of them still holds. What is malformed \
    is ignored.";

/// The problems of every request.
const ALWAYS: [ProblemType; 5] =
    [BAD_REQUEST, PAYLOAD_TOO_LARGE, HEAD_TOO_LARGE, INTERNAL, TIMED_OUT];

impl OperationInput for Reader {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs(operation, Scope::TasksRead);
    }
}

impl OperationInput for Writer {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs(operation, Scope::TasksWrite);
    }
}

/// Each operation has one of the two, so what all have in common is said here.
fn needs(operation: &mut Operation, scope: Scope) {
    let scopes = vec![scope.as_str().to_owned()];
    operation.security.push([(super::SECURITY_SCHEME.to_owned(), scopes)].into());
    any_other(operation);
    can_fail(operation, &ALWAYS);
    can_fail(operation, &[UNAUTHORIZED, INVALID_TOKEN, INSUFFICIENT_SCOPE]);
    can_fail(operation, &[RATE_LIMITED, UNAVAILABLE]);
}

/// Each operation describes the headers that it reads.
impl OperationInput for Headers {}

impl<T: JsonSchema> OperationInput for Path<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        path::<T>(context, operation, "id");
    }
}

impl<T: JsonSchema, U: JsonSchema> OperationInput for PathPair<T, U> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        path::<T>(context, operation, "id");
        path::<U>(context, operation, "attachment");
    }
}

/// Described as its type is.
fn path<T: JsonSchema>(context: &mut GenContext, operation: &mut Operation, name: &str) {
    let mut described = T::json_schema(&mut context.schema);
    let (description, example) = (description(&mut described), example(&mut described));
    let data = parameter(name, description, example, context.schema.subschema_for::<T>());
    let parameter_data = ParameterData { required: true, ..data };
    let style = PathStyle::Simple;
    operation.parameters.push(ReferenceOr::Item(Parameter::Path { parameter_data, style }));
    can_fail(operation, &[INVALID_PARAMETER, NOT_FOUND]);
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = T::json_schema(&mut context.schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let Ok(mut schema) = Schema::try_from(schema.clone()) else { continue };
            let (description, example) = (description(&mut schema), example(&mut schema));
            if schema.get("default") == Some(&Value::Null) {
                schema.remove("default");
            }
            let parameter = Parameter::Query {
                parameter_data: parameter(name, description, example, schema),
                allow_reserved: false,
                style: QueryStyle::Form,
                allow_empty_value: None,
            };
            operation.parameters.push(ReferenceOr::Item(parameter));
        }
        can_fail(operation, &[INVALID_PARAMETER]);
    }
}

impl OperationInput for IdempotencyKey {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = context.schema.subschema_for::<Self>();
        let example = "8e03978e-40d5-43e8-bc93-6894a57f9324";
        header(operation, "Idempotency-Key", IDEMPOTENCY_KEY, example, schema);
        can_fail(operation, &[INVALID_HEADER, IDEMPOTENCY_KEY_REUSED]);
    }
}

impl OperationInput for RespondAsync {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = context.schema.subschema_for::<String>();
        header(operation, "Prefer", PREFER, "respond-async", schema);
    }
}

/// Lets an operation name the version that it needs.
pub fn if_match(operation: &mut Operation) {
    let schema = json_schema!({ "type": "string", "pattern": r#"^("[1-9][0-9]{0,17}"|[*])$"# });
    header(operation, "If-Match", IF_MATCH, "\"3\"", schema);
    can_fail(operation, &[INVALID_HEADER, VERSION_CONFLICT]);
}

/// Lets an operation answer only what the caller does not have yet.
pub fn if_none_match(operation: &mut Operation) {
    header(operation, "If-None-Match", IF_NONE_MATCH, "\"3\"", any_text());
}

/// Lets an operation answer the present state.
pub fn cache_control(operation: &mut Operation) {
    header(operation, "Cache-Control", WISH, "no-cache", any_text());
}

/// Lets an operation be a part of its caller's trace.
pub fn traceparent(operation: &mut Operation) {
    let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    header(operation, "traceparent", TRACEPARENT, example, any_text());
}

fn any_text() -> Schema {
    json_schema!({ "type": "string" })
}

/// A header that a request may have.
fn header(operation: &mut Operation, name: &str, description: &str, example: &str, schema: Schema) {
    let (description, example) = (Some(description.to_owned()), Some(example.into()));
    let parameter_data = parameter(name, description, example, schema);
    let style = HeaderStyle::Simple;
    operation.parameters.push(ReferenceOr::Item(Parameter::Header { parameter_data, style }));
}

/// What a schema says of itself; a parameter says it instead.
fn description(schema: &mut Schema) -> Option<String> {
    let description = schema.remove("description");
    description.as_ref().and_then(Value::as_str).map(str::to_owned)
}

/// The first example that a schema has; a parameter has one.
fn example(schema: &mut Schema) -> Option<Value> {
    schema.remove("examples")?.get(0).cloned()
}

fn parameter(
    name: &str,
    description: Option<String>,
    example: Option<Value>,
    json_schema: Schema,
) -> ParameterData {
    let schema = SchemaObject { json_schema, external_docs: None, example: None };
    ParameterData {
        name: name.to_owned(),
        description,
        required: false,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema),
        example,
        examples: [].into(),
        explode: None,
        extensions: [].into(),
    }
}

impl<T: JsonSchema> OperationInput for Json<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        body(operation, &["application/json"], context.schema.subschema_for::<T>());
    }
}

impl<T: JsonSchema> OperationInput for MergePatch<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let types = ["application/merge-patch+json", "application/json"];
        body(operation, &types, context.schema.subschema_for::<T>());
    }
}

impl<T: JsonSchema> OperationInput for OptionalJson<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        body(operation, &["application/json"], context.schema.subschema_for::<T>());
        if let Some(ReferenceOr::Item(body)) = &mut operation.request_body {
            body.required = false;
        }
    }
}

fn body(operation: &mut Operation, types: &[&str], schema: Schema) {
    let schema = SchemaObject { json_schema: schema, external_docs: None, example: None };
    let content = MediaType { schema: Some(schema), ..MediaType::default() };
    let content = types.iter().map(|name| ((*name).to_owned(), content.clone())).collect();
    let body = RequestBody { content, required: true, ..RequestBody::default() };
    operation.request_body = Some(ReferenceOr::Item(body));
    let syntax = [UNREADABLE_BODY, MALFORMED_BODY, UNSUPPORTED_MEDIA_TYPE, ENCODED_BODY];
    can_fail(operation, &syntax);
    can_fail(operation, &[INVALID_BODY]);
}
