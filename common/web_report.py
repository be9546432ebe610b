"""report.html: what a run did, in one file with its figures, for any browser, light or dark, on a phone, too."""

import base64
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jinja2
import markdown

from common.files import replacing
from common.output_folder import installed_versions

REPORT = "report.html"
_MAX_BYTES = 7_000_000  # of the figures; base64 makes 4 of 3, and a page should have at most 10 MB
_MARKUP = re.compile(r"([\\`*_\[\]|#~!])")
_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; --text: #1d2129; --back: #fff; --line: #d6d9de; --soft: #f3f5f7; --link: #0b57d0 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e6ea; --back: #16181c; --line: #3a3e45; --soft: #22252a; --link: #8ab4f8 }
}
body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: var(--text); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1, h2 { line-height: 1.25 }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
a { color: var(--link) }
img { max-width: 100%; height: auto; background: #fff; border-radius: 4px }
figure { margin: 1.5rem 0 }
figcaption { font-size: .9rem; opacity: .8 }
pre { background: var(--soft); padding: .75rem; white-space: pre-wrap; border-radius: 4px }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top;
  overflow-wrap: normal }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{{ body | safe }}
<h2>How to make it again</h2>
<pre>{{ command }}</pre>
<p>{{ versions }}</p>
</body>
</html>
"""


def render_table(header: Sequence[object], rows: Iterable[Sequence[object]], *, aligned: bool = False) -> str:
    """Write rows of text as a Markdown table; `aligned` pads the cells, so that it reads well on a terminal."""
    lines = [header, ["---"] * len(header), *rows]
    lines = [[str(value) for value in line] for line in lines]
    if aligned:
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
        lines[1] = ["-" * width for width in widths]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def save_report(folder: Path, title: str, blocks: Iterable[str], command: str) -> None:
    """Write `folder`/report.html.

    blocks: Markdown. A line `![caption](name.png)` is a figure of the folder, which is put into the page; where all
    together would be too large for it, the last ones are links. Names that users chose should have gone through
    escape_text. command: that makes the run again.
    """
    body = markdown.markdown(html.escape("\n\n".join(blocks), quote=False), extensions=["tables"])
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    left = _MAX_BYTES

    def place(match: re.Match[str]) -> str:
        nonlocal left
        caption, name = match["caption"], match["name"]
        content = (folder / html.unescape(name)).read_bytes()
        if len(content) > left:
            return f'<p><a href="{name}">{caption}</a></p>'
        left -= len(content)
        source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        return f'<figure><img alt="{caption}" src="{source}"><figcaption>{caption}</figcaption></figure>'

    body = re.sub(r'<p><img alt="(?P<caption>[^"]*)" src="(?P<name>[^"]*)" /></p>', place, body)
    versions = ", ".join(f"{name} {version}" for name, version in installed_versions().items() if version)
    page = jinja2.Template(_TEMPLATE, autoescape=True).render(
        title=title, body=body, command=command, versions=versions
    )
    with replacing(folder / REPORT) as temporary:
        temporary.write_text(page, encoding="utf-8")


def escape_text(text: object) -> str:
    """Return a text, as a class name, so that Markdown shows it as it is."""
    return _MARKUP.sub(r"\\\1", str(text))


def describe_plan(plan: Mapping[str, str]) -> str:
    """Write {heading: text} as a Markdown list."""
    return "\n".join(f"- **{escape_text(heading.strip())}**: {escape_text(text)}" for heading, text in plan.items())
