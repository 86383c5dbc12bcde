//! A complete job: `JOB_FILE=/tmp/job cargo run -p runtime --example job` adds a line to a file. In a pod
//! it runs once, in a Lambda at each invocation.

use std::{fs::OpenOptions, io::Write as _, path::PathBuf, process::ExitCode};

use runtime::{Function, Service};

#[derive(Debug, clap::Args)]
#[group(skip)]
struct Config {
    /// File to add a line to
    #[arg(long, env = "JOB_FILE")]
    job_file: PathBuf,
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    Ok(service.job(move || {
        let path = config.job_file.clone();
        async move {
            let mut file = OpenOptions::new().append(true).open(path)?;
            writeln!(file, "ran")?;
            Ok(())
        }
    }))
}

fn main() -> ExitCode {
    Function::new("job", "Adds a line to a file").run(wire)
}
