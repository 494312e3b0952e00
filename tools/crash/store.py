"""A store as somebody else sees it: its commands, and its files, read without Strata."""

import hashlib
import os
import signal
import sqlite3
import stat
import subprocess
import tarfile
import time


class Outcome:
    """How a command ended: by itself, or by a signal."""

    def __init__(self, arguments, status, output, errors, seconds):
        self.arguments, self.status, self.output, self.errors = arguments, status, output, errors
        self.seconds = seconds

    @property
    def succeeded(self):
        return self.status == 0

    @property
    def was_killed(self):
        return self.status == -signal.SIGKILL

    def __str__(self):
        return f"strata {' '.join(self.arguments)}: status {self.status}: {self.output}{self.errors}"


class Program:
    """The program under test."""

    def __init__(self, path, scratch):
        if not os.access(path, os.X_OK):
            raise SystemExit(f"crash-test: there is no {path}; build it, or name it with --strata or in STRATA")
        self.path, self.scratch = path, scratch

    def has_points(self, scratch):
        """Whether the build honours named points."""
        archive = make_archive(os.path.join(scratch, "probe.tar"), {"f": b"probe"})
        root = os.path.join(scratch, "probe")
        outcome = Store(self, root).run(["import", archive, "probe"], stop_at="layer-reserved")
        return outcome.was_killed

    def processes(self):
        """Process ids whose arguments name our directory."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if self.scratch.encode() in file.read():
                        found.append(int(name))
            except OSError:
                pass
        return found

    def expect_nobody_left(self, tally):
        deadline = time.monotonic() + 5
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.processes():
            tally.fault("processes are left", [str(pid) for pid in self.processes()])

    def end(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Store:
    """A store's directory."""

    def __init__(self, program, root):
        self.program, self.root = program, root

    def start(self, arguments, stop_at=None):
        environment = dict(os.environ, STRATA_ROOT=self.root)
        environment.pop("STRATA_STOP_AT", None)
        if stop_at:
            environment["STRATA_STOP_AT"] = stop_at
        return subprocess.Popen(
            [self.program.path] + arguments, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def run(self, arguments, stop_at=None, kill_after=None, at_kill=None):
        """Runs a command to its end, or kills it: at a named point, or after some seconds."""
        started = time.monotonic()
        process = self.start(arguments, stop_at)
        if kill_after is not None:
            try:
                process.wait(kill_after)
            except subprocess.TimeoutExpired:
                if at_kill:
                    at_kill()
                process.kill()
        try:
            output, errors = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            errors += "\n(took more than 120 s)"
        return Outcome(arguments, process.returncode, output, errors, time.monotonic() - started)

    # What is there, from the files alone.

    def rows(self, query):
        connection = sqlite3.connect(f"file:{self.root}/catalog.sqlite?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def tags(self):
        """Name and tag to the image's ID."""
        rows = self.rows("SELECT name, tag, id FROM tags JOIN images ON images.number = image")
        return {f"{name.removeprefix('docker.io/library/')}:{tag}": id for name, tag, id in rows}

    def images(self):
        """The images' IDs and, for each, a digest of everything in its layers' directories, bottom first."""
        stacks = {id: [] for (id,) in self.rows("SELECT id FROM images")}
        for id, layer in self.rows(
                "SELECT images.id, layers.id FROM image_layers JOIN images ON images.number = image "
                "JOIN layers ON layers.number = layer ORDER BY images.number, position"):
            stacks[id].append(layer)
        seen = {}
        return {id: tuple(self.tree(layer, seen) for layer in stack) for id, stack in stacks.items()}

    def tree(self, layer, seen):
        if layer not in seen:
            seen[layer] = digest_of_tree(f"{self.root}/layers/{layer}/fs")
        return seen[layer]

    def disorder(self):
        """What contradicts: files without records, records without files, anything unfinished."""
        faults = []

        def compare(what, directory, query):
            known = {row[0] for row in self.rows(query)}
            there = set(os.listdir(f"{self.root}/{directory}"))
            faults.extend(f"{what} {name} without a record" for name in there - known)
            faults.extend(f"{what} {name} without files" for name in known - there)

        compare("layer", "layers", "SELECT id FROM layers")
        compare("container", "containers", "SELECT id FROM containers")
        compare("blob", "blobs/sha256",
                "SELECT substr(id, 8) FROM images UNION SELECT substr(manifest_digest, 8) FROM images")
        faults.extend(f"tmp/{name} is left" for name in os.listdir(f"{self.root}/tmp"))
        for query in [
                "SELECT 'a lease of ' || pid FROM leases", "SELECT 'announced: ' || path FROM unfinished",
                "SELECT 'dead layer ' || id FROM layers WHERE is_dead OR is_broken",
                "SELECT 'layer without digest ' || id FROM layers WHERE diff_id IS NULL"]:
            faults.extend(row[0] for row in self.rows(query))
        for (digest,) in self.rows("SELECT id FROM images UNION SELECT manifest_digest FROM images"):
            with open(f"{self.root}/blobs/sha256/{digest[7:]}", "rb") as file:
                if "sha256:" + hashlib.sha256(file.read()).hexdigest() != digest:
                    faults.append(f"blob {digest} is damaged")
        return faults


def digest_of_tree(path):
    """A digest of names, types, modes, owners, times, links and content below a directory."""
    total = hashlib.sha256()
    links = {}
    for directory, directories, files in os.walk(path):
        directories.sort()
        for name in sorted(directories + files):
            full = os.path.join(directory, name)
            state = os.lstat(full)
            entry = [os.path.relpath(full, path), state.st_mode, state.st_uid, state.st_gid, state.st_rdev]
            if not stat.S_ISDIR(state.st_mode):
                entry += [state.st_size, state.st_nlink, links.setdefault(state.st_ino, entry[0])]
                entry.append(state.st_mtime_ns)
            if stat.S_ISLNK(state.st_mode):
                entry.append(os.readlink(full))
            if stat.S_ISREG(state.st_mode):
                entry.append(digest_of_file(full))
            total.update(repr(entry).encode())
    return total.hexdigest()


def digest_of_file(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_archive(path, files, mode=0o640):
    """An archive of files with the given content, a hard link and a symbolic link."""
    import io
    with tarfile.open(path, "w") as archive:
        first = None
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), 1_700_000_000, mode
            archive.addfile(entry, io.BytesIO(content))
            first = first or name
        link = tarfile.TarInfo("hard")
        link.type, link.linkname, link.mtime, link.mode = tarfile.LNKTYPE, first, 1_700_000_000, mode
        archive.addfile(link)
        symbolic = tarfile.TarInfo("symbolic")
        symbolic.type, symbolic.linkname = tarfile.SYMTYPE, first
        archive.addfile(symbolic)
    return path


def content_of(root, layers, name):
    """The bytes of a file in the uppermost of the layers that has it; None where none has."""
    for layer in reversed(layers):
        path = f"{root}/layers/{layer}/fs/{name}"
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return file.read()
    return None
