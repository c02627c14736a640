//! A real PostgreSQL server for one test: a new cluster in a temporary folder, on a free loopback port.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct Postgres {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub database: String,
    server: Child,
    log: Arc<Mutex<String>>,
    /// Removed last.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is there for its drop"))]
    folder: tempfile::TempDir,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("no PostgreSQL server programs were found; install them: apt-get install postgresql")]
    NotInstalled,
    #[error("cannot {attempted}")]
    Io {
        attempted: &'static str,
        #[source]
        source: std::io::Error,
    },
    #[error("{program} failed:\n{output}")]
    Failed { program: &'static str, output: String },
}

fn io(attempted: &'static str) -> impl FnOnce(std::io::Error) -> StartError {
    move |source| StartError::Io { attempted, source }
}

impl Postgres {
    /// Makes a cluster and waits until it takes connections (a second or two).
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(&[])
    }

    /// The same with settings, such as `("max_connections", "10")`.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Self, StartError> {
        let programs = programs().ok_or(StartError::NotInstalled)?;
        let owner = owner();
        let folder =
            tempfile::Builder::new().prefix("noetl-postgres-").tempdir().map_err(io("make a folder"))?;
        let (password, user) = ("secret's \\ password".to_owned(), "noetl".to_owned());
        let password_file = folder.path().join("password");
        let mut file = std::fs::File::create(&password_file).map_err(io("write the password"))?;
        file.write_all(password.as_bytes()).map_err(io("write the password"))?;
        if let Some((uid, gid)) = owner {
            for path in [folder.path(), &password_file] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).map_err(io("hand the folder over"))?;
            }
        }
        let data = folder.path().join("data");

        let made = as_owner(Command::new(programs.join("initdb")), owner)
            .current_dir(folder.path())
            .arg("--pgdata")
            .arg(&data)
            .arg("--pwfile")
            .arg(&password_file)
            .args(["--username", &user, "--auth-host=scram-sha-256", "--auth-local=trust"])
            .args(["--no-sync", "--encoding=UTF8", "--locale=C"])
            .output()
            .map_err(io("run initdb"))?;
        if !made.status.success() {
            let output = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(StartError::Failed { program: "initdb", output });
        }

        // Another process may take the free port first: try again.
        let mut attempts = 0;
        loop {
            attempts += 1;
            let port = free_port().map_err(io("find a free port"))?;
            let command = as_owner(Command::new(programs.join("postgres")), owner);
            match serve(command, &data, folder.path(), port, settings) {
                Ok((server, log)) => {
                    return Ok(Self {
                        host: "127.0.0.1".into(),
                        port,
                        user,
                        password,
                        database: "postgres".into(),
                        server,
                        log,
                        folder,
                    });
                }
                Err(StartError::Failed { output, .. }) if attempts < 5 && output.contains("in use") => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// `postgresql://…`, for libraries.
    pub fn url(&self) -> String {
        let mut password = String::new();
        for byte in self.password.bytes() {
            // Writing to a String cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut password, format_args!("%{byte:02x}"));
        }
        format!("postgresql://{}:{password}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }

    /// What a credential of type `postgres` holds.
    pub fn credential_data(&self) -> serde_json::Map<String, serde_json::Value> {
        [
            ("db_host", self.host.as_str().into()),
            ("db_port", self.port.to_string().into()),
            ("db_user", self.user.as_str().into()),
            ("db_password", self.password.as_str().into()),
            ("db_name", self.database.as_str().into()),
        ]
        .map(|(name, value): (&str, serde_json::Value)| (name.to_owned(), value))
        .into_iter()
        .collect()
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.server.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
        }
        let _ = self.server.wait();
    }
}

/// Starts the server and waits for the line that says it is ready.
fn serve(
    mut command: Command,
    data: &Path,
    sockets: &Path,
    port: u16,
    settings: &[(&str, &str)],
) -> Result<(Child, Arc<Mutex<String>>), StartError> {
    command
        .current_dir(data)
        .arg("-D")
        .arg(data)
        .arg("-k")
        .arg(sockets)
        .args(["-F", "-h", "127.0.0.1", "-p", &port.to_string()])
        .args(["-c", "logging_collector=off", "-c", "lc_messages=C", "-c", "shared_buffers=16MB"]);
    for (name, value) in settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    let mut server = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io("run postgres"))?;
    let mut written = String::new();
    let mut lines = BufReader::new(server.stderr.take().ok_or(StartError::NotInstalled)?);
    while !written.contains("database system is ready to accept connections") {
        if !matches!(lines.read_line(&mut written), Ok(length) if length > 0) {
            let _ = server.kill();
            let _ = server.wait();
            return Err(StartError::Failed { program: "postgres", output: written });
        }
    }
    let log = Arc::new(Mutex::new(written));
    let kept = Arc::clone(&log);
    // Ends with the server; without a reader the server would stop at a full pipe.
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            let mut log = kept.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
        }
    });
    Ok((server, log))
}

/// The folder that holds `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let has_both = |folder: &Path| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let on_path =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let chosen = std::env::var_os("NOETL_TEST_POSTGRES").map(PathBuf::from);
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    installed.sort();
    let on_path: Vec<PathBuf> = on_path;
    let found = chosen
        .into_iter()
        .chain(installed.into_iter().rev())
        .chain(on_path)
        .find(|folder| has_both(folder))?;
    // initdb looks for its files beside the program that a link leads to.
    std::fs::canonicalize(found.join("initdb")).ok()?.parent().map(Path::to_owned)
}

/// PostgreSQL refuses to run as root: then another user's ids.
fn owner() -> Option<(u32, u32)> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if !root {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse::<u32>);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).or(Some((65534, 65534)))
}

fn as_owner(mut command: Command, owner: Option<(u32, u32)>) -> Command {
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Lets the server's user read a file that a test made, such as a key (mode 0600, as PostgreSQL demands).
pub fn hand_over(path: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    match owner() {
        Some((uid, gid)) => std::os::unix::fs::chown(path, Some(uid), Some(gid)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_takes_connections_and_is_gone_after_the_drop() {
        let server = Postgres::start().unwrap();
        let (client, connection) =
            tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let row = client.query_one("select current_user::text", &[]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), "noetl");
        let (folder, port) = (server.folder.path().to_owned(), server.port);
        drop(client);
        driver.await.unwrap().unwrap();
        drop(server);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
