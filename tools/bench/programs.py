"""What is measured of programs at work, and of memory. Importing it adds its rows to `workloads.ALL`."""

import os
import subprocess

import measure
import peers
import trees
from workloads import workload


# Running programs


@workload("git add")
def git_add(bench):
    """git add -A of 20,000 small lower files"""
    bench.run("git", "init", "-q", "small")
    with bench.clock():
        bench.run("git", "-C", "small", "-c", "core.fsync=none", "add", "-A")


@workload("apt-get install", image=True)
def apt_install(bench):
    """install Apache and what it needs, from packages downloaded before, in a Debian root file system"""
    with bench.clock():
        bench.run("chroot", ".", "/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *trees.INSTALL,
                  "--no-download")


@workload("exec warm")
def execute(bench):
    """start 500 small programs out of 50 files"""
    loop = "for i in bin/*/true; do $i; done"
    bench.shell(loop)
    with bench.clock():
        bench.shell(f"for n in 1 2 3 4 5 6 7 8 9 10; do {loop}; done")


@workload("parallel read")
def parallel_read(bench):
    """four processes archive a part of the small files each, on a new mount"""
    bench.shell("tar cf - small | cat > /dev/null")
    bench.remount()
    with bench.clock():
        bench.shell("for p in 0 1 2 3; do (tar cf - small/d?[$p$((p+4))]? | cat > /dev/null) & done; wait")


@workload("parallel create")
def parallel_create(bench):
    """four processes unpack 1,000 small files each into their own directories"""
    os.mkdir(bench.path("unpacked"))
    with bench.clock():
        bench.shell("for p in 1 2 3 4; do mkdir unpacked/$p; "
                    f"tar -C unpacked/$p -xf '{bench.layers.archive}' --wildcards 'small/d1?'$p'/*' & done; wait")


# Memory


@workload("server memory", unit="KiB")
def memory_start(bench):
    """resident memory of the mount server after its start"""
    os.listdir(bench.root)
    bench.value = bench.server_memory()


@workload("server memory 100k", unit="KiB")
def memory_walked(bench):
    """the same after a walk over 100,000 files"""
    bench.run("find", "walk", "-size", "+3k")
    bench.value = bench.server_memory()


@workload("cache of 10 mounts", unit="MiB")
def shared_cache(bench):
    """page cache after ten mounts of the same layers have read the same 64 MiB"""
    measure_cache_of_ten(bench, "cat usr/file")


@workload("cache of 10 images", unit="MiB", image=True)
def shared_image_cache(bench):
    """page cache after the same programs have run in ten mounts of one Debian root file system"""
    programs = "perl -MPOSIX -MData::Dumper -e 1; dpkg -l; ls -lR /etc; grep -rs root /etc; openssl version; find /usr/bin"
    measure_cache_of_ten(bench, f"chroot . /bin/sh -c '{programs}' || true")


def measure_cache_of_ten(bench, script):
    bench.unmount()
    stacks = [measure.Stack(bench.layers, bench.stack.lower, bench.scratch, f"mount{n}") for n in range(10)]
    try:
        for stack in stacks:
            bench.peer.mount(stack)
        measure.drop_caches()
        before = cached()
        for stack in stacks:
            subprocess.check_call(["/bin/sh", "-ec", script], cwd=stack.target, stdout=subprocess.DEVNULL)
        bench.value = max(0.0, (cached() - before) / 1024)
    finally:
        for stack in stacks:
            peers.unmount(stack.target)
            stack.remove()


def cached():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("Cached:"):
                return int(line.split()[1])
    raise measure.WorkloadFailed("/proc/meminfo has no line Cached")
