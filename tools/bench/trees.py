"""The layers that all peers mount.

`base` carries nearly everything, two thin layers above it touch a part of its directories, so that there is
something to merge, and 97 more make a stack of 100.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess

_VERSION = 4
_NEEDLE = "strata-needle"

# What the workload over a Debian root file system installs.
INSTALL = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "apache2"]


class Layers:
    """Where the layers are, and how big their trees are."""

    def __init__(self, directory, scale):
        self.directory = os.path.realpath(directory)
        self.small_files = max(200, int(20_000 * scale))
        self.wide_files = max(100, int(10_000 * scale))
        self.walked_files = max(1_000, int(100_000 * scale))
        self.file_bytes = max(1 << 20, int((64 << 20) * scale))
        self.large_bytes = max(4 << 20, int((256 << 20) * scale))
        self.programs = 50

    def path(self, *names):
        return os.path.join(self.directory, *names)

    @property
    def archive(self):
        """A tar archive of the small files."""
        return self.path("small.tar")

    @property
    def needle(self):
        """A word that some of the small files contain."""
        return _NEEDLE

    def stack(self, count):
        """`count` layers (3 or more), the uppermost first."""
        thin = [self.path("t", str(index)) for index in range(count - 3)]
        return thin + [self.path("top"), self.path("middle"), self.path("base")]

    def image(self):
        """A Debian root file system as the one layer, made at the first call; what INSTALL needs is downloaded in it."""
        root = self.path("image")
        if not os.path.isdir(root):
            _make_image(root)
        return [root]


def prepare(directory, scale, say):
    """Makes the layers, or takes the ones that an earlier run has left there complete."""
    layers = Layers(directory, scale)
    stamp = layers.path("complete.json")
    wanted = {"version": _VERSION, "scale": scale}
    try:
        with open(stamp, encoding="utf-8") as file:
            if json.load(file) == wanted:
                return layers
    except (OSError, ValueError):
        pass
    if os.path.isdir(layers.directory):
        if os.listdir(layers.directory) and not os.path.exists(stamp):
            raise SystemExit(f"bench: {directory} is not empty and holds no prepared layers; name another directory")
        shutil.rmtree(layers.directory)
    say(f"preparing layers in {layers.directory}")
    os.makedirs(layers.directory)
    _make_base(layers)
    _make_thin_layers(layers)
    subprocess.check_call(["tar", "-C", layers.path("base"), "-cf", layers.archive, "small"])
    with open(stamp, "w", encoding="utf-8") as file:
        json.dump(wanted, file)
    os.sync()
    return layers


def _make_base(layers):
    dice = random.Random(1)
    base = layers.path("base")
    filler = "".join(dice.choice("abcdefghijklmnopqrstuvwxyz \n") for _ in range(16384))
    per_directory = 100
    for index in range(layers.small_files):
        directory = f"{base}/small/d{index // per_directory:03}"
        if index % per_directory == 0:
            os.makedirs(directory)
        size = min(int(dice.expovariate(1 / 2000)) + 20, 16000)
        text = filler[dice.randrange(200):][:size] + (_NEEDLE if index % 500 == 0 else "") + "\n"
        with open(f"{directory}/f{index % per_directory:02}", "w", encoding="ascii") as file:
            file.write(text)
    _empty_files(f"{base}/wide", layers.wide_files, layers.wide_files)
    _empty_files(f"{base}/walk", layers.walked_files, 1000)
    # Large files where images keep programs, and elsewhere.
    os.makedirs(f"{base}/usr")
    os.makedirs(f"{base}/data")
    for name, size in [
        ("usr/file", layers.file_bytes), ("usr/large", layers.large_bytes), ("data/file", layers.file_bytes),
    ]:
        with open(f"{base}/{name}", "wb") as file:
            for _ in range(size >> 20):
                file.write(dice.randbytes(1 << 20))
    with open(f"{base}/data/page", "wb") as file:
        file.write(dice.randbytes(20 << 10))
    os.makedirs(f"{base}/bin")
    program = shutil.which("busybox") or "/bin/true"
    for index in range(layers.programs):
        # busybox runs the applet it is named after.
        os.makedirs(f"{base}/bin/{index:02}")
        shutil.copy(program, f"{base}/bin/{index:02}/true")


def _make_image(root):
    bases = pathlib.Path(__file__).resolve().parents[1] / "bases"
    archive = subprocess.check_output([bases, "--archive"], text=True).strip()
    unfinished = root + ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    os.mkdir(unfinished)
    subprocess.check_call(["tar", "-C", unfinished, "--xattrs", "-xf", archive])
    shutil.copy("/etc/resolv.conf", f"{unfinished}/etc/resolv.conf")
    # No service is started in the root file system.
    with open(f"{unfinished}/usr/sbin/policy-rc.d", "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nexit 101\n")
    os.chmod(f"{unfinished}/usr/sbin/policy-rc.d", 0o755)
    for command in (["apt-get", "update", "-q"], INSTALL + ["--download-only"]):
        subprocess.check_call(["chroot", unfinished, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.rename(unfinished, root)


def _empty_files(directory, count, per_directory):
    for index in range(count):
        if index % per_directory == 0:
            folder = directory if count == per_directory else f"{directory}/d{index // per_directory:03}"
            os.makedirs(folder)
        os.close(os.open(f"{folder}/entry-{index:06}", os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644))


def _make_thin_layers(layers):
    directories = layers.small_files // 100
    for number, name in enumerate(["middle", "top"]):
        root = layers.path(name)
        for index in range(number, directories, 10):
            os.makedirs(f"{root}/small/d{index:03}")
            with open(f"{root}/small/d{index:03}/{name}", "w", encoding="ascii") as file:
                file.write(f"of layer {name}\n")
            # One of the base's files is hidden, in the kernel's format.
            os.mknod(f"{root}/small/d{index:03}/f07", 0o020000, os.makedev(0, 0))
    for index in range(97):
        os.makedirs(layers.path("t", str(index), "small", f"d{index % directories:03}"))
        with open(layers.path("t", str(index), f"layer-{index}"), "w", encoding="ascii") as file:
            file.write("thin\n")
