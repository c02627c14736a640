use base64::Engine as _;
use noetl_domain::playbook::ScheduleWhen;
use serde_json::json;
use tempfile::TempDir;

use super::*;

async fn catalog() -> (TempDir, Catalog) {
    let directory = tempfile::tempdir().unwrap();
    let catalog = reopen(&directory).await;
    (directory, catalog)
}

async fn reopen(directory: &TempDir) -> Catalog {
    let store = SqliteStore::open(directory.path()).await.unwrap();
    let ids = Arc::new(Ids::new(0));
    Catalog::new(store.clone(), Arc::clone(&ids), Schedules::new(store, ids))
}

fn playbook(note: &str, schedule: &str) -> String {
    format!(
        "apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: ETL
  path: team/etl
  description: {note}
  labels: {{ team: data }}
{schedule}
workload: {{ batch_size: 5, ratio: 0.5, api_token: x, items: [1], note: null, on: true }}
workflow:
  - step: start
    tool: {{ kind: noop }}
    next: [{{ step: end }}]
  - step: end
"
    )
}

fn new(content: impl Into<String>) -> NewResource {
    NewResource { content: content.into(), ..NewResource::default() }
}

fn newest(path: &str) -> Which {
    Which::Path(path.to_owned(), None)
}

#[tokio::test]
async fn each_registration_is_the_next_version_and_stays_as_it_was() {
    let (directory, catalog) = catalog().await;
    let first = catalog.register(new(playbook("one", ""))).await.unwrap().entry;
    let again = catalog.register(new(playbook("one", ""))).await.unwrap().entry;
    assert_eq!((first.version, again.version), (1, 2));
    let packed = base64::engine::general_purpose::STANDARD.encode(playbook("three", ""));
    let third = catalog.register(new(packed)).await.unwrap().entry;
    assert_eq!((third.version, third.path.as_str(), third.name.as_str()), (3, "team/etl", "ETL"));

    catalog.store.close().await;
    let catalog = reopen(&directory).await;
    for path in ["team/etl", "/team/etl/", "team/etl.yaml", "catalog://team/etl"] {
        let plan = catalog.plan_of(&newest(path)).await.unwrap();
        assert_eq!((plan.version, plan.description.as_deref()), (3, Some("three")), "{path}");
        assert_eq!(plan.catalog_id, third.catalog_id.to_string());
    }
    let old = catalog.plan_of(&Which::Path("team/etl".into(), Some(1))).await.unwrap();
    let by_id = catalog.plan_of(&Which::CatalogId(first.catalog_id.to_string())).await.unwrap();
    assert!(Arc::ptr_eq(&old, &by_id), "the second comes from memory");
    assert_eq!(
        **old,
        dialect::read(&first.content).playbook.unwrap(),
        "the stored form is the same playbook"
    );
    let entry = catalog.get(&newest("team/etl")).await.unwrap();
    assert_eq!(entry.content, playbook("three", ""));
    assert_eq!(entry.meta["labels"], json!({"team": "data"}));
    for unknown in [newest("team"), Which::Path("team/etl".into(), Some(4)), Which::CatalogId("x".into())] {
        assert!(matches!(catalog.plan_of(&unknown).await, Err(CatalogError::Unknown(_))), "{unknown:?}");
    }
    // A version that comes later is the newest, also for those who asked before.
    catalog.register(new(playbook("four", ""))).await.unwrap();
    assert_eq!(catalog.plan_of(&newest("team/etl.yaml")).await.unwrap().version, 4);
}

