//! Commands that need neither server nor store.

use super::home::{Home, example, transcript};

#[test]
fn help_shows_every_command() {
    let home = Home::new();
    insta::assert_snapshot!(transcript(&home.noetl(&["-h"]), &home));
}

#[test]
fn every_command_has_help() {
    let home = Home::new();
    let help = home.noetl(&["-h"]).stdout;
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut count = 0;
    for command in commands.filter_map(|line| line.split_whitespace().next()) {
        let printed = home.noetl(&[command, "--help"]);
        assert!(printed.code == Some(0) && printed.stdout.contains("Usage:"), "{command}: {}", printed.all());
        count += 1;
    }
    assert!(count > 20, "{help}");
}

#[test]
fn lint_shows_all_findings_with_their_place() {
    let home = Home::new();
    home.write(
        "bad.yaml",
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: bad }\nworkflow:\n  - step: start\n    tool: { kind: pyhton, code: x }\n    next: { arcs: [ { step: laod } ] }\n  - step: load\n    tool: { kind: noop }\n    when: \"{{ 1 +\"\n",
    );
    let printed = home.noetl(&["lint", "bad.yaml", &example("hello.yaml")]);
    insta::assert_snapshot!(transcript(&printed, &home));
}

#[test]
fn convert_prints_todays_words_and_they_mean_the_same() {
    let home = Home::new();
    let printed = home.noetl(&["convert", &example("old_dialect.yaml")]);
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    insta::assert_snapshot!(transcript(&printed, &home));
    home.write("new.yaml", &printed.stdout);
    let again = home.noetl(&["convert", "new.yaml"]);
    assert_eq!(again.stdout, printed.stdout, "converting twice changes nothing");
}

#[test]
fn explain_prints_the_page_of_a_code() {
    let home = Home::new();
    let printed = home.noetl(&["explain", "pb101"]);
    assert!(printed.code == Some(0) && printed.stdout.contains("PB101"), "{}", printed.all());
    let unknown = home.noetl(&["explain", "PB999"]);
    insta::assert_snapshot!(transcript(&unknown, &home));
}

#[test]
fn tools_show_their_fields() {
    let home = Home::new();
    let listed = home.noetl(&["tools"]);
    assert!(listed.stdout.contains("python") && listed.stdout.contains("http"), "{}", listed.all());
    let shown = home.noetl(&["tools", "show", "http"]);
    assert!(shown.code == Some(0) && shown.stdout.contains("url"), "{}", shown.all());
    assert_eq!(home.noetl(&["tools", "nothing"]).code, Some(2));
}

#[test]
fn the_configuration_in_effect_can_be_seen_and_unknown_keys_are_refused() {
    let home = Home::new();
    home.write("noetl.toml", "[server]\nport = 9000\n");
    let printed = home.noetl(&["config", "--host", "127.0.0.2"]);
    assert!(
        printed.stdout.contains("port = 9000") && printed.stdout.contains("127.0.0.2"),
        "{}",
        printed.all()
    );
    home.write("noetl.toml", "[server]\nprot = 9000\n");
    let refused = home.noetl(&["config"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("prot"), "{}", refused.stderr);
}

#[test]
fn completions_are_written_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let printed = home.noetl(&["completions", shell]);
        assert!(
            printed.code == Some(0) && printed.stdout.contains("executions"),
            "{shell}: {}",
            printed.all()
        );
    }
}

#[test]
fn a_worker_of_its_own_is_refused_in_words() {
    let home = Home::new();
    let printed = home.noetl(&["worker", "start"]);
    assert_eq!(printed.code, Some(1));
    assert!(printed.stderr.contains("noetl up"), "{}", printed.stderr);
}
