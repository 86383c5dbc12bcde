//! Who may issue tokens for this service, and how they name a tenant.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, value_parser};
use domain::TenantId;
use reqwest::Url;

/// Which bearer tokens are accepted. Flatten it into a function's configuration.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Authentication")]
#[group(skip)]
pub struct Config {
    /// Issuer that a token must name in `iss`, character by character
    #[arg(long, env = "AUTH_ISSUER", value_parser = NonEmptyStringValueParser::new())]
    pub auth_issuer: String,

    /// Audience that a token must name
    #[arg(long, env = "AUTH_AUDIENCE", value_parser = NonEmptyStringValueParser::new())]
    pub auth_audience: String,

    /// Claim that names the audience, as a text or in a list
    #[arg(long, env = "AUTH_AUDIENCE_CLAIM", default_value = AUD,
        value_parser = NonEmptyStringValueParser::new())]
    pub auth_audience_claim: String,

    /// Claim with the scopes: a text with spaces between them, or a list
    #[arg(long, env = "AUTH_SCOPE_CLAIM", default_value = "scope",
        value_parser = NonEmptyStringValueParser::new())]
    pub auth_scope_claim: String,

    /// The issuer's name of the scope for what is read
    #[arg(long, env = "AUTH_READ_SCOPE", default_value = "tasks:read", value_parser = scope)]
    pub auth_read_scope: String,

    /// The issuer's name of the scope for what is written
    #[arg(long, env = "AUTH_WRITE_SCOPE", default_value = "tasks:write", value_parser = scope)]
    pub auth_write_scope: String,

    /// Address of the issuer's public keys (JWKS): https, or http on this very machine
    #[arg(long, env = "AUTH_JWKS_URL", value_parser = jwks_url)]
    pub auth_jwks_url: Url,

    /// Claim that names the caller's tenant
    #[arg(long, env = "AUTH_TENANT_CLAIM", default_value = "tenant",
        value_parser = NonEmptyStringValueParser::new())]
    pub auth_tenant_claim: String,

    /// What the issuer calls tenants, and what they are called here, such as `org_9ybs=acme`, with a
    /// comma between; set, no other tenants are let in
    #[arg(long, env = "AUTH_TENANTS", value_delimiter = ',', value_parser = tenant)]
    pub auth_tenants: Vec<(String, TenantId)>,

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

/// The claim of the audience by RFC 7519.
pub(super) const AUD: &str = "aud";

/// The issuer's name, which may have any character but a comma, and ours.
fn tenant(text: &str) -> Result<(String, TenantId), String> {
    let expected = "expected the issuer's name, `=` and a tenant";
    let (theirs, ours) = text.rsplit_once('=').ok_or(expected)?;
    if theirs.is_empty() {
        return Err(expected.to_owned());
    }
    let ours = ours.parse().map_err(|error| format!("`{ours}`: {error}"))?;
    Ok((theirs.to_owned(), ours))
}

/// A scope token (RFC 6749, section 3.3): it stands in a header, between quotes.
fn scope(text: &str) -> Result<String, &'static str> {
    let is_token = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if !text.is_empty() && text.bytes().all(is_token) {
        Ok(text.to_owned())
    } else {
        Err("expected one scope: visible ASCII characters, without quotes and backslashes")
    }
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
        let keys = "--auth-jwks-url=https://issuer/keys";
        for tenant in ["", "acme", "=acme", "org_1=Not One"] {
            let error = parse(&[keys, &format!("--auth-tenants={tenant}")]).unwrap_err();
            assert!(error.contains("--auth-tenants"), "{error}");
        }
        for scope in ["", "two scopes", "a\"b"] {
            let error = parse(&[keys, &format!("--auth-read-scope={scope}")]).unwrap_err();
            assert!(error.contains("--auth-read-scope"), "{error}");
        }
        let skew = ["--auth-jwks-url=https://issuer/keys", "--auth-clock-skew-seconds=301"];
        let error = parse(&skew).unwrap_err();
        assert!(error.contains("0..=300"), "{error}");
    }
}
