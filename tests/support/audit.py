"""Look for known vulnerabilities of pinned packages: ``make audit``.

pip-audit reports "no known vulnerabilities" also where its database answered for no package. Here such packages are
counted as not audited.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence


def judge(report: str, error: str = "") -> tuple[list[str], bool]:
    """Judge a report of pip-audit.

    Parameters
    ----------
    report : str
        Its standard output in the format ``json``; empty where it failed.
    error : str
        Its standard error.

    Returns
    -------
    lines : list of str
        What was found, for a person.
    vulnerable : bool
        Whether any package has a known vulnerability.
    """
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = (error.strip().splitlines() or ["pip-audit gave no report"])[-1]
        return [f"not audited: {reason}"], False
    skipped = [package for package in packages if "skip_reason" in package]
    found = [(package, flaw) for package in packages for flaw in package.get("vulns", [])]
    lines = [
        f"{package['name']} {package['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'nothing'}"
        for package, flaw in found
    ]
    if skipped or not packages:
        lines.append(f"not audited: {len(skipped)} of {len(packages)} packages, the database did not answer for them")
    if not found and len(skipped) < len(packages):
        lines.append(f"no known vulnerability in {len(packages) - len(skipped)} packages")
    return lines, bool(found)


def main(argv: Sequence[str] | None = None) -> int:
    """Audit a file of requirements; 1 where a package has a known vulnerability, else 0."""
    parser = argparse.ArgumentParser(description="look for known vulnerabilities of pinned packages")
    parser.add_argument("requirements", help="a file with hashes")
    wanted = parser.parse_args(argv).requirements
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", wanted]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    lines, vulnerable = judge(run.stdout, run.stderr)
    sys.stdout.write("\n".join(lines) + "\n")
    return int(vulnerable)


if __name__ == "__main__":
    sys.exit(main())
