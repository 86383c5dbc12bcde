//! Who replays, for the ledger.

use aws_config::SdkConfig;

use crate::output::note;

/// The identity behind the credentials, as STS says, which needs no permission; or the user of this machine.
pub(crate) async fn identity(aws: &SdkConfig) -> String {
    let answer = aws_sdk_sts::Client::new(aws).get_caller_identity().send().await;
    if let Ok(Some(arn)) = answer.map(|answer| answer.arn) {
        return arn;
    }
    let user = std::env::var_os("USER").map(|user| user.to_string_lossy().into_owned());
    let user = user.unwrap_or_else(|| "unknown".to_owned());
    note(&format!("STS does not say who you are: the ledger names the user {user}"));
    user
}
