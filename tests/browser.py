"""A page in a real browser, with a script that uses it as a reader does."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No name is looked up: a page that needs the network would show.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
FOUND = re.compile(r'<pre id="found">(.*?)</pre>', re.DOTALL)
REPORT = """
window.addEventListener("error", (event) => { failures.push(event.message); });
window.addEventListener("load", () => {
  const pre = document.createElement("pre");
  pre.id = "found";
  try { pre.textContent = JSON.stringify(use()); }
  catch (error) { failures.push(String(error)); }
  if (failures.length) pre.textContent = JSON.stringify({ failures });
  document.body.append(pre);
});
"""


def browser() -> str:
    """Return Chromium; without one the test is skipped, and says what is missing."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium: install the package chromium")
    return found


def used(page: Path, directory: Path, script: str) -> dict[str, Any]:
    """Open a copy of the page, run `function use() {...}` of the script in it, return its answer.

    Parameters
    ----------
    page
        The HTML file.
    directory
        An empty one, for the copy and the browser's profile.
    script
        JavaScript that defines `use`.
    """
    copy = directory / "page.html"
    text = page.read_text(encoding="utf-8")
    assert text.count("</body>") == 1
    copy.write_text(
        text.replace(
            "</body>", f"<script>const failures = [];\n{script}\n{REPORT}</script></body>"
        ),
        encoding="utf-8",
    )
    answer = subprocess.run(
        [
            browser(),
            *ARGUMENTS,
            f"--user-data-dir={directory / 'profile'}",
            "--dump-dom",
            copy.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=180,
    )
    match = FOUND.search(answer.stdout)
    assert match, f"the page's script did not run: {answer.stderr[-2000:]}"
    result: dict[str, Any] = json.loads(match[1].replace("&amp;", "&").replace("&gt;", ">"))
    return result
