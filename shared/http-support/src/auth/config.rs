//! Who may issue tokens for this service, and how they name a tenant.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, value_parser};
use reqwest::Url;

/// Which bearer tokens are accepted. Flatten it into a function's configuration.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Authentication")]
#[group(skip)]
pub struct Config {
    /// Issuer that a token must name in `iss`, character by character
    #[arg(long, env = "AUTH_ISSUER", value_parser = NonEmptyStringValueParser::new())]
    pub auth_issuer: String,

    /// Audience that a token must name in `aud`
    #[arg(long, env = "AUTH_AUDIENCE", value_parser = NonEmptyStringValueParser::new())]
    pub auth_audience: String,

    /// Address of the issuer's public keys (JWKS): https, or http on this very machine
    #[arg(long, env = "AUTH_JWKS_URL", value_parser = jwks_url)]
    pub auth_jwks_url: Url,

    /// Claim that names the caller's tenant
    #[arg(long, env = "AUTH_TENANT_CLAIM", default_value = "tenant",
        value_parser = NonEmptyStringValueParser::new())]
    pub auth_tenant_claim: String,

    /// Hours for which the issuer's last keys are used while it cannot be reached, or answers without
    /// keys
    #[arg(long, env = "AUTH_JWKS_MAX_AGE_HOURS", default_value_t = 24,
        value_parser = value_parser!(u16).range(1..=720))]
    pub auth_jwks_max_age_hours: u16,

    /// By how many seconds the issuer's clock may differ from ours
    #[arg(long, env = "AUTH_CLOCK_SKEW_SECONDS", default_value_t = 30,
        value_parser = value_parser!(u16).range(0..=300))]
    pub auth_clock_skew_seconds: u16,
}

/// Whoever can change the keys on their way here can be anybody: they travel encrypted, or not
/// over a network at all.
fn jwks_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "not an absolute URL")?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        "http" if local => Ok(url),
        _ => Err("must begin with https:// (http:// only on localhost)"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        auth: Config,
    }

    fn parse(extra: &[&str]) -> Result<Config, String> {
        let required = ["test", "--auth-issuer=https://issuer", "--auth-audience=tasks"];
        Command::try_parse_from(required.iter().chain(extra))
            .map(|command| command.auth)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_tenant_claim_and_the_clock_skew_have_defaults() {
        let config = parse(&["--auth-jwks-url=https://issuer/keys"]).unwrap();
        assert_eq!(
            (config.auth_tenant_claim.as_str(), config.auth_clock_skew_seconds),
            ("tenant", 30)
        );
    }

    #[test]
    fn keys_never_travel_unprotected_over_a_network() {
        assert!(parse(&["--auth-jwks-url=http://127.0.0.1:8080/keys"]).is_ok());
        for url in ["http://issuer/keys", "http://localhost.evil.example/", "file:///keys", "keys"]
        {
            let error = parse(&[&format!("--auth-jwks-url={url}")]).unwrap_err();
            assert!(error.contains("--auth-jwks-url"), "{error}");
        }
    }

    #[test]
    fn a_missing_empty_or_excessive_value_names_its_option() {
        let error = parse(&[]).unwrap_err();
        assert!(error.contains("--auth-jwks-url"), "{error}");
        let empty = ["--auth-jwks-url=https://issuer/keys", "--auth-tenant-claim="];
        let error = parse(&empty).unwrap_err();
        assert!(error.contains("--auth-tenant-claim"), "{error}");
        let skew = ["--auth-jwks-url=https://issuer/keys", "--auth-clock-skew-seconds=301"];
        let error = parse(&skew).unwrap_err();
        assert!(error.contains("0..=300"), "{error}");
    }
}
