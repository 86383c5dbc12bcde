//! The OpenAPI document, put together from what the functions' routes say.

use std::mem;

use aide::axum::ApiRouter;
use aide::generate::{in_context, infer_responses, reset_context};
use aide::openapi::{
    Components, Info, License, OpenApi, PathItem, Paths, ReferenceOr, SchemaObject, SecurityScheme,
    Server, Tag,
};
use aide::util::iter_operations_mut;
use domain::portable::absent;
use schemars::JsonSchema as _;
use schemars::generate::{SchemaGenerator, SchemaSettings};

use super::{ProblemDocument, SECURITY_SCHEME, headers, problems};

const DESCRIPTION: &str = include_str!("description.md");

const TOKEN: &str = "\
An access token (JWT) of the issuer that the service trusts. It names the caller's tenant, and its \
scopes: `tasks:read` for what is read, `tasks:write` for what is written.";

/// The tags of operations, in the order in which they are shown.
const TAGS: [(&str, &str); 5] = [
    ("Tasks", "What is to be done."),
    ("Actions", "Steps in the life of a task."),
    ("History", "Every version that a task ever had."),
    ("Attachments", "Files of tasks. They go to and from the object store by signed URLs."),
    ("Operations", "Writes that were accepted to be applied later."),
];

/// The document that is being made.
#[derive(Debug)]
pub struct Document(OpenApi);

impl Default for Document {
    /// Without any operation.
    fn default() -> Self {
        let tag = |(name, description): (&str, &str)| Tag {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            ..Tag::default()
        };
        Self(OpenApi {
            info: info(),
            servers: vec![Server { url: "/".to_owned(), ..Server::default() }],
            components: Some(components()),
            tags: TAGS.map(tag).into(),
            ..OpenApi::default()
        })
    }
}

impl Document {
    /// Adds the operations that `routes` lists. Paths that are there already gain methods.
    #[must_use]
    pub fn with<S>(mut self, routes: fn(ApiRouter<S>) -> ApiRouter<S>) -> Self
    where
        S: Clone + Send + Sync + 'static,
    {
        let Self(whole) = &mut self;
        let mut part = OpenApi::default();
        prepare();
        let _: axum::Router<S> = routes(ApiRouter::new()).finish_api(&mut part);
        let paths = &mut whole.paths.get_or_insert_with(Paths::default).paths;
        for (path, item) in part.paths.unwrap_or_default() {
            let known = paths.entry(path).or_insert_with(|| ReferenceOr::Item(PathItem::default()));
            if let (ReferenceOr::Item(known), ReferenceOr::Item(mut item)) = (known, item) {
                sort_answers(&mut item);
                known.merge_with(item);
            }
        }
        let schemas = part.components.unwrap_or_default().schemas;
        whole.components.get_or_insert_default().schemas.extend(schemas);
        self
    }

    /// The document, as it is committed.
    pub fn json(&self) -> serde_json::Result<String> {
        let mut whole = self.0.clone();
        absent_in_answers(&mut whole)?;
        let text = serde_json::to_string(&whole)?;
        let examples = &mut whole.components.get_or_insert_default().examples;
        // Not every problem is one of an operation: some are of no address, or of queues.
        examples.retain(|name, _| text.contains(&format!("\"#/components/examples/{name}\"")));
        Ok(serde_json::to_string_pretty(&whole)? + "\n")
    }
}

/// Makes members of answers absent where they have no value, as they are sent: those of the components that
/// answers refer to, at once or by others.
fn absent_in_answers(whole: &mut OpenApi) -> serde_json::Result<()> {
    let operations = whole.paths.iter_mut().flat_map(|paths| paths.paths.values_mut());
    let operations = operations.filter_map(|path| match path {
        ReferenceOr::Item(item) => Some(item),
        ReferenceOr::Reference { .. } => None,
    });
    let mut answers = Vec::new();
    for (_, operation) in operations.flat_map(iter_operations_mut) {
        answers.push(serde_json::to_string(&operation.responses)?);
    }
    let mut schemas = mem::take(&mut whole.components.get_or_insert_default().schemas);
    let mut left: Vec<_> = schemas.keys().cloned().collect();
    while let Some(answer) = answers.pop() {
        let is_named =
            |name: &mut String| answer.contains(&format!("\"#/components/schemas/{name}\""));
        for name in left.extract_if(.., is_named).collect::<Vec<_>>() {
            if let Some(schema) = schemas.get_mut(&name) {
                absent(&mut schema.json_schema);
                answers.push(serde_json::to_string(&schema.json_schema)?);
            }
        }
    }
    whole.components.get_or_insert_default().schemas = schemas;
    Ok(())
}

/// By status, for those who read.
fn sort_answers(item: &mut PathItem) {
    for (_, operation) in iter_operations_mut(item) {
        if let Some(answers) = &mut operation.responses {
            answers.responses.sort_unstable_keys();
        }
    }
}

fn info() -> Info {
    Info {
        title: "task-app".to_owned(),
        description: Some(DESCRIPTION.to_owned()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        license: Some(License {
            name: "Apache-2.0".to_owned(),
            identifier: Some("Apache-2.0".to_owned()),
            ..License::default()
        }),
        ..Info::default()
    }
}

fn components() -> Components {
    let scheme = SecurityScheme::Http {
        scheme: "bearer".to_owned(),
        bearer_format: Some("JWT".to_owned()),
        description: Some(TOKEN.to_owned()),
        extensions: [].into(),
    };
    let problem = ProblemDocument::json_schema(&mut SchemaGenerator::default());
    let problem = SchemaObject { json_schema: problem, external_docs: None, example: None };
    Components {
        security_schemes: [(SECURITY_SCHEME.to_owned(), ReferenceOr::Item(scheme))].into(),
        schemas: [(ProblemDocument::schema_name().into_owned(), problem)].into(),
        examples: problems::examples().collect(),
        headers: headers::components().collect(),
        ..Components::default()
    }
}

/// OpenAPI 3.1 speaks JSON Schema 2020-12; aide's own default is an older one.
fn prepare() {
    reset_context();
    infer_responses(false);
    in_context(|context| {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| settings.definitions_path = "/components/schemas".into());
        context.schema = settings.into_generator();
    });
}
