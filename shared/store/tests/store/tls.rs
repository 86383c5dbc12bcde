//! TLS with a real server, whose certificate an authority of the test signed.

use std::fs;
use std::path::Path;
use std::process::Command;

use local_stack::{Durability, Server, State};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::fixture::connect_with;
use crate::migrations::owner;
use crate::standby::chown_like;

/// Two authorities, a key, and a certificate of the first one for 127.0.0.1.
const CERTIFICATES: &str = "
    for authority in ours theirs; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
            -subj /CN=$authority -keyout $authority.key -out $authority.pem \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign
    done
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server \
        -keyout server.key -out server.csr
    printf 'subjectAltName=IP:127.0.0.1\\n' > extensions
    openssl x509 -req -in server.csr -CA ours.pem -CAkey ours.key -CAcreateserial -days 2 \
        -extfile extensions -out server.pem
    chmod 600 server.key";

/// A server, and the folder of the certificates.
struct TlsServer {
    postgres: Server,
    folder: TempDir,
}

impl TlsServer {
    /// Without TLS.
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(folder.path().join("state")).expect("a state");
        let postgres = Server::postgres(&state, Durability::Throwaway).await.expect("a server");
        let made = Command::new("bash")
            .args(["-euc", CERTIFICATES])
            .current_dir(folder.path())
            .output()
            .expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { postgres, folder }
    }

    async fn offer_tls(&self) {
        let data = self.folder.path().join("state/postgres/data");
        for name in ["server.key", "server.pem"] {
            fs::copy(self.folder.path().join(name), data.join(name)).expect("a copy");
            chown_like(&data, &data.join(name));
        }
        let url = self.postgres.url().expose_secret();
        let mut connection = PgConnection::connect(url).await.expect("a connection");
        for statement in [
            "ALTER SYSTEM SET ssl_cert_file = 'server.pem'",
            "ALTER SYSTEM SET ssl_key_file = 'server.key'",
            "ALTER SYSTEM SET ssl = on",
            "SELECT pg_reload_conf()",
        ] {
            sqlx::raw_sql(statement).execute(&mut connection).await.expect(statement);
        }
    }

    fn path(&self, name: &str) -> String {
        Path::new(self.folder.path()).join(name).display().to_string()
    }

    /// What becomes of a connection with these parameters of its URL: of a store, and of `migrate`.
    async fn connect(&self, parameters: &str) -> [Result<(), String>; 2] {
        let url = format!("{}?{parameters}", self.postgres.url().expose_secret()).into();
        let store = connect_with(&url, &["--database-acquire-timeout-ms=2000"]);
        let of_store = store.ping().await.map_err(anyhow::Error::from);
        let of_migrate = store::migrate(&owner(&url)).await;
        [of_store, of_migrate].map(|done| done.map_err(|error| format!("{error:#}")))
    }

    async fn is_refused(&self, parameters: &str, why: &str) {
        for refused in self.connect(parameters).await {
            let error = refused.expect_err(parameters);
            for part in [why, "sslmode", "sslrootcert"] {
                assert!(error.contains(part), "{parameters}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_is_verified_and_a_server_without_one_is_refused() {
    let server = TlsServer::start().await;
    let ours = format!("sslmode=verify-full&sslrootcert={}", server.path("ours.pem"));
    server.is_refused(&ours, "TLS").await;
    server.is_refused("sslmode=require", "TLS").await;

    server.offer_tls().await;
    // The new settings are there in a moment.
    let mut done = server.connect(&ours).await;
    for _ in 0..100 {
        if done.iter().all(Result::is_ok) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        done = server.connect(&ours).await;
    }
    assert_eq!(done, [Ok(()), Ok(())]);
    assert_eq!(server.connect("sslmode=require").await, [Ok(()), Ok(())]);

    let theirs = format!("sslmode=verify-full&sslrootcert={}", server.path("theirs.pem"));
    server.is_refused(&theirs, "certificate").await;
    let other_name = ours.replace("sslmode", "host=localhost&sslmode");
    server.is_refused(&other_name, "certificate").await;
}
