"""What is measured. Milliseconds unless a workload says otherwise; less is better everywhere."""

import contextlib
import dataclasses
import errno
import os
import random
import typing


_BLOCK = 4096


@dataclasses.dataclass
class Workload:
    """One row of the table."""

    name: str
    summary: str
    action: typing.Callable
    layer_count: int = 3
    mounted: bool = True
    # Over a Debian root file system rather than the made-up layers.
    image: bool = False
    unit: str = "ms"


ALL = []


def workload(name, **settings):
    """Registers a function as a workload; its doc string is the summary."""
    def register(action):
        ALL.append(Workload(name, action.__doc__.strip(), action, **settings))
        return action
    return register


# Mounting


@workload("mount 3 layers", mounted=False)
def mount_few(bench):
    """from the call until the root directory can be listed"""
    with bench.clock():
        bench.mount()
        os.listdir(bench.root)


@workload("mount 100 layers", mounted=False, layer_count=100)
def mount_many(bench):
    """the same with 100 lower layers"""
    mount_few(bench)


# Walking


@workload("find cold")
def find_cold(bench):
    """find by size in 20,000 files, nothing in memory"""
    bench.cold()
    find_warm_once(bench)


@workload("find warm")
def find_warm(bench):
    """the second find in a row"""
    find_warm_once(bench)
    find_warm_once(bench)


def find_warm_once(bench):
    with bench.clock():
        bench.run("find", "small", "-size", "+3k")


@workload("find 100 layers", layer_count=100)
def find_many(bench):
    """find by size on 100 layers, on a new mount"""
    bench.run("find", "small", "-size", "+3k")
    bench.remount()
    find_warm_once(bench)


@workload("ls -l cold")
def list_cold(bench):
    """ls -l of one directory with 10,000 entries, nothing in memory"""
    bench.cold()
    list_once(bench)


@workload("ls -l warm")
def list_warm(bench):
    """the second ls -l in a row"""
    list_once(bench)
    list_once(bench)


def list_once(bench):
    with bench.clock():
        bench.run("ls", "-l", "wide")


@workload("tar c cold")
def tar_cold(bench):
    """archive 20,000 small files, nothing in memory"""
    bench.cold()
    with bench.clock():
        bench.shell("tar cf - small | cat > /dev/null")


@workload("tar c remounted")
def tar_remounted(bench):
    """archive 20,000 small files on a new mount, the layers in memory"""
    bench.shell("tar cf - small | cat > /dev/null")
    bench.remount()
    with bench.clock():
        bench.shell("tar cf - small | cat > /dev/null")


@workload("grep -r warm")
def grep_warm(bench):
    """search 20,000 small files the second time"""
    for _ in range(2):
        with bench.clock():
            bench.run("grep", "-r", bench.layers.needle, "small")


@workload("ls while changing")
def list_changing(bench):
    """list a directory of 10,000 lower files and make or rename a file in it after every 20 entries"""
    wide = bench.path("wide")
    with bench.clock(), os.scandir(wide) as entries:
        for number, _ in enumerate(entries):
            if number % 40 == 0:
                os.close(os.open(f"{wide}/new-{number}", os.O_CREAT | os.O_WRONLY))
            elif number % 40 == 20:
                os.rename(f"{wide}/new-{number - 20}", f"{wide}/moved-{number}")


# Reading and writing


def copy(bench, source, target, size, block, *flags):
    with bench.clock():
        bench.run("dd", f"if={source}", f"of={target}", f"bs={block}", f"count={size // block}", *flags)


@workload("write 4k new")
def write_small_new(bench):
    """64 MiB into a new file, 4 KiB at a time"""
    copy(bench, "/dev/zero", "new", bench.layers.file_bytes, _BLOCK)


@workload("write 1M new")
def write_big_new(bench):
    """256 MiB into a new file, 1 MiB at a time"""
    copy(bench, "/dev/zero", "new", bench.layers.large_bytes, 1 << 20)


@workload("write 4k lower")
def write_small_lower(bench):
    """64 MiB over a lower file, 4 KiB at a time, its copy-up included"""
    bench.run("cat", "usr/file")
    copy(bench, "/dev/zero", "usr/file", bench.layers.file_bytes, _BLOCK, "conv=notrunc")


@workload("write 4k upper")
def write_small_upper(bench):
    """64 MiB over a file that is in the upper directory already, 4 KiB at a time"""
    copy(bench, "/dev/zero", "mine", bench.layers.file_bytes, 1 << 20)
    copy(bench, "/dev/zero", "mine", bench.layers.file_bytes, _BLOCK, "conv=notrunc")


@workload("write 1M upper")
def write_big_upper(bench):
    """256 MiB over a file that is in the upper directory already, 1 MiB at a time"""
    copy(bench, "/dev/zero", "mine", bench.layers.large_bytes, 1 << 20)
    copy(bench, "/dev/zero", "mine", bench.layers.large_bytes, 1 << 20, "conv=notrunc")


@workload("read 1M lower cold")
def read_cold(bench):
    """256 MiB of a lower file, nothing in memory"""
    bench.cold()
    copy(bench, "usr/large", "/dev/null", bench.layers.large_bytes, 1 << 20)


def read_again(bench, name, size, block):
    bench.run("cat", name)
    copy(bench, name, "/dev/null", size, block)


@workload("read 4k lower warm")
def read_small_lower(bench):
    """64 MiB of a lower file in memory, 4 KiB at a time"""
    read_again(bench, "usr/file", bench.layers.file_bytes, _BLOCK)


