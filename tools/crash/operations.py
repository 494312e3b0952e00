"""What the crash tests do to a store, and what must be there afterwards."""

import collections
import os
import re

import disk
import store


def named_points(sources):
    """The places where the sources allow a test build to be stopped."""
    found = set()
    for path in sources.rglob("*.swift"):
        found.update(re.findall(r'CrashPoint\.reached\("([^"]+)"\)', path.read_text()))
    return sorted(found)


class Tally:
    """What came of the runs."""

    def __init__(self):
        self.runs = collections.Counter()
        self.killed = collections.Counter()
        self.points = collections.Counter()
        self.checked = 0
        self.faults = []

    def fault(self, what, details):
        self.faults.append(what)
        print(f"FAULT: {what}", flush=True)
        for line in details:
            print(f"    {line}", flush=True)

    def print(self, seconds):
        for kind, count in self.runs.items():
            print(f"{kind}: {count} runs, {self.killed[kind]} commands stopped half way")
        if self.points:
            print("named points: " + ", ".join(f"{name} {count}" for name, count in sorted(self.points.items())))
        lost = sum(fault.startswith("lost") for fault in self.faults)
        half = sum(fault.startswith("half") for fault in self.faults)
        others = len(self.faults) - lost - half
        print(f"{self.checked} images read back: {lost} lost, {half} half-visible, {others} other faults "
              f"({seconds:.0f} s)")


class Step:
    """A command, and how it may change names: to which images it may lead them, and which it may take away."""

    def __init__(self, name, arguments, adds=(), removes=(), check=None):
        self.name, self.arguments = name, arguments
        self.adds, self.removes = set(adds), set(removes)
        # Given the layers of a new image, says what is wrong with it.
        self.check = check


