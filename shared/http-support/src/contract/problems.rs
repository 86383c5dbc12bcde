//! Problems in the description: which an operation can end in, and what one looks like.

use std::borrow::Cow;

use aide::OperationOutput;
use aide::openapi::{self, Example, MediaType, ReferenceOr, Response, SchemaObject, StatusCode};
use axum::http;
use runtime::http::ProblemType;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::headers::{self, Header};
use crate::Problem;
use crate::problem::types;

/// Which problems a handler can answer is said beside its route.
impl OperationOutput for Problem {
    type Inner = Self;
}

/// The schema of every problem (RFC 9457).
pub struct ProblemDocument;

impl JsonSchema for ProblemDocument {
    fn schema_name() -> Cow<'static, str> {
        "Problem".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = |description| json!({ "type": "string", "description": description });
        let place =
            |description| json!({ "type": "integer", "minimum": 0, "description": description });
        json_schema!({
            "type": "object",
            "description": "Why a request was not served (RFC 9457).",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {
                    "type": "string",
                    "x-extensible-enum": types::every().map(ProblemType::urn).collect::<Vec<_>>(),
                    "examples": [types::NOT_FOUND.urn()],
                    "description": meanings(),
                },
                "title": text("The name of the type."),
                "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The status of the response." },
                "detail": text("What happened this time, for people. Its wording may change."),
                "request_id": text("The request's name in the service's log."),
                "parameter": text("The parameter at fault."),
                "header": text("The header at fault."),
                "line": place("The line of the body's fault, from 1."),
                "column": place("The column of the body's fault, from 1; 0 is the end of the line before."),
                "actual": place("The version that the task has."),
                "violated-policies": {
                    "type": "array",
                    "description": "The limits that do not allow the request, as `RateLimit-Policy` names them.",
                    "items": { "type": "string" },
                },
                "errors": {
                    "type": "array",
                    "description": "The faults of the body.",
                    "items": {
                        "type": "object",
                        "required": ["pointer", "detail"],
                        "properties": {
                            "pointer": text("Where: a JSON Pointer (RFC 6901), empty for the whole body."),
                            "detail": text("What is wrong there."),
                        },
                    },
                },
            },
        })
    }
}

/// Each type, and what to do about it.
fn meanings() -> String {
    let meaning = |problem: &ProblemType| {
        format!(
            "- `{}` ({}): {} {}\n",
            problem.urn(),
            problem.status.as_u16(),
            problem.when,
            problem.remedy
        )
    };
    let types: String = types::every().map(meaning).collect();
    format!(
        "What clients match on. More types may come; one that is not known says what its status says.\n\n{types}"
    )
}

/// An example of each type, which the answers refer to.
pub(super) fn examples() -> impl Iterator<Item = (String, ReferenceOr<Example>)> {
    types::every().map(|problem| {
        let value = json!({
            "type": problem.urn(),
            "title": problem.title,
            "status": problem.status.as_u16(),
            "detail": problem.when,
            "request_id": "5f2b7c1e-6f0f-4a43-9c55-0d0f6a3cb6a1",
        });
        let example = Example {
            summary: Some(problem.title.to_owned()),
            description: Some(problem.remedy.to_owned()),
            value: Some(value),
            ..Example::default()
        };
        (problem.slug.to_owned(), ReferenceOr::Item(example))
    })
}

/// Adds to an operation the problems that it can end in.
pub fn can_fail(operation: &mut openapi::Operation, problems: &[ProblemType]) {
    let responses = &mut operation.responses.get_or_insert_default().responses;
    for problem in problems {
        let code = StatusCode::Code(problem.status.as_u16());
        let response =
            responses.entry(code).or_insert_with(|| ReferenceOr::Item(none_yet(problem.status)));
        if let ReferenceOr::Item(response) = response {
            add(response, problem);
        }
    }
}

/// Adds to an operation that there may be problems that nobody has listed.
pub(super) fn any_other(operation: &mut openapi::Operation) {
    let response = Response {
        description: "Any other problem: treat it as its status says.".to_owned(),
        content: [("application/problem+json".to_owned(), a_problem())].into(),
        ..Response::default()
    };
    operation.responses.get_or_insert_default().default = Some(ReferenceOr::Item(response));
}

fn a_problem() -> MediaType {
    let schema = SchemaObject {
        json_schema: Schema::new_ref("#/components/schemas/Problem".to_owned()),
        external_docs: None,
        example: None,
    };
    MediaType { schema: Some(schema), ..MediaType::default() }
}

fn none_yet(status: http::StatusCode) -> Response {
    let further: &[Header] = match status {
        http::StatusCode::UNAUTHORIZED | http::StatusCode::FORBIDDEN => &[headers::CHALLENGE],
        http::StatusCode::UNSUPPORTED_MEDIA_TYPE => &[headers::ENCODINGS],
        http::StatusCode::SERVICE_UNAVAILABLE => &[headers::RETRY_AFTER],
        http::StatusCode::TOO_MANY_REQUESTS => {
            &[headers::RETRY_AFTER, headers::RATE_LIMIT, headers::RATE_LIMIT_POLICY]
        }
        _ => &[],
    };
    let headers = [headers::REQUEST_ID].iter().chain(further);
    Response {
        headers: headers.map(Header::reference).collect(),
        content: [("application/problem+json".to_owned(), a_problem())].into(),
        ..Response::default()
    }
}

/// Once, however often it is named.
fn add(response: &mut Response, problem: &ProblemType) {
    for content in response.content.values_mut() {
        let reference = format!("#/components/examples/{}", problem.slug);
        let example = ReferenceOr::Reference { reference, summary: None, description: None };
        if content.examples.insert(problem.slug.to_owned(), example).is_none() {
            if !response.description.is_empty() {
                response.description.push(' ');
            }
            response.description.push_str(problem.when);
        }
    }
}
