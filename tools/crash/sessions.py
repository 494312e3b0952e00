"""Sessions on disks that fail, beside that of operations.py, whose disk is sound."""

import os
import re

import disk
import operations
import store


class PowerSession(operations.Session):
    """A store on a disk that is cut off."""

    kind = "power"

    def prepare(self):
        self.boot = disk.Boot(self.directory)
        self.disk = disk.Disk(self.directory, "disk", 256)
        self.store = store.Store(self.program, self.disk.path + "/store")

    def offered(self):
        # Containers need not survive; what a program wrote in them is its own to sync. A power failure ends the servers of
        # mounts with everything else; here they would go on, and hold the disk.
        left_out = (self.do_container, self.do_commit, self.do_run)
        return [step for step in super().offered() if step not in left_out]

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


class FullSession(operations.Session):
    """A store on a disk that is full."""

    kind = "full"

    def prepare(self):
        self.disk = disk.Disk(self.directory, "disk", 16)
        self.store = store.Store(self.program, self.disk.path + "/store")
        # A store is there before the disk is full.
        self.store.run(["images"])

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


SESSIONS = {"kill": operations.Session, "power": PowerSession, "full": FullSession}
