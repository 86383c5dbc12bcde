//! The running stack: brought up in order, watched, stopped in the reverse order.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::future::join_all;
use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::logs::Logs;
use super::plan::{Context, Planned, environments, plan};
use super::screen::{Row, Screen};
use super::{Options, TENANT, binaries};
use crate::access::address;
use crate::console::Console;
use crate::database;
use crate::function::Function;
use crate::ingress::Ingress;
use crate::issuer::{ALL_SCOPES, Issuer};
use crate::ports::loopback;
use crate::postgres::Durability;
use crate::provision::{self, Queues};
use crate::servers::Servers;
use crate::state::State;

const READY_LIMIT: Duration = Duration::from_mins(1);
const WATCH_PERIOD: Duration = Duration::from_millis(100);
const TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// Everything that runs.
pub(super) struct Stack {
    state: State,
    servers: Servers,
    /// The issuer and the ingress.
    tasks: Vec<JoinHandle<()>>,
    functions: Vec<Function>,
    logs: Logs,
}

impl Stack {
    pub(super) fn new(state: State, options: &Options) -> Self {
        let servers = Servers::new(options.external.clone());
        let logs = Logs::new(options.json);
        Self { state, servers, tasks: Vec::new(), functions: Vec::new(), logs }
    }

    /// Brings everything up, shows the screen and then the logs; ends only with an error.
    pub(super) async fn run(&mut self, options: &Options, console: &Console) -> Result<()> {
        let task_app = task_app(options, console).await?;
        let step = console.step("starting PostgreSQL, Redis and the AWS-compatible server");
        self.servers.start(&self.state, Durability::Durable, options.aws_port).await?;
        step.done();

        let step = console.step("creating queues, tables and buckets, migrating the database");
        let queues = provision::create(&self.servers.aws()?, &options.fact_queues).await?;
        let owner = database::migrate(&self.servers, &self.state, &task_app).await?;
        step.done();

        let issuer = Issuer::create(&self.state)?;
        self.tasks.push(issuer.serve().await?);
        let planned = self.plan(options, &issuer, &owner, &queues).await?;
        self.start_functions(&planned, &task_app, console).await?;
        let api = loopback(options.api_port);
        let of = |function| address_of(&planned, function);
        let ingress = Ingress::new(of("task-reader"), of("task-writer"))?;
        self.tasks.push(ingress.serve(api).await?);

        let api = format!("http://{api}");
        let screen = self.screen(api, &planned, &owner, &issuer, &queues)?;
        console.say(&screen.to_string());
        self.watch().await
    }

    async fn plan(
        &self,
        options: &Options,
        issuer: &Issuer,
        owner: &SecretString,
        queues: &Queues,
    ) -> Result<Vec<Planned>> {
        let common = self.servers.environment()?.with("LOG_FORMAT", self.logs.format());
        let context = Context { state: &self.state, owner, issuer, queues, common };
        let planned = plan(&context, options).await?;
        self.state.keep_environments(environments(&context, &planned))?;
        Ok(planned)
    }

    async fn start_functions(
        &mut self,
        planned: &[Planned],
        task_app: &Path,
        console: &Console,
    ) -> Result<()> {
        for Planned { name, function, environment, .. } in planned {
            let started =
                Function::start_with(task_app, &[*function], name, environment, &self.state)?;
            self.functions.push(started);
        }
        for function in &mut self.functions {
            let step = console.step(&format!("starting {}", function.process().name()));
            function.ready(READY_LIMIT).await?;
            step.done();
        }
        Ok(())
    }

    /// Forwards logs until a process ends.
    async fn watch(&mut self) -> Result<()> {
        for function in &mut self.functions {
            self.logs.add(function.process())?;
        }
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            self.logs.forward()?;
            for process in self.servers.processes() {
                process.assert_runs()?;
            }
            for function in &mut self.functions {
                function.process().assert_runs()?;
            }
        }
    }

    /// Functions first, all at once; the servers that they need last.
    pub(super) async fn stop(&mut self, console: &Console) -> Result<()> {
        console.say("draining the functions");
        let unwell = self.drain().await;
        for task in self.tasks.drain(..) {
            task.abort();
        }
        let step = console.step("stopping the servers");
        self.servers.stop().await?;
        step.done();
        if unwell.is_empty() { Ok(()) } else { bail!("did not drain well: {}", unwell.join(", ")) }
    }

    /// Stops the functions and forwards what they log meanwhile.
    async fn drain(&mut self) -> Vec<String> {
        let mut ticks = ticks();
        let mut stopped = pin!(stop_functions(&mut self.functions));
        loop {
            let unwell = tokio::select! {
                unwell = &mut stopped => Some(unwell),
                _ = ticks.tick() => None,
            };
            // Nobody may read the logs any more: that must not keep the functions from stopping.
            let _ = self.logs.forward();
            if let Some(unwell) = unwell {
                return unwell;
            }
        }
    }

    fn screen(
        &mut self,
        api: String,
        planned: &[Planned],
        owner: &SecretString,
        issuer: &Issuer,
        queues: &Queues,
    ) -> Result<Screen> {
        let mut rows = vec![Row::new("api", &api, "", None)];
        for (function, planned) in self.functions.iter_mut().zip(planned) {
            let health = function.health_url("readyz");
            rows.push(Row::new(&planned.name, &planned.address, &health, function.process().log()));
        }
        let aws = self.servers.aws()?;
        let redis = address(&self.servers.redis_url()?);
        let addresses =
            [("postgres", address(owner)), ("redis", redis), ("aws", aws.endpoint.clone())];
        for (name, address) in addresses {
            let log = self.servers.processes().find(|process| process.name() == name);
            rows.push(Row::new(name, &address, "", log.as_deref().and_then(|p| p.log())));
        }
        rows.push(Row::new("issuer", &issuer.url(), &issuer.jwks_url(), None));
        let token = issuer.token(TENANT, ALL_SCOPES, TOKEN_LIFETIME)?;
        Ok(Screen { rows, token, aws, queue_url: queues.commands.url.clone(), api })
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(WATCH_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The address of a function.
fn address_of<'a>(planned: &'a [Planned], function: &str) -> &'a str {
    let found = planned.iter().find(|planned| planned.function == function);
    found.map(|planned| planned.address.as_str()).unwrap_or_default()
}

/// The binary of all functions.
async fn task_app(options: &Options, console: &Console) -> Result<PathBuf> {
    if let Some(folder) = &options.bin_dir {
        let binary = folder.join("task-app").canonicalize();
        return binary.with_context(|| format!("--bin-dir {}: task-app", folder.display()));
    }
    console.say("building the functions");
    binaries::build(options.profile).await
}

/// Stops them all at once and returns how those ended that did not end well.
async fn stop_functions(functions: &mut [Function]) -> Vec<String> {
    let stops = functions.iter_mut().map(|function| async {
        let ended_before = function.process().id().is_none();
        let problem = match function.stop().await {
            Ok(status) if status.success() || ended_before => None,
            Ok(status) => Some(status.to_string()),
            Err(error) => Some(format!("{error:#}")),
        };
        problem.map(|problem| format!("{}: {problem}", function.process().name()))
    });
    join_all(stops).await.into_iter().flatten().collect()
}
