"""A campaign whose worker is killed, then the program itself, and a file damaged, ends as if nothing had happened.

    python benchmarks/kill_and_resume.py

Prints what is done to the campaign and what it says (its own exit status is 1: one of its statements is false). Exit
status 1 if a byte of its summary differs from that of an undisturbed run. Linux; a minute on an idle machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SPEC = """seed = 7
job = [
    {family = "narrow-barrier", instances = 800, n = 4, d = 2, width = 2, bound = ["origin", "narrower"]},
    {family = "gram-reduction", instances = 20480, n = 4, d = 2},
]
"""
PATIENCE = 300.0


def campaign(*words: object) -> subprocess.Popen[str]:
    """Start ``modeconn campaign``."""
    print(f"$ modeconn campaign {' '.join(map(str, words))}", flush=True)
    command = [sys.executable, "-m", "modeconn", "campaign", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a campaign and show what it printed."""
    printed, _ = process.communicate(timeout=PATIENCE)
    print("".join(f"  | {line}\n" for line in printed.splitlines() if line), end="")
    print(f"  exit status {process.returncode}", flush=True)
    return printed


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until it is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {PATIENCE:.0f} s")
        time.sleep(0.01)


def workers_of(program: int) -> list[int]:
    """The processes that a program has spawned to work for it."""
    children = map(int, Path(f"/proc/{program}/task/{program}/children").read_text().split())
    return [child for child in children if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]


def main() -> int:
    """Disturb a campaign, end it, compare."""
    os.chdir(tempfile.mkdtemp(prefix="kill-and-resume-"))
    spec, calm, folder = Path("spec.toml"), Path("calm"), Path("disturbed")
    spec.write_text(SPEC)
    ended(campaign(spec, "--out", calm))

    def files() -> list[Path]:
        return sorted(folder.glob("shards/*/*.json"))

    program = campaign(spec, "--out", folder, "--jobs", 2, "--shard", 16)
    wait_for(lambda: len(files()) >= 4, "four shards")
    first = workers_of(program.pid)
    print(f"  {len(files())} shards on disk: SIGKILL to worker {first[0]} of {first}", flush=True)
    os.kill(first[0], signal.SIGKILL)
    wait_for(lambda: len(set(workers_of(program.pid)) - set(first)) == 2, "two new workers")
    count = len(files())
    wait_for(lambda: len(files()) >= count + 4, "four more shards")
    second = workers_of(program.pid)
    print(f"  it goes on with workers {second}, {len(files())} shards: SIGKILL to the program", flush=True)
    program.kill()
    ended(program)
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in second), "the end of its workers")
    print("  its workers are gone as well", flush=True)
    victim = files()[1]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    print(f"  one bit of {victim.relative_to(folder)} is flipped", flush=True)
    said = ended(campaign(spec, "--out", folder, "--jobs", 3, "--shard", 100, "--resume"))
    is_same = (calm / "summary.json").read_bytes() == (folder / "summary.json").read_bytes()
    is_seen = victim.name in said
    print(f"the damage was {'seen' if is_seen else 'NOT seen'}; the summaries {'agree' if is_same else 'DIFFER'}")
    return int(not (is_same and is_seen))


if __name__ == "__main__":
    raise SystemExit(main())
