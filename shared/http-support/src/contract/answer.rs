//! What an operation answers when it does not fail.

use aide::generate::in_context;
use aide::openapi::{
    Link, LinkOperation, MediaType, ReferenceOr, Response, SchemaObject, StatusCode,
};
use axum::http;
use runtime::http::ProblemType;
use schemars::JsonSchema;
use serde_json::Value;

use super::headers::{Header, RATE_LIMIT, RATE_LIMIT_POLICY, REQUEST_ID};
use super::problems;
use super::routes::Operation;

/// One answer of an operation, as it is described.
#[must_use]
pub struct Answer {
    status: http::StatusCode,
    response: Response,
}

impl Answer {
    /// An answer without a body.
    pub fn new(status: http::StatusCode, description: &str) -> Self {
        let response = Response {
            description: description.to_owned(),
            headers: [REQUEST_ID, RATE_LIMIT, RATE_LIMIT_POLICY]
                .map(|header| header.reference())
                .into(),
            ..Response::default()
        };
        Self { status, response }
    }

    /// With a `T` as its body, such as `example`.
    pub fn json<T: JsonSchema>(mut self, example: Value) -> Self {
        let json_schema = in_context(|context| context.schema.subschema_for::<T>());
        let schema = SchemaObject { json_schema, external_docs: None, example: None };
        let content =
            MediaType { schema: Some(schema), example: Some(example), ..MediaType::default() };
        self.response.content.insert("application/json".to_owned(), content);
        self
    }

    /// With a header.
    pub fn header(mut self, header: Header) -> Self {
        self.response.headers.extend([header.reference()]);
        self
    }

    /// The operation `id` can be called next, with these parameters: names, and expressions of
    /// OpenAPI such as `$response.body#/id`.
    pub fn then(mut self, id: &str, parameters: &[(&str, &str)]) -> Self {
        let parameters =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        let link = Link {
            description: None,
            operation: LinkOperation::OperationId(id.to_owned()),
            request_body: None,
            parameters: parameters.collect(),
            server: None,
            extensions: [].into(),
        };
        self.response.links.insert(id.to_owned(), ReferenceOr::Item(link));
        self
    }

    fn add(self, operation: &mut aide::openapi::Operation) {
        let code = StatusCode::Code(self.status.as_u16());
        let responses = &mut operation.responses.get_or_insert_default().responses;
        responses.insert(code, ReferenceOr::Item(self.response));
    }
}

/// Adds an answer to an operation.
pub fn answers(answer: Answer) -> impl FnOnce(Operation<'_>) -> Operation<'_> {
    |mut operation| {
        answer.add(operation.inner_mut());
        operation
    }
}

/// Adds the problems that its handler can answer, beyond those of its arguments.
pub fn fails(types: &[ProblemType]) -> impl FnOnce(Operation<'_>) -> Operation<'_> {
    |mut operation| {
        problems::can_fail(operation.inner_mut(), types);
        operation
    }
}

/// Adds something that a request may have, and that none of its handler's arguments describes.
pub fn accepts(
    add: fn(&mut aide::openapi::Operation),
) -> impl FnOnce(Operation<'_>) -> Operation<'_> {
    move |mut operation| {
        add(operation.inner_mut());
        operation
    }
}

/// Adds an example of the request's body.
pub fn sent(example: Value) -> impl FnOnce(Operation<'_>) -> Operation<'_> {
    move |mut operation| {
        if let Some(ReferenceOr::Item(body)) = &mut operation.inner_mut().request_body {
            for content in body.content.values_mut() {
                content.example = Some(example.clone());
            }
        }
        operation
    }
}
