"""A registry for the images that are pushed and pulled: docker-registry on a free port of the loopback interface."""

import os
import socket
import subprocess
import time


class Registry:
    def __init__(self, scratch):
        # Outside what is cut off or full; its arguments do not name the directory in which nobody may be left.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["docker-registry", "serve", "/dev/stdin"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.process.stdin.write(
            f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
            f"storage: {{filesystem: {{rootdirectory: {os.path.join(scratch, 'registry')}}}}}\n"
            f'http: {{addr: "127.0.0.1:{self.port}"}}\n'.encode())
        self.process.stdin.close()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        self.end()
        raise SystemExit("crash-test: docker-registry does not listen")

    def name(self, number):
        """The name of an image there."""
        return f"127.0.0.1:{self.port}/crash{number}:latest"

    def end(self):
        self.process.kill()
        self.process.wait()
