//! The name of a secret, as a setting has it.

use std::fmt;
use std::str::FromStr;

use anyhow::Context as _;
use secrecy::SecretString;

use crate::{client, value};

/// The ARN of a secret. It is none itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretArn(String);

impl FromStr for SecretArn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "secretsmanager", _, _, "secret", name] if !name.is_empty() => {
                Ok(Self(text.to_owned()))
            }
            _ => Err("expected the ARN of a secret: \
                      arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME"),
        }
    }
}

impl fmt::Display for SecretArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SecretArn {
    /// Fetches the secret and takes these members of it; `setting` is the one that names it.
    ///
    /// # Errors
    /// When it cannot be read in a few seconds, or has not all of these members. The error names the
    /// setting and the ARN, says what to do, and shows nothing of the secret.
    pub async fn members<const N: usize>(
        &self,
        setting: &str,
        names: [&str; N],
    ) -> anyhow::Result<[SecretString; N]> {
        // What the SDK does is a large future, which would be a part of its callers'.
        let text = Box::pin(client::fetch(&self.0)).await;
        let members = text.and_then(|text| value::members(&text, names));
        members.with_context(|| format!("{setting}: the secret {self}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_of_a_secret_is_known_by_its_form() {
        let good = "arn:aws:secretsmanager:us-east-1:444455556666:secret:task-app/redis-AbCdEf";
        assert_eq!(good.parse::<SecretArn>().unwrap().to_string(), good);
        for bad in [
            "",
            "task-app/redis",
            "arn:aws:secretsmanager:us-east-1:444455556666:secret:",
            "arn:aws:sqs:us-east-1:444455556666:queue",
            "postgres://user:p4ss@host/database",
        ] {
            let error = bad.parse::<SecretArn>().unwrap_err();
            assert!(error.contains("ARN of a secret"), "{bad}");
        }
    }
}
