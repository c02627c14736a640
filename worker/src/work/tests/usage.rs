//! What a Report tells of the tools' CPU time, memory and inputs.

use noetl_domain::report::Outcome;
use noetl_domain::usage::Usage;
use serde_json::json;

use super::harness::{Bench, value_of};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn python_tells_what_a_task_used_and_not_what_an_earlier_one_did() {
    let bench = Bench::new("");
    let burns = |seconds: f64, mebibytes: u64| {
        format!(
            "- step: s\n  tool:\n    kind: python\n    input: {{ seconds: {seconds}, size: {mebibytes} }}\n    code: |\n      \
            import time\n      held = b'x' * (size << 20)\n      until = time.process_time() + seconds\n      \
            while time.process_time() < until: pass\n      result = len(held)"
        )
    };
    let large = bench.run(&burns(0.2, 50)).await;
    assert_eq!(value_of(&large), 50 * MIB);
    let Usage { cpu_us, memory_bytes, bytes_in } = large.usage;
    assert!(cpu_us >= 200_000, "{cpu_us}");
    assert!(memory_bytes >= 50 * MIB, "{memory_bytes}");
    assert_eq!(bytes_in, r#"{"seconds":0.2,"size":50}"#.len() as u64);
    let small = bench.run(&burns(0.01, 1)).await.usage;
    assert!((10_000..200_000).contains(&small.cpu_us), "{small:?}");
    assert!((1..50 * MIB).contains(&small.memory_bytes), "{small:?}");
}

#[tokio::test]
async fn a_child_of_python_counts_and_so_does_code_that_fails() {
    let bench = Bench::new("");
    let code = "import subprocess, sys\n      burn = 'import time\\nwhile time.process_time() < 0.1: pass'\n      \
        subprocess.run([sys.executable, '-c', burn])\n      raise ValueError";
    let report = bench.run(&format!("- step: s\n  tool:\n    kind: python\n    code: |\n      {code}")).await;
    assert!(matches!(report.items[0].outcome, Outcome::Error { .. }), "{report:?}");
    assert!(report.usage.cpu_us >= 100_000, "{:?}", report.usage);
}

#[tokio::test]
async fn iterations_add_up_and_nothing_is_counted_where_nothing_is_at_hand() {
    let bench = Bench::new("");
    let step = |tool: &str| format!("- step: s\n  loop: {{ in: [], iterator: n }}\n  tool: {{ {tool} }}");
    let values = [json!(1), json!(22), json!(333)];
    let python = step("kind: python, input: { n: '{{ n }}' }, code: 'result = n'");
    let used = bench.each(&python, &values, 2).await.usage;
    assert_eq!(used.bytes_in, r#"{"n":1}{"n":22}{"n":333}"#.len() as u64);
    let shell = step("kind: shell, command: 'echo {{ n }}'");
    let used = bench.each(&shell, &values, 1).await.usage;
    assert_eq!(used.bytes_in, "/bin/sh-cecho 1/bin/sh-cecho 22/bin/sh-cecho 333".len() as u64);
    assert!(used.cpu_us > 0);
    let noop = step("kind: noop, result: '{{ n }}'");
    assert!(bench.each(&noop, &values, 1).await.usage.is_nothing());
}
