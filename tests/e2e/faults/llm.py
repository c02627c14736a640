"""llama.cpp's OpenAI-compatible server on a free port, until standard input ends: llm.py MODEL PORT"""
import sys

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostname = "127.0.0.1"
parameters.port = int(sys.argv[2])
parameters.n_ctx = 8192
parameters.n_parallel = 1
parameters.cpuparams.n_threads = 2
parameters.cpuparams_batch.n_threads = 2
server = xllamacpp.Server(parameters)
sys.stdin.read()
