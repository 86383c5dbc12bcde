//! The options of `serve`.

use std::net::{Ipv4Addr, SocketAddr};

use clap::error::ErrorKind;
use clap::{Args, Error};

use crate::filter::seconds;
use crate::ledger::LedgerOptions;
use crate::mistake::Mistake;

/// Seconds between two samples: each takes a request for each queue.
const LEAST_INTERVAL: u64 = 5;
const MOST_INTERVAL: u64 = 3_600;

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Where browsers find the page. Port 0 is one that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// Listen on an address that other machines reach. What they read is not encrypted
    #[arg(long)]
    allow_remote: bool,
    /// Let the page replay messages; without it, it only reads
    #[arg(long)]
    pub(super) allow_replay: bool,
    /// A name that browsers use for this machine, besides addresses and `localhost`
    #[arg(long, value_name = "NAME")]
    pub(super) host: Vec<String>,
    /// Time between two samples of the depths: `5s` to `1h`
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = interval)]
    pub(super) interval: u64,
    #[command(flatten)]
    pub(super) ledger: LedgerOptions,
}

impl ServeArguments {
    /// Where to listen, if that is allowed.
    pub(super) fn address(&self) -> Result<SocketAddr, Error> {
        if self.listen.ip().is_loopback() || self.allow_remote {
            return Ok(self.listen);
        }
        let address = self.listen.ip();
        let message = format!(
            "other machines reach {address}, and what they read is not encrypted: with \
             --allow-remote it is served all the same\n"
        );
        Err(Error::raw(ErrorKind::MissingRequiredArgument, message))
    }

    /// The page's, if it is served at an address.
    pub(super) fn url(&self, mut at: SocketAddr) -> String {
        if let Some(name) = self.host.first() {
            return format!("http://{name}:{}/", at.port());
        }
        if at.ip().is_unspecified() {
            at.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{at}/")
    }
}

fn interval(text: &str) -> Result<u64, Mistake> {
    let seconds = seconds(text)?;
    if !(LEAST_INTERVAL..=MOST_INTERVAL).contains(&seconds) {
        return Err(Mistake::new("5 seconds to an hour are allowed"));
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        serve: ServeArguments,
    }

    fn parse(line: &str) -> Result<ServeArguments, Error> {
        let words = std::iter::once("serve").chain(line.split_whitespace());
        Ok(Line::try_parse_from(words)?.serve)
    }

    #[test]
    fn another_address_than_loopback_is_wrong_usage_unless_it_is_allowed() {
        for (line, url) in [
            ("", "http://127.0.0.1:7070/"),
            ("--listen [::1]:80", "http://[::1]:80/"),
            ("--listen 0.0.0.0:80 --allow-remote", "http://127.0.0.1:80/"),
            ("--listen 0.0.0.0:80 --allow-remote --host ops", "http://ops:80/"),
        ] {
            let arguments = parse(line).unwrap();
            let address = arguments.address().unwrap();
            assert_eq!(arguments.url(address), url, "{line}");
        }
        for line in ["--listen 0.0.0.0:80", "--listen 10.0.0.1:80", "--listen [::]:80"] {
            let error = parse(line).unwrap().address().unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn an_interval_is_bounded() {
        assert_eq!(parse("--interval 5s").unwrap().interval, 5);
        for line in ["--interval 4s", "--interval 61m", "--interval 5", "--listen localhost"] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
