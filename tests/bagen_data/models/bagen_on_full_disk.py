"""Run `bagen` with files that may not grow beyond some bytes, as on a full disk: BYTES OPTION..."""

import resource
import runpy
import sys

if __name__ == "__main__":
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sys.argv = ["bagen", *sys.argv[2:]]
    runpy.run_module("bagen_data", run_name="__main__", alter_sys=True)
