"""An S3-compatible server: moto, from an environment of its own, on a free port of this machine.

Its packages are pinned in ``s3-requirements.txt``, which is made of ``s3-requirements.in``::

    uv pip compile s3-requirements.in --universal --python-version 3.11 --generate-hashes -o s3-requirements.txt
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn
from xml.etree import ElementTree

import requests
from filelock import FileLock
from pyarrow import fs

from tests.support.server import PATIENCE, PROJECT, free_port

REQUIREMENTS = Path(__file__).with_name("s3-requirements.txt")
REGION = "eu-central-1"


class Key(NamedTuple):
    """Credentials."""

    access: str
    secret: str

    @property
    def variables(self) -> dict[str, str]:
        """The variables that hold them."""
        return {"AWS_ACCESS_KEY_ID": self.access, "AWS_SECRET_ACCESS_KEY": self.secret}


ANYONE = Key("anyone", "anything")
"""Taken by a server that has no users."""


def server_program(give_up: Callable[[str], NoReturn]) -> str:
    """Path of the Python that has moto; installed once for each version of its requirements.

    Gives up on the test where its packages cannot be had.
    """
    folder = PROJECT / ".venv" / "s3"
    stamp = folder / hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    with FileLock(folder.with_suffix(".lock")):
        if not stamp.exists():
            uv = str(Path(sys.executable).with_name("uv"))
            options = ["--quiet", "--python", str(folder / "bin" / "python"), "--require-hashes"]
            for command in (
                [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
                [uv, "pip", "install", *options, "--requirements", str(REQUIREMENTS)],
            ):
                run = subprocess.run(command, capture_output=True, text=True, check=False)
                if run.returncode:
                    give_up(f"needs moto, which cannot be installed: {run.stderr.strip()[-300:]}")
            stamp.touch()
    return str(folder / "bin" / "python")


class S3Server:
    """One server. It forgets everything when it stops; ``start`` puts the objects back.

    Parameters
    ----------
    program : str
    folder : Path
        For its log.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._log = program, folder / "moto.log"
        self._objects: dict[str, dict[str, bytes]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "S3Server":
        """Start the server and wait until it answers."""
        with self._log.open("ab") as log:
            command = [self._program, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
            quiet = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=quiet)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < end, self._log.read_text(errors="replace")[-2000:]
            assert self._process.poll() is None, self._log.read_text(errors="replace")[-2000:]
            time.sleep(0.05)
        for bucket, objects in self._objects.items():
            self._fill(bucket, objects)
        return self

    def kill(self) -> None:
        """Kill the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def clear(self) -> None:
        """Forget objects and users; take any credentials again."""
        self._objects.clear()
        self._authorize(False)
        requests.post(f"{self.url}/moto-api/reset", timeout=PATIENCE)

    def fill(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Make a bucket if need be, and put objects into it by key."""
        self._objects.setdefault(bucket, {}).update(objects)
        self._fill(bucket, objects)

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object."""
        del self._objects[bucket][key]
        self._filesystem().delete_file(f"{bucket}/{key}")

    def user(self, name: str, buckets: Sequence[str]) -> Key:
        """Make a user who may list and read these buckets; from now on everyone needs the right credentials."""
        resources = [f"arn:aws:s3:::{bucket}{end}" for bucket in buckets for end in ("", "/*")]
        statement = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": resources}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._authorize(False)
        self._identity("CreateUser", UserName=name)
        self._identity("PutUserPolicy", UserName=name, PolicyName="reads", PolicyDocument=policy)
        answer = ElementTree.fromstring(self._identity("CreateAccessKey", UserName=name))
        found = {element.tag.rpartition("}")[2]: str(element.text) for element in answer.iter()}
        self._authorize(True)
        return Key(found["AccessKeyId"], found["SecretAccessKey"])

    def _fill(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        filesystem = self._filesystem()
        filesystem.create_dir(bucket)
        for key, content in objects.items():
            with filesystem.open_output_stream(f"{bucket}/{key}") as stream:
                stream.write(content)

    def _filesystem(self) -> fs.S3FileSystem:
        return fs.S3FileSystem(
            access_key=ANYONE.access,
            secret_key=ANYONE.secret,
            endpoint_override=self.url,
            region=REGION,
            allow_bucket_creation=True,
        )

    def _identity(self, action: str, **values: str) -> str:
        signed = f"AWS4-HMAC-SHA256 Credential=x/20260101/{REGION}/iam/aws4_request, SignedHeaders=host, Signature=x"
        answer = requests.post(
            self.url,
            data={"Action": action, "Version": "2010-05-08", **values},
            headers={"Authorization": signed},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        return answer.text

    def _authorize(self, strict: bool) -> None:
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"0" if strict else b"inf", timeout=PATIENCE)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/moto-api/", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False
