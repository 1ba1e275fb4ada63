import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { copyStripped, stripped } from "../../scripts/strip-python";
import { tools } from "../support/deployment";
import { requiring } from "../support/required-tools";
import { ROOT } from "./support/sources";

const folder = mkdtempSync(join(tmpdir(), "antifragile-python-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Prints the syntax trees of two folders, without docstrings and types of functions, where they differ. */
const COMPARE = `
import ast, pathlib, sys
def tree(path):
    found = ast.parse(path.read_text())
    for node in ast.walk(found):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        body = getattr(node, "body", None)
        if isinstance(body, list):
            texts = [each for each in body if isinstance(each, ast.Expr) and isinstance(getattr(each.value, "value", None), str)]
            node.body = [each for each in body if each not in texts] or [ast.Pass()]
    return ast.dump(found)
before, after = map(pathlib.Path, sys.argv[1:])
files = sorted(path.relative_to(before) for path in before.rglob("*.py"))
print(len(files), [str(path) for path in files if tree(before / path) != tree(after / path)])
`;

requiring(tools.python.found ? [] : [tools.python.install]).it(
  "the emulator in the package is the emulator, without comments and types",
  () => {
    const source = join(ROOT, "emulator/python");
    copyStripped(source, folder);
    const python = tools.python.found ? tools.python.path : "python3";
    const output = execFileSync(python, ["-c", COMPARE, source, folder], { encoding: "utf8" });
    expect(output).toMatch(/^\d\d+ \[\]\n$/);
  },
);

it("strips docstrings and types of functions, indents by tabs, and keeps texts, blocks and types of fields", () => {
  const source = `"""Module."""

# Why.
import os


def nothing():
    """Does nothing."""


class Empty(Exception):
    """Several
    lines.
    """

TEXT = """
# kept

"""  # kept
def one():
    r"""A \\d."""
    # gone
    return "#"  # stays
def typed(self, call: Call, *rest: dict[str, Any], names: Callable[[Any], str] = str, plain=(1, 2), last: str | None = None) -> tuple[str, ...]:
    field: str = "a"
`;
  expect(stripped(source)).toBe(`import os
def nothing():
\tpass
class Empty(Exception):
\tpass
TEXT = """
# kept

"""  # kept
def one():
\treturn "#"  # stays
def typed(self, call, *rest, names=str, plain=(1, 2), last=None):
\tfield: str = "a"
`);
});