class Session:
    """A store with commands that end in the middle."""

    kind = "kill"
    # Names that commands choose from; few, so that they meet.
    names = [f"i{number}:latest" for number in range(8)]

    def __init__(self, program, scratch, dice, points, tally, verbose):
        self.program, self.dice, self.points, self.tally, self.verbose = program, dice, points, tally, verbose
        self.directory = os.path.join(scratch, self.kind)
        os.mkdir(self.directory)
        self.files = os.path.join(self.directory, "files")
        os.mkdir(self.files)
        self.prepare()
        # What was reported as stored: names to IDs, and IDs to the digests of their layers' files.
        self.tags, self.images = {}, {}
        self.seconds = collections.defaultdict(lambda: 0.15)
        self.count = 0
        self.commands = self.offered()

    def prepare(self):
        self.store = store.Store(self.program, os.path.join(self.directory, "store"))

    def offered(self):
        """The commands that this build of strata has."""
        text = self.store.run(["--help"]).output
        steps = [self.do_import, self.do_import, self.do_tag, self.do_remove, self.do_build, self.do_build,
                 self.do_prune, self.do_container, self.do_commit]
        if re.search(r"^  load ", text, re.M) and re.search(r"^  save ", text, re.M):
            steps += [self.do_load, self.do_load]
        return steps

    # Commands.

    def content(self, size):
        return self.dice.randbytes(self.dice.randrange(1, size))

    def do_import(self):
        files = {f"d/f{number}": self.content(30000) for number in range(self.dice.randrange(1, 12))}
        archive = store.make_archive(os.path.join(self.files, f"{self.count}.tar"), files)
        name = self.dice.choice(self.names)

        def check(layers):
            for file, content in files.items():
                if store.content_of(self.store.root, layers, file) != content:
                    return f"{file} is not what the archive has"
            return None

        return Step("import", ["import", archive, name], adds=[name], check=check)

    def do_tag(self):
        if not self.tags:
            return self.do_import()
        source, target = self.dice.choice(sorted(self.tags)), self.dice.choice(self.names)
        return Step("tag", ["tag", source, target], adds=[target])

    def do_remove(self):
        if not self.tags:
            return self.do_import()
        name = self.dice.choice(sorted(self.tags))
        if self.dice.random() < 0.5:
            return Step("rmi", ["rmi", name], removes=[name])
        id = self.tags[name]
        return Step("rmi", ["rmi", "-f", id], removes=[tag for tag in self.tags if self.tags[tag] == id])

    def do_build(self):
        context = os.path.join(self.files, f"context{self.count}")
        os.mkdir(context)
        content = self.content(200000)
        with open(os.path.join(context, "copied"), "wb") as file:
            file.write(content)
        base = self.dice.choice(sorted(self.tags)) if self.tags else "scratch"
        with open(os.path.join(context, "Dockerfile"), "w") as file:
            file.write(f"FROM {base}\nCOPY copied /\nENV RUN={self.count}\nCOPY copied /again\nWORKDIR /work\n")
        name = self.dice.choice(self.names)

        def check(layers):
            for file in ["copied", "again"]:
                if store.content_of(self.store.root, layers, file) != content:
                    return f"{file} is not what the context has"
            return None

        return Step("build", ["build", "-q", "-t", name, context], adds=[name], check=check)

    def do_prune(self):
        arguments = self.dice.choice([
            ["image", "prune", "-f"], ["image", "prune", "-af"], ["builder", "prune", "-af"],
            ["container", "prune", "-f"], ["system", "prune", "-f"], ["system", "prune", "-af"]])
        takes = "-af" in arguments and arguments[0] != "builder"
        return Step(" ".join(arguments[:2]), arguments, removes=self.tags if takes else [])

    def do_container(self):
        if not self.tags:
            return self.do_import()
        if self.dice.random() < 0.5:
            return Step("create", ["create", self.dice.choice(sorted(self.tags)), "true"])
        containers = self.store.run(["ps", "-aq"]).output.split()
        return Step("rm", ["rm", *containers]) if containers else Step("ps", ["ps", "-a"])

    def do_commit(self):
        containers = self.store.run(["ps", "-aq", "--no-trunc"]).output.split()
        if not containers:
            return self.do_container()
        container, content = self.dice.choice(containers), self.content(100000)
        # What a program in the container would have written.
        with open(f"{self.store.root}/containers/{container}/upper/written", "wb") as file:
            file.write(content)
        name = self.dice.choice(self.names)

        def check(layers):
            found = store.content_of(self.store.root, layers, "written")
            return None if found == content else "written is not what the container has"

        return Step("commit", ["commit", container, name], adds=[name], check=check)

    def do_load(self):
        if not self.tags:
            return self.do_import()
        name = self.dice.choice(sorted(self.tags))
        archive = os.path.join(self.files, f"saved{self.count}.tar")
        saved = self.store.run(["save", "-o", archive, name])
        if not saved.succeeded:
            self.tally.fault("lost: an image cannot be saved", [str(saved)])
            return self.do_import()
        if self.dice.random() < 0.7:
            self.store.run(["rmi", "-f", self.tags[name]])
            self.accept(self.store.tags(), self.store.images())
        return Step("load", ["load", "-i", archive], adds=[name])

    # Runs.

    def run(self, count):
        for _ in range(count):
            self.count += 1
            self.tally.runs[self.kind] += 1
            try:
                self.crash(self.dice.choice(self.commands)())
            except Exception as error:  # A store that cannot be read is a fault, not an end.
                self.tally.fault(f"lost: the store cannot be read: {error!r}", [])
                raise
            self.clean()

    def clean(self):
        """Files of earlier runs are not needed any more."""
        for name in os.listdir(self.files):
            path = os.path.join(self.files, name)
            if os.path.isdir(path):
                for file in os.listdir(path):
                    os.unlink(os.path.join(path, file))
                os.rmdir(path)
            else:
                os.unlink(path)

    def crash(self, step):
        if self.points and self.dice.random() < 0.5:
            point = self.dice.choice(self.points)
            outcome = self.store.run(step.arguments, stop_at=f"{point}:{self.dice.choice([1, 1, 1, 2, 3])}")
            if outcome.was_killed:
                self.tally.points[point] += 1
        else:
            delay = self.dice.random() * self.seconds[step.name] * 1.1
            outcome = self.store.run(step.arguments, kill_after=delay)
        self.judge(step, outcome)

    def judge(self, step, outcome):
        if outcome.was_killed:
            self.tally.killed[self.kind] += 1
        else:
            self.seconds[step.name] = 0.7 * self.seconds[step.name] + 0.3 * outcome.seconds
        if self.verbose:
            print(f"{self.kind} {self.count}: {step.name}: "
                  + ("killed" if outcome.was_killed else f"status {outcome.status}"), flush=True)
        if not outcome.was_killed and not outcome.succeeded and not self.may_fail(step, outcome):
            self.tally.fault("a command failed", [str(outcome)])
        self.inspect(step, outcome)

    def may_fail(self, step, outcome):
        """Docker's rules: an image that a container uses stays."""
        return step.name == "rmi" and "conflict:" in outcome.errors

    # What must be there.

    def inspect(self, step, outcome):
        """Has the next command find everything in order, then compares with what was reported."""
        check = self.store.run(["system", "check"])
        if not check.succeeded:
            self.tally.fault(f"half-visible or damaged after {step.name}: system check complains", [str(check)])
        disorder = self.store.disorder()
        if disorder:
            self.tally.fault(f"half-visible after {step.name}", [str(outcome)] + disorder)
        tags, images = self.store.tags(), self.store.images()
        self.tally.checked += len(images)
        for name, id in self.tags.items():
            if name not in step.removes and name not in step.adds and tags.get(name) != id:
                self.tally.fault(f"lost: {name} after {step.name}", [str(outcome), f"{tags.get(name)}, not {id}"])
        for id, layers in self.images.items():
            if id in images and images[id] != layers:
                self.tally.fault(f"lost: {id} has other files after {step.name}", [str(outcome)])
        for name, id in tags.items():
            if name not in self.tags and name not in step.adds:
                self.tally.fault(f"half-visible: the name {name} after {step.name}", [str(outcome)])
        if outcome.succeeded:
            self.expect_done(step, outcome, tags)
        for id in images.keys() - self.images.keys():
            self.judge_new(id, step, outcome)
        self.accept(tags, images)

    def expect_done(self, step, outcome, tags):
        for name in step.adds:
            if name not in tags:
                self.tally.fault(f"lost: {name} right after {step.name}", [str(outcome)])
        if step.name == "rmi":
            for name in step.removes & tags.keys():
                self.tally.fault(f"half-visible: {name} is there after {step.name}", [str(outcome)])

    def judge_new(self, id, step, outcome):
        """An image that nobody knew must be the one that the command was about to make, and whole."""
        layers = [row[0] for row in self.store.rows(
            "SELECT layers.id FROM images JOIN image_layers ON image = images.number "
            f"JOIN layers ON layers.number = layer WHERE images.id = '{id}' ORDER BY position")]
        fault = step.check(layers) if step.check else None if step.adds else "nothing was to be made"
        if fault:
            self.tally.fault(f"half-visible: a new image after {step.name}: {fault}", [str(outcome), id])

    def accept(self, tags, images):
        self.tags, self.images = tags, images

    def end(self):
        for container in self.store.run(["ps", "-aq"]).output.split():
            self.store.run(["rm", "-f", container])


