"""Who is compared: the kernel's overlay, and mount helpers that take its options."""

import ctypes
import os
import pathlib
import shutil
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2


class Unusable(Exception):
    """The machine or a peer cannot be used; the text says why."""


class MountFailed(Exception):
    """A peer did not mount; the text is its own reason."""


def require_root():
    if os.geteuid() != 0:
        raise Unusable("mounting and dropping caches need root")


def resolve(names):
    """The peers of a comma-separated list, in its order; raises Unusable for one that cannot be found."""
    found = [_resolve_one(name) for name in names.split(",") if name]
    if not found:
        raise Unusable("--peers names nobody")
    for index, peer in enumerate(found):
        if peer.name in [other.name for other in found[:index]]:
            peer.name = f"{peer.name}#{index + 1}"
    return found


def _resolve_one(name):
    if name == "kernel":
        return KernelOverlay()
    if "/" in name:
        path = pathlib.Path(name).resolve()
        if not os.access(path, os.X_OK):
            raise Unusable(f"peer {name}: no such program")
        return Helper(path.name, str(path))
    candidates = []
    if name == "strata-fuse":
        package = pathlib.Path(__file__).resolve().parents[2]
        candidates = [os.environ.get("STRATA_FUSE"), package / ".build/release/strata-fuse"]
    for candidate in candidates + [shutil.which(name)]:
        if candidate and os.access(candidate, os.X_OK):
            return Helper(name, str(candidate))
    hint = "; `swift build -c release --product strata-fuse` makes it" if name == "strata-fuse" else ""
    raise Unusable(f"peer {name}: no such program{hint}")


class KernelOverlay:
    """mount(2) with the options whose meaning Strata follows."""

    name = "kernel"

    def mount(self, stack):
        # The option string is limited to one page, so the layers are named relative to their directory.
        lower = ":".join(os.path.relpath(layer, stack.layers) for layer in stack.lower)
        options = (f"lowerdir={lower},upperdir={stack.upper},workdir={stack.work},"
                   "redirect_dir=on,index=on,xino=on,metacopy=off")
        before = os.getcwd()
        os.chdir(stack.layers)
        try:
            if _libc.mount(b"overlay", os.fsencode(stack.target), b"overlay", ctypes.c_ulong(0),
                           os.fsencode(options)) != 0:
                raise MountFailed(os.strerror(ctypes.get_errno()))
        finally:
            os.chdir(before)

    def server(self, stack):
        """The process that serves the mount: none."""
        return None


class Helper:
    """A program called like fuse-overlayfs; it returns once the mount is ready."""

    def __init__(self, name, program):
        self.name = name
        self.program = program

    def mount(self, stack):
        lower = ":".join(stack.lower)
        options = f"lowerdir={lower},upperdir={stack.upper},workdir={stack.work}"
        # The daemon keeps the descriptors it was given, so its standard error must not be a pipe read to its end.
        with open(stack.log, "w+b") as log:
            status = subprocess.call([self.program, "-o", options, stack.target], stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log)
            if status != 0 or not os.path.ismount(stack.target):
                log.seek(0)
                reason = log.read().decode(errors="replace").strip() or f"exit status {status}, and no mount"
                raise MountFailed(reason)

    def server(self, stack):
        """The pid of the process that serves the mount: the one that was told its target."""
        target = os.fsencode(stack.target)
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                try:
                    with open(f"/proc/{entry}/cmdline", "rb") as file:
                        if target in file.read().split(b"\0"):
                            return int(entry)
                except OSError:
                    continue
        return None


def unmount(target):
    """Unmounts and waits for a busy mount to become free; detaches it as the last resort."""
    for attempt in range(50):
        if _libc.umount2(os.fsencode(target), 0) == 0:
            return
        if not os.path.ismount(target):
            return
        time.sleep(0.02 * min(attempt + 1, 10))
    _libc.umount2(os.fsencode(target), _MNT_DETACH)


def mounts_below(directory):
    """Mount points at or under `directory`, the innermost first."""
    prefix = os.fsencode(os.path.realpath(directory))
    found = []
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            point = line.split(b" ")[4].decode("unicode_escape").encode("latin-1")
            if point == prefix or point.startswith(prefix + b"/"):
                found.append(os.fsdecode(point))
    return list(reversed(found))
