"""What the crash tests do to a store, and what must be there afterwards."""

import collections
import os
import re
import shutil

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

    def __init__(self, program, scratch, dice, points, tally, verbose, registry):
        self.program, self.dice, self.points, self.tally, self.verbose = program, dice, points, tally, verbose
        self.registry = registry
        self.directory = os.path.join(scratch, self.kind)
        os.mkdir(self.directory)
        self.files = os.path.join(self.directory, "files")
        os.mkdir(self.files)
        self.prepare()
        # What was reported as stored: names to IDs, and IDs to the digests of their layers' files.
        self.tags, self.images = {}, {}
        # The same of all images that there ever were: what comes back must be what it was.
        self.known = {}
        self.seconds = collections.defaultdict(lambda: 0.15)
        self.count = 0
        self.commands = self.offered()

    def prepare(self):
        self.store = store.Store(self.program, os.path.join(self.directory, "store"))

    def offered(self):
        """The commands that this build of strata has."""
        text = self.store.run(["--help"]).output
        steps = [self.do_import, self.do_import, self.do_tag, self.do_remove, self.do_build, self.do_build,
                 self.do_prune, self.do_container, self.do_commit, self.do_run, self.do_pull, self.do_pull,
                 self.do_push]
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

    def do_run(self):
        """A build whose command runs in a container."""
        if "shell:latest" not in self.tags:
            with open(shutil.which("busybox"), "rb") as file:
                archive = store.make_archive(os.path.join(self.files, "shell.tar"), {"bin/sh": file.read()}, mode=0o755)
            return Step("import", ["import", archive, "shell"], adds=["shell:latest"])
        context = os.path.join(self.files, f"context{self.count}")
        os.mkdir(context)
        with open(os.path.join(context, "Dockerfile"), "w") as file:
            file.write(f"FROM shell\nRUN echo {self.count} >/one\nRUN echo {self.count} >/two && echo {self.count} >/one\n")
        name, expected = self.dice.choice(self.names), f"{self.count}\n".encode()

        def check(layers):
            for file in ["one", "two"]:
                if store.content_of(self.store.root, layers, file) != expected:
                    return f"{file} is not what the command wrote"
            return None

        return Step("build RUN", ["build", "-q", "-t", name, context], adds=[name], check=check)

    def pushed(self):
        """The name of an image that the registry has; None where it could not be brought there."""
        source = self.dice.choice(sorted(self.tags))
        name = self.registry.name(self.dice.randrange(3))
        for arguments in (["tag", source, name], ["push", "-q", name]):
            done = self.store.run(arguments)
            if not done.succeeded:
                self.tally.fault("lost: an image cannot be pushed", [str(done)])
                return None
        self.accept(self.store.tags(), self.store.images())
        return name

    def do_pull(self):
        name = self.pushed() if self.tags else None
        if name is None:
            return self.do_import()
        if self.dice.random() < 0.8:
            self.store.run(["rmi", "-f", self.tags[name]])
            self.accept(self.store.tags(), self.store.images())
        return Step("pull", ["pull", "-q", name], adds=[name])

    def do_push(self):
        name = self.pushed() if self.tags else None
        return Step("push", ["push", "-q", name]) if name else self.do_import()

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
        for id in images.keys() - self.images.keys():
            if self.known.get(id, images[id]) != images[id]:
                self.tally.fault(f"lost: {id} came back with other files after {step.name}", [str(outcome)])
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
        self.known.update(images)

    def end(self):
        for container in self.store.run(["ps", "-aq"]).output.split():
            self.store.run(["rm", "-f", container])