class PowerSession(Session):
    """A store on a disk that is cut off."""

    kind = "power"

    def prepare(self):
        self.boot = disk.Boot(self.directory)
        self.disk = disk.Disk(self.directory, "disk", 256)
        self.store = store.Store(self.program, self.disk.path + "/store")

    def offered(self):
        # Containers need not survive; what a program wrote in them is its own to sync.
        return [step for step in super().offered() if step not in (self.do_container, self.do_commit)]

    def crash(self, step):
        if self.points and self.dice.random() < 0.3:
            outcome = self.store.run(step.arguments, stop_at=self.dice.choice(self.points))
            self.disk.cut_off()
        else:
            delay = self.dice.random() * self.seconds[step.name] * 1.5
            outcome = self.store.run(step.arguments, kill_after=delay, at_kill=self.disk.cut_off)
            if not outcome.was_killed:
                self.disk.cut_off()
        self.disk.switch_on()
        self.boot.renew()
        self.judge(step, outcome)

    def may_fail(self, step, outcome):
        """A command that is quicker than the kill meets a disk that answers nothing any more."""
        return bool(re.search(r"I/O error|Input/output|unable to open|malformed|EIO|read-only", outcome.errors)) \
            or super().may_fail(step, outcome)

    def end(self):
        self.disk.end()
        self.boot.end()


class FullSession(Session):
    """A store on a disk that is full."""

    kind = "full"

    def prepare(self):
        self.disk = disk.Disk(self.directory, "disk", 16)
        self.store = store.Store(self.program, self.disk.path + "/store")

    def crash(self, step):
        fill = os.path.join(self.disk.path, "fill")
        # Something else takes what is free, but for a little.
        # SQLite itself needs 32 KiB to open the catalog.
        self.fill(fill, max(0, self.disk.free() - self.dice.choice([65536, 90000, 150000, 400000, 10 ** 6])))
        outcome = self.store.run(step.arguments)
        if outcome.status != 0:
            self.tally.killed[self.kind] += 1
        self.inspect_full(step, outcome)
        os.unlink(fill)
        self.judge(step, outcome)
        if self.disk.free() < 4 << 20:
            freed = self.store.run(["system", "prune", "-af"])
            self.accept(self.store.tags(), self.store.images())
            if not freed.succeeded:
                self.tally.fault("a full disk keeps prune from freeing it", [str(freed)])

    def fill(self, path, size):
        with open(path, "wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, max(size, 1))
            except OSError:
                pass

    def inspect_full(self, step, outcome):
        """On the full disk itself reading goes on, and so does removing."""
        listing = self.store.run(["images", "-q"])
        if not listing.succeeded:
            self.tally.fault("a full disk keeps images from being listed", [str(listing)])
        if step.name == "rmi" and not outcome.succeeded and "conflict:" not in outcome.errors:
            self.tally.fault("a full disk keeps an image from being removed", [str(outcome)])

    def may_fail(self, step, outcome):
        complaints = [line for line in outcome.errors.splitlines() if line.startswith("strata: ")]
        full = re.search(r"space|full", outcome.errors) and len(complaints) == 1
        return bool(full) or super().may_fail(step, outcome)

    def end(self):
        super().end()
        self.disk.end()


SESSIONS = {"kill": Session, "power": PowerSession, "full": FullSession}
