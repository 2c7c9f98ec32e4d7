"""A run of a SuperLink whose server side is the caller's own process.

Flower starts server apps in processes of its own. A SuperLink with
``--isolation process`` leaves that to others: whoever takes the run's task is its
server. This file takes it, by modules that Flower does not promise to keep; it is the
only one on the server's side that imports them, and its test says when they moved.
"""

import hashlib
import time
import warnings
from pathlib import Path
from typing import Any

from ..exceptions import ClientError
from ._flower_app import app_files

TAKING = 30.0  # seconds in which a started run's task must have come up
RETRY = 60.0  # seconds in which a SuperLink that went away may be back


class OwnRun:
    """A run that this process serves.

    Parameters
    ----------
    superlink : str
        Its address, ``host:port``.
    root_certificates : path, default=None
        The certificate of the authority that signed the SuperLink's; None speaks
        without TLS.

    Attributes
    ----------
    grid : Grid
        Flower's way to its nodes.
    """

    def __init__(self, superlink, root_certificates=None):
        authority = None if root_certificates is None else _read(root_certificates)
        self.place: dict[str, Any] = {
            "insecure": authority is None,
            "root_certificates": authority,
        }
        self.superlink = superlink
        self._heart: Any = None
        self.grid: Any = None
        token = self._take(self._start())
        try:
            self._serve(token)
        except BaseException as error:
            self.close(repr(error))
            raise

    def close(self, error=""):
        """End the run.

        Parameters
        ----------
        error : str, default=""
            Why it failed; "" for a run that did what it should.
        """
        import httpx
        from flwr.common.constant import SubStatus
        from flwr.proto.runtime_pb2 import PushTaskOutputRequest

        if self.grid is None:
            return
        grid, self.grid = self.grid, None
        grid._retry_invoker.max_tries = 1  # nobody waits for a SuperLink that is gone
        status = SubStatus.FAILED if error else SubStatus.COMPLETED
        try:
            grid._runtime_client.PushTaskOutput(
                PushTaskOutputRequest(sub_status=status, details=error[:1000])
            )
        except httpx.HTTPError:
            pass
        if self._heart is not None and self._heart.is_running:
            self._heart.stop()
        grid.close()

    def _start(self):
        """Start a run and return its number."""
        from flwr.cli.build import build_fab_from_files
        from flwr.common.serde import fab_to_proto
        from flwr.proto.control_pb2 import StartRunRequest
        from flwr.supercore.control.control_http_client import ControlHttpClient
        from flwr.supercore.fab import Fab
        from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor

        files = {path: text.encode() for path, text in app_files().items()}
        with warnings.catch_warnings():  # of Flower about its own libraries
            warnings.simplefilter("ignore", DeprecationWarning)
            content = build_fab_from_files(files)[0]
        fab = Fab(hashlib.sha256(content).hexdigest(), content, {})
        version = RuntimeVersionHttpInterceptor(component_name="flwr CLI")
        client = ControlHttpClient.from_server_address(
            self.superlink, interceptors=[version], **self.place
        )
        try:
            return client.StartRun(StartRunRequest(fab=fab_to_proto(fab))).run_id
        finally:
            client.close()

    def _take(self, run_id):
        """Return the token of the run's server task."""
        from flwr.proto.runtime_pb2 import AcquireTaskRequest
        from flwr.supercore.constant import TaskType
        from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor
        from flwr.supercore.runtime import RuntimeHttpClient

        version = RuntimeVersionHttpInterceptor(component_name="SuperExec")
        client = RuntimeHttpClient.from_server_address(
            self.superlink, interceptors=[version], **self.place
        )
        request = AcquireTaskRequest(supported_task_types=[TaskType.SERVER_APP])
        end = time.monotonic() + TAKING
        try:
            while time.monotonic() < end:
                answer = client.AcquireTask(request)
                if answer.token and answer.task.run_id == run_id:
                    return answer.token
                if not answer.token:
                    time.sleep(0.1)
        finally:
            client.close()
        raise ClientError(
            f"the SuperLink at {self.superlink} did not hand out run {run_id}; start "
            "it with --isolation process, and let no other process take its runs"
        )

    def _serve(self, token):
        """Become the server of the run whose task this process has taken."""
        from flwr.common.serde import run_from_proto
        from flwr.proto.runtime_pb2 import PullTaskInputRequest
        from flwr.supercore.heartbeat import (
            HeartbeatSender,
            make_task_heartbeat_fn_http,
        )
        from flwr.supercore.task_identity import TaskIdentity
        from flwr.superlink.grid import HttpGrid

        self.grid = grid = HttpGrid(self.superlink, token=token, **self.place)
        grid._retry_invoker.max_time = RETRY
        client = grid._runtime_client
        self._heart = HeartbeatSender(make_task_heartbeat_fn_http(client))
        self._heart.start()
        given = client.PullTaskInput(PullTaskInputRequest())
        TaskIdentity.task_id = given.task_id
        TaskIdentity.run_id = given.run.run_id
        TaskIdentity.node_id = given.context.node_id
        grid.set_run(run_from_proto(given.run))


def _read(path):
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ClientError(f"root_certificates cannot be read: {error}") from error
