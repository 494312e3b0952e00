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


def used_bytes(path):
    """What is taken of a directory's file system."""
    status = os.statvfs(path)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


class Scratch:
    """A directory of our own; leaving it unmounts and removes everything beneath.

    With `disk_bytes` it lies on an ext4 of its own in a sparse file, made anew, so that no run inherits another's disk: an
    ext4 without a journal, for one, gives no inode out again for minutes after it was freed, and searches all the longer
    for a free one. The file is read and written past the page cache, which would otherwise hold everything twice.
    """

    def __init__(self, parent, disk_bytes=0):
        self._parent = parent
        self._disk_bytes = disk_bytes

    def __enter__(self):
        self._outer = tempfile.mkdtemp(prefix="strata-bench.", dir=self._parent)
        self.directory = self._outer
        if self._disk_bytes:
            try:
                self._make_disk()
            except BaseException:
                self.__exit__()
                raise
        return self

    def _make_disk(self):
        image, self.directory = os.path.join(self._outer, "disk.img"), os.path.join(self._outer, "disk")
        os.mkdir(self.directory)
        with open(image, "wb") as file:
            file.truncate(self._disk_bytes)
        subprocess.check_call(["mkfs.ext4", "-q", "-N", "1000000", "-E", "lazy_itable_init=0,lazy_journal_init=0", image])
        device = subprocess.check_output(
            ["losetup", "--find", "--show", "--direct-io=on", image], text=True).strip()
        try:
            subprocess.check_call(["mount", device, self.directory])
        finally:
            # The mount holds the device from here on; it goes with the mount.
            subprocess.call(["losetup", "--detach", device])

    def __exit__(self, *_):
        for point in peers.mounts_below(self._outer):
            peers.unmount(point)
        subprocess.call(["rm", "-rf", "--one-file-system", self._outer])

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

    def __init__(self, peer, layers, scratch, workload):
        self.peer = peer
        self.layers = layers
        self.scratch = scratch
        lower = layers.image() if workload.image else layers.stack(workload.layer_count)
        self.stack = Stack(layers, lower, scratch, "mount")
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
    bench = Bench(peer, layers, scratch, workload)
    try:
        if workload.mounted:
            bench.mount()
        os.sync()
        workload.action(bench)
        return bench.value
    finally:
        for point in peers.mounts_below(scratch.directory):
            if point != scratch.directory:
                peers.unmount(point)
        bench.stack.remove()
