"""Open a page of a run in headless Chromium."""

import json
import re
import shutil
import subprocess

import pytest

_PROBE = """<script>addEventListener("load", () => {
  document.documentElement.style.width = "WIDTHpx";
  const range = document.createRange(), cut = [];
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    range.selectNode(nodes.currentNode);
    const element = nodes.currentNode.closest ? nodes.currentNode : nodes.currentNode.parentElement;
    if (!element.closest(".wide") && range.getBoundingClientRect().right > WIDTH + 1)
      cut.push(nodes.currentNode.nodeName);
  }
  const images = [...document.images].map(e => e.naturalWidth > 0);
  document.body.innerHTML = "<pre id=result>" + JSON.stringify({images, cut}) + "</pre>";
});</script>"""
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium to open the page in")


def look_at(page, width):
    """Open a page at this width in pixels: {"images": [whether each is there], "cut": [nodes that stick out]}."""
    probe = page.with_name("probe.html")
    probe.write_text(
        page.read_text("utf-8").replace("</body>", _PROBE.replace("WIDTH", str(width)) + "</body>"), "utf-8"
    )
    command = [_CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,900"]
    command += ["--virtual-time-budget=5000", "--dump-dom", probe.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(re.search(r'<pre id="?result"?>(.*?)</pre>', dom).group(1))
