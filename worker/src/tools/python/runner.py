"""Runs NoETL's python tasks, one at a time, inside a warm interpreter.

The worker talks over a socket that arrives as standard input: frames of four length bytes
(little endian) and JSON. File descriptors 1 and 2 stay plain pipes to the worker, so what C code and
child processes print is caught as well. What only some tasks need is imported when they need it.
"""
import builtins
import json
import os
import resource
import sys
import time
import types

MODULE = "noetl_task"
FIRST_INPUT_NAMES = ("input_data", "args", "inputs", "data", "params")
TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
VARARGS, VARKEYWORDS, COROUTINE = 0x04, 0x08, 0x80
CACHED_SOURCES = 256

# Modules whose package has another name.
PACKAGES = {
    "yaml": "pyyaml", "sklearn": "scikit-learn", "bs4": "beautifulsoup4", "PIL": "pillow", "cv2": "opencv-python",
    "dateutil": "python-dateutil", "dotenv": "python-dotenv", "jwt": "pyjwt", "psycopg2": "psycopg2-binary",
    "Crypto": "pycryptodome", "google": "google-cloud-storage", "docx": "python-docx", "serial": "pyserial",
    "MySQLdb": "mysqlclient", "attr": "attrs", "slugify": "python-slugify", "OpenSSL": "pyopenssl",
}
MODULES = {package: module for module, package in PACKAGES.items()}
MODULES["psycopg"] = "psycopg"


class SqlResult(dict):
    """A SQL result: fields by name, rows by position, iteration and length."""

    __slots__ = ()

    def __getitem__(self, key):
        if isinstance(key, (int, slice)):
            return dict.__getitem__(self, "rows")[key]
        return dict.__getitem__(self, key)

    def __iter__(self):
        return iter(dict.__getitem__(self, "rows"))

    def __len__(self):
        return len(dict.__getitem__(self, "rows"))

    def __reversed__(self):
        return reversed(dict.__getitem__(self, "rows"))

    def copy(self):
        return SqlResult(self)


class CpuLimit(BaseException):
    """The task used its CPU time; not an Exception, so that user code does not swallow it."""


class MissingArguments(TypeError):
    """Raised on the user's behalf; shown as the TypeError that Python itself would raise."""


MissingArguments.__name__ = MissingArguments.__qualname__ = "TypeError"


def sql_results(values, plain_rows, depth):
    """Gives back what templates promise of a SQL result; `plain_rows` is what generation C hands to code."""
    for key, value in values.items():
        if type(value) is not dict:
            continue
        if "command_0" in value and type(value.get("rows")) is list and "row_count" in value:
            if not plain_rows:
                values[key] = SqlResult(value)
            elif value.get("columns"):
                values[key] = value["rows"]
            else:
                value["rowcount"] = value["row_count"]
        elif depth > 1:
            sql_results(value, plain_rows, depth - 1)


# ---- results as JSON ----------------------------------------------------------------------------------------

def to_json_value(value):
    """Called by the encoder for what JSON has no spelling for."""
    kind = type(value)
    if isinstance(value, (set, frozenset)):
        try:
            return sorted(value)
        except TypeError:
            return list(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        try:
            return data.decode()
        except UnicodeDecodeError:
            import base64
            return base64.b64encode(data).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__") and kind is not type:
        return {name: getattr(value, name, None) for name in value.__dataclass_fields__}
    if hasattr(kind, "model_dump"):
        return value.model_dump()
    if kind.__module__.partition(".")[0] == "pandas":
        if hasattr(value, "to_dict"):
            return value.to_dict("records") if kind.__name__ == "DataFrame" else value.to_dict()
        if hasattr(value, "tolist"):
            return value.tolist()
    if kind.__module__.partition(".")[0] == "numpy":
        if hasattr(value, "tolist"):
            return value.tolist()
    if "enum" in sys.modules and isinstance(value, sys.modules["enum"].Enum):
        return value.value
    if hasattr(value, "keys") and hasattr(value, "__getitem__") and kind is not type:
        return {key: value[key] for key in value.keys()}
    if kind.__name__ in ("generator", "dict_keys", "dict_values", "dict_items", "deque", "map", "filter", "zip", "range"):
        # The slow way may come by again, and some of these can be read only once.
        if id(value) not in READ_ONCE:
            READ_ONCE[id(value)] = value, list(value)
        return READ_ONCE[id(value)][1]
    return str(value)


READ_ONCE = {}
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=to_json_value)


