//! The tool over a real interpreter.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use noetl_domain::id::ExecutionId;
use noetl_domain::playbook::Dialect;
use noetl_domain::{Map, Value};
use serde_json::json;

use super::{Call, Config, Input, Places, Python, PythonPool};
use crate::sample;
use crate::tool::{Failure, Log, Output, TaskContext, Tool};

fn python() -> Python {
    Python::new(PythonPool::new(Config::from_env()))
}

fn context(inputs: Value, prior: Value, dialect: Dialect) -> TaskContext {
    let map = |value: Value| match value {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    TaskContext {
        execution: ExecutionId(7),
        dialect,
        inputs: map(inputs),
        context: Arc::new(map(prior)),
        ..sample::context()
    }
}

fn code(text: &str) -> Input {
    Input { code: Some(text.into()), ..Input::default() }
}

fn value(outcome: Result<Output, Failure>) -> Value {
    match outcome {
        Ok(Output::Done { value, .. }) => value,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_call_convention() {
    use Dialect::{B, C, E};
    let sql = json!({ "status": "ok", "rows": [{ "id": 1 }, { "id": 2 }], "row_count": 2, "columns": ["id"],
        "command_0": { "status": "ok", "rows": [{ "id": 1 }, { "id": 2 }], "row_count": 2, "columns": ["id"] } });
    let prior = json!({ "before": { "n": 5 }, "vars": { "v": 1 }, "city": "Oslo", "rows_step": sql });
    let cases: Vec<(&str, Dialect, &str, Value, Value)> = vec![
        (
            "main by name, defaults, rest",
            E,
            "def main(a, b=2, *, c=3, **kw): return [a, b, c, kw]",
            json!({ "a": 1, "c": 9, "z": 0 }),
            json!([1, 2, 9, { "z": 0 }]),
        ),
        ("positional only", E, "def main(a, /, b): return [a, b]", json!({ "a": 1, "b": 2 }), json!([1, 2])),
        (
            "default stays beside a predefined name",
            E,
            "def main(args=None): return args is None",
            json!({ "a": 1 }),
            json!(true),
        ),
        ("main(input_data)", E, "def main(input_data): return input_data['x']", json!({ "x": 4 }), json!(4)),
        (
            "main(anything) takes all",
            E,
            "def main(payload): return payload",
            json!({ "x": 4 }),
            json!({ "x": 4 }),
        ),
        ("main(anything) without inputs", E, "def main(x): return x", json!({}), json!({})),
        ("main(context)", E, "def main(context): return context['before']['n']", json!({ "x": 4 }), json!(5)),
        (
            "main(x, context)",
            E,
            "def main(x, context): return [x, context['city']]",
            json!({ "x": 4 }),
            json!([4, "Oslo"]),
        ),
        (
            "whole context (B)",
            B,
            "def main(x, city): return [x, city]",
            json!({ "x": 4 }),
            json!([4, "Oslo"]),
        ),
        (
            "async main",
            E,
            "import asyncio\nasync def main(x):\n    await asyncio.sleep(0)\n    return x",
            json!({ "x": 4 }),
            json!(4),
        ),
        (
            "decorated main",
            E,
            "import functools\ndef d(f):\n    @functools.wraps(f)\n    def g(*a, **k): return f(*a, **k) + 1\n    return g\n@d\ndef main(x): return x",
            json!({ "x": 4 }),
            json!(5),
        ),
        (
            "statements that set result",
            E,
            "y = x * 2\nresult = {'y': y}",
            json!({ "x": 4 }),
            json!({ "y": 8 }),
        ),
        ("result wins over main", E, "def main(): return 'main'\nresult = 'set'", json!({}), json!("set")),
        ("result None leaves main", E, "result = None\ndef main(): return 'main'", json!({}), json!("main")),
        (
            "an input named result is no assignment",
            E,
            "def main(result): return result + 1",
            json!({ "result": 4 }),
            json!(5),
        ),
        ("an input named result, assigned the same", E, "result = result", json!({ "result": 4 }), json!(4)),
        (
            "an input named result, alone",
            E,
            "x = 1",
            json!({ "result": 4 }),
            json!({ "stdout": "", "stderr": "" }),
        ),
        (
            "an input hides no builtin from main",
            E,
            "def main(type, id): return [list((1,)), type, id]",
            json!({ "type": "t", "id": 3, "list": 1 }),
            json!([[1], "t", 3]),
        ),
        (
            "bare return",
            E,
            "if n > 1:\n    return {'n': n}\nreturn None",
            json!({ "n": 2 }),
            json!({ "n": 2 }),
        ),
        (
            "bare return rebinds an input",
            E,
            "from math import *\nimport os.path\nn = n + 1\nm: int = n\ntext = '''a\n  b'''\ndef f():\n    return m + n\nfor i in range(3): pass\nreturn [n, f(), i, floor(pi), text]",
            json!({ "n": 1 }),
            json!([2, 4, 2, 3, "a\n  b"]),
        ),
        (
            "bare return with await",
            E,
            "import asyncio\nawait asyncio.sleep(0)\nreturn 7",
            json!({}),
            json!(7),
        ),
        ("top-level await", E, "import asyncio\nawait asyncio.sleep(0)\nresult = 7", json!({}), json!(7)),
        ("indented as a whole", E, "    x = 1\n    result = x", json!({}), json!(1)),
        (
            "predefined names",
            E,
            "context['before']; result = [args, input_data, execution_id, variables]",
            json!({ "a": 1 }),
            json!([{ "a": 1 }, { "a": 1 }, "7", { "v": 1 }]),
        ),
        (
            "no result is what was printed",
            E,
            "import sys\nprint('out')\nprint('err', file=sys.stderr)",
            json!({}),
            json!({ "stdout": "out\n", "stderr": "err\n" }),
        ),
        ("exit ends it well", E, "result = 1\nexit()", json!({}), json!({ "stdout": "", "stderr": "" })),
        (
            "sql result by field, index, loop, length",
            E,
            "result = [r[0]['id'], r['rows'][1]['id'], [x['id'] for x in r], len(r), r['command_0']['row_count'], 'rows' in r, dict(r)['status']]",
            json!({ "r": sql }),
            json!([1, 2, [1, 2], 2, 2, true, "ok"]),
        ),
        ("sql result given back whole", E, "result = r", json!({ "r": sql }), sql.clone()),
        (
            "sql result is a list (C)",
            C,
            "def main(r): return [type(r).__name__, r[1]['id']]",
            json!({ "r": sql }),
            json!(["list", 2]),
        ),
        (
            "values JSON has no spelling for",
            E,
            "import datetime, decimal, dataclasses, enum, uuid, collections\n@dataclasses.dataclass\nclass P:\n    x: int\nclass E(enum.Enum):\n    A = 'a'\nresult = [datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 3), decimal.Decimal('1.10'), {3, 1}, (1, 2), b'x', b'\\xff', P(1), E.A, collections.deque([1]), (i for i in (1, 2)), {1: {(1, 2): float('nan')}}, float('inf'), 1e300, object.__name__, '\\ud800x']",
            json!({}),
            json!(["2024-01-02", "2024-01-02T03:00:00", "1.10", [1, 3], [1, 2], "x", "/w==", { "x": 1 }, "a", [1], [1, 2], { "1": { "(1, 2)": null } }, null, 1e300, "object", "?x"]),
        ),
        (
            "annotations as text",
            E,
            "from __future__ import annotations\nimport dataclasses\n@dataclasses.dataclass\nclass P:\n    x: int\nreturn P(3)",
            json!({}),
            json!({ "x": 3 }),
        ),
    ];
    let python = python();
    for (name, dialect, text, inputs, expected) in cases {
        let ctx = context(inputs, prior.clone(), dialect);
        let got = Tool::run(&python, code(text), &ctx).await;
        assert!(
            matches!(&got, Ok(Output::Done { value, .. }) if *value == expected),
            "{name}: {got:#?}, not {expected}"
        );
    }

    let mut ctx = context(json!({}), json!({ "value": 12 }), Dialect::A);
    ctx.index = Some(0);
    assert_eq!(value(Tool::run(&python, code("def main(value): return value"), &ctx).await), 12);
    assert_eq!(value(Tool::run(&python, code("result = value"), &ctx).await), 12);
    let mut ctx = context(json!({ "n": 1 }), json!({ "value": 12, "item": 12 }), Dialect::E);
    ctx.index = Some(0);
    assert_eq!(value(Tool::run(&python, code("def main(n, item): return n + item"), &ctx).await), 13);
}

#[tokio::test]
async fn errors_name_the_kind_the_line_and_the_way_out() {
    // Code, kind, code of the error, part of the message, part of the traceback.
    let cases = [
        (
            "x = 1\ndef f():\n    return 1 / 0\nf()",
            "python",
            "ZeroDivisionError",
            "division by zero (line 3)",
            "in f",
        ),
        ("x = 1\n\nreturn 1 / 0", "python", "ZeroDivisionError", "(line 3)", "<step>"),
        ("x = (", "python", "SyntaxError", "(line 1)", "x = ("),
        (
            "import no_such_module.sub",
            "python_missing_module",
            "ModuleNotFoundError",
            "-m pip install no_such_module",
            "import no",
        ),
        (
            "def main(a, b): pass",
            "python",
            "TypeError",
            "no value for a, b; the inputs of this task are: x",
            "TypeError",
        ),
        ("import sys; sys.exit(3)", "python", "SystemExit", "exit status 3", ""),
        ("raise KeyError('k') from ValueError('v')", "python", "KeyError", "KeyError: 'k'", "ValueError: v"),
        ("import os; os._exit(4)", "python", "InterpreterDied", "exit status 4", ""),
        ("a = []; a.append(a); result = a", "python", "ValueError", "Circular reference", ""),
        ("def f(): return f()\nf()", "python", "RecursionError", "recursion", ""),
    ];
    let python = python();
    let ctx = context(json!({ "x": 1 }), json!({}), Dialect::E);
    for (text, kind, exception, message, trace) in cases {
        let failure = Tool::run(&python, code(text), &ctx).await.unwrap_err();
        let error = &failure.error;
        let traceback = error.details["traceback"].as_str().unwrap_or_default();
        let told = (error.kind.as_str(), error.details["exception"].as_str(), error.code.as_deref());
        let code = if kind == "python" { exception } else { "TL003" };
        assert_eq!(told, (kind, Some(exception), Some(code)), "{text}: {error:?}");
        assert!(error.message.contains(message), "{text}: {}", error.message);
        assert!(traceback.contains(trace), "{text}: {traceback}");
        assert!(!traceback.contains("<string>"), "a frame of the runner shows: {traceback}");
        assert_eq!(error.source, "python");
    }

    let missing = Input { libs: json!(["surely-not-there>=1"]), ..code("result = 1") };
    let error = Tool::run(&python, missing, &ctx).await.unwrap_err().error;
    assert_eq!(error.kind, "python_missing_module");
    assert!(error.message.contains("pip install surely-not-there"), "{}", error.message);

    let places = Places { chosen: Some("/nowhere/python".into()), ..Places::default() };
    let nowhere = Python::new(PythonPool::new(Config { places, ..Config::default() }));
    let error = Tool::run(&nowhere, code("result = 1"), &ctx).await.unwrap_err().error;
    assert_eq!(error.code.as_deref(), Some("TL004"));
    assert!(error.message.contains("NOETL_PYTHON"), "{}", error.message);
}

#[tokio::test]
async fn libs_env_cwd_paths_and_base64() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("beside.py"), "n = 1").unwrap();
    let python = python();
    let mut ctx = context(json!({ "x": 1 }), json!({}), Dialect::E);
    ctx.work_dir = folder.path().to_owned();
    let input = |value: Value| serde_json::from_value::<Input>(value).unwrap();

    let libs = json!({ "m": "math", "Counter": { "from": "collections", "import": "Counter" }, "join": "os.path.join" });
    let text = "result = [m.floor(2.5), Counter('aa')['a'], join('a', 'b')]";
    assert_eq!(
        value(Tool::run(&python, input(json!({ "code": text, "libs": libs })), &ctx).await),
        json!([2, 2, "a/b"])
    );

    let list = json!(["json", { "c": "collections" }, { "name": "os.path", "as": "p" }]);
    let text = "result = json.dumps([c.Counter('a')['a'], p.basename('a/b')])";
    assert_eq!(
        value(Tool::run(&python, input(json!({ "code": text, "libs": list })), &ctx).await),
        "[1, \"b\"]"
    );

    let look = "import os, subprocess\nresult = [os.environ.get('K'), os.path.basename(os.getcwd()), subprocess.run(['sh', '-c', 'echo $K'], capture_output=True, text=True).stdout]";
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let given = input(json!({ "code": look, "env": { "K": 5 }, "cwd": "sub" }));
    assert_eq!(value(Tool::run(&python, given, &ctx).await), json!(["5", "sub", "5\n"]));
    let after = value(Tool::run(&python, code(look), &ctx).await);
    assert_eq!(after[0], Value::Null, "the environment of one task must not reach the next");
    assert_ne!(after[1], "sub");

    // A module beside the playbook is found, and read again after an edit.
    assert_eq!(value(Tool::run(&python, code("import beside\nresult = beside.n"), &ctx).await), 1);
    std::fs::write(folder.path().join("beside.py"), "n = 2 # edited").unwrap();
    assert_eq!(value(Tool::run(&python, code("import beside\nresult = beside.n"), &ctx).await), 2);
    std::fs::write(folder.path().join("sub").join("deeper.py"), "n = 3").unwrap();
    let deeper =
        input(json!({ "code": "import deeper\nresult = deeper.n", "deps": { "sys_path": ["sub"] } }));
    assert_eq!(value(Tool::run(&python, deeper, &ctx).await), 3);

    let packed = input(json!({ "code_b64": "cmVzdWx0ID0geCAr\nIDE=" }));
    assert_eq!(value(Tool::run(&python, packed, &ctx).await), 2);
}

#[tokio::test]
async fn each_task_has_a_fresh_namespace_in_the_same_process() {
    let python = python();
    let ctx = context(json!({}), json!({}), Dialect::E);
    let first = value(Tool::run(&python, code("import os\nleft_over = 1\nresult = os.getpid()"), &ctx).await);
    let second = "import os, sys\nsys.stdout = None\nresult = [os.getpid(), 'left_over' in globals()]";
    assert_eq!(value(Tool::run(&python, code(second), &ctx).await), json!([first, false]));
    let third = value(Tool::run(&python, code("print('heard')"), &ctx).await);
    assert_eq!(third["stdout"], "heard\n");

    // A thread left behind would run into later tasks: the interpreter goes.
    let thread = "import threading, time, os\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nresult = os.getpid()";
    assert_eq!(value(Tool::run(&python, code(thread), &ctx).await), first);
    assert_ne!(value(Tool::run(&python, code("import os\nresult = os.getpid()"), &ctx).await), first);
}

#[tokio::test]
async fn limits_stop_a_task_and_are_lifted_again() {
    let python = python();
    let ctx = context(json!({}), json!({}), Dialect::E);
    let process = value(Tool::run(&python, code("import os\nresult = os.getpid()"), &ctx).await);
    let limited = |text: &str, limits: Value| {
        let mut fields = limits;
        fields["code"] = text.into();
        serde_json::from_value::<Input>(fields).unwrap()
    };
    for (text, limits, named) in [
        ("x = bytearray(200_000_000)", json!({ "memory_mb": 50 }), "memory_mb: 50"),
        ("x = []\nwhile True: x.append(' ' * 1000)", json!({ "memory_mb": "40" }), "memory_mb: 40"),
        (
            "try:\n    while True: pass\nexcept Exception: pass",
            json!({ "cpu_seconds": 0.1 }),
            "cpu_seconds: 0.1",
        ),
    ] {
        let error = Tool::run(&python, limited(text, limits), &ctx).await.unwrap_err().error;
        assert_eq!(
            (error.kind.as_str(), error.code.as_deref()),
            ("resource_limit", Some("TL007")),
            "{error:?}"
        );
        assert!(error.message.contains(named), "{}", error.message);
    }
    let large = value(
        Tool::run(&python, code("import os\nx = bytearray(200_000_000)\nresult = os.getpid()"), &ctx).await,
    );
    assert_eq!(large, process, "the limits are gone and the process is the same");
    // Native code that never returns to the interpreter is ended by the kernel.
    let error = Tool::run(&python, limited("sum(iter(int, 1))", json!({ "cpu_seconds": 0.2 })), &ctx).await;
    assert_eq!(error.unwrap_err().error.kind, "resource_limit");
}

#[tokio::test]
async fn a_timeout_and_a_cancel_end_the_process_and_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let text = format!(
        "import os, subprocess\nchild = subprocess.Popen(['sleep', '600'])\nprint('started')\nopen({file:?}, 'w').write('%d %d' % (os.getpid(), child.pid))\nchild.wait()"
    );
    let python = python();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&lines);
    let mut ctx = context(json!({}), json!({}), Dialect::E);
    ctx.log =
        Log::new(move |stream, level, text| heard.lock().unwrap().push(format!("{stream} {level} {text}")));
    let check_gone = || async {
        let pids = std::fs::read_to_string(&file).unwrap();
        for pid in pids.split(' ') {
            // Killed, and perhaps not yet waited for by whoever inherits it.
            let alive = || {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                !stat.is_empty() && !stat.contains(") Z ")
            };
            let until = Instant::now() + Duration::from_secs(5);
            while alive() {
                assert!(Instant::now() < until, "process {pid} is still there");
                tokio::task::yield_now().await;
            }
        }
    };

    let mut input = code(&text);
    input.timeout = Some(json!("1s"));
    let failure = Tool::run(&python, input, &ctx).await.unwrap_err();
    assert_eq!((failure.error.kind.as_str(), failure.error.retryable), ("timeout", true));
    assert_eq!(failure.value["stdout"], "started\n", "what was printed until then is kept");
    assert_eq!(*lines.lock().unwrap(), ["stdout info started"]);
    check_gone().await;
    std::fs::remove_file(&file).unwrap();

    let cancel = ctx.cancel.clone();
    let input = code(&text);
    let running = Tool::run(&python, input, &ctx);
    let canceller = async {
        while !std::fs::read_to_string(&file).is_ok_and(|text| !text.is_empty()) {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(running, canceller);
    assert_eq!(outcome.unwrap_err().error.kind, "cancelled");
    check_gone().await;
    let ctx = context(json!({}), json!({}), Dialect::E);
    assert_eq!(value(Tool::run(&python, code("result = 'again'"), &ctx).await), "again");
}

#[tokio::test]
async fn output_of_programs_and_a_flood_are_both_caught() {
    let python = python();
    let ctx = context(json!({}), json!({}), Dialect::E);
    let text = "import os, subprocess\nprint('one')\nos.write(1, b'two\\n')\nsubprocess.run(['sh', '-c', 'echo three; echo four >&2'])\nprint('five', end='')";
    let got = value(Tool::run(&python, code(text), &ctx).await);
    assert_eq!(got, json!({ "stdout": "one\ntwo\nthree\nfive", "stderr": "four\n" }));
    let flood = "for i in range(60000): print('x' * 100)\nresult = [1] * 1000000";
    assert_eq!(value(Tool::run(&python, code(flood), &ctx).await).as_array().map(Vec::len), Some(1_000_000));
}

#[tokio::test]
async fn a_hundred_tasks_share_a_small_pool() {
    let pool = PythonPool::new(Config { size: 2, tasks_per_interpreter: 7, ..Config::from_env() });
    let ctx = context(json!({}), json!({}), Dialect::E);
    let calls = (0..100).map(|n| {
        let (pool, ctx) = (pool.clone(), &ctx);
        async move {
            let inputs = json!({ "data": n });
            let inputs = inputs.as_object().unwrap();
            pool.call(Call::new("def main(data): return data * 2", inputs, ctx)).await.unwrap().value
        }
    });
    let got = futures::future::join_all(calls).await;
    assert_eq!(got, (0..100).map(|n| json!(n * 2)).collect::<Vec<_>>());
}

/// Prints what a warm call costs; the bench shows the same over the whole engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_warm_calls() {
    let python = python();
    python.pool().warm();
    let ctx = context(json!({ "a": 1, "b": [1, 2, 3] }), json!({}), Dialect::E);
    let text = "def main(a, b):\n    return {'sum': a + sum(b)}";
    let started = Instant::now();
    assert_eq!(value(Tool::run(&python, code(text), &ctx).await), json!({ "sum": 7 }));
    let first = started.elapsed();
    let started = Instant::now();
    for _ in 0..1000 {
        assert_eq!(value(Tool::run(&python, code(text), &ctx).await)["sum"], 7);
    }
    eprintln!("python: first call {first:?}, warm call {:?}", started.elapsed() / 1000);
}

/// What a task does to the builtins is undone before the next one, in the same interpreter.
#[tokio::test]
async fn builtins_are_as_they_were() {
    let python = Python::new(PythonPool::new(Config { size: 1, ..Config::from_env() }));
    let ctx = context(json!({}), json!({}), Dialect::E);
    let spoil =
        "import builtins, os\nbuiltins.leak = 1\nbuiltins.abs = None\ndel builtins.sum\nresult = os.getpid()";
    let look = "import builtins, os\nresult = [os.getpid(), hasattr(builtins, 'leak'), abs(-1), sum([1, 2])]";
    let before = value(Tool::run(&python, code(spoil), &ctx).await);
    let after = value(Tool::run(&python, code(look), &ctx).await);
    assert_eq!(after, json!([before, false, 1, 3]));
}
