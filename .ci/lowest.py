"""Print the lowest versions that pyproject.toml permits, as constraints for pip.

Without a run on them, a lower bound is a guess: whoever holds another package back gets what nobody has tried.
"""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
groups = [project["dependencies"], *project["optional-dependencies"].values()]
for requirement in sorted({requirement for group in groups for requirement in group}):
    name, _, marker = requirement.partition(";")
    if bound := re.fullmatch(r"([\w.-]+)>=([\w.]+)(?:,<[\w.]+)?\s*", name):
        print(f"{bound[1]}=={bound[2]}" + (f" ;{marker}" if marker else ""))
    elif not name.startswith(project["name"]):
        raise SystemExit(f"{requirement!r} has no lower bound")