#[tokio::test]
async fn a_bad_playbook_is_refused_with_every_finding_and_leaves_nothing() {
    let (_directory, catalog) = catalog().await;
    let bad = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: b }\nworkflow:\n  - step: start\n    \
               tool: { kind: noop }\n    next: [{ step: nowhere }]\n  - step: start\n    tool: { kind: noop }\n";
    let refused = catalog.register(new(bad)).await.unwrap_err();
    let CatalogError::Refused { findings, .. } = &refused else { panic!("{refused:?}") };
    let codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&Code::UnknownStep) && codes.contains(&Code::DuplicateStep), "{findings:?}");
    assert!(!ServerError::from(refused).findings.is_empty());

    let scheduled = playbook("one", "  schedule: { cron: \"99 * * * *\" }");
    let refused = catalog.register(new(scheduled)).await.unwrap_err();
    let CatalogError::Refused { findings, .. } = &refused else { panic!("{refused:?}") };
    let finding = findings.iter().find(|finding| finding.code == Code::InvalidSchedule).unwrap();
    assert_eq!(finding.span.line, 8, "{finding:?}");

    for (content, kind) in
        [("", None), ("just words", None), ("kind: Credential\nname: x", None), ("{", Some("Tool"))]
    {
        let new = NewResource { kind: kind.map(str::to_owned), ..new(content) };
        assert!(catalog.register(new).await.is_err(), "{content:?}");
    }
    assert!(
        catalog
            .list(CatalogQuery { include_archived: true, ..CatalogQuery::default() })
            .await
            .unwrap()
            .is_empty()
    );
    assert!(catalog.schedules.list(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_archived_version_is_not_the_newest_and_comes_back() {
    let (_directory, catalog) = catalog().await;
    for note in ["one", "two", "three"] {
        catalog.register(new(playbook(note, ""))).await.unwrap();
    }
    let versions = async |query: CatalogQuery| -> Vec<u32> {
        catalog.list(query).await.unwrap().iter().map(|entry| entry.version).collect()
    };
    let all = CatalogQuery::default;
    assert_eq!(catalog.plan_of(&newest("team/etl")).await.unwrap().version, 3);
    assert_eq!(catalog.archive("team/etl.yaml", Some(3)).await.unwrap().len(), 1);
    assert_eq!(catalog.plan_of(&newest("team/etl")).await.unwrap().version, 2);
    assert_eq!(versions(CatalogQuery { kind: Some("playbooks".into()), ..all() }).await, [2]);
    assert_eq!(
        versions(CatalogQuery { include_archived: true, all_versions: true, ..all() }).await,
        [3, 2, 1]
    );
    assert_eq!(catalog.archive("team/etl", None).await.unwrap().len(), 2);
    assert!(matches!(catalog.plan_of(&newest("team/etl")).await, Err(CatalogError::Unknown(_))));
    assert!(matches!(catalog.archive("team/etl", None).await, Err(CatalogError::Unknown(_))));
    // What runs goes on with the version it was started with.
    assert_eq!(catalog.plan_of(&Which::Path("team/etl".into(), Some(1))).await.unwrap().version, 1);
    assert_eq!(catalog.restore("team/etl", Some(1)).await.unwrap().len(), 1);
    assert_eq!(catalog.plan_of(&newest("team/etl")).await.unwrap().version, 1);
    assert_eq!(catalog.register(new(playbook("four", ""))).await.unwrap().entry.version, 4);
}

#[tokio::test]
async fn declared_schedules_follow_the_newest_version() {
    let (_directory, catalog) = catalog().await;
    let ask = async || catalog.schedules.list(Some("team/etl")).await.unwrap();
    catalog
        .register(new(playbook("one", "  schedule: { cron: \"0 6 * * *\", payload: { a: 1 } }")))
        .await
        .unwrap();
    let first = ask().await.remove(0);
    assert_eq!((first.version, first.enabled), (None, true));
    catalog.schedules.pause(first.id).await.unwrap();
    // The same timetable keeps its place and its pause; the rest follows the text.
    catalog
        .register(new(playbook("two", "  schedule: { cron: \"0 6 * * *\", payload: { a: 2 } }")))
        .await
        .unwrap();
    let second = ask().await.remove(0);
    assert_eq!((second.id, second.enabled, &second.payload["a"]), (first.id, false, &json!(2)));
    catalog.register(new(playbook("three", "  schedule: { cron: \"0 7 * * *\" }"))).await.unwrap();
    let third = ask().await.remove(0);
    assert_ne!(third.id, first.id);
    assert_eq!((third.when, third.enabled), (ScheduleWhen::Cron("0 7 * * *".into()), true));
    catalog.archive("team/etl", Some(3)).await.unwrap();
    assert_eq!(ask().await.remove(0).when, ScheduleWhen::Cron("0 6 * * *".into()));
    catalog.archive("team/etl", None).await.unwrap();
    assert!(ask().await.is_empty());
}

#[tokio::test]
async fn other_resources_are_kept_as_they_are() {
    let (_directory, catalog) = catalog().await;
    let text = "apiVersion: noetl.io/v2\nkind: Tool\nmetadata:\n  name: weather\n  path: tools/weather\nspec: { any: thing }\n";
    let entry = catalog.register(new(text)).await.unwrap().entry;
    assert_eq!((entry.kind.as_str(), entry.path.as_str(), entry.version), ("Tool", "tools/weather", 1));
    assert_eq!(catalog.get(&newest("tools/weather")).await.unwrap().content, text);
    let refused = catalog.plan_of(&newest("tools/weather")).await;
    assert!(matches!(refused, Err(CatalogError::NotAPlaybook { .. })), "{refused:?}");
    let kinds = |kind: &str| CatalogQuery { kind: Some(kind.into()), ..CatalogQuery::default() };
    assert_eq!(catalog.list(kinds("tool")).await.unwrap().len(), 1);
    assert!(catalog.list(kinds("Playbook")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_form_has_a_field_for_every_default_input() {
    let (_directory, catalog) = catalog().await;
    catalog.register(new(playbook("one", ""))).await.unwrap();
    let form = catalog.form(&newest("team/etl")).await.unwrap();
    let fields: Vec<_> =
        form.fields.iter().map(|field| (field.name.as_str(), field.kind.as_str(), field.secret)).collect();
    assert_eq!(
        fields,
        [
            ("batch_size", "integer", false),
            ("ratio", "number", false),
            ("api_token", "string", true),
            ("items", "array", false),
            ("note", "string", false),
            ("on", "boolean", false),
        ]
    );
    assert_eq!(form.fields[0].label, "Batch size");
    assert_eq!(form.schema["properties"]["api_token"]["format"], "password");
}
