"""The documentation site: Markdown of docs/ and what it links to, read where it lies."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from codat_zoho import __version__  # noqa: E402

project = "codat-zoho"
release = version = __version__
extensions = ["myst_parser", "sphinxcontrib.mermaid"]
root_doc = "docs/index"
include_patterns = ["docs/**", "examples/*/README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
exclude_patterns = [".git", ".venv*", "build", "dist", "**/__pycache__", "tests", "tools", "codat_zoho"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = f"codat-zoho {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
smartquotes = False  # They would make a dash of the two before an option.
html_show_copyright = False
