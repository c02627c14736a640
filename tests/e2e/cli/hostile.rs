//! Whatever is typed or given as a file ends in a clear refusal with a Code and a hint.

use super::home::{Home, example};

#[test]
fn mistakes_of_the_command_line_have_a_code_a_hint_and_exit_status_2() {
    let home = Home::new();
    home.write("deep.json", &format!("{{\"a\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000)));
    home.write("bomb.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b, *c]\n");
    home.write("list.yaml", "- 1\n- 2\n");
    home.write("half.json", "{\"a\": ");
    std::fs::write(home.path().join("bytes.yaml"), b"a: \xff\xfe").expect("a file");
    std::fs::create_dir(home.path().join("empty")).expect("a directory");
    let hello = example("hello.yaml");
    for arguments in [
        vec!["run", "nowhere.yaml"],
        vec!["run", "empty"],
        vec!["run"],
        vec!["run", "/dev/zero"],
        vec!["run", &hello, "--payload", "@deep.json"],
        vec!["run", &hello, "--payload", "@bomb.yaml"],
        vec!["run", &hello, "--payload", "@list.yaml"],
        vec!["run", &hello, "--payload", "@half.json"],
        vec!["run", &hello, "--payload", "@bytes.yaml"],
        vec!["run", &hello, "--payload", "@nowhere"],
        vec!["run", &hello, "--payload", "{"],
        vec!["run", &hello, "--input", "empty"],
        vec!["run", &hello, "--set", "=1"],
        vec!["run", &hello, "--set", "alone"],
        vec!["run", &hello, "--target", "nowhere"],
        vec!["run", "no/such/path"],
        vec!["run", "no/such/path", "--dry-run"],
        vec!["lint", "nowhere.yaml"],
        vec!["lint", "empty"],
        vec!["convert", "nowhere.yaml"],
        vec!["explain", "XX999"],
        vec!["tools", "show", "nope"],
        vec!["list", "nope"],
        vec!["credential", "register", "nowhere.json"],
        vec!["credential", "register", "half.json"],
        vec!["credential", "register", "empty"],
        vec!["register", "nowhere.yaml"],
        vec!["executions", "--config", "nowhere.toml"],
        vec!["executions", "--config", "half.json"],
    ] {
        let printed = home.noetl(&arguments);
        let shown: String = printed.all().chars().take(600).collect();
        assert_eq!(printed.code, Some(2), "{arguments:?}: {shown}");
        assert!(printed.stderr.contains("error["), "{arguments:?} has no Code: {shown}");
        assert!(printed.stderr.contains("hint: "), "{arguments:?} has no hint: {shown}");
        assert!(!printed.stderr.contains("panicked"), "{arguments:?}: {shown}");
        assert_eq!(printed.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_playbook_may_come_through_a_pipe() {
    let home = Home::new();
    let typed = format!("\"$0\" run <(cat {}) --set name=Pipe", example("hello.yaml"));
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &typed]).arg(crate::app::binary()).env("NOETL_DATA_DIR", home.path().join("data"));
    let printed = crate::app::Cli::of(&command.output().expect("bash runs"));
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    assert!(printed.stdout.contains("Hello, Pipe!"), "{}", printed.all());
}