def cleaned(value, parents=()):
    """The slow way: for infinite numbers and for keys that are no text."""
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    if value is None or isinstance(value, (str, int)):
        return value
    if id(value) in parents:
        raise ValueError("Circular reference detected")
    parents = parents + (id(value),)
    if isinstance(value, dict):
        return {
            key if key is None or isinstance(key, (str, int)) else str(key): cleaned(item, parents)
            for key, item in dict.items(value)
        }
    if isinstance(value, (list, tuple)):
        return [cleaned(item, parents) for item in value]
    return cleaned(to_json_value(value), parents)


def encoded(value):
    try:
        text = ENCODER.encode(value)
    except (ValueError, TypeError):
        text = ENCODER.encode(cleaned(value))
    finally:
        READ_ONCE.clear()
    # A lone surrogate has no UTF-8 form.
    return text.encode("utf-8", "replace")


# ---- source text to code ------------------------------------------------------------------------------------

COMPILED = {}


def compiled(source, filename):
    key = (source, filename)
    found = COMPILED.get(key)
    if found is None:
        if len(COMPILED) >= CACHED_SOURCES:
            COMPILED.clear()
        found = COMPILED[key] = compile_source(source, filename)
    return found


def compile_source(source, filename):
    """Returns the code and whether it is a body wrapped in a function, for a bare top-level return."""
    try:
        return compile(source, filename, "exec", TOP_LEVEL_AWAIT, True), False
    except SyntaxError as error:
        problem = error
    if isinstance(problem, IndentationError) and source[:1] in " \t":
        import textwrap
        dedented = textwrap.dedent(source)
        if dedented != source:
            return compile_source(dedented, filename)
    if problem.msg and "'return' outside function" in problem.msg:
        from ast import parse
        return compile(wrapped(parse(source, filename)), filename, "exec", 0, True), True
    raise problem


def wrapped(tree):
    """Moves a module's body into a function, where `return` is legal; its names stay global."""
    import ast

    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names, awaits = set(), []

    class Names(ast.NodeTransformer):
        def visit(self, node):
            if isinstance(node, scopes):
                names.add(node.name)
                return node
            if isinstance(node, ast.Lambda):
                return node
            if isinstance(node, ast.Global):
                names.update(node.names)
                return ast.copy_location(ast.Pass(), node)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                # A name may not be both annotated and global.
                names.add(node.target.id)
                if node.value is None:
                    return ast.copy_location(ast.Pass(), node)
                node = ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                names.add(node.id)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            elif isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)):
                awaits.append(node)
            else:
                # Exception handlers and match patterns keep their names as plain text.
                for field in ("name", "rest"):
                    bound = getattr(node, field, None)
                    if isinstance(bound, str):
                        names.add(bound)
            return self.generic_visit(node)

    def stays_outside(node):
        return isinstance(node, ast.ImportFrom) and (node.module == "__future__" or node.names[0].name == "*")

    outside = [node for node in tree.body if stays_outside(node)]
    inside = [Names().visit(node) for node in tree.body if not stays_outside(node)]
    if names:
        inside.insert(0, ast.Global(names=sorted(names)))
    function = ast.parse("async def body(): pass" if awaits else "def body(): pass").body[0]
    function.name, function.body = "<module>", inside
    tree.body = outside + [function]
    return ast.fix_missing_locations(tree)


