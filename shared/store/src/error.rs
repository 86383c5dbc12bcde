//! What can go wrong, by what the caller should do about it.

use std::io::ErrorKind;
use std::sync::Arc;

use sqlx::Error as SqlxError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// Why a batch was not applied. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// PostgreSQL cannot be reached, is overloaded or too slow: try again later.
    #[error("PostgreSQL is not available")]
    Unavailable(#[source] SqlxError),
    /// Others kept changing the same tasks: try again.
    #[error("the tasks of this batch are changed by others all the time")]
    Contended,
    /// Another request under the same idempotency key is being processed: try again, to get its
    /// result.
    #[error("another request under the same idempotency key is being processed")]
    InFlight,
    /// PostgreSQL refuses the data itself. Trying again does not help; applying the commands of
    /// the batch one by one shows which it is.
    #[error("PostgreSQL refuses the data")]
    Data(#[source] SqlxError),
    /// PostgreSQL answered with a row that this version cannot read. Trying again does not help;
    /// applying the commands of the batch one by one shows which it is.
    #[error("PostgreSQL holds a row that cannot be read")]
    Unreadable(#[source] SqlxError),
}

/// Why a read has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// PostgreSQL cannot be reached, is overloaded or too slow: try again later.
    #[error("PostgreSQL is not available")]
    Unavailable(#[source] Arc<SqlxError>),
    /// PostgreSQL answered with what this version cannot read: trying again does not help.
    #[error("PostgreSQL holds a row that cannot be read")]
    Unreadable(#[source] Arc<SqlxError>),
}

impl From<SqlxError> for ReadError {
    fn from(error: SqlxError) -> Self {
        let of = if is_unreadable(&error) { Self::Unreadable } else { Self::Unavailable };
        of(Arc::new(error))
    }
}

/// As impossible as JSON that cannot be written.
pub(crate) fn unwritable(error: serde_json::Error) -> SqlxError {
    SqlxError::Encode(Box::new(error))
}

/// The server that was reached takes no writes.
pub(crate) fn read_only_server() -> SqlxError {
    SqlxError::Configuration("the server is read-only".into())
}

/// An error of connecting, which says what to do about TLS if it is of that.
pub(crate) fn connecting(error: SqlxError) -> SqlxError {
    let cause = match error {
        SqlxError::Tls(cause) => cause,
        // A certificate that is not accepted.
        SqlxError::Io(cause) if cause.kind() == ErrorKind::InvalidData => cause.into(),
        other => return other,
    };
    SqlxError::Configuration(
        format!(
            "no TLS with PostgreSQL ({cause}): with the `sslmode` of DATABASE_URL the server must offer \
             TLS, and its certificate must name this host (verify-full) and be signed by an authority \
             in the file that `sslrootcert` names"
        )
        .into(),
    )
}

/// The server that was reached follows another one, at a distance.
pub(crate) fn standby_server() -> SqlxError {
    SqlxError::Configuration(
        "the server is a standby (pg_is_in_recovery): DATABASE_URL must lead to the primary".into(),
    )
}

/// Whether the server failed, or the way to it, and not the statement: another connection may lead
/// to a server that does better.
pub(crate) fn is_of_server(error: &SqlxError) -> bool {
    const READ_ONLY_SQL_TRANSACTION: &str = "25006";
    const CONNECTION_EXCEPTION: &str = "08";
    const OPERATOR_INTERVENTION: &str = "57P";
    let SqlxError::Database(refused) = error else {
        return matches!(error, SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::Protocol(_));
    };
    let code = refused.code().unwrap_or_default();
    let is_fatal = refused
        .try_downcast_ref::<PgDatabaseError>()
        .is_some_and(|refused| matches!(refused.severity(), PgSeverity::Fatal | PgSeverity::Panic));
    is_fatal
        || code == READ_ONLY_SQL_TRANSACTION
        || code.starts_with(CONNECTION_EXCEPTION)
        || code.starts_with(OPERATOR_INTERVENTION)
}

/// Whether the server does not let us log in: the password, or the user, is another one by now.
pub(crate) fn is_login_refused(error: &SqlxError) -> bool {
    const INVALID_AUTHORIZATION: &str = "28";
    code(error).is_some_and(|code| code.starts_with(INVALID_AUTHORIZATION))
}

/// Whether the same transaction may succeed if it is simply run again: it was chosen to break a
/// deadlock, or lost a race, maybe for a key.
pub(crate) fn is_conflict(error: &SqlxError) -> bool {
    const CONFLICTS: [&str; 3] = [UNIQUE_VIOLATION, SERIALIZATION_FAILURE, DEADLOCK_DETECTED];
    const UNIQUE_VIOLATION: &str = "23505";
    const SERIALIZATION_FAILURE: &str = "40001";
    const DEADLOCK_DETECTED: &str = "40P01";
    code(error).is_some_and(|code| CONFLICTS.contains(&&*code))
}

/// Whether the statement gave up waiting for a lock (`lock_timeout`).
pub(crate) fn is_lock_timeout(error: &SqlxError) -> bool {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    code(error).is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}

/// Whether the answer came and could not be read: then PostgreSQL is available.
fn is_unreadable(error: &SqlxError) -> bool {
    matches!(
        error,
        SqlxError::Decode(_)
            | SqlxError::ColumnDecode { .. }
            | SqlxError::ColumnNotFound(_)
            | SqlxError::ColumnIndexOutOfBounds { .. }
            | SqlxError::TypeNotFound { .. }
    )
}

impl From<SqlxError> for ApplyError {
    /// Data exceptions (class 22) and integrity violations (class 23) are the data's fault; see
    /// appendix A of PostgreSQL's manual. Everything else may pass.
    fn from(error: SqlxError) -> Self {
        match code(&error) {
            Some(code) if code.starts_with("22") || code.starts_with("23") => Self::Data(error),
            _ if matches!(error, SqlxError::Encode(_)) => Self::Data(error),
            _ if is_unreadable(&error) => Self::Unreadable(error),
            _ => Self::Unavailable(error),
        }
    }
}

fn code(error: &SqlxError) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
