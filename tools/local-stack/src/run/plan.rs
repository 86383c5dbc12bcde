//! Which functions run, and what the environment of each one is.

use anyhow::Result;
use resources::resources;
use secrecy::SecretString;

use super::Options;
use crate::database::{Login, login_url};
use crate::environment::Environment;
use crate::issuer::{AUDIENCE, Issuer};
use crate::ports::loopback;
use crate::provision::Queues;
use crate::state::State;

const READER: Login = Login { user: "task_reader", group: "task_app_reader" };
const WRITER: Login = Login { user: "task_writer", group: "task_app_writer" };
const WORKER: Login = Login { user: "command_worker", group: "task_app_writer" };
const ATTACHMENTS: Login = Login { user: "attachment_worker", group: "task_app_attachments" };
const RELAY: Login = Login { user: "outbox_relay", group: "task_app_relay" };
const OPERATOR: Login = Login { user: "task_operator", group: "task_app_operator" };

const ANY_PORT: &str = "127.0.0.1:0";

/// A function to start.
pub(super) struct Planned {
    pub(super) name: String,
    /// Which of `task-app` it is.
    pub(super) function: &'static str,
    /// Its address, or its queue.
    pub(super) address: String,
    pub(super) environment: Environment,
}

/// What all functions share, and where each finds its own.
pub(super) struct Context<'a> {
    pub(super) state: &'a State,
    pub(super) owner: &'a SecretString,
    pub(super) issuer: &'a Issuer,
    pub(super) queues: &'a Queues,
    pub(super) common: Environment,
}

/// The functions, in the order of their start.
pub(super) async fn plan(context: &Context<'_>, options: &Options) -> Result<Vec<Planned>> {
    let mut planned = vec![reader(context).await?, http(context, "task-writer", WRITER).await?];
    let database = login_url(context.owner, WORKER, context.state).await?;
    let environment = context
        .common
        .clone()
        .with_secret("DATABASE_URL", &database)
        .with("QUEUE_URL", &context.queues.commands.url)
        .with("CLAIM_CHECK_BUCKET", &resources().buckets.claim_checks.name);
    planned.extend((1..=options.workers).map(|number| Planned {
        name: format!("command-worker-{number}"),
        function: "command-worker",
        address: resources().queues.commands.name.clone(),
        environment: environment.clone(),
    }));
    planned.push(relay(context).await?);
    planned.push(projector(context));
    planned.push(attachments(context).await?);
    // Nothing that runs uses it: it is for whoever looks after parked facts.
    context.state.keep_operator_url(&login_url(context.owner, OPERATOR, context.state).await?)?;
    Ok(planned)
}

/// What the functions, and the subscribers, have if they are started by hand beside those of the stack.
pub(super) fn environments<'a>(
    context: &'a Context<'_>,
    planned: &'a [Planned],
) -> impl Iterator<Item = (&'a str, Environment)> {
    let any_port = |environment: &Environment| {
        let free = Environment::default().with("HEALTH_ADDR", ANY_PORT).with("HTTP_ADDR", ANY_PORT);
        environment.clone().and(&free)
    };
    let functions = planned.iter().map(move |it| (it.name.as_str(), any_port(&it.environment)));
    let subscribers = context.queues.subscribers.iter().map(move |(name, queue)| {
        (name.as_str(), any_port(&context.common).with("QUEUE_URL", &queue.url))
    });
    functions.chain(subscribers)
}

async fn reader(context: &Context<'_>) -> Result<Planned> {
    let mut reader = http(context, "task-reader", READER).await?;
    let key = context.state.secret("cursor-key")?;
    reader.environment = reader.environment.with_secret("CURSOR_KEY", &key);
    Ok(reader)
}

fn projector(context: &Context<'_>) -> Planned {
    Planned {
        name: "history-projector".to_owned(),
        function: "history-projector",
        address: resources().queues.facts.name.clone(),
        environment: context.common.clone().with("QUEUE_URL", &context.queues.facts.url),
    }
}

async fn attachments(context: &Context<'_>) -> Result<Planned> {
    let database = login_url(context.owner, ATTACHMENTS, context.state).await?;
    Ok(Planned {
        name: "attachment-worker".to_owned(),
        function: "attachment-worker",
        address: resources().queues.attachment_events.name.clone(),
        environment: context
            .common
            .clone()
            .with_secret("DATABASE_URL", &database)
            .with("QUEUE_URL", &context.queues.attachment_events.url)
            .with("ATTACHMENT_BUCKET", &resources().buckets.attachments.name),
    })
}

async fn relay(context: &Context<'_>) -> Result<Planned> {
    let database = login_url(context.owner, RELAY, context.state).await?;
    Ok(Planned {
        name: "outbox-relay".to_owned(),
        function: "outbox-relay",
        address: resources().queues.facts.name.clone(),
        environment: context
            .common
            .clone()
            .with_secret("DATABASE_URL", &database)
            .with("FACT_QUEUE_URLS", context.queues.of_facts().join(",")),
    })
}

async fn http(context: &Context<'_>, name: &'static str, login: Login) -> Result<Planned> {
    let database = login_url(context.owner, login, context.state).await?;
    let address = loopback(context.state.port(&format!("{name}-http"))?);
    let environment = context
        .common
        .clone()
        .with_secret("DATABASE_URL", &database)
        .with("HTTP_ADDR", address.to_string())
        .with("HTTP_LAME_DUCK_SECONDS", "0")
        .with("AUTH_ISSUER", context.issuer.url())
        .with("AUTH_AUDIENCE", AUDIENCE)
        .with("AUTH_JWKS_URL", context.issuer.jwks_url())
        .with("COMMAND_QUEUE_URL", &context.queues.commands.url)
        .with("ATTACHMENT_BUCKET", &resources().buckets.attachments.name);
    Ok(Planned {
        name: name.to_owned(),
        function: name,
        address: format!("http://{address}"),
        environment,
    })
}