def assigns_result(source):
    """Whether the text itself stores to `result`: asked only when an input of that name was not replaced."""
    import ast
    return any(
        isinstance(node, ast.Name) and node.id == "result" and not isinstance(node.ctx, ast.Load)
        for node in ast.walk(ast.parse(source))
    )


# ---- calling main -------------------------------------------------------------------------------------------

def call_main(main, inputs, found, whole_context):
    """Calls `main` with what its parameters name.

    `found` looks a name up among everything a task may read; `whole_context` is for `main(context)`.
    """
    function = getattr(main, "__wrapped__", main)
    code = getattr(function, "__code__", None)
    if code is None:
        positional_only, names, required, takes_rest = signature_of(main)
    else:
        count = code.co_argcount
        names = list(code.co_varnames[:count + code.co_kwonlyargcount])
        positional_only = code.co_posonlyargcount
        if hasattr(function, "__self__") and names:
            names, count, positional_only = names[1:], count - 1, max(0, positional_only - 1)
        optional = set(names[count - len(function.__defaults__ or ()):count]) | set(function.__kwdefaults__ or ())
        required = [name for name in names if name not in optional]
        takes_rest = bool(code.co_flags & VARKEYWORDS)

    values = {}
    for name in names:
        value = found(name, name in required)
        if value is not MISSING:
            values[name] = value
    unmatched = [name for name in required if name not in values]
    if len(unmatched) == 1 and len(required) == 1:
        # One parameter of any other name takes everything.
        values[unmatched[0]] = whole_context if unmatched[0] in ("context", "ctx") else inputs
    elif unmatched:
        given = ", ".join(sorted(inputs)) or "none"
        raise MissingArguments(
            "main() has no value for %s; the inputs of this task are: %s" % (", ".join(unmatched), given))
    if takes_rest:
        values.update((name, value) for name, value in inputs.items() if name not in values)
    leading = [values.pop(name) for name in names[:positional_only] if name in values]
    return awaited(main(*leading, **values))


MISSING = object()


def signature_of(main):
    import inspect
    positional_only, names, required, takes_rest = 0, [], [], False
    for name, parameter in inspect.signature(main).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_rest = True
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            names.append(name)
            positional_only += parameter.kind is parameter.POSITIONAL_ONLY
            if parameter.default is parameter.empty:
                required.append(name)
    return positional_only, names, required, takes_rest


def awaited(value):
    if isinstance(value, types.CoroutineType):
        import asyncio
        return asyncio.run(value)
    return value


# ---- libraries ----------------------------------------------------------------------------------------------

def load_libraries(libs, namespace):
    """`{alias: module}`, `{Name: {from: module, import: Name}}`, or a list of packages that must be there."""
    import importlib
    if isinstance(libs, str):
        libs = [name.strip() for name in libs.split(",") if name.strip()]
    if isinstance(libs, dict):
        for alias, wanted in libs.items():
            if isinstance(wanted, dict):
                module = importlib.import_module(str(wanted.get("from") or wanted.get("module")))
                name = wanted.get("import") or wanted.get("name")
                namespace[alias] = module if name is None else attribute(module, name)
            else:
                namespace[alias] = imported(str(wanted or alias))
        return
    for item in libs:
        if isinstance(item, dict):
            if "from" in item and "import" in item:
                name = item.get("as") or item["import"]
                load_libraries({name: item}, namespace)
            elif "name" in item or "module" in item:
                module = str(item.get("module") or item["name"])
                namespace[str(item.get("as") or item.get("alias") or module.partition(".")[0])] = imported(module)
            else:
                load_libraries(item, namespace)
        else:
            require_package(str(item), namespace)


def imported(dotted):
    """A module, or what a module holds (`datetime.timedelta`)."""
    import importlib
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        parent, _, name = dotted.rpartition(".")
        if not parent or error.name != dotted:
            raise
    return attribute(importlib.import_module(parent), name)


def attribute(module, name):
    try:
        return getattr(module, name)
    except AttributeError:
        raise ImportError("cannot import name %r from %r" % (name, module.__name__)) from None


