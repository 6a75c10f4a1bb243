"""The registry of commands: one entry each, in the order of ``--help``."""

from cxrmodel.cli import app, bench, evaluate, explain, export, read, synthetic, train
from cxrmodel.cli.archive import command as archive
from cxrmodel.cli.command import Command
from cxrmodel.cli.hospital import config, results, serve, store, work
from cxrmodel.registry import Registry

COMMANDS: Registry[Command] = Registry(
    "command",
    read.COMMAND,
    explain.COMMAND,
    train.COMMAND,
    export.COMMAND,
    evaluate.COMMAND,
    bench.COMMAND,
    archive.COMMAND,
    synthetic.COMMAND,
    app.COMMAND,
    config.COMMAND,
    store.COMMAND,
    results.COMMAND,
    work.COMMAND,
    serve.COMMAND,
)
