use serde_json::json;

use super::*;

async fn open(directory: &Path, environment: Option<&str>) -> Result<Vault, VaultError> {
    let store = SqliteStore::open(directory).await.unwrap();
    Vault::open(store, Arc::new(Ids::new(0)), directory, environment).await
}

fn postgres(password: &str) -> NewCredential {
    NewCredential {
        name: "pg_local".into(),
        kind: "postgres".into(),
        data: json!({"db_host": "127.0.0.1", "db_port": 5432, "db_password": password})
            .as_object()
            .unwrap()
            .clone(),
        meta: json!({"team": "etl"}),
        tags: vec!["local".into(), "Team-A".into()],
        ..NewCredential::default()
    }
}

#[tokio::test]
async fn a_credential_is_sealed_on_disk_and_opens_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), None).await.unwrap();
    let first = vault.put(postgres("hunter2-first")).await.unwrap();
    let second = vault.put(postgres("hunter2-second")).await.unwrap();
    assert_eq!((first.id, first.created_ms), (second.id, second.created_ms));
    let other = NewCredential { name: "7".into(), kind: "bearer".into(), ..postgres("hunter2-third") };
    vault.put(other).await.unwrap();
    vault.store.close().await;

    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "a secret is readable on disk");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(directory.path().join("vault.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    let vault = open(directory.path(), None).await.unwrap();
    let opened = vault.open_credential("pg_local").await.unwrap();
    assert_eq!(opened.data["db_password"], "hunter2-second");
    assert_eq!(vault.open_credential(&first.id.to_string()).await.unwrap().record, opened.record);
    assert!(!format!("{opened:?} {:?}", postgres("hunter2")).contains("hunter2"));
    let names = async |kind, text| -> Vec<String> {
        vault.list(kind, text).await.unwrap().into_iter().map(|record| record.name).collect()
    };
    assert_eq!(names(None, None).await, ["7", "pg_local"]);
    assert_eq!(names(Some("Postgres"), None).await, ["pg_local"]);
    assert_eq!(names(None, Some("team-a")).await, ["7", "pg_local"]);
    assert_eq!(names(None, Some("_local")).await, ["pg_local"]);
    vault.delete("pg_local").await.unwrap();
    assert!(matches!(vault.open_credential("pg_local").await, Err(VaultError::Unknown(_))));
    assert!(matches!(vault.delete("pg_local").await, Err(VaultError::Unknown(_))));
}

#[tokio::test]
async fn a_lost_or_wrong_key_is_told_and_never_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), None).await.unwrap();
    vault.put(postgres("x")).await.unwrap();
    vault.store.close().await;
    let file = directory.path().join("vault.key");
    let key = std::fs::read_to_string(&file).unwrap();

    std::fs::remove_file(&file).unwrap();
    let missing = open(directory.path(), None).await.unwrap_err();
    assert!(
        matches!(missing, VaultError::KeyMissing { .. }) && missing.code() == Code::VaultKey,
        "{missing:?}"
    );
    assert!(!file.exists(), "a new key was made over the old credentials");

    let wrong = open(directory.path(), Some("another key")).await.unwrap_err();
    assert!(matches!(wrong, VaultError::WrongKey { from: KeySource::Environment }), "{wrong:?}");
    std::fs::write(&file, "gibberish").unwrap();
    let unreadable = open(directory.path(), None).await.unwrap_err();
    assert!(matches!(unreadable, VaultError::KeyFile { .. }), "{unreadable:?}");

    let vault = open(directory.path(), Some(&key)).await.unwrap();
    assert_eq!(vault.open_credential("pg_local").await.unwrap().data["db_password"], "x");
}

#[tokio::test]
async fn a_record_in_the_place_of_another_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), Some("k")).await.unwrap();
    vault.put(postgres("x")).await.unwrap();
    let moved = sqlx::query("UPDATE credential_row SET name = 'other'");
    vault.store.write("move a row", moved).await.unwrap();
    assert!(matches!(vault.open_credential("other").await, Err(VaultError::Damaged { .. })));
}

#[tokio::test]
async fn a_credential_without_name_type_or_data_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(directory.path(), Some("k")).await.unwrap();
    for broken in [
        NewCredential { name: "  ".into(), ..postgres("x") },
        NewCredential { kind: String::new(), ..postgres("x") },
        NewCredential { data: Map::new(), ..postgres("x") },
    ] {
        assert!(matches!(vault.put(broken).await, Err(VaultError::Shape(_))));
    }
}
