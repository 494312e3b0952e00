"""Disks that fail: loop devices with ext4 that are cut off, or too small; and boots that are new."""

import ctypes
import fcntl
import os
import struct
import subprocess
import time
import uuid

BOOT_ID = "/proc/sys/kernel/random/boot_id"
CLONE_NEWNS = 0x00020000
# EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: from now on nothing reaches the disk, the journal's last
# transaction included.
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


def call(*arguments):
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)


def enter_private_namespace():
    """Mounts from now on are seen by this process and its children only."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    call("mount", "--make-rprivate", "/")


class Boot:
    """What the kernel says is the machine's run; a new one each time it is asked for."""

    def __init__(self, scratch):
        self.file = os.path.join(scratch, "boot")
        self.renew()
        call("mount", "--bind", self.file, BOOT_ID)

    def renew(self):
        with open(self.file, "w") as file:
            file.write(f"{uuid.uuid4()}\n")

    def end(self):
        call("umount", BOOT_ID)


class Disk:
    """A file with ext4 in it, mounted."""

    def __init__(self, scratch, name, megabytes):
        self.image = os.path.join(scratch, name + ".img")
        self.path = os.path.join(scratch, name)
        os.mkdir(self.path)
        with open(self.image, "wb") as file:
            file.truncate(megabytes << 20)
        # No blocks are kept for root: full is full. Blocks are as large as pages, as on every disk that is not tiny:
        # SQLite maps its index into memory, and with smaller ones the kernel finds no room for a page that is mapped.
        call("mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", self.image)
        self.mount()

    def mount(self):
        call("mount", "-o", "loop", self.image, self.path)

    def unmount(self):
        for _ in range(200):
            if subprocess.run(["umount", self.path], stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.02)
        call("umount", self.path)

    def cut_off(self):
        """As a power failure does: what has not been written never will be."""
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(directory)

    def switch_on(self):
        """Mounts again what has reached the disk; the file system must be sound."""
        self.unmount()
        self.mount()
        self.unmount()
        check = subprocess.run(["e2fsck", "-f", "-n", self.image], capture_output=True, text=True)
        self.mount()
        if check.returncode != 0:
            raise RuntimeError(f"e2fsck: {check.stdout}")

    def free(self):
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def end(self):
        self.unmount()
        os.unlink(self.image)
