"""A site that stays up and answers over Flower, in one process.

Flower's own SuperNode starts a process for each message, which runs code that the
server sent. This one speaks with the SuperLink itself, as a SuperNode does, keeps what
it has loaded, and calls the skfed that is installed here; the server's code is not even
fetched. It uses modules that Flower does not promise to keep; its test says when they
moved.
"""

import contextlib
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ..exceptions import ClientError
from ..federation._flower_messages import (
    HELLO,
    kind_of,
    need_flower,
    parts_of,
    reply,
)
from ..federation._printable import printable

NODE_FILE = "flower_node"  # the number this site last had, while it is up
LOCK_FILE = "flower_lock"
RAISED = 2  # Flower's code of an exception at the client


def serve(
    answer, name, directory, superlink, root_certificates=None, key=None, poll=0.2
):
    """Answer a server's requests until the process is told to end.

    Parameters
    ----------
    answer : callable
        ``answer(data) -> data``, both bytes.
    name : str
        The site's name.
    directory : path
        The site's own directory.
    superlink : str
        Address of the SuperLink, ``host:port``.
    root_certificates : path, default=None
        The certificate of the authority that signed the SuperLink's; None speaks
        without TLS.
    key : path, default=None
        The site's private key, an OpenSSH file of an elliptic curve; None makes one for
        this run, which a SuperLink with node authentication refuses.
    poll : float, default=0.2
        Seconds between questions for messages.
    """
    need_flower()
    from flwr.supernode.fleet_http_connection import http_request_response

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    authority = None if root_certificates is None else _read(root_certificates)
    place: dict[str, Any] = {
        "insecure": authority is None,
        "root_certificates": authority,
    }
    keys = None if key is None else _keys(key)
    signal.signal(signal.SIGTERM, _leave)
    with _only_one(directory):
        if keys is not None:
            _sign_off(directory, superlink, place, keys)
        with http_request_response(
            superlink, authentication_keys=keys, **place
        ) as connection:
            node_file = directory / NODE_FILE
            node_file.write_text(str(connection[0]))
            _say(f"{name!r} is connected to {superlink}")
            try:
                while True:
                    if not _answer_one(connection, answer, name):
                        time.sleep(poll)
            finally:
                node_file.unlink(missing_ok=True)


def answered(message, answer, name):
    """Return a site's reply to a message of Flower.

    Parameters
    ----------
    message : Message
        A server's.
    answer : callable
        ``answer(data) -> data``, both bytes.
    name : str
        The site's name.
    """
    if kind_of(message) == HELLO:
        return reply(message, name)
    return reply(message, name, [answer(part) for part in parts_of(message)])


def _answer_one(connection, answer, name):
    """Answer the next message, if there is one; tell whether there was."""
    from flwr.supercore.run import RunNotRunningException  # is no Exception

    _, receive, send, _, _, pull, push, confirm = connection
    try:
        found = receive()
        if found is None:
            return False
        head, tree = found
        message = _whole(tree, head.metadata.run_id, pull, confirm)
    except (Exception, RunNotRunningException) as error:
        _say(f"a message could not be fetched: {_text(error)}")
        return False
    start = time.monotonic()
    try:
        back = answered(message, answer, name)
    except Exception as error:  # a message that is not skfed's
        back = _refusal(message, error)
    try:
        _send(back, send, push, time.monotonic() - start)
    except (Exception, RunNotRunningException) as error:
        _say(f"an answer could not be sent: {_text(error)}")
    return True


def _text(error):
    return f"{type(error).__name__}: {error}"


def _whole(tree, run_id, pull, confirm):
    """Return a message with what it carries."""
    from flwr.app import Message
    from flwr.supercore.inflatable.inflatable_utils import (
        pull_and_inflate_object_from_tree,
    )

    message = pull_and_inflate_object_from_tree(
        tree,
        lambda key: pull(run_id, key),
        lambda key: confirm(run_id, key),
        return_type=Message,
    )
    message.metadata.__dict__["_message_id"] = tree.object_id
    return message


def _send(message, send, push, seconds):
    """Send a message, then the pieces that the SuperLink lacks."""
    from flwr.supercore.inflatable.inflatable_object import (
        get_all_nested_objects,
        get_object_tree,
        no_object_id_recompute,
    )
    from flwr.supercore.inflatable.inflatable_utils import push_objects

    run_id = message.metadata.run_id
    message.metadata.__dict__["_message_id"] = message.object_id
    with no_object_id_recompute():
        tree, pieces = get_object_tree(message), get_all_nested_objects(message)
        wanted, session_id = send(message, tree, seconds)
        push_objects(
            pieces,
            lambda key, content: push(run_id, session_id, key, content),
            object_ids_to_push=wanted,
        )


def _refusal(message, error):
    from flwr.app import Error, Message

    _say(f"a message was refused: {_text(error)}")
    return Message(Error(RAISED, _text(error)), reply_to=message)


def _sign_off(directory, superlink, place, keys):
    """Sign off a process of this site that was killed.

    The SuperLink believes it to be up for a minute more, and would refuse this one.
    """
    import httpx
    from flwr.proto.fleet_pb2 import DeactivateNodeRequest
    from flwr.supercore.interceptors.http.runtime_version import (
        RuntimeVersionHttpInterceptor,
    )
    from flwr.supernode.fleet_http_client import FleetHttpClient
    from flwr.supernode.node_auth_http_interceptor import NodeAuthHttpInterceptor

    try:
        node_id = int((directory / NODE_FILE).read_text())
    except (OSError, ValueError):
        return
    interceptors: list[Any] = [
        RuntimeVersionHttpInterceptor(component_name="SuperNode"),
        NodeAuthHttpInterceptor(*keys),
    ]
    with (
        contextlib.suppress(httpx.HTTPError),
        FleetHttpClient.from_server_address(
            superlink, interceptors=interceptors, **place
        ) as client,
    ):
        client.DeactivateNode(DeactivateNodeRequest(node_id=node_id))


@contextlib.contextmanager
def _only_one(directory):
    """Hold the directory of a site, of which one process may be up."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    with open(directory / LOCK_FILE, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ClientError(
                f"a site with the directory {directory} is up already; end it, or give "
                "this one another state directory"
            ) from error
        yield


def _keys(path):
    """Return a site's private and public key."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        key = load_ssh_private_key(_read(path), None)
    except (ValueError, TypeError) as error:
        raise ClientError(f"{path} is no OpenSSH private key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ClientError(
            f"{path} is no key of an elliptic curve; make one with "
            "'ssh-keygen -t ecdsa -b 384 -N \"\" -f FILE'"
        )
    return key, key.public_key()


def _read(path):
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}") from error


def _leave(number, frame):
    """End as if the site was stopped by hand, so that it signs off."""
    sys.exit(0)


def _say(text):
    text = printable(text)  # a server's words may be in it
    print(f"skfed-site: {text}", file=sys.stderr, flush=True)  # noqa: T201
