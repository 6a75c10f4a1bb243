"""Schema of the configuration: a section is a class, a key is a field. Reference page and example are made from it.

Every key has a description. Numbers carry their unit in their name. A key that leads to a secret ends in ``_file``: the
configuration never holds the secret itself.
"""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from cxrmodel.configuration.secret import read_secret
from cxrmodel.models import DEFAULT_MODEL, MODELS
from cxrmodel.records import Record

STORE_SETTING = "CXR_STORE"
"""Environment variable: the address of the store, instead of that in the file."""
BASE = "folder"
"""Key of the validation context: the folder against which relative paths count."""


def default_folder() -> Path:
    """The data folder where none is set: ``$XDG_DATA_HOME/cxrmodel``, else ``~/.local/share/cxrmodel``."""
    base = os.environ.get("XDG_DATA_HOME") or Path("~").expanduser() / ".local" / "share"
    return Path(base) / "cxrmodel"


def _absolute(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get(BASE, "."), path.expanduser()).absolute()


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that begins with http:// or https://")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password: use username and password_file")
    return text.rstrip("/")


def _loopback(text: str) -> str:
    try:
        here = text == "localhost" or ip_address(text).is_loopback
    except ValueError:
        here = False
    if not here:
        raise ValueError("must be an address of this computer, such as 127.0.0.1: there is no sign-in yet")
    return text


def _plain_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", text):
        raise ValueError("must be up to 32 small letters, digits and hyphens")
    return text


def _ae_title(text: str) -> str:
    if not re.fullmatch(r"[\x20-\x5b\x5d-\x7e]{1,16}", text) or not text.strip():
        raise ValueError("must be an AE title: up to 16 characters of ASCII without a backslash")
    return text


def _known_model(name: str) -> str:
    if name not in MODELS:
        raise ValueError(f"must be one of {', '.join(MODELS.names)}")
    return name


def _store_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise ValueError("must begin with postgresql+psycopg:// or sqlite:///")
    if parts.password:
        raise ValueError("must not hold a password: use password_file")
    return text


