//! What people typed into older CLIs still does what they meant.

use super::home::{Home, example};

#[test]
fn commands_of_both_older_clis_work() {
    let home = Home::new();
    home.write(
        "pg.json",
        r#"{"name": "pg", "type": "postgres", "data": {"db_host": "127.0.0.1", "db_password": "x"}}"#,
    );
    home.write("in.json", r#"{"name": "Ada"}"#);
    let hello = example("hello.yaml");
    let examples = example("");
    let cases: &[(&[&str], &str)] = &[
        (&["register", &hello], "examples/hello"),
        (&["register", "playbook", "-f", &hello], "examples/hello"),
        (&["register", "playbook", "-d", &examples], "examples/join"),
        (&["register", "credential", "-f", "pg.json"], "pg"),
        (&["catalog", "register", &hello], "examples/hello"),
        (&["catalog", "register", "playbook", &hello], "examples/hello"),
        (&["catalog", "list", "playbook"], "examples/hello"),
        (&["catalog", "list", "credential"], "pg"),
        (&["catalog", "get", "examples/hello"], "kind: Playbook"),
        (&["list", "playbook"], "examples/hello"),
        (&["list", "credentials"], "pg"),
        (&["get", "credential", "pg"], "postgres"),
        (&["credential", "list"], "pg"),
        (&["exec", &hello, "-r", "local", "--payload", r#"{"name": "Ada"}"#, "-j"], "Hello, Ada!"),
        (&["exec", "examples/hello", "--workload", r#"{"name": "Ada"}"#], "Hello, Ada!"),
        (&["exec", "catalog://examples/hello@1", "-i", "in.json"], "Hello, Ada!"),
        (&["run", "examples/hello", "-V", "1", "--set", "name=Ada", "-v"], "Hello, Ada!"),
        (&["run", "examples/hello", "--payload", "@in.json", "--merge"], "Hello, Ada!"),
        (&["execute", "playbook", "examples/hello", "--input", "in.json", "--wait", "--json"], "Hello, Ada!"),
        (&["catalog", "execute", "examples/hello", "--sync"], "Hello, World!"),
        (&["catalog", "execute", "playbook", "examples/hello", "-v", "1", "--wait"], "Hello, World!"),
        (&["execute", "status", "last", "--json"], "COMPLETED"),
        (&["execute", "rerun", "last", "--wait"], "Hello, World!"),
        (&["status", "last", "-j"], "COMPLETED"),
        (&["list", "execution"], "examples/hello"),
        (&["cleanup", "--older-than-minutes", "5", "--dry-run"], ""),
        (&["db", "init"], ""),
        (&["db", "validate"], ""),
        (&["credential", "delete", "pg"], ""),
    ];
    let mut wrong = Vec::new();
    for (arguments, expected) in cases {
        let printed = home.noetl(arguments);
        if printed.code != Some(0) || !printed.stdout.contains(expected) {
            wrong.push(format!("noetl {}\n{}", arguments.join(" "), printed.all()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_there_is_a_mistake_of_the_caller() {
    let home = Home::new();
    for arguments in
        [&["run", "nowhere.yaml"][..], &["run", "no/such/path"], &["run"], &["nonsense"], &["lint"]]
    {
        let printed = home.noetl(arguments);
        assert_eq!(printed.code, Some(2), "noetl {}\n{}", arguments.join(" "), printed.all());
        assert_eq!(printed.stdout, "");
    }
}