@workload("read 1M lower warm")
def read_big_lower(bench):
    """256 MiB of a lower file in memory, 1 MiB at a time"""
    read_again(bench, "usr/large", bench.layers.large_bytes, 1 << 20)


@workload("read 1M data cold")
def read_data_cold(bench):
    """64 MiB of a lower file that may be written while it is read, nothing in memory"""
    bench.cold()
    copy(bench, "data/file", "/dev/null", bench.layers.file_bytes, 1 << 20)


@workload("read 1M data warm")
def read_data_warm(bench):
    """64 MiB of such a file in memory, 1 MiB at a time"""
    read_again(bench, "data/file", bench.layers.file_bytes, 1 << 20)


@workload("reopen 20k")
def reopen(bench):
    """open, look at, read and close a lower file of 20 KiB 20,000 times"""
    bench.run("cat", "data/page")
    path = bench.path("data/page")
    with bench.clock():
        for _ in range(20_000):
            with opened(path, os.O_RDONLY) as file:
                os.fstat(file)
                os.read(file, 20 << 10)


@workload("read 4k upper warm")
def read_small_upper(bench):
    """64 MiB of a file just written, 4 KiB at a time"""
    copy(bench, "/dev/zero", "mine", bench.layers.file_bytes, 1 << 20)
    copy(bench, "mine", "/dev/null", bench.layers.file_bytes, _BLOCK)


@workload("read 1M upper warm")
def read_big_upper(bench):
    """256 MiB of a file just written, 1 MiB at a time"""
    copy(bench, "/dev/zero", "mine", bench.layers.large_bytes, 1 << 20)
    copy(bench, "mine", "/dev/null", bench.layers.large_bytes, 1 << 20)


@workload("random read 4k")
def random_read(bench):
    """50,000 random 4 KiB reads of a lower file in memory"""
    bench.run("cat", "usr/file")
    with opened(bench.path("usr/file"), os.O_RDONLY) as file, bench.clock():
        for offset in offsets(bench, 50_000):
            os.pread(file, _BLOCK, offset)


@workload("random write 4k")
def random_write(bench):
    """20,000 random 4 KiB writes over a file in the upper directory"""
    copy(bench, "/dev/zero", "mine", bench.layers.file_bytes, 1 << 20)
    block = bytes(_BLOCK)
    with opened(bench.path("mine"), os.O_RDWR) as file, bench.clock():
        for offset in offsets(bench, 20_000):
            os.pwrite(file, block, offset)


@contextlib.contextmanager
def opened(path, flags):
    descriptor = os.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def offsets(bench, count):
    dice, blocks = random.Random(7), bench.layers.file_bytes // _BLOCK
    return [dice.randrange(blocks) * _BLOCK for _ in range(count)]


@workload("append to lower")
def append(bench):
    """one byte at the end of a lower file of 256 MiB"""
    bench.run("cat", "usr/large")
    with bench.clock(), opened(bench.path("usr/large"), os.O_WRONLY | os.O_APPEND) as file:
        os.write(file, b"!")


# Making and removing


@workload("untar")
def untar(bench):
    """unpack 20,000 small files"""
    os.mkdir(bench.path("unpacked"))
    with bench.clock():
        bench.run("tar", "-C", "unpacked", "-xf", bench.layers.archive)


@workload("create and unlink")
def create_unlink(bench):
    """make 1,000 empty files in one directory and remove them"""
    os.mkdir(bench.path("made"))
    with bench.clock():
        for index in range(1_000):
            os.close(os.open(bench.path("made", str(index)), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        for index in range(1_000):
            os.unlink(bench.path("made", str(index)))


@workload("rm -r lower")
def remove_lower(bench):
    """remove 3,000 lower files in 30 directories"""
    with bench.clock():
        bench.shell("rm -r small/d0[0-2]?")


@workload("rm -r upper")
def remove_upper(bench):
    """remove 10,000 files that were just unpacked"""
    os.mkdir(bench.path("unpacked"))
    bench.run("tar", "-C", "unpacked", "-xf", bench.layers.archive, "--wildcards", "small/d0*")
    with bench.clock():
        bench.run("rm", "-r", "unpacked")


@workload("chmod -R lower")
def chmod_lower(bench):
    """change the mode of 2,000 lower files"""
    with bench.clock():
        bench.shell("chmod -R g+w small/d0[0-1]?")


@workload("chown -R lower")
def chown_lower(bench):
    """change the owner of 2,000 lower files"""
    with bench.clock():
        bench.shell("chown -R 1000:1000 small/d0[0-1]?")


@workload("rename files lower")
def rename_lower(bench):
    """rename 500 lower files"""
    names = [bench.path("small", f"d{d:03}", f"f{f:02}") for d in range(2, 202) for f in range(10, 15)]
    names = [name for name in names if os.path.exists(name)][:500]
    with bench.clock():
        for name in names:
            os.rename(name, name + ".new")


@workload("rename files upper")
def rename_upper(bench):
    """rename 2,000 files in the upper directory"""
    os.mkdir(bench.path("made"))
    for index in range(2_000):
        os.close(os.open(bench.path("made", str(index)), os.O_CREAT | os.O_WRONLY, 0o644))
    with bench.clock():
        for index in range(2_000):
            os.rename(bench.path("made", str(index)), bench.path("made", f"n{index}"))


@workload("rename dirs lower")
def rename_directories(bench):
    """rename 5 lower directories of 100 files each (moved by mv where the file system says EXDEV)"""
    names = [entry.path for entry in os.scandir(bench.path("small"))][:5]
    with bench.clock():
        for name in names:
            try:
                os.rename(name, name + ".new")
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                bench.run("mv", name, name + ".new")
