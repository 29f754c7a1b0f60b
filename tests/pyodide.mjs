// Run tests/bare.py in Pyodide: node tests/pyodide.mjs (after: npm install --no-save pyodide)
import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pyodide = await loadPyodide();

function copy(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name === "__pycache__") continue;
    const target = join("/project", relative(root, path));
    if (statSync(path).isDirectory()) {
      pyodide.FS.mkdirTree(target);
      copy(path);
    } else {
      pyodide.FS.mkdirTree(dirname(target));
      pyodide.FS.writeFile(target, readFileSync(path));
    }
  }
}

copy(join(root, "tokenizers_lite"));
for (const name of ["bare.py", "oracle/bundled.json.gz"]) {
  const target = join("/project/tests", name);
  pyodide.FS.mkdirTree(dirname(target));
  pyodide.FS.writeFile(target, readFileSync(join(root, "tests", name)));
}
pyodide.runPython(`
import runpy, sys
sys.path.insert(0, "/project")
runpy.run_path("/project/tests/bare.py", run_name="__main__")
`);