def require_package(requirement, namespace):
    import importlib
    import re
    package = re.split(r"[\s\[<>=!~;@]", requirement.strip(), maxsplit=1)[0]
    module = MODULES.get(package.lower(), package.replace("-", "_"))
    try:
        namespace[module.partition(".")[0]] = importlib.import_module(module)
        return
    except ModuleNotFoundError as error:
        if error.name not in (module, module.partition(".")[0]):
            raise
    from importlib import metadata
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        error = ModuleNotFoundError("No package named %r" % package, name=package)
        raise error from None


# ---- limits -------------------------------------------------------------------------------------------------

def stop_for_cpu(_number, _frame):
    raise CpuLimit


class Limits:
    """Soft limits of memory and CPU around one task; the hard ones stay, so that they can be lifted again."""

    def __init__(self, memory_mb, cpu_seconds):
        self.memory_mb, self.cpu_seconds, self.saved = memory_mb, cpu_seconds, []

    def __enter__(self):
        if self.memory_mb:
            # Private memory, so that address space merely reserved by a library does not count.
            self.lower(resource.RLIMIT_DATA, (status_bytes("VmData:") or 64 << 20) + int(self.memory_mb * 1048576))
        if self.cpu_seconds:
            import signal
            usage = resource.getrusage(resource.RUSAGE_SELF)
            used = usage.ru_utime + usage.ru_stime
            # Code that never returns to the interpreter is ended by the kernel a little later.
            self.lower(resource.RLIMIT_CPU, int(used + self.cpu_seconds) + 2)
            signal.signal(signal.SIGPROF, stop_for_cpu)
            signal.setitimer(signal.ITIMER_PROF, self.cpu_seconds, 0.2)
        return self

    def lower(self, which, value):
        soft, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(which, (value, hard))
        self.saved.append((which, (soft, hard)))

    def lift(self):
        if self.cpu_seconds:
            import signal
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, signal.SIG_IGN)
        for which, limit in self.saved:
            resource.setrlimit(which, limit)
        self.saved = []

    def __exit__(self, *_):
        self.lift()


# ---- usage --------------------------------------------------------------------------------------------------

class Usage:
    """What one task takes: CPU time of this process and of the children it waited for, and memory at its peak."""

    # Microseconds of CPU time below which a task cannot have taken memory worth a look, which would cost as much again.
    NOTABLE = 1000

    def __init__(self):
        # A task may replace the names in the module.
        self.clock, self.getrusage = time.process_time_ns, resource.getrusage
        self.children = self.of_children()
        # The peak until now is not of the next task, but of the start or of an earlier one.
        self.is_stale, self.floor = True, 0

    def of_children(self):
        usage = self.getrusage(resource.RUSAGE_CHILDREN)
        return int((usage.ru_utime + usage.ru_stime) * 1e6)

    def begin(self):
        if self.is_stale:
            self.is_stale, self.floor = False, 0
            try:
                with open("/proc/self/clear_refs", "w") as peak:
                    peak.write("5")
            except OSError:
                # It stays: only what goes beyond it is of the task.
                self.floor = status_bytes("VmHWM:")
        self.began = self.clock()

    def end(self):
        """The usage since `begin`, as a member of the reply."""
        children = self.of_children()
        used = (self.clock() - self.began) // 1000 + children - self.children
        self.children, peak = children, 0
        if used >= self.NOTABLE:
            peak, self.is_stale = status_bytes("VmHWM:"), True
        return b',"usage":{"cpu_us":%d,"memory_bytes":%d}' % (used, peak if peak > self.floor else 0)


