"""Runs workloads on fresh mounts and collects what they took."""

import contextlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import peers


class WorkloadFailed(Exception):
    """A workload could not be run to its end; the text says which step and why."""


class Scratch:
    """A directory of our own; leaving it unmounts and removes everything beneath."""

    def __init__(self, parent):
        self._parent = parent

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="strata-bench.", dir=self._parent)
        return self

    def __exit__(self, *_):
        for point in peers.mounts_below(self.directory):
            peers.unmount(point)
        subprocess.call(["rm", "-rf", "--one-file-system", self.directory])

    def path(self, name):
        return os.path.join(self.directory, name)


class Stack:
    """The directories of one mount."""

    def __init__(self, layers, lower, scratch, name):
        self.layers = layers.directory
        self.lower = lower
        self.base = scratch.path(name)
        self.upper, self.work, self.target = (os.path.join(self.base, part) for part in ("upper", "work", "merged"))
        self.log = os.path.join(self.base, "log")
        for directory in (self.upper, self.work, self.target):
            os.makedirs(directory)

    def remove(self):
        subprocess.call(["rm", "-rf", "--one-file-system", self.base])


class Bench:
    """What a workload is given: a mount, and a clock."""

    def __init__(self, peer, layers, scratch, layer_count):
        self.peer = peer
        self.layers = layers
        self.scratch = scratch
        self.stack = Stack(layers, layers.stack(layer_count), scratch, "mount")
        self.value = None

    @property
    def root(self):
        """The mount point."""
        return self.stack.target

    def path(self, *names):
        return os.path.join(self.root, *names)

    def mount(self):
        self.peer.mount(self.stack)

    def unmount(self):
        peers.unmount(self.stack.target)

    def remount(self):
        """A new server, and nothing of the mount in the kernel's caches."""
        self.unmount()
        self.mount()

    def cold(self):
        """Like remount, and nothing of the layers in memory either."""
        self.unmount()
        drop_caches()
        self.mount()

    @contextlib.contextmanager
    def clock(self):
        """Measures what happens inside, in milliseconds."""
        start = time.perf_counter()
        yield
        self.value = (time.perf_counter() - start) * 1000

    def run(self, *command, stdout=subprocess.DEVNULL):
        """Runs a program in the mount point; its failure is the workload's."""
        done = subprocess.run(command, cwd=self.root, stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            reason = done.stderr.decode(errors="replace").strip().splitlines()
            raise WorkloadFailed(f"{command[0]}: {reason[0] if reason else f'exit status {done.returncode}'}")

    def shell(self, script):
        self.run("/bin/sh", "-ec", script)

    def server_memory(self):
        """Resident memory of the server in KiB; None where the kernel serves."""
        server = self.peer.server(self.stack)
        if server is None:
            return None
        with open(f"/proc/{server}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        raise WorkloadFailed("the server has no VmRSS: it has died")


class Results:
    """Every measurement: peer and workload to a list of values."""

    def __init__(self, contenders, workloads):
        self.contenders = [peer.name for peer in contenders]
        self.workloads = workloads
        self.values = {}
        self.failures = {}

    def add(self, peer, workload, value):
        self.values.setdefault((peer.name, workload.name), []).append(value)

    def median(self, peer, workload):
        values = [value for value in self.values.get((peer, workload.name), []) if value is not None]
        return statistics.median(values) if values else None


def drop_caches():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")


def compare(contenders, workloads, layers, scratch, rounds, say):
    """Rounds are interleaved: each workload visits every peer before it comes back to the first."""
    results = Results(contenders, workloads)
    for workload in workloads:
        say(f"{workload.name} …")
        for turn in range(rounds):
            # Whoever comes first pays for a cold cache, so that takes turns.
            shift = turn % len(contenders)
            for peer in contenders[shift:] + contenders[:shift]:
                if (peer.name, workload.name) in results.failures:
                    continue
                try:
                    results.add(peer, workload, _measure(peer, workload, layers, scratch))
                except (WorkloadFailed, peers.MountFailed, OSError, shutil.Error) as error:
                    results.failures[(peer.name, workload.name)] = str(error)
    return results


def _measure(peer, workload, layers, scratch):
    bench = Bench(peer, layers, scratch, workload.layer_count)
    try:
        if workload.mounted:
            bench.mount()
        os.sync()
        workload.action(bench)
        return bench.value
    finally:
        for point in peers.mounts_below(scratch.directory):
            peers.unmount(point)
        bench.stack.remove()
