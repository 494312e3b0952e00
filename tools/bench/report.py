"""Shows results: a table for people, JSON for programs."""

import json
import math
import os
import platform
import statistics
import sys


def say(text):
    """Progress, on standard error so that the table can be redirected."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text[:100]}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def table(results):
    """Medians of every peer, with the ratio to the first one, and geometric means of the ratios."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    first, *others = results.contenders
    head = f"{'workload':22}{'':6}{first:>12}"
    for name in others:
        head += f"{name[:18]:>20}"
    print(head)
    for workload in results.workloads:
        print(_row(results, workload, first, others))
    print(f"{'geometric mean (time)':40}" + "".join(f"{_mean(results, first, name):>20}" for name in others))
    for (peer, name), reason in results.failures.items():
        print(f"failed: {peer}: {name}: {reason}")


def ratio(results, workload, first, other):
    """The other's median over the first's, or None where one of them has no value."""
    base, value = results.median(first, workload), results.median(other, workload)
    return value / base if base and value is not None else None


def _row(results, workload, first, others):
    line = f"{workload.name:22}{workload.unit:6}{_cell(results, first, workload):>12}"
    for name in others:
        share = ratio(results, workload, first, name)
        shown = f"{share:6.2f}x" if share is not None else "       "
        line += f"{_cell(results, name, workload):>12} {shown}"
    return line


def _cell(results, peer, workload):
    if (peer, workload.name) in results.failures:
        return "failed"
    value = results.median(peer, workload)
    if value is None:
        return "-"
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def _mean(results, first, other):
    shares = [ratio(results, workload, first, other) for workload in results.workloads if workload.unit == "ms"]
    shares = [share for share in shares if share]
    if not shares:
        return "-"
    return f"{math.exp(statistics.fmean(math.log(share) for share in shares)):.2f}x of {len(shares)}"


def write_json(results, path):
    """All single values, so that another run can be compared with this one."""
    document = {
        "machine": {"kernel": platform.release(), "processors": os.cpu_count()},
        "peers": results.contenders,
        "workloads": [
            {
                "name": workload.name, "unit": workload.unit,
                "values": {peer: results.values.get((peer, workload.name), []) for peer in results.contenders},
                "median": {peer: results.median(peer, workload) for peer in results.contenders},
            } for workload in results.workloads
        ],
        "failures": [{"peer": peer, "workload": name, "reason": reason}
                     for (peer, name), reason in results.failures.items()],
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