def status_bytes(name):
    """A figure of this process in bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(name):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 0


# ---- one task -----------------------------------------------------------------------------------------------

def run(task, filename):
    """Runs one task and returns its result."""
    inputs = task["inputs"]
    context = task.get("context") or {}
    if inputs:
        sql_results(inputs, task["plain_rows"], 2)
    if context:
        sql_results(context, task["plain_rows"], 1)
    context.setdefault("execution_id", task["execution_id"])
    variables = context.get("variables") or context.get("vars") or context.get("ctx") or {}
    code, is_body = compiled(task["code"], filename)

    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    namespace = module.__dict__
    namespace.update(
        __builtins__=builtins, __file__=filename, args=inputs, input_data=inputs, context=context,
        execution_id=task["execution_id"], variables=variables)
    if "value" in task:
        namespace["value"] = task["value"]
    predefined = dict(namespace)
    # An input called `type` or `id` must not break a main() that calls the builtin: it gets it as an argument.
    has_main = "main" in code.co_names
    for name, value in inputs.items():
        if not (has_main and hasattr(builtins, name)):
            namespace[name] = value
    if task.get("libs"):
        load_libraries(task["libs"], namespace)

    try:
        returned = awaited(eval(code, namespace)) if code.co_flags & COROUTINE else exec(code, namespace)
        if is_body:
            returned = awaited(namespace["<module>"]())
        if returned is not None:
            return returned
        result = namespace.get("result")
        if result is not None and (result is not inputs.get("result", MISSING) or assigns_result(task["code"])):
            return result
        main = namespace.get("main")
        if not callable(main) or main is inputs.get("main", MISSING):
            return None
        search = task["search_context"]

        def found(name, required):
            if name in inputs:
                return inputs[name]
            if search and name in context:
                return context[name]
            # Predefined names fill what has no default of its own.
            return predefined.get(name, MISSING) if required and not name.startswith("__") else MISSING

        return call_main(main, inputs, found, context)
    finally:
        sys.modules.pop(MODULE, None)


def failure(error, task, filename):
    """What went wrong, with the runner's own frames cut away."""
    import linecache
    import traceback
    source = task.get("code") or ""
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    trace, line = error.__traceback__, None
    while trace is not None and trace.tb_frame.f_code.co_filename != filename:
        trace = trace.tb_next
    step = trace
    while step is not None:
        if step.tb_frame.f_code.co_filename == filename:
            line = step.tb_lineno
        if isinstance(error, CpuLimit) and step.tb_next and step.tb_next.tb_frame.f_code is stop_for_cpu.__code__:
            step.tb_next = None
        step = step.tb_next
    if isinstance(error, SyntaxError) and error.filename == filename:
        line = error.lineno
    kind = type(error)
    # What led to an error that the runner itself raised (a result without JSON form) is not the user's business.
    chain = trace is not None
    name = kind.__name__
    try:
        lines = traceback.format_exception(kind, error, trace, chain=chain)
    except Exception:  # an exception whose text cannot be made
        lines = [name]
    try:
        message = error.msg if isinstance(error, SyntaxError) and error.msg else str(error)
    except Exception:
        message = ""
    report = {"type": name, "message": message, "line": line, "traceback": "".join(lines)}
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        report.update(kind="missing_module", module=error.name, package=PACKAGES.get(top, top), python=sys.executable)
    elif isinstance(error, CpuLimit):
        report.update(kind="cpu_limit", type="CpuLimit")
    elif isinstance(error, MemoryError) and task.get("memory_mb"):
        report.update(kind="memory_limit")
    elif isinstance(error, SystemExit):
        report.update(message="exit status %s" % (error.code,))
    linecache.cache.pop(filename, None)
    return report


def answer(task):
    """Runs a task inside its surroundings and returns the answer's bytes."""
    filename = "<%s>" % task["name"]
    limits = Limits(task.get("memory_mb"), task.get("cpu_seconds"))
    report, body = None, b"null"
    try:
        with limits:
            result = run(task, filename)
            body = encoded(result)
            del result
    except SystemExit as error:
        if error.code not in (None, 0):
            report = failure(error, task, filename)
    except BaseException as error:
        limits.lift()
        report = failure(error, task, filename)
        # Frames of the failed code hold its data.
        error.__traceback__ = None
    if report is not None:
        return b'{"error":' + ENCODER.encode(report).encode("utf-8", "replace")
    return b'{"result":' + body


