//! The playbooks printed in the five specification documents.

use serde_json::json;

use super::*;
use crate::playbook::{Dialect, RouteMode};

#[test]
fn the_structure_of_document_000_is_read() {
    let playbook = good(
        r#"
apiVersion: noetl.io/v1
kind: Playbook
workload:                 # Input parameters (readonly, Jinja2 templated)
  condition: true
workflow:                 # Ordered steps with conditional flow
  - step: start
    next:
      - when: "{{ workload.condition }}"
        then: [ { step: name } ]
  - step: name
    type: http            # http, postgres, duckdb, python, workbook, etc.
    auth: { type: basic, credential: key }
    credentials: { alias: { key: credential_name } }
    secret: "{{ secret.NAME }}"
    data: {}              # Step-specific parameters
    url: "http://127.0.0.1/"
workbook:
"#,
    );
    assert_eq!(playbook.dialect, Dialect::A);
    let step = playbook.step("name").expect("name");
    assert_eq!(step.body[0].auth, Some(json!({"type": "basic", "credential": "key"})));
}

#[test]
fn the_playbook_of_document_001_is_read() {
    let playbook = good(
        r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: playbook_name
  path: catalog/path
workload:
  variable: value
workbook:
  - name: task_name
    tool:
      kind: python
      libs: {}
      args:
        input_var: "{{ workload.variable }}"
      code: |
        result = {"status": "success", "data": {"value": input_var}}
    sink:
      tool:
        kind: postgres
      table: table_name
workflow:
  - step: start
    desc: description
    next:
      - when: "{{ condition }}"
        then:
          - step: task_step
            args:
              key: "{{ value }}"
  - step: task_step
    tool:
      kind: workbook
      name: task_name
    args:
      input: "{{ workload.variable }}"
    vars:
      extracted: "{{ result.field }}"
    next:
      - step: query
  - step: query
    tool:
      kind: postgres
      query: "SELECT user_id, email FROM users LIMIT 1"
    vars:
      user_id: "{{ result[0].user_id }}"
    next:
      - step: scripted
  - step: scripted
    tool:
      kind: python
      script:
        uri: gs://bucket-name/scripts/transform.py
        source: { type: gcs, auth: credential-ref, timeout: 30 }
      args:
        user_id: "{{ vars.user_id }}"
    next:
      - step: end
  - step: end
    desc: End workflow
"#,
    );
    assert_eq!(playbook.dialect, Dialect::C);
    assert_eq!(playbook.step("start").expect("start").routes.mode, RouteMode::All);
    let task = playbook.step("task_step").expect("task_step");
    assert_eq!(
        task.inputs,
        json!({"input": "{{ workload.variable }}", "input_var": "{{ workload.variable }}"})
            .as_object()
            .expect("a map")
            .clone()
    );
    assert_eq!(task.body[0].saves[0].config["table"], json!("table_name"));
    let scripted = playbook.step("scripted").expect("scripted");
    assert_eq!(scripted.body[0].config["script"]["source"]["auth"], json!("credential-ref"));
}

#[test]
fn the_steps_of_document_003_are_read() {
    let playbook = good(
        r#"
apiVersion: noetl.io/v1
kind: Playbook
metadata: { name: readme }
workload: { pg_auth: pg, gcs_bucket: b, project: p, google_auth: g }
workflow:
- step: start
  next: create_table
- step: create_table
  desc: Create test table
  tool: postgres
  auth: "{{ workload.pg_auth }}"
  command: |
    CREATE TABLE IF NOT EXISTS users (
      id SERIAL PRIMARY KEY,
      name VARCHAR(255)
    )
  next: upload_to_gcs
- step: upload_to_gcs
  desc: Upload parquet file to GCS via DuckDB
  tool: duckdb
  auth:
    pg_db:
      source: credential
      tool: postgres
      key: "{{ workload.pg_auth }}"
    gcs_secret:
      source: credential
      tool: hmac
      key: gcs_hmac_local
      scope: gs://{{ workload.gcs_bucket }}
  commands: |
    INSTALL httpfs;
    LOAD httpfs;

    COPY test_data TO 'gs://{{ workload.gcs_bucket }}/data.parquet' (FORMAT PARQUET);
  next: list_buckets
- step: list_buckets
  desc: List GCS buckets using OAuth token
  tool: http
  method: GET
  url: "https://storage.googleapis.com/storage/v1/b?project={{ workload.project }}"
  headers:
    Authorization: "Bearer {{ token(workload.google_auth) }}"
    Content-Type: application/json
"#,
    );
    assert_eq!(playbook.dialect, Dialect::B);
    let upload = &playbook.step("upload_to_gcs").expect("upload").body[0];
    assert_eq!(
        upload.auth.as_ref().expect("auth")["gcs_secret"]["scope"],
        json!("gs://{{ workload.gcs_bucket }}")
    );
    assert!(upload.config["commands"].as_str().expect("text").ends_with("PARQUET);\n"));
}