Place = Annotated[Path, Field(strict=False), AfterValidator(_absolute)]
"""A path; a relative one counts from the folder of the configuration file."""
WebAddress = Annotated[str, AfterValidator(_web_address)]
Name = Annotated[str, AfterValidator(_plain_name)]
"""Of an inbox or a target, in logs and metrics."""
AeTitle = Annotated[str, AfterValidator(_ae_title)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
Days = Annotated[float, Field(ge=0, le=36500)]
ObjectKind = Literal["sr", "sc"]
Prevalence = Annotated[float, Field(ge=0.001, le=0.999)]


class Section(Record):
    """A table of the configuration."""


Kind = TypeVar("Kind", bound=Section)


class StoreSection(Section):
    """Where images, jobs, readings and results are kept."""

    url: Annotated[str, AfterValidator(_store_address)] | None = Field(
        None,
        description="Database. Without it, SQLite in the data folder. The environment variable CXR_STORE goes first.",
        examples=["postgresql+psycopg://cxrmodel@127.0.0.1/cxrmodel"],
    )
    password_file: Place | None = Field(
        None, description="File with the password of the database.", examples=["/etc/cxrmodel/store.password"]
    )
    folder: Place = Field(
        default_factory=default_folder,
        json_schema_extra={"default_words": "~/.local/share/cxrmodel"},
        description="Data folder: received files, and the SQLite database. Workers that share a database share it too.",
        examples=["/var/lib/cxrmodel"],
    )

    def address(self) -> str | None:
        """Address of the database with its password; None for SQLite in the data folder. Never log it.

        Raises
        ------
        SettingError
            When the password file cannot be used.
        """
        url = os.environ.get(STORE_SETTING, "").strip() or self.url
        if url is None or self.password_file is None:
            return url
        scheme, _, rest = url.partition("://")
        user, at, host = rest.rpartition("@")
        return f"{scheme}://{user.partition(':')[0]}:{quote(read_secret(self.password_file), safe='')}{at}{host}"

    @model_validator(mode="after")
    def _user_of_the_password(self) -> Self:
        if self.password_file and not (self.url and urlsplit(self.url).username):
            raise ValueError("password_file needs a url that names a user")
        return self


class ReaderSection(Section):
    """The model, and the prevalence that every number assumes."""

    model: Annotated[str, AfterValidator(_known_model)] = Field(
        DEFAULT_MODEL, description="Model that reads the images.", examples=[*MODELS.names]
    )
    prevalence: Prevalence | None = Field(
        None,
        description="Share of positive images among those of this site, from 0.001 to 0.999. Without it, "
        "CXR_PREVALENCE, else 0.5.",
        examples=[0.2],
    )


class WebAccess(Section):
    """How a DICOMweb server is reached."""

    name: Name = Field(description="Name in logs and metrics: small letters, digits and hyphens.", examples=["pacs"])
    url: WebAddress = Field(description="Root of the DICOMweb service.", examples=["http://127.0.0.1:8042/dicom-web"])
    username: str | None = Field(None, description="User name for basic authentication.", examples=["cxrmodel"])
    password_file: Place | None = Field(
        None, description="File with the password of that user.", examples=["/etc/cxrmodel/pacs.password"]
    )
    token_file: Place | None = Field(
        None, description="File with a bearer token, instead of a user.", examples=["/etc/cxrmodel/pacs.token"]
    )
    ca_file: Place | None = Field(
        None, description="Certificates that sign the server's, in PEM.", examples=["/etc/cxrmodel/ca.pem"]
    )
    timeout_seconds: Seconds = Field(30.0, description="Longest wait for an answer.")

    @model_validator(mode="after")
    def _one_kind_of_access(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file belong together")
        if self.username is not None and self.token_file is not None:
            raise ValueError("must have a user or a token_file, not both")
        return self


class DicomwebInbox(WebAccess):
    """A PACS that is asked for new images over DICOMweb (QIDO-RS and WADO-RS)."""

    days: Annotated[int, Field(ge=1, le=365)] = Field(
        3, description="Studies of so many days are looked at, today included."
    )
    every_seconds: Seconds = Field(30.0, description="Time between two searches.")
    changes_url: WebAddress | None = Field(
        None,
        description="Root of Orthanc's own interface. New images are then found sooner, by its list of changes.",
        examples=["http://127.0.0.1:8042"],
    )
    changes_seconds: Seconds = Field(2.0, description="Time between two looks at the list of changes.")


class ScpInbox(Section):
    """A DICOM receiver, to which a PACS or a modality sends images (C-STORE)."""

    name: Name = Field(
        description="Name in logs and metrics: small letters, digits and hyphens.", examples=["receiver"]
    )
    ae_title: AeTitle = Field("CXRMODEL", description="Own AE title. Who calls another one is refused.")
    calling_ae_titles: tuple[AeTitle, ...] = Field(
        (), description="AE titles that may send. Without one, every AE title may.", examples=[["ORTHANC"]]
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(11112, description="Port to listen on.")
    certificate_file: Place | None = Field(
        None, description="Own certificate in PEM. With it, only TLS is accepted.", examples=["/etc/cxrmodel/scp.pem"]
    )
    key_file: Place | None = Field(
        None, description="Private key of that certificate.", examples=["/etc/cxrmodel/scp.key"]
    )
    ca_file: Place | None = Field(
        None,
        description="Certificates that sign those of senders. With it, a sender must show one.",
        examples=["/etc/cxrmodel/ca.pem"],
    )
    associations: Annotated[int, Field(ge=1, le=100)] = Field(10, description="Senders at one time.")
    timeout_seconds: Seconds = Field(60.0, description="Silence after which a sender is disconnected.")

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        return _with_whole_tls(self, self.certificate_file, self.key_file)


class FolderInbox(Section):
    """A folder that other programs put image files into."""

    name: Name = Field(description="Name in logs and metrics: small letters, digits and hyphens.", examples=["dropped"])
    path: Place = Field(description="The folder. Its subfolders count too.", examples=["/srv/cxrmodel/incoming"])
    every_seconds: Seconds = Field(2.0, description="Time between two looks.")
    settle_seconds: Seconds = Field(2.0, description="A file is taken once it has not changed for so long.")
    after: Literal["delete", "move", "keep"] = Field(
        "move",
        description='What happens to a file that was taken: "delete", "move" to `done/` in the folder, or "keep". '
        "What is no image goes to `refused/` there, unless files are kept.",
    )


class InboxSection(Section):
    """Where images come from. Any number of each kind."""

    dicomweb: tuple[DicomwebInbox, ...] = ()
    scp: tuple[ScpInbox, ...] = ()
    folder: tuple[FolderInbox, ...] = ()

    @property
    def all(self) -> tuple[DicomwebInbox | ScpInbox | FolderInbox, ...]:
        """Every inbox."""
        return (*self.dicomweb, *self.scp, *self.folder)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        return _with_different_names(self, self.all)


class FilterSection(Section):
    """Which received images are read. An image that a filter excludes is recorded as skipped, with the reason."""

    modalities: tuple[str, ...] = Field(
        ("CR", "DX", "DR"), description="DICOM modalities. An empty list lets every modality pass."
    )
    body_parts: tuple[str, ...] = Field(
        (),
        description="Body Part Examined. An empty list lets every part pass; an image without one always passes.",
        examples=[["CHEST"]],
    )
    stations: tuple[str, ...] = Field(
        (),
        description="Station names or AE titles of modalities. An empty list lets every station pass.",
        examples=[["XR1"]],
    )
    needs_patient_id: bool = Field(
        True, description="Whether a DICOM image without a patient ID is skipped. Files of other formats have none."
    )
    least_age_years: Annotated[float, Field(ge=0, le=150)] | None = Field(
        None, description="Youngest patient. An image without an age always passes.", examples=[0]
    )
    most_age_years: Annotated[float, Field(ge=0, le=150)] | None = Field(
        None, description="Oldest patient. An image without an age always passes.", examples=[5]
    )

    @model_validator(mode="after")
    def _ages_in_order(self) -> Self:
        least, most = self.least_age_years, self.most_age_years
        if least is not None and most is not None and least > most:
            raise ValueError("least_age_years must not exceed most_age_years")
        return self


class ResultSection(Section):
    """Which result objects are made of a reading."""

    kinds: Annotated[tuple[ObjectKind, ...], Field(min_length=1)] = Field(
        ("sr", "sc"), description='"sr" is the structured report, "sc" the secondary capture.'
    )
    profile: Literal["standard"] = Field("standard", description="Layout of the result objects.")


class StowTarget(WebAccess):
    """A PACS that results are stored in over DICOMweb (STOW-RS)."""


class CstoreTarget(Section):
    """A PACS that results are sent to by C-STORE."""

    name: Name = Field(description="Name in logs and metrics: small letters, digits and hyphens.", examples=["archive"])
    host: str = Field(description="Its address.", examples=["127.0.0.1"])
    port: Port = Field(description="Its port.", examples=[4242])
    called_ae_title: AeTitle = Field(description="Its AE title.", examples=["ORTHANC"])
    calling_ae_title: AeTitle = Field("CXRMODEL", description="Own AE title.")
    tls: bool = Field(False, description="Whether the connection is encrypted.", examples=[True])
    certificate_file: Place | None = Field(
        None, description="Own certificate in PEM, where the PACS wants one.", examples=["/etc/cxrmodel/scu.pem"]
    )
    key_file: Place | None = Field(
        None, description="Private key of that certificate.", examples=["/etc/cxrmodel/scu.key"]
    )
    ca_file: Place | None = Field(
        None, description="Certificates that sign the PACS's, in PEM.", examples=["/etc/cxrmodel/ca.pem"]
    )
    timeout_seconds: Seconds = Field(30.0, description="Longest wait for an answer.")

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        if not self.tls and (self.certificate_file or self.ca_file):
            raise ValueError("certificate_file and ca_file need tls = true")
        return _with_whole_tls(self, self.certificate_file, self.key_file)


class OutboxSection(Section):
    """Where results go. Any number of targets of each kind; each gets every object."""

    retry_seconds: Seconds = Field(5.0, description="Wait before the second attempt. Every further wait doubles.")
    longest_retry_seconds: Seconds = Field(300.0, description="Longest wait between two attempts.")
    tries: Annotated[int, Field(ge=1, le=1000)] = Field(
        5,
        description="Attempts at an object that the target refuses, before it becomes a dead letter. A target that is "
        "down costs none.",
    )
    stow: tuple[StowTarget, ...] = ()
    cstore: tuple[CstoreTarget, ...] = ()

    @property
    def all(self) -> tuple[StowTarget | CstoreTarget, ...]:
        """Every target."""
        return (*self.stow, *self.cstore)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        return _with_different_names(self, self.all)


class WorkerSection(Section):
    """How `cxrmodel work` takes jobs."""

    at_once: Annotated[int, Field(ge=0, le=256)] | None = Field(
        None,
        description="Images read at one time. Without it, one for each core. 0 reads none: such a worker only receives "
        "and sends.",
        examples=[2],
    )
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(
        30.0, description="A job whose worker died is free again after so long."
    )
    tries: Annotated[int, Field(ge=1, le=100)] = Field(
        5,
        description="Attempts at an image that ends with an unexpected error or with the end of the worker, before it "
        "is given up.",
    )
    retry_seconds: Seconds = Field(5.0, description="Wait before the second attempt. Every further wait doubles.")
    longest_retry_seconds: Seconds = Field(300.0, description="Longest wait between two attempts.")
    stop_seconds: Seconds = Field(30.0, description="On stopping, time for the images and deliveries in progress.")
    metrics_port: Port | None = Field(
        None, description="Port of this computer for the metrics of the worker, for Prometheus.", examples=[9108]
    )


class RetentionSection(Section):
    """How long files and rows are kept. What went to a PACS stays there."""

    received_days: Days = Field(
        0.0, description="A received file is deleted so long after its image was read or refused; 0 deletes it at once."
    )
    readings_days: Days | None = Field(
        None,
        description="Images, readings and stored results are deleted after so long. Without it, they are kept until "
        "`cxrmodel store forget`.",
        examples=[365],
    )


class WorklistSection(Section):
    """What the web app keeps of each browser's own work list beyond a session."""

    keep: Literal["nothing", "list", "images"] = Field(
        "nothing",
        description="`nothing`: a list ends with its session. `list`: names, readings, marks and notes are kept. "
        "`images`: the files too.",
    )
    list_days: Annotated[float, Field(gt=0, le=36500)] = Field(
        90.0, description="A list that nobody has opened for so long is deleted."
    )
    image_days: Annotated[float, Field(gt=0, le=36500)] = Field(
        7.0, description="A kept file is deleted so long after it came; its row stays."
    )


class ApiSection(Section):
    """The web app with its HTTP interface, started by `cxrmodel serve`."""

    host: Annotated[str, AfterValidator(_loopback)] = Field(
        "127.0.0.1", description="Address to listen on; this computer's own only."
    )
    port: Port = Field(8501, description="Port to listen on.")
    token_file: Place | None = Field(
        None,
        description="File with the token that requests to the HTTP interface carry. Without it, the interface is off.",
        examples=["/etc/cxrmodel/api.token"],
    )
    most_mebibytes: Annotated[int, Field(ge=1, le=1024)] = Field(64, description="Largest request.")
    timeout_seconds: Seconds = Field(60.0, description="Longest time for a request.")
    at_once: Annotated[int, Field(ge=1, le=64)] = Field(
        4, description="Requests to the HTTP interface whose images are read at one time."
    )
    waiting: Annotated[int, Field(ge=0, le=1000)] = Field(
        16, description="Further requests that may wait. More are refused with status 503."
    )


class LogSection(Section):
    """What is written on standard error. No line identifies a patient."""

    format: Literal["json", "text"] = Field("json", description="One JSON object a line, or a sentence a line.")


class Configuration(Section):
    """A whole configuration. Every section may be absent."""

    store: StoreSection = Field(default_factory=lambda: StoreSection())
    reader: ReaderSection = Field(default_factory=lambda: ReaderSection())
    inbox: InboxSection = Field(default_factory=lambda: InboxSection())
    filters: FilterSection = Field(default_factory=lambda: FilterSection())
    results: ResultSection = Field(default_factory=lambda: ResultSection())
    outbox: OutboxSection = Field(default_factory=lambda: OutboxSection())
    worker: WorkerSection = Field(default_factory=lambda: WorkerSection())
    retention: RetentionSection = Field(default_factory=lambda: RetentionSection())
    worklist: WorklistSection = Field(default_factory=lambda: WorklistSection())
    api: ApiSection = Field(default_factory=lambda: ApiSection())
    log: LogSection = Field(default_factory=lambda: LogSection())


def _with_different_names(section: Kind, entries: tuple[Any, ...]) -> Kind:
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"has two entries with the name {twice[0]}")
    return section


def _with_whole_tls(section: Kind, certificate: Path | None, key: Path | None) -> Kind:
    if (certificate is None) != (key is None):
        raise ValueError("certificate_file and key_file belong together")
    return section
