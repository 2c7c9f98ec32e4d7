"""A SuperLink with TLS and node authentication, and sites, all on this machine."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

HOST = "127.0.0.1"
BIN = Path(sys.executable).parent
# who may sign; then the server's key and certificate, for the address sites will use
CERTIFICATES = """\
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -days 365 -subj /CN=skfed-CA -out ca.crt
openssl ecparam -name prime256v1 -genkey -noout -out server.key
openssl req -new -key server.key -subj /CN=localhost -out server.csr
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
-extfile server.cnf -out server.pem"""
SERVER_CNF = f"""\
subjectAltName=DNS:localhost,IP:{HOST}
basicConstraints=CA:FALSE
extendedKeyUsage=serverAuth
"""


class Loopback:
    """A federation's machines as processes of this one; a context that ends them all.

    Parameters
    ----------
    directory : path
        Where keys, logs and Flower's own files go.
    isolation : {"process", "subprocess"}, default="process"
        Who serves a run: the process that starts it, or one that Flower starts.
    database : bool, default=False
        Whether the SuperLink remembers its nodes when it is started again.

    Attributes
    ----------
    superlink : str
        Its address.
    certificate : Path
        Of the authority that signed the SuperLink's.
    """

    def __init__(self, directory, isolation="process", database=False):
        self.directory = Path(directory)
        self.isolation, self.database = isolation, database
        self.certificate = self.directory / "ca.crt"
        self.superlink = f"{HOST}:{free_port()}"
        self.processes: dict = {}
        self.environment = {
            **os.environ,
            "FLWR_HOME": str(self.directory / "flower"),
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLWR_DISABLE_UPDATE_CHECK": "1",
            "FLWR_SUPEREXEC_TASK_POLL_INTERVAL": "0.05",
            "OMP_NUM_THREADS": "1",
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        }

    def __enter__(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "server.cnf").write_text(SERVER_CNF)
        for line in CERTIFICATES.splitlines():
            self.call(*line.split())
        home = self.directory / "flower"
        home.mkdir(exist_ok=True)
        (home / "config.toml").write_text(
            f'[superlink.loop]\naddress = "{self.superlink}"\n'
            f'root-certificates = "{self.certificate}"\n'
        )
        try:
            self.start_superlink()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.processes)):
            self.stop(name)

    def start_superlink(self):
        """Start the SuperLink and wait until it listens."""
        arguments = ["--ssl-ca-certfile", self.certificate]
        arguments += ["--ssl-certfile", self.directory / "server.pem"]
        arguments += ["--ssl-keyfile", self.directory / "server.key"]
        arguments += ["--host", HOST, "--port", self.superlink.split(":")[1]]
        arguments += ["--isolation", self.isolation, "--enable-supernode-auth"]
        arguments += ["--disable-runtime-dependency-installation"]
        if self.database:
            arguments += ["--database", self.directory / "superlink.db"]
        self.start("superlink", "flower-superlink", *arguments)
        end = time.monotonic() + 60
        while not _listens(self.superlink):
            if time.monotonic() > end or self.has_ended("superlink"):
                raise RuntimeError(
                    f"the SuperLink did not start\n{self.log('superlink')}"
                )
            time.sleep(0.1)

    def make_key(self, name):
        """Make a site's key and return the file of its private part."""
        key = self.directory / f"{name}.key"
        self.call("ssh-keygen", "-q", "-t", "ecdsa", "-b", "384", "-N", "", "-f", key)
        return key

    def register(self, name, key):
        """Let the SuperLink know a site's key, and whose it is."""
        said = self.call(
            *("flwr", "supernode", "register", f"{key}.pub", "loop"),
            *("--name", name, "--format", "json"),
        )
        if not json.loads(said)["success"]:
            raise RuntimeError(f"the key of {name!r} was not registered: {said}")

    def start(self, name, *command):
        """Start a process whose output goes to ``name.log``."""
        with open(self.directory / f"{name}.log", "a") as log:
            self.processes[name] = subprocess.Popen(
                [str(part) for part in command],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,  # so that it ends with all that it starts
            )

    def stop(self, name, patience=20):
        """End a process as an operator does, and by force if that does not help."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        _end_group(process)

    def kill(self, name):
        """End a process as a power cut does."""
        _end_group(self.processes.pop(name))

    def has_ended(self, name):
        """Tell whether a process has ended by itself."""
        return self.processes[name].poll() is not None

    def log(self, name):
        """Return what a process has printed."""
        return (self.directory / f"{name}.log").read_text()

    def call(self, *command):
        """Run a command to its end and return what it printed."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def _end_group(process):
    """End a process and all that it has started, and wait for it."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass
    process.wait()


def free_port():
    """Return the number of a port that nobody listens on."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        return server.getsockname()[1]


def _listens(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
