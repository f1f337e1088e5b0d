"""Executes notebooks headlessly: notebooks.py FOLDER [NAME...]. One process at a time does.

Leaves in the folder, for each notebook, the executed .ipynb, its .html, its pictures
and the pages that it shows, and an index.html. The notebooks themselves stay as they are. A cell that
fails ends its notebook; the others go on, and the exit code is 1.
"""

import base64
import fcntl
import html
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

import nbformat
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "notebooks"


def main(out, names):
    there = sorted(path.stem for path in SOURCE.glob("*.ipynb"))
    names = [name.removesuffix(".ipynb") for name in names] or there
    if unknown := [name for name in names if name not in there]:
        sys.exit(f"error: unknown notebook {', '.join(unknown)}; there are: {', '.join(there)}")
    out.mkdir(parents=True, exist_ok=True)
    lock = open(ROOT / ".tools" / "notebooks.lock", "w")  # held until the end: two would share results and pages
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another script executes notebooks; waiting for it.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    failed = []
    for name in names:
        if not execute(name, out):
            failed.append(name)
        write(out / "index.html", index(out))
    if failed:
        sys.exit(f"error: failed: {', '.join(failed)}")


def execute(name, out):
    """Executes one notebook and writes what it leaves. Returns whether it went well."""
    notebook = nbformat.read(SOURCE / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:  # what a cell that is not reached had before is not of this run
        cell.outputs, cell.execution_count = [], None
        cell.metadata.pop("execution", None)
    started = time.monotonic()
    done = 0

    def show(cell, cell_index, **_):
        nonlocal done
        if cell.cell_type == "code":
            done += 1
            print(f"{name}: cell {done} of {len(code)}, {time.monotonic() - started:.0f} s", flush=True)

    client = NotebookClient(
        notebook, kernel_name="gonb", timeout=None, coalesce_streams=True, on_cell_executed=show,
        resources={"metadata": {"path": str(SOURCE)}})
    error = None
    with ThreadPoolExecutor(1) as thread:  # in the main thread nbclient takes the signals
        execution = thread.submit(client.execute, cwd=str(SOURCE))
        try:
            execution.result()
        except Exception as failure:  # of a cell, or of a kernel that ends or does not start
            error = failure
        finally:
            stop(client, execution)
    notebook.metadata.language_info.pygments_lexer = "go"  # the kernel names none
    write(out / f"{name}.ipynb", nbformat.writes(notebook))
    write(out / f"{name}.html", Page(out).from_notebook_node(notebook)[0])
    for old in out.glob(f"{name}-*.png"):
        old.unlink()
    for number, picture in enumerate(pictures(notebook), 1):
        write(out / f"{name}-{number}.png", picture)
    for page in pages(notebook):
        if (SOURCE / page).exists():
            shutil.move(SOURCE / page, out / page)
    if error:
        print(f"{name}: FAILED\n{plain(str(error))}", file=sys.stderr, flush=True)
    else:
        print(f"{name}: open {out / name}.html", flush=True)
    return error is None


class Page(HTMLExporter):
    """An HTML page that needs no network: no scripts, formulas as MathML."""

    raw_template = """{% extends "lab/index.html.j2" %}
        {% block html_head_js %}{% endblock %}
        {% block html_head_js_mathjax %}{% endblock %}
        {% block html_head_css %}<style>
          math { font-size: 1.15em }
          mtd[columnalign=left] { text-align: left }
        </style>{% endblock %}"""

    def __init__(self, folder):
        super().__init__(embed_images=True)
        self.folder = folder

    @pass_context
    def markdown2html(self, context, source):
        return MarkdownWithMath(renderer=Renderer(escape=False, path=self.folder)).render(source)


class Renderer(IPythonRenderer):
    def inline_math(self, body):
        return convert(body)

    def block_math(self, body):
        return convert(body, display="block")

    def from_page(self, url):
        """The address of one of the project's files as seen from the page."""
        return os.path.relpath(SOURCE / url, self.path) if url.startswith("../") else url

    def image(self, text, url, title=None):
        return super().image(text, self.from_page(url), title)

    def link(self, text, url, title=None):
        """Links to the project's files, as seen from the page, and to other pages."""
        url = self.from_page(url)
        return super().link(text, re.sub(r"^([\w-]+)\.ipynb", r"\1.html", url), title)


def stop(client, execution):
    """Ends an execution that was interrupted: the kernel stops its cell, which saves a
    checkpoint, and ends. nbclient kills the kernel, which leaves the cell behind."""
    told = None
    while not execution.done():
        kernel = client.km and client.km.provisioner and client.km.provisioner.pid
        if kernel and kernel != told:
            os.kill(kernel, signal.SIGTERM)
            told = kernel
        wait([execution], timeout=0.2)


def pictures(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                yield base64.b64decode(picture)


def pages(notebook):
    """The pages that the notebook's programs have saved beside it, and show."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for address in re.findall(r'<iframe src="([^"/]+\.html)"', output.get("data", {}).get("text/html", "")):
                yield unquote(html.unescape(address))


INDEX = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>embedspace: executed notebooks</title>
<style>
  body {{ font: 16px/1.4 sans-serif; max-width: 1200px; margin: 2em auto; padding: 0 1em }}
  ul {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 1.5em; list-style: none; padding: 0 }}
  li {{ border: 1px solid #8884; border-radius: 6px; padding: 1em }}
  img {{ width: 100%; height: 180px; object-fit: cover; object-position: left top; background: white }}
  h2 {{ font-size: 1em; margin: .6em 0 .2em }}
  p {{ margin: 0; opacity: .75 }}
</style>
<h1>Executed notebooks</h1>
<ul>
{}
</ul>
</html>
"""


def index(out):
    """A page with the title, the largest picture, the time and the pages of each notebook."""
    return INDEX.format("\n".join(card(out, path) for path in sorted(out.glob("*.ipynb"))))


def card(out, path):
    notebook = nbformat.read(path, as_version=4)
    title = next((line[2:] for line in notebook.cells[0].source.splitlines() if line.startswith("# ")), path.stem)
    link = f'<a href="{path.stem}.html">'
    parts = []
    if found := sorted(out.glob(f"{path.stem}-*.png"), key=lambda picture: picture.stat().st_size):
        parts.append(f'{link}<img src="{found[-1].name}" alt="" loading="lazy"></a>')
    parts.append(f"<h2>{link}{html.escape(path.stem[:2])} {html.escape(title)}</a></h2>")
    parts.append(f"<p>{'failed after' if failed(notebook) else 'executed in'} {duration(notebook):.0f} s")
    parts += [f' · <a href="{html.escape(quote(page))}">look inside</a>' for page in dict.fromkeys(pages(notebook)) if (out / page).exists()]
    return f"<li>{''.join(parts)}</p></li>"


def failed(notebook):
    """Whether a cell has ended with an error, or has not ended."""
    return any(
        "shell.execute_reply" not in cell.metadata.get("execution", {}) or any(output.output_type == "error" for output in cell.outputs)
        for cell in notebook.cells if cell.cell_type == "code")


def duration(notebook):
    """The seconds from the begin of the first cell to the end of the last one."""
    times = [
        datetime.fromisoformat(time.replace("Z", "+00:00"))  # Python 3.10 knows no Z
        for cell in notebook.cells
        for name, time in cell.metadata.get("execution", {}).items() if name.startswith("iopub.status")]
    return (max(times) - min(times)).total_seconds() if times else 0


def plain(text):
    """Drops the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def write(path, content):
    """Replaces a file whole."""
    mode = "wb" if isinstance(content, bytes) else "w"
    encoding = None if mode == "wb" else "utf-8"
    with tempfile.NamedTemporaryFile(mode, encoding=encoding, dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


if __name__ == "__main__":
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        main(Path(sys.argv[1]).resolve(), sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit(130)