class Surroundings:
    """What a task may change in the process, and what the next one finds as it was."""

    def __init__(self):
        self.environment = dict(os.environ)
        self.path = list(sys.path)
        self.builtins = vars(builtins)
        self.builtins_before = dict(self.builtins)
        self.streams = sys.stdin, sys.stdout, sys.stderr
        self.directory = None

    def prepare(self, task):
        directory = task.get("cwd") or task["work_dir"]
        if directory != self.directory:
            os.chdir(directory)
            self.directory = directory
        for name, value in (task.get("env") or {}).items():
            os.environ[name] = value
        # Last, so that files beside a playbook never hide the standard library.
        local = list(task.get("sys_path") or ())
        sys.path[:] = local + self.path + [task["work_dir"]]
        return local + [task["work_dir"]], len(sys.modules)

    def restore(self, local, modules):
        """Returns whether the process is fit for another task."""
        if self.builtins != self.builtins_before:
            self.builtins.update(self.builtins_before)
            for name in set(self.builtins) - set(self.builtins_before):
                del self.builtins[name]
        if dict(os.environ) != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        sys.path[:] = self.path
        sys.stdin, sys.stdout, sys.stderr = self.streams
        try:
            if os.getcwd() != self.directory:
                self.directory = None
        except OSError:
            self.directory = None
        if len(sys.modules) != modules:
            # A module beside the playbook may be edited before the next task.
            prefixes = tuple(os.path.join(os.path.abspath(path), "") for path in local)
            for name, module in list(sys.modules.items()):
                file = getattr(module, "__file__", None)
                if file and file.startswith(prefixes) and "-packages" not in file:
                    del sys.modules[name]
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return False
        threading = sys.modules.get("threading")
        return threading is None or threading.active_count() <= 1


def end_with_worker(channel):
    """Ends the process group when the worker goes away in the middle of a task.

    Returns how to switch that on and off: off between tasks, when the channel has other news.
    """
    try:
        import fcntl
        import select
        import signal
        poll = select.poll()
        poll.register(channel, 0)

        def look(_number, _frame):
            # A signal may also stem from the task that just came in.
            if poll.poll(0):
                os.killpg(0, signal.SIGKILL)

        signal.signal(signal.SIGIO, look)
        fcntl.fcntl(channel, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(channel, fcntl.F_GETFL)
        return lambda on: fcntl.fcntl(channel, fcntl.F_SETFL, flags | os.O_ASYNC if on else flags)
    except (ImportError, OSError, AttributeError):
        return lambda on: None


def serve():
    channel = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    for name in ("exit", "quit"):
        setattr(builtins, name, sys.exit)
    sys.argv = [MODULE]
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    process = os.getpid()
    surroundings = Surroundings()
    usage = Usage()
    guard = end_with_worker(channel)
    requests = open(channel, "rb", closefd=False)
    decode = json.JSONDecoder().decode
    while True:
        head = requests.read(4)
        if len(head) < 4:
            return
        frame = requests.read(int.from_bytes(head, "little"))
        guard(True)
        usage.begin()
        task = decode(frame.decode())
        del frame
        try:
            local, modules = surroundings.prepare(task)
        except OSError as error:
            reply = b'{"error":' + ENCODER.encode({
                "type": type(error).__name__, "message": str(error), "line": None, "traceback": ""}).encode()
            local, modules = [], len(sys.modules)
        else:
            reply = answer(task)
        del task
        if os.getpid() != process:
            # A fork that came back here is a copy; only the original may answer.
            os._exit(0)
        is_fit = surroundings.restore(local, modules)
        reply += usage.end() + (b"}" if is_fit else b',"worn":true}')
        guard(False)
        reply = len(reply).to_bytes(4, "little") + reply
        view = memoryview(reply)
        while view:
            view = view[os.write(channel, view):]


serve()
