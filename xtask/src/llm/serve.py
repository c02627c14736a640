"""Serves a model file with llama.cpp, for tests: serve.py MODEL PORT. One thread: two spin badly on a busy machine."""
import signal
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
try:
    params.hostnames = ["127.0.0.1"]
except AttributeError:
    params.hostname = "127.0.0.1"
params.port = int(sys.argv[2])
params.n_ctx = 4096
params.n_parallel = 1
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print("listening", flush=True)
signal.pause()
