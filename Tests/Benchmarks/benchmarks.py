"""Measures the groups that are named and prints a line a figure. Started by `run`, which sees to the programs."""

import argparse
import os
import signal
import sys

import agent
import block
import buffer
import cache
import certificates
import drain
import footprint
import ingest
import live
import mongo
import postgres
import torn
import wire
from figures import NotMeasured

GROUPS = {
    "block": block.measure, "wire": wire.measure, "ingest": ingest.measure, "buffer": buffer.measure, "drain": drain.measure,
    "live": live.measure, "agent": agent.measure, "torn": torn.measure, "postgres": postgres.measure,
    "mongo": mongo.measure,
    "cache": cache.measure,
    "certificates": certificates.measure,
    "footprint": footprint.measure,
}


class Programs:
    """The release binaries that are measured."""

    def __init__(self, build, agent_file, groups):
        # The agent's command line alone needs nothing else.
        others = set(groups) - {"certificates"}
        self.collector = self.found(others and os.path.join(build, "farwatch-collector"))
        self.fleet = self.found(others and os.path.join(build, "farwatch-fleetsim"))
        self.copy_rows = self.found("postgres" in groups and os.path.join(build, "farwatch-copy-rows"))
        self.upsert_documents = self.found("mongo" in groups and os.path.join(build, "farwatch-upsert-documents"))
        self.agent = self.found(agent_file)
        block_benchmark = os.path.join(build, "block-benchmark")
        self.block = os.path.abspath(block_benchmark) if os.access(block_benchmark, os.X_OK) else None

    @staticmethod
    def found(path):
        if path and not os.access(path, os.X_OK):
            sys.exit(f"Tests/Benchmarks/run: there is no program {path}")
        return os.path.abspath(path) if path else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("groups", nargs="+", choices=GROUPS)
    parser.add_argument("--build", required=True)
    parser.add_argument("--agent", required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # Stages end on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(128 + signal.SIGHUP))
    programs = Programs(options.build, options.agent, options.groups)
    failures = 0
    for group in options.groups:
        try:
            for figure in GROUPS[group](programs, options.seconds):
                print(figure.json() if options.json else figure.line(), flush=True)
        except (NotMeasured, OSError) as error:
            failures += 1
            print(f"{group}: not measured: {error}", file=sys.stderr, flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
