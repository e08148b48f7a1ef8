"""The build hook: extensions of the core's marked modules go into the wheel where they can be made.

Without a C compiler or Cython the wheel holds the sources alone and runs on every platform.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles for a wheel; an editable installation runs the sources (scripts/build compiles)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling what came of it."""
        if self.target_name != "wheel" or version == "editable":
            return
        os.environ["PAPERTAPE_BUILD"] = "pure"  # What is compiled already may be stale.
        sys.path.insert(0, self.root)
        from exchange import build, compiling  # noqa: PLC0415 - only now can it be found.

        root = Path(self.root)
        made = root / "build" / "wheel"
        try:
            files = compiling.compile_marked(root, made, root / "build" / "cython")
        except compiling.CannotCompile as reason:
            self.app.display_warning(f"papertape will run interpreted: {reason}")
            return
        self.app.display_info(f"papertape: compiled {', '.join(files)}")
        for file in files.values():
            build_data["force_include"][str(file)] = str(build.INSTALLED / file.name)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
