from __future__ import annotations

from tests.fidelity import table

if __name__ == "__main__":
    if found := table.problems():
        raise SystemExit("\n".join(found))
    table.PAGE.write_text(table.written(table.PAGE.read_text(encoding="utf-8")), encoding="utf-8")
